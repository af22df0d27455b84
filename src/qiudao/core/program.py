"""A traced computation: equations in order, from inputs to outputs.

The grammar (`check` holds a program against it):

    program   inputs, then equations, then outputs
    input     a leaf: a node with a shape and a dtype
    equation  a primitive applied to atoms; its shape and dtype are what the primitive states
    atom      an input or an earlier equation of the same program, or a constant
    constant  a NumPy array or scalar, or a Python number, which widens no dtype
    output    an atom

An equation with several results has no shape, and only `Part` equations, one a result, read it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .avals import Aval, Value, aval_of, describe
from .dispatch import Tracer
from .errors import QiudaoError
from .modes import modes
from .node import Equation, Leaf, Node, next_number
from .parts import Part
from .primitive import Primitive
from .roles import role_of
from .source import line_of

Atom = Any  # a node of the program, or a constant


class GrammarError(QiudaoError, ValueError):
    """A program breaks the grammar: a fault of the pass that made it."""


class Program:
    """A function as data: `inputs` are leaves, `equations` in order, `outputs` atoms."""

    __slots__ = ("equations", "inputs", "outputs")

    def __init__(
        self, inputs: Sequence[Node], equations: Iterable[Equation], outputs: Sequence[Atom]
    ) -> None:
        self.inputs = tuple(inputs)
        self.equations = tuple(equations)
        self.outputs = tuple(outputs)

    @property
    def avals(self) -> tuple[Aval, ...]:
        """The types of the inputs."""
        return tuple(aval_of(x) for x in self.inputs)

    @property
    def results(self) -> tuple[Aval, ...]:
        """The types of the outputs."""
        return tuple(aval_of(y) for y in self.outputs)

    def __call__(self, *xs: Value) -> list[Value]:
        """The outputs for these inputs, which may be tracers: each primitive applied in turn."""
        values: dict[Node, Value] = dict(zip(self.inputs, xs, strict=True))
        recorded = [] if modes.recording is None else modes.recording.equations
        for equation in self.equations:
            operands = [values[x] if isinstance(x, Node) else x for x in operands_of(equation)]
            before = len(recorded)
            values[equation] = equation.primitive(*operands)
            if before < len(recorded):  # in a trace: the user's line is still that one
                role = role_of(equation)
                for made in recorded[before:]:
                    made.code, made.offset = equation.code, equation.offset
                    if role is not None:
                        made.role = role
                attribute(values[equation], equation)
        return [values[y] if isinstance(y, Node) else y for y in self.outputs]

    def __repr__(self) -> str:
        return show(self)


def attribute(value: Value, equation: Equation) -> None:
    """Give the graph that transforms keep of a value the user's line of `equation`."""
    for each in value if isinstance(value, tuple) else (value,):
        node = getattr(each, "node", None)
        if isinstance(node, Equation):
            node.code, node.offset = equation.code, equation.offset
            if isinstance(node.primitive, Part):
                whole = node.parents[0]
                whole.code, whole.offset = equation.code, equation.offset  # type: ignore[union-attr]
        if isinstance(each, Tracer):
            for part in each.parts():
                attribute(part, equation)


def operands_of(equation: Equation) -> tuple[Atom, ...]:
    """The operands of an equation of a program."""
    operands: tuple[Atom, ...] = equation.operands  # type: ignore[assignment]  # none is freed
    return operands


def apply(
    primitive: Primitive, operands: Sequence[Atom], aval: Aval | None, like: Equation | None = None
) -> Equation:
    """A new equation; `aval` is the type of its result, None where there are several.

    The user's line is that of the equation `like` that it takes the place of.
    """
    equation = Equation()
    equation.number = next_number()
    equation.shape, equation.dtype = (None, None) if aval is None else aval[:2]  # type: ignore[assignment]
    equation.notes = None
    equation.primitive = primitive
    equation.operands = tuple(operands)
    equation.parents = tuple([x if isinstance(x, Node) else None for x in operands])
    equation.out = None
    if like is not None:
        equation.code, equation.offset = like.code, like.offset
        role = role_of(like)
        if role is not None:
            equation.role = role
    return equation


def stated(primitive: Primitive, operands: Sequence[Atom]) -> Aval | None:
    """The type of the result on these operands; None where there are several."""
    aval = primitive.shape(*map(aval_of, operands))
    return aval if isinstance(aval, Aval) else None


def inner_programs(primitive: Primitive) -> Iterator[Program]:
    """The programs that are fields of a primitive: bodies of loops, branches."""
    for value in vars(primitive).values():
        if isinstance(value, Program):
            yield value
        elif isinstance(value, tuple):
            yield from (each for each in value if isinstance(each, Program))


def is_read(program: Program) -> list[bool]:
    """For each input, whether the program reads it."""
    used: set[Node | None] = {y for y in program.outputs if isinstance(y, Node)}
    for equation in program.equations:
        used.update(equation.parents)
    return [x in used for x in program.inputs]


