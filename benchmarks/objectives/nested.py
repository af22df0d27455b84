"""Gradient descent inside a differentiated function: what particle and saddle share.

The descent is that of Pearlmutter and Siskind: ten improvements in a row double the step, a failure halves
it, and a gradient or a step shorter than 1e-5 ends it. It is written twice: with Python's own loops
and branches, and with a `while_loop` for compilers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from objectives.asking import Inputs, Ways, compiled, jitted_by_jax, load_jax, load_torch

MODES = ("ff", "fr", "rf", "rr")  # of the outer derivative, then of the inner: forward or reverse
SIZES = [{"modes": modes} for modes in MODES]
SMALL = {"modes": "fr"}
TOLERANCE, FIRST_STEP, PATIENCE = 1e-5, 1e-5, 10


@dataclass(frozen=True, slots=True)
class Library:
    """What a nested optimisation asks of a library."""

    xp: ModuleType
    gradients: dict[str, Callable[..., Any]]  # "f" and "r": from a function to its gradient function
    while_loop: Callable[..., Any] | None = None  # None: Python's own loops

    def argmin(self, f, mode: str, start):
        """Where `f` has its minimum, its gradient by one of the modes."""
        gradient = self.gradients[mode](f)
        if self.while_loop is None:
            return descend(f, gradient, start, self.xp)
        return descend_in(self.while_loop, f, gradient, start, self.xp)


def length(x, xp):
    return xp.sqrt((x * x).sum())


def descend(f, gradient, x, xp=np):
    value, slope = f(x), gradient(x)
    step, improved = FIRST_STEP, 0
    while length(slope, xp) > TOLERANCE:
        if improved == PATIENCE:
            step, improved = 2 * step, 0
            continue
        moved = x - step * slope
        if length(x - moved, xp) <= TOLERANCE:
            break
        new = f(moved)
        if new < value:
            x, value, slope, improved = moved, new, gradient(moved), improved + 1
        else:
            step, improved = step / 2, 0
    return x


def descend_in(while_loop, f, gradient, start, xp):
    """`descend`, its branches as selections, its loop as a call."""

    def unfinished(state):
        _, _, slope, _, _, stopped = state
        return (length(slope, xp) > TOLERANCE) & ~stopped

    def advance(state):
        x, value, slope, step, improved, stopped = state
        patient = improved < PATIENCE
        moved = x - step * slope
        short = patient & (length(x - moved, xp) <= TOLERANCE)
        new = f(moved)
        better = patient & ~short & (new < value)
        worse = patient & ~short & ~(new < value)
        return (
            xp.where(better, moved, x),
            xp.where(better, new, value),
            xp.where(better, gradient(moved), slope),
            xp.where(patient, xp.where(worse, step / 2, step), 2 * step),
            xp.where(better, improved + 1, 0),
            stopped | short,
        )

    step, improved, stopped = xp.asarray(FIRST_STEP), xp.asarray(0), xp.asarray(False)
    state = (start, f(start), gradient(start), step, improved, stopped)
    return while_loop(unfinished, advance, state)[0]


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
