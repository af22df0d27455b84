"""What does a sampler pay for a hierarchical model: its log-density and gradient, 175 parameters?

Varying intercepts and slopes in 85 counties, 919 observations, five hyperparameters, as in the
radon data of Minnesota; the data here are drawn from the model. A county's intercept and slope
are its standardised deviations times a scale (the non-centred form); scales are exponentials.
"first call" is the time until the first gradient is there.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from alternate import Report, Samples, arguments
from objectives.asking import load_jax, load_torch
from peers import Array, check_agreement

COUNTIES, OBSERVATIONS, HYPERPARAMETERS = 85, 919, 5
Runs = dict[str, Callable[[], Any]]


def data() -> tuple[Array, Array, Array, Array]:
    """Parameters near the truth; the county, floor and radon level of each observation."""
    rng = np.random.default_rng(919)
    county = np.concatenate(
        [np.arange(COUNTIES), rng.integers(0, COUNTIES, OBSERVATIONS - COUNTIES)]
    )
    floor = (rng.uniform(size=OBSERVATIONS) < 0.17).astype(float)
    deviations = rng.normal(size=2 * COUNTIES)
    hyper = np.array([1.5, -0.7, np.log(0.3), np.log(0.3), np.log(0.75)])
    q = np.concatenate([deviations, hyper])
    mean = predicted(q, county, floor)
    return q, county, floor, rng.normal(mean, np.exp(hyper[4]))


def predicted(q, county, floor, xp=np):
    """The mean of each observation."""
    hyper = q[2 * COUNTIES :]
    intercepts = hyper[0] + xp.exp(hyper[2]) * q[:COUNTIES]
    slopes = hyper[1] + xp.exp(hyper[3]) * q[COUNTIES : 2 * COUNTIES]
    return intercepts[county] + slopes[county] * floor


def log_density(q, county, floor, level, xp=np):
    """Up to a constant: normal data, deviations and means; half-normal scales, their Jacobians."""
    deviations, hyper = q[: 2 * COUNTIES], q[2 * COUNTIES :]
    noise = hyper[4]
    errors = (level - predicted(q, county, floor, xp)) * xp.exp(-noise)
    prior = -0.5 * (deviations**2).sum() - 0.5 * (hyper[:2] ** 2).sum() / 100
    scales = -0.5 * xp.exp(2 * hyper[2:]).sum() + hyper[2:].sum()
    return prior + scales - 0.5 * (errors**2).sum() - OBSERVATIONS * noise


def by_hand(q: Array, county: Array, floor: Array, level: Array) -> tuple[float, Array]:
    hyper = q[2 * COUNTIES :]
    scales = np.exp(hyper[2:])
    means = hyper[0] + scales[0] * q[:COUNTIES], hyper[1] + scales[1] * q[COUNTIES : 2 * COUNTIES]
    errors = (level - means[0][county] - means[1][county] * floor) / scales[2]
    pull = errors / scales[2]
    sums = (
        np.bincount(county, pull, minlength=COUNTIES),
        np.bincount(county, pull * floor, minlength=COUNTIES),
    )
    gradient = np.empty_like(q)
    gradient[2 * COUNTIES + 2 :] = 1 - scales**2
    for i, total in enumerate(sums):
        mine = slice(i * COUNTIES, (i + 1) * COUNTIES)
        gradient[mine] = scales[i] * total - q[mine]
        gradient[2 * COUNTIES + i] = total.sum() - hyper[i] / 100
        gradient[2 * COUNTIES + 2 + i] += scales[i] * (total @ q[mine])
    misfit = errors @ errors
    gradient[-1] += misfit - OBSERVATIONS
    deviations = q[: 2 * COUNTIES]
    prior = -0.5 * (deviations @ deviations) - 0.5 * (hyper[:2] @ hyper[:2]) / 100
    value = prior - 0.5 * (scales @ scales) + hyper[2:].sum() - 0.5 * misfit
    return value - OBSERVATIONS * hyper[4], gradient


def in_qiudao(q: Array, *rest: Array) -> Runs:
    import qiudao as qd

    both = qd.value_and_grad(log_density)
    runs: Runs = {"qiudao": lambda: both(q, *rest)}
    if hasattr(qd, "jit"):
        native = qd.jit(both)
        closed = qd.jit(lambda q: both(q, *rest))
        runs["qiudao.jit"] = lambda: native(q, *rest)
        runs["qiudao.jit, closed"] = lambda: closed(q)  # the data are constants of the function
    return runs


def in_jax(q: Array, *rest: Array) -> Runs:
    jax = load_jax()
    both = jax.value_and_grad(lambda *args: log_density(*args, jax.numpy))
    args = [jax.numpy.asarray(arg) for arg in (q, *rest)]
    native = jax.jit(both)
    closed = jax.jit(lambda q: both(q, *args[1:]))
    return {
        "jax.jit": lambda: jax.block_until_ready(native(*args)),
        "jax.jit, closed": lambda: jax.block_until_ready(closed(args[0])),
    }


def in_torch(q: Array, *rest: Array) -> Runs:
    torch = load_torch()
    leaf = torch.from_numpy(q).requires_grad_()
    data = [torch.from_numpy(x) for x in rest]

    def both():
        value = log_density(leaf, *data, torch)
        return value.detach(), torch.autograd.grad(value, leaf)[0]

    return {"torch": both}


def main() -> None:
    options = arguments(__doc__, rounds=15)
    report = Report("hierarchical", __doc__, options, reference="qiudao.jit")
    args = data()
    runs = report.contenders({"qiudao": in_qiudao, "jax": in_jax, "torch": in_torch}, *args)
    runs["by hand"] = lambda: by_hand(*args)
    ready, answers = {}, {}
    for name, run in runs.items():
        start = perf_counter()
        answers[name] = run()
        ready[name] = Samples((perf_counter() - start,))
    check_agreement("hierarchical", answers, 1e-9)
    report.add("first call", ready, "ms")
    report.time("log-density and gradient", runs, "us")
    report.finish()


if __name__ == "__main__":
    main()
