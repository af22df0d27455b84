"""GradBench's particle: the control w that lets a charged particle fall through the origin.

Charges at (10, 10 - w) and (10, 0) repel a particle that starts at (0, 8) with velocity (3/4, 0).
Euler's method follows it, in steps of 1/10, to the x axis, where x_0^2 is what w minimises. The
force is the gradient of a potential, so that the descent differentiates a derivative.
"""

import numpy as np

from objectives import nested
from objectives.asking import Array, Inputs, Ways

SIZES, SLOW = nested.SIZES, nested.SLOW
SMALL = {"modes": "fr", "step": 0.01, "tolerance": 0.01}
TICK = 0.1


def inputs(modes: str, step=nested.STEP, tolerance=nested.TOLERANCE) -> Inputs:
    return Inputs(
        (np.array([0.0]),), settings={"modes": modes, "step": step, "tolerance": tolerance}
    )


def potential(x, upper, lower, xp=np):
    return 1 / nested.length(x - upper, xp) + 1 / nested.length(x - lower, xp)


def landing(w, mode: str, library: nested.Library):
    """The square of where the particle meets the axis."""
    xp = library.xp
    ten = xp.ones_like(w) * 10
    upper = xp.concatenate([ten, ten - w])
    lower = xp.concatenate([ten, 0 * ten])
    force = library.gradients[mode](lambda x: -potential(x, upper, lower, xp))
    x = xp.concatenate([0 * ten, ten - 2])
    velocity = xp.concatenate([ten * 0.075, 0 * ten])

    def above(state):
        x, velocity = state
        return (x + TICK * velocity)[1] > 0

    def follow(state):
        x, velocity = state
        return x + TICK * velocity, velocity + TICK * force(x)

    state = (x, velocity)
    if library.while_loop is None:
        while above(state):
            state = follow(state)
    else:
        state = library.while_loop(above, follow, state)
    x, velocity = state
    return (x - x[1] / velocity[1] * velocity)[0] ** 2


def solve(start, modes: str, library: nested.Library, **choices):
    """The control."""
    outer, inner = modes
    descent = nested.Descent(library, **choices)
    return descent.argmin(lambda w: landing(w, inner, library), outer, start)


def by_hand(given: Inputs) -> tuple[Array]:
    """The same descent; force, and tangent by w, written out and carried along."""
    (start,) = given.by
    descent = nested.Descent(
        nested.Library(np, {}), given.settings["step"], given.settings["tolerance"]
    )

    def flight(w):
        x, v = np.array([0.0, 8.0]), np.array([0.75, 0.0])
        dx, dv = np.zeros(2), np.zeros(2)
        charges = np.array([[10.0, 10.0 - w], [10.0, 0.0]])
        by_w = np.array([[0.0, -1.0], [0.0, 0.0]])
        while x[1] + TICK * v[1] > 0:
            away, change = x - charges, dx - by_w
            distance = np.sqrt((away**2).sum(1, keepdims=True))
            inner = (away * change).sum(1, keepdims=True)
            force = (away / distance**3).sum(0)
            tangent = (change / distance**3 - 3 * away * inner / distance**5).sum(0)
            x, v, dx, dv = x + TICK * v, v + TICK * force, dx + TICK * dv, dv + TICK * tangent
        time = -x[1] / v[1]
        dtime = -dx[1] / v[1] + x[1] * dv[1] / v[1] ** 2
        end = x[0] + time * v[0]
        return end**2, 2 * end * (dx[0] + dtime * v[0] + time * dv[0])

    found = descent.by_python(
        lambda w: flight(w[0])[0], lambda w: np.array([flight(w[0])[1]]), start
    )
    return (found,)


def in_qiudao(given: Inputs) -> Ways:
    return nested.in_qiudao(solve, given)


def in_jax(given: Inputs) -> Ways:
    return nested.in_jax(solve, given)


def in_torch(given: Inputs) -> Ways:
    return nested.in_torch(solve, given)
