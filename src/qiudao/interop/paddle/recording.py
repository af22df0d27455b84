"""`differentiable`: inside it paddle's operations get our rules, and so derivatives of every order.

paddle's Python functions look each operation up in `paddle._C_ops` when they are called, and
operators in the class of tensors.  Inside the context stand-ins are found there; they compute by
paddle and put one node of ours into the graph in place of paddle's.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import paddle
from paddle import Tensor, _C_ops

from ...core.trees import flatten
from .carried import carry
from .rules import RULES

NOT_OURS = {"out", "name"}  # keywords that are no part of the mathematics
OPERATORS = {
    "__pow__": lambda x, y: x**y,
    "__rpow__": lambda x, y: y**x,
    "__truediv__": lambda x, y: x / y,
    "__rtruediv__": lambda x, y: y / x,
}
_lock = threading.Lock()
_kept: list[list[tuple[Any, str, Any]]] = []  # what stood there, while any context is open
_open = 0


@contextlib.contextmanager
def differentiable() -> Iterator[None]:
    """Within it, what paddle computes has derivatives of every order, by our rules.

    It is needed where the *forward* computation runs: the graph keeps what it was made of.  Values
    are paddle's; at kinks derivatives follow our conventions.  The stand-ins are seen by every
    thread, and run on the CPU.  `RULES` in `qiudao.interop.paddle.rules` lists the operations;
    others keep paddle's own rules.

    >>> x = paddle.to_tensor([0.0, 1.0], dtype="float64", stop_gradient=False)
    >>> with differentiable():
    ...     y = paddle.nn.functional.softmax(x)[0]
    >>> (first,) = paddle.grad(y, x, create_graph=True)
    >>> [round(v, 4) for v in paddle.grad(first[0], x)[0].tolist()]
    [0.0909, -0.0909]
    """
    enter()
    try:
        yield
    finally:
        leave()


def enter() -> None:
    """Put the stand-ins in place, if no other context has."""
    global _open
    with _lock:
        _open += 1
        if _open > 1:
            return
        places = [(_C_ops, name, rule) for name, rule in RULES.items() if hasattr(_C_ops, name)]
        places += [(Tensor, name, rule) for name, rule in OPERATORS.items()]
        _kept.append([(where, name, getattr(where, name)) for where, name, _ in places])
        for where, name, rule in places:
            setattr(where, name, stand_in(getattr(where, name), rule))


def leave() -> None:
    """Put back what stood there, if no other context is open."""
    global _open
    with _lock:
        _open -= 1
        if not _open:
            for where, name, original in _kept.pop():
                setattr(where, name, original)


def stand_in(original: Callable[..., Any], rule: Callable[..., Any]) -> Callable[..., Any]:
    """An operation that computes as before and has our derivatives."""

    @functools.wraps(original, updated=())
    def operation(*args: Any, **kwargs: Any) -> Any:
        if not paddle.is_grad_enabled() or kwargs.get("out") is not None:
            return original(*args, **kwargs)
        leaves, tree = flatten((args, kwargs), none_is_leaf=True)
        places = [k for k, x in enumerate(leaves) if isinstance(x, Tensor)]
        if all(leaves[k].stop_gradient for k in places):
            return original(*args, **kwargs)
        kind: list[type] = []

        def value() -> list[Tensor]:
            found = original(*args, **kwargs)
            kind.append(type(found))
            return list(found) if isinstance(found, tuple | list) else [found]

        def flat(*xs: Any) -> tuple[Any, ...]:
            full = list(leaves)
            for k, x in zip(places, xs, strict=True):
                full[k] = x
            given, named = tree.build(full)
            found = rule(*given, **{k: v for k, v in named.items() if k not in NOT_OURS})
            return found if isinstance(found, tuple) else (found,)

        outs = carry(flat, [leaves[k] for k in places], value)
        return kind[0](outs) if issubclass(kind[0], tuple | list) else outs[0]

    return operation
