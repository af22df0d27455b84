"""Which primitives have a native form of their own, and how native code reports an error.

Machine code raises nothing.  Every native function has in scope a pointer `%status` to
`STATUS_WORDS` integers (i64), all 0 when it starts: the first is the number of the error in
`FAILURES`, 0 for none, and the others are what its text tells.  The caller gives them to
`raise_failure`.  The first failure stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.avals import Aval
from ...core.primitive import Primitive
from ...ops.control import CapacityError
from ..code import INTERLEAVED, TYPES, Buffer, Code, Register

Emit = Callable[[Code, Any, Sequence[Buffer], Sequence[Buffer]], None]
Accepts = Callable[[Any, Sequence[Aval], Sequence[Aval]], bool]
Scratch = Callable[[Any, Sequence[Buffer], Sequence[Aval]], int]

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


def fail(code: Code, condition: Register, failure: int, *words: Register | int) -> None:
    """Report a failure where the condition (an i1) holds, unless there was one before."""
    with code.when(condition):
        earlier = code.op("load i64, ptr %status")
        with code.when(code.op(f"icmp eq i64 {earlier}, 0")):
            for k, word in enumerate((failure, *words)):
                place = code.op(f"getelementptr inbounds i64, ptr %status, i64 {k}")
                code.do(f"store i64 {word}, ptr {place}")


class Kernel(NamedTuple):
    """How one primitive becomes machine code; called, it writes it.

    Operands are row-major unless `accepts_strides`; results are row-major and filled whole.
    Where `scratch` asks for memory, its bytes come as one more operand of u1, aligned to 64.
    """

    emit: Emit
    accepts: Accepts
    accepts_strides: bool
    scratch: Scratch

    def __call__(
        self,
        code: Code,
        primitive: Primitive,
        operands: Sequence[Buffer],
        results: Sequence[Buffer],
    ) -> None:
        self.emit(code, primitive, operands, results)


kernels: dict[type[Primitive], Kernel] = {}


def any_type(primitive: Any, operands: Sequence[Aval], results: Sequence[Aval]) -> bool:
    """Whatever the dtypes are."""
    return True


def no_scratch(primitive: Any, operands: Sequence[Buffer], results: Sequence[Aval]) -> int:
    """No memory."""
    return 0


def kernel(
    *classes: type[Primitive],
    accepts: Accepts = any_type,
    accepts_strides: bool = False,
    scratch: Scratch = no_scratch,
) -> Callable[[Emit], Emit]:
    """Register the function below as what writes these primitives."""

    def register(emit: Emit) -> Emit:
        for cls in classes:
            kernels[cls] = Kernel(emit, accepts, accepts_strides, scratch)
        return emit

    return register


def kernel_for(
    primitive: Primitive, operands: Sequence[Aval], results: Sequence[Aval]
) -> Kernel | None:
    """The native form of a primitive on operands of these types; None where there is none."""
    found = kernels.get(type(primitive))
    if found is None or not all(is_native(x.dtype) for x in (*operands, *results)):
        return None
    return found if found.accepts(primitive, operands, results) else None


def is_native(dtype: np.dtype[Any]) -> bool:
    """Whether machine code handles elements of this dtype."""
    key = f"{dtype.kind}{dtype.itemsize}"
    return dtype.isnative and (key in TYPES or key in INTERLEAVED)
