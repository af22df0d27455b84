"""The arguments of a call: what a program is made for, and what it is called with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ....core.dispatch import Tracer

HOLE = object()
_STATIC = {str, bytes, bool, type(None)}


class OddError(Exception):
    """Why arguments are not of the kinds that a program can be made for."""


class Key:
    """What a program is made for, in an order; integers are apart, and so is the data."""

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self.data: list[Any] = []  # arrays and numbers, integers too
        self.ints: list[int] = []
        self.traced = False  # whether there are tracers

    def add(self, x: Any) -> None:
        """Take in one argument."""
        kind = type(x)
        if kind is np.ndarray:
            self.parts += (x.shape, x.dtype)
            self.data.append(x)
        elif kind is float or kind is complex or isinstance(x, np.generic):
            self.parts.append(kind)
            self.data.append(x)
        elif kind is int:
            self.parts.append(int)
            self.data.append(x)
            self.ints.append(x)
        elif kind in _STATIC:
            self.parts += (kind, x)
        elif kind is tuple or kind is list:
            self.parts += (kind, len(x))
            for each in x:
                self.add(each)
        elif kind is dict:
            self.parts += (dict, len(x), *x)
            for each in x.values():
                self.add(each)
        elif isinstance(x, Tracer):
            self.traced = True
        else:
            raise OddError(f"an argument is of {kind.__name__}")

    def given(self, with_ints: bool) -> list[Any]:
        """The data that a program is called with."""
        if not self.ints:
            return self.data
        if with_ints:
            return [np.int64(x) if type(x) is int else x for x in self.data]
        return [x for x in self.data if type(x) is not int]


def key_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Key:
    """The key of a call."""
    key = Key()
    for x in args:
        key.add(x)
    if kwargs:
        key.add(kwargs)
    return key


def emptied(x: Any, with_ints: bool) -> Any:
    """Arguments without their data, in place of which `HOLE` stands."""
    kind = type(x)
    if kind is tuple or kind is list:
        return kind(emptied(each, with_ints) for each in x)
    if kind is dict:
        return {k: emptied(v, with_ints) for k, v in x.items()}
    return x if kind in _STATIC or (kind is int and not with_ints) else HOLE


def filled(x: Any, data: Iterator[Any]) -> Any:
    """Arguments with data in the holes, from the first to the last."""
    kind = type(x)
    if kind is tuple or kind is list:
        return kind([filled(each, data) for each in x])
    if kind is dict:
        return {k: filled(v, data) for k, v in x.items()}
    return next(data) if x is HOLE else x


def leaves_of(x: Any, is_wanted: Callable[[Any], bool]) -> list[Any]:
    """Those values within tuples, lists and dictionaries."""
    if isinstance(x, tuple | list):
        return [leaf for each in x for leaf in leaves_of(each, is_wanted)]
    if isinstance(x, dict):
        return leaves_of(list(x.values()), is_wanted)
    return [x] if is_wanted(x) else []
