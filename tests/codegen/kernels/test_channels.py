"""Kernels of convolutions and pools on drawn settings, against NumPy."""

import numpy as np

from codegen.harness import Compiled
from qiudao.ops.networks.convolution import (
    Convolution,
    ConvolutionByInput,
    ConvolutionByKernel,
)
from qiudao.ops.networks.pooling import MaxPool, SpreadToLargest, WindowSpread, WindowSum

TOLERANCE = {"f": 2e-5, "d": 1e-12, "D": 1e-12}


def strided(x, rng):
    """The same values, at times with gaps between them."""
    if rng.random() < 0.5:
        return x
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


def drawn(rng, shape, dtype):
    x = rng.normal(size=shape)
    x = x + 1j * rng.normal(size=shape) if dtype == "D" else x
    return strided(x.astype(dtype), rng)


def settings(rng):
    """A convolution's fields, and the sizes of images and kernel; few or many channels."""
    space = int(rng.integers(1, 4))

    def each(low, high):
        return tuple(int(n) for n in rng.integers(low, high, space))

    length, stride, dilation = each(1, 5), each(1, 4), each(1, 4)
    padding = tuple(zip(each(0, 4), each(0, 4), strict=True))
    spans = [(k - 1) * d + 1 for k, d in zip(length, dilation, strict=True)]
    extra = each(0, 22 if space == 1 else 7)
    sizes = tuple(max(m - a - b, 1) + e for m, (a, b), e in zip(spans, padding, extra, strict=True))
    groups = int(rng.integers(1, 4))
    return (stride, padding, dilation, groups), sizes, length


def trios(rng, count):
    """The three primitives on arrays of one setting, for so many settings."""
    for _ in range(count):
        fields, sizes, length = settings(rng)
        groups = fields[-1]
        dtype = str(rng.choice(list(TOLERANCE)))
        inputs, outputs = (groups * int(rng.choice([1, 2, 9, 17])) for _ in "io")
        x = drawn(rng, (int(rng.integers(1, 4)), inputs, *sizes), dtype)
        kernel = drawn(rng, (outputs, inputs // groups, *length), dtype)
        convolution = Convolution(*fields)
        ct = drawn(rng, convolution(x, kernel).shape, dtype)
        yield convolution, x, kernel
        yield ConvolutionByInput(*fields, sizes), ct, kernel
        yield ConvolutionByKernel(*fields, length), x, ct


def pools(rng, count):
    """Pools and their transposes on arrays of one setting, for so many settings."""
    for _ in range(count):
        (stride, padding, dilation, _), sizes, length = settings(rng)
        fields = length, stride, padding, dilation
        dtype = str(rng.choice(["f", "d"]))
        x = rng.integers(0, 3, (2, 3, *sizes)).astype(dtype)  # with many ties
        top = MaxPool(*fields)(x)
        ct = drawn(rng, top.shape, dtype)
        yield MaxPool(*fields), strided(x, rng)
        yield SpreadToLargest(*fields), x, top, ct
        yield WindowSum(*fields), strided(x, rng)
        yield WindowSpread(*fields, sizes), ct


def hold(cases):
    compiled = Compiled()
    numbers = [(compiled.add(*case), case) for case in cases]
    compiled.build()
    for number, (primitive, *xs) in numbers:
        want = primitive(*xs)
        (got,) = compiled.run(number)
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        finite = np.isfinite(want)
        scale = max(1.0, np.max(np.abs(want), where=finite, initial=0.0))
        tolerance = TOLERANCE[want.dtype.char] * scale
        np.testing.assert_allclose(got, want, rtol=0, atol=tolerance, err_msg=str(primitive))


def test_convolutions():
    hold(trios(np.random.default_rng(1), 8))


def test_pools():
    hold(pools(np.random.default_rng(2), 8))
