"""Convolution over channels, as networks mean it.

    out[n, o, p] = sum over c and k of x[n, c, p * stride + k * dilation - before] kernel[o, c, k]

where places outside of `x` count as 0, and p, k stand for one index along each axis of space.
With `groups`, output channel o reads the channels of its own group only.  A sum over o, p and n as
well, against a third array, is linear in each of three arrays; leaving one of them out gives three
primitives, each of which has the two others as its transposes.  So derivatives of any order are
convolutions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...core.avals import Aval, Shape, Value, aval_of, promote
from ...core.families import Bilinear
from ...core.primitive import Values, primitive
from ...core.samples import sample
from ..warming import warm
from .folding import into, out_of, out_of_groups, within_groups
from .gathering import blocks, by_group, gathered, spread_out
from .rows import are_short, by_kernel, convolved
from .windows import Padding, Windows, inside


class Convolving(Bilinear):
    """What the three have in common: how windows move, and which channels meet."""

    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    groups: int

    def windows(self, length: Shape) -> Windows:
        """How windows of a kernel's shape move."""
        return Windows(length, self.stride, self.padding, self.dilation)

    def settings(self) -> tuple[Shape, Padding, Shape, int]:
        """The fields that the three share."""
        return self.stride, self.padding, self.dilation, self.groups

    def shape_of_one(self, mapped: Sequence[bool], xs: Values) -> Shape:
        """The shape of the result for one example of a batch."""
        avals = [
            Aval(tuple(x.shape[1:] if m else x.shape), x.dtype)
            for x, m in zip(xs, mapped, strict=True)
        ]
        found: Aval = self.shape(*avals)
        return found.shape


@primitive
class Convolution(Convolving):
    """The convolution of `x` (n, c, *sizes) with a kernel (o, c / groups, *length).

    d = convolution(dx, kernel) + convolution(x, dkernel).
    """

    stride: tuple[int, ...] = (1,)
    padding: tuple[tuple[int, int], ...] = ((0, 0),)
    dilation: tuple[int, ...] = (1,)
    groups: int = 1
    samples = (
        sample("f64[2,3,5]", "f64[2,3,3]", padding=((1, 0),)),
        sample("f64[2,4,6]", "f64[4,2,2]", stride=(2,), dilation=(2,), groups=2),
        sample("f64[1,2,4,5]", "f64[3,2,2,3]", stride=(1, 2), padding=((1, 1), (0, 2)),
               dilation=(1, 1)),
        sample("c128[1,2,5]", "c128[2,1,2]", groups=2),
        sample("f64[1,1,2,3,2]", "f64[2,1,2,2,1]", stride=(1,) * 3,
               padding=((0, 0), (0, 1), (0, 0)), dilation=(1,) * 3),
        sample("f64[0,2,4]", "f64[3,2,2]"),
        sample("f64[2,3,3]", "f64[2,3,2]", padding=((1, 0),)),
    )  # fmt: skip

    def shape(self, *avals: Aval) -> Aval:
        x, kernel = avals
        counts = self.windows(kernel.shape[2:]).counts(x.shape[2:])
        return Aval((x.shape[0], kernel.shape[0], *counts), promote(x, kernel))

    def evaluate(self, *xs: Value) -> Value:
        x, kernel = xs
        warm()
        out_aval = self.shape(aval_of(x), aval_of(kernel))
        if 0 in (x.size, kernel.size, math.prod(out_aval.shape)):
            return np.zeros(out_aval.shape, out_aval.dtype)
        counts, windows = out_aval.shape[2:], self.windows(kernel.shape[2:])
        if are_short(counts, x.shape[1], self.groups):
            return convolved(x, kernel, windows, counts, out_aval.dtype)
        out = np.empty(out_aval.shape, out_aval.dtype)
        rows = by_group(np.ascontiguousarray(kernel), self.groups).astype(out.dtype, copy=False)
        target = out.reshape(len(x), self.groups, -1, math.prod(counts))
        for block, taps in gathered(x, windows, self.groups, counts, out.dtype):
            np.matmul(rows, taps, out=target[block])
        return out

    def transpose(self, i: int, ct: Value, a: Value, b: Value) -> Value:
        if i == 0:
            return ConvolutionByInput(*self.settings(), tuple(a.shape[2:]))(ct, b)
        return ConvolutionByKernel(*self.settings(), tuple(b.shape[2:]))(a, ct)

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        x, kernel = xs
        one = self.shape_of_one(mapped, xs)
        if mapped[0] and mapped[1]:
            out = with_groups(self, size)(into(x, 1), into(kernel, 0))
            return out_of(out, 1, size, one)
        if mapped[0]:
            return out_of(self(into(x, 0), kernel), 0, size, one)
        out = self(x, within_groups(kernel, 0, self.groups))
        return out_of_groups(out, 1, self.groups, size, one)


