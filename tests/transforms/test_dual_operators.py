"""The short road of dual numbers gives what the general way gives."""

import operator
import threading
import warnings

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.tape.operators import BINARY, EXTREMES, UNARY
from qiudao.transforms.dual import Dual, one_operand, two_operands

A, DA = np.array([0.3, 0.7, 0.5]), np.array([1.0, -2.0, 0.5])
B, DB = np.array([0.6, 0.4, 0.9]), np.array([0.2, 0.0, -1.0])
DTYPES = ["f2", "f4", "f8", "c8", "c16"]

OPERATORS = {name: getattr(operator, name) for name, *_ in BINARY}
OTHERS = {
    "a dual": None,
    "an array": B,
    "an array of another dtype": B.astype(np.float32),
    "a column": B[:, None],
    "whole numbers": np.array([2, 3, 1]),
    "no axes": np.array(0.6),
    "a number": 0.6,
    "a whole number": 2,
    "NumPy's number": np.float64(0.6),
    "a complex number": 0.6 + 0.2j,
    "a tensor": qd.tensor(B),
    "a tensor that requires grad": qd.tensor(B, requires_grad=True),
}


def both_ways(f, primals, tangents, monkeypatch):
    """What `jvp` gives on the short road, and without it."""
    short = qd.jvp(f, primals, tangents)
    with monkeypatch.context() as without:
        for name in list(vars(Dual)):
            if name.removeprefix("__r").strip("_") in (*OPERATORS, "neg") or name == "__neg__":
                without.delattr(Dual, name)
        for roads in (one_operand, two_operands):
            for ufunc in list(roads):
                without.delitem(roads, ufunc)
        general = qd.jvp(f, primals, tangents)
    return short, general


def alike(short, general):
    """Hold that pairs of value and tangent have the same types, dtypes and numbers."""
    for one, other in zip(short, general, strict=True):
        assert type(one) is type(other)
        assert one.dtype == other.dtype
        close(one, other, rtol=1e-15, atol=0.0)


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name, other, monkeypatch):
    op = OPERATORS[name]
    if other is None:
        alike(*both_ways(op, (A, B), (DA, DB), monkeypatch))
        return
    if name == "matmul" and np.shape(other) != (3,):
        return
    alike(*both_ways(lambda x: op(x, other), (A,), (DA,), monkeypatch))
    alike(*both_ways(lambda x: op(other, x), (A,), (DA,), monkeypatch))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (3, 1)])
def test_dtypes_and_shapes(dtype, shape, monkeypatch):
    a = np.resize(A, shape).astype(dtype)[()]
    da = np.resize(DA, shape).astype(dtype)[()]
    alike(*both_ways(lambda x: (2.0 * x - x / 3) * x, (a,), (da,), monkeypatch))
    alike(*both_ways(lambda x: -(x**2) + np.exp(x) * 2, (a,), (da,), monkeypatch))


@pytest.mark.parametrize("ufunc", [u for u, _ in UNARY], ids=lambda u: u.__name__)
def test_functions(ufunc, monkeypatch):
    at = 1.0 + A if ufunc is np.arccosh else A
    alike(*both_ways(ufunc, (at,), (DA,), monkeypatch))
    assert ufunc in one_operand


@pytest.mark.parametrize("ufunc", [u for u, _ in EXTREMES], ids=["maximum", "minimum"])
def test_extremes(ufunc, monkeypatch):
    alike(*both_ways(ufunc, (A, B), (DA, DB), monkeypatch))
    alike(*both_ways(lambda x: ufunc(0.5, x), (A,), (DA,), monkeypatch))
    assert ufunc in two_operands


def test_a_constant_tensor_keeps_the_road_short_and_the_result_a_tensor():
    w = qd.tensor(B)
    y, dy = qd.jvp(lambda x: np.sin(x * w), (A,), (DA,))
    assert isinstance(y, qd.Tensor)
    assert isinstance(dy, qd.Tensor)
    close(dy, np.cos(A * B) * B * DA)


