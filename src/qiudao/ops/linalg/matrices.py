"""What the rules of linear algebra share: adjoints, diagonals, types, NumPy's named results."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.avals import Aval, Value, promote
from ...core.errors import ShapeError
from ...core.families import align

_one = np.eye(1)
EigResult = type(np.linalg.eig(_one))
EighResult = type(np.linalg.eigh(_one))
QRResult = type(np.linalg.qr(_one))
SlogdetResult = type(np.linalg.slogdet(_one))
SVDResult = type(np.linalg.svd(_one))


def conj(x: Value) -> Value:
    """The complex conjugate; a real value as it is."""
    return np.conj(x) if x.dtype.kind == "c" else x


def real(x: Value) -> Value:
    """The real part; a real value as it is."""
    return np.real(x) if x.dtype.kind == "c" else x


def adjoint(x: Value) -> Value:
    """The conjugate transpose of each matrix."""
    return conj(x.mT)


def hermitian(x: Value) -> Value:
    """The Hermitian part of each matrix, (x + x^H) / 2."""
    return 0.5 * x + 0.5 * adjoint(x)


def eye(x: Value) -> Any:
    """The identity matrix that fits the last axis of `x`, real and in its precision."""
    return np.eye(x.shape[-1], dtype=real_dtype(x.dtype))


def real_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of the real part."""
    return np.zeros((), dtype).real.dtype


def diagonal(x: Value) -> Value:
    """The main diagonal of each square matrix."""
    return np.sum(x * eye(x), axis=-1)


def diagonal_matrix(d: Value) -> Value:
    """The square matrix with diagonal `d` for each row of `d`."""
    return d[..., None] * eye(d)


def columns(x: Value, factors: Value) -> Value:
    """Each column of a matrix times its own factor."""
    return x * factors[..., None, :]


def result_dtype(*avals: Aval) -> np.dtype[Any]:
    """The dtype that NumPy's linear algebra gives: float64 for integers."""
    dtype = promote(*avals)
    return dtype if dtype.kind in "fc" else np.dtype(np.float64)


def square(name: str, a: Aval) -> int:
    """The size of square matrices; anything else is refused."""
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"{name}: {a} is no square matrix; its last two axes must be equal")
    return a.shape[-1]


def aligned(mapped: Any, xs: Any) -> list[Value]:
    """Mapped operands with unit axes after the batch axis, so that leading axes still match."""
    ndim = max(x.ndim - m for x, m in zip(xs, mapped, strict=True))
    return [align(x, ndim) if m else x for x, m in zip(xs, mapped, strict=True)]
