"""One step of each method, in differentiable operations; the coefficients are SciPy's."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.integrate import DOP853, RK23, RK45

import qiudao as qd

from ..operands import plain
from ..optimize.implicit import differentiable

Slope = Callable[[Any, Any], Any]


class Step(NamedTuple):
    """Where a step ends, and the solution within it at a fraction of its length."""

    y: Any
    within: Callable[[Any], Any]


Method = Callable[..., Step]  # of the slope, the time, the state, the length and SciPy's solution


class Explicit:
    """An explicit Runge-Kutta method with SciPy's interpolant."""

    def __init__(self, method: Any) -> None:
        self.A, self.B, self.C = method.A, method.B, method.C
        self.P: Any = getattr(method, "P", None)
        self.stages = method.n_stages

    def __call__(self, f: Slope, t: Any, y: Any, h: Any, sol: Any = None) -> Step:
        K = [f(t, y)]
        for s in range(1, self.stages):
            dy = combined(self.A[s, :s], K)
            K.append(f(t + self.C[s] * h, y + h * dy))
        new = y + h * combined(self.B, K)
        made: list[Any] = []

        def within(share: Any) -> Any:
            if not made:
                made.append(self.interpolant(f, t, y, h, new, [*K, f(t + h, new)]))
            return made[0](share)

        return Step(new, within)

    def interpolant(self, f: Slope, t: Any, y: Any, h: Any, new: Any, K: list[Any]) -> Any:
        """The solution within the step at a fraction of its length."""

        def within(share: Any) -> Any:
            powers = [share ** (k + 1) for k in range(self.P.shape[1])]
            return y + h * combined([combined(row, powers) for row in self.P], K)

        return within


class HighOrder(Explicit):
    """DOP853, whose interpolant of order 7 takes three stages more."""

    def __init__(self) -> None:
        super().__init__(DOP853)
        self.A_more, self.C_more, self.D = DOP853.A_EXTRA, DOP853.C_EXTRA, DOP853.D

    def interpolant(self, f: Slope, t: Any, y: Any, h: Any, new: Any, K: list[Any]) -> Any:
        first, last, change = K[0], K[-1], new - y
        for a, c in zip(self.A_more, self.C_more, strict=True):
            K = [*K, f(t + c * h, y + h * combined(a[: len(K)], K))]
        bends = [h * combined(row, K) for row in self.D]
        parts = [change, h * first - change, 2 * change - h * (last + first), *bends]

        def within(share: Any) -> Any:
            total: Any = 0.0
            for k, part in enumerate(reversed(parts)):
                total = (total + part) * (share if k % 2 == 0 else 1 - share)
            return y + total

        return within


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

    def __call__(self, f: Slope, t: Any, y: Any, h: Any, sol: Any = None) -> Step:
        def residual(Z: Any) -> Any:
            slopes = np.stack([f(t + c * h, y + Z[k]) for k, c in enumerate(RADAU_C)])
            return Z - h * (RADAU_A @ slopes)

        bare = solved(f, plain(t), plain(y), plain(h))
        Z = differentiable("solve_ivp", residual, bare)

        def within(share: Any) -> Any:
            nodes = np.array([0.0, *RADAU_C])
            weights = [
                math.prod([(share - m) / (n - m) for m in nodes if m != n]) for n in nodes[1:]
            ]
            return y + combined(weights, list(Z))

        return Step(y + Z[2], within)


def solved(f: Slope, t: Any, y: Any, h: Any) -> Any:
    """The stages by Newton's method, on plain numbers."""
    slope = plain(qd.jacobian(lambda y: f(t, y))(y))
    system = np.eye(3 * y.size) - h * np.kron(RADAU_A, slope)
    Z = np.zeros((3, y.size))
    for _ in range(MOST):
        slopes = np.stack([plain(f(t + c * h, y + Z[k])) for k, c in enumerate(RADAU_C)])
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


class AlongValues:
    """Steps of another method, from SciPy's own values to SciPy's own values: these stand, and the
    derivatives are those of the method.
    """

    def __init__(self, method: Method) -> None:
        self.method = method

    def __call__(self, f: Slope, t: Any, y: Any, h: Any, sol: Any = None) -> Step:
        def ahead(h: Any) -> Any:
            found = self.method(f, t, y, h).y
            value = sol(float(plain(t)) + float(plain(h)))
            return value + (found - qd.stop_gradient(found))

        return Step(ahead(h), lambda share: ahead(share * h))


METHODS: dict[str, Method] = {
    "RK23": Explicit(RK23),
    "RK45": Explicit(RK45),
    "DOP853": HighOrder(),
    "Radau": Radau(),
    "BDF": AlongValues(Radau()),
    "LSODA": AlongValues(Radau()),
}
