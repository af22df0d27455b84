"""Some eigenvalues and singular values of sparse matrices, and their derivatives.

An eigenvalue w and its vector v solve A v = w v, u^T v = 1, where u is v as it is now.  From the
pair that SciPy finds, steps of Newton's method with the bordered matrix [[A - w, -v], [-v^T, 0]]
held keep the values, and each adds an order of right derivatives; two are taken.  The matrix is
regular where w is simple (Andrew, Chu and Lancaster, Derivatives of eigenvalues and eigenvectors of
matrix functions, 1993).
"""

from typing import Any

import numpy as np
from scipy.sparse import linalg as theirs

from scipy import sparse

from ...core.avals import Aval, Value
from ...core.errors import DtypeError, GradientError, NotDifferentiableError
from ...core.primitive import Primitive, primitive
from ...core.samples import sample
from ...transforms.foreign import run_foreign
from ..operands import depends
from .iterating import STEPS, LinearMap, constant
from .products import Places, elements, product

ILL = 1e-11  # the condition number at which an eigenvalue no more counts as simple, inverted


@primitive
class Bordered(LinearMap):
    """The solution of the bordered system of a simple eigenvalue, linear in its right side.

    Operands: rows and columns of the elements of A, the elements, the eigenvalue, its vector, and
    the right side.
    """

    function: str = "eigsh"
    turn: bool = False  # of the transpose, which rounding alone tells from A
    samples = (
        sample(
            "i64[3]", "i64[3]", "f64[3]", "f64[]", "f64[3]", "f64[4]", kind="index", held=(2, 3, 4)
        ),
    )

    def evaluate(self, *xs: Value) -> Value:
        rows, columns, values, w, v, right = xs
        if not np.any(right):
            return np.zeros_like(right)
        n = len(v)
        A = sparse.coo_array((values, (rows, columns)), shape=(n, n))
        A = A.T if self.turn else A
        inner = A - w * sparse.eye_array(n)
        whole = sparse.block_array([[inner, -v[:, None]], [-v[None, :], None]]).tocsc()
        size = np.linalg.norm(right)
        try:
            factors = theirs.splu(whole)
        except RuntimeError:  # exactly singular
            raise NotDifferentiableError(repeated(self.function, w)) from None
        test = np.random.default_rng(0).normal(size=len(right))
        longest = np.linalg.norm(factors.solve(test)) / np.linalg.norm(test)
        if longest * theirs.norm(whole, 1) * ILL > 1.0:
            raise NotDifferentiableError(repeated(self.function, w))
        solved: Value = factors.solve(right / size) * size
        return solved.astype(np.result_type(values, w, v, right), copy=False)

    def adjoint(self) -> Primitive:
        return Bordered(self.function, not self.turn)


def repeated(name: str, w: Any) -> str:
    """Why an eigenvalue has no derivative."""
    return (
        f"{name}: the value {w:.6g} is not simple, or too close to another, and its vector is not "
        "determined; ask for fewer values, or use np.linalg.eigvalsh or np.linalg.svdvals of the "
        "dense matrix, whose symmetric functions are differentiated there"
    )


def moving(name: str, places: Places, values: Any, w: Any, v: Any) -> tuple[Any, Any]:
    """One eigenvalue with its vector, as they move with the elements of the symmetric matrix."""
    held = (*places[:2], constant(values), w, v)
    z, top = v, w
    for _ in range(STEPS):
        rest = product(places, values, z) - top * z
        border = np.sum(v * z) - 1.0
        whole = np.concatenate([rest, np.reshape(-border, 1)])
        step = Bordered(name)(*held, whole - constant(whole))
        z, top = z - step[:-1], top - step[-1]
    return top, z / np.sqrt(np.sum(z * z))


def prepared(name: str, A: Any, data: Any, options: dict[str, Any]) -> tuple[Places, Any]:
    """The places and the values of a matrix, where a derivative is known."""
    places, values = elements(name, A, data)
    if values.dtype.kind == "c":
        raise DtypeError(
            f"{name}: derivatives are known for real matrices, and this one is complex; use "
            "np.linalg.eigh or np.linalg.svd of the dense matrix"
        )
    known = {"which", "sigma", "v0", "ncv", "maxiter", "tol", "mode", "rng", "solver", "options"}
    other = sorted(k for k, x in options.items() if k not in known and x is not None)
    if other:
        raise GradientError(
            f"{name}: derivatives with {other[0]}= are not known; leave it out, and solve the "
            "standard problem"
        )
    return places, values


