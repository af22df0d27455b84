"""Signals made smooth, and freed of their trends."""

import itertools
from typing import Any

import numpy as np

from scipy import signal as theirs

from ..ndimage.filters import convolve1d
from ..operands import array, depends


def savgol_filter(
    x: Any,
    window_length: int,
    polyorder: int,
    deriv: int = 0,
    delta: float = 1.0,
    axis: int = -1,
    mode: str = "interp",
    cval: Any = 0.0,
) -> Any:
    """`scipy.signal.savgol_filter`, with derivatives in `x`: at each sample the polynomial that
    fits the window about it best, a linear map of the samples; at the ends, with "interp", that of
    the first and the last window.

    >>> from qiudao.scipy import signal
    >>> qd.grad(lambda x: signal.savgol_filter(x, 3, 1)[1])(np.ones(4)).round(4)
    array([0.3333, 0.3333, 0.3333, 0.    ])
    """
    if not depends(x, cval):
        return theirs.savgol_filter(x, window_length, polyorder, deriv, delta, axis, mode, cval)
    x = np.moveaxis(array(x), axis, -1)
    rest = (window_length, polyorder, deriv, delta)
    theirs.savgol_filter(np.zeros(np.shape(x)[-1]), *rest, mode=mode)  # which checks the arguments
    row = theirs.savgol_coeffs(window_length, polyorder, deriv=deriv, delta=delta)
    y = convolve1d(x, row, mode="constant" if mode == "interp" else mode, cval=cval)
    half, n = window_length // 2, np.shape(x)[-1]
    if mode == "interp" and half:
        ends = theirs.savgol_filter(np.eye(window_length), *rest, axis=0).T
        first = np.matmul(x[..., :window_length], ends[:, :half])
        last = np.matmul(x[..., n - window_length :], ends[:, window_length - half :])
        y = np.concatenate([first, y[..., half : n - half], last], -1)
    return np.moveaxis(y, -1, axis)


def detrend(
    data: Any, axis: int = -1, type: str = "linear", bp: Any = 0, overwrite_data: bool = False
) -> Any:
    """`scipy.signal.detrend`, with derivatives in `data`: the samples less their mean, or less the
    line that fits them best between each two of the breaks `bp`.

    >>> from qiudao.scipy import signal
    >>> qd.jacobian(lambda x: signal.detrend(x, type="constant")[0])(np.ones(4))
    array([ 0.75, -0.25, -0.25, -0.25])
    """
    if not depends(data):
        return theirs.detrend(data, axis, type, bp, overwrite_data)
    x = array(data)
    n = np.shape(x)[axis]
    theirs.detrend(np.zeros(n), -1, type, bp)  # which checks the arguments
    if type in ("constant", "c"):
        return x - np.mean(x, axis=axis, keepdims=True)
    moved = np.moveaxis(x, axis, -1)
    breaks = np.unique(np.concatenate([[0], np.atleast_1d(bp), [n]])).astype(int)
    parts = []
    for start, end in itertools.pairwise(breaks):
        line = np.stack([np.ones(end - start), np.arange(1.0, end - start + 1)], 1)
        keep = np.eye(end - start) - line @ np.linalg.pinv(line)
        parts.append(np.matmul(moved[..., start:end], keep))
    return np.moveaxis(np.concatenate(parts, -1), -1, axis)
