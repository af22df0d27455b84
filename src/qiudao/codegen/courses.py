"""Which levels of a plan go strip by strip, and how (`strips.py` writes them).

Nests can if they run through their rows in order, and read the rows of each other at fixed
distances.  Consecutive levels of such nests are a *course*; it ends where a sum, a call or an index
array comes.

In strip k, of B rows, a nest does its steps kB - behind to (k + 1)B - behind, as far as it has
them.  Step i writes row i + w of an array, and one that reads row i + r of it must not run ahead:
its behind is at least that of the writer + r - w.

What is read within the course alone needs memory for a strip only: a *window* on the array, from
row kB + `first` on.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..core.node import Equation, Node
from ..core.program import Atom, operands_of
from .maps import Map
from .picks import picks_of
from .plan import LOOPS, Plan, Root

LARGE = 1 << 18  # bytes of the arrays of a course from which strips pay: half of a usual cache
STRIP = 1 << 15  # bytes of a strip of all of them: the innermost cache
FAR = 8  # what part of all rows a nest may stay behind: one that waits for the last row may not
FEWEST = 4  # rows of a strip
EVEN = 64  # rows of which a strip is a multiple, where a row is one number


class Stage(NamedTuple):
    """A nest of a course, and how many rows it stays behind."""

    roots: tuple[Root, ...]
    behind: int

    @property
    def rows(self) -> int:
        return rows_of(self.roots)


class Window(NamedTuple):
    """What is held of an array in strip k: the rows from kB + `first` on, B + `more` of them."""

    first: int
    more: int


class Memory:
    """An array that a course writes; one that is added to in place is the same memory.

    `writes` and `reads` are row - behind, for each nest.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.writes: list[int] = []
        self.reads: list[int] = []

    @property
    def window(self) -> Window:
        first = min((*self.writes, *self.reads))
        return Window(first, max(self.writes) - first)


