"""Traced scans and branches as linear maps: linearised once, applied again, transposed."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.core.errors import RuleError
from transforms.control.loops_and_branches import (
    FUNCTIONS,
    counted,
    nested,
    remembered,
    until_large,
)
from transforms.control.tracing import agree, run_one

X = np.linspace(0.3, 1.5, 5)
OF_UNKNOWN_LENGTH = {counted, nested, remembered, until_large}
LINEAR = [f for f in FUNCTIONS if f not in OF_UNKNOWN_LENGTH]


@pytest.mark.parametrize("f", LINEAR, ids=lambda f: f.__name__)
def test_linearize(f):
    agree(lambda x: qd.linearize(f, x)[1](2.0), 0.62)
    agree(lambda xs: qd.linearize(qd.vmap(f), xs)[1](xs), X)
    agree(qd.grad(lambda x: qd.linearize(f, x)[1](x)), 0.62)


@pytest.mark.parametrize("f", LINEAR, ids=lambda f: f.__name__)
def test_a_derivative_is_transposed(f):
    agree(lambda x: qd.linear_transpose(lambda dx: qd.jvp(f, (x,), (dx,))[1], x)(3.0)[0], 0.62)


@pytest.mark.parametrize("f", LINEAR, ids=lambda f: f.__name__)
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


def test_a_loop_of_unknown_length_is_refused():
    with pytest.raises(RuleError, match="a traced loop is no linear map that could be applied"):
        run_one(lambda x: qd.linearize(until_large, x)[1](1.0), 0.62)
