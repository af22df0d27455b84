"""Taylor mode against nested derivatives, for many functions and to high order."""

import math

import numpy as np
import pytest

import qiudao as qd
from checking import close, same

M = np.array([[1.3, 0.2, -0.4], [0.1, 0.9, 0.3], [0.5, -0.2, 1.7]])
S = M @ M.T

ONE = {
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "arcsin": np.arcsin,
    "arctan": np.arctan,
    "sinh": np.sinh,
    "tanh": np.tanh,
    "arcsinh": np.arcsinh,
    "exp": np.exp,
    "expm1": np.expm1,
    "exp2": np.exp2,
    "log": np.log,
    "log1p": np.log1p,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "cbrt": np.cbrt,
    "square": np.square,
    "reciprocal": np.reciprocal,
    "power": lambda x: x**2.5,
    "cube": lambda x: x**3,
    "exponent": lambda x: 1.7**x,
    "to itself": lambda x: x**x,
    "quotient": lambda x: (1 + x) / (2 - x * x),
    "hypot": lambda x: np.hypot(x, 1 - x),
    "arctan2": lambda x: np.arctan2(x, 2 - x),
    "logaddexp": lambda x: np.logaddexp(x, -x),
    "absolute": lambda x: np.abs(x - 2),
    "maximum": lambda x: np.maximum(x**2, x**3),
    "where": lambda x: np.where(x > 0.5, x**3, x),
    "clip": lambda x: np.clip(x**2, 0.0, 10.0),
    "sinc": lambda x: np.sinc(x),
    "composed": lambda x: np.exp(np.sin(x * x)) / np.sqrt(1 + x),
}
MATRIX = {
    "matmul": lambda a: a @ a @ a,
    "einsum": lambda a: np.einsum("ij,jk,kl->il", a, a, a),
    "sum": lambda a: a.sum(0) ** 2,
    "prod": lambda a: np.prod(a, axis=1),
    "cumprod": lambda a: np.cumprod(a, axis=0),
    "norm": np.linalg.norm,
    "var": lambda a: np.var(a, axis=0),
    "softmax": lambda a: np.exp(a) / np.exp(a).sum(1, keepdims=True),
    "solve": lambda a: np.linalg.solve(a, a @ a),
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "slogdet": lambda a: np.linalg.slogdet(a)[1],
    "cholesky": lambda a: np.linalg.cholesky(S + a @ a.T),
    "qr": lambda a: np.linalg.qr(a)[1],
    "eigvalsh": lambda a: np.linalg.eigvalsh(a + a.T),
    "svd": lambda a: np.linalg.svd(a)[1],
    "write": lambda a: written(a),
    "gather": lambda a: a[[0, 2, 2]] ** 3,
    "sort": lambda a: np.sort(a.ravel() ** 3),
}


def written(a):
    b = np.zeros_like(a)
    b[1:] = a[:-1] * a[1:]
    b[0] += np.sin(a[2])
    return b


def nested(f, x, dx, order):
    """d^k f(x + t dx) / dt^k at 0 for k = 1..order, by forward mode inside itself."""

    def slope(g):
        return lambda t: qd.jvp(g, (t,), (1.0,))[1]

    g, found = lambda t: f(x + t * dx), []
    for _ in range(order):
        g = slope(g)
        found.append(np.asarray(g(0.0)))
    return found


def line(f, x, dx, order):
    """The same by Taylor mode."""
    zeros = np.zeros_like(np.asarray(dx, float))[()]
    _, coefficients = qd.jet(f, (x,), ([dx, *[zeros] * (order - 1)],))
    return [math.factorial(k + 1) * c for k, c in enumerate(coefficients)]


@pytest.mark.parametrize("name", ONE)
def test_a_function_of_one_number_to_fifth_order(name):
    found, wanted = line(ONE[name], 0.7, 1.3, 5), nested(ONE[name], 0.7, 1.3, 5)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", MATRIX)
def test_a_function_of_a_matrix_to_third_order(name):
    dx = np.cos(np.arange(9.0)).reshape(3, 3)
    found, wanted = line(MATRIX[name], M, dx, 3), nested(MATRIX[name], M, dx, 3)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", ONE)
def test_order_twenty_is_found_at_once(name):
    """Each coefficient is found once; were the work to double with each, this would not end."""
    _, coefficients = qd.jet(ONE[name], (0.7,), ([1.0] + [0.0] * 19,))
    assert np.isfinite(coefficients).all()


