"""What transforms hand out: values that may be written to, and change nothing else by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..core.arriving import bare, is_foreign
from ..core.avals import Value
from ..core.dispatch import Tracer, snapshot
from ..core.errors import DtypeError
from ..core.outliving import living
from ..core.trees import Tree


def owned(values: Iterable[Any], given: Iterable[Any] = ()) -> list[Any]:
    """The values, copied where they share memory with one another, themselves or the `given`."""
    taken = {id(owner(x)) for x in given if isinstance(x, np.ndarray)}
    found: list[Any] = []
    for x in values:
        x = number(x)
        if isinstance(x, np.ndarray):
            if id(owner(x)) in taken or not x.flags.writeable or 0 in x.strides:
                x = x.copy()
            taken.add(id(owner(x)))
        found.append(handed_out(x) if isinstance(x, Tracer) else x)
    return found


def number(x: Any) -> Any:
    """A number as NumPy's functions give it, and not as an array of no axes."""
    return x[()] if isinstance(x, np.ndarray) and not x.ndim else x


def handed_out(x: Any) -> Any:
    """A value for the caller of a transform, who may write to it: none of a transform that has
    ended, and nothing of ours around an array of another library.
    """
    return bare(snapshot(living(x)))


def check_numbers(name: str, outs: Sequence[Any], tree: Tree) -> None:
    """Refuse what a function returned beside numbers: it has no tangent and no cotangent."""
    for k, y in enumerate(outs):
        if isinstance(y, Tracer | float | int | complex):
            continue
        if isinstance(y, np.ndarray | np.generic) and y.dtype.kind in "fciub":
            continue
        if not is_foreign(y):
            raise DtypeError(
                f"{name}: the function returned result{tree.paths[k]} of type {type(y).__name__}, "
                "which is no array of numbers; return what is not differentiated apart, with "
                "has_aux=True, or leave it out"
            )


def owner(x: Value) -> Any:
    """The array whose memory an array is in."""
    return x if x.base is None else x.base


def copied(values: Iterable[Any]) -> list[Any]:
    """The values apart from what a graph has kept of them."""
    return [x.copy() if isinstance(x, np.ndarray) else handed_out(x) for x in values]


def apart(x: Any) -> Any:
    """A value for a rule of the user's, who may write to it; what is no value stays as it is."""
    return x.copy() if isinstance(x, np.ndarray) else snapshot(x)
