"""`cond` and `switch`: one of several functions, chosen by a value."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.avals import Aval, Value, aval_of, promote
from ...core.dispatch import Tracer, concrete
from ...core.errors import DtypeError, ShapeError, TreeError
from ...core.program import Program
from ...core.source import here
from ...core.trees import Tree, flatten
from .applying import switch_with
from .bodies import NUMBERS, Body, fitted, together, traced_body
from .guarding import chooses
from .knowing import is_batched, is_known, taking_part


def cond(
    pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], *operands: Any
) -> Any:
    """`true_fn(*operands)` where `pred` holds, else `false_fn(*operands)`.

    Only the chosen function runs; under `vmap` both do where the examples choose for themselves.
    While tracing, both become parts of the program and must give results of the same types; what
    they compute from values that they close over is computed whichever is chosen, but for loops.

    >>> cond(2.0 > 1.0, lambda x: x + 1.0, lambda x: x * 0.0, 5.0)
    6.0
    """
    check_scalar("cond", "the predicate", pred)
    if is_known(pred):
        return true_fn(*operands) if pred else false_fn(*operands)
    flag = pred if pred.dtype.kind == "b" else pred != 0
    return chosen_branch("cond", flag.astype(np.int64), [false_fn, true_fn], operands)


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """`branches[index](*operands)`; an index out of range is brought to the nearest end of it.

    As in `cond`, only the chosen branch runs, but for `vmap` over the index.

    >>> switch(7, [np.sin, np.cos, np.negative], 2.0)
    np.float64(-2.0)
    """
    if not branches:
        raise ShapeError(f"switch: there are no branches, at {here()}; give at least one")
    check_integer("switch", "the index", index)
    if is_known(index):
        return branches[min(max(int(concrete(index)), 0), len(branches) - 1)](*operands)
    return chosen_branch("switch", index, branches, operands)


def check_scalar(name: str, what: str, x: Any) -> None:
    """Raise unless a value that decides is one number."""
    if type(x) in NUMBERS:
        return
    if np.shape(x):
        raise ShapeError(
            f"{name}: {what} is {described(x)}, and one number must decide, at {here()}; reduce it "
            "with np.any or np.all, or choose element by element with np.where"
        )
    if not isinstance(x, Tracer) and np.asarray(x).dtype.kind not in "fciub":
        raise DtypeError(
            f"{name}: {what} is {described(x)}, which is no number, at {here()}; give a bool or a "
            "number"
        )


def check_integer(name: str, what: str, x: Any) -> None:
    """Raise unless a value that counts is one integer."""
    if type(x) is int:
        return
    shape = np.shape(x)
    dtype = x.dtype if isinstance(x, Tracer) else np.asarray(x).dtype
    if shape:
        raise ShapeError(
            f"{name}: {what} is {described(x)} and must be one integer, at {here()}; choose one "
            "element of it, x[0]"
        )
    if dtype.kind not in "iub":
        raise DtypeError(
            f"{name}: {what} is {described(x)} and must be an integer, at {here()}; convert it, "
            "int(x) or x.astype(int)"
        )


def described(x: Any) -> str:
    """A value as messages show it: by its type where it has one, else as it is."""
    if isinstance(x, Tracer | np.ndarray):
        return str(aval_of(x))
    return f"{type(x).__name__} {x!r}"


def chosen_branch(
    name: str, index: Value, branches: Sequence[Callable[..., Any]], operands: tuple[Any, ...]
) -> Any:
    """The results of a branch that is chosen by what is not known now."""
    if is_batched(index):
        return every_branch(name, index, branches, operands)
    leaves, tree = flatten(operands)
    places = [k for k, x in enumerate(leaves) if isinstance(x, Tracer | np.ndarray)]
    moving = [leaves[k] for k in places]

    def on_leaves(branch: Callable[..., Any], *values: Value) -> Any:
        filled = list(leaves)
        for k, x in zip(places, values):
            filled[k] = x
        return branch(*tree.build(filled))

    avals = [aval_of(x) for x in moving]
    bodies = [traced_body(functools.partial(on_leaves, b), avals, is_branch=True) for b in branches]
    trees = [body.tree for body in bodies]
    check_nesting(name, trees)
    constants, programs = together(agreeing(name, bodies))
    return trees[0].build(switch_with(index, programs, [*constants, *moving]))


def check_nesting(name: str, trees: Sequence[Tree]) -> None:
    """Raise unless all branches give results that are nested alike."""
    for k, tree in enumerate(trees):
        if tree != trees[0]:
            raise TreeError(
                f"{name}: {branch_name(name, 0)} returns {trees[0]} and {branch_name(name, k)} "
                f"{tree}, at {here()}; all branches must return what is nested alike"
            )


def branch_name(name: str, k: int) -> str:
    """What messages call a branch."""
    return ("false_fn", "true_fn")[k] if name == "cond" else f"branch {k}"


def agreeing(name: str, bodies: Sequence[Body]) -> list[Body]:
    """The branches with results of the same types: Python numbers take the dtype of the others."""
    columns = list(zip(*(body.results for body in bodies)))
    made = []
    for k, body in enumerate(bodies):
        outputs = []
        for j, (column, path) in enumerate(zip(columns, body.tree.paths)):
            want, first = wanted_type(column)
            what = (
                f"{name}: result{path} is {want} from {branch_name(name, first)} and {column[k]} "
                f"from {branch_name(name, k)}"
            )
            outputs.append(fitted(what, body.program.outputs[j], want, column[k]))
        program = Program(body.program.inputs, body.program.equations, outputs)
        made.append(body._replace(program=program))
    return made


def wanted_type(column: Sequence[Aval]) -> tuple[Aval, int]:
    """The type that a result must have in all branches, and a branch in which it has it."""
    firm = [k for k, a in enumerate(column) if a.weak is None]
    if firm:
        return column[firm[0]], firm[0]
    dtype = promote(*column)
    return Aval((), dtype), [a.dtype for a in column].index(dtype)


def every_branch(
    name: str, index: Value, branches: Sequence[Callable[..., Any]], operands: tuple[Any, ...]
) -> Any:
    """All branches run, and each result chosen example by example."""
    flat = []
    with np.errstate(all="ignore"):  # a branch may warn of examples that do not choose it
        for k, branch in enumerate(branches):
            with taking_part(chooses(index, k, len(branches))):
                flat.append(flatten(branch(*operands)))
    check_nesting(name, [tree for _, tree in flat])
    chosen, tree = flat[-1]
    for k, (leaves, _) in enumerate(flat):
        for x, like, path in zip(leaves, flat[0][0], tree.paths):
            check_result(name, k, x, like, path)
    for k in range(len(flat) - 2, -1, -1):
        chooses_it = index <= k
        chosen = [np.where(chooses_it, x, rest) for x, rest in zip(flat[k][0], chosen)]
    return tree.build(chosen)


def check_result(name: str, k: int, x: Any, like: Any, path: str) -> None:
    """Raise unless a result of branch `k` is a number or an array of the shape of branch 0's."""
    source = branch_name(name, k)
    if not isinstance(x, Tracer) and np.asarray(x).dtype.kind not in "fciub":
        raise DtypeError(
            f"{name}: result{path} is {described(x)} from {source}, which is no number, at "
            f"{here()}; return numbers and arrays"
        )
    if np.shape(x) != np.shape(like):
        raise ShapeError(
            f"{name}: result{path} is {aval_of(like)} from {branch_name(name, 0)} and "
            f"{aval_of(x)} from {source}, at {here()}; both must have the same shape"
        )
