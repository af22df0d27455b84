"""Hooks on tensors, and the handles that remove them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.arriving import lasting
from ..core.avals import Aval, Value
from ..core.complexes import check_real, conjugated
from ..core.dispatch import Tracer, snapshot
from ..core.errors import GradientError, ShapeError
from ..core.node import Leaf

if TYPE_CHECKING:
    from .tensor import Tensor

_keys = itertools.count()


class Handle:
    """Removes a hook: by `remove()`, or at the end of a `with` block."""

    __slots__ = ("_tables", "key")

    def __init__(self, *tables: dict[int, Any]) -> None:
        self._tables = tables
        self.key = next(_keys)

    def remove(self) -> None:
        """Remove the hook; harmless when called again."""
        for table in self._tables:
            table.pop(self.key, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def add_hook(tensor: Tensor, hook: Callable[[Any], Any], *, post: bool) -> Handle:
    """Attach a hook to the value that `tensor` names now."""
    node = tensor.node
    check_callable("register_hook", hook, "the tensor" if post else "the gradient")
    if node is None:
        raise GradientError(
            "register_hook: this tensor does not require grad, so no gradient ever passes it; "
            "call requires_grad_() first"
        )
    if post and not isinstance(node, Leaf):
        raise GradientError(
            "register_post_accumulate_grad_hook: this tensor was computed, and only a leaf "
            "accumulates; use register_hook"
        )
    notes = node.noted()
    hooks = notes.post_hooks if post else notes.hooks
    handle = Handle(hooks)
    hooks[handle.key] = hook if post else guarded(hook, tensor)
    if post:
        notes.owner = tensor
    return handle


def check_callable(name: str, hook: Any, taken: str) -> None:
    """Refuse a hook that cannot be called, where it is registered."""
    if not callable(hook):
        raise GradientError(
            f"{name}: {type(hook).__name__} {hook!r} is no function; give one that takes {taken}"
        )


def called(hook: Callable[[Any], Any]) -> str:
    """What messages call a hook."""
    return str(getattr(hook, "__name__", hook))


def guarded(hook: Callable[[Any], Any], tensor: Tensor) -> Callable[[Value], Value]:
    """A hook as the sweep calls it: on an inner cotangent, with its answer checked."""
    # Not `tensor.spawn`: the node has the hook, and would have its tensor, which has the node.
    make, shape, level = type(tensor).make, tensor.shape, tensor.level
    own = Aval(shape, tensor.dtype)

    def is_ours(x: Any) -> bool:
        return isinstance(x, Tracer) and x.level == level

    def on_cotangent(ct: Value) -> Value:
        recorded = is_ours(ct)  # the sweep itself is recorded: create_graph
        gradient = conjugated(ct)
        answer = hook(snapshot(gradient) if recorded else make(gradient, None, level))
        if answer is None:
            return ct
        if np.shape(answer) != shape:
            raise ShapeError(
                f"register_hook: the hook {called(hook)} returned shape "
                f"{np.shape(answer)} for a gradient of shape {shape}; both must be equal"
            )
        answer = answer.value if is_ours(answer) and not recorded else lasting(answer)
        check_real(f"register_hook: what the hook {called(hook)} returned", answer, own)
        return conjugated(answer)

    return on_cotangent
