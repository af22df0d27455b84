"""What repeated values leave undefined, refused by name.

Each primitive here hands on a matrix as it is, or raises `NotDifferentiableError` with the reason.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.avals import Value
from ...core.errors import NotDifferentiableError
from ...core.primitive import Product, primitive
from ...core.samples import sample
from ...core.sweep import Masked
from .coincidence import Sorting, distinct, largest, offending, tied, vanishing
from .matrices import adjoint, diagonal_matrix

WORDS = {
    "eigh": {"vectors": "eigenvectors", "values": "np.linalg.eigvalsh"},
    "eig": {"vectors": "eigenvectors", "values": "np.linalg.eigvals"},
    "svd": {"vectors": "singular vectors", "values": "np.linalg.svdvals"},
}
PHASE = (
    "{of}: the result depends on the phase of complex {vectors}, which the matrix leaves free; "
    "make it independent of the phase: take np.abs, or a product of a vector with its conjugate"
)
BASIS = (
    "{of}: {found}, and the result depends on the basis of its {vectors}, which the matrix leaves "
    "free; use what does not: the projector V @ V.conj().T onto all of them"
)
MIXTURE = (
    "{of}: {found}, and the result uses it together with its {vectors}: the derivative of "
    "f(a) = V f(w) V^H needs (f(w1) - f(w2)) / (w1 - w2), a limit that w and V do not know; "
    "compute f(a) without them (scipy.linalg.sqrtm, expm, logm), or separate the values"
)
DIRECTION = (
    "{of}: {found}, and the direction moves it apart: its {vectors} jump, and have no derivative "
    "along it; for the values alone use {values}, for what does not depend on the choice of "
    "vectors use reverse mode (qd.grad, qd.vjp, qd.jacrev)"
)
TWICE = (
    "{of}: {found}, and its second derivative is a limit that reverse mode over reverse mode does "
    "not know; take it by forward over reverse mode (qd.hessian, qd.hvp), or separate the values"
)
HIGHER = (
    "linalg: {found}, and derivatives of this order are not determined there; separate the values, "
    "or use a function without eigenvectors: np.trace for their sum, np.linalg.det for their "
    "product, np.sum(np.abs(a) ** 2) for the sum of squared singular values"
)


def refuse(text: str, of: str, found: str) -> NotDifferentiableError:
    """The error for a derivative that does not exist."""
    return NotDifferentiableError(text.format(of=of, found=found, **WORDS[of]))


def product_size(g: Any, m: Any) -> Any:
    """The largest element that a vector times a matrix may have."""
    return largest(m) * np.max(np.abs(g), axis=-1, initial=0.0)[..., None, None]


class Refusal(Sorting):
    """Hands on a matrix as it is; what stands after it only measures."""

    def is_linear(self, positions: set[int]) -> bool:
        return 1 in positions and 0 not in positions

    def transpose(self, ct: Value, *xs: Value) -> Value:
        return ct


@primitive
class Basis(Refusal):
    """`x` = V^H (cotangent of V), refused where it would turn the vectors of one value.

    Turning them by a skew matrix changes nothing that the matrix determines, so the skew part
    must vanish between coinciding values; on the diagonal, of complex vectors, it is the phase.
    Rounding is measured by x, or by the product of the operands after it: a vector and a matrix.
    """

    of: str = "eigh"
    samples = (
        sample("f64[3]", "f64[3,3]", kind="distinct"),
        sample("f64[3]", "f64[3,3]", "f64[3]", "f64[3,3]", kind="distinct"),
    )

    def evaluate(self, *xs: Value) -> Value:
        w, x, *factors = xs
        if x.dtype.kind != "c" and distinct(w):
            return x
        size = product_size(*factors) if factors else largest(x)
        skew = np.where(tied(w), 0.5 * x - 0.5 * adjoint(x), np.zeros((), x.dtype))
        phases = np.where(np.eye(w.shape[-1], dtype=bool), skew, np.zeros((), x.dtype))
        if (found := offending(w, phases, size)) is not None:
            raise refuse(PHASE, self.of, found)
        if (found := offending(w, skew, size)) is not None:
            raise refuse(BASIS, self.of, found)
        return x


@primitive
class Direction(Refusal):
    """V^H da V, refused where it is not a multiple of the identity among coinciding values.

    Such a direction splits the values, and their vectors jump to those of the direction.  A
    cotangent that is so (`twice`) needs what only a direction could tell.
    """

    of: str = "eigh"
    twice: bool = False
    samples = (sample("f64[3]", "f64[3,3]", kind="distinct"),)

    def evaluate(self, *xs: Value) -> Value:
        w, x = xs
        if distinct(w):
            return x
        same = tied(w)
        sizes = np.count_nonzero(same, axis=-1)
        d = np.diagonal(x, axis1=-2, axis2=-1)
        mean = (np.sum(np.where(same, d[..., None, :], 0.0), -1) / sizes).astype(x.dtype)
        within = same & (sizes > 1)[..., None]
        moved = np.where(within, x - diagonal_matrix(mean), np.zeros((), x.dtype))
        if (found := offending(w, moved, largest(x))) is not None:
            raise refuse(TWICE if self.twice else DIRECTION, self.of, found)
        return x


@primitive
class Turn(Refusal):
    """The change of eigenvectors in their own basis.

    A cotangent of it (`back`) is refused where it would turn the vectors of one value.
    """

    back: bool = False
    samples = (sample("f64[3]", "f64[3,3]", kind="distinct"),)

    def evaluate(self, *xs: Value) -> Value:
        w, x = xs
        if self.back:
            among = tied(w) & ~np.eye(w.shape[-1], dtype=bool)
            turned = np.where(among, x, np.zeros((), x.dtype))
            if (found := offending(w, turned, largest(x))) is not None:
                raise refuse(BASIS, "eig", found)
        return x

    def transpose(self, ct: Value, *xs: Value) -> Value:
        return Turn(True)(xs[0], ct)


@primitive
class Null(Refusal):
    """`x`, refused where it does not vanish among singular values that are zero.

    It looks at the "block" between them, at its "skew" part, or at their "columns".  Rounding is
    measured by x and the operands after it.  The text is that of the `mode`.
    """

    lanes: str = "block"
    mode: str = "forward"
    samples = (
        sample("f64[3]", "f64[3,3]", within=(0.5, 2.0)),
        sample("f64[2]", "f64[3,2]", "f64[3,2]", within=(0.5, 2.0), lanes="columns"),
    )

    def evaluate(self, *xs: Value) -> Value:
        s, x = xs[:2]
        zero = vanishing(s)
        if zero.any():
            dead = zero[..., None, :]
            if self.lanes != "columns":
                dead = dead & zero[..., :, None]
            part = 0.5 * x - 0.5 * adjoint(x) if self.lanes == "skew" else x
            part = np.where(dead, part, np.zeros((), x.dtype))
            size = np.max([largest(y) for y in xs[1:]], axis=0)
            if (found := offending(s, part, size)) is not None:
                texts = {"forward": DIRECTION, "reverse": BASIS, "higher": HIGHER}
                raise refuse(texts[self.mode], "svd", found)
        return x


@primitive
class Apart(Refusal):
    """`x` from cotangents, refused where values that coincide are used together with their vectors.

    What is used is known to a sweep that carries masks: the operands after x are 1 for a value and
    for a vector that is.  Without them the result is NaN there, which makes the sweep run again
    with masks.  A singular value that is zero coincides with its negative.
    """

    of: str = "eigh"
    samples = (
        sample("f64[3]", "f64[3,3]", kind="distinct"),
        sample("f64[3]", "f64[3,3]", "f64[3]", "f64[3]", kind="distinct"),
    )

    def evaluate(self, *xs: Value) -> Value:
        w, x, *uses = xs
        zero = vanishing(w) if self.of == "svd" else np.zeros(w.shape, bool)
        if distinct(w) and not zero.any():
            return x
        same = tied(w)
        repeated = (np.count_nonzero(same, axis=-1) > 1) | zero
        if not uses:
            return np.where(repeated[..., None, :], np.full((), np.nan, x.dtype), x)
        values, vectors = (np.any(same & (u[..., None, :] != 0), axis=-1) for u in uses)
        mixed = (repeated & values & vectors)[..., None, :].astype(x.dtype)
        if (found := offending(w, mixed, np.zeros(()))) is not None:
            raise refuse(MIXTURE, self.of, found)
        return x


def apart(of: str, w: Value, x: Value, uses: Any) -> Value:
    """`Apart`, of which `uses` are masks of the values and of the vectors (None: unused)."""
    if uses is None:
        return Apart(of)(w, x)
    flags = [np.zeros(np.shape(w)) if u is None else np.where(u, 1.0, 0.0) for u in uses]
    return Apart(of)(w, x, *flags)


def used(product: Product) -> Any:
    """Which lanes of each result a sweep with masks uses, or None where it carries none."""
    return product.mask if isinstance(product, Masked) else None


def pairs_used(product: Product) -> Any:
    """Which of the values, and which of their vectors, a sweep with masks uses."""
    uses = used(product)
    if uses is None:
        return None
    values, vectors = uses
    return values, None if vectors is None else np.any(vectors, axis=-2)
