"""What do steps of a partial differential equation cost, and their gradient by the first state?

    du/dt = D lap(u) + u (1 - u),   20 steps of Runge and Kutta, on a line and on a square

The gradient is that of the sum of squares of the last state. NumPy and qiudao have the plain loop
and slices, jax has `lax.scan` around the same step.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from alternate import Report, arguments
from objectives.asking import load_jax, load_torch
from peers import Array, check_agreement

STEPS, DT, D = 20, 1e-3, 0.5
SHAPES = ((1_000,), (20_000,), (200_000,), (100, 100), (500, 500))
Runs = dict[str, Callable[[], Any]]


def laplacian(u):
    if u.ndim == 1:
        return u[2:] - 2 * u[1:-1] + u[:-2]
    return u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1]


def slope(u, xp=np):
    """It does not flow over the edge."""
    flow = xp.zeros_like(u)
    inner = (slice(1, -1),) * u.ndim
    if hasattr(flow, "at"):
        flow = flow.at[inner].set(D * laplacian(u))
    else:
        flow[inner] = D * laplacian(u)
    return flow + u * (1 - u)


def step(u, xp=np):
    k1 = slope(u, xp)
    k2 = slope(u + DT / 2 * k1, xp)
    k3 = slope(u + DT / 2 * k2, xp)
    k4 = slope(u + DT * k3, xp)
    return u + DT / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def simulated(u, xp=np):
    """The plain loop."""
    for _ in range(STEPS):
        u = step(u, xp)
    return u


def squares(u):
    return (simulated(u) ** 2).sum()


def in_numpy(u: Array, by_gradient: bool) -> Runs:
    return {} if by_gradient else {"NumPy": lambda: simulated(u)}


def in_qiudao(u: Array, by_gradient: bool) -> Runs:
    import qiudao as qd

    if not by_gradient:
        native = qd.jit(simulated)
        return {"qiudao.jit": lambda: native(u)}
    eager = qd.grad(squares)
    gradient = qd.jit(eager)
    return {"qiudao.jit": lambda: gradient(u), "qiudao": lambda: eager(u)}


def in_jax(u: Array, by_gradient: bool) -> Runs:
    jax = load_jax()

    def scanned(u):
        return jax.lax.scan(lambda u, _: (step(u, jax.numpy), None), u, length=STEPS)[0]

    given = jax.numpy.asarray(u)
    native = jax.jit(jax.grad(lambda u: (scanned(u) ** 2).sum()) if by_gradient else scanned)
    return {"jax.jit": lambda: jax.block_until_ready(native(given))}


def in_torch(u: Array, by_gradient: bool) -> Runs:
    torch = load_torch()
    given = torch.from_numpy(u.copy()).requires_grad_(by_gradient)
    if not by_gradient:
        return {"torch": lambda: simulated(given, torch)}
    return {"torch": lambda: torch.autograd.grad((simulated(given, torch) ** 2).sum(), given)[0]}


def main() -> None:
    options = arguments(__doc__, rounds=5)
    report = Report("stencils", __doc__, options, reference="qiudao.jit")
    makers = {"NumPy": in_numpy, "qiudao": in_qiudao, "jax": in_jax, "torch": in_torch}
    for shape in SHAPES:
        u = np.random.default_rng(0).uniform(size=shape)
        size = " x ".join(f"{n:,}" for n in shape)
        for by_gradient, what in ((False, "steps"), (True, "gradient")):
            runs = report.contenders(makers, u, by_gradient)
            check_agreement(size, {name: run() for name, run in runs.items()}, 1e-9)
            report.time(f"{what}, {size}", runs, "ms")
    report.finish()


if __name__ == "__main__":
    main()
