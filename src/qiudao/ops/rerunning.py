"""NumPy's own Python code, run once more on tracers: for functions that have no rule here.

A dispatched function of NumPy keeps its undecorated body as `_implementation`.  A copy of that body
whose globals make arrays that keep tracers runs on our primitives.  It is used for the functions of
`MODULES`, and for what a newer NumPy adds; a body that a tracer cannot go through, or a NumPy that
has no `_implementation`, gives the error of a function without a rule.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..core.dispatch import Tracer, makers, overrides
from ..core.errors import DetachError, RuleError
from .likeness import KEEPING, PLAIN
from .making import like
from .refusing import refused_by_module

Function = Callable[..., Any]

MODULES = ("numpy.polynomial.polynomial",)  # of functions that run so: imported by few programs
MAKERS: frozenset[Function] = frozenset((*PLAIN, *KEEPING, np.full))


class _AskedAsArray(type):
    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, np.ndarray | Tracer)


class AnyArray(metaclass=_AskedAsArray):
    """What `np.ndarray` is to a body that asks whether a value is one: a tracer is."""

    def __new__(cls, *args: Any, **options: Any) -> Any:
        """As `np.ndarray`."""
        return np.ndarray(*args, **options)


class Lifted:
    """What a body of NumPy's finds in place of its globals, beside the tracer `beside`."""

    def __init__(self, beside: Tracer) -> None:
        self.beside = beside
        self.spaces: dict[int, dict[str, Any]] = {}

    def function(self, body: types.FunctionType) -> types.FunctionType:
        """A copy of a Python function of NumPy's that keeps tracers."""
        space = self.spaces.get(id(body.__globals__))
        if space is None:
            space = self.spaces[id(body.__globals__)] = dict(body.__globals__)
            for name, value in body.__globals__.items():
                space[name] = self.value(value)
        copied = types.FunctionType(
            body.__code__, space, body.__name__, body.__defaults__, body.__closure__
        )
        copied.__kwdefaults__ = body.__kwdefaults__
        return copied

    def value(self, value: Any) -> Any:
        """What stands for a global: makers and helpers are exchanged, the rest stays."""
        if isinstance(value, types.ModuleType):
            return Module(value, self) if is_numpys(value.__name__) else value
        if value is np.ndarray:
            return AnyArray
        if is_maker(value):
            return lambda *args, **options: makers[value](self.beside, *args, **options)
        is_helper = isinstance(value, types.FunctionType) and not hasattr(value, "_implementation")
        if is_helper and is_numpys(getattr(value, "__module__", "")):
            return lambda *args, **options: self.function(value)(*args, **options)
        return value


class Module:
    """A module of NumPy's as a body sees it."""

    def __init__(self, module: types.ModuleType, lifted: Lifted) -> None:
        self.module = module
        self.lifted = lifted

    def __getattr__(self, name: str) -> Any:
        return self.lifted.value(getattr(self.module, name))


def is_maker(value: Any) -> bool:
    """Whether NumPy's function makes an array without looking for tracers."""
    try:
        return value in MAKERS
    except TypeError:  # no hash
        return False


def is_numpys(name: str | None) -> bool:
    """Whether a module of this name belongs to NumPy."""
    return name is not None and (name == "numpy" or name.startswith("numpy."))


def tracers_in(x: Any) -> Iterator[Tracer]:
    """The tracers among arguments, in lists too."""
    if isinstance(x, Tracer):
        yield x
    elif isinstance(x, list | tuple):
        for each in x:
            yield from tracers_in(each)


def rerunning(function: Function) -> Function | None:
    """`function` as its own code on tracers, or None where NumPy does not show that code."""
    body = getattr(function, "_implementation", None)
    if not isinstance(body, types.FunctionType) or not is_numpys(function.__module__):
        return None

    def run(*args: Any, **options: Any) -> Any:
        found = [*tracers_in(args), *tracers_in(tuple(options.values()))]
        beside = max(found, key=lambda tracer: tracer.level)
        given = (like(beside, x) if is_writable(x) else x for x in args)
        try:
            return Lifted(beside).function(body)(*given, **options)
        except (AttributeError, DetachError) as error:
            raise RuleError(
                f"{function.__module__}.{function.__name__}: qiudao has no rule for this NumPy "
                f"function, and NumPy's own code does not run on tensors: {error}; write it with "
                "functions that have a rule, or give it one with qd.custom_vjp"
            ) from error

    run.__name__ = function.__name__
    run.__doc__ = f"`{function.__module__}.{function.__name__}`, by NumPy's own code."
    return run


def is_writable(x: Any) -> bool:
    """Whether a body may write what carries a gradient into this argument, or a copy of it."""
    return isinstance(x, np.ndarray) and x.dtype.kind in "fc"


def _without_rule(function: Any) -> Function | None:
    if isinstance(function, np.ufunc):
        return None
    return refused_by_module(function) or rerunning(function)


overrides.otherwise = _without_rule
