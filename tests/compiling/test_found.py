"""What was found wrong once, and stays right."""

import numpy as np
import pytest

import qiudao as qd


def test_the_gradient_of_a_jitted_function_is_compiled_anew():
    square = qd.jit(lambda x: x**2)
    assert qd.jit(qd.grad(square))(3.0) == 6.0
    assert qd.jit(qd.hessian(square))(3.0) == 2.0
    value, slope = qd.jit(qd.value_and_grad(square))(3.0)
    assert (value, slope) == (9.0, 6.0)


def decay(a):
    while a > 1e-3:
        a = a * 0.9
    return a


@pytest.mark.parametrize("start", [1.0, 20.0, 1e9, 1e300])
def test_a_loop_has_room_for_as_many_steps_as_it_takes(start):
    want = qd.grad(decay)(start)
    assert qd.jit(qd.grad(decay))(start) == pytest.approx(want, rel=1e-12)


def test_room_grows_for_a_record_that_is_read():
    def f(a):
        while a > 1e-3:
            a = np.sin(a) * 0.99
        return a

    assert qd.jit(qd.grad(f))(1.0) == pytest.approx(qd.grad(f)(1.0), rel=1e-10)


def test_max_steps_is_held_in_compiled_code():
    f = qd.jit(lambda x: qd.while_loop(lambda a: a > 1.0, lambda a: a * 0.5, x, max_steps=3))
    assert f(4.0) == 1.0
    with pytest.raises(qd.core.errors.QiudaoError, match="more than 3 steps"):
        f(1e6)


def clipped(x):
    n = np.sqrt(np.sum(x * x))
    if n > 1:
        x = x / n
    return np.sum(x)


def test_a_branch_that_is_not_taken_contributes_nothing():
    for x in (np.zeros(3), np.full(3, 0.1), np.ones(3)):
        with np.errstate(all="ignore"):
            want = qd.grad(clipped)(x)
        np.testing.assert_allclose(qd.jit(qd.grad(clipped))(x), want, atol=1e-15)


@pytest.mark.parametrize("name", ["jacobian", "jacfwd", "jacrev", "hessian", "grad"])
def test_branches_are_captured_under_every_transform(name):
    f = lambda x: np.sin(x) if x > 0 else x * x
    g = getattr(qd, name)(f)
    for x in (0.5, -0.5):
        np.testing.assert_allclose(qd.jit(g)(x), g(x))


def test_pythons_numbers_follow_the_precision_of_the_arrays():
    f = qd.jit(lambda x, rate: x * rate)
    assert f(np.ones(2, np.float32), 0.5).dtype == np.float32
    assert f(np.ones(2), 0.5).dtype == np.float64
    assert f(np.ones(2, np.int64), 0.5).dtype == np.float64


def test_squares_of_booleans_are_small_integers():
    x = np.array([True, False])
    assert qd.jit(np.square)(x).dtype == np.square(x).dtype


def test_values_with_unit_axes_too_many_can_be_written():
    def f(x):
        y = np.zeros_like(x)
        y[0] = x[None, 1]
        return y

    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(qd.jit(f)(x), f(x))


def test_a_matrix_that_a_function_closes_over_times_a_vector():
    for size in (4, 1000):
        matrix = np.arange(4.0 * size).reshape(size, 4)

        def f(p, matrix=matrix):
            return np.sum(np.log(matrix @ (1 / p)))

        found = qd.jit(qd.grad(f))(np.ones(4))
        np.testing.assert_allclose(found, qd.grad(f)(np.ones(4)), rtol=1e-12)
