"""One backward sweep over paddle's graph, by whichever of paddle's two entries can be used."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Any

import paddle
from paddle import Tensor

from ...core.errors import GradientError, RuleError
from .nested import is_sweeping, kept_grads, swept_inside
from .places import node_of, place, reaches

_engine = (
    threading.Lock()
)  # held while a `paddle.grad` of ours runs: paddle has one for all threads


def swept(
    outs: Sequence[Tensor],
    ins: Sequence[Tensor],
    cts: Sequence[Tensor | None],
    create_graph: bool,
    constants: Sequence[Tensor],
) -> list[Tensor | None]:
    """The gradient of each input, None where nothing arrives."""
    starts, seeds = start(outs, ins, cts)
    targets: dict[Any, Tensor] = {}
    for x in ins:
        if node_of(x) is not None:
            targets.setdefault(place(x), x)
    if not starts or not targets:
        return [None] * len(ins)
    wanted = list(targets.values())
    if not _engine.acquire(blocking=False):
        found = swept_inside(starts, wanted, seeds, create_graph, constants)
    else:
        try:
            run = swept_inside if is_sweeping() else swept_alone
            found = run(starts, wanted, seeds, create_graph, constants)
        finally:
            _engine.release()
    if create_graph:
        found = [None if g is None else linked(g, x) for g, x in zip(found, wanted, strict=True)]
    by_input = dict(zip(targets, found, strict=True))
    return [by_input.get(place(x)) for x in ins]


def swept_alone(
    starts: list[Tensor],
    wanted: list[Tensor],
    seeds: list[Tensor],
    create_graph: bool,
    constants: Sequence[Tensor],
) -> list[Tensor | None]:
    """The sweep by `paddle.grad`."""
    try:
        found: list[Tensor | None] = paddle.grad(
            starts,
            wanted,
            seeds,
            retain_graph=True,
            create_graph=create_graph,
            allow_unused=True,
            no_grad_vars=list(constants) or None,
        )
    except (RuntimeError, OSError) as error:
        raise explained(error) from error
    return found


def start(
    outs: Sequence[Tensor], ins: Sequence[Tensor], cts: Sequence[Tensor | None]
) -> tuple[list[Tensor], list[Tensor]]:
    """The outputs that have a graph, each a tensor of its own, and their cotangents.

    paddle refuses a tensor that stands twice among the outputs, or there and among the inputs; a
    copy of it is another tensor with the same gradient.
    """
    starts, seeds = [], []
    met = {place(x) for x in ins}
    with paddle.enable_grad():
        for y, ct in zip(outs, cts, strict=True):
            if y.stop_gradient:
                continue
            starts.append(paddle.assign(y) if place(y) in met else y)
            seeds.append(paddle.ones_like(y) if ct is None else ct.astype(y.dtype))
            met.add(place(y))
    return starts, seeds


class Zero(paddle.autograd.PyLayer):  # type: ignore[misc]
    """Zeros that depend on a tensor, with derivative zero."""

    @staticmethod
    def forward(ctx, x):  # type: ignore[no-untyped-def]
        return paddle.zeros_like(x)

    @staticmethod
    def backward(ctx, ct):  # type: ignore[no-untyped-def]
        return Zero.apply(ct)


def linked(gradient: Tensor, x: Tensor) -> Tensor:
    """A gradient in whose graph `x` is, so that a constant one has the derivative zero."""
    if node_of(gradient) is not None and reaches([node_of(gradient)], node_of(x)):
        return gradient
    with paddle.enable_grad():
        return gradient + Zero.apply(x)


def add_to_others(
    outs: Sequence[Tensor],
    ins: Sequence[Tensor],
    cts: Sequence[Tensor | None],
    constants: Sequence[Tensor],
) -> None:
    """Add the gradients of the leaves that are no inputs to their `.grad`."""
    starts, seeds = start(outs, ins, cts)
    with kept_grads([*ins, *constants]):
        if starts:
            paddle.autograd.backward(starts, seeds, retain_graph=True)


NO_RULE = re.compile(r"The Op (\w+?)(_double|_triple)?(_grad)? doesn't have any grad op")


def explained(error: Exception) -> Exception:
    """Paddle's error as one that says what to do."""
    missing = NO_RULE.search(str(error))
    if missing:
        return RuleError(
            f"grad: paddle has no derivative of this order of {missing.group(1)}; compute what is "
            "differentiated inside `with differentiable():`, where our rules stand in for paddle's"
        )
    return GradientError(f"grad: paddle could not sweep back: {str(error).strip()}")
