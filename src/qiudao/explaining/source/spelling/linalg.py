"""Matrices: inverses, factorisations, and what their derivatives are written in."""

from __future__ import annotations

from ....ops.linalg import (
    degenerate,
    determinants,
    factorising,
    general,
    pseudo,
    refusals,
    selfadjoint,
    singular,
    solving,
)
from .. import helpers
from ..code import Code, call, method
from ..constants import number
from ..table import Phrase, spells


@spells(solving.Inverse)
def inverse(p: Phrase) -> Code:
    """`np.linalg.inv(a)`, NaN at a singular matrix where the derivative wants that."""
    if p.primitive.fill:
        return call(p.use(helpers.inverse_or_nan), p.codes[0])
    return call("np.linalg.inv", p.codes[0])


@spells(solving.Solve)
def solve(p: Phrase) -> Code:
    """`np.linalg.solve(a, b)`; one column as the vector that it is."""
    a, b = p.xs
    return call("np.linalg.solve", a.code, b.code)


@spells(determinants.Det)
def det(p: Phrase) -> Code:
    """`np.linalg.det(a)`."""
    return call("np.linalg.det", p.codes[0])


@spells(determinants.Cofactor)
def cofactor(p: Phrase) -> Code:
    """The cofactors of a matrix, and their derivatives along others."""
    if len(p.xs) == 1:
        return call(p.use(determinants.cofactors), *p.codes)
    return call(p.use(determinants.cofactor_derivative), *p.codes)


@spells(determinants.LogSlope)
def log_slope(p: Phrase) -> Code:
    """The derivative of log |det a|: the transpose of the inverse."""
    return method(call("np.linalg.inv", p.codes[0]), ".T" if p.xs[0].ndim == 2 else ".mT")


@spells(determinants.SlogDet)
def slogdet(p: Phrase) -> Code:
    """`np.linalg.slogdet(a)`."""
    return call("np.linalg.slogdet", p.codes[0])


@spells(selfadjoint.TriangleWeights)
def triangle_weights(p: Phrase) -> Code:
    """Weights that make NumPy's triangle of the whole matrix."""
    named = {"upper": True} if p.primitive.upper else {}
    return call(p.use(helpers.triangle_weights), p.codes[0], **named)


@spells(selfadjoint.Eigh)
def eigh(p: Phrase) -> Code:
    """`np.linalg.eigh(a)` of the Hermitian part."""
    extra = [] if p.primitive.UPLO == "L" else [repr(p.primitive.UPLO)]
    return call("np.linalg.eigh", call(p.use(helpers.hermitian), p.codes[0]), *extra)


@spells(selfadjoint.EigValsh)
def eigvalsh(p: Phrase) -> Code:
    """`np.linalg.eigvalsh(a)` of the Hermitian part."""
    return call("np.linalg.eigvalsh", call(p.use(helpers.hermitian), p.codes[0]))


@spells(selfadjoint.WithEigenvalues)
def with_eigenvalues(p: Phrase) -> Code:
    """V diag(g) V^H."""
    return call(p.use(helpers.with_eigenvalues), *p.codes)


@spells(factorising.Cholesky)
def cholesky(p: Phrase) -> Code:
    """`np.linalg.cholesky(a)` of the Hermitian part."""
    return call("np.linalg.cholesky", call(p.use(helpers.hermitian), p.codes[0]))


@spells(factorising.QR)
def qr(p: Phrase) -> Code:
    """`np.linalg.qr(a)`."""
    return call("np.linalg.qr", p.codes[0])


@spells(general.Pivot)
def pivot(p: Phrase) -> Code:
    """1 at the component of each column that LAPACK made real."""
    return call(p.use(helpers.pivots), p.codes[0])


@spells(general.Eig)
def eig(p: Phrase) -> Code:
    """`np.linalg.eig(a)`, complex."""
    return call(p.use(helpers.complex_eig), p.codes[0])


@spells(general.EigVals)
def eigvals(p: Phrase) -> Code:
    """`np.linalg.eigvals(a)`, complex."""
    return method(call(p.use(helpers.complex_eig), p.codes[0]), "[0]")