class Course:
    """Consecutive levels of a plan, from `start` on and before `stop`, that go by strips."""

    def __init__(self, plan: Plan, start: int) -> None:
        self.plan = plan
        self.start = self.stop = start
        self.stages: list[Stage] = []
        self.written: dict[Node, Memory] = {}

    def add(self, roots: Sequence[Root]) -> bool:
        """Take in the next level; False where it cannot go by strips."""
        if not all(r.kind in ("scalar", "map", "region") for r in roots):
            return False
        if any(self.writes(x) for r in roots if r.kind == "scalar" for x, _ in r.reads):
            return False
        stages: list[Stage] = []
        for group in nests_of(roots):
            behind = self.behind(group)
            if behind is None:
                return False
            stages.append(Stage(group, behind))
        if any(FAR * stage.behind > self.most(stages) for stage in stages):
            return False
        for stage in stages:
            self.enter(stage)
        self.stop += 1
        return True

    def writes(self, x: Atom) -> bool:
        """Whether an atom, or the memory that it is a view of, is written in this course."""
        memory = memory_of(self.plan, x)
        return isinstance(memory, Node) and memory in self.written

    def behind(self, group: Sequence[Root]) -> int | None:
        """How far a nest must stay behind; None where it cannot go by strips."""
        if 0 in group[0].space or any(map(is_picked, group)):
            return None
        behind = 0
        for root in group:
            if root.kind == "region":
                whole = self.plan.roots[root.equation]
                copies = whole.kind == "write" and self.writes(whole.base)
                if copies or row_of(root.to, rows_of(group)) is None:
                    return None
            for memory, row in self.reads_of(root, group):
                if memory is None or row is None:
                    return None
                behind = max(behind, *(row - ahead for ahead in memory.writes))
        return behind

    def reads_of(
        self, root: Root, group: Sequence[Root]
    ) -> Iterator[tuple[Memory | None, int | None]]:
        """What a root reads of this course, and the row of step 0; None for what is not by rows."""
        own = {r.equation for r in group if r.kind == "map"}
        reads = [(x, at) for x, at in root.reads if self.writes(x) and x not in own]
        if root.kind == "region":
            whole = self.plan.roots[root.equation]
            if whole.kind == "onto" and self.writes(whole.base):
                reads.append((memory_of(self.plan, whole.base), root.to))
        for x, at in reads:
            yield self.written.get(x), None if at is None else row_of(at, rows_of(group))

    def enter(self, stage: Stage) -> None:
        """Take in a nest."""
        for root in stage.roots:
            for memory, row in self.reads_of(root, stage.roots):
                if memory is not None and row is not None:
                    memory.reads.append(row - stage.behind)
        for root in stage.roots:
            row = (row_of(root.to, stage.rows) or 0) if root.kind == "region" else 0
            self.memory(root).writes.append(row - stage.behind)
        self.stages.append(stage)

    def memory(self, root: Root) -> Memory:
        """Where a root is written."""
        node = root.equation
        if node not in self.written:
            whole = self.plan.roots[node]
            base = memory_of(self.plan, whole.base) if whole.kind == "onto" else None
            known = self.written.get(base) if isinstance(base, Node) else None
            self.written[node] = known or Memory()
            self.written[node].nodes.append(node)
        return self.written[node]

    # Whether and how

    @property
    def roots(self) -> Iterator[Root]:
        return (root for stage in self.stages for root in stage.roots)

    @property
    def rows(self) -> int:
        return self.most(())

    def most(self, more: Sequence[Stage]) -> int:
        """The rows of the longest nest, of some more too."""
        return max(stage.rows for stage in (*self.stages, *more))

    @property
    def total(self) -> int:
        """The bytes of what the nests read and write in memory."""
        found = {x for x in self.written if self.plan.roots[x].stored}
        for root in self.roots:
            found |= {x for x, _ in root.reads if isinstance(x, Node) and x not in self.written}
        return sum(size_of(x) for x in found if x not in self.plan.inlined)

    @functools.cached_property  # read once all levels are there
    def strip(self) -> int:
        """The rows of a strip: twice those that windows take along, at least."""
        taken = [m.window.more for m in self.written.values()]
        most = max((more for more in taken if FAR * more < self.rows), default=0)
        rows = max(STRIP * self.rows // self.total, 2 * most, FEWEST)
        if any(len(stage.roots[0].space) == 1 for stage in self.stages):
            rows = -(-rows // EVEN) * EVEN
        return rows

    @property
    def pays(self) -> bool:
        """Whether nests read of each other what the cache could not hold."""
        memories = self.written.values()
        if self.total < LARGE or not any(m.reads for m in memories):
            return False
        return 2 * self.strip <= self.rows

    def windows(self, last: Mapping[Node, int]) -> dict[Node, Window]:
        """The arrays that are held by windows, given on which level each value is read last."""
        found: dict[Node, Window] = {}
        for memory in dict.fromkeys(self.written.values()):
            is_narrow = memory.reads and 2 * memory.window.more <= self.strip
            if is_narrow and all(self.is_passing(x, last) for x in memory.nodes):
                found.update(dict.fromkeys(memory.nodes, memory.window))
        return found

    def is_passing(self, x: Node, last: Mapping[Node, int]) -> bool:
        """Whether an array is written and read within this course alone, and has its rows."""
        root = self.plan.roots[x]
        return (
            root.kind != "write"
            and root.stored
            and root.start >= self.start
            and last[x] < self.stop
            and len(x.shape) > 0
            and 2 * x.shape[0] > self.rows
            and (root.kind != "onto" or self.writes(root.base))
        )


def courses_of(plan: Plan) -> dict[int, Course]:
    """The courses of a plan that pay, by the level at which they start."""
    found: dict[int, Course] = {}
    if sum(map(size_of, plan.program.equations)) < LARGE:
        return found
    level = 0
    while level < len(plan.levels):
        course = Course(plan, level)
        while course.stop < len(plan.levels) and course.add(plan.levels[course.stop]):
            pass
        if course.stages and course.pays:
            found[level] = course
        level = max(course.stop, level + 1)
    return found


def nests_of(roots: Sequence[Root]) -> list[tuple[Root, ...]]:
    """The roots of a level that share a loop nest each; nests of their own come last."""
    groups: dict[object, list[Root]] = {}
    for root in roots:
        if root.kind in LOOPS:
            groups.setdefault(root.nest, []).append(root)
    return sorted(map(tuple, groups.values()), key=lambda group: group[0].apart)


def rows_of(group: Sequence[Root]) -> int:
    """The rows that a nest runs through; a single number is one."""
    space = group[0].space
    return space[0] if space else 1


def row_of(at: Map, rows: int) -> int | None:
    """The row that step 0 reads or writes; None where step k is not at the k-th from there."""
    if not at:
        return None
    first = at[0]
    in_order = first.loop == 0 and first.step == 1
    return first.offset if in_order or (rows == 1 and first.loop == -1) else None


def memory_of(plan: Plan, x: Atom) -> Atom:
    """What an atom is a view of, if it is one."""
    while isinstance(x, Equation) and x in plan.aliases:
        (x,) = operands_of(x)
    return x


def size_of(x: Node) -> int:
    """The bytes of a value."""
    return 0 if x.is_several else math.prod(x.shape) * x.dtype.itemsize


def is_picked(root: Root) -> bool:
    """Whether a root reads or writes at index arrays."""
    maps = [root.to, *(at for _, at in root.reads if at is not None)]
    return any(True for at in maps for _ in picks_of(at))