@primitive
class ConvolutionByInput(Convolving):
    """What of `out` (n, o, *counts) each element of the input receives: (n, c, *sizes).

    The transpose of the convolution with a kernel: each window's element, times the kernel, added
    where the window lies.
    """

    stride: tuple[int, ...] = (1,)
    padding: tuple[tuple[int, int], ...] = ((0, 0),)
    dilation: tuple[int, ...] = (1,)
    groups: int = 1
    sizes: tuple[int, ...] = (1,)
    samples = (
        sample("f64[2,2,4]", "f64[2,3,3]", padding=((1, 0),), sizes=(5,)),
        sample("f64[2,4,2]", "f64[4,2,2]", stride=(2,), dilation=(2,), groups=2, sizes=(6,)),
        sample("c128[1,3,2,3]", "c128[3,2,2,2]", stride=(2, 1), padding=((1, 0), (0, 0)),
               dilation=(1, 1), sizes=(4, 4)),
        sample("f64[1,2,7]", "f64[2,2,1]", padding=((2, 2),), sizes=(3,)),
        sample("f64[1,5,2]", "f64[5,2,2]", padding=((1, 0),), sizes=(2,)),
    )  # fmt: skip

    def shape(self, *avals: Aval) -> Aval:
        out, kernel = avals
        channels = kernel.shape[1] * self.groups
        return Aval((out.shape[0], channels, *self.sizes), promote(out, kernel))

    def evaluate(self, *xs: Value) -> Value:
        out, kernel = xs
        warm()
        aval = self.shape(aval_of(out), aval_of(kernel))
        if 0 in (out.size, kernel.size, math.prod(aval.shape)):
            return np.zeros(aval.shape, aval.dtype)
        if self.groups == 1 and set(self.stride) == {1} and len(kernel) <= 2 * kernel.shape[1]:
            return self.as_convolution(out, kernel)
        rows = by_group(np.ascontiguousarray(kernel), self.groups).astype(aval.dtype, copy=False)
        across = rows.swapaxes(-1, -2)
        sizes = tuple(n + a + b for n, (a, b) in zip(self.sizes, self.padding, strict=True))
        wide = np.zeros((*aval.shape[:2], *sizes), aval.dtype)
        given, places = spread_out(self.windows(kernel.shape[2:]), out, wide)
        given = given.reshape(len(out), self.groups, -1, given.shape[-1])
        size = aval.shape[1] * math.prod(kernel.shape[2:]) * given.shape[-1]
        for block in blocks(len(out), size, aval.dtype):
            taps = np.matmul(across, given[block])
            taps = taps.reshape(len(taps), aval.shape[1], -1, given.shape[-1])
            for k, place in enumerate(places):
                target = place[block]
                target += taps[:, :, k].reshape(target.shape)
        return np.ascontiguousarray(wide[inside(self.sizes, self.padding)])

    def as_convolution(self, out: Value, kernel: Value) -> Value:
        """The same where windows are neighbours: a convolution with the kernel turned round.

        It gathers where the other way scatters, which is quicker unless there is more to gather.
        """
        padding = []
        for n, p, k, d, (before, _) in zip(
            self.sizes, out.shape[2:], kernel.shape[2:], self.dilation, self.padding, strict=True
        ):
            padding.append(((k - 1) * d - before, n - p + before))
        cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(out.shape[2:], padding))
        wider = tuple((max(a, 0), max(b, 0)) for a, b in padding)
        turned = np.flip(kernel, tuple(range(2, kernel.ndim))).swapaxes(0, 1)
        same = Convolution(self.stride, wider, self.dilation)
        return same.evaluate(out[(slice(None), slice(None), *cut)], turned)

    def transpose(self, i: int, ct: Value, a: Value, b: Value) -> Value:
        if i == 0:
            return Convolution(*self.settings())(ct, b)
        return ConvolutionByKernel(*self.settings(), tuple(b.shape[2:]))(ct, a)

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        out, kernel = xs
        one = self.shape_of_one(mapped, xs)
        if mapped[0] and mapped[1]:
            return out_of(with_groups(self, size)(into(out, 1), into(kernel, 0)), 1, size, one)
        if mapped[0]:
            return out_of(self(into(out, 0), kernel), 0, size, one)
        return out_of_groups(self(out, into(kernel, 1)), 1, self.groups, size, one)


