"""A program ready to run: native segments, and between them what only NumPy can compute."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..codegen.build import Built, build
from ..codegen.native import has_type, obstacle
from ..core.avals import Aval, Value
from ..core.node import Equation, Leaf, Node
from ..core.parts import Part
from ..core.program import Atom, Program, apply, operands_of
from ..core.source import line_of
from ..passes.pipeline import optimise
from ..transforms.expand import expanded


class Fallback(NamedTuple):
    """An equation that NumPy computes, and why."""

    equation: Equation
    reason: str

    def __str__(self) -> str:
        line = line_of(self.equation.code, self.equation.offset)
        return f"{self.equation.primitive.name} at {line}: {self.reason}"


class Segment(NamedTuple):
    """A piece of the program that is one native function."""

    built: Built
    reads: tuple[Node, ...]
    writes: tuple[Node, ...]


def prepared(program: Program, seen: Callable[[str, Program], None] | None = None) -> Program:
    """The program that is compiled: written out in simpler primitives, and optimised."""
    return optimise(expanded(program), seen)


class Executable:
    """Runs a program.  `fallbacks` are the equations that are left to NumPy."""

    traced: Program

    def __init__(self, program: Program) -> None:
        self.program = program
        reasons = {e: obstacle(e) for e in program.equations}
        for e in program.equations:  # the results of what NumPy computes are NumPy's
            if isinstance(e.primitive, Part):
                reasons[e] = reasons[operands_of(e)[0]]
        self.fallbacks = [
            Fallback(e, why)
            for e, why in reasons.items()
            if why is not None and not isinstance(e.primitive, Part)
        ]
        self.steps: list[Segment | Equation] = []
        self.whole: Built | None = None
        handed = (*program.avals, *program.results)
        if self.fallbacks or not all(has_type(a.dtype) for a in handed):
            self.split({e for e, why in reasons.items() if why is not None})
        else:
            self.whole = build(program)

    @classmethod
    def found(cls, traced: Program, whole: Built) -> Executable:
        """A program whose machine code is there already."""
        made = object.__new__(cls)
        made.traced = traced
        made.fallbacks, made.steps, made.whole = [], [], whole
        return made

    @functools.cached_property
    def program(self) -> Program:
        """The program after all passes."""
        return prepared(self.traced)

    def split(self, foreign: set[Equation]) -> None:
        """Native segments as few and as early as the equations of NumPy's between them allow."""
        number: dict[Node, int] = {}
        for e in self.program.equations:
            before = [
                number[x] + (x in foreign and e not in foreign)
                for x in operands_of(e)
                if isinstance(x, Equation)
            ]
            number[e] = max(before, default=0)
        last = max(number.values(), default=0)
        for k in range(last + 1):
            own = [e for e in self.program.equations if number[e] == k]
            native = [e for e in own if e not in foreign]
            if native:
                self.steps.append(self.segment(native))
            self.steps.extend(e for e in own if e in foreign)

    def segment(self, equations: Sequence[Equation]) -> Segment:
        """Equations as a program of its own, whose outputs are what others read."""
        own = set(equations)
        read = {y for y in self.program.outputs if isinstance(y, Node)}
        for e in self.program.equations:
            if e not in own:
                read.update(x for x in operands_of(e) if isinstance(x, Node))
        inputs: dict[Node, Leaf] = {}
        defined: dict[Node, Node] = {}
        made: list[Equation] = []
        for e in equations:
            operands: list[Atom] = []
            for x in operands_of(e):
                if isinstance(x, Node) and x not in own:
                    x = inputs.setdefault(x, Leaf(x.shape, x.dtype))
                operands.append(defined.get(x, x) if isinstance(x, Node) else x)
            aval = None if e.is_several else Aval(e.shape, e.dtype)
            defined[e] = apply(e.primitive, operands, aval, e)
            made.append(defined[e])  # type: ignore[arg-type]
        writes = tuple(e for e in equations if e in read and not e.is_several)
        program = Program(tuple(inputs.values()), made, [defined[e] for e in writes])
        return Segment(build(program), tuple(inputs), writes)

    def __call__(self, *xs: Value) -> tuple[Value, ...]:
        """The outputs for arrays of the program's types."""
        if self.whole is not None:
            found: tuple[Value, ...] = self.whole(*xs)
            return found
        values: dict[Node, Value] = dict(zip(self.program.inputs, xs, strict=True))
        for step in self.steps:
            if isinstance(step, Segment):
                values.update(
                    zip(step.writes, step.built(*(values[x] for x in step.reads)), strict=True)
                )
            else:
                operands = [values[x] if isinstance(x, Node) else x for x in operands_of(step)]
                values[step] = step.primitive.evaluate(*operands)
        results: list[Value] = []
        for y in self.program.outputs:
            value = values[y] if isinstance(y, Node) else np.array(y)[()]
            if any(np.may_share_memory(value, z) for z in (*xs, *results)):
                value = value.copy()  # an argument that is returned, a result that is so twice
            results.append(value)
        return tuple(results)
