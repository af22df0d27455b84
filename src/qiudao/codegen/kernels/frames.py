"""Where the windows of convolutions lie: in an image as it is, or in a copy with its padding.

Along each axis, the places that the taps of all windows read are affine in the window and in the
tap, so no window is gathered.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ...core.avals import Aval, Dtype, Shape
from ...ops.networks.convolution import (
    ConvolutionByInput,
    ConvolutionByKernel,
    Convolving,
)
from ..code import Buffer, Code, Register, row_major
from ..pieces import ALIKE, Piece, Share, number_of
from .loops import copy, offset_of, part_of, times
from .numbers import Offset, size_of

C = TypeVar("C", bound=Convolving)


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

    @property
    def rest(self) -> Register:
        """The address of what is left; none where nothing was asked for."""
        if self.code is None or not self.given:
            return "null"
        return part_of(self.code, self.given[0], self.used)


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


def part_from(code: Code, x: Buffer, index: Offset) -> Buffer:
    """What lies from an index along the first axis on."""
    return x._replace(pointer=part_of(code, x, times(code, index, x.strides[0])))


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


def share_of(images: int, multiplications: int, most: int) -> Share | None:
    """How images are shared out among threads in `most` pieces; None where that is not worth it."""
    pieces = min(number_of(multiplications // ALIKE), images, most)
    share = Share(images, pieces) if pieces > 1 else None
    return share if share is not None and share.count > 1 else None


class Worker(NamedTuple):
    """Where the work on some images is written: in the function around, or in a piece of it."""

    code: Code
    images: tuple[Offset, Offset]
    memory: Memory
    piece: Piece | None = None

    @classmethod
    def of(cls, code: Code, share: Share | None, images: int, memory: Memory) -> Worker:
        """All images here, with what is left of the memory, or those of a piece."""
        if share is None:
            return cls(code, (0, images), memory)
        piece = Piece(code)
        arena = Buffer("%arena", (1,), np.dtype(np.uint8), (1,))
        return cls(piece.code, share.bounds(piece.code), Memory(piece.code, [arena]), piece)

    def place(self, x: Buffer) -> Buffer:
        """An array of the function around, where the work is written."""
        found: Buffer = x if self.piece is None else self.piece.place(x)
        return found
