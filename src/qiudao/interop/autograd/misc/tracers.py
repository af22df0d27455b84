"""`const_graph`, which `qd.jit` does better."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

__all__ = ["const_graph"]


def const_graph(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
    """`fun` with its first arguments given.

    Where HIPS autograd replays the graph of the first call, this calls the function again, so a
    branch that goes another way is right.  `qd.jit` compiles it instead.
    """
    return partial(fun, *args, **kwargs)
