"""`qd.scipy.sparse.linalg`: sparse systems, with derivatives."""

from typing import Any

import numpy as np
from scipy.sparse import linalg as theirs

import qiudao as qd

from ...core.avals import Aval, Value
from ...core.errors import GradientError
from ...core.primitive import Primitive
from ..operands import depends
from .iterating import LinearMap, bicgstab, cg, gmres, minres
from .products import Places, bilinear_value, elements, pairs, product, turned
from .spectra import eigsh, svds

__all__ = ["bicgstab", "cg", "eigsh", "expm_multiply", "gmres", "minres", "spsolve", "svds"]


def solution(places: Places, values: Any, b: Any) -> Any:
    """The x of A x = b where A has `values` at `places`; differentiable in both.

    With A^H l = ct the cotangents are l for b, and those elements of -l x^H that A stores.
    """

    def value(v: Any, z: Any) -> Any:
        return bilinear_value("spsolve", theirs.spsolve, places, v, z)

    rule = qd.custom_vjp(value)

    def pull(kept: Any, ct: Any) -> Any:
        v, z = kept
        adjoint = solution(turned(places), np.conj(v), ct)
        return -pairs(places, adjoint, rule(v, z)), adjoint

    def push(xs: Any, dxs: Any) -> Any:
        x = rule(*xs)
        return x, rule(xs[0], dxs[1] - product(places, dxs[0], x))

    rule.defvjp(lambda v, z: (value(v, z), (v, z)), pull)
    rule.defjvp(push)
    return rule(values, b)


def spsolve(A: Any, b: Any, *args: Any, data: Any = None, **options: Any) -> Any:
    """`scipy.sparse.linalg.spsolve`: x with A x = b, for A (n, n) and b (n,) or (n, k).

    `data` stands for the values of A's elements in the order of `A.tocoo().data`, and may be a
    tensor: the pattern is constant, its values are differentiable.

    >>> import scipy.sparse
    >>> from qiudao.scipy import sparse
    >>> A = scipy.sparse.csc_array([[2.0, 0.0], [0.0, 4.0]])
    >>> qd.grad(lambda b: sparse.linalg.spsolve(A, b).sum())(np.ones(2))
    array([0.5 , 0.25])
    """
    if not depends(b, data) and data is None:
        return theirs.spsolve(A, b, *args, **options)
    places, values = elements("spsolve", A, data)
    return solution(places, values, b)


def expm_multiply(A: Any, B: Any, *args: Any, **options: Any) -> Any:
    """`scipy.sparse.linalg.expm_multiply`: exp(A) B, with derivatives in B.

    The adjoint is the product with exp(A^H).

    >>> import scipy.sparse
    >>> from qiudao.scipy import sparse
    >>> A = scipy.sparse.csc_array([[0.0, 1.0], [0.0, 0.0]])
    >>> qd.grad(lambda b: sparse.linalg.expm_multiply(A, b)[0])(np.ones(2)).round(9)
    array([1., 1.])
    """
    if not depends(A, B):
        return theirs.expm_multiply(A, B, *args, **options)
    if depends(A) or args or options:
        raise GradientError(
            "expm_multiply: derivatives are known in B, for one time; for those in the matrix use "
            "qd.scipy.linalg.expm, and multiply A for other times"
        )
    return Evolved(A)(B)


class Evolved(LinearMap):
    """exp(A) B, linear in B."""

    name = "expm_multiply"

    def __init__(self, A: Any) -> None:
        self.A = A

    def evaluate(self, *xs: Value) -> Value:
        found: Value = theirs.expm_multiply(self.A, xs[0])
        return found

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, np.result_type(self.A.dtype, avals[0].dtype))

    def adjoint(self) -> Primitive:
        return Evolved(np.conj(self.A).T)
