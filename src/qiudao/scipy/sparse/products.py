"""Products with sparse matrices, and what all functions of a sparse matrix go through."""

from collections.abc import Callable
from typing import Any

import numpy as np

import qiudao as qd
from scipy import sparse as theirs

from ...core.avals import Aval
from ...core.errors import DtypeError
from ..operands import depends, solve

Places = tuple[Any, Any, tuple[int, int]]


def elements(name: str, S: Any, data: Any) -> tuple[Places, Any]:
    """Where a sparse matrix has its elements (rows, columns, shape), and their values: `data`
    in place of its own, if given.
    """
    if not theirs.issparse(S):
        raise DtypeError(
            f"{name}: the matrix is {type(S).__name__}, where a SciPy sparse matrix is wanted; "
            "its own values may be tensors by data=, or use np.matmul and np.linalg.solve"
        )
    coo = S.tocoo()
    return (coo.row, coo.col, coo.shape), coo.data if data is None else data


def turned(places: Places) -> Places:
    """The places of the transpose."""
    rows, columns, shape = places
    return columns, rows, shape[::-1]


def bilinear_value(name: str, of: Callable[..., Any], places: Places, values: Any, x: Any) -> Any:
    """`of(matrix, x)` on plain arrays: a constant, of the shape of a product or a solution; of a
    product for the name "matmul".
    """
    rows, columns, shape = places

    def call(v: Any, z: Any) -> Any:
        return of(theirs.csc_array((v, (rows, columns)), shape=shape), z)

    dtype = np.result_type(values.dtype, x.dtype, np.float32)
    size = shape[0] if name == "matmul" else shape[1]
    return solve(name, call, (values, x), [Aval((size, *np.shape(x)[1:]), dtype)])


def pairs(places: Places, ct: Any, x: Any) -> Any:
    """The elements at `places` of ct x^H."""
    rows, columns, _ = places
    found = ct[rows] * np.conj(x[columns])
    return np.sum(found, axis=1) if np.ndim(x) == 2 else found


def product(places: Places, values: Any, x: Any) -> Any:
    """The matrix with `values` at `places`, times x; differentiable in both."""

    def value(v: Any, z: Any) -> Any:
        return bilinear_value("matmul", lambda S, y: S @ y, places, v, z)

    rule = qd.custom_vjp(value)
    rule.defvjp(
        lambda v, z: (value(v, z), (v, z)),
        lambda kept, ct: (
            pairs(places, ct, kept[1]),
            product(turned(places), np.conj(kept[0]), ct),
        ),
    )
    rule.defjvp(lambda xs, dxs: (rule(*xs), rule(dxs[0], xs[1]) + rule(xs[0], dxs[1])))
    return rule(values, x)


def matmul(S: Any, x: Any, *, data: Any = None) -> Any:
    """S @ x for a SciPy sparse matrix (m, n) and x of shape (n,) or (n, k), which may be a tensor.

    `data` stands for the values of S's elements in the order of `S.tocoo().data`, and may be a
    tensor too: the pattern is constant, its values are differentiable.

    >>> import scipy.sparse
    >>> from qiudao.scipy import sparse
    >>> S = scipy.sparse.csr_array([[2.0, 0.0], [1.0, 3.0]])
    >>> qd.grad(lambda x: sparse.matmul(S, x).sum())(np.ones(2))
    array([3., 3.])
    """
    if not depends(x, data) and data is None:
        return S @ x
    places, values = elements("matmul", S, data)
    return product(places, values, x)
