"""The values of forward mode: each carries its tangent through the function."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.dispatch import OneOperand, Tracer, TwoOperands, concrete, on_short_roads
from ..core.methods import ArrayMethods
from ..core.modes import modes
from ..core.plain import MOVES, PLAIN
from ..core.primitive import Primitive, Terms, Values
from ..core.quiet import quiet
from ..core.roles import TANGENT, give_role
from ..core.views import Tie, View, follow, tie
from ..ops.arithmetic import scale
from ..ops.control import Structured
from ..ops.stopping import stop_gradient
from ..tape.tensor import Tensor
from .directions import APART, fitted, in_directions, is_several, moved

# The short roads of `dual_operators.py`, by ufunc.
one_operand: OneOperand = {}
two_operands: TwoOperands = {}


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

    __array_ufunc__ = on_short_roads(one_operand, two_operands)

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
                change = change_of(primitive, out, primals, tangents)
        if isinstance(out, tuple):
            changes = (None,) * len(out) if change is None else change
            return tuple(Dual(o, fitted(c, o), level) for o, c in zip(out, changes, strict=True))
        made = Dual(out, fitted(change, out), level)
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


def change_of(primitive: Primitive, out: Value, xs: Values, dxs: Terms) -> Value | None:
    """The tangent of a result of operands with these tangents."""
    if isinstance(primitive, APART) and PLAIN.issuperset(map(type, xs)):
        if MOVES.issuperset(map(type, dxs)):
            return quiet.run(primitive.push, out, xs, dxs, moved)
        if type(out) is not tuple and all(map(is_several, dxs)):
            return quiet.run(in_directions, primitive, out, xs, dxs)
    recorded = [] if modes.recording is None else modes.recording.equations
    before = len(recorded)
    with np.errstate(all="ignore"):
        change = primitive.push(out, xs, dxs, scale)
    give_role(recorded[before:], TANGENT)
    return change


_slots = vars(Dual)


class DualView(View, Dual):
    """A dual number whose NumPy value would share memory with another's."""

    __slots__ = ()

    plain = Dual
    state = _slots["primal"].__get__
    fields = ("primal", "tangent")

    primal = follow(_slots["primal"], _slots["primal"])
    tangent = follow(_slots["tangent"], _slots["primal"])
