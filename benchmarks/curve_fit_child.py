"""One curve fit, start to finish: `python curve_fit_child.py CONTENDER SOLVER`.

`curve_fit.py` times this process from outside.
"""

import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scipy import optimize

TRUTH = [3.0, 1.2, 0.5, 0.7, -0.1]
START = np.array([2.0, 1.0, 0.8, 0.0, 0.0])
T = np.linspace(-2.0, 4.0, 400)


def model(parameters, t, xp=np):
    """A Gaussian peak on a line."""
    height, centre, width, level, tilt = parameters
    return height * xp.exp(-(((t - centre) / width) ** 2)) + level + tilt * t


DATA = model(TRUTH, T) + np.random.default_rng(0).normal(scale=0.02, size=T.size)


def residuals(parameters, xp=np, t=T, data=DATA):
    return model(parameters, t, xp) - data


def loss(parameters, xp=np, t=T, data=DATA):
    return xp.sum(residuals(parameters, xp, t, data) ** 2)


class Derivatives(NamedTuple):
    """What the solvers ask for, from a NumPy vector to a NumPy array."""

    jacobian: Callable[[Any], Any] | None  # of the residuals, so also of the model
    gradient: Callable[[Any], Any] | None  # of the loss


def _finite_differences() -> Derivatives:
    return Derivatives(None, None)


def _qiudao() -> Derivatives:
    import qiudao as qd

    return Derivatives(qd.jacobian(residuals), qd.grad(loss))


def _autograd() -> Derivatives:
    import autograd
    import autograd.numpy as anp

    push = autograd.make_jvp(lambda p: residuals(p, anp))
    directions = np.eye(START.size)

    def jacobian(p):
        """By columns: forward mode, which `autograd.jacobian` does not use, is its quicker way."""
        at = push(p)
        return np.stack([at(direction)[1] for direction in directions], axis=1)

    return Derivatives(jacobian, autograd.grad(lambda p: loss(p, anp)))


def _jax() -> Derivatives:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    jacobian = jax.jit(jax.jacfwd(lambda p: residuals(p, jnp)))
    gradient = jax.jit(jax.grad(lambda p: loss(p, jnp)))
    return Derivatives(lambda p: np.asarray(jacobian(p)), lambda p: np.asarray(gradient(p)))


def _torch() -> Derivatives:
    import torch

    t, data = torch.from_numpy(T), torch.from_numpy(DATA)

    def torch_residuals(p):
        return residuals(p, torch, t, data)

    def jacobian(p):
        """By rows, which in a cold process is quicker than importing what `torch.func` needs."""
        return torch.autograd.functional.jacobian(torch_residuals, torch.from_numpy(p)).numpy()

    def gradient(p):
        leaf = torch.from_numpy(p).requires_grad_()
        (torch_residuals(leaf) ** 2).sum().backward()
        return leaf.grad.numpy()

    return Derivatives(jacobian, gradient)


CONTENDERS = {
    "finite differences": _finite_differences,
    "qiudao": _qiudao,
    "autograd": _autograd,
    "jax": _jax,
    "torch": _torch,
}


def fit(contender: str, solver: str) -> list[float]:
    """The fitted parameters."""
    jacobian, gradient = CONTENDERS[contender]()
    if solver == "least_squares":
        return optimize.least_squares(residuals, START, jac=jacobian or "2-point").x.tolist()
    if solver == "minimize":
        return optimize.minimize(loss, START, jac=gradient, method="BFGS").x.tolist()

    def separate(t, *parameters):
        return model(parameters, t)

    jac = None if jacobian is None else lambda t, *parameters: jacobian(np.array(parameters))
    return optimize.curve_fit(separate, T, DATA, START, jac=jac)[0].tolist()


if __name__ == "__main__":
    print(json.dumps(fit(*sys.argv[1:])))
