"""Functions of Python that ask a value for itself, and what stands for them on traced values."""

from __future__ import annotations

import builtins
import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...core.dispatch import overrides
from ...ops.indexing import to_index
from .branch import truth
from .courses import Range
from .state import unknown
from .writes import refuse_here, stack, traced_in

Function = Callable[..., Any]
replaced: dict[int, Function] = {}  # by id: the functions live as long as the interpreter


def instead_of(function: Any) -> Callable[[Function], Function]:
    """Register what a function of Python does where an argument is unknown."""

    def register(ours: Function) -> Function:
        def called(*args: Any, **kwargs: Any) -> Any:
            if any(map(unknown, args)):
                return ours(*args, **kwargs)
            return function(*args, **kwargs)

        replaced[id(function)] = called
        return ours

    return register


@instead_of(float)
def to_float(x: Any) -> Any:
    """`float(x)`."""
    return cast(x, np.float64)


@instead_of(int)
def to_int(x: Any) -> Any:
    """`int(x)`, towards zero."""
    return whole(x)


@instead_of(complex)
def to_complex(x: Any, imaginary: Any = 0) -> Any:
    """`complex(x)`."""
    real = cast(x, np.complex128) if unknown(x) else complex(x)
    if unknown(imaginary):
        return real + 1j * cast(imaginary, np.complex128)
    return real + 1j * imaginary if imaginary else real


@instead_of(bool)
def to_bool(x: Any) -> Any:
    """`bool(x)`."""
    return truth(x)


def cast(x: Any, dtype: Any) -> Any:
    """A number of another type."""
    if x.size != 1:
        raise TypeError("only length-1 arrays can be converted to Python scalars")
    return overrides[np.ndarray.astype](np.reshape(x, ()) if x.shape else x, dtype)


def whole(x: Any) -> Any:
    """A number as an integer, which no derivative passes."""
    return to_index(cast(x, x.dtype)) if x.dtype.kind == "f" else cast(x, np.int64)


@instead_of(range)
def to_range(*args: Any) -> Any:
    """`range(start, stop, step)`."""
    start, stop, step = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3]
    for x in (start, stop, step):
        if np.result_type(x).kind not in "iu":
            raise TypeError(f"'{np.result_type(x)}' object cannot be interpreted as an integer")
    return Range(start, stop, step)


def extreme(function: Any, ahead: Callable[[Any, Any], Any]) -> None:
    """`max` or `min` of traced numbers: the first of those that are not beaten."""

    def called(*args: Any, **options: Any) -> Any:
        given = args
        if len(args) == 1 and (unknown(args[0]) or isinstance(args[0], Iterator)):
            given = (list(args[0]),)
        values = given[0] if len(given) == 1 and isinstance(given[0], list | tuple) else given
        if options or len(values) < 2 or not any(map(unknown, values)):
            return function(*given, **options)
        best = values[0]
        for x in values[1:]:
            best = np.where(truth_or(ahead(x, best)), x, best)
        return best

    replaced[id(function)] = called


def asking(function: Any, decides: bool) -> None:
    """`any` or `all` of traced values: whether there is one that is what `decides`."""

    def called(*args: Any) -> Any:
        if len(args) != 1:
            return function(*args)
        open_ones = []
        for x in args[0]:
            if unknown(x):
                open_ones.append(truth(x))
            elif bool(x) is decides:
                return decides
        join = np.logical_or if decides else np.logical_and
        return functools.reduce(join, open_ones) if open_ones else not decides

    replaced[id(function)] = called


def truth_or(x: Any) -> Any:
    """A condition, traced or not."""
    return truth(x) if unknown(x) else bool(x)


extreme(max, lambda a, b: a > b)
extreme(min, lambda a, b: a < b)
asking(any, True)
asking(all, False)


@instead_of(round)
def to_round(x: Any, digits: Any = None) -> Any:
    """`round(x)`, to an integer where no digits are asked for."""
    return whole(np.round(x)) if digits is None else np.round(x, digits)


NAMES = (  # noqa: SIM905
    "sin cos tan sinh cosh tanh exp exp2 expm1 log2 log10 log1p sqrt cbrt fabs copysign hypot "
    "fmod isnan isinf isfinite degrees radians ldexp"
).split()
ARCS = ("asin", "acos", "atan", "asinh", "acosh", "atanh")
# What stands for the functions of `math` that NumPy has too.
ELEMENTARY: list[tuple[Function, Function]] = [
    *((getattr(math, n), getattr(np, n)) for n in NAMES if hasattr(math, n)),
    *((getattr(math, n), getattr(np, "arc" + n[1:])) for n in ARCS),
    (math.atan2, np.arctan2),
    (math.pow, np.power),
]
for _function, _ours in ELEMENTARY:
    instead_of(_function)(_ours)
instead_of(math.floor)(lambda x: whole(np.floor(x)))
instead_of(math.ceil)(lambda x: whole(np.ceil(x)))
instead_of(math.trunc)(lambda x: whole(np.trunc(x)))


@instead_of(math.log)
def to_log(x: Any, base: Any = None) -> Any:
    """`math.log(x, base)`."""
    return np.log(x) if base is None else np.log(x) / np.log(base)


@instead_of(np.allclose)
def to_allclose(a: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
    """`np.allclose`, which asks at once whether all are close."""
    return np.all(np.isclose(a, b, *args, **kwargs))


@instead_of(np.array_equal)
def to_array_equal(a: Any, b: Any, equal_nan: bool = False) -> Any:
    """`np.array_equal`, which is false of other shapes."""
    if np.shape(a) != np.shape(b):
        return False
    same = np.equal(a, b)
    return np.all(same | (np.isnan(a) & np.isnan(b)) if equal_nan else same)


def of_lists(function: Any) -> None:
    """`np.array` and its kin of nested lists that hold traced values."""

    def called(*args: Any, **kwargs: Any) -> Any:
        x = args[0] if args else None
        if isinstance(x, list | tuple) and traced_in(x) is not None:
            dtype = args[1] if len(args) > 1 else kwargs.get("dtype")
            made = stack(x)
            return made if dtype is None else overrides[np.ndarray.astype](made, dtype)
        if unknown(x):
            dtype = args[1] if len(args) > 1 else kwargs.get("dtype")
            made = np.copy(x) if function is np.array else x  # type: ignore[arg-type]
            return made if dtype is None else overrides[np.ndarray.astype](made, dtype)
        return function(*args, **kwargs)

    replaced[id(function)] = called


for _function in (np.array, np.asarray, np.asanyarray, np.ascontiguousarray):
    of_lists(_function)


def enumerated(function: Any) -> None:
    """`enumerate`, `zip` and others that go through a range of unknown length: refused."""

    def called(*args: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, Range) for x in args):
            refuse_here(
                f"{function.__name__} of a range whose length is not known while tracing",
                "loop over the range itself: for i in range(n)",
            )
        return function(*args, **kwargs)

    replaced[id(function)] = called


for _iterating in (enumerate, zip, list, tuple, reversed, sorted, map, filter, builtins.sum):
    enumerated(_iterating)
