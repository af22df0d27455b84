"""From NumPy's linear algebra and Fourier transforms to the array standard's extensions for them.

Each entry is called with the library and its arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .libraries import Library

Function = Callable[..., Any]


def linear(name: str) -> Function:
    """A function of the standard's extension for linear algebra."""

    def call(library: Library, *xs: Any, **options: Any) -> Any:
        found = library.function(f"linalg.{name}")(*xs, **options)
        return tuple(found) if isinstance(found, tuple) else found

    return call


def norm(
    library: Library, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:
    """`np.linalg.norm`, of vectors along one axis or all, of matrices along the last two."""
    if ord is None or isinstance(axis, int):
        options = {"axis": axis, "keepdims": keepdims, "ord": 2 if ord is None else ord}
        return linear("vector_norm")(library, x, **options)
    return linear("matrix_norm")(library, x, keepdims=keepdims, ord=ord)


def pseudo_inverse(library: Library, x: Any, rcond: Any = None) -> Any:
    """`np.linalg.pinv`."""
    return linear("pinv")(library, x, rtol=rcond)


def factor(library: Library, x: Any) -> Any:
    """`np.linalg.cholesky`."""
    if library.is_lazy and library.dtype_of(x).kind == "c":
        raise library.lacks("linalg.cholesky", "of complex matrices: it forgets to conjugate")
    return linear("cholesky")(library, x)


def singular(library: Library, x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """`np.linalg.svd`."""
    if not compute_uv and library.is_lazy:  # dask has them as a part of the whole
        return linear("svd")(library, x, full_matrices=False)[1]
    if not compute_uv:
        return linear("svdvals")(library, x)
    return linear("svd")(library, x, full_matrices=full_matrices)


def self_adjoint(library: Library, x: Any, UPLO: str = "L") -> Any:
    """`np.linalg.eigh` of a matrix of which both triangles are given."""
    return linear("eigh")(library, x)


def transform(name: str) -> Function:
    """A function of the standard's extension for Fourier transforms."""

    def call(library: Library, x: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
        function = library.function(f"fft.{name}")
        x = x if name == "rfft" else as_complex(library, x)
        return function(x, n=n, axis=axis, norm=norm or "backward")

    return call


def transforms(name: str) -> Function:
    """One over several axes."""

    def call(library: Library, x: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
        function = library.function(f"fft.{name}")
        return function(as_complex(library, x), s=s, axes=axes, norm=norm or "backward")

    return call


def as_complex(library: Library, x: Any) -> Any:
    """An array as complex numbers, of the same precision."""
    return library.cast(x, np.result_type(library.dtype_of(x), np.complex64))


extensions: dict[Function, Function] = {
    np.linalg.cholesky: factor,
    np.linalg.det: linear("det"),
    np.linalg.eigh: self_adjoint,
    np.linalg.eigvalsh: linear("eigvalsh"),
    np.linalg.inv: linear("inv"),
    np.linalg.norm: norm,
    np.linalg.pinv: pseudo_inverse,
    np.linalg.qr: linear("qr"),
    np.linalg.slogdet: linear("slogdet"),
    np.linalg.solve: linear("solve"),
    np.linalg.svd: singular,
    np.fft.fft: transform("fft"),
    np.fft.ifft: transform("ifft"),
    np.fft.rfft: transform("rfft"),
    np.fft.irfft: transform("irfft"),
    np.fft.fftn: transforms("fftn"),
    np.fft.ifftn: transforms("ifftn"),
}
