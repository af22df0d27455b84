"""How native code reports an error.

Machine code raises nothing.  Every native function has in scope a pointer `%status` to
`STATUS_WORDS` integers (i64), all 0 when it starts: the first is the number of the error in
`FAILURES`, 0 for none, and the others are what its text tells.  The caller gives them to
`raise_failure`.  The first failure stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..ops.control import CapacityError
from .code import Code, Register

STATUS_WORDS = 4

FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (RuntimeError, ""),  # 0: no failure
    (np.linalg.LinAlgError, "Singular matrix"),
    (np.linalg.LinAlgError, "Matrix is not positive definite"),
    (np.linalg.LinAlgError, "Eigenvalues did not converge"),
    (np.linalg.LinAlgError, "SVD did not converge"),
    (IndexError, "index {} is out of bounds for axis {} with size {}"),
    (CapacityError, "{}"),
    (
        RuntimeError,
        "jit: compiled code came to byte {} of an array of {} bytes; please report the program",
    ),
)
SINGULAR, NOT_DEFINITE, NO_EIGENVALUES, NO_SVD, OUT_OF_BOUNDS, OVERFLOW, OUTSIDE = range(
    1, len(FAILURES)
)


def raise_failure(status: Sequence[int]) -> None:
    """Raise what a native function reported, if anything."""
    if status[0]:
        kind, text = FAILURES[status[0]]
        raise kind(text.format(*status[1:]))


def pass_on(code: Code, status: Register) -> None:
    """Report the failure that another `status` tells of, if any, unless there was one before."""
    own = [
        code.op(f"getelementptr inbounds i64, ptr {status}, i64 {k}") for k in range(STATUS_WORDS)
    ]
    failure, *words = (code.op(f"load i64, ptr {place}") for place in own)
    fail(code, code.op(f"icmp ne i64 {failure}, 0"), failure, *words)


def fail(code: Code, condition: Register, failure: Register | int, *words: Register | int) -> None:
    """Report a failure where the condition (an i1) holds, unless there was one before."""
    with code.when(condition):
        earlier = code.op("load i64, ptr %status")
        with code.when(code.op(f"icmp eq i64 {earlier}, 0")):
            for k, word in enumerate((failure, *words)):
                place = code.op(f"getelementptr inbounds i64, ptr %status, i64 {k}")
                code.do(f"store i64 {word}, ptr {place}")
