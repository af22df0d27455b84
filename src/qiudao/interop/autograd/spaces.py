"""Vector spaces of values: what `vspace(x)` knows of an array or a container of arrays."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...core.trees import flatten


class VSpace:
    """The space that a value lies in: the shapes and dtypes of its leaves, and their nesting.

    Two values lie in the same space when their spaces are equal.

    >>> from qiudao.interop.autograd.extend import vspace
    >>> space = vspace((1.0, np.zeros(2)))
    >>> space.size, space.ones()
    (3, (np.float64(1.0), array([1., 1.])))
    """

    def __init__(self, value: Any) -> None:
        leaves, self.tree = flatten(value)
        self.shapes = [tuple(np.shape(x)) for x in leaves]
        if not all(isinstance(x, numbers.Number) or hasattr(x, "dtype") for x in leaves):
            raise TypeError(
                f"vspace: no vector space for {value!r} of {type(value)}; it must be made of "
                "floats, complex numbers and arrays"
            )
        self.dtypes = [x.dtype if hasattr(x, "dtype") else np.result_type(x) for x in leaves]

    @property
    def shape(self) -> Any:
        """The shape of an array; a container of the spaces of its parts otherwise."""
        if self.tree.kind is None and not self.tree.is_nested:
            return self.shapes[0]
        return self.tree.build([vspace(z) for z in self._zeros()])

    @property
    def dtype(self) -> Any:
        """The dtype of an array, or the common one of a container's."""
        return np.result_type(*self.dtypes)

    @property
    def ndim(self) -> int:
        """How many axes an array has."""
        return len(self.shapes[0])

    @property
    def iscomplex(self) -> bool:
        """Whether there are complex leaves."""
        return any(d.kind == "c" for d in self.dtypes)

    @property
    def size(self) -> int:
        """The number of real coordinates."""
        return sum(
            math.prod(s) * (2 if d.kind == "c" else 1) for s, d in zip(self.shapes, self.dtypes)
        )

    def _zeros(self) -> list[Any]:
        return [np.zeros(s, d)[()] for s, d in zip(self.shapes, self.dtypes)]

    def zeros(self) -> Any:
        """The zero of the space."""
        return self.tree.build(self._zeros())

    def ones(self) -> Any:
        """Ones throughout; 1 + 1j where the space is complex."""
        pairs = zip(self.shapes, self.dtypes)
        return self.tree.build(
            [np.full(s, 1 + 1j if d.kind == "c" else 1, d)[()] for s, d in pairs]
        )

    def randn(self) -> Any:
        """A random element, from NumPy's global generator."""
        return self.tree.build([_normal(s, d) for s, d in zip(self.shapes, self.dtypes)])

    def standard_basis(self) -> Iterator[Any]:
        """The unit vectors, one real coordinate after another."""
        for k, (shape, dtype) in enumerate(zip(self.shapes, self.dtypes)):
            for index in np.ndindex(*shape):
                for unit in (1.0, 1.0j) if dtype.kind == "c" else (1.0,):
                    leaves = self._zeros()
                    leaf = np.zeros(shape, dtype)
                    leaf[index] = unit
                    leaves[k] = leaf[()]
                    yield self.tree.build(leaves)

    def add(self, x: Any, y: Any) -> Any:
        """The sum of two elements."""
        return self._map(lambda a, b: a + b, x, y)

    def mut_add(self, x: Any, y: Any) -> Any:
        """The sum of two elements, of which the first may be None."""
        return y if x is None else self.add(x, y)

    def scalar_mul(self, x: Any, a: Any) -> Any:
        """An element times a number."""
        return self._map(lambda v: v * a, x)

    def inner_prod(self, x: Any, y: Any) -> Any:
        """The real inner product, Re(conj(x) y) summed over all coordinates."""
        pairs = zip(flatten(x)[0], flatten(y)[0])
        return sum(np.real(np.sum(np.conj(a) * b)) for a, b in pairs)

    def covector(self, x: Any) -> Any:
        """The element as a cotangent: its conjugate."""
        return self._map(np.conj, x)

    def _map(self, function: Any, *trees: Any) -> Any:
        columns = [flatten(tree)[0] for tree in trees]
        return self.tree.build([function(*xs) for xs in zip(*columns)])

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, VSpace)
            and self.tree == other.tree
            and self.shapes == other.shapes
            and self.dtypes == other.dtypes
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        parts = ", ".join(f"{d}{list(s)}" for s, d in zip(self.shapes, self.dtypes))
        return f"VSpace({self.tree}: {parts})"


def _normal(shape: tuple[int, ...], dtype: Any) -> Any:
    """Normal draws in a shape, complex ones for a complex dtype."""
    draw = np.asarray(np.random.randn(*shape))  # noqa: NPY002 - seeded by np.random.seed, as users do
    if dtype.kind == "c":
        draw = draw + 1j * np.asarray(np.random.randn(*shape))  # noqa: NPY002 - as above
    return draw.astype(dtype)[()]


def vspace(value: Any) -> VSpace:
    """The vector space of a value, a tracer's included."""
    return VSpace(value)