def found(name: str, places: Places, values: Any, shapes: Any, of: Any) -> Any:
    """What `of` gives for the plain sparse matrix, as constants."""
    rows, columns, shape = places
    dtype = np.result_type(values.dtype, np.float32)

    def call(v: Any) -> Any:
        return of(sparse.csc_array((v, (rows, columns)), shape=shape))

    return run_foreign(name, call, [Aval(s, dtype) for s in shapes], constant(values))


def eigsh(
    A: Any,
    k: int = 6,
    M: Any = None,
    sigma: Any = None,
    which: str = "LM",
    *,
    return_eigenvectors: bool = True,
    data: Any = None,
    **options: Any,
) -> Any:
    """`scipy.sparse.linalg.eigsh`: k eigenvalues, and vectors, of a real symmetric sparse matrix.

    `data` stands for the values of A's elements in the order of `A.tocoo().data`, and may be a
    tensor, of a matrix that stays symmetric.  The derivatives are those of simple eigenvalues and
    their vectors; others are refused.  The sign of a vector is the one SciPy finds.

    >>> import scipy.sparse
    >>> from qiudao.scipy import sparse
    >>> A = scipy.sparse.diags_array([1.0, 2.0, 3.0, 5.0]).tocsc()
    >>> f = lambda v: sparse.linalg.eigsh(A, k=1, data=v, return_eigenvectors=False)[0]
    >>> qd.grad(f)(A.tocoo().data).round(9) + 0.0
    array([0., 0., 0., 1.])
    """
    chosen = {"M": M, "sigma": sigma, "which": which, **options}
    if not depends(data) and data is None:
        return theirs.eigsh(A, k, return_eigenvectors=return_eigenvectors, **chosen)
    places, values = prepared("eigsh", A, data, chosen)
    n = places[2][0]
    shapes = [(k,), (n, k)]

    def ordered(S: Any) -> Any:
        w, V = theirs.eigsh(S, k, **chosen)
        if return_eigenvectors:
            return w, V
        alone = theirs.eigsh(S, k, return_eigenvectors=False, **chosen)  # in an order of its own
        order = np.argsort(w)[np.argsort(np.argsort(alone))]
        return w[order], V[:, order]

    w, V = found("eigsh", places, values, shapes, ordered)
    pairs = [moving("eigsh", places, values, w[i], V[:, i]) for i in range(k)]
    tops = np.stack([top for top, _ in pairs])
    return (tops, np.stack([v for _, v in pairs], axis=1)) if return_eigenvectors else tops


def svds(
    A: Any,
    k: int = 6,
    *,
    return_singular_vectors: Any = True,
    data: Any = None,
    **options: Any,
) -> Any:
    """`scipy.sparse.linalg.svds`: k singular values, ascending, with vectors (U, s, Vh).

    `data` is as for `eigsh`.  A singular value with its vectors u and v is an eigenvalue of
    [[0, A], [A^T, 0]] with the vector (u, v) / sqrt(2); it has to be simple and not zero.

    >>> import scipy.sparse
    >>> from qiudao.scipy import sparse
    >>> A = scipy.sparse.diags_array([1.0, 2.0, 5.0]).tocsc()
    >>> f = lambda v: sparse.linalg.svds(A, k=1, data=v, return_singular_vectors=False)[0]
    >>> qd.grad(f)(A.tocoo().data).round(9) + 0.0
    array([0., 0., 1.])
    """
    if not depends(data) and data is None:
        return theirs.svds(A, k, return_singular_vectors=return_singular_vectors, **options)
    places, values = prepared("svds", A, data, options)
    rows, columns, (m, n) = places
    shapes = [(m, k), (k,), (k, n)]
    U, s, Vh = found("svds", places, values, shapes, lambda S: theirs.svds(S, k, **options))
    size = m + n
    both = np.concatenate([rows, columns + m]), np.concatenate([columns + m, rows]), (size, size)
    twice = np.concatenate([values, values])
    half = np.sqrt(0.5)
    pairs = [
        moving("svds", both, twice, s[i], half * np.concatenate([U[:, i], Vh[i]])) for i in range(k)
    ]
    tops = np.stack([top for top, _ in pairs])
    if return_singular_vectors is False:
        return tops
    vectors = np.stack([v for _, v in pairs], axis=1) / half
    left, right = vectors[:m], vectors[m:].T
    if return_singular_vectors == "u":
        return left, tops, None
    return (None, tops, right) if return_singular_vectors == "vh" else (left, tops, right)
