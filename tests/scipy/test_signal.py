"""Convolutions and filters: values are SciPy's, derivatives exact in signals and coefficients."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf

theirs = pytest.importorskip("scipy.signal")
signal = qd.scipy.signal
LONG, SHORT = np.sin(np.arange(7.0)), np.array([0.5, -1.0, 2.0, 0.3])
WIDE, SMALL = np.cos(np.arange(20.0)).reshape(4, 5), np.sin(np.arange(6.0)).reshape(3, 2)
PAIRS = {"line": (LONG, SHORT), "plane": (WIDE, SMALL), "complex": (LONG + 1j, SHORT - 2j)}


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("name", ["convolve", "correlate", "fftconvolve"])
@pytest.mark.parametrize("pair", PAIRS)
def test_convolutions(pair, name, mode):
    ours, their = getattr(signal, name), getattr(theirs, name)
    for a, b in [PAIRS[pair], PAIRS[pair][::-1]]:
        expected = their(a, b, mode)
        assert np.array_equal(ours(a, b, mode), expected)
        close(ours(leaf(a), b, mode).detach(), expected)
        close(ours(a, leaf(b), mode).detach(), expected)


@pytest.mark.parametrize("name", ["convolve", "correlate", "fftconvolve"])
@pytest.mark.parametrize("pair", ["line", "plane"])
def test_derivatives_of_convolutions(pair, name):
    def f(a, b):
        return np.sum(getattr(signal, name)(a, b, "same") ** 2)

    assert qd.gradcheck(f, *PAIRS[pair])
    assert qd.gradgradcheck(f, *PAIRS[pair])


def test_convolution_along_one_axis():
    expected = theirs.fftconvolve(WIDE, SMALL[:1], axes=1)
    close(signal.fftconvolve(leaf(WIDE), SMALL[:1], axes=1).detach(), expected)


B, A = np.array([0.3, -0.2, 0.5]), np.array([2.0, -0.9, 0.4, 0.1])


def test_filters():
    assert np.array_equal(signal.lfilter(B, A, LONG), theirs.lfilter(B, A, LONG))
    for b, a in [(B, A), (B, A[:1]), (B[:1], A), (np.ones(9), np.ones(9) * 0.2)]:
        expected = theirs.lfilter(b, a, LONG)
        close(signal.lfilter(leaf(b), a, LONG).detach(), expected)
        close(signal.lfilter(b, leaf(a), LONG).detach(), expected)
        close(signal.lfilter(b, a, leaf(LONG)).detach(), expected)
    for axis in (0, 1):
        expected = theirs.lfilter(B, A, WIDE, axis)
        close(signal.lfilter(B, A, leaf(WIDE), axis).detach(), expected)


@pytest.mark.parametrize("axis", [0, 1])
def test_derivatives_of_filters(axis):
    def f(b, a, x):
        return np.sum(signal.lfilter(b, a, x, axis) ** 2)

    assert qd.gradcheck(f, B, A, WIDE[:3, :3])
    assert qd.gradgradcheck(f, B, A, WIDE[:3, :3])


def test_forward_mode_of_filters():
    x, dx = LONG, np.cos(LONG)
    _, moved = qd.jvp(lambda x: signal.lfilter(B, A, x), (x,), (dx,))
    close(moved, theirs.lfilter(B, A, dx))


def test_sections():
    sos = theirs.butter(4, 0.3, output="sos")
    expected = theirs.sosfilt(sos, WIDE, axis=0)
    assert np.array_equal(signal.sosfilt(sos, WIDE, axis=0), expected)
    close(signal.sosfilt(leaf(sos), WIDE, axis=0).detach(), expected)
    close(signal.sosfilt(sos, leaf(WIDE), axis=0).detach(), expected)

    def f(x):
        return np.sum(signal.sosfilt(sos, x) ** 2)

    assert qd.gradcheck(f, LONG)
    of_sos = qd.grad(lambda s: np.sum(signal.sosfilt(s, LONG) ** 2))(sos)
    h = 1e-6 * np.eye(6)[1]
    ends = [np.sum(theirs.sosfilt(sos + s * np.stack([h, 0 * h]), LONG) ** 2) for s in (1, -1)]
    assert of_sos[0, 1] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6)


def test_batches_and_curvature_of_filters():
    rows = np.stack([A, A[::-1] + 1])
    found = qd.vmap(lambda a: signal.lfilter(B, a, LONG))(rows)
    close(found, np.stack([theirs.lfilter(B, a, LONG) for a in rows]))

    def f(a):
        return np.sum(signal.lfilter(B, a, LONG) ** 2)

    close(
        qd.hessian(f)(A), np.stack([qd.grad(lambda a, k=k: qd.grad(f)(a)[k])(A) for k in range(4)])
    )
