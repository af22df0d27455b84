"""What stands for a value while a function is differentiated, under HIPS autograd's names."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ...core.dispatch import Tracer
from .registered import plain, primitive, rules_of

__all__ = ["Box", "Node", "getval", "isbox", "notrace_primitive", "primitive", "register_notrace"]

Box = Tracer


class Node:
    """The kinds of node that `register_notrace` names: `VJPNode` and `JVPNode`."""


def isbox(x: Any) -> bool:
    """Whether a value stands for one that is being differentiated."""
    return isinstance(x, Box)


def getval(x: Any) -> Any:
    """The plain value, without any derivative; within containers too.

    >>> from qiudao.interop.autograd.tracer import getval
    >>> float(qd.grad(lambda x: x * getval(x))(3.0))
    3.0
    """
    return plain(x)


def notrace_primitive(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` on plain values: its result is a constant for every derivative."""

    @functools.wraps(f)
    def constant(*args: Any, **kwargs: Any) -> Any:
        return f(*map(plain, args), **kwargs)

    return constant


def register_notrace(trace_type: type[Node], primitive_fun: Callable[..., Any]) -> None:
    """Make a function that `primitive` made a constant for derivatives, of both modes."""
    rules_of(primitive_fun, "register_notrace").constant = True
