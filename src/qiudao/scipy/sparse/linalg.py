"""`qd.scipy.sparse.linalg`: sparse systems, with derivatives."""

import functools
from typing import Any

import numpy as np
from scipy.sparse import linalg as theirs

import qiudao as qd

from ...core.errors import GradientError
from ..operands import depends
from .iterating import Applied, bicgstab, cg, gmres, minres
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
    onward, back = (functools.partial(theirs.expm_multiply, M) for M in (A, np.conj(A).T))
    operator = theirs.LinearOperator(
        A.shape, matvec=onward, matmat=onward, rmatvec=back, rmatmat=back, dtype=A.dtype
    )
    return Applied(operator, "expm_multiply")(B)
