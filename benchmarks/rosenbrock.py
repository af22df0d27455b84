"""How long does the gradient of the Rosenbrock function take, from NumPy array to NumPy array?

The function is one line of plain vectorised NumPy; every library differentiates that line as it
would for a SciPy optimiser, conversions included. "by hand" is the gradient written out in NumPy,
the floor for anything eager. "into buffers" rows write the gradient into an array of the caller's.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from alternate import Report, arguments
from peers import Array, Peer, check_agreement, load

SIZES = (10, 1_000)


def rosenbrock(x, xp=np):
    return xp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def by_hand(x: Array) -> Array:
    valley = x[1:] - x[:-1] ** 2
    gradient = np.zeros_like(x)
    gradient[:-1] = -400 * x[:-1] * valley - 2 * (1 - x[:-1])
    gradient[1:] += 200 * valley
    return gradient


class Buffered:
    """A compiled gradient that writes into an array made at the first call of each size."""

    def __init__(self, native: Callable[..., Array]):
        self.native = native
        self.out: Array | None = None

    def __call__(self, x: Array) -> Array:
        out = self.out
        if out is None or out.size != x.size:
            out = self.out = np.empty_like(x)
        self.native(x, out=out)
        return out


def gradients(peer: Peer) -> dict[str, Callable[[Array], Array]]:
    """The ways in which one library makes a gradient function of NumPy arrays."""
    if peer.name == "qiudao":
        import qiudao as qd

        found = {"qiudao": qd.grad(rosenbrock)}
        if hasattr(qd, "jit"):
            native = qd.jit(found["qiudao"])
            found |= {"qiudao.jit": native, "qiudao.jit, into buffers": Buffered(native)}
        return found
    if peer.name == "torch":
        import torch

        def through_torch(x: Array) -> Array:
            t = torch.from_numpy(x).requires_grad_()
            rosenbrock(t, torch).backward()
            return t.grad.numpy()

        return {"torch": through_torch}
    if peer.name == "autograd":
        import autograd

        return {"autograd": autograd.grad(lambda x: rosenbrock(x, peer.xp))}
    import jax

    eager = jax.grad(lambda x: rosenbrock(x, peer.xp))
    compiled = jax.jit(eager)
    return {"jax": lambda x: np.asarray(eager(x)), "jax.jit": lambda x: np.asarray(compiled(x))}


def main() -> None:
    options = arguments(__doc__, rounds=15)
    report = Report("rosenbrock", __doc__, options)
    found: dict[str, Callable[[Array], Array]] = {}
    for peer in load(("qiudao", "torch", "autograd", "jax"), report):
        found |= gradients(peer)
    found["by hand"] = by_hand
    for size in SIZES:
        case = f"n = {size}"
        if report.wants(case):
            x = np.random.default_rng(size).normal(size=size)
            runs = {name: partial(gradient, x) for name, gradient in found.items()}
            check_agreement(case, {name: [run()] for name, run in runs.items()}, 1e-9)
            report.time(case, runs, "us")
    report.finish()


if __name__ == "__main__":
    main()
