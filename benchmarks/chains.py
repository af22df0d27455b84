"""Chains of elementwise operations: programs whose cost is all overhead.

Their slopes stay near one and their values bounded, however long they are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from peers import Array, Peer, Program

Shape = tuple[int, ...]
SHAPES: tuple[Shape, ...] = ((), (10,), (1000,))


@dataclass(frozen=True, slots=True)
class Chain:
    """A program of `length` operations, then a sum (not counted) to one number."""

    name: str
    build: Callable[[Peer, Shape, int], Program]
    leaves: int = 1

    def start(self, shape: Shape) -> list[Array]:
        """Its leaves: the operand, then a factor and a term where those are leaves too."""
        x = np.linspace(0.1, 0.9, int(np.prod(shape))).reshape(shape)
        return [x, *_factor_and_term(shape)][: self.leaves]


def describe(shape: Shape) -> str:
    """A shape as the tables name it."""
    return f"{shape[0]} elements" if shape else "0-d"


def _factor_and_term(shape: Shape) -> tuple[Array, Array]:
    return np.full(shape, 0.999), np.full(shape, 0.001)


def _total(peer: Peer, shape: Shape) -> Program:
    return peer.xp.sum if shape else lambda x: x


def _by_tensors(peer: Peer, shape: Shape, length: int) -> Program:
    w, b = map(peer.constant, _factor_and_term(shape))
    return _by(peer, w, b, shape, length)


def _by_arrays(peer: Peer, shape: Shape, length: int) -> Program:
    if not peer.takes_numpy:
        return _by_tensors(peer, shape, length)
    return _by(peer, *_factor_and_term(shape), shape, length)


def _by_numbers(peer: Peer, shape: Shape, length: int) -> Program:
    return _by(peer, 0.999, 0.001, shape, length)


def _by(peer: Peer, w: Any, b: Any, shape: Shape, length: int) -> Program:
    leaves = _by_leaves(peer, shape, length)
    return lambda x: leaves(x, w, b)


def _by_leaves(peer: Peer, shape: Shape, length: int) -> Program:
    total = _total(peer, shape)

    def chain(x, w, b):
        for _ in range(length // 2):
            x = x * w
            x = x + b
        return total(x)

    return chain


def _mixed(peer: Peer, shape: Shape, length: int) -> Program:
    total = _total(peer, shape)
    sin, exp, tanh = peer.xp.sin, peer.xp.exp, peer.xp.tanh
    b = peer.constant(np.full(shape, -0.76))

    def chain(x):
        for _ in range(length // 5):
            x = sin(x)
            x = x * 2.0
            x = exp(x)
            x = tanh(x)
            x = x + b
        return total(x)

    return chain


CHAINS = (
    Chain("x*w, x+b, constant tensors", _by_tensors),
    Chain("x*w, x+b, NumPy arrays", _by_arrays),  # the same to those that take none
    Chain("x*w, x+b, w and b leaves", _by_leaves, leaves=3),
    Chain("x*w, x+b, Python numbers", _by_numbers),
    Chain("sin, *2., exp, tanh, +b", _mixed),
)
