"""Derivatives by differences: how close each method comes, and what it says of its error."""

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.errors import (
    DetachError,
    DtypeError,
    GradientError,
    NotDifferentiableError,
    ShapeError,
)

METHODS = ("forward", "central", "complex", "richardson")
POINTS = np.array([0.1, 0.25, 0.7, 1.0, 1.5, 3.0, 10.0])
FUNCTIONS = {
    "sin": (np.sin, np.cos),
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda x: 1 / x),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "cube": (lambda x: x**3, lambda x: 3 * x**2),
    "pole": (lambda x: 1 / x, lambda x: -1 / x**2),
    "steep": (lambda x: 1 + 1e-3 * np.sin(50 * x), lambda x: 0.05 * np.cos(50 * x)),
    "constant": (lambda x: 0 * x + 3, lambda x: 0 * x),
}
CLOSE = {
    ("forward", np.float64): 1e-5,
    ("central", np.float64): 1e-7,
    ("complex", np.float64): 1e-15,
    ("richardson", np.float64): 1e-11,
    ("forward", np.float32): 5e-2,
    ("central", np.float32): 4e-2,
    ("complex", np.float32): 1e-6,
    ("richardson", np.float32): 5e-4,
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_accuracy(name, method, dtype):
    f, slope = FUNCTIONS[name]
    x = POINTS.astype(dtype)
    if (name in ("log", "sqrt", "pole") and method in ("forward", "central")) or name == "steep":
        x = x[2:6]  # the plain differences have one step, which these points allow
    want = slope(x.astype(np.float64))
    got = qd.numeric.derivative(f, x, method=method)
    assert got.dtype == dtype
    loose = 100 if name == "steep" else 1
    np.testing.assert_allclose(got, want, rtol=loose * CLOSE[method, dtype], atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_error_is_honest(name, dtype):
    f, slope = FUNCTIONS[name]
    x = POINTS.astype(dtype)
    found = qd.numeric.derivative(f, x, full=True)
    error = np.abs(found.value - slope(x.astype(np.float64)))
    assert np.all(error <= 3 * found.error + 1e-300)
    assert np.all(found.error <= 1e-2 * (1 + np.abs(found.value)))
    assert found.step.shape == x.shape
    assert found.evaluations < 100


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_higher_orders(method, order):
    found = qd.numeric.derivative(np.exp, 0.5, order=order, method=method, full=True)
    tolerance = {"forward": 2e-3, "central": 2e-5, "complex": 1e-9, "richardson": 1e-7}[method]
    assert found.value == pytest.approx(np.exp(0.5), rel=tolerance)
    assert abs(found.value - np.exp(0.5)) < 3 * found.error + 1e-15


@pytest.mark.parametrize("x", [1e-200, 1e-10, 1e10, 1e200])
def test_extreme_points(x):
    assert qd.numeric.derivative(np.log, x) == pytest.approx(1 / x, rel=1e-10)
    assert qd.numeric.derivative(np.square, x / 1e60) == pytest.approx(2 * x / 1e60, rel=1e-10)


def test_a_scale_other_than_that_of_x():
    assert qd.numeric.derivative(np.sin, 1e6) == pytest.approx(np.cos(1e6), rel=1e-8)
    assert qd.numeric.derivative(lambda x: np.sin(1e6 * x), 0.0) == pytest.approx(1e6, rel=1e-8)
    assert qd.numeric.derivative(lambda x: 1 + np.sin(x), 1e-9) == pytest.approx(1.0, rel=1e-10)


def test_kinks_give_the_symmetric_derivative():
    assert qd.numeric.derivative(np.abs, 0.0) == 0
    assert qd.numeric.derivative(lambda x: np.maximum(x, 0), 0.0) == 0.5


def test_one_side_only():
    assert qd.numeric.derivative(np.sqrt, 1e-3, method="forward", step=1e-9) == pytest.approx(
        0.5 / np.sqrt(1e-3), rel=1e-5
    )
    found = qd.numeric.derivative(
        lambda x: np.sqrt(1 - x) ** 3, 1.0, method="forward", step=-1e-8, full=True
    )
    assert found.value == pytest.approx(0, abs=1e-3)
    assert found.step == pytest.approx(-1e-8)


def test_a_curve():
    got = qd.numeric.derivative(lambda t: np.array([[t, t**2], [np.sin(t), 1.0]]), 3.0)
    np.testing.assert_allclose(got, [[1, 6], [np.cos(3), 0]], atol=1e-11)


def test_plain_numbers():
    import math

    assert qd.numeric.derivative(math.sin, 1.0) == pytest.approx(math.cos(1))
    assert qd.numeric.derivative(lambda x: x * x, 3) == pytest.approx(6)  # an int is a number too
    assert isinstance(qd.numeric.derivative(np.sin, 1.0), np.float64)


def test_the_function_gets_plain_values():
    seen = []

    def f(x):
        seen.append(type(x))
        return x * x

    qd.numeric.derivative(f, 1.0)
    qd.numeric.gradient(lambda x: f(x)[0], np.ones(2))
    assert set(seen) == {np.float64, np.ndarray}


def test_the_argument_is_left_alone():
    def f(x):
        x *= 2
        return np.sum(x * x)

    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(qd.numeric.gradient(f, x), 8 * x)
    np.testing.assert_array_equal(x, [1.0, 2.0])


def test_what_an_estimate_shows():
    found = qd.numeric.derivative(np.sin, 0.5, method="central", full=True)
    assert repr(found).startswith("Estimate(value=")
    assert found.step == pytest.approx(6e-6, rel=0.1)
    assert found.evaluations == 5
    with pytest.raises(AttributeError):
        found.value = 1


# Complex points


def test_analytic_functions():
    z = np.array([1 + 2j, -0.5j])
    np.testing.assert_allclose(qd.numeric.derivative(np.exp, z), np.exp(z), rtol=1e-12)
    np.testing.assert_allclose(qd.numeric.derivative(np.sin, z, order=2), -np.sin(z), rtol=1e-9)
    single = qd.numeric.derivative(np.exp, z.astype(np.complex64))
    assert single.dtype == np.complex64
    np.testing.assert_allclose(single, np.exp(z), rtol=1e-4)


def test_real_functions_of_complex_numbers():
    z = np.array([3 + 4j, 1j])
    np.testing.assert_allclose(qd.numeric.derivative(np.abs, z), z / np.abs(z))


def test_complex_functions_of_real_numbers():
    got = qd.numeric.derivative(lambda t: np.exp(1j * t), np.array([0.0, 1.0]))
    np.testing.assert_allclose(got, 1j * np.exp(1j * np.array([0.0, 1.0])))


# Gradients and Jacobians


@pytest.mark.parametrize("method", METHODS)
def test_gradient(method):
    def f(p):
        return np.sum(p["w"] @ p["x"]) * p["b"][0]

    p = {"w": np.arange(6.0).reshape(2, 3), "x": np.array([1.0, 2.0, 3.0]), "b": [2.0]}
    got = qd.numeric.gradient(f, p, method=method)
    want = qd.grad(f)(p)
    for name in ("w", "x"):
        np.testing.assert_allclose(got[name], want[name], rtol=1e-6)
    np.testing.assert_allclose(got["b"][0], want["b"][0], rtol=1e-6)


def test_gradient_keeps_structure_and_dtypes():
    x = {"a": np.float32(2), "b": np.ones((0, 3)), "c": (1.5, np.array([1 + 1j]))}

    def f(x):
        return x["a"] ** 2 + np.sum(x["b"]) + x["c"][0] * np.sum(np.abs(x["c"][1]) ** 2)

    found = qd.numeric.gradient(f, x, full=True)
    assert found.value["a"].dtype == np.float32
    assert found.value["b"].shape == (0, 3)
    assert found.value["c"][1].dtype == np.complex128
    np.testing.assert_allclose(found.value["c"][1], [3 + 3j], rtol=1e-6)
    assert found.value["a"] == pytest.approx(4, abs=3 * found.error["a"])
    assert found.step["c"][1].shape == (1,)


def test_jacobian():
    x = np.array([2.0, 3.0])
    np.testing.assert_allclose(qd.numeric.jacobian(lambda x: x[:1] * x, x), [[4, 0], [3, 2]])
    assert qd.numeric.jacobian(lambda x: np.outer(x, x), x).shape == (2, 2, 2)
    assert qd.numeric.jacobian(lambda x: x, np.zeros((0, 2))).shape == (0, 2, 0, 2)
    assert qd.numeric.jacobian(np.sum, x).shape == (2,)


def test_jacobian_of_trees():
    def f(p):
        return {"y": p["a"] * p["b"], "z": (np.sum(p["b"]),)}

    p = {"a": np.array([1.0, 2.0]), "b": 3.0}
    got, want = qd.numeric.jacobian(f, p), qd.jacobian(f)(p)
    for out in (lambda t: t["y"], lambda t: t["z"][0]):
        for name in p:
            np.testing.assert_allclose(out(got)[name], out(want)[name], atol=1e-11)


def test_jacobian_of_an_analytic_function():
    z = np.array([1 + 2j, 3 - 1j])
    got = qd.numeric.jacobian(lambda z: z**2, z)
    np.testing.assert_allclose(got, np.diag(2 * z), rtol=1e-10, atol=1e-10)


# Messages


def refused(error, text, call):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == text


def test_messages():
    d, g, j = qd.numeric.derivative, qd.numeric.gradient, qd.numeric.jacobian
    z = np.array([1 + 2j])
    refused(
        GradientError,
        "derivative: method='newton' is unknown; use 'forward', 'central', 'complex' or "
        "'richardson'",
        lambda: d(np.sin, 1.0, method="newton"),
    )
    refused(
        GradientError,
        "derivative: order=0 is no order of a derivative; use 1, 2, ...",
        lambda: d(np.sin, 1.0, order=0),
    )
    refused(
        GradientError,
        "gradient: step=0 leads nowhere; give a finite number other than 0, or leave it out",
        lambda: g(np.sum, np.ones(2), step=0),
    )
    refused(
        GradientError,
        "derivative: order=1.5 is no order of a derivative; use 1, 2, ...",
        lambda: d(np.sin, 1.0, order=1.5),
    )
    refused(
        GradientError,
        "derivative: step='a' is not one number; give one number, or leave it out",
        lambda: d(np.sin, 1.0, step="a"),
    )
    refused(
        GradientError,
        "derivative: step=[0.1, 0.2] is not of shape (3,); give one number, or leave it out",
        lambda: d(np.sin, np.ones(3), step=[0.1, 0.2]),
    )
    refused(
        GradientError,
        "jacobian: step=[0.1, 0.2] is not one number; give one number, or leave it out",
        lambda: j(np.sin, np.ones(2), step=[0.1, 0.2]),
    )
    refused(
        GradientError,
        "gradient: int is no function; give one of plain values",
        lambda: g(3, np.ones(2)),
    )
    refused(
        GradientError,
        "derivative: step=1e-30 is too small to move x = 1.0; take more than 2.2e-16, or leave "
        "it out",
        lambda: d(np.sin, 1.0, step=1e-30),
    )
    refused(
        DtypeError,
        "derivative: x is i64[3], and differences need float or complex values; convert it with "
        ".astype(float)",
        lambda: d(np.sin, np.arange(3)),
    )
    refused(
        DtypeError,
        "gradient: x['n'] is bool[], and differences need float or complex values; convert it "
        "with .astype(float)",
        lambda: g(lambda p: p["x"], {"n": True, "x": 1.0}),
    )
    refused(
        ShapeError,
        "derivative: the function maps shape (3,) to shape (), and must act on each element "
        "alone; use gradient for one number of many, or jacobian",
        lambda: d(np.sum, np.ones(3)),
    )
    refused(
        DtypeError,
        "derivative: the function returned dict, and must return numbers; return arrays, or use "
        "jacobian for a container of them",
        lambda: d(lambda x: {"y": x}, 1.0),
    )
    refused(
        ShapeError,
        "gradient: the function must return a scalar, and it returned shape (3,); reduce it "
        "(np.sum), or use jacobian",
        lambda: g(np.sin, np.ones(3)),
    )
    refused(
        DtypeError,
        "gradient: the function returned a complex number, which has no gradient; return a real "
        "one (np.real, np.abs), or use jacobian",
        lambda: g(np.sum, z),
    )
    refused(
        NotDifferentiableError,
        "derivative: the function gives -inf at x = 0.0; choose a point where it is finite",
        lambda: d(np.log, np.array([1.0, 0.0])),
    )
    refused(
        NotDifferentiableError,
        "gradient: x[1]: the function is not finite near x = 0.0, where method='central' stepped "
        'by 6.1e-06; choose a smaller step, or step to one side with method="forward" (downwards '
        "if step < 0)",
        lambda: g(lambda x: np.sum(np.sqrt(x)), np.array([1.0, 0.0]), method="central"),
    )
    refused(
        DtypeError,
        "derivative: x is complex, and a complex step must be its only complex part; use "
        'method="richardson"',
        lambda: d(np.exp, z, method="complex"),
    )
    refused(
        DtypeError,
        "derivative: the function is complex, and a complex step must be its only complex part; "
        'use method="richardson"',
        lambda: d(lambda t: np.exp(1j * t), 1.0, method="complex"),
    )
    refused(
        DtypeError,
        "gradient: the function gives float64 at a complex x and so drops the imaginary part (as "
        'abs, real and casts do), which a complex step reads; use method="richardson"',
        lambda: g(lambda x: np.sum(np.abs(x)), np.ones(2), method="complex"),
    )
    refused(
        NotDifferentiableError,
        "jacobian: the function is not analytic: along the real axis it changes by 1+0j, and "
        "along the imaginary axis by i times -1-0j; take derivatives in x.real and x.imag apart",
        lambda: j(np.conj, z),
    )
    refused(
        NotDifferentiableError,
        "derivative: the function is real at a complex x, so its derivative of order 2 is no one "
        "number; take derivatives in x.real and x.imag apart",
        lambda: d(np.abs, z, order=2),
    )


def test_a_value_that_carries_a_gradient_is_not_cut_in_silence():
    with pytest.raises(DetachError, match=r"differences are plain numbers: pass x\.detach\(\)"):
        qd.grad(lambda x: qd.numeric.derivative(np.sin, x))(1.0)
    x = qd.tensor(1.0, requires_grad=True)
    with pytest.raises(DetachError):
        qd.numeric.gradient(np.sum, x)
    assert qd.numeric.derivative(np.sin, x.detach()) == pytest.approx(np.cos(1))
    assert qd.numeric.derivative(lambda t: t * x, 2.0) == pytest.approx(1)


def test_shapes_that_depend_on_values():
    with pytest.raises(ShapeError, match="the shape of the result must not depend on the values"):
        qd.numeric.jacobian(lambda x: x[x > 1], np.array([0.99, 2.0]))


def test_nothing_to_move():
    assert qd.numeric.derivative(np.sin, np.zeros((0, 3))).shape == (0, 3)
    assert qd.numeric.gradient(lambda p: 2.0, ()) == ()


def test_steps_below_the_resolution_of_x_are_skipped():
    got = qd.numeric.derivative(lambda x: np.sin(x) + 1e-3 * np.sign(np.sin(1e9 * x)), 1e12)
    assert np.isfinite(got)


def test_half_precision():
    x = np.array([0.5, 1.5], np.float16)
    for method in METHODS:
        got = qd.numeric.derivative(np.sin, x, method=method)
        np.testing.assert_allclose(got, np.cos([0.5, 1.5]), atol=0.1)


COARSE = {
    "single precision within": lambda x: np.sin(np.float32(x)).astype(np.float64),
    "rounded": lambda x: np.round(np.sin(x), 6),
    "noisy": lambda x: np.sin(x) + 1e-8 * np.sin(1e12 * x),
    "very noisy": lambda x: np.sin(x) + 1e-4 * np.sin(1e12 * x),
}


@pytest.mark.parametrize("name", COARSE)
@pytest.mark.parametrize("x", [1.0, 2.0, np.array([1.0, 2.0])], ids=["1", "2", "both"])
def test_values_that_are_coarser_than_their_dtype(name, x):
    """Entries of the table agree by chance then, which is no sign of accuracy."""
    found = qd.numeric.derivative(COARSE[name], x, full=True)
    off = np.abs(found.value - np.cos(x))
    assert np.all(off <= 10 * found.error)
    assert np.all(off < 2e-3)


def test_a_polynomial_that_cancels():
    found = qd.numeric.derivative(lambda x: np.polyval(np.poly([1.0] * 7), x), 1.001, full=True)
    assert abs(found.value - 7e-18) <= 10 * found.error


def test_a_sine_whose_period_no_step_sees():
    found = qd.numeric.derivative(np.sin, 1e12, full=True)
    assert abs(found.value - np.cos(1e12)) <= 10 * found.error


def test_small_stairs_beside_a_slope():
    """Large steps see the stairs as a slope, small ones do not."""
    f = lambda x: np.floor(1000 * x) / 1000 + x
    np.testing.assert_allclose(qd.numeric.derivative(f, 0.1234567), 1.0, rtol=1e-9)


def test_values_near_the_largest_number():
    np.testing.assert_allclose(qd.numeric.derivative(np.exp, 709.7), np.exp(709.7), rtol=1e-8)
