"""How a distribution's functions choose between SciPy and their formula."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ...registered import holds_tracer

Function = Callable[..., Any]
HALF_LOG_TAU = 0.9189385332046727  # log(2 pi) / 2


def by_formula(plain: Function) -> Callable[[Function], Function]:
    """SciPy's function on plain values, and the decorated formula on traced ones."""

    def decorate(formula: Function) -> Function:
        @functools.wraps(formula)
        def chosen(*args: Any, **kwargs: Any) -> Any:
            if holds_tracer(args) or holds_tracer(kwargs):
                return formula(*args, **kwargs)
            return plain(*args, **kwargs)

        return chosen

    return decorate


def within(inside: Any, density: Any) -> Any:
    """A log-density where its variable is in the support, and -inf elsewhere."""
    return np.where(inside, density, -np.inf)
