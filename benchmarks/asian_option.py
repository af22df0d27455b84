"""What do the Greeks of an Asian option cost beyond its price, by simulation in large arrays?

100 batches of 1,000 paths of 252 daily steps, geometric Brownian motion; the price of a call on
the mean, and its derivatives by the start (delta), the volatility (vega) and the rate (rho). The
normal deviates are drawn beforehand. "NumPy primal" is the price alone.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from alternate import Report, arguments
from objectives.asking import load_jax, load_torch
from peers import Array, check_agreement

BATCHES, PATHS, DAYS = 100, 1_000, 252
STRIKE, YEARS = 100.0, 1.0
MARKET = np.array([100.0, 0.2, 0.05])  # start, volatility, rate
Runs = dict[str, Callable[[], Any]]


def price(market, normals, xp=np):
    """The discounted mean payoff of one batch of paths."""
    start, volatility, rate = market[0], market[1], market[2]
    day = YEARS / DAYS
    returns = (rate - volatility**2 / 2) * day + volatility * np.sqrt(day) * normals
    mean = start * xp.exp(xp.cumsum(returns, 1)).mean(1)
    return xp.exp(-rate * YEARS) * xp.maximum(mean - STRIKE, 0 * mean).mean()


def over_batches(one: Callable[[Array], Any], batches: Any) -> list[Any]:
    """The price and the Greeks, averaged; batches one after the other, to stay in memory."""
    found = [one(normals) for normals in batches]
    return [sum(part) / len(found) for part in zip(*found)]


def primal(batches: Array) -> Any:
    return over_batches(lambda normals: (price(MARKET, normals),), batches)


def in_qiudao(batches: Array) -> Runs:
    import qiudao as qd

    both = qd.value_and_grad(price)
    runs: Runs = {"qiudao": lambda: over_batches(partial(both, MARKET), batches)}
    if hasattr(qd, "jit"):
        native = qd.jit(both)
        runs["qiudao.jit"] = lambda: over_batches(partial(native, MARKET), batches)
    return runs


def in_jax(batches: Array) -> Runs:
    jax = load_jax()
    native = jax.jit(jax.value_and_grad(lambda m, normals: price(m, normals, jax.numpy)))
    market = jax.numpy.asarray(MARKET)
    given = [jax.numpy.asarray(normals) for normals in batches]
    return {"jax.jit": lambda: jax.block_until_ready(over_batches(partial(native, market), given))}


def in_torch(batches: Array) -> Runs:
    torch = load_torch()
    leaf = torch.from_numpy(MARKET.copy()).requires_grad_()

    def both(normals):
        value = price(leaf, normals, torch)
        return value.detach(), torch.autograd.grad(value, leaf)[0]

    given = [torch.from_numpy(normals) for normals in batches]
    return {"torch": lambda: over_batches(both, given)}


def main() -> None:
    options = arguments(__doc__, rounds=3)
    report = Report("asian_option", __doc__, options, reference="qiudao.jit")
    batches = np.random.default_rng(252).normal(size=(BATCHES, PATHS, DAYS))
    runs = report.contenders({"qiudao": in_qiudao, "jax": in_jax, "torch": in_torch}, batches)
    check_agreement("asian option", {name: run() for name, run in runs.items()}, 1e-9)
    runs["NumPy primal"] = partial(primal, batches)
    report.time(f"{BATCHES} x {PATHS:,} paths x {DAYS} steps", runs, "ms")
    report.finish()


if __name__ == "__main__":
    main()
