"""What is called in place of a function whose arguments carry a derivative."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from types import MethodType
from typing import Any

import numpy as np

from ...core.dispatch import Tracer, overrides
from ..capture.calls import replaced
from ..capture.state import unknown

Function = Callable[..., Any]
Finder = Callable[[Any], Function | None]

standing: dict[int, Function] = {}  # by id: the functions live as long as the interpreter
draws = "qiudao.random.standing"  # the module that knows of draws
finders: list[str] = ["qiudao.scipy.standing"]  # modules whose `find(f)` knows of others


def holds_tracer(x: Any) -> bool:
    """Whether a value is a tracer, or a plain container with one in it."""
    if isinstance(x, Tracer):
        return True
    if isinstance(x, list | tuple):
        return any(map(holds_tracer, x))
    if isinstance(x, dict):
        return any(map(holds_tracer, x.values()))
    return isinstance(x, np.ndarray) and x.dtype == object and any(map(holds_tracer, x.flat))


def stands_for(*functions: Any) -> Callable[[Function], Function]:
    """Register what is called in place of these where an argument holds a tracer."""

    def register(ours: Function) -> Function:
        for function in functions:
            standing[id(function)] = guarded(function, ours)
        return ours

    return register


def guarded(
    function: Any, ours: Function, carries: Callable[[Any], bool] = holds_tracer
) -> Function:
    """`ours` where an argument carries a derivative, else `function`."""
    while_tracing = replaced.get(id(function))

    def called(*args: Any, **kwargs: Any) -> Any:
        if not any(map(carries, args)) and not any(map(carries, kwargs.values())):
            return function(*args, **kwargs)
        if while_tracing is not None and any(map(unknown, args)):
            return while_tracing(*args, **kwargs)
        return ours(*args, **kwargs)

    return called


def instead(f: Any) -> Function | None:
    """What is called in place of `f`; None where it is `f` itself."""
    found = standing.get(id(f))
    if found is None:
        found = replaced.get(id(f))
    if found is None and (type(f) is np.ufunc or hasattr(f, "_implementation")):
        found = of_lists(f)
    if found is None:
        owner = getattr(f, "__self__", None)
        if type(owner) is np.ndarray:
            return method_of(owner, f)
        if isinstance(owner, Tracer) and f.__name__ in READ_OUT:
            return functools.partial(READ_OUT[f.__name__], owner)
        if type(owner).__module__ == "numpy.random._generator":
            return draw_of(owner, f)
        module = getattr(f, "__module__", None) or ""
        if module.startswith("scipy"):
            return elsewhere(f)
    return found


def item(x: Any, *index: Any) -> Any:
    """`x.item()`: one element, which stays what it is."""
    if not index:
        if x.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        return np.reshape(x, ())
    place = index[0] if len(index) == 1 else index
    return x[tuple(place)] if isinstance(place, tuple) else np.reshape(x, -1)[place]


def tolist(x: Any) -> Any:
    """`x.tolist()`: nested lists of elements, which stay what they are."""
    return [tolist(x[k]) for k in range(x.shape[0])] if x.shape else x


READ_OUT: dict[str, Function] = {"item": item, "tolist": tolist}


def may_carry(x: Any) -> bool:
    """Whether a tracer may come with an argument: a function may close over one."""
    return callable(x) or holds_tracer(x)


def of_lists(function: Any) -> Function | None:
    """A function that dispatches on tracers, and on lists of them too, which NumPy cannot."""
    rule = overrides.find(function)
    if rule is None:
        return None

    def called(*args: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, list | tuple) and holds_tracer(x) for x in args):
            return rule(*args, **kwargs)
        return function(*args, **kwargs)

    standing[id(function)] = called
    return called


def method_of(array: Any, method: Any) -> Function | None:
    """A method of a plain array as the function of NumPy's of that name, which dispatches."""
    function = getattr(np, method.__name__, None)
    if function is None:
        return None

    def called(*args: Any, **kwargs: Any) -> Any:
        if any(map(holds_tracer, (*args, *kwargs.values()))):
            return function(array, *args, **kwargs)
        return method(*args, **kwargs)

    return called


def draw_of(rng: Any, method: Any) -> Function | None:
    """A method of NumPy's generator as the draw that moves with its parameters."""
    ours = importlib.import_module(draws).METHODS.get(method.__name__)
    if ours is None:
        return None

    def called(*args: Any, **kwargs: Any) -> Any:
        if any(map(holds_tracer, (*args, *kwargs.values()))):
            return ours(rng, *args, **kwargs)
        return method(*args, **kwargs)

    return called


def elsewhere(f: Any) -> Function | None:
    """What the finders know of a function, remembered; None where it is called as it is."""
    for name in finders:
        try:
            finder: Finder = importlib.import_module(name).find
        except ModuleNotFoundError:
            continue
        ours = finder(f)
        if ours is not None:
            found = guarded(f, ours, may_carry)
            if not isinstance(f, MethodType):  # which is made anew for each call
                standing[id(f)] = found
            return found
    return None


def seen(x: Any) -> Any:
    """An operand of `@`; a sparse matrix of SciPy's in a form that sees tensors."""
    if not type(x).__module__.startswith("scipy.sparse"):
        return x
    for name in finders:
        try:
            return importlib.import_module(name).seen(x)
        except ModuleNotFoundError:
            continue
    return x
