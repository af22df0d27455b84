"""Hooks around the rule of an operation: `y.grad_fn.register_prehook` and `register_hook`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.arriving import lasting
from ..core.avals import Value
from ..core.complexes import check_real, conjugated
from ..core.dispatch import Tracer, snapshot
from ..core.errors import GradientError, ShapeError
from ..core.modes import tape_level
from ..core.node import Equation, Leaf, Node
from .hooks import Handle, check_callable
from .tensor import Tensor

Hook = Callable[..., Any]


def register_prehook(self: Node, hook: Hook) -> Handle:
    """Call `hook(grad_outputs)`, a tuple with the cotangent of each result, before the rule of this
    operation runs; a tuple that it returns replaces them.  Returns a handle with `remove()`.
    """
    refuse_leaf(self, "register_prehook")
    check_callable("register_prehook", hook, "a tuple of cotangents")

    def before(cts: tuple[Value, ...]) -> tuple[Value, ...]:
        answer = hook(shown(cts))
        if answer is None:
            return cts
        found = taken(answer, cts, "register_prehook", hook)
        pairs = zip(found, cts, strict=True)
        return tuple(np.zeros_like(old) if new is None is not old else new for new, old in pairs)

    return attach(self.noted().before, before)


def register_hook(self: Node, hook: Hook) -> Handle:
    """Call `hook(grad_inputs, grad_outputs)` after the rule of this operation has run; a tuple that
    it returns replaces `grad_inputs`, which has None for constants.  Returns a handle with
    `remove()`.
    """
    refuse_leaf(self, "register_hook")
    check_callable("register_hook", hook, "two tuples, of gradients and of cotangents")

    def after(grads: tuple[Value, ...], cts: tuple[Value, ...]) -> tuple[Value, ...]:
        answer = hook(shown(grads), shown(cts))
        return grads if answer is None else taken(answer, grads, "register_hook", hook)

    return attach(self.noted().after, after)


def attach(hooks: dict[int, Any], hook: Hook) -> Handle:
    """Put a hook behind those that are there."""
    handle = Handle(hooks)
    hooks[handle.key] = hook
    return handle


def refuse_leaf(node: Node, name: str) -> None:
    """Refuse a node that no operation made."""
    if not isinstance(node, Equation):
        kind = "leaf" if isinstance(node, Leaf) else "value"
        raise GradientError(
            f"{name}: this {kind} was made by no operation, so no rule runs for it; use the "
            "tensor's register_hook or register_post_accumulate_grad_hook"
        )


def shown(cts: tuple[Value | None, ...]) -> tuple[Any, ...]:
    """Cotangents as the user sees them."""
    level = tape_level()

    def one(ct: Value | None) -> Any:
        if ct is None:
            return None
        gradient = snapshot(conjugated(ct))
        return gradient if isinstance(gradient, Tracer) else Tensor.make(gradient, None, level)

    return tuple(map(one, cts))


def taken(answer: Any, cts: tuple[Value, ...], name: str, hook: Hook) -> tuple[Value, ...]:
    """The user's answer as cotangents, checked."""
    found = tuple(map(plain, answer if isinstance(answer, tuple | list) else (answer,)))
    label = getattr(hook, "__name__", repr(hook))
    if len(found) != len(cts):
        raise GradientError(
            f"{name}: the hook {label} returned {len(found)} gradients for {len(cts)}; return a "
            "tuple of as many, or None to leave them as they are"
        )
    for new, old in zip(found, cts, strict=True):
        if new is None or old is None:
            continue
        if np.shape(new) != np.shape(old):
            raise ShapeError(
                f"{name}: the hook {label} returned shape {np.shape(new)} for a gradient of shape "
                f"{np.shape(old)}; both must be equal"
            )
        check_real(f"{name}: what the hook {label} returned", new, old)
    return found


def plain(x: Any) -> Any:
    """A gradient as the sweep has it."""
    if x is None:
        return None
    return conjugated(x.value if isinstance(x, Tensor) and x.node is None else lasting(x))
