"""Filters that go forward and back, and so delay nothing."""

from typing import Any

import numpy as np

from scipy import signal as theirs

from ...core.errors import GradientError
from ..operands import array, depends, known
from .filters import lfilter, lfilter_zi, sosfilt, sosfilt_zi


def filtfilt(
    b: Any,
    a: Any,
    x: Any,
    axis: int = -1,
    padtype: str | None = "odd",
    padlen: int | None = None,
    method: str = "pad",
    irlen: int | None = None,
) -> Any:
    """`scipy.signal.filtfilt`, with derivatives in `b`, `a` and `x`: `lfilter` forward and back
    over the signal, which is continued beyond its ends, from the state of a constant.

    Raises `GradientError` for derivatives with method="gust".

    >>> from qiudao.scipy import signal
    >>> x = np.sin(np.arange(12.0))
    >>> f = lambda p: signal.filtfilt([0.5], np.stack([1.0, -p]), x)[5]
    >>> qd.grad(f)(0.5).round(4)
    np.float64(-0.2175)
    """
    if not depends(b, a, x):
        return theirs.filtfilt(b, a, x, axis, padtype, padlen, method, irlen)
    if method != "pad":
        raise GradientError(
            f"filtfilt: method={method!r} has no derivative here; use method='pad', with another "
            "padlen where the ends matter"
        )
    b, a = np.reshape(array(b), -1), np.reshape(array(a), -1)
    taps = max(np.shape(a)[0], np.shape(b)[0])
    x = np.moveaxis(array(x), axis, -1)
    edge = checked(padtype, padlen, x, taps)
    y = extended(x, edge, padtype)
    state = lfilter_zi(b, a)
    for _ in range(2):
        y = np.flip(lfilter(b, a, y, zi=state * y[..., :1])[0], -1)
    return np.moveaxis(y[..., edge : np.shape(y)[-1] - edge], -1, axis)


def sosfiltfilt(
    sos: Any,
    x: Any,
    axis: int = -1,
    padtype: str | None = "odd",
    padlen: int | None = None,
) -> Any:
    """`scipy.signal.sosfiltfilt`, with derivatives in `sos` and `x`: as `filtfilt`, by sections.

    Inside `qd.jit` and `qd.vmap` over `sos`, whose zeros SciPy counts, `padlen` is needed.
    """
    if not depends(sos, x):
        return theirs.sosfiltfilt(sos, x, axis, padtype, padlen)
    sos, x = array(sos), np.moveaxis(array(x), axis, -1)
    numbers = known(sos)
    if numbers is None and padlen is None and padtype is not None:
        raise GradientError(
            "sosfiltfilt: the length of the padding hangs on which coefficients are 0, and these "
            "are not known in qd.jit and qd.vmap; give padlen="
        )
    taps = 2 * np.shape(sos)[0] + 1
    if numbers is not None:
        taps -= min((numbers[:, 2] == 0).sum(), (numbers[:, 5] == 0).sum())
    edge = checked(padtype, padlen, x, taps)
    y = extended(x, edge, padtype)
    states = np.reshape(sosfilt_zi(sos), (-1, *(1,) * (np.ndim(x) - 1), 2))
    for _ in range(2):
        y = np.flip(sosfilt(sos, y, zi=states * y[..., :1])[0], -1)
    return np.moveaxis(y[..., edge : np.shape(y)[-1] - edge], -1, axis)


def checked(padtype: str | None, padlen: int | None, x: Any, taps: int) -> int:
    """How many samples are put before and after the last axis; refused as SciPy does."""
    one = np.ones(1)
    theirs.filtfilt(np.ones(taps), one, np.zeros(np.shape(x)[-1]), -1, padtype, padlen)
    return 0 if padtype is None else 3 * taps if padlen is None else padlen


def extended(x: Any, edge: int, padtype: str | None) -> Any:
    """The signal continued beyond its ends: by its mirror image, turned about the end point if
    "odd", or by the end point.
    """
    if edge == 0 or padtype is None:
        return x
    first, last, n = x[..., :1], x[..., -1:], np.shape(x)[-1]
    if padtype == "constant":
        ends = [np.broadcast_to(v, (*np.shape(x)[:-1], edge)) for v in (first, last)]
        return np.concatenate([ends[0], x, ends[1]], -1)
    before = np.flip(x[..., 1 : edge + 1], -1)
    after = np.flip(x[..., n - 1 - edge : n - 1], -1)
    if padtype == "odd":
        before, after = 2 * first - before, 2 * last - after
    return np.concatenate([before, x, after], -1)
