"""`paddle.incubate.autograd`."""

from types import SimpleNamespace
from typing import Any

import qiudao as qd

from .gradients import listed


def _vjp(func: Any, xs: Any, v: Any = None) -> tuple[Any, Any]:
    """The value of `func` and the cotangents of `xs`; `v` left out is all ones."""
    value, pullback = qd.vjp(func, *listed(xs))
    found = pullback(value * 0 + 1 if v is None else v)
    return value, found if isinstance(xs, tuple | list) else found[0]


def _jvp(func: Any, xs: Any, v: Any = None) -> tuple[Any, Any]:
    """The value of `func` and its change in the direction `v`, left out all ones."""
    primals = tuple(listed(xs))
    directions = tuple(x * 0 + 1 for x in primals) if v is None else tuple(listed(v))
    value, change = qd.jvp(func, primals, directions)
    return value, change


autograd = SimpleNamespace(jvp=_jvp, vjp=_vjp)
