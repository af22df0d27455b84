"""What forward mode makes of slopes that are not finite, and of operands that do not move."""

import numpy as np
import pytest

import qiudao as qd


def test_a_direction_that_does_not_move_stays_at_a_pole():
    x, dx = np.array([0.0, 4.0]), np.array([0.0, 2.0])
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(qd.jvp(np.log, (x,), (dx,))[1], [0.0, 0.5])
        np.testing.assert_array_equal(qd.jacfwd(np.log)(x), [[np.inf, 0.0], [0.0, 0.25]])


@pytest.mark.parametrize("x, slope", [(1e-200, 1e200), (0.0, np.inf), (np.nan, np.nan)])
def test_slopes_whose_squares_overflow(x, slope):
    """Whether all slopes are finite is asked of the sum of their squares."""
    with np.errstate(divide="ignore"):
        got = qd.jacfwd(np.log)(np.array([4.0, x]))
    np.testing.assert_allclose(got, [[0.25, 0.0], [0.0, slope]], rtol=1e-15)


@pytest.mark.parametrize("f", [lambda x: x + 1.0, lambda x: x - 1.0])
def test_a_tangent_beside_a_constant_is_not_the_array_that_was_given(f):
    dx = np.array([1.0, 2.0])
    changed = qd.jvp(f, (np.zeros(2),), (dx,))[1]
    dx[0] = 7.0
    np.testing.assert_array_equal(changed, [1.0, 2.0])


@pytest.mark.parametrize(
    "f, expected",
    [
        (lambda x, y: x + y, [1.0, 2.0]),
        (lambda x, y: y + x, [1.0, 2.0]),
        (lambda x, y: x - y, [1.0, 2.0]),
        (lambda x, y: y - x, [-1.0, -2.0]),
        (lambda x, y: x + y[:, None], [[1.0, 2.0]] * 2),
        (lambda x, y: y[:, None] - x, [[-1.0, -2.0]] * 2),
        (lambda x, y: x - y.astype(np.float32), [1.0, 2.0]),
    ],
)
def test_sums_and_differences_with_a_constant(f, expected):
    y = np.array([5.0, 6.0])
    _, dx = qd.jvp(lambda x: f(x, y), (np.zeros(2),), (np.array([1.0, 2.0]),))
    np.testing.assert_array_equal(dx, expected)
