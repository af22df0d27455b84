"""Tracing: run a function on symbols, and keep what it did as a program."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple, NoReturn

import numpy as np

from ..core.avals import Aval, Dtype, Shape, Value, aval_of, describe
from ..core.dispatch import OneOperand, Tracer, TwoOperands, on_short_roads, snapshot
from ..core.errors import DtypeError, QiudaoError, TraceError
from ..core.families import Elementwise
from ..core.methods import ArrayMethods
from ..core.modes import Running, modes, new_level
from ..core.node import Equation, Leaf, Node
from ..core.outliving import living
from ..core.parts import Part
from ..core.primitive import Primitive
from ..core.program import Atom, Program, apply, operands_of
from ..core.source import caller, here, line_of
from ..core.trees import Tree, flatten
from ..core.views import Tie, View, follow, tie
from ..ops.indexing import GetItem
from ..ops.shaping import Copy
from ..ops.stopping import StopGradient, stop_gradient
from ..passes.roll import roll
from ..passes.settle import merged
from ..tape.guard import copy_of
from ..tape.tensor import off_tapes

BRANCH = (
    "choose values with np.where(condition, a, b), branches with qd.cond(condition, f, g, x), "
    "and loop with qd.while_loop, qd.fori_loop or qd.scan"
)


# The short roads of `symbol_operators.py`, by ufunc.
one_operand: OneOperand = {}
two_operands: TwoOperands = {}


types: dict[Any, Aval] = {}  # of results, by primitive and types of operands
REPEATS = 8  # elements read from one array, from which they belong to the steps of a loop
MANY = 4096  # types remembered before all are forgotten


class OutsideError(TraceError):
    """A body that is traced writes into an array from outside it, the `target`."""

    def __init__(self, message: str, target: Any) -> None:
        super().__init__(message)
        self.target = target


class Recording:
    """A program while it is being traced.

    `captured` are the tracers from outside that the function reads: they become inputs after its
    own, in the order they were met.  `merged` are containers that stand for one of several, and
    `numbers` nodes that stand for numbers of Python, which the capture of control flow notes.
    """

    __slots__ = (
        "captured", "equations", "is_branch", "level", "live", "merged", "numbers", "outer", "since"
    )  # fmt: skip
    looks_inside: ClassVar[bool] = False  # whether compiled functions show what they do

    def __init__(self, is_branch: bool = False) -> None:
        self.level = new_level()
        self.is_branch = is_branch  # whether it may be that what is recorded is never run
        self.equations: list[Equation] = []
        self.captured: dict[Any, tuple[Tracer, Leaf]] = {}
        self.merged: list[Any] = []
        self.numbers: dict[Node, type] = {}

    def __enter__(self) -> None:
        self.outer, modes.recording = modes.recording, self
        self.since = 0 if self.outer is None else len(self.outer.equations)
        self.live, modes.live = modes.live, None  # a flag is met where the program is applied

    def __exit__(self, *error: object) -> None:
        modes.recording, modes.live = self.outer, self.live
        self.numbers.clear()
        self.merged.clear()  # who asks whether a container is known counts what holds it

    def atom(self, x: Value) -> Atom:
        """An operand as an atom of the program."""
        if isinstance(x, Symbol) and x.level == self.level:
            return x.node
        x = living(x)
        if not isinstance(x, Tracer):
            return copy_of(x) if isinstance(x, np.ndarray) else x
        key = state_of(x)
        known = self.captured.get(key)
        if known is None:
            known = (snapshot(x), Leaf(tuple(x.shape), x.dtype))
            self.captured[key] = known  # the snapshot keeps what the key names
        return known[1]

    def check_write(self, x: Any) -> None:
        """Refuse to write into an array that was there before this trace.

        The program would have the write where it has this trace, once: a loop takes its body many
        times, and of a branch it may be that it is not taken.
        """
        if x.level >= self.level:
            return
        inner = x
        while isinstance(inner, Tracer) and not isinstance(inner, Symbol):
            inner = next(iter(inner.parts()), None)
        if not isinstance(inner, Symbol):
            return
        within = self
        while within.outer is not None and within.outer is not inner.recording:
            within = within.outer
        made = () if within.outer is None else within.outer.equations[within.since :]
        if within.outer is not None and not any(inner.node is e for e in made):
            raise OutsideError(
                f"setitem: {line_of(*caller())}: a body that is traced writes into an array that "
                "was made outside of it, and the program would do so once; let it take the array "
                "as an argument and return the new one",
                x,
            )

    def apply(self, primitive: Primitive, xs: Sequence[Value]) -> Any:
        """Record a primitive with several results."""
        atoms = [self.atom(x) for x in xs]
        return self.results(primitive, atoms, type_of(primitive, list(map(aval_of, atoms))))

    def results(
        self, primitive: Primitive, atoms: Sequence[Atom], stated: Sequence[Aval]
    ) -> tuple[Value, ...]:
        """The results, of these types, of a new equation."""
        equation = apply(primitive, atoms, None)
        equation.code, equation.offset = caller()
        self.equations.append(equation)
        results = []
        for k, aval in enumerate(stated):
            part = apply(Part(k, len(stated)), (equation,), aval, equation)
            self.equations.append(part)
            results.append(self.symbol(part))
        return tuple(results)

    def with_loops(
        self, f: Callable[..., Any], values: Sequence[Value], build: Callable[[list[Any]], Any]
    ) -> Traced | None:
        """The trace of `f` on such values, its repetitions as loops; None where that cannot be."""
        return with_loops(f, [aval_of(x) for x in values], build)

    def types_of(self, f: Callable[..., Any], avals: Sequence[Aval]) -> tuple[Aval, ...] | None:
        """The types of the results of `f` for values of these; None where it asks for values."""
        try:
            return tuple(traced(f, avals, lambda symbols: (symbols, {})).program.results)
        except Exception:  # of ours, or whatever the refusal became on its way through NumPy
            return None

    def is_symbolic(self, x: Value) -> bool:
        """Whether a value is not known because a trace is under way."""
        return is_symbolic(x)

    def symbol(self, node: Node) -> Symbol:
        """A tracer that stands for a node."""
        made = Symbol()
        made.level, made.node, made.recording = self.level, node, self
        return made


def state_of(x: Tracer) -> tuple[Any, ...]:
    """What a tracer stands for now, by identity; writes into it change this."""
    return (type(x), x.level, id(getattr(x, "node", None)), *map(id, x.parts()))


class Symbol(ArrayMethods, Tracer):
    """A value that is not known yet: whatever is done to it is recorded, and nothing computed."""

    __slots__ = ("level", "memory", "node", "recording", "tied")

    level: float
    node: Node
    recording: Recording
    kept_from = "jit, or a body of a loop or branch"
    memory: Any  # an array that is laid out as the value would be; set when a view asks
    tied: Tie  # set on views only

    @property
    def shape(self) -> Shape:
        return self.node.shape

    @property
    def dtype(self) -> Dtype:
        return self.node.dtype

    __array_ufunc__ = on_short_roads(one_operand, two_operands)

    def process(self, primitive: Primitive, xs: tuple[Value, ...]) -> Value:
        recording = self.recording
        atoms = [recording.atom(x) for x in xs]
        stated = type_of(primitive, [aval_of(x) for x in atoms])
        if type(stated) is not Aval:
            return recording.results(primitive, atoms, stated)
        equation = apply(primitive, atoms, stated)
        equation.code, equation.offset = caller()
        recording.equations.append(equation)
        made = recording.symbol(equation)
        if not primitive.is_view:
            return made
        made.memory = primitive.evaluate(self.underlying())
        return tie(made, self, primitive, SymbolView)

    def underlying(self) -> Any:
        memory = getattr(self, "memory", None)
        if memory is None:
            memory = self.memory = np.empty(self.shape, self.dtype)
        return memory

    def constant(self, value: Value) -> Symbol:
        recording = self.recording
        node = apply(Copy(), (recording.atom(value),), Aval(np.shape(value), value.dtype))
        node.code, node.offset = caller()
        recording.equations.append(node)
        return recording.symbol(node)

    def overwrite(self, new: Value) -> None:
        self.node = self.same_level(new).node

    def snapshot(self) -> Symbol:
        return self.recording.symbol(self.node)

    def detach(self) -> Value:
        """The value as a constant for every derivative."""
        return stop_gradient(self)

    def concrete(self) -> NoReturn:
        raise TraceError(
            f"trace: the value of this {describe(self.shape, self.dtype)} is not known while "
            f"tracing, and {line_of(*caller())} asks for it; {BRANCH}"
        )

    def refuse(self, act: str, instead: str) -> NoReturn:
        raise TraceError(
            f"{act}: the value of this {describe(self.shape, self.dtype)} is not known while "
            f"tracing, and {line_of(*caller())} asks for it; {instead}"
        )

    def carries(self, later: bool = True) -> bool:
        return later and not isinstance(getattr(self.node, "primitive", None), StopGradient)

    def __repr__(self) -> str:
        return f"symbol {describe(self.shape, self.dtype)}"

    def __format__(self, spec: str) -> str:
        return repr(self)


def type_of(primitive: Primitive, avals: Sequence[Aval]) -> Any:
    """The type of the result; elementwise ones are remembered, since NumPy takes long to tell."""
    if not isinstance(primitive, Elementwise):
        return primitive.shape(*avals)
    key = (primitive, *avals)
    found = types.get(key)
    if found is None:
        if len(types) > MANY:
            types.clear()
        found = types[key] = primitive.shape(*avals)
    return found


_slots = vars(Symbol)


class SymbolView(View, Symbol):
    """A symbol whose value would share memory with another's."""

    __slots__ = ()

    plain = Symbol
    state = _slots["node"].__get__
    fields = ("node",)

    node = follow(_slots["node"], _slots["node"])


