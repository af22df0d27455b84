"""GradBench's ode: the gradient of the last component of y(2) by x, in s steps of Runge and Kutta.

    y_0' = x_0,   y_i' = x_i y_(i-1),   y(0) = 0

The exact solution is y_i(t) = t^(i+1) / (i+1)! x_0 ... x_i. Four stages reach four components a
step, so that for n > 4 s, all published sizes, the last component and its gradient are zero.
"""

import numpy as np

from ctool import aligned, call, filling, native
from objectives.asking import (
    Array,
    Inputs,
    Ways,
    gradient_in_jax,
    gradient_in_qiudao,
    gradient_in_torch,
    load_jax,
    load_torch,
)

SIZES = [
    {"n": n, "s": s}
    for n, steps in ((1_000, (1, 10, 100)), (10_000, (10, 100)), (100_000, (10, 100)))
    for s in steps
]
SMALL = {"n": 6, "s": 4}
END = 2.0


def inputs(n: int, s: int) -> Inputs:
    return Inputs((np.random.default_rng(n).uniform(0.5, 1.5, size=n),), settings={"steps": s})


def slope(x, y, xp=np):
    return x * xp.concatenate([xp.ones_like(y[:1]), y[:-1]])


def step(x, y, h, xp=np):
    k1 = slope(x, y, xp)
    k2 = slope(x, y + h / 2 * k1, xp)
    k3 = slope(x, y + h / 2 * k2, xp)
    k4 = slope(x, y + h * k3, xp)
    return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def objective(x, steps, xp=np):
    y = xp.zeros_like(x)
    for _ in range(steps):
        y = step(x, y, END / steps, xp)
    return y[-1]


def by_hand(given: Inputs) -> tuple[Array]:
    """The adjoint of each step, from the last to the first; the states are kept."""
    (x,), steps = given.by, given.settings["steps"]
    h = END / steps
    states = [np.zeros_like(x)]
    for _ in range(steps):
        states.append(step(x, states[-1], h))
    gradient = np.zeros_like(x)
    adjoint = np.zeros_like(x)
    adjoint[-1] = 1.0
    for y in reversed(states[:-1]):
        y2 = y + h / 2 * slope(x, y)
        y3 = y + h / 2 * slope(x, y2)
        y4 = y + h * slope(x, y3)
        before = adjoint.copy()
        later = np.zeros_like(x)  # what reaches a stage's slope through the stage after it
        # y4 = y + h k3, y3 = y + h/2 k2, y2 = y + h/2 k1: the reach of a stage's adjoint
        for at, weight, reach in ((y4, 1, h), (y3, 2, h / 2), (y2, 2, h / 2), (y, 1, 0.0)):
            k = weight * h / 6 * adjoint + later
            gradient += k * np.append(1.0, at[:-1])
            back = np.append(x[1:] * k[1:], 0.0)
            before += back
            later = reach * back
        adjoint = before
    return (gradient,)


def in_c(given: Inputs) -> Ways:
    """Over all components, and over those that are not zero."""
    (x,), steps, library = given.by, given.settings["steps"], native("ode")

    def way(name: str):
        work = aligned(int(call(library[f"{name}_work"], x.size, steps)()))
        return filling((np.empty_like(x),), library[name], x, x.size, steps, END, work)

    return {"C": way("dense"), "C, sparse": way("sparse")}


def in_qiudao(given: Inputs) -> Ways:
    return gradient_in_qiudao(given.bind(objective), given)


def in_jax(given: Inputs) -> Ways:
    jax = load_jax()

    def scanned(x, steps):
        h = END / steps
        start = jax.numpy.zeros_like(x)
        y, _ = jax.lax.scan(lambda y, _: (step(x, y, h, jax.numpy), None), start, length=steps)
        return y[-1]

    return gradient_in_jax(given.bind(scanned), given)


def in_torch(given: Inputs) -> Ways:
    return gradient_in_torch(given.bind(objective, xp=load_torch()), given)
