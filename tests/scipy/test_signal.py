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

    assert qd.gradgradcheck(f, B, A, WIDE[:3, :3])


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


ROWS = np.random.default_rng(3).normal(size=(3, 40))
BUTTER_B, BUTTER_A = theirs.butter(3, 0.2)
STATE = theirs.lfilter_zi(BUTTER_B, BUTTER_A) * np.array([[1.0], [2.0], [-1.0]])
SOS = theirs.butter(4, 0.3, output="sos")


def in_each(name, *args, count=None, **options):
    """Hold that ours gives SciPy's values whichever of its first arguments is a tensor."""
    expected = getattr(theirs, name)(*args, **options)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for k in range(len(args) if count is None else count):
        given = [leaf(v) if i == k else v for i, v in enumerate(args)]
        found = getattr(signal, name)(*given, **options)
        found = found if isinstance(found, tuple) else (found,)
        for one, wanted in zip(found, expected, strict=True):
            close(one, wanted, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("length", [40, 2])
def test_states_of_filters(length):
    rows = ROWS[:, :length]
    in_each("lfilter", BUTTER_B, BUTTER_A, rows, zi=STATE)
    in_each("lfilter", BUTTER_B, BUTTER_A, rows.T, axis=0, zi=STATE.T)
    in_each("lfilter", BUTTER_B, np.array([2.0, 0.3]), rows, zi=STATE)
    in_each("lfilter", np.array([0.4]), BUTTER_A, rows, zi=STATE)
    zi = np.random.default_rng(4).normal(size=(2, 3, 2))
    in_each("sosfilt", SOS, rows, zi=zi)
    in_each("sosfilt", SOS, rows.T, axis=0, zi=np.moveaxis(zi, 1, 2))

    def f(b, a, x, zi):
        y, after = signal.lfilter(b, a, x, zi=zi)
        return np.sum(y**2) + np.sum(after**3)

    assert qd.gradcheck(f, BUTTER_B, BUTTER_A, rows[0, :6], STATE[0])
    if length == 2:
        assert qd.gradgradcheck(f, BUTTER_B[:2], BUTTER_A[:2], rows[0], STATE[0, :1])


def test_complex_filters():
    b, x = BUTTER_B + 0.1j, ROWS + 1j * ROWS**2
    in_each("lfilter", b, BUTTER_A, ROWS)
    in_each("lfilter", BUTTER_B, np.array([1.0, 0.2j]), ROWS)
    in_each("lfilter", b, np.array([1.0 + 1j, 0.2j, 0.1]), x)
    weights = np.exp(1j * np.arange(9.0))
    f = lambda b, a, x: np.real(np.sum(weights * signal.lfilter(b, a, x)))
    assert qd.gradcheck(f, b, np.array([1.0 + 1j, 0.2j, 0.1]), x[0, :9])


def test_batches_of_filters():
    lines = []
    f = lambda b, a, x: signal.lfilter(b, a, x)
    close(qd.vmap(f, (None, None, 0))(B, A, ROWS), theirs.lfilter(B, A, ROWS))
    close(qd.vmap(f, (0, None, None))(np.stack([B, 2 * B]), A, LONG),
          [f(B, A, LONG), f(2 * B, A, LONG)])  # fmt: skip
    close(qd.vmap(f, (None, 0, 0))(B, np.stack([A, A + 1]), ROWS[:2]),
          [f(B, A, ROWS[0]), f(B, A + 1, ROWS[1])])  # fmt: skip
    whole = theirs.lfilter

    def counted(*args, **options):
        lines.append(args)
        return whole(*args, **options)

    slope = qd.grad(lambda x: np.sum(f(B, A, x) ** 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(theirs, "lfilter", counted)
        found = qd.vmap(slope)(ROWS)
    assert len(lines) == 2  # all rows at once, forward and back
    close(found, [slope(row) for row in ROWS])
    close(qd.jit(slope)(ROWS[0]), slope(ROWS[0]))
    by_a = qd.grad(lambda a, x: np.sum(f(B, a, x) ** 2))
    close(qd.vmap(by_a, (None, 0))(A, ROWS), [by_a(A, row) for row in ROWS])


@pytest.mark.parametrize("padding", [{}, {"padtype": None}, {"padtype": "even", "padlen": 7},
                                     {"padtype": "constant", "padlen": 7}], ids=str)  # fmt: skip
def test_filters_without_delay(padding):
    in_each("filtfilt", BUTTER_B, BUTTER_A, ROWS, **padding)
    in_each("filtfilt", BUTTER_B, BUTTER_A, ROWS.T, axis=0, **padding)
    in_each("sosfiltfilt", SOS, ROWS, **padding)
    in_each("sosfiltfilt", theirs.butter(3, 0.2, output="sos"), ROWS.T, axis=0, **padding)
    f = lambda b, a, x: signal.filtfilt(b, a, x, **padding)
    assert qd.gradcheck(f, BUTTER_B, BUTTER_A, ROWS[0, :14])
    close(qd.vmap(f, (None, None, 0))(BUTTER_B, BUTTER_A, ROWS), f(BUTTER_B, BUTTER_A, ROWS))
    close(qd.jit(f)(BUTTER_B, BUTTER_A, ROWS), f(BUTTER_B, BUTTER_A, ROWS))


def test_states_of_a_step():
    in_each("lfilter_zi", BUTTER_B, BUTTER_A)
    in_each("lfilter_zi", np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 0.5]))
    in_each("sosfilt_zi", SOS)
    assert qd.gradcheck(signal.lfilter_zi, BUTTER_B, BUTTER_A)
    with pytest.raises(ValueError, match="greater than padlen"):
        signal.filtfilt(BUTTER_B, BUTTER_A, leaf(np.ones(5)))


@pytest.mark.parametrize("mode", ["mirror", "constant", "nearest", "interp", "wrap"])
def test_polynomials_in_windows(mode):
    for window, order, deriv in [(5, 2, 0), (7, 3, 1), (6, 2, 2), (1, 0, 0)]:
        options = {"delta": 0.3, "mode": mode, "cval": 0.4}
        in_each("savgol_filter", ROWS, window, order, deriv, count=1, **options)
        in_each("savgol_filter", ROWS.T, window, order, deriv, count=1, axis=0, **options)
    assert qd.gradcheck(lambda x: signal.savgol_filter(x, 5, 2, mode=mode), ROWS[0, :7])


def test_trends():
    for kind in ("linear", "constant"):
        in_each("detrend", ROWS, type=kind)
        in_each("detrend", ROWS.T, axis=0, type=kind, bp=[10, 20])
    assert qd.gradcheck(lambda x: signal.detrend(x, bp=3), ROWS[0, :7])
    in_each("detrend", ROWS + 1j * ROWS**2)


@pytest.mark.parametrize("size", [39, 40])
def test_transforms_of_signals(size):
    rows = ROWS[:, :size]
    for count in (None, 30, 41):
        in_each("hilbert", rows, N=count)
        in_each("hilbert", rows.T, N=count, axis=0)
    for count in (10, 11, 39, 40, 41, 80, 81):
        in_each("resample", rows, num=count, axis=-1)
        in_each("resample", rows.T, num=count, axis=0, window="hamming")
        in_each("resample", rows, num=count, axis=1, t=np.arange(size) * 0.3,
                window=lambda f: np.exp(-(f**2)))  # fmt: skip
        in_each("resample", rows, num=count, axis=1, window=np.hanning(size))
    assert qd.gradcheck(lambda x: np.abs(signal.hilbert(x)), rows[0, :6])
    assert qd.gradcheck(lambda x: signal.resample(x, 9), rows[0, :6])
    close(qd.vmap(lambda x: signal.resample(x, 9))(rows), signal.resample(rows, 9, axis=1))


WELCH = [
    {"nperseg": 16},
    {"nperseg": 15, "noverlap": 3, "nfft": 20},
    {"window": ("kaiser", 3.0), "scaling": "spectrum", "nperseg": 16},
    {"detrend": False, "nperseg": 40},
    {"detrend": "linear", "return_onesided": False, "nperseg": 8},
    {"window": np.hanning(12)},
    {"detrend": lambda v: v - 1, "nperseg": 40},
]


@pytest.mark.parametrize("options", WELCH, ids=" ".join)
def test_power(options):
    in_each("welch", ROWS, fs=2.0, **options)
    in_each("welch", ROWS.T, axis=0, **options)
    f = lambda x: signal.welch(x, **options)[1]
    if options.get("nperseg") in (8, 16):
        assert qd.gradcheck(f, ROWS[0, :20])
    close(qd.vmap(f)(ROWS), f(ROWS), rtol=1e-10)


@pytest.mark.parametrize("options", [{}, {"nfft": 30}, {"nfft": 64}, {"window": "hann"}], ids=str)
def test_power_of_all_samples(options):
    in_each("periodogram", ROWS, fs=2.0, **options)
    in_each("periodogram", ROWS.T, axis=0, **options)
    in_each("welch", ROWS[0] + 1j * ROWS[1], nperseg=8, return_onesided=False)
