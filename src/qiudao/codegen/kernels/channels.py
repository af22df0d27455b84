"""Convolutions over channels, by tiles of the result that stay in registers while their sums run.

No window is gathered: along each axis, the places that the taps of all windows read are affine in
the window and in the tap, so a tile reads the image as it lies, or a copy of one image with its
padding.  The lanes of a tile are neighbours in the result.  Where they are not neighbours in the
image too (a stride), or few, the output channels are the lanes instead, of a copy of the kernel.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from ...core.avals import Aval, Dtype, Shape
from ...ops.networks.convolution import (
    Convolution,
    ConvolutionByInput,
    ConvolutionByKernel,
    Convolving,
)
from ..code import Buffer, Code, row_major
from .axes import Axis, sizes_of
from .loops import clear, copy, counted, nest, offset_of, part_of, plus, times
from .numbers import Offset, nothing, size_of, store
from .table import kernel
from .tiles import ROWS, pieces, starts, tile, width_of

C = TypeVar("C", bound=Convolving)

FEW = 8  # lanes along an axis of space below which output channels do better
MANY = 16  # output channels that do better than lanes along space of which some stay empty ...
LONG = 32  # ... in sums of this length
DEEP = 256  # windows in one panel of cotangents


class Phase(NamedTuple):
    """Along one axis: results that the same taps reach, `step` apart.

    Result `first + m * step` reads the place `base + m * stride + j * reach` with the tap
    `tap + j * apart`, for `size` results and `taps` taps.
    """

    first: int
    step: int
    size: int
    base: int
    stride: int
    reach: int
    tap: int
    apart: int
    taps: int

    @property
    def ends(self) -> tuple[int, int]:
        """The least and the largest place that is read."""
        if not self.taps:
            return 0, 0
        ways = (0, (self.taps - 1) * self.reach)
        last = self.base + (self.size - 1) * self.stride
        return self.base + min(ways), last + max(ways)


def onward(count: int, length: int, stride: int, before: int, dilation: int) -> list[Phase]:
    """Windows of an input: all read with all taps."""
    return [Phase(0, 1, count, -before, stride, dilation, 0, 1, length)]


def back(size: int, length: int, stride: int, before: int, dilation: int) -> list[Phase]:
    """Places of an input: those that are alike modulo the stride are met by the same taps."""
    found = []
    apart = stride // math.gcd(stride, dilation)
    for first in range(min(stride, size)):
        count = -(-(size - first) // stride)
        tap = next((k for k in range(min(apart, length))
                    if (first + before - k * dilation) % stride == 0), None)  # fmt: skip
        if tap is None:
            found.append(Phase(first, stride, count, 0, 1, 0, 0, 1, 0))
            continue
        base = (first + before - tap * dilation) // stride
        reach = -(apart * dilation // stride)
        taps = -(-(length - tap) // apart)
        found.append(Phase(first, stride, count, base, 1, reach, tap, apart, taps))
    return found


class Frame(NamedTuple):
    """An image with room around it: how much before each axis, and all of its sizes."""

    before: Shape
    sizes: Shape
    is_copy: bool

    @classmethod
    def around(cls, x: Buffer, phases: Sequence[Sequence[Phase]], dtype: Dtype) -> Frame:
        """What holds all places that are read of an image `x` (batch, channels, *space)."""
        before, sizes = [], []
        for n, axis in zip(x.shape[2:], phases, strict=True):
            low = min(0, *(p.ends[0] for p in axis))
            high = max(n - 1, *(p.ends[1] for p in axis))
            before.append(-low)
            sizes.append(high + 1 - low)
        grows = tuple(sizes) != tuple(x.shape[2:])
        return cls(tuple(before), tuple(sizes), grows or x.strides[-1] != 1 or x.dtype != dtype)


class Memory:
    """Scratch handed out array by array, or only counted."""

    def __init__(self, code: Code | None = None, given: Sequence[Buffer] = ()) -> None:
        self.code = code
        self.given = given
        self.used = 0

    def take(self, shape: Shape, dtype: Dtype) -> Buffer:
        """A row-major array."""
        pointer = ""
        if self.code is not None:
            pointer = part_of(self.code, self.given[0], self.used)
        self.used += size_of(shape, dtype)
        return Buffer(pointer, shape, dtype, row_major(shape))


def room_for(frame: Frame, channels: int, dtype: Dtype, memory: Memory) -> Buffer | None:
    """Where copies of single images go; None where none are needed."""
    return memory.take((channels, *frame.sizes), dtype) if frame.is_copy else None


def enter(code: Code, x: Buffer, frame: Frame, image: Offset, room: Buffer | None) -> Buffer:
    """One image (channels, *space): what is there, or in `room` a copy with zeros around it."""
    own = one_of(code, x, image)
    if room is None:
        return own
    inner = offset_of(code, frame.before, room.strides[1:])
    target = room._replace(pointer=part_of(code, room, inner))
    copy(code, own.shape, own, own.strides, target, target.strides)
    return room


def one_of(code: Code, x: Buffer, index: Offset) -> Buffer:
    """An element along the first axis."""
    pointer = part_of(code, x, times(code, index, x.strides[0]))
    return Buffer(pointer, x.shape[1:], x.dtype, x.strides[1:])


def swept(
    code: Code,
    buffers: tuple[Buffer, Buffer, Buffer],
    start: Sequence[Offset],
    outer: Sequence[Axis],
    block: Axis,
    lanes: Axis,
    summed: Sequence[Axis],
) -> None:
    """All tiles of a contraction: `ROWS` of the block by some vectors of lanes."""
    with nest(code, sizes_of(outer)) as indices:
        own = [plus(code, x, y) for x, y in zip(start, starts(code, indices, outer), strict=True)]
        for first, height in pieces(code, block, min(ROWS, block.size), own):
            for place, count in pieces(code, lanes, width_of(buffers[2].dtype), first):
                tile(code, buffers, place, (block, height), (lanes, count), summed)


def nowhere(x: Aval) -> Buffer:
    """A row-major array of which only the form matters."""
    return Buffer("", x.shape, x.dtype, row_major(x.shape))


def in_one_axis(primitive: C, xs: Sequence[Buffer]) -> tuple[C, list[Buffer]]:
    """The same over one axis of space, where windows are single elements and images lie in order.

    So the lanes of a tile go on from row to row.
    """
    count = len(primitive.stride)
    alone = all(
        s == 1 and p == (0, 0) for s, p in zip(primitive.stride, primitive.padding, strict=True)
    )
    lengths = {x.shape[2:] for x in xs} - {(1,) * count}
    if count == 1 or not alone or len(lengths) != 1 or not all(map(is_in_order, xs)):
        return primitive, list(xs)
    fields: dict[str, Any] = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,)}
    if isinstance(primitive, ConvolutionByInput | ConvolutionByKernel):
        fields["sizes"] = (math.prod(primitive.sizes),)
    made = type(primitive)(**(vars(primitive) | fields))
    return made, [
        x._replace(shape=(*x.shape[:2], math.prod(x.shape[2:])),
                   strides=(*x.strides[:2], x.strides[-1]))
        for x in xs
    ]  # fmt: skip


def is_in_order(x: Buffer) -> bool:
    """Whether elements in space follow each other at one distance."""
    return all(
        x.strides[k] == x.shape[k + 1] * x.strides[k + 1] for k in range(2, len(x.shape) - 1)
    )


# Images from images


class Correlation(NamedTuple):
    """A convolution, or its transpose by the input: images from images and a kernel.

    The kernel is seen as (groups, outputs, inputs, *taps), in this order of its strides.
    """

    phases: list[list[Phase]]
    frame: Frame
    kernel: Buffer
    in_channels: bool  # whether output channels are the lanes

    @classmethod
    def of(
        cls, primitive: Convolution | ConvolutionByInput, x: Buffer, kernel: Buffer, out: Buffer
    ) -> Correlation:
        groups = primitive.groups
        is_back = isinstance(primitive, ConvolutionByInput)
        phases = [
            (back if is_back else onward)(n, k, s, before, d)
            for n, k, s, (before, _), d in zip(
                out.shape[2:], kernel.shape[2:], primitive.stride, primitive.padding,
                primitive.dilation, strict=True,
            )
        ]  # fmt: skip
        own = kernel.shape[0] // groups
        (across, along), taps = kernel.strides[:2], kernel.strides[2:]
        shape = (own, kernel.shape[1])
        steps = (across, along)
        if is_back:
            shape, steps = shape[::-1], steps[::-1]
        seen = Buffer(
            kernel.pointer, (groups, *shape, *kernel.shape[2:]), kernel.dtype,
            (own * across, *steps, *taps),
        )  # fmt: skip
        last = max(phases[-1], key=lambda p: p.size)
        length = seen.shape[2] * math.prod(max(p.taps for p in axis) for axis in phases)
        apart = last.stride > 1 or last.size < FEW
        ragged = last.size % width_of(out.dtype) != 0 and shape[0] >= MANY and length >= LONG
        in_channels = shape[0] >= FEW and (apart or ragged)
        return cls(phases, Frame.around(x, phases, out.dtype), seen, in_channels)

    @property
    def together(self) -> list[tuple[Phase, ...]]:
        """A phase along each axis, in all ways."""
        return list(itertools.product(*self.phases))

    def memory(self, channels: int, dtype: Dtype, memory: Memory) -> tuple[Buffer | None, ...]:
        """A copy of an image, of the kernel with outputs as lanes, and of results; or None."""
        room = room_for(self.frame, channels, dtype, memory)
        _, outputs, inputs, *taps = self.kernel.shape
        counts = tuple(max(p.size for p in axis) for axis in self.phases)
        turned = results = None
        if self.in_channels:
            turned = memory.take((self.kernel.shape[0], inputs, *taps, outputs), dtype)
        if self.in_channels or any(p.step > 1 for p in self.phases[-1]):
            results = memory.take((outputs, *counts), dtype)
        return room, turned, results


def correlation_scratch(
    primitive: Convolution | ConvolutionByInput,
    operands: Sequence[Buffer],
    results: Sequence[Aval],
) -> int:
    """Memory for copies."""
    primitive, (x, kernel, out) = in_one_axis(primitive, (*operands, nowhere(*results)))
    if 0 in (x.size, kernel.size, out.size):
        return 0
    memory = Memory()
    Correlation.of(primitive, x, kernel, out).memory(x.shape[1], out.dtype, memory)
    return memory.used


@kernel(Convolution, ConvolutionByInput, accepts_strides=True, scratch=correlation_scratch)
def correlate(
    code: Code,
    primitive: Convolution | ConvolutionByInput,
    operands: Sequence[Buffer],
    results: Sequence[Buffer],
) -> None:
    """Image by image, group by group, phase by phase."""
    primitive, (x, kernel, out) = in_one_axis(primitive, (*operands[:2], *results))
    given = operands[2:]
    if 0 in (x.size, kernel.size, out.size):
        clear(code, out)
        return
    seen = Correlation.of(primitive, x, kernel, out)
    room, turned, part = seen.memory(x.shape[1], out.dtype, Memory(code, given))
    if room is not None:
        clear(code, room)
    if turned is not None:
        seen = seen._replace(kernel=turn(code, seen.kernel, turned))
    groups, outputs, inputs = seen.kernel.shape[:3]
    with counted(code, x.shape[0]) as n:
        image, result = enter(code, x, seen.frame, n, room), one_of(code, out, n)
        with counted(code, groups) as g:
            taken = part_from(code, image, times(code, g, inputs))
            made = part_from(code, result, times(code, g, outputs))
            for phases in seen.together:
                write_phase(code, seen, phases, (taken, one_of(code, seen.kernel, g), made), part)


def part_from(code: Code, x: Buffer, index: Offset) -> Buffer:
    """What lies from an index along the first axis on."""
    return x._replace(pointer=part_of(code, x, times(code, index, x.strides[0])))


def turn(code: Code, kernel: Buffer, turned: Buffer) -> Buffer:
    """A copy of a kernel in which the outputs are neighbours, seen as the kernel is."""
    groups, outputs, inputs, *taps = turned.strides[0], turned.strides[-1], *turned.strides[1:-1]
    seen = turned._replace(shape=kernel.shape, strides=(groups, outputs, inputs, *taps))
    copy(code, kernel.shape, kernel, kernel.strides, seen, seen.strides)
    return seen


def write_phase(
    code: Code,
    seen: Correlation,
    phases: Sequence[Phase],
    buffers: tuple[Buffer, Buffer, Buffer],
    part: Buffer | None,
) -> None:
    """The results that the same taps reach, of one image and group."""
    image, kernel, out = buffers
    outputs, inputs = kernel.shape[:2]
    counts = tuple(p.size for p in phases)
    first = offset_of(code, [p.first for p in phases], out.strides[1:])
    target = out._replace(pointer=part_of(code, out, first))
    steps = (out.strides[0], *(p.step * s for p, s in zip(phases, out.strides[1:], strict=True)))
    if any(p.taps == 0 for p in phases):
        with nest(code, (outputs, *counts)) as indices:
            store(code, nothing(out.dtype), target, offset_of(code, indices, steps))
        return
    made = steps
    if part is not None:
        made = row_major((outputs, *counts))
        if seen.in_channels:
            made = (1, *row_major((*counts, outputs))[:-1])
    reads = [b + p.base for b, p in zip(seen.frame.before, phases, strict=True)]
    start: list[Offset] = [
        offset_of(code, reads, image.strides[1:]),
        offset_of(code, [p.tap for p in phases], kernel.strides[2:]),
        0,
    ]
    space = [
        Axis(p.size, p.stride * a, 0, o)
        for p, a, o in zip(phases, image.strides[1:], made[1:], strict=True)
    ]
    summed = [
        Axis(inputs, image.strides[0], kernel.strides[1], 0, True),
        *(
            Axis(p.taps, p.reach * a, p.apart * b, 0, True)
            for p, a, b in zip(phases, image.strides[1:], kernel.strides[2:], strict=True)
        ),
    ]
    channels = Axis(outputs, 0, kernel.strides[0], made[0])
    block, lanes = (space[-1], channels) if seen.in_channels else (channels, space[-1])
    swept(code, (image, kernel, target if part is None else part), start, space[:-1], block, lanes,
          summed)  # fmt: skip
    if part is not None:
        copy(code, (outputs, *counts), part, made, target, steps)


# Kernels from images


class Gathering(NamedTuple):
    """The transpose by the kernel: a sum over images and windows, outputs as the lanes."""

    phases: list[list[Phase]]
    frame: Frame
    groups: int

    @classmethod
    def of(cls, primitive: ConvolutionByKernel, x: Buffer, ct: Buffer, dtype: Dtype) -> Gathering:
        phases = [
            onward(count, k, s, before, d)
            for count, k, s, (before, _), d in zip(
                ct.shape[2:], primitive.sizes, primitive.stride, primitive.padding,
                primitive.dilation, strict=True,
            )
        ]  # fmt: skip
        return cls(phases, Frame.around(x, phases, dtype), primitive.groups)

    def memory(
        self, x: Buffer, ct: Buffer, out: Buffer, memory: Memory
    ) -> tuple[Buffer | None, Buffer, Buffer]:
        """A copy of an image, cotangents of one image by panels, and sums with outputs as lanes."""
        room = room_for(self.frame, x.shape[1], out.dtype, memory)
        panels = memory.take((ct.shape[1], math.prod(ct.shape[2:])), out.dtype)
        own = out.shape[0] // self.groups
        sums = memory.take((self.groups, *out.shape[1:], own), out.dtype)
        return room, panels, sums


def gathering_scratch(
    primitive: ConvolutionByKernel, operands: Sequence[Buffer], results: Sequence[Aval]
) -> int:
    """Memory for copies."""
    primitive, (x, ct, out) = in_one_axis(primitive, (*operands, nowhere(*results)))
    if 0 in (x.size, ct.size, out.size):
        return 0
    memory = Memory()
    Gathering.of(primitive, x, ct, out.dtype).memory(x, ct, out, memory)
    return memory.used


@kernel(ConvolutionByKernel, accepts_strides=True, scratch=gathering_scratch)
def gather_kernel(
    code: Code,
    primitive: ConvolutionByKernel,
    operands: Sequence[Buffer],
    results: Sequence[Buffer],
) -> None:
    """Image by image, group by group, added up."""
    primitive, (x, ct, out) = in_one_axis(primitive, (*operands[:2], *results))
    given = operands[2:]
    if 0 in (x.size, ct.size, out.size):
        clear(code, out)
        return
    seen = Gathering.of(primitive, x, ct, out.dtype)
    room, panels, sums = seen.memory(x, ct, out, Memory(code, given))
    if room is not None:
        clear(code, room)
    clear(code, sums)
    inputs, own = out.shape[1], out.shape[0] // seen.groups
    with counted(code, x.shape[0]) as n:
        image, given_ct = enter(code, x, seen.frame, n, room), one_of(code, ct, n)
        with counted(code, seen.groups) as g:
            taken = part_from(code, image, times(code, g, inputs))
            weights = part_from(code, given_ct, times(code, g, own))
            add_image(code, seen, (taken, weights, one_of(code, sums, g)), panels)
    with counted(code, seen.groups) as g:
        total, target = one_of(code, sums, g), part_from(code, out, times(code, g, own))
        copy(code, (own, *out.shape[1:]), total, (1, *total.strides[:-1]), target, out.strides)


def add_image(
    code: Code, seen: Gathering, buffers: tuple[Buffer, Buffer, Buffer], panels: Buffer
) -> None:
    """Add what one image and group give, panel of outputs by panel, some windows at a time."""
    image, ct, sums = buffers
    own, counts = sums.shape[-1], ct.shape[1:]
    total = math.prod(counts)
    phases = [axis[0] for axis in seen.phases]
    inside = row_major(counts)
    reads = [b + p.base for b, p in zip(seen.frame.before, phases, strict=True)]
    begin: list[Offset] = [offset_of(code, reads, image.strides[1:]), 0, 0]
    channels = Axis(own, 0, 0, 1)
    taps = [
        Axis(sums.shape[0], image.strides[0], 0, sums.strides[0]),
        *(
            Axis(p.taps, p.reach * a, 0, o)
            for p, a, o in zip(phases, image.strides[1:], sums.strides[1:-1], strict=True)
        ),
    ]
    block = max(taps, key=lambda axis: axis.size)
    outer = [axis for axis in taps if axis is not block]
    for at, width in pieces(code, channels, width_of(sums.dtype), begin):
        source = part_from(code, ct, at[2])
        fill_panel(code, source, (*counts, width), panels)
        windows = [
            Axis(n, p.stride * a, s * width, 0, True)
            for n, p, a, s in zip(counts, phases, image.strides[1:], inside, strict=True)
        ]
        rows = max(DEEP * counts[0] // total, 1)
        for chunk, some in pieces(code, windows[0], min(rows, counts[0]), at):
            summed = [windows[0]._replace(size=some), *windows[1:]]
            with nest(code, sizes_of(outer)) as indices:
                moved = starts(code, indices, outer)
                here = [plus(code, p, q) for p, q in zip(chunk, moved, strict=True)]
                for place, height in pieces(code, block, min(ROWS, block.size), here):
                    tile(code, (image, panels, sums), place, (block, height),
                         (channels._replace(b=1), width), summed, adds=True)  # fmt: skip


def fill_panel(code: Code, ct: Buffer, shape: Shape, panel: Buffer) -> None:
    """Copy the cotangents of some outputs (outputs, *windows) so that outputs are neighbours."""
    strides = row_major(shape)
    copy(code, shape, ct, (*ct.strides[1:], ct.strides[0]), panel, strides)
