"""Convolutions over channels, by tiles of the result that stay in registers while their sums run.

A tile reads the image as it lies (`frames.py`).  The lanes of a tile are neighbours in the result.
Where they are not neighbours in the image too (a stride), or few, the output channels are the lanes
instead, of a copy of the kernel.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from ...core.avals import Aval, Dtype
from ...ops.networks.convolution import Convolution, ConvolutionByInput
from ..code import Buffer, Code, row_major
from .axes import Axis, sizes_of
from .frames import (
    Frame,
    Memory,
    Phase,
    Worker,
    back,
    enter,
    in_one_axis,
    nowhere,
    one_of,
    onward,
    part_from,
    room_for,
    share_of,
)
from .loops import clear, copy, counted, nest, offset_of, part_of, plus, times
from .numbers import Offset, nothing, store
from .table import kernel
from .tiles import ROWS, pieces, starts, tile, width_of

FEW = 8  # lanes along an axis of space below which output channels do better
MANY = 16  # output channels that do better than lanes along space of which some stay empty ...
LONG = 32  # ... in sums of this length


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

    @property
    def multiplications(self) -> int:
        """Of one image, about."""
        counts = math.prod(sum(p.size * p.taps for p in axis) for axis in self.phases)
        return math.prod(self.kernel.shape[:3]) * counts

    def turned(self, dtype: Dtype, memory: Memory) -> Buffer | None:
        """Where a copy of the kernel with outputs as lanes goes; None where they are not."""
        groups, outputs, inputs, *taps = self.kernel.shape
        return memory.take((groups, inputs, *taps, outputs), dtype) if self.in_channels else None

    def room(
        self, channels: int, dtype: Dtype, memory: Memory
    ) -> tuple[Buffer | None, Buffer | None]:
        """Where copies of an image, and of results, go that need them."""
        room = room_for(self.frame, channels, dtype, memory)
        if not self.in_channels and all(p.step == 1 for p in self.phases[-1]):
            return room, None
        counts = tuple(max(p.size for p in axis) for axis in self.phases)
        return room, memory.take((self.kernel.shape[1], *counts), dtype)


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
    seen = Correlation.of(primitive, x, kernel, out)
    seen.turned(out.dtype, memory)
    seen.room(x.shape[1], out.dtype, memory)
    return memory.used


@kernel(
    Convolution, ConvolutionByInput, accepts_strides=True, scratch=correlation_scratch, shares=True
)
def correlate(
    code: Code,
    primitive: Convolution | ConvolutionByInput,
    operands: Sequence[Buffer],
    results: Sequence[Buffer],
    splits: bool,
) -> bool:
    """Image by image, group by group, phase by phase; threads share the images."""
    primitive, (x, kernel, out) = in_one_axis(primitive, (*operands[:2], *results))
    if 0 in (x.size, kernel.size, out.size):
        clear(code, out)
        return False
    seen = Correlation.of(primitive, x, kernel, out)
    count = x.shape[0]
    share = share_of(count, count * seen.multiplications, count) if splits else None
    memory = Memory(code, operands[2:])
    turned = seen.turned(out.dtype, memory)
    if turned is not None:
        seen = seen._replace(kernel=turn(code, seen.kernel, turned))
    arena = memory.rest
    worker = Worker.of(code, share, count, memory)
    room, part = seen.room(x.shape[1], out.dtype, worker.memory)
    correlate_images(worker, seen, worker.place(x), worker.place(out), (room, part))
    if share is not None and worker.piece is not None:
        worker.piece.run(share.count, arena, worker.memory.used)
    return share is not None


def correlate_images(
    worker: Worker,
    seen: Correlation,
    x: Buffer,
    out: Buffer,
    memory: tuple[Buffer | None, Buffer | None],
) -> None:
    """The images of one worker."""
    code, (room, part) = worker.code, memory
    kernel = worker.place(seen.kernel)
    groups, outputs, inputs = kernel.shape[:3]
    if room is not None:
        clear(code, room)
    first, last = worker.images
    with code.loop(last, first) as n:
        image, result = enter(code, x, seen.frame, n, room), one_of(code, out, n)
        with counted(code, groups) as g:
            taken = part_from(code, image, times(code, g, inputs))
            made = part_from(code, result, times(code, g, outputs))
            for phases in seen.together:
                write_phase(code, seen, phases, (taken, one_of(code, kernel, g), made), part)


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
