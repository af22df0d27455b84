"""Linear filters along an axis."""

from typing import Any

import numpy as np

import qiudao as qd
from scipy import signal as theirs

from ...core.errors import GradientError
from ..operands import array, depends, plain


def recursive(a: Any, v: Any) -> Any:
    """The recursion y[n] = v[n] - sum over k >= 1 of a[k] y[n - k], along the last axis: SciPy's,
    or sample by sample for tracers, as a batch has them.
    """
    if not depends(a, v):
        return theirs.lfilter([1.0], np.concatenate([[1.0], a[1:]]), v)
    ys: list[Any] = []
    for n in range(np.shape(v)[-1]):
        y = v[..., n]
        for k in range(1, min(np.shape(a)[0], n + 1)):
            y = y - a[k] * ys[n - k]
        ys.append(y)
    return np.stack(ys, -1)


def ahead(a: Any, v: Any) -> Any:
    """The result and what the reverse rule reads."""
    y = recursive(a, v)
    return y, (a, y)


def back(kept: Any, ct: Any) -> Any:
    """The recursion is T(a) y = v with a lower triangular Toeplitz matrix T(a): the cotangent of v
    solves the transposed one, which is the same recursion backwards in time, and a[k] enters by
    a[k] y[n - k].
    """
    a, y = kept
    of_v = np.flip(poles(a, np.flip(ct, -1)), -1)
    n = np.shape(y)[-1]
    of_a = [-np.sum(of_v[..., k:] * y[..., : n - k]) if k < n else 0.0 * np.sum(y)
            for k in range(np.shape(a)[0])]  # fmt: skip
    return np.stack(of_a), of_v


def push(operands: Any, tangents: Any) -> Any:
    """The tangent dy solves T(a) dy = dv - T(da) y."""
    a, v = operands
    da, dv = tangents
    y = poles(a, v)
    n = np.shape(y)[-1]
    moved = dv - da[0] * y
    for k in range(1, min(np.shape(a)[0], n)):
        moved = moved - da[k] * later(y, k)
    return y, poles(a, moved)


poles = qd.custom_vjp(recursive)
poles.defvjp(ahead, back)
poles.defjvp(push)


def later(x: Any, k: int) -> Any:
    """The samples of the last axis k places later, after zeros."""
    start = np.zeros((*np.shape(x)[:-1], k))
    return np.concatenate([start, x[..., : np.shape(x)[-1] - k]], -1)


def lfilter(b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    """`scipy.signal.lfilter`, with derivatives in `b`, `a` and `x`.

        a[0] y[n] = sum over k of b[k] x[n - k] - sum over k >= 1 of a[k] y[n - k].

    Raises `GradientError` for derivatives with `zi`, and of complex numbers.

    >>> from qiudao.scipy import signal
    >>> x = np.array([1.0, 0.0, 0.0])
    >>> qd.grad(lambda p: signal.lfilter([1.0], np.stack([1.0, -p]), x)[2])(0.5)
    np.float64(1.0)
    """
    if not depends(b, a, x, zi):
        return theirs.lfilter(b, a, x, axis) if zi is None else theirs.lfilter(b, a, x, axis, zi)
    if zi is not None:
        raise GradientError(
            "lfilter: derivatives with zi= are not known; put the samples before the first into x"
        )
    b, a, x = (np.reshape(array(b), -1), np.reshape(array(a), -1), array(x))
    if any(v.dtype.kind == "c" for v in (b, a, x)):
        raise GradientError(
            "lfilter: derivatives of complex filters are not known; filter real and imaginary parts"
        )
    samples = np.moveaxis(x, axis, -1) / a[0]
    n = np.shape(samples)[-1]
    total = b[0] * samples
    for k in range(1, min(np.shape(b)[0], n)):
        total = total + b[k] * later(samples, k)
    y = poles(a / a[0], total) if np.shape(a)[0] > 1 else total
    return np.moveaxis(y, -1, axis)


def sosfilt(sos: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    """`scipy.signal.sosfilt`, with derivatives in the sections `sos` of shape (sections, 6) and in
    `x`: one section after the other, as `lfilter` of its b and a.

    Raises `GradientError` for derivatives with `zi`.

    >>> from qiudao.scipy import signal
    >>> sos = np.array([[1.0, 0.0, 0.0, 1.0, -0.5, 0.0]])
    >>> qd.grad(lambda x: signal.sosfilt(sos, x)[2])(np.ones(3))
    array([0.25, 0.5 , 1.  ])
    """
    if not depends(sos, x, zi):
        return theirs.sosfilt(sos, x, axis) if zi is None else theirs.sosfilt(sos, x, axis, zi)
    if zi is not None:
        raise GradientError(
            "sosfilt: derivatives with zi= are not known; put the samples before the first into x"
        )
    sos, y = array(sos), array(x)
    theirs.sosfilt(plain(sos), np.zeros(1))
    for section in range(np.shape(sos)[0]):
        y = lfilter(sos[section, :3], sos[section, 3:], y, axis)
    return y
