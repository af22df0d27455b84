"""`qd.lift`: a function of plain NumPy and Python, differentiable as it is."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from types import FunctionType
from typing import Any

import numpy as np

from ...core.errors import GradientError
from ..capture.function import Capture
from ..capture.owners import is_foreign
from . import memory, numbers  # noqa: F401  # they fill the table
from .arrays import Vectorized
from .indexing import getitem
from .standing import instead, seen


class Lifting(Capture):
    """Functions rewritten so that derivatives pass where NumPy does not dispatch."""

    def __init__(self, is_left: Callable[[FunctionType], bool]) -> None:
        super().__init__(instead, is_left)
        self.runtime.cell_contents.getitem = getitem
        self.runtime.cell_contents.seen = seen

    def call(self, f: Any) -> Any:
        if isinstance(f, np.vectorize) and not isinstance(f, Vectorized):
            return Vectorized(self(f.pyfunc), f.otypes, excluded=f.excluded, signature=f.signature)
        return super().call(f)


@functools.cache
def capture_of(modules: frozenset[str] | None) -> Capture:
    """The way of rewriting functions of these modules."""

    def is_left(f: FunctionType) -> bool:
        top = (getattr(f, "__module__", None) or "").partition(".")[0]
        return is_foreign(f) or (modules is not None and top not in modules)

    return Lifting(is_left)


def lift(
    f: Callable[..., Any] | None = None, *, modules: Collection[str] | str | None = None
) -> Any:
    """`f`, in which code that NumPy cannot dispatch carries derivatives too.

    Within `f`, and the functions that it calls, these work unchanged: filling an array made by
    `np.zeros`, `np.empty` or `np.ones`; `np.array([a, b])`, `np.full`, `np.r_`, `np.vectorize`;
    `math.sin` and the rest of `math`; `float(x)`; methods of plain arrays (`n.dot(x)`); `S @ x` of
    sparse matrices; and plain SciPy where `qd.scipy` has the function, however it was imported.
    Globals, closures, methods, and defaults are those of `f`; nothing outside is changed.

    It reaches functions with source, but for the standard library's, NumPy's and SciPy's own, and
    generators; `modules` narrows it to those of these top-level modules.  What it does not reach
    runs as ever, and raises where a derivative would be lost.  A decorator too, and the same as
    `qd.grad(f, numpy="lift")`.

    >>> import math
    >>> @lift
    ... def f(x):
    ...     B = np.zeros((2, 2))
    ...     B[0, 0], B[1, 1] = x, math.exp(x)
    ...     return np.linalg.det(np.array([[B[0, 0], 1.0], [0.0, B[1, 1]]]))
    >>> qd.grad(f)(1.0)
    np.float64(5.43656365691809)
    """
    if f is None:
        return functools.partial(lift, modules=modules)
    names = (modules,) if isinstance(modules, str) else modules
    capture = capture_of(None if names is None else frozenset(names))
    if not callable(f):
        raise GradientError(
            f"lift: {type(f).__name__} {f!r} is no function; pass the function that computes with "
            "NumPy"
        )
    function = f

    @functools.wraps(function, updated=())
    def lifted(*args: Any, **kwargs: Any) -> Any:
        return capture(function)(*args, **kwargs)

    return lifted
