"""What goes through the memory of an array, of which a tracer has none: elements in its place."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.dispatch import Tracer, concrete, overrides
from ..capture.writes import getitem
from .standing import READ_OUT, stands_for


@stands_for(memoryview)
def memory_of(x: Any) -> Any:
    """`memoryview(x)`: a view of all elements, which are read and written as there."""
    return getitem(x, ...) if isinstance(x, Tracer) else memoryview(x)


@stands_for(np.nditer)
def iterator_over(x: Any, *options: Any, **named: Any) -> Any:
    """`np.nditer(x)` of one array that lies row by row, for reading; anything else is refused."""
    array = x.underlying() if isinstance(x, Tracer) else None
    if not options and not named and isinstance(array, np.ndarray) and array.flags.c_contiguous:
        return iter(np.reshape(x, -1))
    for each in x if isinstance(x, list | tuple) else (x,):
        if isinstance(each, Tracer):
            each.refuse(
                "np.nditer(x)",
                "go through np.reshape(x, -1), or x[i] for i in np.ndindex(x.shape)",
            )
    return np.nditer(x, *options, **named)  # which raises what is wrong


def as_plain(x: Any, dtype: Any = None, copy: bool | None = None) -> Any:
    """`x.__array__()`: the array itself, which stays what it is."""
    found = x if dtype is None else overrides[np.ndarray.astype](x, dtype)
    return overrides[np.copy](found) if copy else found


READ_OUT["__array__"] = as_plain


def saved(save: Any) -> None:
    """A function that writes values to a file: what is written has no derivative to lose."""

    def write(*args: Any, **kwargs: Any) -> Any:
        return save(*map(values, args), **{k: values(v) for k, v in kwargs.items()})

    stands_for(save)(write)


def values(x: Any) -> Any:
    """An argument with the values of tracers, in lists too."""
    if isinstance(x, list | tuple):
        return type(x)(map(values, x))
    return np.asarray(concrete(x)) if isinstance(x, Tracer) else x


for _save in (np.save, np.savez, np.savez_compressed, np.savetxt):
    saved(_save)
