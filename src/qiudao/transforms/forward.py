"""Forward mode: a value carries its tangent through the function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.arriving import arrived, at_home
from ..core.avals import Value, aval_of
from ..core.complexes import check_real
from ..core.dispatch import Tracer
from ..core.errors import ShapeError, TreeError
from ..core.modes import Running, new_level
from ..core.plain import ARRAYS
from ..core.sweep import fit
from ..core.trees import flatten, match
from ..tape.tensor import off_tapes
from .calling import run
from .dual import Dual
from .dual_operators import is_constant
from .entering import check_unchanged, entering
from .results import check_numbers, handed_out, owned
from .reverse import as_primal, split_aux


def jvp(f: Callable[..., Any], primals: Any, tangents: Any, *, has_aux: bool = False) -> Any:
    """The value of `f(*primals)` and its directional derivative along `tangents`: (y, J dx).

    `primals` and `tangents` are tuples of equal structure.  With `has_aux`, (y, dy, aux).

    >>> y, dy = jvp(lambda x: x**2, (3.0,), (1.0,))
    >>> float(y), float(dy)
    (9.0, 6.0)
    """
    leaves, tree = flatten(one_for_each("jvp", "primals", primals))
    paths = tree.paths
    values = [as_primal(x, "jvp", p) for x, p in zip(leaves, paths, strict=True)]
    changes = match(tree, one_for_each("jvp", "tangents", tangents), "jvp")
    given = [*values, *map(as_tangent, changes, values, paths)]
    taken, guards = entering(given)
    values = taken[: len(values)]
    level = new_level()
    duals = [Dual(x, dx, level) for x, dx in zip(values, taken[len(values) :], strict=True)]
    with Running(level):
        result = run(f, duals, lambda tracers: (tree.build(tracers), {}), values)
    if guards:
        check_unchanged("jvp", guards)
    aux = None
    if has_aux:
        result, aux = split_aux("jvp", result)
    outs, structure = flatten(result)
    check_numbers("jvp", outs, structure)
    found = [*(primal_of(y, level) for y in outs), *(tangent_of(y, level) for y in outs)]
    found = owned(found, given)
    value, change = structure.build(found[: len(outs)]), structure.build(found[len(outs) :])
    if not has_aux:
        return value, change
    rest, shape = flatten(aux)
    return value, change, shape.build([handed_out(primal_of(x, level)) for x in rest])


def one_for_each(name: str, what: str, given: Any) -> tuple[Any, ...]:
    """A sequence with one entry for each argument, as it must be given."""
    if not isinstance(given, tuple | list):
        raise TreeError(
            f"{name}: {what} is {type(given).__name__}; give a tuple with one entry for each "
            "argument of the function, (x,) for one"
        )
    return tuple(given)


def as_tangent(dx: Any, x: Value, path: str) -> Value:
    """A user's tangent, checked against its primal."""
    dx = arrived(dx)
    if dx.shape != x.shape:
        raise ShapeError(
            f"jvp: the tangent of argument{path} has shape {dx.shape} and its primal "
            f"{x.shape}; both must be equal"
        )
    dx = at_home(dx, x)
    check_real(f"jvp: the tangent of argument{path}", dx, x)
    return fit(dx, aval_of(x)) if dx.dtype != x.dtype else dx


def primal_of(y: Value, level: float) -> Value:
    """An output brought below `level`."""
    y = off_tapes(y, level)
    return y.primal if isinstance(y, Dual) and y.level == level else y


def tangent_of(y: Value, level: float) -> Value:
    """The tangent of an output at `level`, zeros where it has none."""
    y = off_tapes(y, level)
    if isinstance(y, Dual) and y.level == level and y.tangent is not None:
        dy = y.tangent
        return y.primal.constant(dy) if is_constant(y.primal) and type(dy) in ARRAYS else dy
    value = primal_of(y, level)
    dtype = value.dtype if isinstance(value, Tracer) else np.result_type(value)
    return at_home(np.zeros(np.shape(value), dtype), value)
