"""The user's functions as bodies: traced on what a loop carries, their results made to fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.avals import Aval, Value, aval_of, promote
from ...core.dispatch import Tracer
from ...core.errors import DtypeError, ShapeError, TreeError
from ...core.node import Equation, Leaf, Node
from ...core.program import Atom, Program
from ...core.source import here
from ...core.trees import Tree, flatten
from ..trace import Symbol, traced

NUMBERS = (bool, int, float, complex)


class Body(NamedTuple):
    """A traced function of the user's: its program takes its own leaves, then the captured."""

    program: Program
    captured: tuple[Tracer, ...]
    tree: Tree
    weak: list[bool]  # which results are Python numbers, whose dtype may become another

    @property
    def results(self) -> list[Aval]:
        """The types of the results, Python numbers marked as such."""
        return [
            a._replace(weak=type(a.dtype.type(0).item())) if w else a
            for a, w in zip(self.program.results, self.weak)
        ]


def traced_body(f: Callable[..., Any], avals: Sequence[Aval], is_branch: bool = False) -> Body:
    """Trace `f`, which takes a leaf for each type."""
    seen: list[tuple[Tree, list[bool]]] = []

    def flat(*leaves: Value) -> list[Value]:
        outs, tree = flatten(f(*leaves))
        seen.append((tree, [type(y) in NUMBERS for y in outs]))
        return outs

    made = traced(flat, avals, lambda symbols: (symbols, {}), is_branch)
    ((tree, weak),) = seen
    return Body(made.program, made.captured, tree, weak)


def together(bodies: Sequence[Body]) -> tuple[list[Tracer], list[Program]]:
    """What the bodies read from outside, once each, and their programs with all of it in front."""
    constants: dict[Any, Tracer] = {}
    keys: list[list[Any]] = []
    for body in bodies:
        mine: list[Any] = []
        for x in body.captured:
            key: Any = (x.level, id(x.node)) if isinstance(x, Symbol) else id(x)
            while key in mine:
                key = (key, "again")
            mine.append(key)
            constants.setdefault(key, x)
        keys.append(mine)
    programs = []
    for body, mine in zip(bodies, keys):
        inputs = body.program.inputs
        own = len(inputs) - len(mine)
        known = dict(zip(mine, inputs[own:]))
        first = [
            known[key] if key in known else Leaf(tuple(x.shape), x.dtype)
            for key, x in constants.items()
        ]
        programs.append(
            Program((*first, *inputs[:own]), body.program.equations, body.program.outputs)
        )
    return list(constants.values()), programs


def as_operand(x: Any, name: str, path: str) -> Value:
    """A leaf of an operand as an array, or a number of NumPy's or Python's."""
    if isinstance(x, Tracer | np.ndarray | np.generic) or type(x) in NUMBERS:
        return x
    value = np.asarray(x)
    if value.dtype.kind not in "fciub":
        raise DtypeError(
            f"{name}: {path} is {type(x).__name__} {x!r}, which is no number, at {here()}; close "
            "over it instead of passing it"
        )
    return value


def settled(
    name: str,
    step: Callable[[list[Any], list[Any]], Any],
    start: Sequence[Value],
    tree: Tree,
    slices: Sequence[Aval] = (),
) -> tuple[Body, list[Aval]]:
    """A body traced on a carry of types that it keeps, and those types.

    `step` takes the leaves of the carry and the slices, and gives (carry, anything); `tree` is how
    the carry is nested.  A Python number in the start, which widens no dtype, takes the dtype that
    the body gives in its place: so the body first sees the number itself.
    """
    types: list[Any] = [x if type(x) in NUMBERS else aval_of(x) for x in start]
    while True:
        held = [not isinstance(t, Aval) for t in types]

        def run(*leaves: Value, types: list[Any] = types, held: list[bool] = held) -> Any:
            symbols = iter(leaves)
            carry = [t if h else next(symbols) for t, h in zip(types, held)]
            return step(carry, list(symbols))

        body = traced_body(run, [*(t for t in types if isinstance(t, Aval)), *slices])
        check_nesting(name, body.tree.build(range(body.tree.count))[0], tree)
        wider = [
            widened(t, found) if type(x) in NUMBERS else t
            for t, found, x in zip(types, body.results, start)
        ]
        if wider == types:
            return conforming(name, body, types, tree), types
        types = wider


def widened(before: Any, found: Aval) -> Aval:
    """The type of a carry that starts as a Python number, given what the body makes of it."""
    if not isinstance(before, Aval):
        return Aval((), np.result_type(before, promote(found)))
    return Aval((), promote(before, found))


def check_nesting(name: str, carry: Any, tree: Tree) -> list[Any]:
    """The leaves of what a step made of the carry, which must be nested as the start is."""
    leaves, found = flatten(carry)
    if found != tree:
        raise TreeError(
            f"{name}: the carry is nested as {tree} at the start and as {found} after one step, at "
            f"{here()}; both must be nested alike"
        )
    return leaves


def conforming(name: str, body: Body, types: Sequence[Aval], tree: Tree) -> Body:
    """The body with its carry of the given types, or an error that says where it is not."""
    outputs = list(body.program.outputs)
    for k, (want, found, path) in enumerate(zip(types, body.results, tree.paths)):
        outputs[k] = fitted(
            f"{name}: carry{path} is {want} at the start and {found} after one step",
            outputs[k], want, found,
        )  # fmt: skip
    program = Program(body.program.inputs, body.program.equations, outputs)
    return body._replace(program=program)


def fitted(what: str, atom: Atom, want: Aval, found: Aval) -> Atom:
    """A result as it should be: a Python number takes the dtype, all else must have it."""
    if found.shape != want.shape:
        raise ShapeError(f"{what}, at {line_behind(atom)}; both must have the same shape")
    if found.dtype == want.dtype:
        return atom
    if found.weak is not None and promote(found, want) == want.dtype and not isinstance(atom, Node):
        return want.dtype.type(atom)
    raise DtypeError(
        f"{what}, at {line_behind(atom)}; convert one of them, x.astype(np.{want.dtype})"
    )


def line_behind(atom: Atom) -> str:
    """The user's line that computed a result of a body, or else the one that called."""
    if isinstance(atom, Equation):
        return str(atom.line)
    return here()


def started(start: Sequence[Value], types: Sequence[Aval]) -> list[Value]:
    """The first carry in the types that the loop keeps."""
    return [np.asarray(x, t.dtype)[()] if type(x) in NUMBERS else x for x, t in zip(start, types)]
