"""One step of each method, in differentiable operations; the coefficients are SciPy's."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.integrate import DOP853, RK23, RK45

import qiudao as qd

from ...core.dispatch import concrete
from ..optimize.implicit import differentiable

Slope = Callable[[Any, Any], Any]


class Step(NamedTuple):
    """Where a step ends, and the solution within it at a fraction of its length."""

    y: Any
    within: Callable[[float], Any]


class Explicit:
    """An explicit Runge-Kutta method with SciPy's interpolant."""

    def __init__(self, method: Any) -> None:
        self.A, self.B, self.C, self.P = method.A, method.B, method.C, method.P
        self.stages = method.n_stages

    def __call__(self, f: Slope, t: Any, y: Any, h: Any) -> Step:
        K = [f(t, y)]
        for s in range(1, self.stages):
            dy = combined(self.A[s, :s], K)
            K.append(f(t + self.C[s] * h, y + h * dy))
        new = y + h * combined(self.B, K)
        last = [*K, f(t + h, new)]

        def within(share: float) -> Any:
            powers = self.P @ share ** np.arange(1, self.P.shape[1] + 1)
            return y + h * combined(powers, last)

        return Step(new, within)


class HighOrder:
    """DOP853; within a step a shorter step of it is made."""

    def __call__(self, f: Slope, t: Any, y: Any, h: Any) -> Step:
        def ahead(h: Any) -> Any:
            K = [f(t, y)]
            for s in range(1, DOP853.n_stages):
                dy = combined(DOP853.A[s, :s], K)
                K.append(f(t + DOP853.C[s] * h, y + h * dy))
            return y + h * combined(DOP853.B, K)

        return Step(ahead(h), lambda share: ahead(share * h))


S6 = 6**0.5
MOST = 30  # steps of Newton's method
RADAU_C = np.array([(4 - S6) / 10, (4 + S6) / 10, 1.0])


def radau_matrix() -> Any:
    """The coefficients of the three-stage Radau IIA method: it integrates parabolas exactly."""
    powers = RADAU_C[:, None] ** np.arange(3)
    integrals = RADAU_C[:, None] ** np.arange(1, 4) / np.arange(1, 4)
    return integrals @ np.linalg.inv(powers)


RADAU_A = radau_matrix()


class Radau:
    """Radau IIA of order 5 (Hairer and Wanner, Solving ordinary differential equations II, IV.8).

    The stages Z solve Z = h A F(t + c h, y + Z); within a step the cubic through them is taken.
    """

    def __call__(self, f: Slope, t: Any, y: Any, h: Any) -> Step:
        def residual(Z: Any) -> Any:
            slopes = np.stack([f(t + c * h, y + Z[k]) for k, c in enumerate(RADAU_C)])
            return Z - h * (RADAU_A @ slopes)

        bare = solved(f, *(np.asarray(concrete(v)) for v in (t, y, h)))
        Z = differentiable(residual, bare)

        def within(share: float) -> Any:
            nodes = np.array([0.0, *RADAU_C])
            weights = [np.prod([(share - m) / (n - m) for m in nodes if m != n]) for n in nodes[1:]]
            return y + combined(np.array(weights), list(Z))

        return Step(y + Z[2], within)


def solved(f: Slope, t: Any, y: Any, h: Any) -> Any:
    """The stages by Newton's method, on plain numbers."""

    def plainly(t: Any, y: Any) -> Any:
        return np.asarray(concrete(f(t, y)))

    slope = np.asarray(concrete(qd.jacobian(lambda y: f(t, y))(y)))
    system = np.eye(3 * y.size) - h * np.kron(RADAU_A, slope)
    Z = np.zeros((3, y.size))
    for _ in range(MOST):
        slopes = np.stack([plainly(t + c * h, y + Z[k]) for k, c in enumerate(RADAU_C)])
        change = np.linalg.solve(system, np.ravel(h * (RADAU_A @ slopes) - Z)).reshape(Z.shape)
        Z = Z + change
        if np.max(np.abs(change)) <= 1e-14 * np.max(np.abs(y) + np.abs(Z)):
            break
    return Z


def combined(weights: Any, K: list[Any]) -> Any:
    """The sum of the stages with these weights, zeros left out."""
    total: Any = 0.0
    for w, k in zip(weights, K, strict=True):
        if w != 0:
            total = total + w * k
    return total


METHODS: dict[str, Callable[[Slope, Any, Any, Any], Step]] = {
    "RK23": Explicit(RK23),
    "RK45": Explicit(RK45),
    "DOP853": HighOrder(),
    "Radau": Radau(),
}
