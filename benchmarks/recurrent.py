"""What does an iteration of a small recurrent cell cost, forward and back?

    h' = tanh(W h + U x + b),   14 wide, 1,000 steps; gradient of the mean of all h^2 by W, U, b

qiudao has the plain Python loop and, where it is there, `qd.scan`; jax has `lax.scan`. The C
keeps all h, and goes back through them by hand.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from alternate import Report, arguments
from ctool import aligned, build, call
from objectives.asking import load_jax, load_torch
from peers import Array, check_agreement

WIDTH, PADDED, STEPS = 14, 16, 1_000
# Rows are padded to 16, four vectors that stay in registers. What does not depend on the state
# before (U x + b), and what nothing waits for (the sums over steps), is outside of the two chains.
SOURCE = """
#include <math.h>
#include <string.h>
#define N 14
#define P 16
#define QUARTERS 4
typedef double quarter __attribute__((vector_size(32)));
typedef struct { quarter part[QUARTERS]; } row;

static inline row plus(row y, row other) {
    for (int q = 0; q < QUARTERS; q++) y.part[q] += other.part[q];
    return y;
}

static inline row plus_scaled(row y, row other, double scale) {
    for (int q = 0; q < QUARTERS; q++) y.part[q] += other.part[q] * scale;
    return y;
}

/* y + a sum of rows, in two chains */
static inline row plus_product(row y, const row *rows, const double *scales) {
    row odd = {0};
    for (int j = 0; j < N; j += 2) {
        y = plus_scaled(y, rows[j], scales[j]);
        odd = plus_scaled(odd, rows[j + 1], scales[j + 1]);
    }
    return plus(y, odd);
}

static void sum_products(double *out, const row *slopes, const double *others, long stride,
                         long steps) {
    for (int j = 0; j < N; j++) {
        row sum = {0}, odd = {0};
        long t = 0;
        for (; t + 1 < steps; t += 2) {
            sum = plus_scaled(sum, slopes[t], others[t * stride + j]);
            odd = plus_scaled(odd, slopes[t + 1], others[(t + 1) * stride + j]);
        }
        if (t < steps) sum = plus_scaled(sum, slopes[t], others[t * stride + j]);
        sum = plus(sum, odd);
        for (int i = 0; i < N; i++) out[i * N + j] = ((double *)&sum)[i];
    }
}

