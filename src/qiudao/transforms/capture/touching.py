"""What is about to change beside variables: it becomes a place, or is refused."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np

from ...core.dispatch import Tracer
from ...core.views import View
from .holders import is_held
from .places import Attribute, Contents, Global, Nonlocal, is_container, is_record, is_settable
from .state import is_part, merged, ours, region, regions, stands_for, touch
from .writes import inplace, refuse_here, store, traced_in

KEEPING = {
    "copy", "count", "index", "get", "keys", "values", "items", "union", "difference",
    "intersection", "symmetric_difference", "isdisjoint", "issubset", "issuperset", "fromkeys",
    "__getitem__", "__len__", "__contains__", "__iter__", "__eq__",
}  # fmt: skip


def is_watched() -> bool:
    """Whether it is noted what changes."""
    return bool(regions.states or merged())


def touched(x: Any, text: str) -> Any:
    """A container whose elements are about to change."""
    if is_watched() and is_container(x):
        touch(Contents(x, text))
    return x


def shown(x: Any) -> Any:
    """An attribute that is read: an array as the variables of the pieces around hold it."""
    if isinstance(x, Tracer | np.ndarray):
        for each in regions.stack:
            x = each.given.get(id(x), x)
    return x


def owner(x: Any, attribute: str, text: str, ours: bool = True) -> Any:
    """An object of which an attribute is about to be set."""
    if not is_watched():
        return x
    settable = is_settable(x, attribute)
    if region() is not None and not (settable and ours):
        why = f"{type(x).__name__} has code of its own for setting it"
        refuse_here(
            f"the attribute `{attribute}` is set under a condition that is not known while tracing"
            + f", and {why}" * ours,
            "keep it in a variable of the function, or return the new value",
        )
    if is_record(x):
        return touched(x, text)
    if settable:
        touch(Attribute(x, attribute, text))
    return x


def outside(kind: str, name: str, here: Any) -> None:
    """A variable from outside the function is about to be bound."""
    if not regions.states:
        return
    if kind == "nonlocal":
        (cell,) = here.__closure__
        touch(Nonlocal(cell, name))
        return
    if region() is not None:
        refuse_here(
            f"the global `{name}` is set under a condition that is not known while tracing",
            "keep it in a variable of the function, or return the new value",
        )
    touch(Global(here.__globals__, name))


def store_attribute(value: Any, of: Any, attribute: str, index: Any, text: str) -> None:
    """`of.attribute[index] = value`."""
    x = shown(getattr(of, attribute))
    own = owned(x, of, attribute, text, traced_in((value, index)))
    store(value, x if own is None else own, index, f"{text}.{attribute}")


def added(operation: str, x: Any, value: Any, of: Any, attribute: str, text: str) -> Any:
    """What `of.attribute += value` lets the attribute be, which held x."""
    x = shown(x)
    own = owned(x, of, attribute, text, traced_in(value))
    return inplace(operation, x if own is None else own, value, False)


def owned(x: Any, of: Any, attribute: str, text: str, tracer: Any) -> Any:
    """A recording array that takes the place of an attribute; None where x can be written into."""
    here = region()
    if not isinstance(x, Tracer | np.ndarray) or not x.shape or isinstance(x, View):
        return None
    if here is None and (type(x) is not np.ndarray or tracer is None):
        return None
    if isinstance(x, Tracer) and here is not None and x.level >= here.level:
        return None
    if not is_settable(of, attribute) or is_part_or_held(x, of, attribute):
        return None
    owner(of, attribute, text)
    inner = here is not None and (tracer is None or tracer.level < here.level)
    new = here.recorder(x) if inner and here is not None else tracer.constant(x)
    setattr(of, attribute, new)
    return new


def is_part_or_held(x: Any, of: Any, attribute: str) -> bool:
    """Whether anything but an attribute shows an array."""
    setattr(of, attribute, None)
    try:
        if isinstance(x, np.ndarray):
            return sys.getrefcount(x) - ours(x) > _lone or is_part(x)
        return is_held(stands_for([x]))
    finally:
        setattr(of, attribute, x)


def touching(f: Any) -> Any:
    """What is called in place of `f` while places are noted: it may change a container."""
    if f is setattr or f is delattr:
        return lambda x, name, *value: f(owner(x, name, type(x).__name__), name, *value)
    if type(f) is types.BuiltinMethodType and f.__name__ not in KEEPING:
        touched(f.__self__, type(f.__self__).__name__)
    return f


def count(x: Any, depth: int) -> int:
    """How many references there are to an array that functions within each other are given."""
    return count(x, depth - 1) if depth else sys.getrefcount(x)


_lone = count(np.zeros(1), 2)  # what `is_part_or_held` finds where an attribute alone held it
