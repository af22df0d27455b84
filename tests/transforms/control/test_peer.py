"""The gradients of loops and branches against those of jax, where it is installed."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from transforms.control.tracing import run, run_one

pytestmark = pytest.mark.peer

RNG = np.random.default_rng(0)
CELL = [RNG.normal(size=s) for s in [(3, 3), (3, 2), (3,), (6, 2)]]


@pytest.fixture
def jax():
    return pytest.importorskip("jax")


def cell_loss(np, scan, **options):
    def loss(w, u, b, xs):
        def cell(h, x):
            h = np.tanh(w @ h + u @ x + b)
            return h, h

        return np.sum(scan(cell, np.zeros(3), xs, **options)[1] ** 2)

    return loss


@pytest.mark.parametrize("reverse", [False, True])
def test_a_recurrent_cell(jax, reverse):
    ours = cell_loss(np, qd.scan, reverse=reverse)
    theirs = cell_loss(jax.numpy, jax.lax.scan, reverse=reverse)
    wanted = jax.grad(theirs, argnums=(0, 1, 2, 3))(*CELL)
    for found, grad in zip(run(qd.grad(ours, (0, 1, 2, 3)), *CELL), wanted, strict=True):
        close(found, grad)
    close(run_one(qd.hessian(ours), *CELL), jax.hessian(theirs)(*CELL), rtol=1e-11)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("n", range(1, 8))
def test_products_of_matrices(jax, n, reverse):
    a = RNG.normal(size=(n, 2, 2))
    for fn, theirs in [(np.matmul, jax.numpy.matmul), (np.multiply, jax.numpy.multiply)]:
        found = run_one(lambda a, fn=fn: qd.associative_scan(fn, a, reverse=reverse), a)
        close(found, jax.lax.associative_scan(theirs, a, reverse=reverse))


def decides(np, cond, while_loop):
    def f(x):
        y = while_loop(lambda v: v < 6.0, lambda v: v * 1.7 + np.sin(v) ** 2 * x, x)
        return cond(y > 7.0, np.sin, np.cos, y * x)

    return f


def test_loops_and_branches_in_a_batch(jax):
    xs = np.linspace(0.2, 5.0, 9)
    ours = qd.vmap(decides(np, qd.cond, qd.while_loop))
    theirs = jax.vmap(decides(jax.numpy, jax.lax.cond, jax.lax.while_loop))
    close(run_one(ours, xs), theirs(xs))
    close(run_one(lambda xs: qd.jvp(ours, (xs,), (xs,))[1], xs), jax.jvp(theirs, (xs,), (xs,))[1])
    close(run_one(qd.grad(lambda xs: np.sum(ours(xs))), xs), jax.jvp(theirs, (xs,), (xs**0,))[1])
