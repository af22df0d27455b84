"""The gradient of a convolution by its kernel: sums over images and windows.

Output channels are the lanes of a tile, of a copy of the cotangents of one image; the image is read
element by element, where it lies (`frames.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from ...core.avals import Aval, Dtype, Shape
from ...ops.networks.convolution import ConvolutionByKernel
from ..code import Buffer, Code, row_major
from ..element import Lane, Scalars
from ..pieces import Partial, Share
from .axes import Axis, sizes_of
from .frames import (
    Frame,
    Memory,
    Phase,
    Worker,
    enter,
    in_one_axis,
    nowhere,
    one_of,
    onward,
    part_from,
    room_for,
    share_of,
)
from .loops import clear, copy, counted, nest, offset_of, plus, times
from .numbers import Offset
from .table import kernel
from .tiles import ROWS, pieces, starts, tile, width_of

DEEP = 256  # windows in one panel of cotangents
SUMS = 8  # pieces, which all have sums of their own


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

    def sums(self, out: Buffer) -> Shape:
        """The shape of sums with outputs as lanes."""
        return (self.groups, *out.shape[1:], out.shape[0] // self.groups)

    def room(
        self, x: Buffer, ct: Buffer, dtype: Dtype, memory: Memory
    ) -> tuple[Buffer | None, Buffer]:
        """Where a copy of an image goes that needs one, and cotangents of one image by panels."""
        room = room_for(self.frame, x.shape[1], dtype, memory)
        return room, memory.take((ct.shape[1], math.prod(ct.shape[2:])), dtype)

    def share(self, ct: Buffer, out: Buffer) -> Share | None:
        """How images are shared out; each piece has sums of its own."""
        windows = ct.shape[0] * math.prod(ct.shape[2:])
        return share_of(ct.shape[0], windows * out.size, SUMS)


def gathering_scratch(
    primitive: ConvolutionByKernel, operands: Sequence[Buffer], results: Sequence[Aval]
) -> int:
    """Memory for copies, and for the sums of each piece."""
    primitive, (x, ct, out) = in_one_axis(primitive, (*operands, nowhere(*results)))
    if 0 in (x.size, ct.size, out.size):
        return 0
    memory = Memory()
    seen = Gathering.of(primitive, x, ct, out.dtype)
    memory.take(seen.sums(out), out.dtype)
    share = seen.share(ct, out)
    if share is not None:
        Partial(seen.sums(out), out.dtype, share.count, memory.take)
    seen.room(x, ct, out.dtype, memory)
    return memory.used


@kernel(ConvolutionByKernel, accepts_strides=True, scratch=gathering_scratch, shares=True)
def gather_kernel(
    code: Code,
    primitive: ConvolutionByKernel,
    operands: Sequence[Buffer],
    results: Sequence[Buffer],
    splits: bool,
) -> bool:
    """Image by image, group by group, added up; threads share the images."""
    primitive, (x, ct, out) = in_one_axis(primitive, (*operands[:2], *results))
    if 0 in (x.size, ct.size, out.size):
        clear(code, out)
        return False
    seen = Gathering.of(primitive, x, ct, out.dtype)
    share = seen.share(ct, out) if splits else None
    memory = Memory(code, operands[2:])
    sums = memory.take(seen.sums(out), out.dtype)
    partial = None
    if share is not None:
        partial = Partial(sums.shape, sums.dtype, share.count, memory.take)
    arena = memory.rest
    worker = Worker.of(code, share, x.shape[0], memory)
    own = sums
    if partial is not None:
        own = partial.row(worker.code, "%piece", worker.place(partial.rows))
    rooms = seen.room(x, ct, out.dtype, worker.memory)
    add_images(worker, seen, (worker.place(x), worker.place(ct), own), rooms)
    if share is not None and partial is not None and worker.piece is not None:
        worker.piece.run(share.count, arena, worker.memory.used)
        scalars = Scalars(code)
        partial.combine(scalars, sums, Lane(0, sums.dtype, None, fixed=True), scalars.add)
    with counted(code, seen.groups) as g:
        total = one_of(code, sums, g)
        target = part_from(code, out, times(code, g, sums.shape[-1]))
        shape = (sums.shape[-1], *out.shape[1:])
        copy(code, shape, total, (1, *total.strides[:-1]), target, out.strides)
    return share is not None


def add_images(
    worker: Worker,
    seen: Gathering,
    buffers: tuple[Buffer, Buffer, Buffer],
    rooms: tuple[Buffer | None, Buffer],
) -> None:
    """The sums over the images of one worker."""
    code, (x, ct, sums), (room, panels) = worker.code, buffers, rooms
    if room is not None:
        clear(code, room)
    clear(code, sums)
    first, last = worker.images
    with code.loop(last, first) as n:
        image, given = enter(code, x, seen.frame, n, room), one_of(code, ct, n)
        with counted(code, seen.groups) as g:
            taken = part_from(code, image, times(code, g, sums.shape[1]))
            weights = part_from(code, given, times(code, g, sums.shape[-1]))
            add_image(code, seen, (taken, weights, one_of(code, sums, g)), panels)


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
