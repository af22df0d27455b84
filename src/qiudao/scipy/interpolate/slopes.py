"""The slopes at the knots that each kind of cubic curve has; data along the first axis."""

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import solve_banded

from ..operands import at, depends
from .pieces import column

Ends = list[Any]  # for each end "not-a-knot", "periodic" or (order, the value of that derivative)


class Row(NamedTuple):
    """An equation for the slope at an end: diagonal * s[0] + beside * s[1] = right."""

    diagonal: Any
    beside: Any
    right: Any


def of_spline(x: Any, y: Any, ends: Ends) -> Any:
    """The slopes of the cubic spline: those with which its second derivative is continuous.

        h[i] s[i-1] + 2 (h[i-1] + h[i]) s[i] + h[i-1] s[i+1] = 3 (h[i] m[i-1] + h[i-1] m[i])

    with h the distances of the knots and m the slopes of the chords, and an equation for each end
    (de Boor, A practical guide to splines, 2001, chapter IV).
    """
    n, h = np.shape(x)[0], np.diff(x)
    m = np.diff(y, axis=0) / column(h, y)
    if "periodic" in ends:
        return around(h, m) if n > 2 else np.concatenate([m, m])
    if n == 2:
        ends = [(1, m[0]) if end == "not-a-knot" else end for end in ends]
    if n == 3 and ends == ["not-a-knot", "not-a-knot"]:  # a parabola: both say the same
        first, last = Row(1.0, 1.0, 2 * m[0]), Row(1.0, 1.0, 2 * m[1])
    else:
        first, last = row(ends[0], h, m, 1), row(ends[1], np.flip(h), np.flip(m, 0), -1)
    wide = column(h, y)
    inner = 3 * (wide[1:] * m[:-1] + wide[:-1] * m[1:])
    right = np.concatenate([first.right[None], inner, last.right[None]])
    low = joined(h[1:], last.beside)
    up = joined(first.beside, h[:-1])
    middle = joined(first.diagonal, 2 * (h[:-1] + h[1:]), last.diagonal)
    return tridiagonal(low, middle, up, right)


def row(end: Any, h: Any, m: Any, sign: int) -> Row:
    """The equation of an end, from the distances and chords in the order from that end on."""
    if end == "not-a-knot":
        d = h[0] + h[1]
        return Row(h[1], d, ((h[0] + 2 * d) * h[1] * m[0] + h[0] ** 2 * m[1]) / d)
    order, value = end
    if order == 1:
        return Row(1.0, 0.0, value + 0.0 * m[0])
    return Row(2 * h[0], h[0], 3 * m[0] * h[0] - sign * 0.5 * value * h[0] ** 2)


def joined(*parts: Any) -> Any:
    """Numbers and vectors as one vector."""
    return np.concatenate([np.reshape(p, -1) for p in parts])


def tridiagonal(low: Any, middle: Any, up: Any, right: Any) -> Any:
    """The solution of a tridiagonal system: where the matrix is plain by its inverse, which is
    as large as a full matrix.
    """
    n = np.shape(middle)[0]
    if not depends(low, middle, up):
        bands = np.stack([np.append(0.0, up), middle, np.append(low, 0.0)])
        return np.tensordot(solve_banded((1, 1), bands, np.eye(n)), right, 1)
    below, above = np.concatenate([np.zeros(1), low]), np.concatenate([up, np.zeros(1)])
    matrix = np.eye(n, k=-1) * below[:, None] + np.eye(n) * middle[:, None]
    return solved(matrix + np.eye(n, k=1) * above[:, None], right)


def solved(matrix: Any, right: Any) -> Any:
    """The solution along the first axis."""
    flat = np.reshape(right, (np.shape(right)[0], -1))
    return np.reshape(np.linalg.solve(matrix, flat), np.shape(right))


def around(h: Any, m: Any) -> Any:
    """The slopes of the periodic spline: the equations of all knots, each with two neighbours."""
    n = np.shape(h)[0]
    before, wide = np.roll(h, 1), column(h, m)
    turn = np.roll(np.eye(n), 1, axis=1)
    matrix = 2 * (before + h)[:, None] * np.eye(n)
    matrix = matrix + h[:, None] * turn.T + before[:, None] * turn
    right = 3 * (wide * np.roll(m, 1, axis=0) + np.roll(wide, 1, axis=0) * m)
    s = solved(matrix, right) if depends(matrix) else np.tensordot(np.linalg.inv(matrix), right, 1)
    return at(s, np.arange(n + 1) % n)


def monotone(x: Any, y: Any) -> Any:
    """The slopes of PCHIP: the weighted harmonic mean of those of the chords, 0 where these have
    not the same sign.
    """
    h = column(np.diff(x), y)
    m = (y[1:] - y[:-1]) / h
    if np.shape(m)[0] == 1:
        return np.concatenate([m, m])
    ahead, behind = m[1:], m[:-1]
    level = (np.sign(ahead) != np.sign(behind)) | (ahead == 0) | (behind == 0)
    first, last = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    mean = first / np.where(level, 1.0, behind) + last / np.where(level, 1.0, ahead)
    inner = np.where(level, 0.0, (first + last) / mean)
    left = end(h[0], h[1], m[0], m[1])
    right = end(h[-1], h[-2], m[-1], m[-2])
    return np.concatenate([left[None], inner, right[None]])


def end(h: Any, k: Any, m: Any, n: Any) -> Any:
    """The slope at an end: that of the parabola, kept from overshooting."""
    slope = ((2 * h + k) * m - h * n) / (h + k)
    steep = (np.sign(m) != np.sign(n)) & (np.abs(slope) > 3 * np.abs(m))
    return np.where(np.sign(slope) != np.sign(m), 0.0, np.where(steep, 3 * m, slope))


SMALL = 1e-9  # of the largest sum of weights: below, the slope is the mean of the chords


def akima(x: Any, y: Any, method: str) -> Any:
    """The slopes of Akima's curve: the mean of those of the chords to both sides, each weighted by
    how much the chords beyond the other differ (Akima, A new method of interpolation and smooth
    curve fitting based on local procedures, 1970).

    "makima" adds half the size of their sum to the difference.
    """
    m = np.diff(y, axis=0) / column(np.diff(x), y)
    if np.shape(m)[0] == 1:
        return np.concatenate([m, m])
    before, after = 2 * m[0] - m[1], 2 * m[-1] - m[-2]
    m = np.concatenate([[2 * before - m[0], before], m, [after, 2 * after - m[-1]]])
    weights = np.abs(np.diff(m, axis=0))
    if method == "makima":
        weights = weights + 0.5 * np.abs(m[1:] + m[:-1])
    left, right = weights[2:], weights[:-2]
    both = left + right
    has_weight = both > SMALL * np.max(both)
    share = right / np.where(has_weight, both, 1.0)
    weighted = m[1:-2] + share * (m[2:-1] - m[1:-2])
    return np.where(has_weight, weighted, 0.5 * (m[3:] + m[:-3]))
