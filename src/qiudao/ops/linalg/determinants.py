"""Determinants, right at singular matrices too.

The derivative of det(a) is its cofactor matrix, a polynomial in a.  Its derivatives of every order
come from the singular values s of a without division: where a = u diag(s) v^H and the directions
are m_1 ... m_k, in the basis of u and v the coefficient of det(diag(s) + t_1 m_1 + ...) is a sum
over distinct indices of the product of all *other* singular values, times products of entries of
the directions.
"""

from __future__ import annotations

import itertools
import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.avals import Aval, Value
from ...core.dispatch import implements
from ...core.primitive import Parents, Primitive, Product, Terms, Values, add_all, primitive
from ...core.samples import sample
from ..arithmetic import scale
from ..faces import array
from .matrices import SlogdetResult, adjoint, real, real_dtype, result_dtype, square
from .solving import Inverse, condition

FEW = 4  # rows of the matrices whose cofactors compiled code writes out
CONDITION = 1e6  # below it the inverse gives cofactors to nearly all digits


@primitive
class Det(Primitive):
    """Determinant of each square matrix.  d = sum(cofactors * da), at singular matrices too."""

    keeps_out = False
    samples = (
        sample("f64[3,3]"),
        sample("f64[2,2,2]"),
        sample("c128[3,3]"),
        sample("f64[1,1]"),
    )

    def shape(self, *avals: Aval) -> Aval:
        square("det", avals[0])
        return Aval(avals[0].shape[:-2], result_dtype(*avals))

    def evaluate(self, *xs: Value) -> Value:
        return np.linalg.det(xs[0])

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        return np.sum(scale(dx, cofactor(xs[0])), axis=(-2, -1))

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """As derived, in half the time for small matrices."""
        return (ct[..., None, None] * cofactor(xs[0]),)


@primitive
class Cofactor(Primitive):
    """The derivative of the cofactor matrix of `a` along each of the matrices after it, in turn.

    With no direction, the cofactors themselves: det(a) a^-T where a has an inverse.  One more
    direction is one more derivative, so the family is closed.  As the derivative of det of order
    k is symmetric in its k directions, each pull is the same function with the cotangent in the
    place of the operand.
    """

    keeps_out = False
    samples = (
        sample("f64[3,3]"),
        sample("f64[2,2,2]"),
        sample("c128[2,2]"),
        sample("f64[3,3]", "f64[3,3]"),
        sample("c128[3,3]", "c128[3,3]", order=2),
        sample("f64[4,4]", "f64[4,4]", "f64[4,4]", order=1),
    )

    def shape(self, *avals: Aval) -> Aval:
        square("cofactor", avals[0])
        return Aval(avals[0].shape, result_dtype(*avals))

    def evaluate(self, *xs: Value) -> Value:
        return cofactors(xs[0]) if len(xs) == 1 else cofactor_derivative(*xs)

    def is_linear(self, positions: set[int]) -> bool:
        return len(positions) == 1 and 0 not in positions

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        return add_all(
            [
                None if dx is None else self(*xs, dx) if i == 0 else self(*swapped(xs, i, dx))
                for i, dx in enumerate(dxs)
            ]
        )

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        return [
            None if p is None else self(*xs, ct) if i == 0 else self(*swapped(xs, i, ct))
            for i, p in enumerate(parents)
        ]


def swapped(xs: Sequence[Value], i: int, x: Value) -> list[Value]:
    """The operands with another one in place `i`."""
    return [x if k == i else y for k, y in enumerate(xs)]


def cofactors(a: Value) -> Value:
    """The cofactors of each matrix: by its inverse where that keeps the digits.

    The determinant may overflow or underflow where they do not.
    """
    finite = np.all(np.isfinite(a), axis=(-2, -1), keepdims=True)
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return np.where(finite, cofactor_derivative(np.where(finite, a, 0.0)), np.nan)
    with np.errstate(all="ignore"):
        det = np.linalg.det(a)
        direct = det[..., None, None] * inverse.mT
    size = np.abs(det)
    limits = np.finfo(det.dtype)
    well = (condition(a, inverse) < CONDITION) & (size >= limits.tiny) & (size <= limits.max)
    kept = well[..., None, None] | ~finite  # what is not finite has no singular values
    if np.all(kept):
        return direct
    return np.where(kept, direct, cofactor_derivative(np.where(finite, a, 0.0)))


