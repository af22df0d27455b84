"""Linear maps as functions: linearise once and apply many times, or transpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.arriving import arrived
from ..core.avals import Value, aval_of
from ..core.complexes import check_real, conjugated
from ..core.dispatch import Tracer
from ..core.errors import MutationError, RuleError, ShapeError
from ..core.modes import Resumed, Running, new_level
from ..core.node import Equation, Node
from ..core.slot import NotLinearError, Slot
from ..core.sweep import fit, sweep
from ..core.trees import flatten, match
from ..tape.guard import Guard
from ..tape.tensor import off_tapes
from .calling import run
from .dual import Dual
from .entering import check_unchanged, entering
from .forward import primal_of
from .held import HeldSlot, guards_of, slots_like
from .results import check_numbers, copied, number, owned
from .reverse import as_primal


def linearize(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of `f(*primals)` and its derivative there as a function of tangents.

    `f` runs once; the returned function only repeats the linear part, so that many directions at
    one point are cheap.

    >>> y, df = linearize(lambda x: np.sin(x) * x, 2.0)
    >>> bool(np.isclose(df(1.0), np.sin(2.0) + 2 * np.cos(2.0)))
    True
    """
    leaves, tree = flatten(primals)
    values = [as_primal(x, "linearize", p) for x, p in zip(leaves, tree.paths, strict=True)]
    values, entered = entering(values)
    level = new_level()
    slots = slots_like(values, new_level())
    duals = [Dual(x, s, level) for x, s in zip(values, slots, strict=True)]
    with Running(level):
        result = run(f, duals, lambda tracers: (tree.build(tracers), {}), values)
    if entered:
        check_unchanged("linearize", entered)
    outs, out_tree = flatten(result)
    check_numbers("linearize", outs, out_tree)
    outs = [off_tapes(y, level) for y in outs]
    value = out_tree.build(map(number, copied(primal_of(y, level) for y in outs)))
    lines = [y.tangent if isinstance(y, Dual) and y.level == level else None for y in outs]
    steps = equations_behind(lines)
    guards = guards_of(steps)

    def derivative(*tangents: Any) -> Any:
        """The directional derivative along `tangents`."""
        check_map("linearize", guards)
        changes = match(tree, tangents, "linearize")
        environment: dict[Node, Value] = {}
        for slot, dx, x, path in zip(slots, changes, values, tree.paths, strict=True):
            if np.shape(dx) != np.shape(x):
                raise ShapeError(
                    f"linearize: the tangent of argument{path} has shape {np.shape(dx)} and its "
                    f"primal {np.shape(x)}; both must be equal"
                )
            dx = arrived(dx)
            check_real(f"linearize: the tangent of argument{path}", dx, x)
            environment[slot.node] = fit(dx, aval_of(x))
        with np.errstate(all="ignore"), Resumed(level):
            for equation in steps:
                xs: Any = equation.operands
                environment[equation] = equation.primitive(
                    *(environment[p] if p is not None else x
                      for p, x in zip(equation.parents, xs, strict=True))
                )  # fmt: skip
        found = [
            environment[line.node] if isinstance(line, Slot) else zeros_of(y, level)
            for line, y in zip(lines, outs, strict=True)
        ]
        return out_tree.build(owned(found, changes))

    return value, derivative


def check_map(name: str, guards: Sequence[Guard]) -> None:
    """Refuse to compute with an array that its owner has changed."""
    if any(guard.is_broken() for guard in guards):
        raise MutationError(
            f"{name}: an array that the linear map reads was changed after it was used; pass a "
            "copy, np.array(a), or change it after the last call of the map"
        )


def zeros_of(y: Any, level: float) -> Value:
    """The tangent of an output that no input moves."""
    x = primal_of(y, level)
    return np.zeros(np.shape(x), np.result_type(x))


def equations_behind(lines: Sequence[Any]) -> list[Equation]:
    """All equations that the given slots were computed by, oldest first."""
    seen: set[Equation] = set()
    stack = [s.node for s in lines if isinstance(s, Slot)]
    while stack:
        node = stack.pop()
        if isinstance(node, Equation) and node not in seen:
            seen.add(node)
            stack.extend(p for p in node.parents if p is not None)
    return sorted(seen, key=lambda e: e.number)


class Unknown(HeldSlot):
    """What a linear function is applied to, to be transposed."""

    __slots__ = ()

    kept_from = "linear_transpose"


def check_linear(step: Equation) -> None:
    """Refuse an operation that adds something to what depends on the inputs."""
    operands: Any = step.operands
    moving = {i for i, parent in enumerate(step.parents) if parent is not None}
    for i, x in enumerate(operands):
        if i in moving or isinstance(x, Tracer):
            continue
        adds = step.primitive.is_linear({i}) and step.primitive.is_linear({*moving, i})
        if adds and np.any(x):
            raise RuleError(
                f"linear_transpose: {step.primitive.label} at {step.line} adds what does not "
                "depend on the inputs, so the function is affine, not linear; subtract its value "
                "at zero"
            )


def linear_transpose(f: Callable[..., Any], *primals: Any) -> Callable[..., Any]:
    """The transpose of a linear function: for f(x) = A x, the function ct -> A^T ct.

    `primals` give shapes and dtypes only.  Raises `RuleError` where `f` is not linear.  For complex
    values the transpose is conjugated (A^H), as gradients are.

    >>> back = linear_transpose(lambda x: 3.0 * x, np.zeros(2))
    >>> back(np.array([1.0, 2.0]))
    (array([3., 6.]),)
    """
    leaves, tree = flatten(primals)
    values = [as_primal(x, "linear_transpose", p) for x, p in zip(leaves, tree.paths, strict=True)]
    level = new_level()
    slots = [Unknown(tuple(x.shape), x.dtype, level) for x in values]
    try:
        with Running(level):
            outs, out_tree = flatten(f(*tree.build(slots)))
    except NotLinearError as error:
        raise RuleError(
            f"linear_transpose: {error.primitive} is not linear in what it is applied to here, so "
            "the function is not linear; take qd.vjp, the transpose of its derivative at a point"
        ) from error
    outs = [off_tapes(y, level) for y in outs]
    for y, path in zip(outs, out_tree.paths, strict=True):
        if not isinstance(y, Slot):
            raise RuleError(
                f"linear_transpose: result{path} does not depend on the inputs, so the function "
                "is affine, not linear; subtract its value at zero"
            )
    steps = equations_behind(outs)
    for step in steps:
        check_linear(step)
    guards = guards_of(steps)

    def transposed(ct: Any) -> Any:
        """The cotangents of the inputs, a tuple like `primals`."""
        check_map("linear_transpose", guards)
        cts = match(out_tree, ct, "linear_transpose")
        seeds = []
        for y, c, path in zip(outs, cts, out_tree.paths, strict=True):
            if np.shape(c) != y.shape:
                raise ShapeError(
                    f"linear_transpose: the cotangent of result{path} has shape {np.shape(c)} and "
                    f"the result {y.shape}; both must be equal"
                )
            c = arrived(c)
            check_real(f"linear_transpose: the cotangent of result{path}", c, y)
            seeds.append((y.node, conjugated(c)))
        found = sweep(seeds, wanted={s.node for s in slots})
        gradients = [found.get(s.node, np.zeros(s.shape, s.dtype)) for s in slots]
        return tree.build(owned(map(conjugated, gradients), cts))

    return transposed
