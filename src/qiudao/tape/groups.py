"""Hooks on several tensors together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..core.avals import Value
from ..core.complexes import conjugated
from ..core.dispatch import snapshot
from ..core.errors import GradientError
from ..core.modes import TAPE
from ..core.node import Node
from .hooks import Handle, check_callable
from .tensor import Tensor


class Tensors:
    """Tensors whose gradients a hook waits for."""

    def __init__(
        self, nodes: list[Node], level: float, hook: Callable[..., Any], any_of_them: bool
    ) -> None:
        self.nodes = nodes
        self.level = level
        self.hook = hook
        self.any_of_them = any_of_them

    def shown(self, ct: Value | None) -> Any:
        """A cotangent as the user sees it."""
        if ct is None:
            return None
        gradient = snapshot(conjugated(ct))
        mine = isinstance(gradient, Tensor) and gradient.level == self.level
        return gradient if mine else Tensor.make(gradient, None, self.level)

    def arrived(self, cts: dict[Node, Value]) -> None:
        if self.any_of_them and len(cts) == 1:
            (ct,) = cts.values()
            self.hook(self.shown(ct))

    def finished(self, cts: dict[Node, Value]) -> None:
        if not self.any_of_them:
            self.hook([self.shown(cts.get(n)) for n in self.nodes])


def register_multi_grad_hook(
    tensors: Iterable[Any], hook: Callable[..., Any], *, mode: str = "all"
) -> Handle:
    """Call `hook` once in every sweep that comes to one or more of these tensors.

    `mode="all"`: `hook(gradients)` when the sweep is over and before anything is added to `.grad`,
    with None for a tensor that it did not come to.  `mode="any"`: `hook(gradient)`, with the first
    to arrive.  What the hook returns is ignored.  Returns a handle with `remove()`; raises
    `GradientError` for a tensor that does not require grad, or another mode.

    >>> x, y = qd.tensor(2.0, requires_grad=True), qd.tensor(3.0, requires_grad=True)
    >>> handle = qd.graph.register_multi_grad_hook([x, y], print)
    >>> (x * y).backward()
    [tensor(3.), tensor(2.)]
    """
    if mode not in ("all", "any"):
        raise GradientError(
            f"register_multi_grad_hook: mode={mode!r} is unknown; use 'all' or 'any'"
        )
    taken = "the first gradient" if mode == "any" else "a list of gradients"
    check_callable("register_multi_grad_hook", hook, taken)
    nodes: list[Node] = []
    level = TAPE
    for k, t in enumerate(tensors):
        if not isinstance(t, Tensor) or t.node is None:
            raise GradientError(
                f"register_multi_grad_hook: tensors[{k}] does not require grad, so no gradient "
                "ever passes it; leave it out, or call requires_grad_() first"
            )
        nodes.append(t.node)
        level = t.level
    if not nodes:
        raise GradientError("register_multi_grad_hook: no tensors were given; give one or more")
    group = Tensors(nodes, level, hook, mode == "any")
    tables = [node.noted().groups for node in nodes]
    handle = Handle(*tables)
    for table in tables:
        table[handle.key] = group
    return handle
