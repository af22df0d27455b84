"""Helpers over matrices, their eigenvalues and singular values."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....ops.linalg.coincidence import tied, vanishing
from ....ops.linalg.degenerate import rotation


def adjoint(x: Any) -> Any:
    """The conjugate transpose of each matrix."""
    return np.conj(x).mT


def hermitian(x: Any) -> Any:
    """The Hermitian part of each matrix."""
    return 0.5 * x + 0.5 * adjoint(x)


def inverse_or_nan(a: Any) -> Any:
    """The inverse of each matrix, NaN where there is none."""
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        if a.ndim > 2:
            return np.stack([inverse_or_nan(m) for m in a])
        return np.full(a.shape, np.nan, a.dtype)


def triangle_weights(a: Any, upper: Any = False) -> Any:
    """Weights that turn `a` into a matrix whose Hermitian part NumPy would read from a triangle."""
    n = a.shape[-1]
    skew = np.abs(a - adjoint(a))
    bound = 4 * n * np.finfo(skew.dtype).eps * np.max(np.abs(a), axis=(-2, -1), keepdims=True)
    triangle = 2 * np.tri(n, n, -1, dtype=skew.dtype) + np.eye(n, dtype=skew.dtype)
    near = np.max(skew, axis=(-2, -1), keepdims=True) <= bound
    return np.where(near, np.ones((), skew.dtype), triangle.T if upper else triangle)


def pooled(w: Any, g: Any, singular: Any = False) -> Any:
    """`g` with the mean in place of the entries whose values in `w` coincide."""
    same = tied(w)
    g = (np.sum(np.where(same, g[..., None, :], 0), -1) / np.sum(same, -1)).astype(g.dtype)
    return np.where(vanishing(w), np.zeros((), g.dtype), g) if singular else g


def present(s: Any) -> Any:
    """1 for each singular value, and 0 for those that are zero but for rounding."""
    return (~vanishing(s)).astype(s.dtype)


def where_apart(w: Any, x: Any, of: Any) -> Any:
    """`x`, and NaN where values coincide, or singular values are zero."""
    repeated = np.sum(tied(w), -1) > 1
    if of == "svd":
        repeated = repeated | vanishing(w)
    return np.where(repeated[..., None, :], np.full((), np.nan, x.dtype), x)


def over_gaps(w: Any, x: Any) -> Any:
    """`x` over w_j - w_i, and 0 where these coincide."""
    dead = tied(w)
    below = np.where(dead, np.ones((), w.dtype), w[..., None, :] - w[..., :, None])
    return np.where(dead, np.zeros((), x.dtype), x) / below


def over_totals(w: Any, x: Any) -> Any:
    """`x` over w_i + w_j, and 0 where both are zero."""
    zero = vanishing(w)
    dead = zero[..., None, :] & zero[..., :, None]
    below = np.where(dead, np.ones((), w.dtype), w[..., None, :] + w[..., :, None])
    return np.where(dead, np.zeros((), x.dtype), x) / below


def over_columns(w: Any, x: Any) -> Any:
    """`x` over w_j, and 0 where that is zero."""
    dead = vanishing(w)[..., None, :]
    below = np.where(dead, np.ones((), w.dtype), w[..., None, :])
    return np.where(dead, np.zeros((), x.dtype), x) / below


def with_eigenvalues(a: Any, g: Any) -> Any:
    """V diag(g) V^H, for the eigenvectors V of `a`."""
    w, v = np.linalg.eigh(hermitian(a))
    return (v * pooled(w, g)[..., None, :]) @ adjoint(v)


def with_singular_values(a: Any, g: Any) -> Any:
    """U diag(g) V^H, for the singular vectors U and V of `a`."""
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return (u * pooled(s, g, singular=True)[..., None, :]) @ vh


def complex_eig(a: Any) -> Any:
    """Eigenvalues and eigenvectors, complex."""
    w, v = np.linalg.eig(a)
    dtype = np.result_type(w, np.complex64)
    return w.astype(dtype), v.astype(dtype)


def similar(a: Any, g: Any) -> Any:
    """V diag(g) V^-1, for the eigenvectors V of `a`."""
    w, v = complex_eig(a)
    return (v * pooled(w, g)[..., None, :]) @ np.linalg.inv(v)


def pivots(v: Any) -> Any:
    """1 at the component of each column that LAPACK made real: its largest; 0 elsewhere."""
    row = np.argmax(np.where(v.imag == 0, np.abs(v), -1.0), axis=-2)
    return (np.arange(v.shape[-2])[:, None] == row[..., None, :]).astype(v.dtype)


def lyapunov(h: Any, c: Any) -> Any:
    """The solution x of h x + x h = c, for h Hermitian and positive."""
    w, v = np.linalg.eigh(hermitian(h))
    return v @ over_totals(np.abs(w), adjoint(v) @ c @ v) @ adjoint(v)


def polar(a: Any) -> Any:
    """U V^H, for the singular vectors U and V of `a`."""
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return (u * present(s)[..., None, :]) @ vh


def least_squares(a: Any, b: Any, cutoff: Any) -> Any:
    """The solution of least |b - a x|, and among those of least |x|."""
    if cutoff is None:
        cutoff = np.finfo(a.dtype).eps * max(a.shape[-2:])
    elif cutoff < 0:
        cutoff = np.finfo(a.dtype).eps
    return np.linalg.pinv(a, cutoff) @ b


def rank(s: Any, tolerance: Any, relative: Any = False) -> Any:
    """The number of singular values above a tolerance, relative to the largest or not."""
    bound = np.asarray(tolerance)[..., None]
    if relative:
        bound = bound * np.max(s, axis=-1, keepdims=True, initial=0)
    return np.count_nonzero(s > bound, axis=-1)


def in_branches(w: Any, m: Any, g: Any, singular: Any) -> Any:
    """The matrix with diagonal g, in the basis that the direction m selects."""
    turned = rotation(w, m, singular)
    if turned is None:
        turned = np.eye(w.shape[-1], dtype=m.dtype)
    return (turned * g[..., None, :]) @ adjoint(turned)


def along_branches(w: Any, m: Any, x: Any, singular: Any) -> Any:
    """The diagonal of x, its real part, in the basis that the direction m selects."""
    turned = rotation(w, m, singular)
    if turned is not None:
        x = adjoint(turned) @ x @ turned
    return np.diagonal(x, axis1=-2, axis2=-1).real
