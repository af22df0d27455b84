"""Hooks on tensors, and the handles that remove them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.avals import Value
from ..core.errors import GradientError, ShapeError
from ..core.node import Leaf

if TYPE_CHECKING:
    from .tensor import Tensor

_keys = itertools.count()


class Handle:
    """Removes a hook."""

    __slots__ = ("_hooks", "_key")

    def __init__(self, hooks: dict[int, Any], key: int) -> None:
        self._hooks = hooks
        self._key = key

    def remove(self) -> None:
        """Remove the hook; harmless when called again."""
        self._hooks.pop(self._key, None)


def add_hook(tensor: Tensor, hook: Callable[[Any], Any], *, post: bool) -> Handle:
    """Attach a hook to the value that `tensor` names now."""
    node = tensor.node
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
    key = next(_keys)
    make = tensor.spawn
    shape = tensor.shape

    def on_cotangent(ct: Value) -> Value:
        """Show the hook a gradient of the same kind as the tensor, and check what it returns."""
        held = ct if isinstance(ct, type(tensor)) else make(np.conj(ct), None, None)
        answer = hook(np.conj(ct) if held is ct else held)
        if answer is None:
            return ct
        if np.shape(answer) != shape:
            name = getattr(hook, "__name__", repr(hook))
            raise ShapeError(
                f"register_hook: the hook {name} returned shape {np.shape(answer)} for a "
                f"gradient of shape {shape}; both must be equal"
            )
        plain = answer.value if not isinstance(ct, type(tensor)) and hasattr(answer, "value") else answer
        return np.conj(plain)

    hooks[key] = hook if post else on_cotangent
    return Handle(hooks, key)
