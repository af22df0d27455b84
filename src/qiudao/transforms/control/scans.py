"""`scan` and `map`: a function stepped through arrays, with and without something carried."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.avals import Aval, Value, aval_of, promote
from ...core.dispatch import Tracer
from ...core.errors import ShapeError, TreeError
from ...core.modes import modes
from ...core.program import Program
from ...core.source import here
from ...core.trees import Tree, flatten
from ..checkpoint import checkpoint as forgetting
from .applying import scan_with
from .bodies import NUMBERS, as_operand, settled, started, together
from .running import avals_of, program_of, split

Step = Callable[[Any, Any], tuple[Any, Any]]


def scan(
    f: Step,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    checkpoint: int | str | None = None,
) -> tuple[Any, Any]:
    """`carry, y = f(carry, x)` for each x along the first axis of `xs`: the last carry, and the ys
    stacked.

    `xs` is any pytree of arrays with first axes of equal length, or None with a `length`.  With
    `reverse` the steps go from the last x to the first.  Reverse mode remembers every carry, or
    with `checkpoint=k` every k-th ("sqrt": so that k and the number of those are about equal), and
    computes the others again.

    >>> scan(lambda total, x: (total + x, total * x), 0.0, np.array([1.0, 2.0, 3.0]))
    (np.float64(6.0), array([0., 2., 9.]))
    """
    check_length(length)
    return stepped("scan", f, init, xs, length, reverse, checkpoint)


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """`f` of each slice along the first axis of `xs`, one after the other, stacked.

    `vmap` computes them all at once, and is faster where there is room for it.

    >>> map(lambda x: x.sum(), np.ones((2, 3)))
    array([3., 3.])
    """
    return stepped("map", lambda _, x: ((), f(x)), (), xs)[1]


def stepped(
    name: str,
    f: Step,
    init: Any,
    xs: Any,
    length: int | None = None,
    reverse: bool = False,
    checkpoint: int | str | None = None,
) -> tuple[Any, Any]:
    """A scan, which messages call `name`."""
    leaves, tree = flatten(xs)
    arrays: list[Value] = [x if isinstance(x, Tracer) else np.asarray(x) for x in leaves]
    steps = common_length(name, arrays, tree, length)
    chunk = chunk_length(checkpoint, steps)
    run = traced_scan if modes.tracing or not steps else plain_scan
    return run(name, f, init, arrays, tree, steps, reverse, chunk)


def common_length(
    name: str,
    arrays: Sequence[Value],
    tree: Tree,
    length: int | None,
    axis: str = "the first axis of xs",
) -> int:
    """The number of steps: the length of all first axes, which messages call `axis`."""
    steps, whose = length, "length"
    for x, path in zip(arrays, tree.paths):
        if not np.shape(x):
            raise ShapeError(
                f"{name}: xs{path} is {aval_of(x)}, which has no axis to step along, at {here()}; "
                "close over what is the same in every step"
            )
        if steps is None:
            steps, whose = x.shape[0], f"{axis}{path}"
        elif x.shape[0] != steps:
            raise ShapeError(
                f"{name}: {axis}{path} is {x.shape[0]} long and {whose} is {steps}, at {here()}; "
                "both must be equal"
            )
    if steps is None:
        instead = "pass length=n" if name == "scan" else "pass one"
        raise ShapeError(
            f"{name}: without an array the number of steps is unknown, at {here()}; {instead}"
        )
    return steps


def check_length(length: Any) -> None:
    """Raise where a number of steps is given that is none."""
    if length is not None and (not isinstance(length, int | np.integer) or length < 0):
        raise ShapeError(
            f"scan: length={length!r} is no number of steps, at {here()}; give an integer, 0 or "
            "more"
        )


def chunk_length(checkpoint: int | str | None, steps: int) -> int:
    """How many steps lie between the carries that are remembered; 1 remembers them all."""
    if checkpoint is None:
        return 1
    if checkpoint == "sqrt":
        return max(1, math.isqrt(steps))
    if isinstance(checkpoint, bool) or not isinstance(checkpoint, int) or checkpoint < 1:
        raise ShapeError(
            f"scan: checkpoint={checkpoint!r} is neither 'sqrt' nor a number of steps, at "
            f"{here()}; give 1 or more"
        )
    return min(checkpoint, max(1, steps))


def checked_pair(answer: Any) -> tuple[Any, Any]:
    """What a step gave, which must be (carry, y)."""
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise TreeError(
            f"scan: a step must return (carry, y), and it returned {type(answer).__name__}, at "
            f"{here()}; return (carry, None) where there is nothing to stack"
        )
    return answer


def plain_scan(
    name: str,
    f: Step,
    init: Any,
    arrays: list[Value],
    tree: Tree,
    steps: int,
    reverse: bool,
    chunk: int,
) -> tuple[Any, Any]:
    """The loop run by Python."""

    def run(carry: Any, slices: list[Value], count: int) -> tuple[Any, list[Any]]:
        ys = []
        for i in reversed(range(count)) if reverse else range(count):
            carry, y = checked_pair(f(carry, tree.build([x[i] for x in slices])))
            ys.append(y)
        return carry, ys[::-1] if reverse else ys

    carry = init
    ys: list[Any] = []
    run_chunk = run if chunk == 1 else forgetting(run)
    for a, b in chunks(steps, chunk if chunk > 1 else steps, reverse):
        carry, made = run_chunk(carry, [x[a:b] for x in arrays], b - a)
        ys = [*made, *ys] if reverse else [*ys, *made]
    flat: list[list[Any]] = []
    structure: Tree | None = None
    for y in ys:
        leaves, found = flatten(y)
        if structure is not None and found != structure:
            raise TreeError(
                f"{name}: y is nested as {structure} in one step and as {found} in another, at "
                f"{here()}; all must be nested alike"
            )
        structure = found
        flat.append(leaves)
    if structure is None:
        return carry, []
    columns = [stacked(name, ys, path) for ys, path in zip(zip(*flat), structure.paths)]
    return carry, structure.build(columns)


def stacked(name: str, column: Sequence[Any], path: str) -> Value:
    """The ys of one place stacked; Python numbers among them take the dtype of the others."""
    first = np.shape(column[0])
    for y in column:
        if np.shape(y) != first:
            raise ShapeError(
                f"{name}: y{path} has shape {first} in one step and {np.shape(y)} in another, at "
                f"{here()}; all must have the same shape"
            )
    numbers = [type(y) in NUMBERS for y in column]
    if any(numbers) and not all(numbers):
        dtype = promote(*(aval_of(y) for y in column))
        column = [np.asarray(y, dtype) if n else y for y, n in zip(column, numbers)]
    return np.stack(column)


def chunks(steps: int, size: int, reverse: bool) -> list[tuple[int, int]]:
    """Where the chunks of a scan begin and end, in the order of the steps."""
    if reverse:
        return [(max(b - size, 0), b) for b in range(steps, 0, -size)]
    return [(a, min(a + size, steps)) for a in range(0, steps, size)]


def traced_scan(
    name: str,
    f: Step,
    init: Any,
    arrays: list[Value],
    tree: Tree,
    steps: int,
    reverse: bool,
    chunk: int,
) -> tuple[Any, Any]:
    """The loop as part of the program that is being traced."""
    leaves, carry_tree = flatten(init)
    start = [as_operand(x, name, f"init{path}") for x, path in zip(leaves, carry_tree.paths)]
    n = len(start)
    nested: list[Tree] = []

    def step(carry: list[Value], slices: list[Value]) -> Any:
        new, y = checked_pair(f(carry_tree.build(carry), tree.build(slices)))
        nested[:] = [flatten(y)[1]]
        return new, y

    slices = [Aval(a.shape[1:], a.dtype) for a in avals_of(arrays)]
    body, types = settled(name, step, start, carry_tree, slices)
    constants, (program,) = together([body])
    start = started(start, types)
    if chunk == 1:
        made = scan_with(program, constants, start, arrays, steps, reverse)
    else:
        made = scan_in_chunks(program, constants, start, arrays, steps, reverse, chunk)
    return carry_tree.build(made[:n]), nested[0].build(made[n:])


def scan_in_chunks(
    body: Program,
    constants: Sequence[Value],
    start: list[Value],
    arrays: list[Value],
    steps: int,
    reverse: bool,
    chunk: int,
) -> list[Value]:
    """A scan of scans of `chunk` steps, which remembers a carry for each of them, and a last scan
    of the steps that are left.
    """
    c, n = len(constants), len(start)
    count, left = divmod(steps, chunk)

    def many(*values: Value) -> list[Value]:
        given, carry, slices = split(values, c, n)
        return scan_with(body, given, carry, slices, chunk, reverse)

    whole = slice(left, steps) if reverse else slice(0, steps - left)
    rest = slice(0, left) if reverse else slice(steps - left, steps)
    chunked = [np.reshape(x[whole], (count, chunk, *x.shape[1:])) for x in arrays]
    rows = [Aval(a.shape[1:], a.dtype) for a in avals_of(chunked)]
    outer = program_of(many, [*avals_of(constants, start), *rows])
    carry, ys = split(scan_with(outer, constants, start, chunked, count, reverse), n)
    ys = [np.reshape(y, (count * chunk, *y.shape[2:])) for y in ys]
    if left:
        made = scan_with(body, constants, carry, [x[rest] for x in arrays], left, reverse)
        carry, last = split(made, n)
        pairs = zip(last, ys) if reverse else zip(ys, last)
        ys = [np.concatenate(pair) for pair in pairs]
    return [*carry, *ys]
