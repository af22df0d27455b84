"""Functions of matrices: exponential, logarithm, roots, trigonometric and hyperbolic ones."""

from collections.abc import Callable
from typing import Any

import numpy as np

from scipy import linalg as theirs

from ...core.avals import Aval, Value
from ...core.errors import GradientError, NotDifferentiableError
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ...core.samples import sample
from ...ops.linalg.coincidence import spread
from ..operands import depends
from .parlett import function_of

Function = Callable[[Any], Any]


def beside(A: Value, E: Value) -> Value:
    """The block triangular matrix [[A, E], [0, A]]."""
    top = np.concatenate([A, E], axis=-1)
    below = np.concatenate([np.zeros_like(A), A], axis=-1)
    return np.concatenate([top, below], axis=-2)


@primitive
class OfMatrix(Primitive):
    """f of square matrices.  d = L(A, dA) (`Frechet`).  Where f is `rooted` it has a branch point
    at 0, where no derivative exists.
    """

    function: str = "expm"
    f: Function = theirs.expm
    rooted: bool = False
    samples = (
        sample("f64[2,2]", function="expm", f=theirs.expm),
        sample("f64[2,2,2]", function="sinm", f=theirs.sinm),
        sample("f64[2,2]", kind="definite", function="sqrtm", f=theirs.sqrtm, rooted=True),
        sample("c128[2,2]", kind="regular", function="sqrtm", f=theirs.sqrtm, rooted=True),
    )

    def __repr__(self) -> str:
        return self.function

    @property
    def label(self) -> str:
        return self.function

    def shape(self, *avals: Aval) -> Aval:
        return avals[0]

    def evaluate(self, *xs: Value) -> Value:
        (x,) = xs
        if not x.size:  # which SciPy refuses
            return x
        found = self.f(x)
        return found.astype(x.dtype, copy=False) if found.dtype.kind == x.dtype.kind else found

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        return Frechet(self)(xs[0].astype(out.dtype), dxs[0])

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        return (Frechet(self)(xs[0].astype(out.dtype).mT, ct),)


@primitive
class Frechet(Primitive):
    """The derivative L of f at A in the direction E, linear in E.

        f([[A, E], [0, A]]) = [[f(A), L(A, E)], [0, f(A)]]

    (Mathias, A chain rule for matrix functions and applications, 1996; Higham, Functions of
    matrices, theorem 3.6).  Its transpose is E -> L(A^T, E), and its derivative by A along F is the
    corner of L at [[A, E], [0, A]] along [[F, 0], [0, F]], so it has derivatives of every order.
    """

    keeps_out = False
    of: OfMatrix = OfMatrix()
    samples = (
        sample("f64[2,2]", "f64[2,2]"),
        sample("c128[2,2]", "c128[2,2]", order=2),
        sample("f64[2,2]", "f64[2,2]", kind="definite", of=OfMatrix("sqrtm", theirs.sqrtm, True)),
    )

    @property
    def label(self) -> str:
        return f"frechet of {self.of.label}"

    def is_linear(self, positions: set[int]) -> bool:
        return positions == {1}

    def shape(self, *avals: Aval) -> Aval:
        A, E = avals
        return Aval(np.broadcast_shapes(A.shape, E.shape), np.result_type(A.dtype, E.dtype))

    def evaluate(self, *xs: Value) -> Value:
        A, E = np.broadcast_arrays(*xs)
        n = A.shape[-1]
        if self.of.rooted and is_singular(A):
            raise NotDifferentiableError(
                f"{self.of.label}: the matrix is singular, and the function has no derivative at "
                "the eigenvalue 0; add a small multiple of the identity"
            )
        return self.of.evaluate(beside(A, E))[..., :n, n:]

    def along(self, A: Value, E: Value, F: Value) -> Value:
        """The second derivative of f at A along E and F, which is symmetric in them."""
        n = np.shape(A)[-1]
        change = self(beside(A, E), beside(F, np.zeros_like(F)))
        return change[..., :n, n:]

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        (A, E), (dA, dE) = xs, dxs
        along = None if dA is None else self.along(A, E, dA)
        if dE is None:
            return along
        turned = self(A, dE)
        return turned if along is None else turned + along

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        A, E = xs
        back = None if parents[0] is None else self.along(A.mT, E.mT, ct)
        return (back, None if parents[1] is None else self(A.mT, ct))


