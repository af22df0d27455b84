"""Repeated eigenvalues and singular values: what is defined there.

Where values coincide (within rounding) the matrix leaves the basis of their vectors free, and

* values share: the derivative of each is the mean over those it coincides with, so that symmetric
  functions of them are exact, and a single one gets the symmetric convention of a tie;
* a quotient x / (w_j - w_i) is 0 between them, once x has been found to vanish there;
* what depends on the free choice has no derivative, and is refused (`refusals.py`).

In forward mode the direction is known, and the values of an analytic path can be followed through
the point (Rellich; Kato, Perturbation Theory for Linear Operators, II.6): `Branches`.  So the
Hessian, forward over reverse, of a symmetric function of the values is exact there too.

All these primitives read the values only to see which coincide, but for the quotient.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.avals import Aval, Value, promote
from ...core.families import Opaque
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ...core.samples import sample
from .coincidence import Sorting, distinct, largest, offending, tied, vanishing
from .matrices import adjoint, conj, diagonal_matrix, eye, real_dtype
from .refusals import HIGHER, Direction, Refusal, product_size, refuse


@primitive
class Pool(Sorting):
    """`g` with the mean in place of the entries whose values in `w` coincide.

    With `singular`, zero where the value is: there a singular value has a kink, as |x| has.
    """

    singular: bool = False
    samples = (
        sample("f64[4]", "f64[4]", kind="distinct"),
        sample("f64[2,3]", "c128[2,3]", kind="distinct", within=(0.5, 2.0), singular=True),
    )

    def evaluate(self, *xs: Value) -> Value:
        w, g = xs
        if not distinct(w):
            same = tied(w)
            sizes = np.count_nonzero(same, axis=-1)
            g = (np.sum(np.where(same, g[..., None, :], 0.0), -1) / sizes).astype(g.dtype)
        if self.singular and np.any(vanishing(w)):
            g = np.where(vanishing(w), np.zeros((), g.dtype), g)
        return g

    def transpose(self, ct: Value, *xs: Value) -> Value:
        return self(xs[0], ct)


@primitive
class Present(Opaque):
    """1 for each singular value, and 0 for those that are zero but for rounding."""

    samples = (sample("f64[3]", within=(0.5, 2.0)),)

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        return (~vanishing(xs[0])).astype(xs[0].dtype)


def denominators(kind: str, w: Value) -> Value:
    """What a quotient of this kind divides by."""
    if kind == "gap":
        return w[..., None, :] - w[..., :, None]
    return w[..., None, :] + w[..., :, None] if kind == "total" else w[..., None, :]


def dead_lanes(kind: str, w: Any) -> Any:
    """Where a quotient of this kind would divide by zero."""
    if kind == "gap":
        return tied(w)
    zero = vanishing(w)
    return zero[..., None, :] & zero[..., :, None] if kind == "total" else zero[..., None, :]


@primitive
class Quotient(Primitive):
    """`x` over w_j - w_i ("gap"), w_i + w_j ("total") or w_j ("column"), and 0 where that is 0.

    d = dx / (...) - out d(...) / (...).  Whoever applies it has found x to vanish where the
    denominator does; the derivative refuses what does not.  A gap has no diagonal.
    """

    over: str = "gap"
    samples = (
        sample("f64[3]", "f64[3,3]", kind="distinct", within=(0.5, 3.0)),
        sample("f64[2,2]", "c128[2,2,2]", kind="distinct", within=(0.5, 3.0), over="total"),
        sample("f64[2]", "f64[3,2]", kind="distinct", within=(0.5, 3.0), over="column"),
    )

    def is_linear(self, positions: set[int]) -> bool:
        return positions == {1}

    def shape(self, *avals: Aval) -> Aval:
        w, x = avals
        return Aval(x.shape, promote(w, x))

    def evaluate(self, *xs: Value) -> Value:
        w, x = xs
        dead = dead_lanes(self.over, w)
        below = np.where(dead, np.ones((), w.dtype), denominators(self.over, w))
        return np.where(dead, np.zeros((), x.dtype), x) / below

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        (w, _), (dw, dx) = xs, dxs
        moved = None if dx is None else Vanish(self.over)(w, dx)
        if dw is not None:
            turned = out * denominators(self.over, dw)
            moved = -turned if moved is None else moved - turned
        return None if moved is None else self(w, moved)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        w, _ = xs
        back = self(w, Vanish(self.over)(w, ct))
        if parents[0] is None:
            return (None, back)
        y = -(out * back)
        below = np.sum(y, axis=-2)
        if self.over == "gap":
            below = below - np.sum(y, axis=-1)
        elif self.over == "total":
            below = below + np.sum(y, axis=-1)
        return (below, back)


@primitive
class Vanish(Refusal):
    """`x`, refused unless it is zero, but for rounding, where a quotient would divide by zero.

    Rounding is measured by x, or by the product of the operands after it: a vector and a matrix.
    """

    over: str = "gap"
    samples = (
        sample("f64[3]", "f64[3,3]", kind="distinct", within=(0.5, 3.0)),
        sample("f64[3]", "f64[3,3]", "f64[3]", "f64[3,3]", kind="distinct", within=(0.5, 3.0)),
    )

    def evaluate(self, *xs: Value) -> Value:
        w, x, *factors = xs
        if self.over == "gap" and distinct(w):
            return x
        size = product_size(*factors) if factors else largest(x)
        dead = dead_lanes(self.over, w)
        if self.over == "gap":
            dead = dead & ~np.eye(w.shape[-1], dtype=bool)
        found = offending(w, np.where(dead, x, np.zeros((), x.dtype)), size)
        if found is not None:
            raise refuse(HIGHER, "eigh", found)
        return x

    def transpose(self, ct: Value, *xs: Value) -> Value:
        return Vanish(self.over)(xs[0], ct)


def off_diagonal(x: Value) -> Value:
    """Each matrix without its diagonal."""
    return x * (1.0 - eye(x))


def rotation(w: Any, m: Any, singular: bool) -> Any:
    """The eigenvectors of `m` within each group of coinciding values, or None without any.

    Along an analytic path in the direction m the values leave in this order: ascending, and
    descending for singular values, of which those that are zero stay.
    """
    if distinct(w):
        return None
    same = tied(w)
    if singular:
        same &= ~vanishing(w)[..., None, :]
    firsts = np.count_nonzero(same, axis=-1) > 1
    firsts &= np.argmax(same, axis=-1) == np.arange(w.shape[-1])
    if not firsts.any():
        return None
    turned = np.zeros(m.shape, m.dtype)
    turned[...] = np.eye(w.shape[-1])
    for *lane, first in np.argwhere(firsts):
        at = tuple(lane)
        group = np.flatnonzero(same[(*at, first)])
        vectors = np.linalg.eigh(m[at][np.ix_(group, group)])[1]
        turned[at][np.ix_(group, group)] = vectors[:, ::-1] if singular else vectors
    return turned


class Following(Sorting):
    """Follows coinciding values along the direction `m`, in w, m and one operand more.

    Its own derivative by m is refused where values coincide, unless they stay together.
    """

    last = 2
    singular: bool

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        if dxs[1] is not None:
            Direction("svd" if self.singular else "eigh")(xs[0], dxs[1])  # which may refuse
        return super().push(out, xs, dxs, product)


@primitive
class Branches(Following):
    """The matrix with diagonal g, in the basis that the direction m selects."""

    singular: bool = False
    samples = (sample("f64[3]", "f64[3,3]", "f64[3]", kind="distinct"),)

    def shape(self, *avals: Aval) -> Aval:
        _, m, g = avals
        return Aval(m.shape, promote(m, g))

    def evaluate(self, *xs: Value) -> Value:
        w, m, g = xs
        turned = rotation(w, m, self.singular)
        if turned is None:
            return diagonal_matrix(g).astype(np.result_type(m, g), copy=False)
        return (turned * g[..., None, :]) @ adjoint(turned)

    def transpose(self, ct: Value, *xs: Value) -> Value:
        return AlongBranches(self.singular)(*xs[:2], conj(ct))


@primitive
class AlongBranches(Following):
    """The diagonal of x, its real part, in the basis that the direction m selects."""

    singular: bool = False
    samples = (sample("f64[3]", "f64[3,3]", "c128[3,3]", kind="distinct"),)

    def shape(self, *avals: Aval) -> Aval:
        x = avals[2]
        return Aval(x.shape[:-1], real_dtype(x.dtype))

    def evaluate(self, *xs: Value) -> Value:
        w, m, x = xs
        turned = rotation(w, m, self.singular)
        if turned is not None:
            x = adjoint(turned) @ x @ turned
        return np.ascontiguousarray(np.diagonal(x, axis1=-2, axis2=-1).real)

    def transpose(self, ct: Value, *xs: Value) -> Value:
        return conj(Branches(self.singular)(*xs[:2], ct))
