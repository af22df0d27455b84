"""Fourier transforms: SciPy's on plain arrays, NumPy's where a derivative is wanted.

>>> from qiudao.scipy import fft
>>> qd.grad(lambda x: np.sum(np.abs(fft.fft(x)) ** 2))(np.array([1.0, 2.0])).round(9)
array([4., 8.])
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from scipy import fft as theirs

from ..operands import array, depends


def along_one(name: str) -> Callable[..., Any]:
    """A transform along one axis."""
    scipy, numpy = getattr(theirs, name), getattr(np.fft, name)

    @functools.wraps(scipy)
    def transform(
        x: Any,
        n: int | None = None,
        axis: int = -1,
        norm: str | None = None,
        overwrite_x: bool = False,
        workers: int | None = None,
    ) -> Any:
        if not depends(x):
            return scipy(x, n, axis, norm, overwrite_x, workers)
        return numpy(array(x), n, axis, norm)

    transform.__doc__ = f"`scipy.fft.{name}`, with its derivative."
    return transform


def along_many(name: str, default: tuple[int, ...] | None) -> Callable[..., Any]:
    """A transform along several axes."""
    scipy, numpy = getattr(theirs, name), getattr(np.fft, name.replace("2", "n"))

    @functools.wraps(scipy)
    def transform(
        x: Any,
        s: Any = None,
        axes: Any = default,
        norm: str | None = None,
        overwrite_x: bool = False,
        workers: int | None = None,
    ) -> Any:
        if not depends(x):
            return scipy(x, s, axes, norm, overwrite_x, workers)
        if axes is None:
            rank = np.ndim(x)
            axes = range(rank) if s is None else range(rank - len(s), rank)
        return numpy(array(x), s, tuple(axes), norm)

    transform.__doc__ = f"`scipy.fft.{name}`, with its derivative."
    return transform


fft, ifft, rfft, irfft = (along_one(name) for name in ("fft", "ifft", "rfft", "irfft"))
hfft, ihfft = along_one("hfft"), along_one("ihfft")
fft2, ifft2, rfft2, irfft2 = (
    along_many(name, (-2, -1)) for name in ("fft2", "ifft2", "rfft2", "irfft2")
)
fftn, ifftn, rfftn, irfftn = (
    along_many(name, None) for name in ("fftn", "ifftn", "rfftn", "irfftn")
)
fftfreq, rfftfreq = theirs.fftfreq, theirs.rfftfreq


def fftshift(x: Any, axes: Any = None) -> Any:
    """`scipy.fft.fftshift`, with its derivative."""
    return np.fft.fftshift(x, axes)


def ifftshift(x: Any, axes: Any = None) -> Any:
    """`scipy.fft.ifftshift`, with its derivative."""
    return np.fft.ifftshift(x, axes)
