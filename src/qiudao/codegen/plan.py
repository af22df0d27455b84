"""What is computed where: which equations become loops, which loops are one, and in what order.

Each equation of a program is one of

* a *scalar*: one number, held in a register from where it is computed;
* *inlined*: computed for each element where its one reader wants it, and never stored;
* a *view*: another way to index what it views;
* a *root*: stored. Its kind says how: "map" (a loop over its elements), "reduce", "place" (zeros
  with a region written), "scatter" (zeros, added to at index arrays), "write" (a copy with a region
  written), "join" (several regions), "onto" (a region added to), or "call" (a kernel, a loop of
  control flow: anything not fused).  The regions are roots of kind "region", each a loop nest.

`Plan.levels` has the roots in order.  What is on one level depends on earlier levels only, but for
maps over the same space that read each other at the same index: those share a loop nest, in which
a value stays in its register.  What adds at index arrays keeps a loop from being vectorised, since
steps may meet, so beside long computations it has a nest of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ..core.avals import Shape, aval_of
from ..core.families import Elementwise
from ..core.node import Equation, Node
from ..core.parts import Part
from ..core.program import Atom, Program, operands_of
from ..ops.arithmetic import Add
from ..ops.indexing import GetItem, Place
from ..ops.reducing import Max, Min, Prod, Sum, Truth
from ..ops.shaping import Cast, Concatenate, Stretch
from ..ops.writing import SetItem
from .element import BINARY_MATH, UNARY_MATH
from .maps import VIEWS, Map, broadcast, identity, through
from .picks import ADDS, READS, adds, covers, limits, picks_of, reads

NUMBERS = (Elementwise, Cast, *READS)  # what makes one number of numbers
LOOPS = ("map", "reduce", "region")
REDUCTIONS = (Sum, Prod, Max, Min, Truth)
CHEAP = {
    "add", "subtract", "multiply", "negative", "where", "step", "cast", "weigh", "square",
    "absolute", "maximum", "minimum", "stopgradient", "real", "imag", "conjugate",
}  # fmt: skip
LONG = 24  # operations of a step that are better done as vectors
LARGE = 1 << 15  # steps of a loop that may be done in pieces, by several threads

LIGHT = 3
SMALL = 8  # how many times smaller an array is that is read at no cost


class Root:
    """An equation whose value is stored, or a region of one, or a scalar.

    `reads` are the atoms that its loops read, with the maps; None for a map: read as a whole.
    """

    __slots__ = (
        "adds", "apart", "base", "equation", "kind", "level", "reads", "regions", "source", "space",
        "start", "stored", "to",
    )  # fmt: skip

    def __init__(self, equation: Equation, kind: str, space: Shape) -> None:
        self.equation = equation
        self.kind = kind
        self.space = space
        self.level = 0
        self.start = 0  # the level before which nothing is written
        self.reads: list[tuple[Atom, Map | None]] = []
        self.regions: list[Root] = []
        self.base: Atom = None  # of "write" and "onto": what is there before the region
        self.source: Atom = None  # of a region: what is written
        self.to: Map = ()  # of a region: where
        self.adds = False  # of a region: added to what is there
        self.apart = False  # in a nest of its own, after the other of its level
        self.stored = True

    @property
    def scatters(self) -> bool:
        """Whether steps of its loop may add to the same element."""
        return any(True for _ in picks_of(self.to))

    @property
    def nest(self) -> tuple[Shape, bool]:
        """Equal for the roots of one level that share a loop nest."""
        return self.space, self.apart

    def __repr__(self) -> str:
        return f"{self.kind} {self.equation!r} over {self.space} on level {self.level}"


Demand = tuple[Root, "Map | None"]


class Plan:
    """The roots of a program, by equation and by level; `inlined` is what has no root."""

    def __init__(self, program: Program, lowerable: Callable[[Equation], bool]) -> None:
        self.program = program
        self.lowerable = lowerable
        self.roots: dict[Node, Root] = {}
        self.inlined: dict[Node, Equation] = {}
        self.aliases: set[Node] = set()  # views that are read as the memory that they show
        self.apart: set[Node] = set()  # what is added at index arrays: never inlined there
        self.demands: dict[Node, list[Demand]] = {e: [] for e in program.equations}
        self.outputs = {y for y in program.outputs if isinstance(y, Node)}
        self.whole: set[Node] = set(self.outputs)
        self.uses: dict[Node, int] = {}
        for equation in program.equations:
            for x in operands_of(equation):
                if isinstance(x, Node):
                    self.uses[x] = self.uses.get(x, 0) + 1
        for equation in reversed(program.equations):
            self.decide(equation)
        self.order()

    # From the last equation to the first: who reads it, and so how it is computed

    def decide(self, equation: Equation) -> None:
        """Choose how an equation is computed, and pass its demands on to its operands."""
        if equation in self.inlined:  # in what adds it to a region
            return
        primitive = equation.primitive
        operands = operands_of(equation)
        if isinstance(primitive, Part) or equation.is_several or not self.lowerable(equation):
            self.call(equation)
        elif equation.shape == () and isinstance(primitive, NUMBERS):
            self.scalar(equation)
        elif isinstance(primitive, REDUCTIONS):
            self.reduction(equation)
        elif isinstance(primitive, VIEWS):
            self.view(equation)
        elif isinstance(primitive, ADDS):
            self.writing(equation, "scatter", None, [(operands[0], adds(equation))])
        elif isinstance(primitive, Place):
            region = through(GetItem(primitive.index), identity(aval_of(operands[0]).shape),
                             equation.shape, aval_of(operands[0]).shape)  # fmt: skip
            self.writing(equation, "place", None, [(operands[0], region or ())])
        elif isinstance(primitive, SetItem):
            shape = indexed_shape(primitive.index, equation.shape)
            if len(aval_of(operands[1]).shape) > len(shape):
                self.call(equation)  # NumPy lets unit axes be too many
                return
            region = through(GetItem(primitive.index), identity(shape), equation.shape, shape)
            self.writing(equation, "write", operands[0], [(operands[1], region or ())], shape)
        elif isinstance(primitive, Concatenate):
            self.join(equation)
        elif isinstance(primitive, Add) and self.adds_region(equation):
            pass
        else:
            self.elementwise(equation)

    def read(self, root: Root, x: Atom, at: Map | None) -> None:
        """`root` reads `x` at `at`."""
        if isinstance(x, Equation):
            self.demands[x].append((root, at))
        root.reads.append((x, at))
        if at is None and isinstance(x, Node):
            self.whole.add(x)

    def root(self, equation: Equation, kind: str, space: Shape) -> Root:
        """Make an equation a root."""
        made = Root(equation, kind, space)
        self.roots[equation] = made
        return made

    def call(self, equation: Equation) -> None:
        root = self.root(equation, "call", equation.shape or ())
        for x in operands_of(equation):
            self.read(root, x, None if is_several(x) or aval_of(x).shape else ())

    def scalar(self, equation: Equation) -> None:
        root = self.root(equation, "scalar", ())
        for x, there in self.operand_maps(equation, ()):
            self.read(root, x, there)

    def reduction(self, equation: Equation) -> None:
        (x,) = operands_of(equation)
        space = aval_of(x).shape
        root = self.root(equation, "reduce", space)
        self.read(root, x, identity(space))

    def view(self, equation: Equation) -> None:
        (x,) = operands_of(equation)
        if equation in self.apart and isinstance(x, Node):
            self.apart.add(x)
        shape = aval_of(x).shape
        result = equation.shape
        if equation in self.outputs or is_constant_array(x):
            if through(equation.primitive, identity(result), shape, result) is None:
                self.call(equation)  # a reshape: a copy of the same memory
            else:
                self.map(equation)
            return
        maps = [
            (root, None if at is None else through(equation.primitive, at, shape, result))
            for root, at in self.demands[equation]
        ]
        if any(at is None for _, at in maps):
            if isinstance(x, Node):
                self.whole.add(x)  # the view is one of its memory
                self.demands.get(x, []).extend((root, None) for root, _ in maps)
                for root, _ in maps:
                    root.reads.append((x, None))
            self.aliases.add(equation)
            return
        self.inlined[equation] = equation
        for root, at in maps:
            self.read(root, x, at)

    def map(self, equation: Equation) -> None:
        """Store an equation by a loop over its elements."""
        root = self.root(equation, "map", equation.shape)
        at = identity(equation.shape)
        for x, there in self.operand_maps(equation, at):
            self.read(root, x, there)

    def operand_maps(self, equation: Equation, at: Map) -> list[tuple[Atom, Map | None]]:
        """Where an elementwise equation or a view reads its operands."""
        operands = operands_of(equation)
        primitive = equation.primitive
        if isinstance(primitive, VIEWS):
            shape = aval_of(operands[0]).shape
            return [(operands[0], through(primitive, at, shape, equation.shape))]
        if isinstance(primitive, READS):
            return [*reads(equation, at)]
        return [(x, broadcast(at, aval_of(x).shape, equation.shape)) for x in operands]

    def elementwise(self, equation: Equation) -> None:
        demands = self.demands[equation]
        own = equation in self.whole or equation in self.apart
        if own or not self.inlines(equation, demands):
            self.map(equation)
            return
        self.inlined[equation] = equation
        for root, at in dict.fromkeys(demands):
            for x, there in self.operand_maps(equation, at or ()):
                self.read(root, x, there)

    def inlines(self, equation: Equation, demands: Sequence[Demand]) -> bool:
        """Whether an equation is computed where it is read, and not stored."""
        if any(at is None for _, at in demands):
            return False
        picked = any(True for _, at in demands for _ in picks_of(at or ()))
        if isinstance(equation.primitive, READS) and (picked or not self.reads_all(equation)):
            return False
        if not picked and is_light(equation):
            return True
        if len(set(demands)) != 1:
            return False
        ((root, _),) = set(demands)
        return math.prod(root.space) <= max(math.prod(equation.shape), 1)

    def shown_by(self, equation: Equation) -> list[Node]:
        """The operands in whose memory the value of an equation lies, or of which it is computed
        where it is read.
        """
        root = self.roots.get(equation)
        if root is not None and root.kind == "onto":
            return [root.base]
        added = root is None and isinstance(equation.primitive, (Place, *ADDS))
        if added or not (root is None or isinstance(equation.primitive, Part)):
            return []
        return [x for x in operands_of(equation) if isinstance(x, Node)]

    def reads_all(self, equation: Equation) -> bool:
        """Whether a bad index would be met wherever an equation is read."""
        return all(
            not limits(pick)[1] or covers(pick.at, aval_of(pick.atom).shape, root.space)
            for root, at in self.demands[equation]
            for x, where in reads(equation, at or ())
            for pick in picks_of(where)
        )

    # Writing regions

    def writing(
        self,
        equation: Equation,
        kind: str,
        base: Atom,
        regions: Sequence[tuple[Atom, Map]],
        space: Shape | None = None,
    ) -> None:
        """A root that writes regions of its array."""
        root = self.root(equation, kind, ())
        root.base = base
        if base is not None:
            self.read(root, base, None)
        for source, to in regions:
            shape = aval_of(source).shape
            region = Root(equation, "region", shape if space is None else space)
            region.source, region.to, region.adds = source, to, kind in ("onto", "scatter")
            root.regions.append(region)
            for pick in picks_of(to):
                self.read(region, pick.atom, pick.at)
            if region.scatters and isinstance(source, Node):
                self.apart.add(source)
            self.read(region, source, broadcast(identity(region.space), shape, region.space))

    def join(self, equation: Equation) -> None:
        primitive, operands = equation.primitive, operands_of(equation)
        axis = len(equation.shape) + primitive.axis  # type: ignore[attr-defined]
        start = 0
        regions: list[tuple[Atom, Map]] = []
        for x in operands:
            shape = aval_of(x).shape
            to = list(identity(shape))
            to[axis] = to[axis]._replace(offset=start)
            regions.append((x, tuple(to)))
            start += shape[axis]
        self.writing(equation, "join", None, regions)

    def adds_region(self, equation: Equation) -> bool:
        """X + place(v) adds v to a region of x, where nothing else reads the placed array."""
        operands = operands_of(equation)
        if equation.shape == ():
            return False
        for k in (1, 0):
            placed, x = operands[k], operands[1 - k]
            if (
                isinstance(placed, Equation) and isinstance(placed.primitive, (Place, *ADDS))
                and self.lowerable(placed)
                and placed not in self.whole and self.uses[placed] == 1
                and placed.shape == equation.shape and placed.dtype == equation.dtype
                and isinstance(x, Equation) and x.shape == equation.shape
                and x.dtype == equation.dtype and self.is_lone(x)
            ):  # fmt: skip
                v = operands_of(placed)[0]
                shape = aval_of(v).shape
                if isinstance(placed.primitive, Place):
                    index = GetItem(placed.primitive.index)
                    to = through(index, identity(shape), equation.shape, shape)
                else:
                    to = adds(placed)
                self.inlined[placed] = placed
                self.writing(equation, "onto", x, [(v, to or ())])
                return True
        return False

    def is_lone(self, x: Atom) -> bool:
        """Whether nothing but its one reader reads the memory that an array lies in.

        What a view shows is another's: of an argument, which is the caller's, or of what other
        views show.
        """
        while isinstance(x, Equation) and self.uses[x] == 1 and x not in self.whole:
            if not isinstance(x.primitive, VIEWS):
                return True
            if isinstance(x.primitive, Stretch):
                return False
            (x,) = operands_of(x)
        return False

    # From the first equation to the last: on which level

    def order(self) -> None:
        """Give each root its level, and find which maps need no memory."""
        self.levels: list[list[Root]] = []
        for equation in self.program.equations:
            root = self.roots.get(equation)
            if root is None:
                continue
            root.level = root.start = self.earliest(root)
            for region in root.regions:
                region.level = max(self.earliest(region), root.start)
                self.enter(region)
            if root.regions:
                root.start = min(region.level for region in root.regions)
                root.level = max(region.level for region in root.regions)
            else:
                self.enter(root)
        self.part()
        self.drop_stores()

    def earliest(self, root: Root) -> int:
        """The earliest level on which a root can read all that it reads."""
        return max((self.ready(root, x, at) for x, at in root.reads), default=0)

    def enter(self, root: Root) -> None:
        """Put a root on its level."""
        while len(self.levels) <= root.level:
            self.levels.append([])
        self.levels[root.level].append(root)

    def ready(self, root: Root, x: Atom, at: Map | None) -> int:
        """The earliest level on which `root` can read `x` at `at`."""
        other = self.roots.get(x) if isinstance(x, Node) else None
        if other is None:
            return 0
        if other.kind == "scalar" or self.shares_loop(root, other, at):
            return other.level
        return other.level + 1

    def shares_loop(self, root: Root, other: Root, at: Map | None) -> bool:
        """Whether `root` can read `other` from its register, in the same loop nest."""
        return (
            other.kind == "map"
            and root.kind in ("map", "reduce", "region")
            and not root.apart
            and other.space == root.space
            and at == identity(other.space)
        )

    def part(self) -> None:
        """Give what adds at index arrays a nest of its own beside long or large computations."""
        for roots in self.levels:
            for region in roots:
                if not region.scatters:
                    continue
                space = region.space
                beside = [r for r in roots if r.kind in LOOPS and r.space == space]
                work = sum(self.work(r) for r in beside)
                region.apart = math.prod(space) >= LARGE or work > LONG

    def work(self, root: Root) -> int:
        """The operations of a root in a step of its loop."""
        count, done, stack = 0, set[Node](), [root.equation]
        if root.kind != "map":
            stack = [x for x, _ in root.reads if isinstance(x, Equation) and x in self.inlined]
        while stack:
            e = stack.pop()
            if e in done:
                continue
            done.add(e)
            count += (
                LONG if e.primitive.name in UNARY_MATH or e.primitive.name in BINARY_MATH else 1
            )
            stack += [x for x in operands_of(e) if isinstance(x, Equation) and x in self.inlined]
        return count

    def drop_stores(self) -> None:
        """A map that only loops of its own nest read is not stored."""
        needed = {y for y in self.program.outputs if isinstance(y, Node)}
        for root in (r for level in self.levels for r in level):
            for x, at in root.reads:
                other = self.roots.get(x) if isinstance(x, Node) else None
                if other is not None and not (
                    self.shares_loop(root, other, at) and other.level == root.level
                ):
                    needed.add(x)
        for equation, root in self.roots.items():
            if root.kind == "map":
                root.stored = equation in needed or equation in self.whole


def is_light(equation: Equation) -> bool:
    """Whether to compute an element costs no more than to read it: at most `LIGHT` operations on
    one array, which is stored anyhow, on numbers, and on small arrays, which are in the cache.
    """
    arrays: set[Node] = set()
    count, stack = 0, [equation]
    while stack:
        e = stack.pop()
        count += 1
        if not is_cheap(e) or count > LIGHT:
            return False
        for x in operands_of(e):
            if not isinstance(x, Node) or is_small(x, equation):
                continue
            if isinstance(x, Equation) and is_cheap(x):
                stack.append(x)
            else:
                arrays.add(x)
    return len(arrays) <= 1 or (count == 1 and not any(isinstance(x, Equation) for x in arrays))


def is_cheap(e: Equation) -> bool:
    """Whether an element is an operation or two, or read from a small table at an index."""
    if isinstance(e.primitive, READS):
        return is_small(operands_of(e)[0], e)
    return e.primitive.name in CHEAP


def is_small(x: Atom, beside: Equation) -> bool:
    """Whether an atom is so much smaller than a result that to read it again costs nothing."""
    size = math.prod(aval_of(x).shape)
    return size == 1 or size * SMALL <= math.prod(beside.shape)


def is_several(x: Atom) -> bool:
    """Whether an atom stands for several results."""
    return isinstance(x, Node) and x.is_several


def is_constant_array(x: Atom) -> bool:
    """Whether an atom is a constant with axes."""
    return not isinstance(x, Node) and aval_of(x).shape != ()


def indexed_shape(index: Sequence[object], shape: Shape) -> Shape:
    """The shape of `x[index]` for a basic index."""
    found: list[int] = []
    read = sum(part is not None and part is not Ellipsis for part in index)
    axis = 0
    for part in (*index, *(() if Ellipsis in index else (Ellipsis,))):
        if part is None:
            found.append(1)
        elif part is Ellipsis:
            rest = len(shape) - read
            found.extend(shape[axis : axis + rest])
            axis += rest
        elif isinstance(part, slice):
            found.append(len(range(*part.indices(shape[axis]))))
            axis += 1
        else:
            axis += 1
    return tuple(found)
