"""Gradient descent inside a differentiated function: what particle and saddle share.

The descent is that of Pearlmutter and Siskind: ten improvements in a row double the step, a
failure halves it, and a gradient or a step shorter than a tolerance ends it. It is written twice:
with Python's own loops and branches, and with a `while_loop` for compilers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from objectives.asking import Inputs, Ways, compiled, jitted_by_jax, load_jax, load_torch

MODES = ("ff", "fr", "rf", "rr")  # of the outer derivative, then of the inner: forward or reverse
SIZES = [{"modes": modes} for modes in MODES]
SLOW = ("qiudao", "torch")  # eagerly, a minute or more
STEP, TOLERANCE, PATIENCE = 1e-5, 1e-5, 10


@dataclass(frozen=True, slots=True)
class Library:
    """What a nested optimisation asks of a library."""

    xp: ModuleType
    gradients: Mapping[
        str, Callable[..., Any]
    ]  # "f" and "r": from a function to its gradient function
    while_loop: Callable[..., Any] | None = None  # None: Python's own loops


@dataclass(frozen=True, slots=True)
class Descent:
    """Gradient descent with a library: its first step, and the length that ends it."""

    library: Library
    step: float = STEP
    tolerance: float = TOLERANCE

    def argmin(self, f, mode: str, start):
        """Where `f` has its minimum, its gradient by one of the modes."""
        gradient = self.library.gradients[mode](f)
        search = self.by_python if self.library.while_loop is None else self.by_while_loop
        return search(f, gradient, start)

    def negligible(self, vector):
        return length(vector, self.library.xp) <= self.tolerance

    def by_python(self, f, gradient, x):
        value, slope = f(x), gradient(x)
        step, improved = self.step, 0
        while not self.negligible(slope):
            if improved == PATIENCE:
                step, improved = 2 * step, 0
                continue
            moved = x - step * slope
            if self.negligible(x - moved):
                break
            new = f(moved)
            if new < value:
                x, value, slope, improved = moved, new, gradient(moved), improved + 1
            else:
                step, improved = step / 2, 0
        return x

    def by_while_loop(self, f, gradient, start):
        """The same, its branches as selections, its loop as a call."""
        where, asarray = self.library.xp.where, self.library.xp.asarray

        def unfinished(state):
            _, _, slope, _, _, stopped = state
            return ~self.negligible(slope) & ~stopped

        def advance(state):
            x, value, slope, step, improved, stopped = state
            patient = improved < PATIENCE
            moved = x - step * slope
            short = patient & self.negligible(x - moved)
            new = f(moved)
            tried = patient & ~short
            better = tried & (new < value)
            step_if_patient = where(tried & ~better, step / 2, step)
            return (
                where(better, moved, x),
                where(better, new, value),
                where(better, gradient(moved), slope),
                where(patient, step_if_patient, 2 * step),
                where(better, improved + 1, 0),
                stopped | short,
            )

        begin = (asarray(self.step), asarray(0), asarray(False))
        state = (start, f(start), gradient(start), *begin)
        return self.library.while_loop(unfinished, advance, state)[0]


def length(x, xp):
    return xp.sqrt((x * x).sum())


def in_qiudao(solve: Callable[..., Any], given: Inputs) -> Ways:
    import qiudao as qd

    gradients = {"f": qd.jacfwd, "r": qd.grad}
    eager = given.bind(solve, library=Library(np, gradients))
    ways: Ways = {"qiudao": lambda: (eager(*given.by),)}
    if hasattr(qd, "while_loop"):
        native = given.bind(solve, library=Library(np, gradients, qd.while_loop))
        ways |= compiled("qiudao.jit", lambda x: (native(x),), given.by)
    return ways


def in_jax(solve: Callable[..., Any], given: Inputs) -> Ways:
    """Only where the outer derivative is forward: jax has no reverse of `while_loop`."""
    if given.settings["modes"][0] == "r":
        return {}
    jax = load_jax()
    gradients = {"f": jax.jacfwd, "r": jax.grad}
    native = given.bind(solve, library=Library(jax.numpy, gradients, jax.lax.while_loop))
    return jitted_by_jax(lambda x: (native(x),), given.by)


def in_torch(solve: Callable[..., Any], given: Inputs) -> Ways:
    torch = load_torch()

    def forward(f):
        def gradient(x):
            unit = torch.eye(len(x), dtype=x.dtype)
            return torch.stack([torch.func.jvp(f, (x,), (e,))[1] for e in unit])

        return gradient

    eager = given.bind(solve, library=Library(torch, {"f": forward, "r": torch.func.grad}))
    args = [torch.from_numpy(x.copy()) for x in given.by]
    return {"torch": lambda: (eager(*args).detach(),)}
