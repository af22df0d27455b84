"""Discrete Fourier transforms.

Padding and cropping are steps of their own, so the primitives transform axes of a fixed length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.avals import Aval, Value, aval_of
from ..core.dispatch import implements
from ..core.errors import DtypeError, ShapeError
from ..core.families import Linear
from ..core.primitive import primitive
from ..core.samples import sample
from .faces import array, delivered, from_end, whole

SWAPPED = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


@primitive
class Fft(Linear):
    """The complex transform over `axes`, all at their full length.

    Its matrix exp(-2 pi i j k / n) is symmetric, and so the transform is its own transpose.
    """

    axes: tuple[int, ...] = (-1,)
    norm: str = "backward"
    inverse: bool = False
    samples = (
        sample("c128[5]"),
        sample("f64[2,4]", axes=(-2,), norm="ortho"),
        sample("c128[2,3]", axes=(-2, -1), norm="forward"),
        sample("c128[4]", inverse=True),
        sample("c128[2,3,2]", axes=(-3, -1), norm="forward", inverse=True),
    )

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, complex_of(avals[0].dtype))

    def evaluate(self, *xs: Value) -> Value:
        if len(self.axes) == 1:
            one = np.fft.ifft if self.inverse else np.fft.fft
            return one(xs[0], axis=self.axes[0], norm=self.norm)  # type: ignore[arg-type]
        several = np.fft.ifftn if self.inverse else np.fft.fftn
        return several(xs[0], axes=self.axes, norm=self.norm)  # type: ignore[arg-type]

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return self(ct)


@primitive
class Rfft(Linear):
    """The transform of a real line, of which the first n // 2 + 1 values tell all.

    Linear over the reals.  Paired with a cotangent as Re(ct dx), bin k of the result gives
    Re(ct[k] exp(-2 pi i j k / n)) to element j: a half of what the inverse transform makes of a
    bin that stands for two, and the whole for the bins 0 and n / 2, which stand alone.
    """

    axes: tuple[int, ...] = (-1,)
    norm: str = "backward"
    samples = (
        sample("f64[5]"),
        sample("f64[2,4]", norm="ortho"),
        sample("f64[4,2]", axes=(-2,), norm="forward"),
        sample("f64[1]"),
    )

    def shape(self, *avals: Aval) -> Aval:
        (x,), (axis,) = avals, self.axes
        shape = list(x.shape)
        shape[axis] = shape[axis] // 2 + 1
        return Aval(tuple(shape), complex_of(x.dtype))

    def evaluate(self, *xs: Value) -> Value:
        return np.fft.rfft(xs[0], axis=self.axes[0], norm=self.norm)  # type: ignore[arg-type]

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        (x,), (axis,) = xs, self.axes
        n = x.shape[axis]
        weights = shares(n, axis, x.dtype)
        return Irfft(n, self.axes, SWAPPED[self.norm])(np.conj(ct) / weights)


@primitive
class Irfft(Linear):
    """The real line of length `n` whose transform begins with the n // 2 + 1 values of `x`.

    Linear over the reals; of the bins 0 and n / 2 only the real parts count.  Transpose: the
    conjugate of the line's transform, doubled at the bins that stand for two.
    """

    n: int = 1
    axes: tuple[int, ...] = (-1,)
    norm: str = "backward"
    samples = (
        sample("c128[3]", n=5),
        sample("c128[2,3]", n=4, norm="ortho"),
        sample("c128[3,2]", n=4, axes=(-2,), norm="forward"),
        sample("f64[3]", n=5),
        sample("c128[1]", n=1),
    )

    def shape(self, *avals: Aval) -> Aval:
        (x,), (axis,) = avals, self.axes
        shape = list(x.shape)
        shape[axis] = self.n
        return Aval(tuple(shape), real_of(x.dtype))

    def evaluate(self, *xs: Value) -> Value:
        return np.fft.irfft(xs[0], self.n, self.axes[0], self.norm)  # type: ignore[arg-type]

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        line = Rfft(self.axes, SWAPPED[self.norm])(ct)
        return np.conj(line) * shares(self.n, self.axes[0], ct.dtype)


def shares(n: int, axis: int, dtype: Any) -> Any:
    """How many bins of the whole transform each kept bin stands for, along `axis`."""
    weights = np.full(n // 2 + 1, 2, real_of(dtype))
    weights[0] = 1
    if n % 2 == 0:
        weights[-1] = 1
    return weights.reshape(-1, *(1,) * (-axis - 1))


def complex_of(dtype: Any) -> np.dtype[Any]:
    """The dtype of the transform of values of this dtype."""
    single = dtype.kind in "fc" and np.finfo(dtype).bits <= 32
    return np.result_type(dtype, np.complex64) if single else np.result_type(dtype, np.complex128)


def real_of(dtype: Any) -> np.dtype[Any]:
    """The dtype of the inverse transform, when it is real, of values of this dtype."""
    return dtype if dtype.kind == "f" else np.zeros((), complex_of(dtype)).real.dtype


def length(name: str, n: Any, otherwise: int) -> int:
    """The number of points of a transform."""
    count = otherwise if n is None else whole(n)
    if count < 1:
        raise ShapeError(f"{name}: {count} points; a transform needs at least one")
    return count


def norm_of(name: str, norm: Any) -> str:
    """The scaling that a `norm` argument names."""
    if norm is None:
        return "backward"
    if norm not in SWAPPED:
        raise ShapeError(f'{name}: norm={norm!r}; it must be "backward", "ortho" or "forward"')
    return str(norm)


def resized(x: Value, axis: int, size: int) -> Value:
    """`x` cropped or padded with zeros at the end of an axis counted from the end."""
    n = x.shape[axis]
    rest = (slice(None),) * (-axis - 1)
    if size < n:
        return x[(Ellipsis, slice(0, size), *rest)]
    if size > n:
        missing = np.zeros((*x.shape[:axis], size - n, *x.shape[x.ndim + axis + 1 :]), x.dtype)
        return np.concatenate((x, missing), axis=axis)
    return x


def complex_line(name: str, a: Any, n: Any, axis: Any, norm: Any, inverse: bool) -> Value:
    """`fft` and `ifft`."""
    x = array(a)
    k = from_end(axis, x.ndim, name)
    size = length(name, n, x.shape[k])
    return Fft((k,), norm_of(name, norm), inverse)(resized(x, k, size))


def real_line(name: str, a: Any, n: Any, axis: Any, norm: str) -> Value:
    """`rfft`."""
    x = array(a)
    if x.dtype.kind == "c":
        raise DtypeError(f"{name}: {aval_of(x)} is complex; use fft, or pass np.real(x)")
    k = from_end(axis, x.ndim, name)
    return Rfft((k,), norm)(resized(x, k, length(name, n, x.shape[k])))


def real_inverse_line(name: str, a: Any, n: Any, axis: Any, norm: str) -> Value:
    """`irfft`."""
    x = array(a)
    k = from_end(axis, x.ndim, name)
    size = length(name, n, 2 * (x.shape[k] - 1))
    return Irfft(size, (k,), norm)(resized(x, k, size // 2 + 1))


@implements(np.fft.fft)
def fft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Value:
    """The discrete Fourier transform along one axis, of `n` points."""
    return delivered("fft", complex_line("fft", a, n, axis, norm, False), out)


@implements(np.fft.ifft)
def ifft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Value:
    """The inverse of `fft`."""
    return delivered("ifft", complex_line("ifft", a, n, axis, norm, True), out)


@implements(np.fft.rfft)
def rfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Value:
    """The first half of the transform of a real line, which tells all of it."""
    return delivered("rfft", real_line("rfft", a, n, axis, norm_of("rfft", norm)), out)


@implements(np.fft.irfft)
def irfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Value:
    """The inverse of `rfft`: a real line of `n` points."""
    return delivered("irfft", real_inverse_line("irfft", a, n, axis, norm_of("irfft", norm)), out)


@implements(np.fft.hfft)
def hfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Value:
    """The real transform of a line whose second half is the conjugate of its first."""
    x = np.conj(array(a))
    swapped = SWAPPED[norm_of("hfft", norm)]
    return delivered("hfft", real_inverse_line("hfft", x, n, axis, swapped), out)


@implements(np.fft.ihfft)
def ihfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Value:
    """The inverse of `hfft`."""
    swapped = SWAPPED[norm_of("ihfft", norm)]
    return delivered("ihfft", np.conj(real_line("ihfft", a, n, axis, swapped)), out)


def sizes_and_axes(
    name: str, x: Value, s: Any, axes: Any, last: Callable[[int], int] = int
) -> tuple[Sequence[int], Sequence[int]]:
    """The points along each axis, and the axes from the end.

    `last` gives the points of the last axis from its length, where the call names none.
    """
    if axes is None:
        count = x.ndim if s is None else len(s)
        axes = range(-count, 0)
    at = [from_end(k, x.ndim, name) for k in axes]
    given = [None] * len(at) if s is None else list(s)
    if len(given) != len(at):
        raise ShapeError(
            f"{name}: s={tuple(given)} gives {len(given)} sizes for {len(at)} axes; give one each"
        )
    if not at:
        return [], []
    given = [x.shape[k] if n == -1 else n for n, k in zip(given, at, strict=True)]
    full = [x.shape[k] for k in at]
    full[-1] = last(full[-1])
    return [length(name, n, m) for n, m in zip(given, full, strict=True)], at


def several(name: str, a: Any, s: Any, axes: Any, norm: Any, inverse: bool) -> Value:
    """`fftn` and `ifftn`."""
    x = array(a)
    sizes, at = sizes_and_axes(name, x, s, axes)
    return complex_axes(x, sizes, at, norm_of(name, norm), inverse)


def complex_axes(
    x: Value, sizes: Sequence[int], axes: Sequence[int], norm: str, inverse: bool
) -> Value:
    """The complex transform over several axes; one that is named twice is transformed twice."""
    if len(set(axes)) < len(axes):
        for size, k in zip(sizes[::-1], axes[::-1], strict=True):
            x = Fft((k,), norm, inverse)(resized(x, k, size))
        return x
    for size, k in zip(sizes, axes, strict=True):
        x = resized(x, k, size)
    return Fft(tuple(axes), norm, inverse)(x) if axes else x


def several_real(name: str, a: Any, s: Any, axes: Any, norm: Any) -> Value:
    """`rfftn`: the last axis as a real line, the others as complex ones."""
    x = array(a)
    how = norm_of(name, norm)
    sizes, at = sizes_and_axes(name, x, s, axes)
    if not at:
        raise ShapeError(f"{name}: there is no axis to transform; name at least one")
    y = real_line(name, x, sizes[-1], at[-1], how)
    return complex_axes(y, sizes[:-1], at[:-1], how, False)


def several_real_inverse(name: str, a: Any, s: Any, axes: Any, norm: Any) -> Value:
    """`irfftn`: the inverse of `rfftn`."""
    x = array(a)
    how = norm_of(name, norm)
    sizes, at = sizes_and_axes(name, x, s, axes, lambda m: 2 * (m - 1))
    if not at:
        raise ShapeError(f"{name}: there is no axis to transform; name at least one")
    y = complex_axes(x, sizes[:-1], at[:-1], how, True)
    return real_inverse_line(name, y, sizes[-1], at[-1], how)


PLANE = (-2, -1)


@implements(np.fft.fftn)
def fftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Value:
    """The transform over several axes."""
    return delivered("fftn", several("fftn", a, s, axes, norm, False), out)


@implements(np.fft.ifftn)
def ifftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Value:
    """The inverse of `fftn`."""
    return delivered("ifftn", several("ifftn", a, s, axes, norm, True), out)


@implements(np.fft.rfftn)
def rfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Value:
    """The transform of a real array over several axes, the last one halved."""
    return delivered("rfftn", several_real("rfftn", a, s, axes, norm), out)


@implements(np.fft.irfftn)
def irfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Value:
    """The inverse of `rfftn`."""
    return delivered("irfftn", several_real_inverse("irfftn", a, s, axes, norm), out)


@implements(np.fft.fft2)
def fft2(a: Any, s: Any = None, axes: Any = PLANE, norm: Any = None, out: Any = None) -> Value:
    """The transform over two axes."""
    return delivered("fft2", several("fft2", a, s, axes, norm, False), out)


@implements(np.fft.ifft2)
def ifft2(a: Any, s: Any = None, axes: Any = PLANE, norm: Any = None, out: Any = None) -> Value:
    """The inverse of `fft2`."""
    return delivered("ifft2", several("ifft2", a, s, axes, norm, True), out)


@implements(np.fft.rfft2)
def rfft2(a: Any, s: Any = None, axes: Any = PLANE, norm: Any = None, out: Any = None) -> Value:
    """The transform of a real array over two axes, the last one halved."""
    return delivered("rfft2", several_real("rfft2", a, s, axes, norm), out)


@implements(np.fft.irfft2)
def irfft2(a: Any, s: Any = None, axes: Any = PLANE, norm: Any = None, out: Any = None) -> Value:
    """The inverse of `rfft2`."""
    return delivered("irfft2", several_real_inverse("irfft2", a, s, axes, norm), out)


def shifted(name: str, x: Any, axes: Any, back: bool) -> Value:
    """Each axis rolled by half its length."""
    v = array(x)
    at = range(v.ndim) if axes is None else axes if isinstance(axes, tuple | list) else (axes,)
    at = tuple(from_end(k, v.ndim, name) for k in at)
    halves = (v.shape[k] // 2 for k in at)
    return np.roll(v, tuple(-n if back else n for n in halves), at)


@implements(np.fft.fftshift)
def fftshift(x: Any, axes: Any = None) -> Value:
    """The zero frequency moved to the middle."""
    return shifted("fftshift", x, axes, False)


@implements(np.fft.ifftshift)
def ifftshift(x: Any, axes: Any = None) -> Value:
    """The inverse of `fftshift`."""
    return shifted("ifftshift", x, axes, True)
