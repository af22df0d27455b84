"""Arrays as one list of real coordinates: element by element, a complex one as two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.errors import ShapeError
from .steps import Array, resolution


class Coordinates:
    """The real coordinates of some float or complex arrays, in order.

    The elements of each array in row-major order; for a complex array all real parts, then all
    imaginary parts.  Each array has a name that errors use.
    """

    def __init__(self, values: Sequence[Array], names: Sequence[str]) -> None:
        self.values = [np.array(v) for v in values]
        self.names = list(names)
        self.sizes = [v.size * (2 if v.dtype.kind == "c" else 1) for v in self.values]

    def __len__(self) -> int:
        return sum(self.sizes)

    def flat(self, arrays: Sequence[Array]) -> Array:
        """The coordinates of arrays of these shapes as one vector."""
        found = [np.shape(a) for a in arrays]
        if found != [v.shape for v in self.values]:
            raise ShapeError(
                f"gradcheck: arrays of shapes {found} stand for {', '.join(self.names)}, of shapes "
                f"{[v.shape for v in self.values]}; shapes must not depend on values, nor differ "
                "between a value and its derivative"
            )
        pieces = [np.zeros(0)]
        for a, v in zip(arrays, self.values, strict=True):
            pieces.append(np.real(a).ravel())
            if v.dtype.kind == "c":
                pieces.append(np.imag(a).ravel())
        return np.concatenate(pieces)

    def grain(self) -> Array:
        """The resolution of the dtype of each coordinate."""
        grains = [np.full(n, resolution(v.dtype)) for v, n in zip(self.values, self.sizes)]
        return np.concatenate([np.zeros(0), *grains])

    def find(self, k: int) -> tuple[int, tuple[int, ...], bool]:
        """Coordinate k: the number of its array, its index there, whether it is imaginary."""
        for number, (v, size) in enumerate(zip(self.values, self.sizes, strict=True)):
            if k < size:
                index = np.unravel_index(k % v.size, v.shape)
                return number, tuple(map(int, index)), k >= v.size
            k -= size
        raise IndexError(k)

    def get(self, k: int) -> Array:
        """Coordinate k as a real number of its array's precision."""
        number, index, imaginary = self.find(k)
        z = self.values[number][index]
        return z.imag if imaginary else z.real

    def put(self, k: int, t: Array) -> list[Array]:
        """Copies of the arrays with coordinate k at `t`, which may be complex in a real array."""
        number, index, imaginary = self.find(k)
        arrays = [v.copy() for v in self.values]
        target = arrays[number]
        if target.dtype.kind == "c":
            z = target[index]
            target[index] = z.real + 1j * t if imaginary else t + 1j * z.imag
        else:
            arrays[number] = target = target.astype(np.result_type(target, t))
            target[index] = t
        return [a[()] for a in arrays]

    def unit(self, k: int) -> list[Array]:
        """The direction of coordinate k: zeros, and a one (or i) in its place."""
        number, index, imaginary = self.find(k)
        arrays = [np.zeros_like(v) for v in self.values]
        arrays[number][index] = 1j if imaginary else 1
        return arrays

    def name(self, k: int) -> str:
        """Where coordinate k is: `argument[0]['w'][2, 1]`."""
        number, index, imaginary = self.find(k)
        v = self.values[number]
        place = f"{list(index)}" if v.ndim else ""
        if v.dtype.kind != "c":
            return self.names[number] + place
        return f"{'Im' if imaginary else 'Re'}({self.names[number]}{place})"