def cofactor_derivative(a: Value, *directions: Value) -> Value:
    """The derivative of the cofactors along directions, by singular values and no division.

    NaN for a matrix that is not finite, which has no singular values.
    """
    lost = ~np.all(np.isfinite(a), axis=(-2, -1), keepdims=True)
    u, s, vh = np.linalg.svd(np.where(lost, 0, a))
    turn = (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    ms = [adjoint(u) @ m @ adjoint(vh) for m in directions]
    order = len(ms)
    ns = string.ascii_letters[: order + 1]  # one index for each direction, the first for the result
    others = product_of_others(s, order + 1)
    total = np.zeros(np.shape(a), np.result_type(u, *ms))
    for places in itertools.permutations(range(order + 1)):
        terms = [f"...{ns}", *(f"...{ns[k]}{ns[places[k]]}" for k in range(1, order + 1))]
        alone = places[0] == 0
        result = ns[0] if alone else ns[0] + ns[places[0]]
        term = np.einsum(",".join(terms) + f"->...{result}", others, *ms)
        if alone:
            term = term[..., None] * np.eye(a.shape[-1], dtype=s.dtype)
        total = total + sign_of(places) * term
    rotated: Value = (turn * np.conj(u)) @ total @ np.conj(vh)
    return np.where(lost, np.nan, rotated).astype(total.dtype, copy=False)


def sign_of(places: Sequence[int]) -> int:
    """+1 for an even permutation, -1 for an odd one."""
    swaps = sum(a > b for a, b in itertools.combinations(places, 2))
    return -1 if swaps % 2 else 1


def product_of_others(s: Value, count: int) -> Value:
    """For each choice of `count` distinct indices the product of all other values, else 0."""
    n = s.shape[-1]
    if count == 1:
        ones = np.ones((*s.shape[:-1], 1), s.dtype)
        before = np.concatenate([ones, np.cumprod(s[..., :-1], -1)], -1)[..., :n]
        after = np.concatenate([ones, np.cumprod(s[..., :0:-1], -1)], -1)[..., :n][..., ::-1]
        return before * after
    same = np.eye(n, dtype=bool)
    rest = product_of_others(np.where(same, 1, s[..., None, :]), count - 1)
    for axis in range(1, count):
        unit = (1,) * (count - 1 - axis)
        rest = np.where(same.reshape(n, *(1,) * (axis - 1), n, *unit), 0, rest)
    return rest


def poles(cofactors: Value) -> Value:
    """The slope of log|det| at a singular matrix, whose cofactors these are."""
    n, dtype = cofactors.shape[-1], cofactors.dtype
    size = np.abs(cofactors)
    rounding = n * np.finfo(dtype).eps * np.max(size, axis=(-2, -1), keepdims=True)
    pole = np.sign(cofactors) * np.array(np.inf, real_dtype(dtype))
    return np.where(size <= rounding, np.zeros((), dtype), pole)


@primitive
class LogSlope(Primitive):
    """The derivative of log|det(a)|, a^-T.  d = -out da^T out.

    At a singular matrix the logarithm has a pole: infinite where the cofactor is not zero.
    """

    samples = (sample("f64[3,3]", kind="regular"), sample("c128[2,2,2]", kind="regular"))

    def shape(self, *avals: Aval) -> Aval:
        square("slogdet", avals[0])
        return Aval(avals[0].shape, result_dtype(*avals))

    def evaluate(self, *xs: Value) -> Value:
        (a,) = xs
        try:
            return np.linalg.inv(a).mT
        except np.linalg.LinAlgError:
            if a.ndim > 2:
                return np.stack([self.evaluate(m) for m in a])
        with np.errstate(all="ignore"):
            return poles(cofactors(a))

    def expand(self, *xs: Value) -> Any:
        """Of the sizes whose cofactors are compiled; a finite matrix without inverse has NaN."""
        (a,) = xs
        if not 1 <= a.shape[-1] <= FEW:
            return NotImplemented
        inverse = Inverse(fill=True)(a).mT
        is_lost = np.isnan(inverse).all(axis=(-2, -1), keepdims=True)
        is_finite = np.isfinite(a).all(axis=(-2, -1), keepdims=True)
        return np.where(is_lost & is_finite, poles(cofactor(a)), inverse)

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        return -(out @ dx.mT @ out)


@primitive
class SlogDet(Primitive):
    """Sign and logarithm of the absolute value of the determinant of each square matrix.

    With t = trace(a^-1 da), d log|det| = Re t and d sign = i sign Im t, which is 0 for reals.
    """

    samples = (
        sample("f64[3,3]", kind="regular"),
        sample("f64[2,2,2]", kind="regular"),
        sample("c128[3,3]", kind="regular"),
    )

    def shape(self, *avals: Aval) -> tuple[Aval, Aval]:
        square("slogdet", avals[0])
        dtype = result_dtype(*avals)
        lead = avals[0].shape[:-2]
        return Aval(lead, dtype), Aval(lead, real_dtype(dtype))

    def evaluate(self, *xs: Value) -> Value:
        return tuple(np.linalg.slogdet(xs[0]))

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        sign, _ = out
        t = np.sum(scale(dx, LogSlope()(xs[0])), axis=(-2, -1))
        turned = 1j * sign * np.imag(t) if sign.dtype.kind == "c" else 0.0 * sign
        return turned, real(t)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """As derived, in half the time for small matrices."""
        (sign, _), (turn, weight) = out, ct
        if turn is not None and sign.dtype.kind == "c":
            turned = np.imag(turn * sign) * 1j
            weight = turned if weight is None else weight + turned
        if weight is None:  # of a real determinant, whose sign is constant
            return (None,)
        return (scale(weight[..., None, None], LogSlope()(xs[0])),)


cofactor = Cofactor()


@implements(np.linalg.det)
def det(a: Any) -> Value:
    """Determinant of each square matrix."""
    return Det()(array(a))


@implements(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    """Sign and logarithm of the absolute value of the determinant."""
    return SlogdetResult(*SlogDet()(array(a)))
