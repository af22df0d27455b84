"""`while_loop` and `fori_loop`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...core.avals import Aval, Value
from ...core.dispatch import concrete
from ...core.errors import ShapeError
from ...core.modes import modes
from ...core.program import Program
from ...core.source import here
from ...core.trees import flatten
from ...ops.control import CapacityError
from .applying import scan_with, while_with
from .bodies import as_operand, check_nesting, settled, started, together, traced_body
from .branches import check_integer, check_scalar
from .knowing import for_the_live, in_any_example, is_batched, is_known, taking_part


def while_loop(
    cond_fn: Callable[[Any], Any],
    body_fn: Callable[[Any], Any],
    init: Any,
    *,
    max_steps: int | None = None,
) -> Any:
    """`value = body_fn(value)` from `init` on, as long as `cond_fn(value)` holds.

    More than `max_steps` steps raise `CapacityError`.  Reverse mode of a traced loop remembers the
    value before every step, for which `max_steps` gives the room.  Under `vmap` the loop goes on
    until every example is done, and those that are done stay as they are.

    >>> while_loop(lambda v: v < 100, lambda v: v * 2, 3)
    192
    """
    if max_steps is not None and max_steps < 1:
        raise ShapeError(
            f"while_loop: max_steps={max_steps} is no number of steps, at {here()}; give 1 or more"
        )
    if modes.tracing:
        return traced_while(cond_fn, body_fn, init, max_steps or 0)
    value, steps = init, 0
    while True:
        going = cond_fn(value)
        check_scalar("while_loop", "the condition", going)
        going = for_the_live(going)
        if is_batched(going):
            return until_all_are_done(cond_fn, body_fn, value, going, steps, max_steps)
        if not going:
            return value
        check_steps(steps, max_steps)
        value = body_fn(value)
        steps += 1


def check_steps(steps: int, max_steps: int | None) -> None:
    """Raise where another step would be one too many."""
    if max_steps is not None and steps >= max_steps:
        raise CapacityError(max_steps)


def until_all_are_done(
    cond_fn: Callable[[Any], Any],
    body_fn: Callable[[Any], Any],
    value: Any,
    going: Value,
    steps: int,
    max_steps: int | None,
) -> Any:
    """The loop for a batch; examples that are done stay as they are."""
    while in_any_example(going):
        check_steps(steps, max_steps)
        before, tree = flatten(value)
        with np.errstate(all="ignore"), taking_part(going):  # the body may warn of what is done
            after = check_nesting("while_loop", body_fn(value), tree)
            value = tree.build([np.where(going, y, x) for x, y in zip(before, after)])
            going = np.logical_and(going, cond_fn(value))
        steps += 1
    return value


def traced_while(
    cond_fn: Callable[[Any], Any], body_fn: Callable[[Any], Any], init: Any, bound: int
) -> Any:
    """The loop as part of the program that is being traced."""
    leaves, tree = flatten(init)
    start = [as_operand(x, "while_loop", f"init{path}") for x, path in zip(leaves, tree.paths)]
    body, types = settled(
        "while_loop", lambda carry, _: (body_fn(tree.build(carry)), ()), start, tree
    )

    def holds(*carry: Value) -> Value:
        going = cond_fn(tree.build(carry))
        check_scalar("while_loop", "the condition", going)
        return going if np.result_type(going).kind == "b" else going != 0

    condition = traced_body(holds, types)
    constants, (on, step) = together([condition, body])
    made = while_with(on, step, constants, started(start, types), 0, bound)
    return tree.build(made[: tree.count])


def fori_loop(lower: Any, upper: Any, body_fn: Callable[[Any, Any], Any], init: Any) -> Any:
    """`value = body_fn(i, value)` for i from `lower` to `upper` - 1, starting with `init`.

    The index is a Python integer, and while tracing a symbol that stands for an int64.

    >>> fori_loop(0, 4, lambda i, v: v + i, 10)
    16
    """
    check_integer("fori_loop", "the lower end", lower)
    check_integer("fori_loop", "the upper end", upper)
    if not (is_known(lower) and is_known(upper)):
        return while_loop(
            lambda state: state[0] < upper,
            lambda state: (state[0] + 1, body_fn(*state)),
            (lower + np.int64(0), init),
        )[1]
    first, last = int(concrete(lower)), int(concrete(upper))
    if modes.tracing:
        return traced_fori(first, last, body_fn, init)
    value = init
    for i in range(first, last):
        value = body_fn(i, value)
    return value


def traced_fori(first: int, last: int, body_fn: Callable[[Any, Any], Any], init: Any) -> Any:
    """The loop of known length as part of the program that is being traced."""
    leaves, tree = flatten(init)
    start = [as_operand(x, "fori_loop", f"init{path}") for x, path in zip(leaves, tree.paths)]
    body, types = settled(
        "fori_loop",
        lambda carry, place: (body_fn(place[0], tree.build(carry)), ()),
        start,
        tree,
        [Aval((), np.dtype(np.int64))],
    )
    constants, programs = together([body])
    step: Program = programs[0]
    places = np.arange(first, max(first, last))
    made = scan_with(step, constants, started(start, types), [places], len(places), False)
    return tree.build(made)