class Traced(NamedTuple):
    """A traced function: its program, the outside tracers that it reads, the nest of its results.

    The program takes the function's own leaves and then the captured tracers.
    """

    program: Program
    captured: tuple[Tracer, ...]
    tree: Tree

    def __call__(self, *xs: Value) -> Any:
        """The results for these leaves, which may be tracers."""
        return self.tree.build(self.program(*xs, *self.captured))


class Uncollected:
    """Within the block no garbage is collected: the walks over all equations were half the time."""

    __slots__ = ("was_on",)

    def __enter__(self) -> None:
        self.was_on = gc.isenabled()
        gc.disable()

    def __exit__(self, *error: object) -> None:
        if self.was_on:
            gc.enable()


def traced(
    f: Callable[..., Any],
    avals: Sequence[Aval],
    build: Callable[[list[Any]], Any],
    is_branch: bool = False,
) -> Traced:
    """Run `f` on symbols of these types; `build` makes its (args, kwargs) from the symbols."""
    recording = Recording(is_branch)
    leaves = [Leaf(aval.shape, aval.dtype) for aval in avals]
    with Running(recording.level, tracing=True), recording, Uncollected():
        args, kwargs = build([recording.symbol(leaf) for leaf in leaves])
        outs, tree = flatten(f(*args, **kwargs))
    atoms = [result_atom(recording, y, path) for y, path in zip(outs, tree.paths, strict=True)]
    captured: dict[Leaf, Tracer] = {leaf: held for held, leaf in recording.captured.values()}
    program = Program((*leaves, *captured), recording.equations, atoms)
    return Traced(program, tuple(captured.values()), tree)


