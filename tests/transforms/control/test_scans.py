"""`scan`, `map` and `associative_scan`."""

import itertools

import numpy as np
import pytest

import qiudao as qd
from checking import close, same
from qiudao.core.errors import TraceError
from transforms.control.tracing import agree, run, run_one

X = np.linspace(0.2, 1.4, 7)


def sums(c, x):
    return c + x, c * x


@pytest.mark.parametrize("reverse", [False, True])
def test_a_scan_is_a_loop(reverse):
    c, ys = 2.0, np.zeros(7)
    for k in reversed(range(7)) if reverse else range(7):
        c, ys[k] = sums(c, X[k])
    for last, stacked in (
        qd.scan(sums, 2.0, X, reverse=reverse),
        run(lambda x: qd.scan(sums, 2.0, x, reverse=reverse), X),
    ):
        close(last, c)
        close(stacked, ys)


def test_containers_are_carried_and_stepped_through():
    def f(x):
        return qd.scan(
            lambda c, s: ((c[0] + s["a"], {"n": c[1]["n"] + 1}), (s["b"].sum(), [c[0]])),
            (0.0, {"n": 0}),
            {"a": x, "b": np.outer(x, x)},
        )

    carry, ys = f(X)
    same(carry, (np.float64(X.sum()), {"n": 7}))
    close(ys[0], X * X.sum())
    close(ys[1][0], np.cumsum(X) - X)
    for found, wanted in zip(run(f, X), [X.sum(), 7, ys[0], ys[1][0]], strict=True):
        close(found, wanted)


def test_a_length_without_xs():
    f = lambda x: qd.scan(lambda c, _: (c * x, c), 1.0, length=4)[1]
    close(f(2.0), [1, 2, 4, 8])
    agree(f, 2.0)
    agree(qd.jacrev(f), 2.0)


def test_nothing_to_stack():
    last, ys = qd.scan(lambda c, x: (c + x, None), 0.0, X)
    close(last, X.sum())
    assert ys is None
    agree(lambda x: qd.scan(lambda c, x: (c + x, None), 0.0, x)[0], X)


