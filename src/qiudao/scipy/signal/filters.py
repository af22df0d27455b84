"""Linear filters along an axis."""

from typing import Any

import numpy as np

from scipy import signal as theirs

from ..operands import array, depends, known
from .recursions import all_pole, later


def lfilter(b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    """`scipy.signal.lfilter`, real and complex, with derivatives in `b`, `a`, `x` and `zi`.

        a[0] y[n] = sum over k of b[k] x[n - k] - sum over k >= 1 of a[k] y[n - k]

    With `zi`, the state before the first sample, (y, the state after the last) is returned.

    >>> from qiudao.scipy import signal
    >>> x = np.array([1.0, 0.0, 0.0])
    >>> qd.grad(lambda p: signal.lfilter([1.0], np.stack([1.0, -p]), x)[2])(0.5)
    np.float64(1.0)
    """
    if not depends(b, a, x, zi):
        return theirs.lfilter(b, a, x, axis) if zi is None else theirs.lfilter(b, a, x, axis, zi)
    b, a, x = (np.reshape(array(b), -1), np.reshape(array(a), -1), array(x))
    b, a = b / a[0], a[1:] / a[0]
    samples = np.moveaxis(x, axis, -1)
    n = np.shape(samples)[-1]
    total = b[0] * samples
    for k in range(1, min(np.shape(b)[0], n)):
        total = total + b[k] * later(samples, k)
    if zi is None:
        return np.moveaxis(with_poles(a, total), -1, axis)
    order = max(np.shape(a)[0], np.shape(b)[0] - 1)
    state = np.moveaxis(array(zi), axis, -1)
    state = np.broadcast_to(state, (*np.shape(samples)[:-1], order))
    y = with_poles(a, total + fitted(state, n))
    after = []
    for i in range(order):
        left = 1.0 * state[..., i + n] if i + n < order else 0.0 * state[..., 0]
        for k in range(i + 1, order + 1):
            at = n + i - k
            if at >= 0 and k < np.shape(b)[0]:
                left = left + b[k] * samples[..., at]
            if at >= 0 and k <= np.shape(a)[0]:
                left = left - a[k - 1] * y[..., at]
        after.append(left)
    last = np.stack(after, -1) if after else state
    return np.moveaxis(y, -1, axis), np.moveaxis(last, -1, axis)


def with_poles(a: Any, v: Any) -> Any:
    """The recursion of the coefficients after a[0] = 1."""
    return all_pole(a, v) if np.shape(a)[0] else v


def fitted(state: Any, n: int) -> Any:
    """The state as samples: cut, or followed by zeros, to `n`."""
    size = np.shape(state)[-1]
    if size >= n:
        return state[..., :n]
    return np.concatenate([state, np.zeros((*np.shape(state)[:-1], n - size))], -1)


def lfilter_zi(b: Any, a: Any) -> Any:
    """`scipy.signal.lfilter_zi`: the state in which a step of height 1 goes through as if it had
    always been there, with derivatives in `b` and `a`.

    >>> from qiudao.scipy import signal
    >>> qd.grad(lambda p: signal.lfilter_zi([1.0], np.stack([1.0, -p]))[0])(0.5)
    np.float64(4.0)
    """
    if not depends(b, a):
        return theirs.lfilter_zi(b, a)
    b, a = np.reshape(array(b), -1), np.reshape(array(a), -1)
    b, a = b / a[0], a / a[0]
    size = max(np.shape(a)[0], np.shape(b)[0])
    b, a = fitted(b, size), fitted(a, size)
    drive = b[1:] - a[1:] * b[0]
    first = np.sum(drive) / np.sum(a)
    # The state z solves z[k] = z[k + 1] - a[k + 1] z[0] + drive[k], from its first element on.
    return np.cumsum(a)[: size - 1] * first - np.concatenate([[0.0], np.cumsum(drive)[:-1]])


def sosfilt(sos: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    """`scipy.signal.sosfilt`, with derivatives in the sections `sos` of shape (sections, 6), in `x`
    and in `zi`: one section after the other, as `lfilter` of its b and a.

    >>> from qiudao.scipy import signal
    >>> sos = np.array([[1.0, 0.0, 0.0, 1.0, -0.5, 0.0]])
    >>> qd.grad(lambda x: signal.sosfilt(sos, x)[2])(np.ones(3))
    array([0.25, 0.5 , 1.  ])
    """
    if not depends(sos, x, zi):
        return theirs.sosfilt(sos, x, axis) if zi is None else theirs.sosfilt(sos, x, axis, zi)
    sos, y = array(sos), array(x)
    numbers = known(sos)
    theirs.sosfilt(unit(np.shape(sos)) if numbers is None else numbers, np.zeros(1))
    after = []
    for section in range(np.shape(sos)[0]):
        b, a = sos[section, :3], sos[section, 3:]
        if zi is None:
            y = lfilter(b, a, y, axis)
        else:
            y, state = lfilter(b, a, y, axis, zi[section])
            after.append(state)
    return y if zi is None else (y, np.stack(after))


def unit(shape: tuple[int, ...]) -> Any:
    """Sections that let all pass, for SciPy to check the shape of."""
    sections = np.zeros(shape)
    sections[..., ::3] = 1.0
    return sections


def sosfilt_zi(sos: Any) -> Any:
    """`scipy.signal.sosfilt_zi`: `lfilter_zi` of each section, times the gains before it."""
    if not depends(sos):
        return theirs.sosfilt_zi(sos)
    rows, gain = [], 1.0
    for section in range(np.shape(sos)[0]):
        b, a = sos[section, :3], sos[section, 3:]
        rows.append(gain * lfilter_zi(b, a))
        gain = gain * np.sum(b) / np.sum(a)
    return np.stack(rows)
