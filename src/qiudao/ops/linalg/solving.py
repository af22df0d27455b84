"""Inverses and solutions of linear equations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.avals import Aval, Value, aval_of
from ...core.dispatch import implements
from ...core.errors import NotDifferentiableError, ShapeError
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ...core.samples import sample
from ..faces import array, delivered, whole
from ..shaping import Reshape
from .matrices import aligned, result_dtype, square

LOST = 0.01  # the condition, in units of the rounding, at which an inverse has no digits


def condition(a: Value, inverse: Value) -> Value:
    """The condition number of each matrix, in the norm of absolute column sums."""
    with np.errstate(all="ignore"):
        return np.linalg.norm(a, 1, (-2, -1)) * np.linalg.norm(inverse, 1, (-2, -1))


@primitive
class Inverse(Primitive):
    """Inverse of each square matrix.  d = -out da out (Giles 2008, 2.2.3).

    At a singular matrix it raises as NumPy does; with `fill` the inverse is NaN there.  With a
    `refusal` it raises that, where the inverse has no digits too.
    """

    refusal: str = ""
    fill: bool = False
    samples = (
        sample("f64[3,3]", kind="regular"),
        sample("f64[2,2,2]", kind="regular"),
        sample("c128[2,2]", kind="regular"),
        sample("f64[2,2]", kind="regular", fill=True),
    )

    def shape(self, *avals: Aval) -> Aval:
        square("inv", avals[0])
        return Aval(avals[0].shape, result_dtype(*avals))

    def evaluate(self, *xs: Value) -> Value:
        (a,) = xs
        try:
            inverse = np.linalg.inv(a)
        except np.linalg.LinAlgError:
            if self.refusal:
                raise NotDifferentiableError(self.refusal) from None
            if not self.fill:
                raise
        else:
            if self.refusal and np.any(condition(a, inverse) * np.finfo(a.dtype).eps > LOST):
                raise NotDifferentiableError(self.refusal)
            return inverse
        if a.ndim > 2:
            return np.stack([self.evaluate(m) for m in a])
        return np.full(a.shape, np.nan, result_dtype(aval_of(a)))

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        return -(out @ dx @ out)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """As derived, in half the time for small matrices."""
        back = out.mT
        return (-(back @ ct @ back),)


@primitive
class Solve(Primitive):
    """`a^-1 b` for matrices b; leading axes broadcast.  d = a^-1 (db - da out) (Giles 2008, 2.3.1).

    Linear in b.  Pull: b gets z = a^-T ct, and a gets -z out^T.
    """

    samples = (
        sample("f64[3,3]", "f64[3,2]", kind="regular"),
        sample("f64[2,2,2]", "f64[2,1]", kind="regular"),
        sample("f64[2,2]", "f64[3,2,1]", kind="regular"),
        sample("c128[2,2]", "c128[2,2]", kind="regular"),
    )

    def shape(self, *avals: Aval) -> Aval:
        a, b = avals
        if square("solve", a) != b.shape[-2]:
            raise ShapeError(
                f"solve: {a} and {b} do not fit: the right side needs as many rows as the matrix"
            )
        lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        return Aval((*lead, *b.shape[-2:]), result_dtype(a, b))

    def evaluate(self, *xs: Value) -> Value:
        return np.linalg.solve(*xs)

    def is_linear(self, positions: set[int]) -> bool:
        return positions == {1}

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        da, db = dxs
        if da is None:
            return None if db is None else self(xs[0], db)
        moved = da @ out
        return self(xs[0], -moved if db is None else db - moved)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        back = self(xs[0].mT, ct)
        return (None if parents[0] is None else -(back @ out.mT), back)

    def keep(self, values: Values, parents: Parents) -> tuple[Value, ...]:
        (a, b), (_, y) = values, parents
        return (a, aval_of(b) if y is None else y)

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        """One matrix for all examples is factored once: the examples become columns."""
        a, b = xs
        if mapped[0] or a.ndim != 2:
            return self(*aligned(mapped, xs))
        wide = np.moveaxis(b, -2, 0)
        solved = self(a, np.reshape(wide, (b.shape[-2], -1 if wide.size else 0)))
        return np.moveaxis(np.reshape(solved, wide.shape), 0, -2)


solve_ = Solve()


@implements(np.linalg.inv)
def inv(a: Any) -> Value:
    """Inverse of each square matrix."""
    return Inverse()(array(a))


@implements(np.linalg.solve)
def solve(a: Any, b: Any) -> Value:
    """The solution of a x = b; a 1-d `b` is one vector, otherwise a stack of matrices."""
    a, b = array(a), array(b)
    if b.ndim == 1:
        x = solve_(a, b[:, None])
        return Reshape(tuple(x.shape[:-1]))(x)
    if b.ndim == 0:
        raise ShapeError("solve: the right side is 0-d; give a vector or a matrix")
    return solve_(a, b)


@implements(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Value:
    """The tensor x with `tensordot(a, x, x.ndim) == b`."""
    a, b = array(a), array(b)
    if axes is not None:
        chosen = [whole(k) % a.ndim for k in axes]
        a = np.transpose(a, [k for k in range(a.ndim) if k not in chosen] + chosen)
    shape = tuple(a.shape[b.ndim - a.ndim :])
    n = math.prod(shape)
    if a.size != n * n:
        raise ShapeError(
            f"tensorsolve: {aval_of(a)} and {aval_of(b)} do not fit: the axes of a after the first "
            f"{b.ndim} have {n} elements together, and the first must have as many"
        )
    return np.reshape(solve(np.reshape(a, (n, n)), np.ravel(b)), shape)


@implements(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Value:
    """The inverse of `a` as the map `tensordot(a, x, ind)`."""
    x = array(a)
    ind = whole(ind)
    if ind <= 0:
        raise ValueError(f"tensorinv: ind={ind} must be positive: it counts the first axes")
    n = math.prod(x.shape[ind:])
    shape = (*x.shape[ind:], *x.shape[:ind])
    return np.reshape(inv(np.reshape(x, (n, -1 if n else 0))), shape)


@implements(np.linalg.matrix_power)
def matrix_power(a: Any, n: Any) -> Value:
    """`a` multiplied by itself `n` times; the inverse is, for a negative n."""
    x, n = array(a), whole(n)
    square("matrix_power", aval_of(x))
    if n == 0:
        return np.zeros_like(x) + np.eye(x.shape[-1], dtype=x.dtype)
    if n < 0:
        x, n = inv(x), -n
    power = None
    while True:
        if n & 1:
            power = x if power is None else power @ x
        n >>= 1
        if not n:
            return power
        x = x @ x


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Any, *, out: Any = None) -> Value:
    """The product of two or more matrices, multiplied in the cheapest order.

    The first may be a row and the last a column, 1-d.
    """
    xs = [array(a) for a in arrays]
    if len(xs) < 2:
        raise ValueError(f"multi_dot: {len(xs)} arrays; give at least two")
    for k, x in enumerate(xs):
        if x.ndim != 2 and not (x.ndim == 1 and k in (0, len(xs) - 1)):
            raise ShapeError(
                f"multi_dot: array {k} is {aval_of(x)}; all must be matrices, but for a vector "
                "in the first or the last place"
            )
    rows = 1 if xs[0].ndim == 1 else xs[0].shape[0]
    sizes = [rows, *(x.shape[0] for x in xs[1:]), 1 if xs[-1].ndim == 1 else xs[-1].shape[1]]
    splits = cheapest(sizes)

    def product(first: int, last: int) -> Value:
        if first == last:
            return xs[first]
        middle = splits[first, last]
        return product(first, middle) @ product(middle + 1, last)

    return delivered("multi_dot", product(0, len(xs) - 1), out)


def cheapest(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """Where to split each run of matrices, of which number k is sizes[k] by sizes[k + 1].

    Cormen et al., Introduction to Algorithms, 15.2.
    """
    count = len(sizes) - 1
    cost = {(k, k): 0 for k in range(count)}
    splits = {}
    for length in range(1, count):
        for first in range(count - length):
            last = first + length
            cost[first, last], splits[first, last] = min(
                (
                    cost[first, k]
                    + cost[k + 1, last]
                    + sizes[first] * sizes[k + 1] * sizes[last + 1],
                    k,
                )
                for k in range(first, last)
            )
    return splits