def with_bodies(primitive: Primitive, change: Callable[[Program], Program]) -> Primitive:
    """The primitive with each program inside it changed."""
    if not any(True for _ in inner_programs(primitive)):
        return primitive
    made = object.__new__(type(primitive))
    for name, value in vars(primitive).items():
        if isinstance(value, Program):
            value = change(value)
        elif isinstance(value, tuple):
            value = tuple(change(v) if isinstance(v, Program) else v for v in value)
        made.__dict__[name] = value
    return made


def check(program: Program) -> None:
    """Raise `GrammarError` unless the program keeps to the grammar."""
    known: set[Node] = set()
    for leaf in program.inputs:
        if not isinstance(leaf, Leaf) or leaf in known:
            raise GrammarError(f"program: {leaf!r} is no input, or one given twice")
        known.add(leaf)
    for equation in program.equations:
        if equation in known:
            raise GrammarError(f"program: {equation!r} stands twice")
        for x in operands_of(equation):
            check_atom(x, known, equation)
            if isinstance(x, Node) and x.is_several and not isinstance(equation.primitive, Part):
                raise GrammarError(f"program: {equation!r} reads several results as one")
        if not isinstance(equation.primitive, Part):
            check_type(equation)
        for inner in inner_programs(equation.primitive):
            check(inner)
        known.add(equation)
    for y in program.outputs:
        check_atom(y, known, "the outputs")


def check_atom(x: Atom, known: set[Node], where: Any) -> None:
    """Raise unless an operand is defined before it is read, or a plain constant."""
    if isinstance(x, Node):
        if x not in known:
            raise GrammarError(f"program: {where!r} reads {x!r}, which is not defined before it")
    elif not isinstance(x, np.ndarray | np.generic | int | float | complex):
        raise GrammarError(f"program: {where!r} has the constant {x!r}, which is no number")


def check_type(equation: Equation) -> None:
    """Raise unless an equation has the type that its primitive states."""
    aval = stated(equation.primitive, operands_of(equation))
    found = None if equation.is_several else (equation.shape, equation.dtype)
    if found != (None if aval is None else aval[:2]):
        raise GrammarError(f"program: {equation!r} should be {aval}")


def show(program: Program, lines: bool = False) -> str:
    """The program as text, a line an equation; with `lines`, each beside its source line."""
    names: dict[Node, str] = {}
    fresh = map(letters, itertools.count())
    for leaf in program.inputs:
        names[leaf] = next(fresh)
    parts: dict[Node, list[Equation]] = {}
    for equation in program.equations:
        if isinstance(equation.primitive, Part):
            parts.setdefault(operands_of(equation)[0], []).append(equation)
    rows = []
    for equation in program.equations:
        if isinstance(equation.primitive, Part):
            continue
        results = parts.get(equation, []) if equation.is_several else [equation]
        for result in results:
            names[result] = next(fresh)
        left = ", ".join(f"{names[r]}: {describe(r.shape, r.dtype)}" for r in results) or "_"
        right = " ".join(names.get(x, "?") if isinstance(x, Node) else constant(x)
                         for x in operands_of(equation))  # fmt: skip
        text = f"    {left} = {headline(equation.primitive)} {right}"
        if lines:
            text = f"{text:<60}  # {line_of(equation.code, equation.offset)}"
        rows.append(text)
        for inner in inner_programs(equation.primitive):
            rows.extend(f"        {row}" for row in show(inner, lines).splitlines())
    head = ", ".join(f"{names[x]}: {describe(x.shape, x.dtype)}" for x in program.inputs)
    tail = ", ".join(
        names.get(y, "?") if isinstance(y, Node) else constant(y) for y in program.outputs
    )
    return "\n".join([f"program({head})", *rows, f"    return {tail}"])


def headline(primitive: Primitive) -> str:
    """A primitive with its fields, less the programs inside it."""
    if not any(True for _ in inner_programs(primitive)):
        return repr(primitive)
    fields = ", ".join(
        f"{k}={v!r}" for k, v in vars(primitive).items()
        if not isinstance(v, Program)
        and not (isinstance(v, tuple) and any(isinstance(e, Program) for e in v))
    )  # fmt: skip
    return f"{primitive.name}({fields})"


def constant(x: Atom) -> str:
    """A constant, in full where it is small."""
    if np.size(x) <= 4:
        return np.array2string(np.asarray(x), separator=",", threshold=5).replace("\n", "")
    return f"<{aval_of(x)}>"


def letters(k: int) -> str:
    """The k-th name: a, b, ..., z, aa, ab, ..."""
    name = ""
    while k >= 0:
        name = chr(ord("a") + k % 26) + name
        k = k // 26 - 1
    return name
