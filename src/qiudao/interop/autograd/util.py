"""Small things that users of `autograd.util` import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .test_util import check_grads
from .wrap_util import subvals

__all__ = ["func", "quick_grad_check", "subval", "subvals"]


def subval(x: Sequence[Any], i: int, v: Any) -> tuple[Any, ...]:
    """`x` as a tuple, with entry `i` replaced by `v`."""
    return subvals(x, [(i, v)])


def func(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself, which older Pythons wrapped."""
    return f


def quick_grad_check(
    fun: Callable[..., Any], arg0: Any, extra_args: Sequence[Any] = (), kwargs: Any = None
) -> None:
    """Compare the gradient in the first argument with differences; `check_grads` does more."""
    named = kwargs or {}
    check_grads(lambda x: fun(x, *extra_args, **named), modes=["rev"], order=1)(arg0)
