"""`torch.autograd.function`."""

import functools
from collections.abc import Callable
from typing import Any

import qiudao as qd

from ...core.dispatch import Tracer
from ...core.errors import GradientError
from ...core.slot import Slot
from ...core.trees import flatten, map_tree

__all__ = ["Function", "once_differentiable"]

Function = qd.Function


class Once(qd.Function):
    """A gradient that depends on more than its rule tells."""

    @staticmethod
    def forward(ctx: Any, gradient: Any, *sources: Any) -> Any:
        return gradient

    @staticmethod
    def backward(ctx: Any, ct: Any) -> Any:
        raise GradientError(
            "once_differentiable: this gradient is to be differentiated again, and the rule that "
            "gave it is marked as one that cannot be; write the rule in NumPy's functions, from "
            "what was saved, and leave the mark out"
        )


def once_differentiable(rule: Callable[..., Any]) -> Callable[..., Any]:
    """`backward` of a `Function` run without recording; second derivatives through it raise
    `GradientError`, by the cotangents and by what was saved (torch raises by the former only).
    """

    @functools.wraps(rule)
    def once(ctx: Any, *cts: Any) -> Any:
        with qd.no_grad():
            found = rule(ctx, *cts)
        given = flatten([cts, ctx.saved_tensors])[0]
        sources = [
            x for x in given if isinstance(x, Tracer) and not isinstance(x, Slot) and x.carries()
        ]
        return map_tree(lambda g: Once.apply(g, *sources), found) if sources else found

    return once
