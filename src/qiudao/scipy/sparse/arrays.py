"""SciPy's sparse arrays, whose products with tensors carry derivatives."""

from typing import Any

import numpy as np

from scipy import sparse as theirs

from ...core.errors import GradientError
from ..operands import depends
from .products import matmul


class Seeing:
    """What sparse arrays need to see tensors: `@`, `dot` and `*` from both sides, and `.T`.

    `__array_ufunc__` is None so that a tensor or an array to the left leaves its operator to these.
    Everything else is SciPy's, and what SciPy makes of an array (sums of two, say) is SciPy's too.
    """

    __array_ufunc__ = None
    __array_priority__ = 20.0

    def __matmul__(self, other: Any) -> Any:
        return matmul(self, other) if depends(other) else super().__matmul__(other)  # type: ignore[misc]

    def __rmatmul__(self, other: Any) -> Any:
        if not depends(other):
            return super().__rmatmul__(other)  # type: ignore[misc]
        found = matmul(self.T, np.swapaxes(other, -1, -2) if np.ndim(other) > 1 else other)
        return np.swapaxes(found, -1, -2) if np.ndim(other) > 1 else found

    def dot(self, other: Any) -> Any:
        """The product with a vector or a matrix."""
        return self @ other if depends(other) else super().dot(other)  # type: ignore[misc]

    def multiply(self, other: Any) -> Any:
        """The product element by element, which is sparse, and so takes no tensor."""
        if depends(other):
            raise GradientError(
                "multiply: a sparse array cannot hold elements that carry a derivative; multiply "
                "S.toarray(), or hand over the values with data= to qd.scipy.sparse.matmul"
            )
        return super().multiply(other)  # type: ignore[misc]

    def __mul__(self, other: Any) -> Any:
        return self.multiply(other)

    __rmul__ = __mul__

    def transpose(self, axes: Any = None, copy: bool = False) -> Any:
        """The transpose, which sees tensors too."""
        return seeing(super().transpose(axes, copy))  # type: ignore[misc]

    @property
    def T(self) -> Any:
        """The transpose."""
        return self.transpose()


class csr_array(Seeing, theirs.csr_array):  # type: ignore[misc]
    """`scipy.sparse.csr_array`, whose products with tensors carry derivatives.

    >>> from qiudao.scipy import sparse
    >>> S = sparse.csr_array([[2.0, 0.0], [1.0, 3.0]])
    >>> qd.grad(lambda x: (S @ x).sum())(np.ones(2))
    array([3., 3.])
    >>> qd.grad(lambda x: (x @ S.T).sum())(np.ones(2))
    array([3., 3.])
    """


class csc_array(Seeing, theirs.csc_array):  # type: ignore[misc]
    """`scipy.sparse.csc_array`, whose products with tensors carry derivatives."""


class coo_array(Seeing, theirs.coo_array):  # type: ignore[misc]
    """`scipy.sparse.coo_array`, whose products with tensors carry derivatives."""


KINDS = {"csr": csr_array, "csc": csc_array, "coo": coo_array}


def seeing(S: Any) -> Any:
    """SciPy's sparse array, or matrix, as ours."""
    return S if isinstance(S, Seeing) else KINDS.get(S.format, csr_array)(S)


class Operand:
    """A sparse matrix for one `@`, in lifted code: a tensor beside it carries its derivative."""

    __array_ufunc__ = None

    def __init__(self, S: Any) -> None:
        self.S = S

    def __matmul__(self, other: Any) -> Any:
        other = other.S if isinstance(other, Operand) else other
        return matmul(self.S, other) if depends(other) else self.S @ other

    def __rmatmul__(self, other: Any) -> Any:
        return seeing(self.S).__rmatmul__(other) if depends(other) else other @ self.S