@spells(general.Similar)
def similar(p: Phrase) -> Code:
    """V diag(g) V^-1."""
    return call(p.use(helpers.similar), *p.codes)


@spells(singular.SVD)
def svd(p: Phrase) -> Code:
    """`np.linalg.svd(a, full_matrices=False)`."""
    return call("np.linalg.svd", p.codes[0], full_matrices=p.primitive.full)


@spells(singular.SingularValues)
def singular_values(p: Phrase) -> Code:
    """`np.linalg.svdvals(a)`."""
    return call("np.linalg.svdvals", p.codes[0])


@spells(singular.WithSingularValues)
def with_singular_values(p: Phrase) -> Code:
    """U diag(g) V^H."""
    return call(p.use(helpers.with_singular_values), *p.codes)


@spells(singular.Lyapunov)
def lyapunov(p: Phrase) -> Code:
    """The solution x of h x + x h = c."""
    return call(p.use(helpers.lyapunov), *p.codes)


@spells(singular.Polar)
def polar(p: Phrase) -> Code:
    """U V^H: the nearest matrix with orthonormal columns."""
    return call(p.use(helpers.polar), p.codes[0])


@spells(singular.NuclearNorm)
def nuclear_norm(p: Phrase) -> Code:
    """The sum of the singular values."""
    named = {} if p.xs[0].ndim == 2 else {"axis": -1}
    return call("np.sum", call("np.linalg.svdvals", p.codes[0]), **named)


@spells(pseudo.PseudoInverse)
def pinv(p: Phrase) -> Code:
    """`np.linalg.pinv(a)`."""
    return call("np.linalg.pinv", *p.codes)


@spells(pseudo.LeastSquares)
def least_squares(p: Phrase) -> Code:
    """`np.linalg.lstsq(a, b)[0]`."""
    a, b = p.xs
    cutoff = p.primitive.cutoff
    if a.ndim == b.ndim == 2:
        words = [] if cutoff is None else [number(cutoff).text]
        return method(call("np.linalg.lstsq", a.code, b.code, *words), "[0]")
    return call(p.use(helpers.least_squares), a.code, b.code, repr(cutoff))


@spells(pseudo.Rank)
def rank(p: Phrase) -> Code:
    """How many singular values are above a tolerance."""
    named = {"relative": True} if p.primitive.relative else {}
    return call(p.use(helpers.rank), *p.codes, **named)


# What stands in derivatives where values may coincide


@spells(refusals.Basis, refusals.Direction, refusals.Turn, refusals.Null, degenerate.Vanish)
def as_it_is(p: Phrase) -> Code:
    """A matrix that qiudao hands on, or refuses: it did not refuse these arguments."""
    return p.codes[1]


@spells(refusals.Apart)
def apart(p: Phrase) -> Code:
    """A matrix that qiudao hands on where the values are apart."""
    if len(p.xs) > 2:
        return p.codes[1]
    return call(p.use(helpers.where_apart), *p.codes, repr(p.primitive.of))


@spells(degenerate.Pool)
def pool(p: Phrase) -> Code:
    """The mean among the entries whose values coincide."""
    named = {"singular": True} if p.primitive.singular else {}
    return call(p.use(helpers.pooled), *p.codes, **named)


@spells(degenerate.Present)
def present(p: Phrase) -> Code:
    """1 for each singular value that is not zero."""
    return call(p.use(helpers.present), p.codes[0])


QUOTIENTS = {
    "gap": helpers.over_gaps,
    "total": helpers.over_totals,
    "column": helpers.over_columns,
}


@spells(degenerate.Quotient)
def quotient(p: Phrase) -> Code:
    """A matrix over the differences or sums of values."""
    return call(p.use(QUOTIENTS[p.primitive.over]), *p.codes)


@spells(degenerate.Branches)
def branches(p: Phrase) -> Code:
    """The matrix with a diagonal, in the basis that a direction selects."""
    return call(p.use(helpers.in_branches), *p.codes, repr(p.primitive.singular))


@spells(degenerate.AlongBranches)
def along_branches(p: Phrase) -> Code:
    """The diagonal of a matrix, in the basis that a direction selects."""
    return call(p.use(helpers.along_branches), *p.codes, repr(p.primitive.singular))
