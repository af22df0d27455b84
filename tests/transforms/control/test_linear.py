"""Traced loops and branches as linear maps: linearised once, applied again, transposed."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.core.errors import RuleError
from transforms.control.loops_and_branches import FUNCTIONS, until_large
from transforms.control.tracing import agree, run, run_one

X = np.linspace(0.3, 1.5, 5)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_linearize(f):
    agree(lambda x: qd.linearize(f, x)[1](2.0), 0.62)
    agree(lambda xs: qd.linearize(qd.vmap(f), xs)[1](xs), X)
    agree(qd.grad(lambda x: qd.linearize(f, x)[1](x)), 0.62)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_a_derivative_is_transposed(f):
    agree(lambda x: qd.linear_transpose(lambda dx: qd.jvp(f, (x,), (dx,))[1], x)(3.0)[0], 0.62)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_a_program_is_linearised(f):
    program = qd.trace(f)(np.float64(0.62))
    value, change = qd.linearize(lambda x: program(x)[0], 0.62)
    close(value, f(0.62))
    close(change(2.0), 2 * qd.grad(f)(0.62))


def smooth(x):
    """Running averages: linear in x, from a start of zero."""
    return qd.scan(lambda c, k: (0.9 * c + k, c - k), 0.0, x)[1]


def test_linear_functions_are_transposed():
    matrix = np.stack([smooth(e) for e in np.eye(5)], axis=1)
    close(run_one(lambda ct: qd.linear_transpose(smooth, X)(ct)[0], X), matrix.T @ X)
    f = lambda x: qd.cond(X[0] > 0, lambda x: 2 * x, lambda x: x, x)
    close(run_one(lambda ct: qd.linear_transpose(f, X)(ct)[0], X), 2 * X)
    g = lambda x, p: qd.linear_transpose(
        lambda x: qd.cond(p > 0, lambda x: 2 * x, np.negative, x), x
    )(x)[0]
    close(run_one(g, X, 1.0), 2 * X)
    close(run_one(g, X, -1.0), -X)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: qd.scan(lambda c, k: (c * k, c), x[0], x)[1],
        lambda x: qd.scan(lambda c, k: (c + k, c), 1.0, x)[1],
        lambda x: qd.cond(np.sum(X) > 0, np.sin, np.cos, x),
        lambda x: qd.switch(1, [np.sin, np.square], x),
    ],
)
def test_what_is_not_linear_is_refused(f):
    with pytest.raises(RuleError):
        run_one(lambda ct: qd.linear_transpose(f, X)(ct)[0], X)


def halved(x, p):
    """Linear in x: as many steps as p takes to fall to 1, each by the value of p."""

    def step(v):
        p, x, total = v
        return p / 2, x * np.cos(p) - 0.5 * total[::-1], total + x

    return qd.while_loop(lambda v: v[0] > 1, step, (p, x, np.zeros_like(x)))[1:]


def along(x, p, dx, dp):
    return qd.linearize(halved, x, p)[1](dx, dp)


@pytest.mark.parametrize("p", [0.5, 3.0, 2.0**40])
def test_loops_of_unknown_length(p):
    given = (X, p, X[::-1], 0.3)
    for found, expected in zip(run(along, *given), along(*given), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_record_with_too_few_rows_is_made_longer():
    given = (X, 2.0**90, X[::-1], 0.3)
    for found, expected in zip(qd.jit(along)(*given), along(*given), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_linear_loops_of_unknown_length_are_transposed():
    matrix = np.stack([halved(e, 7.0)[0] for e in np.eye(5)], axis=1)
    back = lambda ct, p: qd.linear_transpose(lambda x: halved(x, p)[0], X)(ct)[0]
    close(run_one(back, X, 7.0), matrix.T @ X)
    close(qd.jit(back)(X, 7.0), matrix.T @ X)


def test_derivatives_of_linear_maps_of_unknown_length():
    f = lambda x: qd.linearize(until_large, x)[1](1.0)
    close(run_one(f, 0.62), qd.grad(until_large)(0.62))
    second = qd.grad(qd.grad(until_large))(0.62)
    close(run_one(qd.grad(f), 0.62), second)
    close(qd.jvp(qd.jit(f), (0.62,), (1.0,))[1], second)
    xs = np.array([0.3, 0.62, 0.9])
    close(run_one(lambda xs: qd.vmap(f)(xs), xs), np.stack([qd.grad(until_large)(x) for x in xs]))


def test_a_loop_whose_end_hangs_on_the_tangents_is_refused():
    f = lambda x: qd.while_loop(lambda v: v[0] < 9, lambda v: v * 2, x)
    with pytest.raises(RuleError, match="while is not linear"):
        run_one(lambda ct: qd.linear_transpose(f, X)(ct)[0], X)
    g = lambda x: qd.while_loop(lambda v: v[0] < 9, lambda v: (v[0] + 1, v[1] + x), (0, 1.0 + X))[1]
    with pytest.raises(RuleError, match="while is not linear"):
        run_one(lambda ct: qd.linear_transpose(g, X)(ct)[0], X)
