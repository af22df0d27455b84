"""Repeated eigenvalues and singular values: what is defined there, and what is refused.

Where values coincide (within rounding) the matrix leaves the basis of their vectors free, and

* values share: the derivative of each is the mean over those it coincides with, so that symmetric
  functions of them are exact, and a single one gets the symmetric convention of a tie;
* a quotient x / (w_j - w_i) is 0 between them, once x has been found to vanish there;
* what depends on the free choice has no derivative and raises `NotDifferentiableError`.

In forward mode the direction is known, and the values of an analytic path can be followed through
the point (Rellich; Kato, Perturbation Theory for Linear Operators, II.6): `Branches`.  So the
Hessian, forward over reverse, of a symmetric function of the values is exact there too.

All these primitives read the values only to see which coincide, but for the quotient.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ...core.avals import Aval, Value, promote
from ...core.errors import NotDifferentiableError
from ...core.families import Opaque
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ...core.samples import sample
from ...core.sweep import Masked
from .matrices import adjoint, conj, diagonal_matrix, eye, real_dtype

ROUNDING = 10.0  # units in the last place, times sqrt(n), by which computed equal values differ
NOISE = 1e3  # units in the last place, times n, that count as zero in a matrix of size n


def spread(w: Any) -> Any:
    """The difference of values that rounding alone can make."""
    n = max(w.shape[-1], 1)
    largest = np.max(np.abs(w), axis=-1, keepdims=True, initial=0.0)
    return ROUNDING * np.sqrt(n) * np.finfo(w.dtype).eps * largest


def tied(w: Any) -> Any:
    """Which values coincide: a matrix of masks, true on the diagonal."""
    if w.dtype.kind == "c":
        near = np.abs(w[..., None, :] - w[..., :, None]) <= spread(w)[..., None]
        near |= np.eye(w.shape[-1], dtype=bool)
        while True:  # what coincides with a third value coincides
            wider = near @ near
            if np.array_equal(wider, near):
                return near
            near = wider
    order = np.argsort(w, axis=-1)
    jumps = np.diff(np.take_along_axis(w, order, -1), axis=-1, prepend=-np.inf) > spread(w)
    groups = np.empty(w.shape, int)
    np.put_along_axis(groups, order, np.cumsum(jumps, axis=-1), -1)
    return groups[..., None, :] == groups[..., :, None]


def vanishing(s: Any) -> Any:
    """Which singular values are zero but for rounding."""
    return s <= spread(s)


def largest(x: Any) -> Any:
    """The largest element of each matrix, by absolute value."""
    return np.max(np.abs(x), axis=(-2, -1), keepdims=True, initial=0.0)


class Sorting(Primitive):
    """Linear in its last operand; those before it only say which values coincide."""

    keeps_out = False
    last: ClassVar[int] = 1

    def is_linear(self, positions: set[int]) -> bool:
        return positions == {self.last}

    def transpose(self, ct: Value, *xs: Value) -> Value:
        """The cotangent of the last operand."""
        raise NotImplementedError

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        return None if dxs[self.last] is None else self(*xs[: self.last], dxs[self.last])

    def pull(
        self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product
    ) -> Terms:
        given = parents[self.last] is not None
        return (*(None,) * self.last, self.transpose(ct, *xs) if given else None)

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[self.last].shape, avals[self.last].dtype)


@primitive
class Share(Sorting):
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
        same = tied(w)
        if np.count_nonzero(same) != w.size:
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

    def pull(
        self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product
    ) -> Terms:
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
class Vanish(Sorting):
    """`x`, refused unless it is zero, but for rounding, where a quotient would divide by zero."""

    over: str = "gap"
    samples = (sample("f64[3]", "f64[3,3]", kind="distinct", within=(0.5, 3.0)),)

    def evaluate(self, *xs: Value) -> Value:
        w, x = xs
        dead = dead_lanes(self.over, w)
        if self.over == "gap":
            dead = dead & ~np.eye(w.shape[-1], dtype=bool)
        found = offending(w, x, np.where(dead, x, 0.0))
        if found is not None:
            raise NotDifferentiableError(
                f"linalg: {found}; derivatives of a higher order are not determined there: "
                "separate the values, or use a function without eigenvectors (np.trace for their "
                "sum, np.linalg.det for their product, np.sum(abs(a)**2) for the sum of squares)"
            )
        return x

    def transpose(self, ct: Value, *xs: Value) -> Value:
        return self(xs[0], ct)


def offending(w: Any, x: Any, remainder: Any, what: str = "") -> str | None:
    """Which repeated value makes `remainder` differ from zero, in words; None where none does."""
    if not remainder.any():
        return None
    n = max(w.shape[-1], 1)
    bad = np.abs(remainder) > NOISE * n * np.finfo(x.dtype).eps * largest(x)
    if not bad.any():
        return None
    *lane, _, j = np.argwhere(bad)[0]
    place = (*lane, j)
    times = np.count_nonzero(tied(w)[place])
    return f"the value {w[place]:.6g} is repeated {times} times"


# In reverse mode: what a cotangent may ask of the vectors

FREE_PHASE = (
    "{name}: the result depends on the phase of complex {vectors}, which the matrix leaves free; "
    "make it independent of the phase: take np.abs, or a product of a vector with its conjugate"
)
FREE_BASIS = (
    "{name}: {found}, and the result depends on the basis of its {vectors}, which the matrix "
    "leaves free; use what does not: the projector V @ V.conj().T onto all of them"
)
MIXTURE = (
    "{name}: the value {value:.6g} is repeated {times} times, and the result uses it together with "
    "its {vectors}: the derivative of f(a) = V f(w) V^H needs (f(w1) - f(w2)) / (w1 - w2), a limit "
    "that w and V do not know; compute f(a) without them (scipy.linalg.sqrtm, expm, logm), or "
    "separate the values"
)
TWICE = (
    "{name}: {found}, and its second derivative is a limit that reverse mode over reverse mode does "
    "not know; take it by forward over reverse mode (qd.hessian, qd.hvp), or separate the values"
)
DIRECTION = (
    "{name}: {found}, and the direction splits it: its {vectors} jump, and have no derivative "
    "along it; for the values alone use {values}, for what does not depend on the choice of "
    "vectors use reverse mode (qd.grad, qd.vjp, qd.jacrev)"
)
WORDS = {
    "eigh": {"vectors": "eigenvectors", "values": "np.linalg.eigvalsh"},
    "eig": {"vectors": "eigenvectors", "values": "np.linalg.eigvals"},
    "svd": {"vectors": "singular vectors", "values": "np.linalg.svdvals"},
}


def refuse(text: str, name: str, **facts: Any) -> NotDifferentiableError:
    """The error for a derivative that does not exist."""
    return NotDifferentiableError(text.format(name=name, **WORDS[name], **facts))


@primitive
class Basis(Sorting):
    """`x` = V^H (cotangent of V), refused where it would turn the vectors of one value.

    Turning them by a skew matrix changes nothing that the matrix determines, so the skew part
    must vanish between coinciding values; on the diagonal, of complex vectors, it is the phase.
    """

    of: str = "eigh"
    samples = (sample("f64[3]", "f64[3,3]", kind="distinct"),)

    def evaluate(self, *xs: Value) -> Value:
        w, x = xs
        same = tied(w)
        skew = np.where(same, 0.5 * x - 0.5 * adjoint(x), 0.0)
        phases = np.where(np.eye(w.shape[-1], dtype=bool), skew, 0.0)
        if offending(w, x, phases) is not None:
            raise refuse(FREE_PHASE, self.of)
        found = offending(w, x, skew - phases)
        if found is not None:
            raise refuse(FREE_BASIS, self.of, found=found)
        return x

    def transpose(self, ct: Value, *xs: Value) -> Value:
        return ct


@primitive
class Apart(Sorting):
    """`x` from cotangents, refused where values that coincide are used together with their vectors.

    What is used is known to a sweep that carries masks: `uses` are 1 for a value and for a vector
    that is.  Without them the result is NaN there, which makes the sweep run again with masks.
    """

    of: str = "eigh"
    samples = (sample("f64[3]", "f64[3,3]", kind="distinct"),)

    def is_linear(self, positions: set[int]) -> bool:
        return positions == {1}

    def evaluate(self, *xs: Value) -> Value:
        w, x, *uses = xs
        same = tied(w)
        sizes = np.count_nonzero(same, axis=-1)
        repeated = sizes > 1
        if not repeated.any():
            return x
        if not uses:
            return np.where(repeated[..., None, :], np.full((), np.nan, x.dtype), x)
        values, vectors = (np.any(same & (u[..., None, :] != 0), axis=-1) for u in uses)
        mixed = repeated & values & vectors
        if mixed.any():
            place = tuple(np.argwhere(mixed)[0])
            raise refuse(MIXTURE, self.of, value=w[place], times=sizes[place])
        return x

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        return None if dxs[1] is None else self(xs[0], dxs[1], *xs[2:])

    def pull(
        self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product
    ) -> Terms:
        return (None, ct, *(None,) * (len(xs) - 2))


# In forward mode: what a direction does to the vectors


@primitive
class Direction(Sorting):
    """V^H da V, refused where it is not a multiple of the identity among coinciding values.

    Such a direction splits the values, and their vectors jump to those of the direction.  A
    cotangent that is so (`twice`) needs what only a direction could tell.
    """

    of: str = "eigh"
    twice: bool = False
    samples = (sample("f64[3]", "f64[3,3]", kind="distinct"),)

    def evaluate(self, *xs: Value) -> Value:
        w, x = xs
        same = tied(w)
        sizes = np.count_nonzero(same, axis=-1)
        if not (sizes > 1).any():
            return x
        d = np.diagonal(x, axis1=-2, axis2=-1)
        mean = np.sum(np.where(same, d[..., None, :], 0.0), -1) / sizes
        split = np.where(same & (sizes > 1)[..., None], x - diagonal_matrix(mean), 0.0)
        found = offending(w, x, split)
        if found is not None:
            raise refuse(TWICE if self.twice else DIRECTION, self.of, found=found)
        return x

    def transpose(self, ct: Value, *xs: Value) -> Value:
        return ct


def rotation(w: Any, m: Any, singular: bool) -> Any:
    """The eigenvectors of `m` within each group of coinciding values, or None without any.

    Along an analytic path in the direction m the values leave in this order: ascending, and
    descending for singular values, of which those that are zero stay.
    """
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
        w, m, x = xs
        _, dm, dx = dxs
        if dm is not None:
            m = m + 0.0 * Direction("svd" if self.singular else "eigh")(w, dm)
        return None if dx is None else self(w, m, dx)


@primitive
class Branches(Following):
    """The matrix with the entries of g on the diagonal, in the basis that the direction m selects."""

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


def used(product: Product) -> tuple[Value | None, ...] | None:
    """Which lanes of each result a sweep with masks uses, or None where it carries none."""
    return product.mask if isinstance(product, Masked) else None


def off_diagonal(x: Value) -> Value:
    """Each matrix without its diagonal."""
    return x * (1.0 - eye(x))


def apart(of: str, w: Value, x: Value, uses: Sequence[Value | None] | None) -> Value:
    """`Apart`, of which `uses` are masks of the values and of vectors (None: unused)."""
    if uses is None:
        return Apart(of)(w, x)
    flags = [np.zeros(np.shape(w)) if u is None else np.where(u, 1.0, 0.0) for u in uses]
    return Apart(of)(w, x, *flags)
