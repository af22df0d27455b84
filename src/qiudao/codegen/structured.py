"""Structured loops and branches, written with their bodies in line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.avals import Aval, aval_of
from ..core.node import Equation, Node
from ..core.program import Program, operands_of
from ..ops.control import Rows, Scan, Switch, While
from ..ops.products import MatMul
from .blocks import write_rows
from .carried import Carried, CarriedWhile, overwrites
from .code import UNKNOWN, Buffer
from .element import Place, constant
from .failures import OVERFLOW, fail

if TYPE_CHECKING:
    from .scope import Scope

TURNED = 1 << 12  # elements up to which a matrix is copied for the steps of a loop


def write_control(scope: Scope, equation: Equation) -> None:
    """A structured loop or a branch."""
    primitive: Any = equation.primitive
    results = [
        scope.result_buffer(equation, k, aval) for k, aval in enumerate(results_of(equation))
    ]
    operands = [scope.place(x) for x in operands_of(equation)]
    if isinstance(primitive, Scan):
        write_scan(scope, primitive, operands, results)
    elif isinstance(primitive, While):
        write_while(scope, primitive, operands, results)
    elif isinstance(primitive, Rows):
        write_rows(scope, primitive, operands, results)
    else:
        write_switch(scope, primitive, operands, results)
    scope.places[equation] = tuple(map(scope.loaded, results))


def write_scan(
    scope: Scope, scan: Scan, operands: Sequence[Place], results: Sequence[Buffer]
) -> None:
    """The last step writes the carry where it is wanted; no carry of many elements is copied.

    With a record, each step reads its carry there, and writes the next a row on.
    """
    c, n, count = scan.constants, scan.carries, len(scan.body.outputs)
    constants, first, xs = operands[:c], operands[c : c + n], operands[c + n :]
    carry, ys, record = results[:n], results[n:count], results[count:]
    records: Sequence[Buffer | None] = record or (None,) * n
    inner = zip(scan.body.inputs[c : c + n], scan.body.outputs)
    written = [overwrites(scan.body, *each) for each in inner]
    kept = [Carried(scope, *each, scan) for each in zip(carry, records, written, strict=True)]
    for place, each in zip(first, kept, strict=True):
        scope.store(place, each.first())
    turned = turn(scope, scan.body, constants)
    with scope.code.loop(scan.length, steps=True) as k:
        i = k
        if scan.reverse:
            i = scope.code.op(f"sub nsw i64 {scan.length - 1}, {k}")
        slices = [scope.row(x, i) for x in xs if isinstance(x, Buffer)]
        now = [each.now(k, i) for each in kept]
        targets = [each.next(k, i) for each in kept]
        targets += [scope.row(y, i) for y in ys]
        scope.write_body(scan.body, [*constants, *now, *slices], targets, turned=turned)
        for each in kept:
            each.end()


def turn(scope: Scope, body: Program, constants: Sequence[Place]) -> dict[Node, Buffer]:
    """Copies, column by column, of the small matrices that steps of a loop multiply vectors by.

    A product of such a copy and a vector is a sum of columns, which are read as vectors.
    """
    found: dict[Node, Buffer] = {}
    given = dict(zip(body.inputs, constants))
    for e in body.equations:
        matrix = operands_of(e)[0] if is_matrix_vector(e) else None
        if not isinstance(matrix, Node) or matrix in found:
            continue
        place = given.get(matrix)
        if not isinstance(place, Buffer) or place.size > TURNED:
            continue
        rows, columns = place.shape
        if place.strides[0] != 1 and min(rows, columns) > 1:
            made = scope.new_buffer(place.shape, place.dtype)
            made = made._replace(strides=(1, rows))
            scope.copy(place, made)
            found[matrix] = made
    return found


def write_while(
    scope: Scope, loop: While, operands: Sequence[Place], results: Sequence[Buffer]
) -> None:
    """As a scan, with a condition before each step."""
    code, c, n = scope.code, loop.constants, loop.carries
    constants, first = operands[:c], operands[c:]
    carry, count, record = results[:n], results[n], results[n + 1 :]
    inner = zip(loop.body.inputs[c:], loop.body.outputs)
    written = [not record and overwrites(loop.body, *each) for each in inner]
    kept = [CarriedWhile(scope, *each) for each in zip(carry, written, strict=True)]
    for place, buffer in zip(first, carry, strict=True):
        scope.store(place, buffer)
    for stack in record:
        scope.fill(stack)
    scope.scalars.store(constant(0), count, 0)
    head, body, end = map(code.label, ("head", "body", "end"))
    code.jump(head)
    code.start(head)
    with code.repeated(UNKNOWN, steps=True):
        i = scope.scalars.register(scope.scalars.load(count, 0))
        is_even = code.op(f"icmp eq i64 {code.op(f'and i64 {i}, 1')}, 0")
        now = [each.now(is_even) for each in kept]
        (condition,) = scope.write_body(loop.condition, [*constants, *now], [None])
        goes_on = scope.scalars.truth(scope.loaded(condition))  # type: ignore[arg-type]
        code.branch(scope.scalars.register(goes_on), body, end)
        code.start(body)
        limit = loop.capacity or loop.bound
        if limit:
            full = code.op(f"icmp sge i64 {i}, {limit}")
            fail(code, full, OVERFLOW, limit)
            on = code.label("room")
            code.branch(full, end, on)
            code.start(on)
        for stack, buffer in zip(record, now):
            scope.store(scope.loaded(buffer), scope.row(stack, i))
        targets = [each.next(is_even) for each in kept]
        scope.write_body(loop.body, [*constants, *now], targets)
        for each in kept:
            each.end()
        code.do(f"store i64 {code.op(f'add nsw i64 {i}, 1')}, ptr {count.pointer}")
    code.jump(head)
    code.start(end)
    for each in kept:
        each.finish(is_even)


def write_switch(
    scope: Scope, switch: Switch, operands: Sequence[Place], results: Sequence[Buffer]
) -> None:
    """Each branch writes the results; the last is taken for all larger numbers."""
    code = scope.code
    chosen = scope.scalars.cast(scope.loaded(operands[0]), np.dtype(np.int64))  # type: ignore[arg-type]
    last = len(switch.branches) - 1
    labels = [code.label("case") for _ in switch.branches]
    end = code.label("end")
    low = scope.scalars.maximum(chosen, constant(0))
    number = scope.scalars.register(scope.scalars.minimum(low, constant(last)))
    cases = " ".join(f"i64 {k}, label %{label}" for k, label in enumerate(labels[:-1]))
    code.do(f"switch i64 {number}, label %{labels[-1]} [ {cases} ]")
    for label, branch in zip(labels, switch.branches, strict=True):
        code.start(label)
        scope.write_body(branch, operands[1:], results)
        code.jump(end)
    code.start(end)


def is_matrix_vector(equation: Equation) -> bool:
    """Whether an equation is a matrix times a vector."""
    return isinstance(equation.primitive, MatMul) and (
        [aval_of(x).ndim for x in operands_of(equation)] == [2, 1]
    )


def results_of(equation: Equation) -> list[Aval]:
    """The types of the results of an equation."""
    stated: Any = equation.primitive.shape(*map(aval_of, operands_of(equation)))
    return [stated] if isinstance(stated, Aval) else list(stated)
