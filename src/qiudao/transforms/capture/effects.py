"""What code may do beside binding its variables, as far as its text and its calls can tell.

A loop is tried as a structured one only where its step may be run any number of times without being
noticed.  The text of the step, and of the user's functions that it calls, is checked by `is_plain`;
what they call, when it is called, by `check_call`.
"""

from __future__ import annotations

import ast
import math
import types
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ...core.dispatch import Tracer, overrides
from ...core.source import PACKAGE
from .calls import replaced
from .courses import is_used_up
from .nodes import below
from .outcomes import end_trial
from .owners import is_foreign
from .scopes import arguments, augmented, written
from .source import Function
from .state import regions

ACTS = (
    ast.With, ast.AsyncWith, ast.AsyncFor, ast.AsyncFunctionDef, ast.Try, ast.TryStar,
    ast.Import, ast.ImportFrom, ast.Delete, ast.Global, ast.Nonlocal, ast.Yield,
    ast.YieldFrom, ast.Await, ast.Assert, ast.ClassDef, ast.GeneratorExp
)  # fmt: skip
TRANSFORMS = PACKAGE + "transforms"
PURE = {
    bool, int, float, complex, abs, min, max, len, divmod, pow, round, isinstance, slice, callable,
    range, np.zeros, np.ones, np.empty, np.full, np.eye, np.identity, np.arange, np.linspace,
    np.array, np.asarray, np.zeros_like, np.ones_like, np.empty_like, np.full_like, np.shape,
    np.ndim, np.size, np.result_type, np.dtype, np.finfo, np.iinfo,
}  # fmt: skip
PASSING = (enumerate, zip, list, tuple, sum, reversed, sorted)  # these go through what they get
METHODS = {
    "sum", "mean", "prod", "max", "min", "argmax", "argmin", "reshape", "ravel", "flatten",
    "transpose", "copy", "astype", "dot", "cumsum", "cumprod", "conj", "conjugate", "squeeze",
    "swapaxes", "take", "diagonal", "trace", "clip", "round", "std", "var", "any", "all",
    "repeat", "item", "tolist",
}  # fmt: skip


def is_plain(nodes: Iterable[ast.AST]) -> bool:
    """Whether statements do no more than compute and bind variables, as far as can be read."""
    for top in nodes:
        for node in below(top):
            match node:
                case ast.Attribute(ctx=ast.Store()) | ast.keyword(arg="out"):
                    return False
                case _ if isinstance(node, ACTS):
                    return False
    return True


def appended(nodes: Sequence[ast.AST]) -> set[str]:
    """The lists that these nodes append to, and do nothing else with."""
    calls = [
        n.func.value.id for top in nodes for n in below(top)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)
        and n.func.attr == "append" and isinstance(n.func.value, ast.Name)
    ]  # fmt: skip
    found = [n.id for top in nodes for n in below(top) if isinstance(n, ast.Name)]
    return {name for name in calls if found.count(name) == calls.count(name)}


def is_plain_function(node: Function) -> bool:
    """Whether a function does no more than compute: what it is given, it does not write into."""
    body = node.body if isinstance(node.body, list) else [node.body]
    given = set(arguments(node))
    return is_plain(body) and not given & (written(body) | augmented(body))


def check_call(f: Any) -> Any:
    """What a step calls, where that is known to have no effect; else the trial ends here."""
    function = getattr(f, "__func__", f)
    if type(function) is types.FunctionType:
        if isinstance(getattr(f, "__self__", None), Tracer):
            if f.__name__ in METHODS:
                return f
        elif not is_foreign(function):
            return f  # the user's: its text is checked where it is captured
        elif function is f and f.__code__.co_filename.startswith(TRANSFORMS):
            return f
    if is_pure(f):
        return f
    if type(f) is types.BuiltinMethodType and f.__name__ == "append":
        noted = regions.appended.get(id(f.__self__))
        if noted is not None:
            return noted.append
    if f in PASSING:
        return going_through(f)
    return end_trial(f"{getattr(f, '__name__', f)} may do more than compute")


def is_pure(f: Any) -> bool:
    """Whether a function of NumPy's or Python's only computes."""
    if isinstance(f, np.ufunc) or (isinstance(f, type) and issubclass(f, np.generic)):
        return True
    if isinstance(f, types.BuiltinMethodType) and isinstance(f.__self__, np.ndarray | np.generic):
        return f.__name__ in METHODS
    try:
        if f in PURE or getattr(math, getattr(f, "__name__", ""), None) is f:
            return True
    except TypeError:  # not hashable
        return False
    writes = getattr(f, "__name__", "") in ("copyto", "put", "place", "putmask", "fill_diagonal")
    numpys = (getattr(f, "__module__", None) or "").startswith("numpy")
    return numpys and not writes and overrides.find(f) is not None


def going_through(f: Any) -> Callable[..., Any]:
    """A function that goes through its arguments, given no iterator: that would be used up."""
    found = replaced.get(id(f), f)

    def called(*args: Any, **kwargs: Any) -> Any:
        if kwargs or any(map(is_used_up, args)):
            end_trial(f"{f.__name__} may use up an iterator")
        return found(*args)

    return called
