"""Loops whose end hangs on a traced value: what they go through, and how control leaves them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ...core.avals import Value, aval_of
from ...core.dispatch import Tracer
from .branch import continued, proceed, split
from .carrying import Loop
from .columns import Columns, element, reader
from .courses import Range, Steps, Turned
from .outcomes import BACK, END, FELL, OFF, Outcome
from .sites import Cells, Site
from .state import is_numeric, nest, unknown


def loop(site: Site, it: Any, here: Any) -> None:
    """A structured loop from which no jump leads out."""
    run_loop(site, it, Cells(here))


def run_loop(site: Site, it: Any, cells: Cells) -> Outcome:
    """A structured loop and its `else`; how control leaves."""
    left = over(site, it, cells)
    if not site.node.orelse or FELL not in left.possible:
        return calmed(left)
    otherwise = site.piece("else", cells)
    if left.possible == {FELL}:
        return otherwise() or END
    # its jumps lead further than `break` does
    held = calmed(left._replace(possible=left.possible - {FELL}))
    return split(site, left.signal == FELL, cells, otherwise, lambda: held, site.live)


def calmed(left: Outcome) -> Outcome:
    """The way out of a loop: `break` leads to what follows."""
    if BACK not in left.possible:
        return END
    if OFF not in left.possible:
        return left
    signal = np.where(left.signal == OFF, FELL, left.signal)
    return Outcome(signal, left.value, (left.possible - {OFF}) | {FELL})


def over(site: Site, it: Any, cells: Cells) -> Outcome:
    """A loop by its kind."""
    step = site.piece("step", cells)
    if not isinstance(it, Steps | Turned):
        test = site.piece("test", cells)
        first = test().value if it.rewound else it.test
        certain = not unknown(first) and bool(first)
        return Loop(site, cells, step, test, first, certain).run()
    values = it.remaining
    if isinstance(values, Range):
        return counted(site, cells, step, values.length, values.at, False)
    if isinstance(values, range):
        known = Range(values.start, values.stop, values.step)
        return counted(site, cells, step, len(values), known.at, True)
    if isinstance(values, np.ndarray | Tracer):
        return counted(site, cells, step, values.shape[0], lambda k: element(values, k), True)
    if isinstance(values, Columns):
        return counted(site, cells, step, len(values), reader(values), True)
    values = list(values)
    stacks = stacked(values)
    if stacks is not None:
        return counted(site, cells, step, len(values), stacks, True)
    return unrolled(site, cells, step, values)


def stacked(values: list[Any]) -> Callable[[Value], Any] | None:
    """Values of one type as arrays with a leading axis, read at k; None where types differ."""
    nests = [nest(v) for v in values]
    first = nests[0]
    if any(n.tree != first.tree for n in nests):
        return None
    columns = list(zip(*(n.leaves for n in nests), strict=True))
    for column in columns:
        if not all(map(is_numeric, column)):
            return None
        kinds = {(aval_of(x).shape, aval_of(x).dtype) for x in column}
        if len(kinds) > 1:
            return None
    arrays = [np.stack([as_array(x) for x in column]) for column in columns]
    return lambda k: first.tree.build(element(a, k) for a in arrays)


def as_array(x: Value) -> Value:
    """A number or array or tracer, with its axes."""
    return x if isinstance(x, Tracer) else np.asarray(x)


def unrolled(site: Site, cells: Cells, step: Callable[[Any], Any], values: list[Any]) -> Outcome:
    """A loop through values of different types: each step a decision of its own."""
    left = END
    for item in values:
        left = continued(proceed(site, left, cells, functools.partial(step, item), site.head))
    return left


def counted(
    site: Site, cells: Cells, step: Callable[[Any], Any], length: Any, at: Callable[[Value], Any],
    certain: bool,
) -> Outcome:  # fmt: skip
    """A `for` loop of `length` steps, of which one is taken at least where that is `certain`."""
    made = Loop(site, cells, lambda k: step(at(k)), lambda k: k < length, length > 0, certain)
    made.count = True
    made.bound = length if isinstance(length, int) else None
    return made.run()
