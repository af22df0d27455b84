"""`qd.trace`: the program that a function is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.avals import aval_of
from ..core.program import Program
from ..core.trees import flatten
from ..transforms import control as control  # gives loops their derivatives
from ..transforms.trace import traced


def trace(f: Callable[..., Any]) -> Callable[..., Program]:
    """A function that shows what `f` does: called like `f`, it gives the `Program` that `f` runs.

    Nothing is computed; only the shapes and dtypes of the arguments count.  Every array or number
    among the arguments becomes an input.

    >>> trace(lambda x: np.sum(x**2))(np.ones(3))
    program(a: f64[3])
        b: f64[3] = power a 2
        c: f64[] = sum(axes=(-1,), keepdims=False) b
        return c
    """

    def show(*args: Any, **kwargs: Any) -> Program:
        leaves, tree = flatten((args, kwargs))
        avals = [aval_of(x if hasattr(x, "dtype") else np.asarray(x)) for x in leaves]
        return traced(f, avals, tree.build).program

    return show
