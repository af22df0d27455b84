"""What a Schur form leaves undetermined, refused with the reason."""

from typing import Any

import numpy as np

from scipy import linalg as theirs

from ...core.avals import Value
from ...core.primitive import Product, primitive
from ...core.samples import sample
from ...ops.linalg.coincidence import offending, tied
from ...ops.linalg.refusals import used
from .refusing import Refusing, rounding

REPEATED = (
    "schur: {found}, and the result depends on how the Schur form takes it apart, which has no "
    "derivative there; use what does not: np.trace, np.linalg.eigvals, the projector onto all "
    "columns of that value, or a matrix function (funm, expm, sqrtm)"
)
PHASE = (
    "schur: the result depends on the phase of complex Schur vectors, which the matrix leaves "
    "free; make it independent of the phase: take np.abs, or a product of a vector with its "
    "conjugate"
)
TWO = "two eigenvalues coincide"
TURNED = (
    "schur: a pair of complex eigenvalues has a block [[a, b], [-b, a]], whose vectors the matrix "
    "leaves free to turn, and the result depends on them; use output='complex', the projector onto "
    "both, or a function of the eigenvalues"
)


@primitive
class Phaseless(Refusing):
    """A cotangent of W, refused if it has a phase."""

    label = "schur"
    samples = (sample("c128[3,3]", "f64[3,3]", "f64[3,3]", kind="schur"),)

    def reason(self, of: Any, x: Any, *sizes: Any) -> str | None:
        phases = np.abs(np.diagonal(x, axis1=-2, axis2=-1).imag)
        return PHASE if np.any(phases > rounding(of.shape[-1], of, *sizes)) else None


@primitive
class Symmetric(Refusing):
    """A cotangent of T, refused where it tells apart what eigenvalues that coincide share."""

    label = "schur"
    samples = (
        sample("f64[3,3]", "f64[3,3]", kind="schur"),
        sample("c128[2,2]", "c128[2,2]", kind="schur"),
    )

    def reason(self, of: Any, x: Any, *sizes: Any) -> str | None:
        if of.ndim > 2:
            found = (self.reason(T, G) for T, G in zip(of, x, strict=True))
            return next((text for text in found if text), None)
        n = len(of)
        S, Z = (of, np.eye(n)) if of.dtype.kind == "c" else theirs.rsf2csf(of, np.eye(n))
        w, G = np.diagonal(S), Z.conj().T @ x @ Z
        same = tied(w)
        mean = (same @ np.diagonal(G)) / np.count_nonzero(same, axis=-1)
        text = offending(real_if(w), np.where(same, G - np.diag(mean), 0.0), np.max(np.abs(G)))
        return None if text is None else REPEATED.format(found=text)


def real_if(w: Any) -> Any:
    """Eigenvalues, real where all are."""
    return w if np.any(w.imag) else w.real


def eigenvalues(T: Any) -> Any:
    """The eigenvalues of a Schur form."""
    return np.linalg.eigvals(T) if T.dtype.kind != "c" else np.diagonal(T, 0, -2, -1)


def in_use(product: Product) -> Any:
    """Which eigenvalues, and which Schur vectors, a sweep with masks uses."""
    uses = used(product)
    if uses is None:
        return None
    T, Z = (None if lanes is None else np.any(lanes, axis=-2) for lanes in uses)
    return T if uses[0] is None else T | np.any(uses[0], axis=-1), Z


@primitive
class Angular(Refusing):
    """What turns blocks, one number for each place below the diagonal, refused at free ones."""

    label = "schur"
    samples = (sample("f64[3,3]", "f64[2]", "f64[3,3]", kind="schur"),)

    def reason(self, of: Any, x: Any, *sizes: Any) -> str | None:
        moved = free_to_turn(of) & (np.abs(x) > rounding(of.shape[-1], *sizes))
        if not np.any(moved):
            return None
        right, _ = corners(of)
        apart = np.abs(right) > rounding(of.shape[-1], of)
        return TURNED if np.any(moved & apart) else REPEATED.format(found=TWO)


def corners(T: Value) -> tuple[Value, Value]:
    """The elements above and below the diagonal, each beside it."""
    return np.diagonal(T, 1, -2, -1), np.diagonal(T, -1, -2, -1)


def free_to_turn(T: Any) -> Any:
    """Which blocks are [[a, b], [-b, a]], by the place of their lower corner."""
    right, left = corners(T)
    found: Any = (left != 0) & (np.abs(right + left) <= rounding(T.shape[-1], T))
    return found
