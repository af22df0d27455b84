"""The arguments of a call of a jitted function, the arrays apart from all else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.arriving import is_foreign, native
from ..core.avals import aval_of
from ..core.dispatch import Tracer
from ..core.errors import DtypeError
from ..core.trees import Tree, flatten, orders

PLAIN = {np.ndarray, np.float64, np.float32, np.int64}  # arrays, whoever looks at them


class Call(NamedTuple):
    """One call: its arrays apart from everything that the program is made for."""

    leaves: list[Any]
    places: tuple[int, ...]  # of the arrays among the leaves
    tree: Tree
    key: Any
    order: tuple[Any, ...]  # of the keys of dictionaries among the arguments

    @property
    def arrays(self) -> list[Any]:
        return [self.leaves[k] for k in self.places]

    @property
    def static(self) -> dict[int, Any]:
        """The values that the program is made for, by their places among the leaves."""
        others = ((k, x) for k, x in enumerate(self.leaves) if k not in self.places)
        return {k: x.value if isinstance(x, Static) else x for k, x in others}

    def without_arrays(self) -> Call:
        """What a program is made for, which must not keep the arrays of one call alive."""
        leaves = list(self.leaves)
        for k in self.places:
            leaves[k] = None
        return self._replace(leaves=leaves)

    def with_arrays(self, arrays: Iterable[Any]) -> Call:
        """The same call with these arrays."""
        leaves = list(self.leaves)
        for k, x in zip(self.places, arrays, strict=True):
            leaves[k] = x
        return self._replace(leaves=leaves)


class Static:
    """A value that the program is made for."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Static):
            return False
        return self.value is other.value or bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.value)


def read_call(
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    parameters: Sequence[str],
    static: frozenset[str],
) -> Call:
    """A call of a function with these parameters, some of which are named static."""
    fixed: list[tuple[str, Any]] = []
    if static:
        named = dict(zip(parameters, args))
        fixed = [(k, v) for k, v in (*named.items(), *kwargs.items()) if k in static]
        args = tuple(
            Static(a) if k < len(parameters) and parameters[k] in static else a
            for k, a in enumerate(args)
        )
        kwargs = {k: Static(v) if k in static else v for k, v in kwargs.items()}
    leaves, tree = flatten(args) if not kwargs else flatten((args, kwargs))
    order: tuple[Any, ...] = ()
    if tree.is_nested:
        order = (orders(args), orders(kwargs)) if kwargs else orders(args)
    leaves = list(map(native, leaves))
    if not fixed and PLAIN.issuperset(map(type, leaves)):  # as most calls have it
        every = tuple(range(len(leaves)))
        types = tuple([(x.shape, x.dtype) for x in leaves])
        return Call(leaves, every, tree, (tree, every, types, (), bool(kwargs), order), order)
    leaves = with_numbers(leaves)
    places = tuple(k for k, x in enumerate(leaves) if is_array(x))
    for k in places:
        check_class(leaves[k])
    types = tuple((x.shape, x.dtype) for x in [aval_of(leaves[k]) for k in places])
    others = () if len(places) == len(leaves) else without(leaves, places)
    key = (tree, places, types, tuple(map(hashable, others)), bool(kwargs), order, *fixed)
    return Call(leaves, places, tree, key, order)


def with_numbers(leaves: list[Any]) -> list[Any]:
    """The leaves with Python's floats and complex numbers in the precision of the arrays.

    A program has no numbers that widen nothing, as Python's are to NumPy: theirs is the widest
    precision among the arrays, and double where there are none.
    """
    if not any(type(x) in (float, complex) for x in leaves):
        return leaves
    kinds = [x.dtype for x in leaves if getattr(x, "dtype", None) is not None and x.shape]
    wide = np.result_type(*(d for d in kinds if d.kind in "fc"), np.float16)
    real = np.empty(0, wide).real.dtype if wide != np.float16 else np.dtype(np.float64)
    both = np.result_type(real, np.complex64)
    return [
        real.type(x) if type(x) is float else both.type(x) if type(x) is complex else x
        for x in leaves
    ]


def without(leaves: Sequence[Any], places: Sequence[int]) -> tuple[Any, ...]:
    """The leaves in all other places."""
    taken = set(places)
    return tuple(x for k, x in enumerate(leaves) if k not in taken)


def is_scattered(x: Any) -> bool:
    """Whether an argument is an array whose elements do not lie row by row."""
    return type(x) is np.ndarray and not x.flags.c_contiguous


def gathered(x: Any) -> Any:
    """An argument with its elements row by row."""
    return np.ascontiguousarray(x) if is_scattered(x) else x


def is_array(x: Any) -> bool:
    """Whether a leaf is data, rather than a value that the program is made for."""
    return isinstance(x, np.ndarray | np.generic | Tracer) or type(x) in (float, complex)


def check_class(x: Any) -> None:
    """Raise where an array is of a class that does things its own way."""
    if isinstance(x, np.ndarray) and type(x) not in (np.ndarray, np.memmap):
        raise DtypeError(
            f"jit: a {type(x).__name__} does things its own way, which compiled code does not "
            "know; pass np.asarray(x)"
        )


def check_order(args: tuple[Any, ...]) -> None:
    """Raise where an array that is to be read at each call is not as machine code reads it."""
    for x in flatten(args)[0]:
        if isinstance(x, np.ndarray) and not x.dtype.isnative:
            raise DtypeError(
                f"bind: an argument is of dtype {x.dtype}, in the other byte order, and its memory "
                "is to be read at each call; pass x.astype(x.dtype.newbyteorder('='))"
            )


def hashable(x: Any) -> Any:
    """A static leaf as a part of a key."""
    value = x.value if isinstance(x, Static) else x
    if is_foreign(value):
        raise DtypeError(
            f"jit: an argument is a {type(value).__module__} {type(value).__name__}, and machine "
            "code works on the memory of NumPy's arrays only; call the function without jit, or "
            "pass a NumPy array"
        )
    try:
        hash(value)
    except TypeError:
        raise DtypeError(
            f"jit: an argument of type {type(value).__name__} is neither data nor hashable, so no "
            "program can be looked up for it; pass arrays, numbers or hashable values"
        ) from None
    return type(x), kind_of(value), x


def kind_of(x: Any) -> Any:
    """What tells equal static values apart: types, those within tuples too, and the sign of 0."""
    if isinstance(x, tuple):
        return type(x), *map(kind_of, x)
    return (type(x), repr(x)) if isinstance(x, float | complex) else type(x)
