"""How near is fused elementwise code, value and gradient, to hand-written C?

    f(x) = sum(exp(-x^2) sin(x) / (1 + x^2)),   n from a thousand to ten million

The C calls every function once, by way of glibc's vector mathematics; sine and cosine stand in
loops of their own, over blocks that stay in the cache, since gcc fuses the two of one loop into a
call that it cannot vectorise.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from alternate import Report, arguments
from ctool import build, call
from objectives.asking import load_jax, load_torch
from peers import Array, check_agreement

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
SOURCE = """
#include <math.h>
#define BLOCK 256

double fused(const double *restrict x, double *restrict slope, long n) {
    double total = 0.0;
    for (long start = 0; start < n; start += BLOCK) {
        long length = n - start < BLOCK ? n - start : BLOCK;
        const double *t = x + start;
        double wave[BLOCK];
        for (long i = 0; i < length; i++) wave[i] = sin(t[i]);
        for (long i = 0; i < length; i++) {
            double square = t[i] * t[i], share = 1.0 / (1.0 + square);
            double fall = exp(-square) * share;
            double value = fall * wave[i];
            total += value;
            slope[start + i] = fall * cos(t[i]) - 2.0 * t[i] * value * (1.0 + share);
        }
    }
    return total;
}
"""
Runs = dict[str, Callable[[], Any]]


def f(x, xp=np):
    return xp.sum(xp.exp(-(x**2)) * xp.sin(x) / (1 + x**2))


def by_hand(x: Array) -> tuple[float, Array]:
    square = x**2
    fall = np.exp(-square) / (1 + square)
    value = fall * np.sin(x)
    return value.sum(), fall * np.cos(x) - 2 * x * value * (1 + 1 / (1 + square))


def in_c(library: Any, x: Array) -> Runs:
    slope = np.empty_like(x)
    run = call(library.fused, x, slope, x.size)
    return {"C": lambda: (run(), slope)}


def in_qiudao(x: Array) -> Runs:
    import qiudao as qd

    both = qd.value_and_grad(f)
    runs: Runs = {"qiudao": lambda: both(x)}
    if hasattr(qd, "jit"):
        native = qd.jit(both)
        runs["qiudao.jit"] = lambda: native(x)
    return runs


def in_jax(x: Array) -> Runs:
    jax = load_jax()
    both = jax.jit(jax.value_and_grad(lambda x: f(x, jax.numpy)))
    given = jax.numpy.asarray(x)
    return {"jax.jit": lambda: jax.block_until_ready(both(given))}


def in_torch(x: Array) -> Runs:
    torch = load_torch()
    leaf = torch.from_numpy(x).requires_grad_()

    def both(f):
        value = f(leaf, torch)
        return value.detach(), torch.autograd.grad(value, leaf)[0]

    torch.compiler.reset()  # each size is compiled for itself
    return {"torch": partial(both, f), "torch.compile": partial(both, torch.compile(f))}


def main() -> None:
    options = arguments(__doc__, rounds=7)
    report = Report("fused", __doc__, options, reference="qiudao.jit")
    library = build(SOURCE, report)
    for size in SIZES:
        case = f"n = {size:,}"
        if not report.wants(case):
            continue
        x = np.random.default_rng(size).normal(size=size)
        runs = report.contenders({"qiudao": in_qiudao, "jax": in_jax, "torch": in_torch}, x)
        runs["by hand"] = partial(by_hand, x)
        if library is not None:
            runs |= in_c(library, x)
        check_agreement(case, {name: run() for name, run in runs.items()}, 1e-9)
        report.time(case, runs, "us")
    report.finish()


if __name__ == "__main__":
    main()
