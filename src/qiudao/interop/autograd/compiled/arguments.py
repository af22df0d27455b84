"""The arguments of a call: what a program is made for, and what it is called with."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ....core.dispatch import Tracer

HOLE = object()
_STATIC = {str, bytes, bool, type(None)}


class OddError(Exception):
    """Why arguments are not of the kinds that a program can be made for."""


class Form(NamedTuple):
    """Which arguments are data to a program, beside floats and complex numbers."""

    ints: bool = False  # Python's integers, which are static otherwise
    held: bool = False  # whether the arrays that are not differentiated by are static

    def has(self, x: Any, is_chosen: bool) -> bool:
        """Whether an argument that is not static by its type is data."""
        if type(x) is int:
            return self.ints
        return is_chosen or not self.held or type(x) is not np.ndarray


class Key:
    """The arguments of a call that differentiates by those of the numbers `chosen`.

    What a program is made for is apart from the data, and from integers, which may be either.
    """

    def __init__(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], chosen: frozenset[int]
    ) -> None:
        self.args = args
        self.kwargs = kwargs
        self.marks = [n in chosen or n - len(args) in chosen for n in range(len(args))]
        self.parts: list[Any] = []
        self.data: list[Any] = []  # arrays and numbers, integers too
        self.chosen: list[bool] = []  # whether each is within an argument to differentiate by
        self.ints: list[int] = []
        self.traced = False  # whether there are tracers
        for x, is_chosen in zip(args, self.marks):
            self.add(x, is_chosen)
        if kwargs:
            self.add(kwargs, False)

    def add(self, x: Any, is_chosen: bool) -> None:
        """Take in one argument."""
        kind = type(x)
        if kind is np.ndarray:
            self.parts += (x.shape, x.dtype)
            self.data.append(x)
            self.chosen.append(is_chosen)
        elif kind is float or kind is complex or kind is int or isinstance(x, np.generic):
            self.parts.append(kind)
            self.data.append(x)
            self.chosen.append(is_chosen)
            if kind is int:
                self.ints.append(x)
        elif kind in _STATIC:
            self.parts += (kind, x)
        elif kind is tuple or kind is list:
            self.parts += (kind, len(x))
            for each in x:
                self.add(each, is_chosen)
        elif kind is dict:
            self.parts += (dict, len(x), *x)
            for each in x.values():
                self.add(each, is_chosen)
        elif isinstance(x, Tracer):
            self.traced = True
        else:
            raise OddError(f"an argument is of {kind.__name__}")

    def given(self, form: Form) -> list[Any]:
        """The data that a program of this form is called with."""
        if not self.ints and not form.held:
            return self.data
        pairs = zip(self.data, self.chosen)
        return [np.int64(x) if type(x) is int else x for x, c in pairs if form.has(x, c)]

    def emptied(self, form: Form) -> Any:
        """The positional and the named arguments without what is data in this form."""
        args = [emptied(x, form, c) for x, c in zip(self.args, self.marks)]
        return args, emptied(self.kwargs, form, False)

    def held(self) -> tuple[bytes, ...]:
        """The contents of the arrays that are not differentiated by."""
        pairs = zip(self.data, self.chosen)
        return tuple(x.tobytes() for x, c in pairs if type(x) is np.ndarray and not c)


def emptied(x: Any, form: Form, is_chosen: bool) -> Any:
    """An argument without its data, in place of which `HOLE` stands."""
    kind = type(x)
    if kind is tuple or kind is list:
        return kind([emptied(each, form, is_chosen) for each in x])
    if kind is dict:
        return {k: emptied(v, form, is_chosen) for k, v in x.items()}
    if kind in _STATIC:
        return x
    return HOLE if form.has(x, is_chosen) else copy.copy(x)


def filled(x: Any, data: Iterator[Any]) -> Any:
    """Arguments with data in the holes, from the first to the last."""
    kind = type(x)
    if kind is tuple or kind is list:
        return kind([filled(each, data) for each in x])
    if kind is dict:
        return {k: filled(v, data) for k, v in x.items()}
    return next(data) if x is HOLE else x