double recurrent(const double *w, const double *u, const double *b, const double *xs,
                 double *states, double *kept, double *by_w, double *by_u, double *by_b,
                 long steps) {
    row columns_w[N] = {0}, columns_u[N] = {0}, rows_w[N] = {0}, bias = {0};
    row *h = (row *)states, *slopes = (row *)kept;
    for (int i = 0; i < N; i++) {
        ((double *)&bias)[i] = b[i];
        for (int j = 0; j < N; j++) {
            ((double *)&columns_w[j])[i] = ((double *)&rows_w[i])[j] = w[i * N + j];
            ((double *)&columns_u[j])[i] = u[i * N + j];
        }
    }
    for (long t = 0; t < steps; t++) slopes[t] = plus_product(bias, columns_u, xs + t * N);
    memset(h, 0, sizeof(row));
    for (long t = 0; t < steps; t++) {
        row y = plus_product(slopes[t], columns_w, (double *)&h[t]);
        double in[P], out[P];
        memcpy(in, &y, sizeof y);
#pragma GCC unroll 1  /* unrolled first, the exponentials would not be vectorised */
        for (int i = 0; i < P; i++) out[i] = 1.0 - 2.0 / (exp(2.0 * in[i]) + 1.0);
        memcpy(&h[t + 1], out, sizeof out);
    }
    double loss = 0.0, scale = 1.0 / (steps * N);
    for (long i = P; i < (steps + 1) * P; i++) loss += states[i] * states[i];
    row adjoint = {0}, sum = {0};
    for (long t = steps - 1; t >= 0; t--) {
        row next = h[t + 1], slope;
        for (int q = 0; q < QUARTERS; q++)
            slope.part[q] = (adjoint.part[q] + 2.0 * scale * next.part[q])
                          * (1.0 - next.part[q] * next.part[q]);
        slopes[t] = slope;
        sum = plus(sum, slope);
        adjoint = plus_product((row){0}, rows_w, (double *)&slopes[t]);
    }
    for (int i = 0; i < N; i++) by_b[i] = ((double *)&sum)[i];
    sum_products(by_w, slopes, states, P, steps);
    sum_products(by_u, slopes, xs, N, steps);
    return loss * scale;
}
"""
Runs = dict[str, Callable[[], Any]]


def cell(w, u, b, h, x, xp=np):
    return xp.tanh(w @ h + u @ x + b)


def looped(w, u, b, xs, xp=np):
    """The plain loop."""
    h = xp.zeros_like(b)
    total = 0.0
    for x in xs:
        h = cell(w, u, b, h, x, xp)
        total = total + (h**2).sum()
    return total / (len(xs) * len(b))


def scanned(w, u, b, xs, scan, xp=np):
    """The loop as a call."""

    def advance(h, x):
        h = cell(w, u, b, h, x, xp)
        return h, (h**2).sum()

    _, squares = scan(advance, xp.zeros_like(b), xs)
    return squares.sum() / (len(xs) * len(b))


def inputs() -> tuple[Array, Array, Array, Array]:
    rng = np.random.default_rng(WIDTH)
    w, u = rng.normal(size=(2, WIDTH, WIDTH)) / np.sqrt(WIDTH)
    return w, u, rng.normal(size=WIDTH), rng.normal(size=(STEPS, WIDTH))


def in_c(library: Any, args: tuple[Array, ...]) -> Runs:
    outs = [np.empty_like(x) for x in args[:3]]
    states, slopes = aligned((STEPS + 1) * PADDED), aligned(STEPS * PADDED)
    run = call(library.recurrent, *args, states, slopes, *outs, STEPS)

    def gradient():
        run()
        return outs

    return {"C": gradient}


def in_qiudao(*args: Array) -> Runs:
    import qiudao as qd

    by = (0, 1, 2)
    gradient = qd.grad(looped, by)
    runs: Runs = {"qiudao": lambda: gradient(*args)}
    if hasattr(qd, "jit"):
        native = qd.jit(gradient)
        runs["qiudao.jit"] = lambda: native(*args)
    if hasattr(qd, "jit") and hasattr(qd, "scan"):
        with_scan = qd.jit(qd.grad(partial(scanned, scan=qd.scan), by))
        runs["qiudao.jit, scan"] = lambda: with_scan(*args)
    return runs


def in_jax(*args: Array) -> Runs:
    jax = load_jax()
    f = partial(scanned, scan=jax.lax.scan, xp=jax.numpy)
    native = jax.jit(jax.grad(f, (0, 1, 2)))
    given = [jax.numpy.asarray(arg) for arg in args]
    return {"jax.jit": lambda: jax.block_until_ready(native(*given))}


def in_torch(*args: Array) -> Runs:
    torch = load_torch()
    leaves = [torch.from_numpy(x.copy()).requires_grad_() for x in args[:3]]
    xs = torch.from_numpy(args[3])
    return {"torch": lambda: torch.autograd.grad(looped(*leaves, xs, torch), leaves)}


def main() -> None:
    options = arguments(__doc__, rounds=5)
    report = Report("recurrent", __doc__, options, reference="qiudao.jit")
    args = inputs()
    runs = report.contenders({"qiudao": in_qiudao, "jax": in_jax, "torch": in_torch}, *args)
    library = build(SOURCE, report)
    if library is not None:
        runs |= in_c(library, args)
    check_agreement("recurrent", {name: run() for name, run in runs.items()}, 1e-9)
    report.time(f"gradient, {STEPS:,} steps", runs, "us")
    report.finish()


if __name__ == "__main__":
    main()
