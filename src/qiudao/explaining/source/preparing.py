"""The program that is printed: traced, written out where NumPy has no word, made easy to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...compiling.arguments import Call
from ...compiling.compiled import GROWTH, masked, plain, roomy
from ...compiling.front import Jitted
from ...core.avals import Aval, Value, aval_of
from ...core.errors import GradientError
from ...core.modes import Running
from ...core.node import Equation, Node
from ...core.parts import Part
from ...core.primitive import Primitive
from ...core.program import Atom, Program, apply, inner_programs, operands_of, with_bodies
from ...core.roles import role_of
from ...core.trees import Tree
from ...ops.control import CapacityError, Scan, Structured, Switch, While
from ...transforms.trace import Recording, Traced
from .reading.simplify import readable, simplified
from .table import has_spelling

ROUNDING = 1e-13  # by which a program that is easier to read may differ, relative to the largest


class Prepared(NamedTuple):
    """A program to be printed, for the arrays of one call, and the nest of its results."""

    program: Program
    tree: Tree
    traced: Program  # as it was before it was simplified


def prepare(jitted: Jitted, call: Call) -> Prepared:
    """The program of a call, as simple as the values of its arguments allow.

    A traced sweep carries masks only where a NaN arrives without (see `core/sweep.py`), and the
    identities for readers are used where they give the same numbers.
    """
    traces: list[Traced] = []

    def make() -> Program:
        traces.append(jitted.trace(call))
        if traces[-1].captured:
            raise GradientError(
                "source: the function reads a tracer of a transform that is under way; call it "
                "outside of the transform"
            )
        return written_out(traces[-1].program)

    program, values, selects = run_with_room(make, call.arrays)
    if selects and any(map(has_nan, values)):
        program, values, _ = run_with_room(lambda: masked(make), call.arrays)
    exact = deep(simplified, program)
    easy = deep(readable, program)
    agrees = all(map(is_same, evaluated(easy, call.arrays), values))
    return Prepared(easy if agrees else exact, traces[-1].tree, program)


def run_with_room(
    make: Callable[[], Program], arrays: Sequence[Any]
) -> tuple[Program, list[Value], bool]:
    """A traced program and its results, with room for all steps of its loops."""
    capacity = 0
    while True:
        with roomy(capacity):
            program, selects = plain(make)
        try:
            return program, evaluated(program, arrays), selects
        except CapacityError as error:
            if error.capacity <= capacity:
                raise
            capacity = GROWTH * error.capacity


def evaluated(program: Program, arrays: Sequence[Any]) -> list[Value]:
    """The results of a program on plain arrays, without warnings."""
    with np.errstate(all="ignore"):
        return program(*arrays)


def has_nan(x: Value) -> bool:
    """Whether a result has a NaN."""
    return aval_of(x).dtype.kind in "fc" and bool(np.isnan(x).any())


def is_same(a: Value, b: Value) -> bool:
    """Whether two results are the same but for rounding."""
    a, b = np.asarray(a), np.asarray(b)
    if (a.shape, a.dtype) != (b.shape, b.dtype):
        return False
    if a.dtype.kind not in "fc":
        return np.array_equal(a, b)
    rounding = ROUNDING * np.finfo(a.dtype).eps / np.finfo(np.float64).eps
    largest = np.max(np.abs(b), where=np.isfinite(b), initial=0.0)
    return np.allclose(a, b, rtol=0.0, atol=rounding * largest, equal_nan=True)


def deep(change: Callable[[Program], Program], program: Program) -> Program:
    """A program changed, and with it the bodies of its loops and branches."""
    program = change(program)
    closed = [with_constants(e) for e in program.equations]
    defined: dict[Node, Atom] = {}
    equations = [
        again(e, with_bodies(primitive, lambda body: deep(change, body)), defined)
        for e, primitive in zip(program.equations, closed, strict=True)
    ]
    return Program(program.inputs, equations, [current(y, defined) for y in program.outputs])


def with_constants(e: Equation) -> Primitive:
    """A loop or a branch whose bodies know the constants that they are given."""
    primitive, operands = e.primitive, operands_of(e)
    if isinstance(primitive, Switch):
        given = list(operands[1:])
    elif isinstance(primitive, Scan | While):
        given = list(operands[: primitive.constants])
    else:
        return primitive
    return with_bodies(primitive, lambda body: knowing(body, given))


def knowing(body: Program, given: Sequence[Atom]) -> Program:
    """A body with the constants among its first operands in their places."""
    defined: dict[Node, Atom] = {
        leaf: x for leaf, x in zip(body.inputs, given, strict=False) if not isinstance(x, Node)
    }
    if not defined:
        return body
    equations = [again(e, e.primitive, defined) for e in body.equations]
    return Program(body.inputs, equations, [current(y, defined) for y in body.outputs])


def within(program: Program, change: Callable[[Program], Program]) -> Program:
    """A program with the bodies of its loops and branches changed."""
    if not any(True for e in program.equations for _ in inner_programs(e.primitive)):
        return program
    defined: dict[Node, Atom] = {}
    equations = [again(e, with_bodies(e.primitive, change), defined) for e in program.equations]
    return Program(program.inputs, equations, [current(y, defined) for y in program.outputs])


def again(e: Equation, primitive: Primitive, defined: dict[Node, Atom]) -> Equation:
    """An equation on what its operands have become."""
    aval = None if e.is_several else Aval(e.shape, e.dtype)
    made = apply(primitive, [current(x, defined) for x in operands_of(e)], aval, e)
    defined[e] = made
    return made


def current(x: Atom, defined: dict[Node, Atom]) -> Atom:
    """What an atom has become."""
    return defined.get(x, x) if isinstance(x, Node) else x


def written_out(program: Program) -> Program:
    """The program with what NumPy has no word for written in simpler primitives."""
    program = within(program, written_out)
    if not any(map(is_foreign, program.equations)):
        return program
    defined: dict[Node, Any] = {}
    equations: list[Equation] = []
    for e in program.equations:
        whole = operands_of(e)[0] if isinstance(e.primitive, Part) else None
        if isinstance(defined.get(whole), tuple):  # type: ignore[arg-type]
            defined[e] = defined[whole][e.primitive.index]  # type: ignore[index, attr-defined]
        elif is_foreign(e):
            equations += expanded(e, defined)
        else:
            equations.append(again(e, e.primitive, defined))
    outputs = [current(y, defined) for y in program.outputs]
    return written_out(Program(program.inputs, equations, outputs))


def is_foreign(e: Equation) -> bool:
    """Whether NumPy has no word for an equation, and simpler primitives say the same."""
    primitive = e.primitive
    if isinstance(primitive, Part | Structured) or has_spelling(primitive):
        return False
    return type(primitive).expand is not Primitive.expand


def expanded(e: Equation, defined: dict[Node, Any]) -> list[Equation]:
    """The equations that say the same as one; their result takes its place."""
    recording = Recording()
    operands = [current(x, defined) for x in operands_of(e)]
    symbols = [recording.symbol(x) if isinstance(x, Node) else x for x in operands]
    with Running(recording.level, tracing=True), recording:
        found = e.primitive.expand(*symbols)
    role = role_of(e)
    for made in recording.equations:
        made.code, made.offset = e.code, e.offset
        if role is not None:
            made.role = role
    several = isinstance(found, tuple)
    defined[e] = tuple(map(recording.atom, found)) if several else recording.atom(found)
    return recording.equations