def test_a_circle_in_the_complex_plane_agrees_to_order_fifteen():
    n, radius = 64, 0.4
    points = 0.7 + radius * np.exp(2j * np.pi * np.arange(n) / n)
    for name in ("tanh", "quotient", "power", "composed", "sqrt"):
        wanted = np.fft.fft(ONE[name](points)).real / n / radius ** np.arange(n)
        _, found = qd.jet(ONE[name], (0.7,), ([1.0] + [0.0] * 14,))
        np.testing.assert_allclose(found, wanted[1:16], rtol=1e-5, atol=1e-5)


def test_high_order():
    _, coefficients = qd.jet(np.exp, (0.0,), ([1.0] + [0.0] * 29,))
    np.testing.assert_allclose(coefficients, [1 / math.factorial(k + 1) for k in range(30)])


def test_the_geometric_series():
    y, coefficients = qd.jet(lambda x: 1 / (1 - x), (0.0,), ([1.0] + [0.0] * 11,))
    np.testing.assert_allclose([y, *coefficients], np.ones(13))


def test_a_curved_path():
    # y(t) = sin(x(t)) with x(t) = t + t^2: coefficients t + t^2 - t^3/6 - t^4/2
    _, coefficients = qd.jet(np.sin, (0.0,), ([1.0, 1.0, 0.0, 0.0],))
    np.testing.assert_allclose(coefficients, [1.0, 1.0, -1 / 6, -1 / 2], atol=1e-15)


def test_several_arguments():
    _, coefficients = qd.jet(lambda x, y: x * y, (2.0, 3.0), ([1.0, 0.0], [1.0, 0.0]))
    np.testing.assert_allclose(coefficients, [5.0, 1.0])


def test_containers_in_and_out():
    def f(point, scale):
        return {"a": point["x"] * scale[0], "b": [point["y"] ** 2]}

    y, coefficients = qd.jet(
        f,
        ({"x": 2.0, "y": 3.0}, (5.0,)),
        ([{"x": 1.0, "y": 1.0}, {"x": 0.0, "y": 0.0}], [(1.0,), (0.0,)]),
    )
    same(y, {"a": 10.0, "b": [9.0]})
    same(coefficients, [{"a": 7.0, "b": [6.0]}, {"a": 1.0, "b": [1.0]}])


def test_no_coefficients_give_the_value():
    same(qd.jet(np.sin, (0.5,), ([],)), (np.sin(0.5), []))


def test_a_constant_result():
    y, coefficients = qd.jet(lambda x: 3.0, (1.0,), ([1.0, 0.0],))
    assert y == 3.0
    np.testing.assert_allclose(coefficients, [0.0, 0.0])


def test_coefficients_share_no_memory():
    x, dx = np.ones(2), np.ones(2)
    y, (one, other) = qd.jet(lambda x: x, (x,), ([dx, np.zeros(2)],))
    y += 5
    one += 5
    other += 5
    close(x, [1.0, 1.0])
    close(dx, [1.0, 1.0])
    _, (one, other) = qd.jet(lambda x: np.ones(2), (x,), ([dx, dx],))
    one += 5
    close(other, [0.0, 0.0])


def test_float32_stays_float32():
    y, coefficients = qd.jet(np.sin, (np.float32(0.5),), ([np.float32(1), np.float32(0)],))
    assert {c.dtype for c in [y, *coefficients]} == {np.dtype(np.float32)}


def test_complex_values():
    _, coefficients = qd.jet(np.exp, (0.3j,), ([1.0 + 0j, 0j],))
    np.testing.assert_allclose(coefficients, [np.exp(0.3j), np.exp(0.3j) / 2])


def test_branches_look_at_the_value():
    _, coefficients = qd.jet(lambda x: x**2 if x > 0 else x, (2.0,), ([1.0, 0.0],))
    np.testing.assert_allclose(coefficients, [4.0, 1.0])


@pytest.mark.parametrize("f", [np.sin, np.cosh, np.tanh])
def test_orders_in_the_hundreds(f):
    """A slope that is another function, whose slope is the first, is no deeper for that."""
    line = [1.0] + [0.0] * 299
    _, found = qd.jet(f, (0.0,), (line,))
    if f is np.tanh:  # y' = 1 - y^2
        _, squares = qd.jet(lambda x: f(x) ** 2, (0.0,), (line,))
        rates = np.arange(2, 301) * found[1:]
        np.testing.assert_allclose(rates, -np.array(squares[:-1]), rtol=1e-10, atol=1e-300)
        return
    wanted = [1.0 / math.factorial(k) for k in range(1, 171)]
    turns = [1, 0, -1, 0] if f is np.sin else [0, 1, 0, 1]
    close(np.array(found[:170]) / wanted, np.resize(turns, 170), 1e-10)
