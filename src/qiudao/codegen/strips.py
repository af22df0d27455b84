"""Loop nests one after the other, strip by strip, where their arrays do not fit into the cache.

    a = x * y            for each strip of rows:
    b = a[1:] - a[:-1]       its rows of a
    c = sin(b)               its rows of b, then of c

What one nest has written of a strip is in the cache still when the next reads it, and a and b need
memory for one strip only.  Every element is computed once, and as it would be nest after nest.
Code made for several threads goes nest after nest, for these share out the rows of each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ..core.node import Node
from .code import Buffer, Code, Register, row_major
from .courses import Course, Memory, Stage, Window, memory_of
from .nest import Nest
from .pieces import may_split
from .pool import get_num_threads

if TYPE_CHECKING:
    from .scope import Scope


def write_course(scope: Scope, course: Course) -> bool:
    """Write the levels of a course; False where they must be written one after the other."""
    shared = scope.function.splits and get_num_threads() > 1
    if (shared and any(may_split(stage.roots) for stage in course.stages)) or overwrites(
        scope, course
    ):
        return False
    windows = course.windows(scope.last)
    for root in course.roots:  # views are found here, before the loop
        for x, _ in root.reads:
            scope.held(x)
    prepare(scope, course, windows)
    write_strips(scope, course, windows)
    return True


def overwrites(scope: Scope, course: Course) -> bool:
    """Whether a nest writes where what was there before is still to be read."""
    written = {scope.wanted[x].pointer for x in course.written if x in scope.wanted}
    read = {x for root in course.roots for x, _ in root.reads if isinstance(x, Node)}
    places = [scope.held(memory_of(course.plan, x)) for x in read if not course.writes(x)]
    return any(isinstance(place, Buffer) and place.pointer in written for place in places)


def prepare(scope: Scope, course: Course, windows: Collection[Node]) -> None:
    """Scalars, and what stands in arrays that are held as a whole before the nests."""
    for level in range(course.start, course.stop):
        for root in scope.plan.levels[level]:
            if root.kind == "scalar":
                scope.write_scalar(root)
            elif root.kind == "map" and root.equation not in windows:
                scope.target(root)
        for root in scope.starting.get(level, ()):
            if root.equation not in windows:
                scope.prepare(root)


def write_strips(scope: Scope, course: Course, windows: Mapping[Node, Window]) -> None:
    """All strips, and in each the nests in turn."""
    code, strip, stages = scope.code, course.strip, course.stages
    memories = dict.fromkeys(course.written[x] for x in windows)
    panes = [Pane(scope, memory, strip) for memory in memories]
    starts: dict[Register, Register] = {}
    nests = [Nest(code, stage.roots, scope.held, scope.target, starts) for stage in stages]
    count = max(-(-(stage.rows + stage.behind) // strip) for stage in stages)
    with code.loop(count, hint="strip") as k:
        start = code.op(f"mul nsw i64 {k}, {strip}")
        for pane in panes:
            pane.move(scope)
            starts[pane.buffer.pointer] = code.op(f"add nsw i64 {start}, {pane.window.first}")
        for stage, nest in zip(stages, nests, strict=True):
            first, last = bounds(code, start, strip, stage)
            if stage.rows > 1:
                nest.write((first, last))
                continue
            with code.when(code.op(f"icmp slt i64 {first}, {last}")):
                nest.write()
    for x in windows:
        del scope.places[x]


class Pane:
    """The memory of a window."""

    def __init__(self, scope: Scope, memory: Memory, strip: int) -> None:
        self.window = memory.window
        self.strip = strip
        x = memory.nodes[0]
        shape = (strip + self.window.more, *x.shape[1:])
        buffer = scope.new_buffer(shape, x.dtype, max(memory.nodes, key=scope.last.__getitem__))
        self.buffer = buffer._replace(strides=row_major(shape))
        self.is_filled = scope.plan.roots[x].kind == "place"
        if self.is_filled:
            scope.fill(self.buffer)
        for node in memory.nodes:
            scope.places[node] = self.buffer

    def move(self, scope: Scope) -> None:
        """Go on to the next strip: the last rows become the first."""
        more = self.window.more
        if more:
            scope.copy(self.part(scope, self.strip, more), self.part(scope, 0, more))
        if self.is_filled:
            scope.fill(self.part(scope, more, self.strip))

    def part(self, scope: Scope, start: int, count: int) -> Buffer:
        """So many rows from one on."""
        pointer = scope.code.address(self.buffer, start * self.buffer.strides[0])
        return self.buffer._replace(pointer=pointer, shape=(count, *self.buffer.shape[1:]))


def bounds(code: Code, start: Register, strip: int, stage: Stage) -> tuple[Register, Register]:
    """The first row of a nest in a strip, and the one after its last."""
    for name in ("smin", "smax"):
        code.module.declare(f"@llvm.{name}.i64", f"declare i64 @llvm.{name}.i64(i64, i64)")
    first = code.op(f"sub nsw i64 {start}, {stage.behind}")
    last = code.op(f"add nsw i64 {first}, {strip}")
    return (
        code.op(f"call i64 @llvm.smax.i64(i64 {first}, i64 0)"),
        code.op(f"call i64 @llvm.smin.i64(i64 {last}, i64 {stage.rows})"),
    )