@primitive
class ConvolutionByKernel(Convolving):
    """The sum of what each element of a kernel meets: (o, c / groups, *sizes).

    From the input (n, c, *sizes of space) and a weight for each element of the result
    (n, o, *counts), summed over n and the windows.
    """

    stride: tuple[int, ...] = (1,)
    padding: tuple[tuple[int, int], ...] = ((0, 0),)
    dilation: tuple[int, ...] = (1,)
    groups: int = 1
    sizes: tuple[int, ...] = (1,)
    samples = (
        sample("f64[2,3,5]", "f64[2,2,4]", padding=((1, 0),), sizes=(3,)),
        sample("f64[2,4,6]", "f64[2,4,2]", stride=(2,), dilation=(2,), groups=2, sizes=(2,)),
        sample("c128[1,2,4,4]", "c128[1,3,2,3]", stride=(2, 1), padding=((1, 0), (0, 0)),
               dilation=(1, 1), sizes=(2, 2)),
        sample("f64[2,3,3]", "f64[2,2,3]", padding=((1, 0),), sizes=(2,)),
    )  # fmt: skip

    def shape(self, *avals: Aval) -> Aval:
        x, out = avals
        return Aval((out.shape[1], x.shape[1] // max(self.groups, 1), *self.sizes), promote(x, out))

    def evaluate(self, *xs: Value) -> Value:
        x, out = xs
        warm()
        aval = self.shape(aval_of(x), aval_of(out))
        if 0 in (x.size, out.size, math.prod(aval.shape)):
            return np.zeros(aval.shape, aval.dtype)
        counts = out.shape[2:]
        if are_short(counts, x.shape[1], self.groups):
            return by_kernel(x, out, self.windows(self.sizes), aval.dtype)
        flat = np.ascontiguousarray(out).reshape(len(out), self.groups, -1, math.prod(counts))
        total: Value = 0
        for block, taps in gathered(x, self.windows(self.sizes), self.groups, counts, aval.dtype):
            total = total + np.matmul(flat[block], taps.swapaxes(-1, -2)).sum(axis=0)
        return total.reshape(aval.shape)

    def transpose(self, i: int, ct: Value, a: Value, b: Value) -> Value:
        if i == 0:
            return ConvolutionByInput(*self.settings(), tuple(a.shape[2:]))(b, ct)
        return Convolution(*self.settings())(a, ct)

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        x, out = xs
        one = self.shape_of_one(mapped, xs)
        if mapped[0] and mapped[1]:
            return out_of(with_groups(self, size)(into(x, 1), into(out, 1)), 0, size, one)
        if mapped[0]:
            return out_of(self(within_groups(x, 1, self.groups), out), 1, size, one)
        found = self(x, within_groups(out, 1, self.groups))
        return out_of_groups(found, 0, self.groups, size, one)


def with_groups(primitive: Convolving, size: int) -> Convolving:
    """The same with a group for each example's groups."""
    fields = dict(vars(primitive), groups=primitive.groups * size)
    return type(primitive)(**fields)
