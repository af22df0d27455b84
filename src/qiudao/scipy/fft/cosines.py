"""Cosine and sine transforms: the linear maps that SciPy's are, of types 1 to 4.

>>> from qiudao.scipy import fft
>>> qd.grad(lambda x: fft.dct(x)[0])(np.array([1.0, 2.0]))
array([2., 2.])
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from scipy import fft as theirs

from ..operands import array, depends


def mapped(scipy: Callable[..., Any], x: Any, kind: int, n: Any, axis: int, options: Any) -> Any:
    """The transform of a tracer: along its axis, the matrix of SciPy's transform."""
    moved = np.moveaxis(array(x), axis, -1)
    size = np.shape(moved)[-1]
    matrix = scipy(np.eye(size), kind, n, 1, **options)
    return np.moveaxis(np.matmul(moved, matrix), -1, axis)


def transform(name: str) -> Callable[..., Any]:
    """A transform with SciPy's signature."""
    scipy = getattr(theirs, name)

    def transformed(
        x: Any,
        type: int = 2,
        n: int | None = None,
        axis: int = -1,
        norm: str | None = None,
        overwrite_x: bool = False,
        workers: int | None = None,
        orthogonalize: bool | None = None,
    ) -> Any:
        if not depends(x):
            return scipy(x, type, n, axis, norm, overwrite_x, workers, orthogonalize=orthogonalize)
        options = {"norm": norm, "workers": workers, "orthogonalize": orthogonalize}
        return mapped(scipy, x, type, n, axis, options)

    transformed.__name__ = transformed.__qualname__ = name
    transformed.__doc__ = (
        f"`scipy.fft.{name}`, types 1 to 4, with its derivative; the work of a derivative is that "
        "of a product with a matrix of n rows."
    )
    return transformed


dct, idct, dst, idst = (transform(name) for name in ("dct", "idct", "dst", "idst"))
