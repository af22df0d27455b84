"""Signals by their Fourier transforms."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from scipy import signal as theirs

from ...core.errors import GradientError
from ..operands import array, depends
from .smoothing import detrend as without_trend


def hilbert(x: Any, N: int | None = None, axis: int = -1) -> Any:
    """`scipy.signal.hilbert`: the analytic signal of real samples, x + i H x, with its derivative.

    >>> from qiudao.scipy import signal
    >>> qd.grad(lambda x: np.imag(signal.hilbert(x))[1])(np.ones(4))
    array([ 0.5,  0. , -0.5,  0. ])
    """
    if not depends(x):
        return theirs.hilbert(x, N, axis)
    x = array(x)
    size = np.shape(x)[axis] if N is None else N
    theirs.hilbert(np.zeros(np.shape(x)[axis], x.dtype), N)  # which checks the arguments
    factors = np.zeros(size)
    factors[0] = 1.0
    factors[1 : (size + 1) // 2] = 2.0
    if size % 2 == 0:
        factors[size // 2] = 1.0
    spectrum = np.fft.fft(np.moveaxis(x, axis, -1), size)
    return np.moveaxis(np.fft.ifft(spectrum * factors), -1, axis)


def resample(
    x: Any, num: int, t: Any = None, axis: int = 0, window: Any = None, domain: str = "time"
) -> Any:
    """`scipy.signal.resample` of real samples: `num` samples of the same trigonometric polynomial,
    with derivatives in `x`.

    Raises `GradientError` for derivatives of complex samples, and in the domain of frequencies.

    >>> from qiudao.scipy import signal
    >>> qd.grad(lambda x: signal.resample(x, 8)[1])(np.ones(4)).round(4)
    array([ 0.6036,  0.6036, -0.1036, -0.1036])
    """
    if not depends(x):
        return theirs.resample(x, num, t, axis, window, domain)
    x = array(x)
    if domain != "time" or x.dtype.kind == "c":
        raise GradientError(
            "resample: derivatives are known for real samples in domain='time'; resample real and "
            "imaginary parts"
        )
    moved = np.moveaxis(x, axis, -1)
    size = np.shape(moved)[-1]
    spectrum = np.fft.rfft(moved)
    if window is not None:
        both = gains(window, size)
        spectrum = spectrum * both[: np.shape(spectrum)[-1]]
    m = min(num, size)
    spectrum = spectrum[..., : m // 2 + 1]
    if m % 2 == 0 and num != size:
        unpaired = np.ones(m // 2 + 1)
        unpaired[-1] = 2.0 if num < size else 0.5
        spectrum = spectrum * unpaired
    found = np.moveaxis(np.fft.irfft(spectrum, num) * (num / size), -1, axis)
    if t is None:
        return found
    return found, t[0] + (t[1] - t[0]) * (size / num) * np.arange(num)


def gains(window: Any, size: int) -> Any:
    """A window over the frequencies, even in them."""
    if callable(window):
        found = np.asarray(window(np.fft.fftfreq(size)))
    elif hasattr(window, "shape"):
        found = np.asarray(window)
    else:
        found = np.fft.fftshift(theirs.get_window(window, size))
    return 0.5 * (found + found[-np.arange(size)])


def welch(
    x: Any,
    fs: float = 1.0,
    window: Any = "hann",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: Any = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
    average: str = "mean",
) -> tuple[Any, Any]:
    """`scipy.signal.welch`: (frequencies, power), the mean over overlapping windowed segments of
    the squared Fourier transform, with derivatives in the samples `x`.

    >>> from qiudao.scipy import signal
    >>> f = lambda x: signal.welch(x, nperseg=4)[1][1]
    >>> qd.grad(f)(np.array([0.5, 1.0, 0.0, -1.0])).round(4)
    array([ 0.0833,  1.4167, -0.25  , -1.25  ])
    """
    if not depends(x):
        found: tuple[Any, Any] = theirs.welch(
            x, fs, window, nperseg, noverlap, nfft, detrend, return_onesided, scaling, axis, average
        )
        return found
    x = np.moveaxis(array(x), axis, -1)
    frequencies, shown = theirs.welch(
        np.zeros(np.shape(x)[-1], x.dtype), fs, window, nperseg, noverlap, nfft, detrend,
        return_onesided, scaling, -1, average,
    )  # fmt: skip
    if average != "mean":
        raise GradientError(
            f"welch: average={average!r} has no derivative here; use average='mean', or the median "
            "of the segments"
        )
    size = np.shape(x)[-1]
    is_row = not isinstance(window, str | tuple)
    length = len(window) if is_row else min(256 if nperseg is None else nperseg, size)
    weights = np.asarray(window) if is_row else theirs.get_window(window, length)
    step = length - (length // 2 if noverlap is None else noverlap)
    points = length if nfft is None else nfft
    segments = sliding_window_view(x, length, -1)[..., ::step, :]
    if callable(detrend):
        segments = detrend(segments)
    elif detrend:
        segments = without_trend(segments, -1, detrend)
    one_sided = return_onesided and x.dtype.kind != "c"
    spectrum = (np.fft.rfft if one_sided else np.fft.fft)(segments * weights, points)
    power = np.real(spectrum) ** 2 + np.imag(spectrum) ** 2
    scale = fs * np.sum(weights**2) if scaling == "density" else np.sum(weights) ** 2
    factors = np.full(np.shape(shown)[-1], 1.0 / scale)
    if one_sided:
        factors[1 : -1 if points % 2 == 0 else None] *= 2
    return frequencies, np.moveaxis(np.mean(power * factors, axis=-2), -1, axis)


def periodogram(
    x: Any,
    fs: float = 1.0,
    window: Any = "boxcar",
    nfft: int | None = None,
    detrend: Any = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
) -> tuple[Any, Any]:
    """`scipy.signal.periodogram`: (frequencies, power) of all samples as one segment of `welch`."""
    if not depends(x):
        found: tuple[Any, Any] = theirs.periodogram(
            x, fs, window, nfft, detrend, return_onesided, scaling, axis
        )
        return found
    x = np.moveaxis(array(x), axis, -1)
    if nfft is not None and nfft < np.shape(x)[-1]:
        x, nfft = x[..., :nfft], None
    length = np.shape(x)[-1]
    frequencies, power = welch(
        x, fs, "boxcar" if window is None else window, length, 0, nfft, detrend, return_onesided,
        scaling,
    )  # fmt: skip
    return frequencies, np.moveaxis(power, -1, axis)
