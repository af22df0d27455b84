"""Forward mode: a value carries its tangent through the function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.arriving import arrived, at_home
from ..core.avals import Value, aval_of
from ..core.complexes import check_real
from ..core.dispatch import Tracer, concrete
from ..core.errors import ShapeError, TreeError
from ..core.methods import ArrayMethods
from ..core.modes import Running, modes, new_level
from ..core.primitive import Primitive
from ..core.roles import TANGENT, give_role
from ..core.sweep import fit
from ..core.trees import flatten, match
from ..core.views import Tie, View, follow, tie
from ..ops.arithmetic import scale
from ..ops.control import Structured
from ..ops.stopping import stop_gradient
from ..tape.tensor import Tensor, off_tapes
from .calling import run
from .entering import check_unchanged, entering
from .results import check_numbers, handed_out, owned
from .reverse import as_primal, split_aux


class Dual(ArrayMethods, Tracer):
    """A value with the tangent that it carries (None: a constant of this level)."""

    __slots__ = ("level", "primal", "tangent", "tied")

    tied: Tie  # set on views only
    kept_from = "jvp, jacfwd, hvp or linearize"
    instead_of_keeping = Tensor.instead_of_keeping

    def __init__(self, primal: Value, tangent: Value | None, level: float) -> None:
        self.primal = primal
        self.tangent = tangent
        self.level = level

    @property
    def shape(self) -> Any:
        return self.primal.shape

    @property
    def dtype(self) -> Any:
        return self.primal.dtype

    def concrete(self) -> Any:
        return concrete(self.primal)

    def constant(self, value: Value) -> Dual:
        return Dual(value, None, self.level)

    def carries(self, later: bool = True) -> bool:
        return self.tangent is not None or super().carries(later)

    def refuse(self, act: str, instead: str) -> Any:
        if self.tangent is not None:
            super().refuse(act, instead)
        if isinstance(self.primal, Tracer):
            self.primal.refuse(act, instead)

    def parts(self) -> tuple[Value, ...]:
        return (self.primal,) if self.tangent is None else (self.primal, self.tangent)

    def process(self, primitive: Primitive, xs: tuple[Value, ...]) -> Value:
        level = self.level
        primals: list[Value] = []
        tangents: list[Value | None] = []
        moves = False
        for x in xs:
            if isinstance(x, Dual) and x.level == level:
                primals.append(x.primal)
                tangents.append(x.tangent)
                moves = moves or x.tangent is not None
            else:
                primals.append(x)
                tangents.append(None)
        moves = moves and level >= modes.floor
        change: Value | None = None
        if moves and isinstance(primitive, Structured):
            with np.errstate(all="ignore"):
                out, change = primitive.dual(primals, tangents)
        else:
            out = primitive(*primals)
            if primitive.is_plain:
                return out
            if moves and not primitive.is_constant:
                recorded = [] if modes.recording is None else modes.recording.equations
                before = len(recorded)
                with np.errstate(all="ignore"):
                    change = primitive.push(out, primals, tangents, scale)
                give_role(recorded[before:], TANGENT)
        if isinstance(out, tuple):
            changes = (None,) * len(out) if change is None else change
            return tuple(
                Dual(o, None if c is None else fit(c, o), level)
                for o, c in zip(out, changes, strict=True)
            )
        if change is not None and (change.shape != out.shape or change.dtype is not out.dtype):
            change = fit(change, out)
        made = Dual(out, change, level)
        return tie(made, self, primitive, DualView) if primitive.is_view else made

    def overwrite(self, new: Value) -> None:
        new = self.same_level(new)
        self.primal, self.tangent = new.primal, new.tangent

    def if_constant(self) -> Value | None:
        return self.primal if self.tangent is None else None

    def snapshot(self) -> Dual:
        return Dual(self.primal, self.tangent, self.level)

    def detach(self) -> Value:
        """The value as a constant: no tangent passes, of this level or another."""
        return Dual(stop_gradient(self.primal), None, self.level)


_slots = vars(Dual)


class DualView(View, Dual):
    """A dual number whose NumPy value would share memory with another's."""

    __slots__ = ()

    plain = Dual
    state = _slots["primal"].__get__
    fields = ("primal", "tangent")

    primal = follow(_slots["primal"], _slots["primal"])
    tangent = follow(_slots["tangent"], _slots["primal"])


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
        return y.tangent
    value = primal_of(y, level)
    dtype = value.dtype if isinstance(value, Tracer) else np.result_type(value)
    return at_home(np.zeros(np.shape(value), dtype), value)