def test_a_tensor_of_the_tape_gets_its_gradient_through_forward_mode():
    w = qd.tensor(B, requires_grad=True)
    np.sum(qd.jvp(lambda x: np.sin(x * w), (A,), (DA,))[1]).backward()
    close(w.grad, (np.cos(A * B) - A * B * np.sin(A * B)) * DA)


@pytest.mark.parametrize("outer", [qd.grad, qd.jacfwd, qd.jacrev])
def test_a_gradient_of_an_outer_value_inside(outer):
    """d/dy of y d(x^2 y)/dx at x = 3: neither level takes the other's tangents for its own."""

    def f(y):
        return y * qd.jvp(lambda x: x * x * y, (3.0,), (1.0,))[1]

    close(outer(f)(0.5), 6.0)


def test_values_warn_as_numpys_do_and_tangents_do_not():
    with pytest.warns(RuntimeWarning, match="overflow"):
        qd.jvp(lambda x: x * 1e300, (np.array([1e300]),), (np.array([1.0]),))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y, dy = qd.jvp(lambda x: np.sqrt(x) * 2.0, (np.array([0.0]),), (np.array([1e300]),))
    assert y == 0
    assert dy == np.inf


def test_a_direction_that_does_not_move_an_operand_meets_no_pole():
    assert qd.jvp(np.sqrt, (np.zeros(2),), (np.array([0.0, 1.0]),))[1].tolist() == [0.0, np.inf]


def test_no_tangent_while_recording_is_off():
    def f(x):
        with qd.no_grad():
            constant = x * x
        return constant * x

    close(qd.jvp(f, (A,), (DA,))[1], A * A * DA)


def test_threads_have_their_own():
    found = [None] * 4

    def work(k):
        found[k] = qd.jvp(lambda x: np.sin(x) * x, (A + k,), (DA,))[1]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    for k, dy in enumerate(found):
        close(dy, (np.cos(A + k) * (A + k) + np.sin(A + k)) * DA)


def test_what_asks_not_to_be_met_is_left_the_operator():
    class Other:
        __array_ufunc__ = None

        def __rmul__(self, x):
            return "mine"

    seen = []
    qd.jvp(lambda x: (seen.append(x * Other()), x)[1], (A,), (DA,))
    assert seen == ["mine"]


@pytest.mark.parametrize("size", [3, 5000])
@pytest.mark.parametrize("name", OPERATORS)
def test_operators_in_several_directions(name, size):
    op = OPERATORS[name]
    row = np.linspace(0.5, 1.5, size)

    def f(p):
        a, b = p[0] * row, p[1] + row
        if name == "matmul":
            return op(a, b) * row
        return op(op(a, b), op(2.0, a)) - p[2] * op(a, p[1])

    columns = [qd.jvp(f, (A,), (e,))[1] for e in np.eye(3)]
    close(qd.jacfwd(f)(A), np.stack(columns, axis=1))
    close(qd.jacfwd(f)(A.astype(np.float32)), np.stack(columns, axis=1), 1e-5, 1e-6)
    if size == 3:
        close(qd.jacfwd(f)(A), qd.jacrev(f)(A))


@pytest.mark.parametrize("ufunc", [u for u, _ in UNARY], ids=lambda u: u.__name__)
def test_functions_in_several_directions(ufunc):
    start = 1.5 if ufunc is np.arccosh else 0.1
    row = np.linspace(0.1, 0.4, 4)

    def f(p):
        return ufunc(start + p[0] * row) * p[1] + ufunc(start + p[2])

    close(qd.jacfwd(f)(A), qd.jacrev(f)(A))


def test_directions_that_do_not_move_a_value_cost_nothing_and_meet_no_pole():
    def f(p):
        return p[0] * np.sqrt(p[1] * np.zeros(3)) + p[2]

    found = qd.jacfwd(f)(A)
    close(found[:, 2], np.ones(3))
    close(found[:, 0], np.zeros(3))
