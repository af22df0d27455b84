"""Convolutions of arrays of any number of axes."""

from typing import Any

import numpy as np

from scipy import signal as theirs

from ...core.errors import GradientError
from ..operands import array, depends

MODES = ("full", "same", "valid")


def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """`scipy.signal.convolve`, with derivatives in both arrays: out[n] = sum over k of
    in1[k] in2[n - k], along all axes.

    Where a derivative is wanted, arrays of one axis go to `np.convolve` and others through the fast
    Fourier transform, whatever `method` says.  Raises `GradientError` for an unknown mode and for
    arrays of different numbers of axes.

    >>> from qiudao.scipy import signal
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> qd.grad(lambda k: signal.convolve(x, k, "valid")[0])(np.array([1.0, 1.0]))
    array([2., 1.])
    """
    if not depends(in1, in2):
        return theirs.convolve(in1, in2, mode, method)
    a, b = checked("convolve", in1, in2, mode)
    if np.ndim(a) == 0:
        return a * b
    if np.ndim(a) == 1:
        return cropped(np.convolve(a, b), np.shape(a), np.shape(b), mode, (0,))
    return transformed(a, b, mode, tuple(range(np.ndim(a))))


def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """`scipy.signal.correlate`, with derivatives in both arrays: the convolution of `in1` with the
    conjugate of `in2` in reverse.

    >>> from qiudao.scipy import signal
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> qd.grad(lambda k: signal.correlate(x, k, "valid")[0])(np.array([1.0, 1.0]))
    array([1., 2.])
    """
    if not depends(in1, in2):
        return theirs.correlate(in1, in2, mode, method)
    a, b = checked("correlate", in1, in2, mode)
    return convolve(a, np.conj(np.flip(b)), mode)


def fftconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    """`scipy.signal.fftconvolve`, with derivatives in both arrays: a convolution along `axes`,
    the others broadcast.

    >>> from qiudao.scipy import signal
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> qd.grad(lambda k: signal.fftconvolve(x, k, "valid")[0])(np.array([1.0, 1.0])).round(9)
    array([2., 1.])
    """
    if not depends(in1, in2):
        return theirs.fftconvolve(in1, in2, mode, axes)
    a, b = checked("fftconvolve", in1, in2, mode)
    rank = np.ndim(a)
    chosen = range(rank) if axes is None else np.atleast_1d(axes)
    return transformed(a, b, mode, tuple(int(d) % rank for d in chosen)) if rank else a * b


def checked(name: str, in1: Any, in2: Any, mode: str) -> tuple[Any, Any]:
    """The two as arrays of the same number of axes."""
    a, b = array(in1), array(in2)
    if mode not in MODES:
        raise GradientError(f"{name}: mode={mode!r} is not known; use full, same or valid")
    if np.ndim(a) != np.ndim(b):
        raise GradientError(
            f"{name}: the arrays have {np.ndim(a)} and {np.ndim(b)} axes; reshape one, so that "
            "they have as many"
        )
    return a, b


def transformed(a: Any, b: Any, mode: str, axes: tuple[int, ...]) -> Any:
    """A convolution as a product of Fourier transforms of the full length."""
    lengths = tuple(np.shape(a)[d] + np.shape(b)[d] - 1 for d in axes)
    complex_one = a.dtype.kind == "c" or b.dtype.kind == "c"
    ahead, back = (np.fft.fftn, np.fft.ifftn) if complex_one else (np.fft.rfftn, np.fft.irfftn)
    full = back(ahead(a, lengths, axes) * ahead(b, lengths, axes), lengths, axes)
    return cropped(full, np.shape(a), np.shape(b), mode, axes)


def cropped(
    full: Any, first: tuple[int, ...], second: tuple[int, ...], mode: str, axes: tuple[int, ...]
) -> Any:
    """The part of a full convolution that a mode keeps."""
    if mode == "full":
        return full
    over = [first[d] - second[d] for d in axes]
    if mode == "valid" and min(over) < 0 < max(over):
        raise GradientError(
            f"convolve: mode='valid' of shapes {first} and {second}, where neither holds the "
            "other; use full or same"
        )
    kept = [slice(None)] * np.ndim(full)
    for d in axes:
        n, m = first[d], second[d]
        start, length = ((m - 1) // 2, n) if mode == "same" else (min(n, m) - 1, abs(n - m) + 1)
        kept[d] = slice(start, start + length)
    return full[tuple(kept)]