def is_singular(A: Any) -> bool:
    """Whether an eigenvalue is zero, but for rounding."""
    w = np.abs(np.linalg.eigvals(A))
    return bool(np.any(w <= spread(w)))


def matrix_function(name: str, summary: str, rooted: bool = False) -> Function:
    """One of SciPy's functions of a matrix, with its derivatives."""
    scipy = getattr(theirs, name)
    primitive = OfMatrix(name, scipy, rooted)

    def function(A: Any) -> Any:
        return primitive(A) if depends(A) else scipy(A)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`scipy.linalg.{name}`: {summary}, with derivatives of every order."
    return function


expm = matrix_function("expm", "the exponential of a matrix, or of each of a batch")
logm = matrix_function("logm", "the principal logarithm of a matrix", True)
sqrtm = matrix_function("sqrtm", "the principal square root of a matrix", True)
cosm = matrix_function("cosm", "the cosine of a matrix")
sinm = matrix_function("sinm", "the sine of a matrix")
tanm = matrix_function("tanm", "the tangent of a matrix")
coshm = matrix_function("coshm", "the hyperbolic cosine of a matrix")
sinhm = matrix_function("sinhm", "the hyperbolic sine of a matrix")
tanhm = matrix_function("tanhm", "the hyperbolic tangent of a matrix")


def funm(A: Any, func: Function, disp: bool = True) -> Any:
    """`scipy.linalg.funm`: the analytic function `func` of a square matrix, whose argument is an
    array of eigenvalues.

    With a tensor by the algorithm of Davies and Higham, which is right where eigenvalues coincide
    too, and needs what `qd.jet` differentiates for `func`.

    >>> from qiudao.scipy import linalg
    >>> qd.grad(lambda s: linalg.funm(s * np.eye(2), lambda w: w**3).sum())(2.0).round(9)
    np.float64(24.0)
    """
    if not depends(A):
        return theirs.funm(A, func, disp)
    if not disp:
        raise GradientError(
            "funm: the estimate of the error that disp=False asks for has no derivative; leave it "
            "out, or estimate it from the plain matrix"
        )
    return OfMatrix("funm", each(lambda a: function_of(a, func)))(A)


def each(f: Function) -> Function:
    """A function of one matrix, for stacks of them."""

    def of_stack(A: Any) -> Any:
        if A.ndim == 2:
            return f(A)
        found = [f(a) for a in A.reshape(-1, *A.shape[-2:])]
        return np.stack(found).reshape(A.shape)

    return of_stack


def signm(A: Any, *args: Any) -> Any:
    """`scipy.linalg.signm`: the sign of a matrix, A (A^2)^(-1/2), with derivatives.

    (Higham, Functions of matrices, 5.1.)
    """
    if not depends(A):
        return theirs.signm(A, *args)
    return np.linalg.solve(sqrtm(A @ A), A)


def expm_frechet(A: Any, E: Any, method: Any = None, compute_expm: bool = True, **how: Any) -> Any:
    """`scipy.linalg.expm_frechet`: (expm(A), L), where L is the derivative of expm at A along E."""
    if not depends(A, E):
        return theirs.expm_frechet(A, E, method, compute_expm, **how)
    along = Frechet(OfMatrix("expm", theirs.expm))(A, E)
    return (expm(A), along) if compute_expm else along


def fractional_matrix_power(A: Any, t: Any) -> Any:
    """`scipy.linalg.fractional_matrix_power`: A^t = exp(t log A), with derivatives in both.

    For whole t it is the product of as many matrices.
    """
    if not depends(A, t):
        return theirs.fractional_matrix_power(A, t)
    if not depends(t) and t == int(t):
        return np.linalg.matrix_power(A, int(t))
    return expm(t * logm(A))
