"""Eigenvalues and eigenvectors of any square matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.avals import Aval, Dtype, Value
from ...core.dispatch import implements
from ...core.families import Opaque
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ...core.samples import sample
from ..faces import array, known
from .degenerate import Quotient, Share, off_diagonal
from .matrices import (
    EigResult,
    adjoint,
    columns,
    diagonal,
    diagonal_matrix,
    result_dtype,
    square,
)
from .refusals import Direction, apart, used
from .solving import Inverse

share, quotient = Share(), Quotient()

DEFECTIVE = (
    "eig: the matrix is defective: it has fewer eigenvectors than rows, and its eigenvalues have no "
    "derivative; use np.trace for their sum, np.linalg.det for their product, or np.linalg.eigh "
    "where the matrix is symmetric"
)


def complex_dtype(*avals: Aval) -> Dtype:
    """The complex dtype that holds eigenvalues."""
    return np.result_type(result_dtype(*avals), np.complex64)


@primitive
class Pivot(Opaque):
    """1 at the component of each column that LAPACK made real: its largest, 0 elsewhere."""

    samples = (sample("c128[3,3]"),)

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        (v,) = xs
        size = np.abs(v)
        turned = v.imag == 0
        row = np.argmax(np.where(turned, size, -1.0), axis=-2)
        return (np.arange(v.shape[-2])[:, None] == row[..., None, :]).astype(v.dtype)