@pytest.mark.parametrize("reverse", [False, True])
def test_no_steps(reverse):
    f = lambda x: qd.scan(
        lambda c, k: (c * k, (c * k, np.outer(x, x))), x[0], x[:0], reverse=reverse
    )
    last, (ys, outer) = f(X)
    assert (last, ys.shape, outer.shape) == (X[0], (0,), (0, 7, 7))
    for found, wanted in zip(run(f, X), (last, ys, outer), strict=True):
        close(found, wanted)
    g = lambda x: f(x)[0] + np.sum(f(x)[1][0])
    agree(qd.grad(g), X)
    agree(qd.hessian(g), X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_dtypes(dtype):
    x = X.astype(dtype)
    f = lambda x: np.sum(qd.scan(lambda c, k: (c * k + x[0], c), 1, x)[1])
    agree(f, x, rtol=1e-5)
    agree(qd.grad(lambda x: np.real(f(x))), x, rtol=1e-5)


CHUNKS = ["sqrt", 1, 2, 3, 7, 9]


@pytest.mark.parametrize("chunk, reverse", list(itertools.product(CHUNKS, [False, True])))
def test_checkpoints_change_nothing(chunk, reverse):
    def f(x, **options):
        last, ys = qd.scan(
            lambda c, k: (np.sin(c) * k + c, c * k), x[0], x, reverse=reverse, **options
        )
        return last + np.sum(ys * x)

    g = lambda x: f(x, checkpoint=chunk)
    close(g(X), f(X))
    close(qd.grad(g)(X), qd.grad(f)(X))
    agree(g, X)
    agree(qd.grad(g), X)
    agree(qd.hessian(g), X)


def carries_kept(f):
    """How many elements the records of the scans at the top of the gradient's program hold."""
    program = qd.trace(qd.grad(f))(np.float64(0.5))
    scans = [e.primitive for e in program.equations if e.primitive.name == "scan"]
    return sum(s.length for s in scans if s.record)


@pytest.mark.parametrize("chunk, kept", [(None, 100), ("sqrt", 10), (20, 5)])
def test_checkpoints_keep_fewer_carries(chunk, kept):
    f = lambda x: qd.scan(lambda c, _: (np.sin(c) * x, None), x, length=100, checkpoint=chunk)[0]
    assert carries_kept(f) == kept


def test_a_record_is_taken_only_where_a_sweep_will_read_it():
    program = qd.trace(lambda x: qd.scan(sums, 0.0, x))(X)
    assert not any(getattr(e.primitive, "record", False) for e in program.equations)


def test_map_stacks():
    f = lambda x: qd.map(lambda k: {"s": np.sin(k) * x[0], "n": 1}, x)
    same(f(X), {"s": np.sin(X) * X[0], "n": np.ones(7, int)})
    n, s = run(f, X)
    close(n, np.ones(7))
    close(s, np.sin(X) * X[0])
    agree(qd.jacfwd(lambda x: f(x)["s"]), X)
    agree(qd.jacrev(lambda x: f(x)["s"]), X)


@pytest.mark.parametrize("n", range(10))
@pytest.mark.parametrize("reverse", [False, True])
def test_running_products(n, reverse):
    x = np.linspace(0.5, 1.5, n)
    wanted = np.multiply.accumulate(x[::-1])[::-1] if reverse else np.multiply.accumulate(x)
    close(qd.associative_scan(np.multiply, x, reverse=reverse), wanted)
    close(run_one(lambda x: qd.associative_scan(np.multiply, x, reverse=reverse), x), wanted)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_running_products_along_an_axis(axis):
    a = np.arange(1.0, 16.0).reshape(3, 5)
    close(qd.associative_scan(np.multiply, a, axis=axis), np.multiply.accumulate(a, axis))


def test_matrices_are_multiplied_in_order():
    def f(a):
        return qd.associative_scan(lambda p, q: {"m": q["m"] @ p["m"]}, {"m": a})["m"]

    a = np.random.default_rng(0).normal(size=(5, 2, 2))
    close(f(a), list(itertools.accumulate(a, lambda p, q: q @ p)))
    agree(f, a)
    agree(qd.grad(lambda a: np.sum(np.sin(f(a)))), a)


def test_a_recurrent_cell():
    """A cell of several weights, its gradient over all of them, batched."""

    def loss(w, u, b, xs):
        def cell(h, x):
            h = np.tanh(w @ h + u @ x + b)
            return h, h

        return np.sum(qd.scan(cell, np.zeros(3), xs)[1] ** 2)

    rng = np.random.default_rng(0)
    args = [rng.normal(size=s) for s in [(3, 3), (3, 2), (3,), (4, 2)]]
    g = qd.grad(loss, argnums=(0, 1, 2, 3))
    for found, wanted in zip(run(g, *args), g(*args), strict=True):
        close(found, wanted)
    many = qd.vmap(g, (None, None, None, 0))
    args[3] = rng.normal(size=(5, 4, 2))
    for found, wanted in zip(run(many, *args), many(*args), strict=True):
        close(found, wanted)


def test_an_array_from_outside_is_not_written_into_by_a_traced_body():
    def counts(x):
        held = x * 0.0
        qd.scan(lambda c, _: (write(held, c), c), 1.0, length=3)
        return held

    def chooses(x):
        held = x * 0.0
        qd.cond(x[0] > 0, lambda c: write(held, c), lambda c: c, 1.0)
        return held

    def fills_its_own(x):
        def body(c, _):
            held = x * 2.0
            held[0] = 1.0
            held += 1.0
            return c + held, None

        return qd.scan(body, x, length=3)[0]

    def write(held, c):
        held[0] += 1.0
        return c

    x = np.arange(3.0)
    for f in (counts, chooses):
        f(x)  # run by Python
        with pytest.raises(TraceError, match="writes into an array that was made outside of it"):
            qd.trace(f)(x)
        with pytest.raises(TraceError, match="writes into an array that was made outside of it"):
            qd.trace(qd.grad(lambda x, f=f: np.sum(f(x))))(x)
    close(qd.trace(fills_its_own)(x)(x)[0], fills_its_own(x))
