"""One curve fit, start to finish: `python curve_fit_child.py CONTENDER SOLVER POINTS`.

It prints the fitted parameters and how often it evaluated the model and its derivatives.
`curve_fit.py` times this process from outside.
"""

import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scipy import optimize

Array = np.ndarray
TRUTH = [3.0, 1.2, 0.5, 0.7, -0.1]
START = np.array([2.0, 1.0, 0.8, 0.0, 0.0])


def model(parameters, t, xp=np):
    """A Gaussian peak on a line."""
    height, centre, width, level, tilt = parameters
    return height * xp.exp(-(((t - centre) / width) ** 2)) + level + tilt * t


def measured(points: int) -> tuple[Array, Array]:
    """Where the peak was measured, and what."""
    t = np.linspace(-2.0, 4.0, points)
    return t, model(TRUTH, t) + np.random.default_rng(0).normal(scale=0.02, size=points)


def residuals(parameters, t, data, xp=np):
    return model(parameters, t, xp) - data


def loss(parameters, t, data, xp=np):
    return xp.sum(residuals(parameters, t, data, xp) ** 2)


class Derivatives(NamedTuple):
    """What the solvers ask for, from a NumPy vector, where and what was measured to an array."""

    jacobian: Callable[..., Any] | None  # of the residuals, so also of the model
    gradient: Callable[..., Any] | None  # of the loss


def _finite_differences() -> Derivatives:
    return Derivatives(None, None)


def _qiudao() -> Derivatives:
    import qiudao as qd

    return Derivatives(qd.jacobian(residuals), qd.grad(loss))


def _compiled_qiudao() -> Derivatives:
    import qiudao as qd

    return Derivatives(qd.jit(qd.jacobian(residuals)), qd.jit(qd.grad(loss)))


def _autograd() -> Derivatives:
    import autograd
    import autograd.numpy as anp

    directions = np.eye(START.size)

    def jacobian(p, t, data):
        """By columns: forward mode, which `autograd.jacobian` does not use, is its quicker way."""
        at = autograd.make_jvp(lambda p: residuals(p, t, data, anp))(p)
        return np.stack([at(direction)[1] for direction in directions], axis=1)

    return Derivatives(jacobian, autograd.grad(lambda p, t, data: loss(p, t, data, anp)))


def _jax() -> Derivatives:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    jacobian = jax.jit(jax.jacfwd(lambda p, t, data: residuals(p, t, data, jnp)))
    gradient = jax.jit(jax.grad(lambda p, t, data: loss(p, t, data, jnp)))
    return Derivatives(
        lambda *args: np.asarray(jacobian(*args)), lambda *args: np.asarray(gradient(*args))
    )


def _torch() -> Derivatives:
    import torch

    def jacobian(p, t, data):
        """By rows, which in a cold process is quicker than importing what `torch.func` needs."""
        t, data = torch.from_numpy(t), torch.from_numpy(data)
        return torch.autograd.functional.jacobian(
            lambda p: residuals(p, t, data, torch), torch.from_numpy(p)
        ).numpy()

    def gradient(p, t, data):
        leaf = torch.from_numpy(p).requires_grad_()
        loss(leaf, torch.from_numpy(t), torch.from_numpy(data), torch).backward()
        return leaf.grad.numpy()

    return Derivatives(jacobian, gradient)


CONTENDERS = {
    "finite differences": _finite_differences,
    "qiudao": _qiudao,
    "qiudao.jit": _compiled_qiudao,
    "qiudao.jit, kept": _compiled_qiudao,
    "autograd": _autograd,
    "jax": _jax,
    "torch": _torch,
}


class Counted:
    """A function that knows how often it was called."""

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self.calls = 0

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        return self.function(*args)


def fit(contender: str, solver: str, points: int) -> tuple[list[float], int, int]:
    """The fitted parameters, and how many evaluations and derivatives it took."""
    measurements = t, data = measured(points)
    derivatives = CONTENDERS[contender]()
    wanted = derivatives.gradient if solver == "minimize" else derivatives.jacobian
    derivative = None if wanted is None else Counted(wanted)
    value = Counted(loss if solver == "minimize" else residuals)
    if solver == "least_squares":
        jac = derivative or "2-point"
        found = optimize.least_squares(value, START, jac=jac, args=measurements).x
    elif solver == "minimize":
        found = optimize.minimize(value, START, measurements, "BFGS", derivative).x
    else:
        value = Counted(lambda t, *parameters: model(parameters, t))
        jac = derivative and (lambda t, *parameters: derivative(np.array(parameters), t, data))
        found = optimize.curve_fit(value, t, data, START, jac=jac)[0]
    return found.tolist(), value.calls, derivative.calls if derivative else 0


if __name__ == "__main__":
    print(json.dumps(fit(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
