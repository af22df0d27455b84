"""GradBench's saddle: the minimum over x of the maximum over y of a function of four variables.

    f(x, y) = (x_0^2 + x_1^2) - (y_0^2 + y_1^2),   x and y in R^2

The gradient of the outer descent goes through the inner descent.
"""

import numpy as np

from objectives import nested
from objectives.asking import Array, Inputs, Ways

SIZES, SLOW = nested.SIZES, nested.SLOW
SMALL = {"modes": "fr", "step": 0.2, "tolerance": 0.1}


def inputs(modes: str, step=nested.STEP, tolerance=nested.TOLERANCE) -> Inputs:
    return Inputs(
        (np.array([1.0, 1.0]),), settings={"modes": modes, "step": step, "tolerance": tolerance}
    )


def f(x, y):
    return (x * x).sum() - (y * y).sum()


def solve(start, modes: str, library: nested.Library, **choices):
    """The point (x_0, x_1, y_0, y_1)."""
    outer, inner = modes
    descent = nested.Descent(library, **choices)

    def highest(x, mode):
        return descent.argmin(lambda y: -f(x, y), mode, start)

    x = descent.argmin(lambda x: f(x, highest(x, inner)), outer, start)
    return library.xp.concatenate([x, highest(x, outer)])


def by_hand(given: Inputs) -> tuple[Array]:
    """The same descents, their gradients 2 x and 2 y written out: y does not depend on x."""
    (start,) = given.by
    descent = nested.Descent(
        nested.Library(np, {}), given.settings["step"], given.settings["tolerance"]
    )
    y = descent.by_python(lambda y: (y * y).sum(), lambda y: 2 * y, start)
    peak = (y * y).sum()
    x = descent.by_python(lambda x: (x * x).sum() - peak, lambda x: 2 * x, start)
    return (np.concatenate([x, y]),)


def in_qiudao(given: Inputs) -> Ways:
    return nested.in_qiudao(solve, given)


def in_jax(given: Inputs) -> Ways:
    return nested.in_jax(solve, given)


def in_torch(given: Inputs) -> Ways:
    return nested.in_torch(solve, given)
