"""Python's own functions of numbers, and those of `math`."""

from __future__ import annotations

import copy
import math
import re
import statistics
from typing import Any

import numpy as np

from ...core.dispatch import Tracer, concrete, overrides
from ...core.errors import DetachError
from ..capture.calls import ELEMENTARY, cast, to_log
from .standing import standing, stands_for

TEXT = re.compile(r"^(tensor\(|dual |one of \d+: |symbol |series )")


@stands_for(float)
def to_float(x: Any) -> Any:
    """`float(x)`: the same number, in double precision."""
    if x.dtype.kind == "c":
        return float(concrete(x))  # raises as Python does
    return cast(x, np.float64)


def number(x: Any = 0.0, /) -> Any:
    """`float(x)`; of the text of a tracer, refused: text carries no derivative."""
    if isinstance(x, str) and TEXT.search(x):
        raise DetachError(
            f"float: {x!r} is the text of a traced value, which carries no derivative; use the "
            "value itself, without going through text, or cut on purpose with .detach()"
        )
    return of_number(x)


of_number = standing[id(float)]
standing[id(float)] = number


@stands_for(complex)
def to_complex(x: Any, imaginary: Any = 0) -> Any:
    """`complex(x)`, or `complex(real, imaginary)`."""
    real = cast(x, np.complex128) if isinstance(x, Tracer) else complex(x)
    return real + 1j * imaginary if holds_number(imaginary) else real


def holds_number(x: Any) -> bool:
    """Whether an imaginary part was given."""
    return isinstance(x, Tracer) or x != 0


@stands_for(int, math.trunc)
def to_int(x: Any) -> int:
    """`int(x)`, which no derivative passes."""
    return int(concrete(x))


@stands_for(bool)
def to_bool(x: Any) -> bool:
    """`bool(x)`."""
    return bool(concrete(x))


@stands_for(round)
def to_round(x: Any, digits: Any = None) -> Any:
    """`round(x)`: an integer where no digits are asked for."""
    return round(float(concrete(x))) if digits is None else np.round(x, digits)


@stands_for(math.floor)
def to_floor(x: Any) -> int:
    """`math.floor(x)`, which no derivative passes."""
    return math.floor(float(concrete(x)))


@stands_for(math.ceil)
def to_ceil(x: Any) -> int:
    """`math.ceil(x)`, which no derivative passes."""
    return math.ceil(float(concrete(x)))


@stands_for(isinstance)
def is_instance(x: Any, kinds: Any) -> bool:
    """`isinstance(x, kinds)`, as of the number or array that a tracer stands for."""
    if isinstance(x, kinds) or not isinstance(x, Tracer):
        return isinstance(x, kinds)
    if x.shape:
        return issubclass(np.ndarray, kinds)
    return issubclass(np.ndarray, kinds) or issubclass(x.dtype.type, kinds)


for _function, _ours in ELEMENTARY:
    stands_for(_function)(_ours)
stands_for(math.log)(to_log)


@stands_for(math.hypot)
def to_hypot(*xs: Any) -> Any:
    """`math.hypot(*xs)`."""
    return np.linalg.norm(np.stack(np.broadcast_arrays(*xs)))


@stands_for(math.dist)
def to_dist(p: Any, q: Any) -> Any:
    """`math.dist(p, q)`."""
    return to_hypot(*(a - b for a, b in zip(p, q, strict=True)))


@stands_for(math.fsum)
def to_sum(xs: Any) -> Any:
    """`math.fsum(xs)`."""
    return sum(xs)


@stands_for(math.prod)
def to_product(xs: Any, *, start: Any = 1) -> Any:
    """`math.prod(xs)`."""
    for x in xs:
        start = start * x
    return start


@stands_for(math.isclose)
def to_is_close(a: Any, b: Any, **tolerances: Any) -> bool:
    """`math.isclose(a, b)`."""
    return math.isclose(float(concrete(a)), float(concrete(b)), **tolerances)


@stands_for(statistics.mean, statistics.fmean)
def to_mean(xs: Any) -> Any:
    """`statistics.mean(xs)`."""
    values = list(xs)
    return sum(values) / len(values)


@stands_for(copy.copy, copy.deepcopy)
def copied(x: Any, memo: Any = None) -> Any:
    """A copy of a tracer, or of a plain container, with what it carries."""
    if isinstance(x, Tracer):
        return overrides[np.copy](x)
    if isinstance(x, dict):
        return {k: copied(v) for k, v in x.items()}
    return type(x)(map(copied, x)) if isinstance(x, list | tuple) else copy.deepcopy(x, memo)
