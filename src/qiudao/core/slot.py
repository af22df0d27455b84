"""A tangent not yet known.  Linear primitives applied to a slot are recorded, not computed.

This is how a statement "the tangent of the result is this linear expression in dx" is read
backwards: record the expression on a slot, then sweep the record with the cotangent.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from .avals import Aval, Dtype, Shape, Value, aval_of
from .dispatch import Tracer, snapshot
from .errors import RuleError
from .methods import ArrayMethods
from .modes import new_level
from .node import Equation, Leaf, Node, next_number
from .source import caller
from .sweep import Masked, Masks, Product, Sweep, unmasked

if TYPE_CHECKING:
    from .primitive import Primitive


class NotLinearError(RuleError):
    """A tangent that is not known yet was used in a way that is not linear in it."""

    def __init__(self, primitive: str) -> None:
        super().__init__(
            f"{primitive}: a tangent statement must be linear in dx, and this use of dx is not; "
            "write the part that is not in terms of the operands"
        )
        self.primitive = primitive


class Slot(ArrayMethods, Tracer):
    """A value of known shape and dtype in which everything computed must be linear."""

    __slots__ = ("level", "node")

    def __init__(self, shape: Shape, dtype: Dtype, level: float | None = None) -> None:
        self.level = new_level() if level is None else level
        self.node: Node = Leaf(shape, dtype)

    @property
    def shape(self) -> Shape:
        return self.node.shape

    @property
    def dtype(self) -> Dtype:
        return self.node.dtype

    def concrete(self) -> Any:
        raise RuleError("slot: a tangent that is not known yet has no value to read")

    def carries(self, later: bool = True) -> bool:
        return True

    def detach(self) -> Value:
        raise RuleError(
            "detach: a linear map that is to be transposed cannot be cut from what it is applied "
            "to; leave .detach() out, or state the other mode as well (jvp beside backward)"
        )

    def overwrite(self, new: Value) -> None:
        raise RuleError(
            "setitem: a linear map that is to be transposed cannot write into an array; "
            "build the result with np.stack, np.concatenate or np.where"
        )

    def process(self, primitive: Primitive, xs: tuple[Value, ...]) -> Value:
        nodes = [x.node if isinstance(x, Slot) and x.level == self.level else None for x in xs]
        if not primitive.is_linear({i for i, node in enumerate(nodes) if node is not None}):
            raise NotLinearError(primitive.label)
        equation = Equation()
        equation.number = next_number()
        equation.notes = None
        operands = tuple(
            self.kept(equation, x) if n is None else n for x, n in zip(xs, nodes, strict=True)
        )
        aval: Aval = primitive.shape(*map(aval_of, operands))
        equation.shape, equation.dtype = aval.shape, aval.dtype
        equation.primitive = primitive
        equation.parents = tuple(nodes)
        equation.operands = operands
        equation.out = None
        equation.code, equation.offset = caller()
        made = object.__new__(type(self))
        made.level, made.node = self.level, equation
        return made

    def kept(self, equation: Equation, x: Value) -> Value:
        """A known operand as the record keeps it: our own statements change no array."""
        return snapshot(x)


def turn(line: Value, slot: Slot, ct: Value, product: Product) -> Value | None:
    """The transpose of the linear expression `line` in `slot`, applied to the cotangent."""
    mask = product.mask if isinstance(product, Masked) else None
    run, alive = transposition(line, slot, ct, mask, unmasked(product))
    return run(None if mask is None else {}, alive).get(slot.node)


def reached(line: Value, slot: Slot, alive: Value) -> Value | None:
    """The lanes of `slot` that the live lanes of the linear expression `line` read (None: all)."""
    nothing = (
        tuple(np.zeros(part.shape) for part in line)
        if isinstance(line, tuple)
        else np.zeros(np.shape(line))
    )
    run, live = transposition(line, slot, nothing, alive, operator.mul)
    masks: Masks = {}
    run(masks, live)
    return masks.get(slot.node.number, np.zeros(slot.shape, bool))


def transposition(
    line: Value, slot: Slot, ct: Value, alive: Value, product: Product
) -> tuple[Sweep, list[Value | None]]:
    """The sweep that turns `line`, not yet run, and the live lanes of its seeds."""
    if isinstance(line, tuple):
        parts = list(zip(line, ct, alive or (None,) * len(line), strict=True))
    else:
        parts = [(line, ct, alive)]
    used = [
        (part.node, c, lanes)
        for part, c, lanes in parts
        if c is not None and isinstance(part, Slot) and part.level == slot.level
    ]
    seeds = [(node, c) for node, c, _ in used]
    return Sweep(seeds, {slot.node}, None, None, product), [lanes for _, _, lanes in used]
