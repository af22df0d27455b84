"""Division with whole quotients, and of complex numbers, against NumPy on every kind of operand."""

import numpy as np
import pytest

import qiudao as qd

EXTREME = [-(2**63), -7, -3, -1, 0, 1, 2, 3, 5, 2**63 - 1]


@pytest.mark.parametrize("f", [np.floor_divide, np.remainder])
@pytest.mark.parametrize("dtype", ["i8", "u4", "f8", "f4"])
def test_whole_quotients(f, dtype):
    if dtype == "i8":
        values = np.array(EXTREME, dtype)
    elif dtype == "u4":
        values = np.array([0, 1, 2, 3, 7, 2**32 - 1], dtype)
    else:
        values = np.array([-np.inf, -7.5, -2.0, -0.0, 0.0, 1.0, 3.3, 1e300, np.inf, np.nan])
        values = np.clip(values, -1e30, 1e30).astype(dtype) if dtype == "f4" else values
    x, y = (a.ravel() for a in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        want = f(x, y)
    got = qd.jit(f)(x, y)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)
    if dtype.startswith("f"):
        zero = want == 0
        np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]))


def test_quotients_of_complex_numbers():
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(50, 2)) @ [1, 1j] * 10.0 ** rng.integers(-150, 150, 50) for _ in "xy")
    np.testing.assert_allclose(qd.jit(np.divide)(x, y), x / y, rtol=1e-14)


@pytest.mark.parametrize("f", [np.argmax, np.argmin])
def test_places_of_extremes(f):
    x = np.array([[3.0, 1.0, 3.0, 1.0], [0.0, np.nan, 5.0, np.nan], [-0.0, 0.0, -1.0, -1.0]])
    for axis in (None, 0, 1, -1):
        np.testing.assert_array_equal(qd.jit(lambda a: f(a, axis=axis))(x), f(x, axis=axis))  # noqa: B023
    whole = np.array([[2, 2, 1], [0, 5, 5]])
    np.testing.assert_array_equal(qd.jit(lambda a: f(a, axis=1))(whole), f(whole, axis=1))
