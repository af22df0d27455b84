import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qiudao as qd
from ops.agreement import agree
from qiudao.ops.convolving import Convolve


def real(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape)


def cplx(*shape):
    return real(*shape) + 1j * real(*shape)[::-1]


LENGTHS = [(5, 3), (3, 5), (4, 4), (6, 4), (4, 6), (5, 4), (4, 5), (1, 3), (3, 1), (1, 1)]


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("n, m", LENGTHS)
def test_vectors(n, m, mode):
    for f in (np.convolve, np.correlate):
        agree(lambda a, v, f=f: f(a, v, mode), real(n), real(m))
        agree(lambda a, v, f=f: f(a, v, mode=mode), cplx(n), cplx(m))


def test_defaults_and_numbers():
    agree(np.convolve, real(5), real(3))
    agree(np.correlate, real(5), real(3))
    agree(lambda a: np.convolve(a, 2.0), real(4))


def test_derivatives_to_third_order():
    assert qd.gradcheck(lambda a, v: np.convolve(a, v, "same") ** 3, real(4), real(3), order=3)


@pytest.mark.parametrize(
    "a, v, mode, text",
    [
        (
            np.ones((2, 3)),
            np.ones(3),
            "full",
            r"convolve: f64\[2, 3\] has 2 axes; it takes vectors",
        ),
        (np.ones(0), np.ones(3), "full", "convolve: an operand is empty"),
        (np.ones(3), np.ones(3), "half", "mode='half'; it must be one of full, same, valid"),
    ],
)
def test_what_is_wrong_is_said(a, v, mode, text):
    with pytest.raises(ValueError, match=text):
        qd.vjp(lambda a: np.convolve(a, v, mode), a)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(-3, 8), st.integers(1, 6))
def test_any_window(n, m, start, size):
    a, b = real(n), real(m)
    full = np.concatenate((np.zeros(20), np.convolve(a, b), np.zeros(40)))
    window = Convolve((start,), (size,))
    np.testing.assert_allclose(window(a, b), full[20 + start : 20 + start + size])
    agree(window, a, b)


def test_many_rows_by_either_road():
    rows, kernel = real(3, 40), real(9)
    want = np.stack([np.convolve(r, kernel) for r in rows])
    np.testing.assert_allclose(qd.vmap(np.convolve, (0, None))(rows, kernel), want)  # row by row
    many = real(30, 4)
    want = np.stack([np.convolve(r, kernel) for r in many])
    np.testing.assert_allclose(qd.vmap(np.convolve, (0, None))(many, kernel), want)  # tap by tap


def test_over_two_axes_as_scipy():
    signal = pytest.importorskip("scipy.signal")
    a, b = real(5, 6), real(3, 2)
    full = Convolve((0, 0), (7, 7))
    np.testing.assert_allclose(full(a, b), signal.convolve2d(a, b))
    np.testing.assert_allclose(Convolve((2, 1), (3, 5))(a, b), signal.convolve2d(a, b, "valid"))
    agree(full, a, b)