def with_loops(
    f: Callable[..., Any], avals: Sequence[Aval], build: Callable[[list[Any]], Any]
) -> Traced | None:
    """The trace of `f` with its repetitions as loops.

    None where it must be run on the tracers themselves: it turns recording on or off, or asks for
    what only they have.  What else is wrong with it shows then.
    """
    before, modes.switched = modes.switched, False
    try:
        made = drawn_in(traced(f, avals, build))
        switched = modes.switched
    except (QiudaoError, AttributeError, TypeError):
        return None
    finally:
        modes.switched = before
    return None if switched else made._replace(program=merged(roll(made.program)))


def drawn_in(made: Traced) -> Traced:
    """The trace with what it read out of arrays of an outer trace read inside, where it is used.

    The steps of a loop over an array from outside are repetitions then: the element that each
    reads would else be an input of its own.
    """
    own = len(made.program.inputs) - len(made.captured)
    chains: dict[Node, tuple[Leaf, list[Equation]]] = {}  # the source and the steps from it
    kept: dict[Any, tuple[Tracer, Leaf]] = {}
    for tracer, leaf in zip(made.captured, made.program.inputs[own:], strict=True):
        node = tracer.node if isinstance(tracer, Symbol) else None
        steps: list[Equation] = []
        while isinstance(node, Equation) and isinstance(node.primitive, GetItem):
            steps.insert(0, node)
            node = operands_of(node)[0]
        if not isinstance(node, Node) or not steps:
            kept[leaf] = (tracer, leaf)  # type: ignore[assignment]
            continue
        if node not in kept:
            source = tracer.recording.symbol(node)  # type: ignore[attr-defined]
            kept[node] = (source, Leaf(node.shape, node.dtype))
        chains[leaf] = kept[node][1], steps
    if not chains:
        return made
    inside: dict[Node, Atom] = {}
    equations: list[Equation] = []

    def walk(found: Atom, steps: Sequence[Equation]) -> Atom:
        for step in steps:
            if step not in inside:
                aval = Aval(step.shape, step.dtype)
                inside[step] = apply(step.primitive, (found,), aval, step)
                equations.append(inside[step])
            found = inside[step]
        return found

    def atom(x: Atom) -> Atom:
        if isinstance(x, Node) and x in chains and x not in inside:
            inside[x] = walk(*chains[x])
        return inside.get(x, x) if isinstance(x, Node) else x

    read = Counter(operands_of(steps[-1])[0] for _, steps in chains.values())
    for source, steps in chains.values():  # the element of a step of a loop is read in that step
        stepped = read[operands_of(steps[-1])[0]] >= REPEATS
        walk(source, steps[:-1] if stepped else steps)
    for e in made.program.equations:
        operands = [atom(x) for x in operands_of(e)]
        aval = None if e.is_several else Aval(e.shape, e.dtype)
        inside[e] = apply(e.primitive, operands, aval, e)
        equations.append(inside[e])
    outputs = [atom(y) for y in made.program.outputs]
    captured, leaves = zip(*kept.values(), strict=True)
    program = Program((*made.program.inputs[:own], *leaves), equations, outputs)
    return Traced(program, captured, made.tree)


def is_symbolic(x: Value) -> bool:
    """Whether a value is not known because a trace is under way."""
    stack = [x]
    while stack:
        each = stack.pop()
        if isinstance(each, Symbol):
            return True
        if isinstance(each, Tracer):
            stack.extend(each.parts())
    return False


def result_atom(recording: Recording, y: Any, path: str) -> Atom:
    """A result of the traced function as an atom."""
    y = off_tapes(y, recording.level)
    if isinstance(y, Tracer):
        return recording.atom(y)
    value = np.asarray(y)
    if value.dtype.kind not in "fciub":
        raise DtypeError(
            f"trace: result{path} is {type(y).__name__} {y!r}, which is no number, at {here()}; "
            "return arrays, numbers and containers of them"
        )
    return recording.atom(value[()])
