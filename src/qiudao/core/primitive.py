"""One mathematical operation: the class that every rule is written in.

A primitive states its shape, its value and its derivative once.  From that statement come both
modes: `push` (forward: tangents in, tangent out) and `pull` (reverse: cotangent in, cotangents
out).  The families in `families.py` have shorter ways to say the statement.

Cotangents pair with tangents as the real part of their plain product, without a conjugate, so a
holomorphic rule reads the same for real and complex; the public functions conjugate once, on the
way in and out, which gives torch's convention.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Hashable, Sequence
from typing import Any, ClassVar, TypeVar, dataclass_transform

import numpy as np

from .avals import Aval, Value
from .dispatch import Tracer
from .errors import RuleError
from .fields import add_fields
from .node import Node
from .samples import Sample
from .slot import Slot, reached, turn
from .sweep import Product as Product

C = TypeVar("C", bound="type[Primitive]")
Values = Sequence[Value]  # one for each operand
Terms = Sequence[Value | None]  # a tangent or cotangent for each operand, None for a constant
Parents = Sequence[Node | None]  # the node of each operand, None for a constant

registry: list[type[Primitive]] = []


@dataclass_transform(frozen_default=True)
def primitive(cls: C) -> C:
    """Give a class its fields and its name, and enter it in the registry."""
    add_fields(cls)
    cls.name = cls.__name__.lower()
    registry.append(cls)
    return cls


class Primitive:
    """Base of all primitives.  Operands are arrays, scalars or tracers of one call.

    Axes among the fields count from the end, so that a leading batch axis changes nothing.
    """

    name: ClassVar[str] = "primitive"
    samples: ClassVar[tuple[Sample, ...]] = ()
    keeps_out: ClassVar[bool] = True  # whether the derivative reads the result
    keeps_operands: ClassVar[bool] = True  # whether it reads operands that a sweep may free
    is_constant: ClassVar[bool] = False  # whether no derivative passes
    is_plain: ClassVar[bool] = False  # whether what no derivative passes comes without a tracer
    is_view: ClassVar[bool] = False  # whether NumPy's result may share the operand's memory
    is_double: ClassVar[bool] = False  # whether NumPy gives double precision, whatever comes
    is_read_only: ClassVar[bool] = False  # whether NumPy refuses writes through this view
    is_tame: ClassVar[bool] = False  # whether slopes are finite wherever the operands are
    is_selection: ClassVar[bool] = False  # whether a zero slope means "this lane was dropped"
    is_compiled: ClassVar[bool] = False  # whether it is a program of machine code, for NumPy only
    result: int | None = None  # for a `Part`: which of several results it is

    def __call__(self, *xs: Value) -> Value:
        """Apply to operands: compute, and let the highest tracer among them see it."""
        top: Tracer | None = None
        for x in xs:
            if isinstance(x, Tracer) and (top is None or x.level > top.level):
                top = x
        return self.evaluate(*xs) if top is None else top.process(self, xs)

    def __repr__(self) -> str:
        fields = ", ".join(f"{k}={v!r}" for k, v in vars(self).items())
        return f"{self.name}({fields})" if fields else self.name

    @property
    def label(self) -> str:
        """What messages call this operation."""
        return self.name

    def shape(self, *avals: Aval) -> Any:
        """The type of the result: an `Aval`, or a tuple of them."""
        raise RuleError(f"{self.name}: this primitive states no shape")

    def evaluate(self, *xs: Value) -> Value:
        """The value, by NumPy, of operands that are no tracers."""
        raise NotImplementedError

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        """The change of the result per change `dx` of operand `i`, linear in `dx`."""
        raise RuleError(
            f"{self.name}: no derivative is known with respect to operand {i}; "
            "pass it through qd.stop_gradient, or wrap the call with qd.custom_vjp"
        )

    def is_linear(self, positions: set[int]) -> bool:
        """Whether the result is linear in these operands taken together."""
        return False

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        """Forward: the tangent of the result, the sum over operands that have one."""
        terms = [self.tangent(i, dx, out, *xs) for i, dx in enumerate(dxs) if dx is not None]
        return add_all(terms)

    def pushing(
        self, out: Value, xs: Values, dxs: Terms, product: Product
    ) -> Callable[[Terms], Value | None]:
        """`push` as a function of the tangents, to be called for many; `dxs` are None for operands
        that none of them moves.
        """
        return lambda tangents: self.push(out, xs, tangents, product)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """Reverse: the cotangent of each operand that has a parent."""
        return [
            None if parent is None else self._turn(i, ct, out, xs, product)
            for i, parent in enumerate(parents)
        ]

    def _turn(self, i: int, ct: Value, out: Value, xs: Values, product: Product) -> Value:
        """The tangent statement read backwards, by recording it on a slot."""
        slot = Slot(tuple(xs[i].shape), xs[i].dtype)
        return turn(self.tangent(i, slot, out, *xs), slot, ct, product)

    def reach(self, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
        """Which lanes of each operand the `alive` lanes of the result depend on (None: all).

        Where there are several results `alive` is a tuple of their masks, None for no lane.
        """
        if type(self).tangent is Primitive.tangent:
            return reach_of_any(alive, parents)
        lanes: list[Value | None] = []
        for i, parent in enumerate(parents):
            if parent is None:
                lanes.append(None)
            else:
                slot = Slot(tuple(xs[i].shape), xs[i].dtype)
                lanes.append(reached(self.tangent(i, slot, out, *xs), slot, alive))
        return lanes

    def expand(self, *xs: Value) -> Any:
        """The same value by simpler primitives, for the compiler; NotImplemented: none are."""
        return NotImplemented

    def write(self, base: Value, new: Value) -> Value:
        """For a view: `base` with the elements that it shows replaced by those of `new`."""
        raise RuleError(f"{self.name}: this primitive states no write through its view")

    def keep(self, values: Values, parents: Parents) -> tuple[Value, ...]:
        """What the tape keeps of the operands; the node stands for a value not kept."""
        return tuple(values)

    def freed(self) -> None:
        """Called when a sweep has freed what an equation of this primitive kept."""

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        """Apply over a leading axis of length `size`, which the `mapped` operands have."""
        return self(*(x if m else stretch(x, size) for x, m in zip(xs, mapped, strict=True)))


@functools.lru_cache(maxsize=4096)
def once(kind: type[Primitive], *fields: Hashable) -> Primitive:
    """The primitive of a class with these fields, made once: it never changes."""
    return kind(*fields)


def reach_of_any(alive: Value, parents: Parents) -> Terms:
    """All lanes of every operand when any lane of the result is alive, else none."""
    some: Value = np.False_
    for lanes in alive if isinstance(alive, tuple) else (alive,):
        if lanes is not None:
            some = some | np.any(lanes)
    return [
        None if p is None or p.shape is None else np.broadcast_to(some, p.shape) for p in parents
    ]


def stretch(x: Value, size: int) -> Value:
    """Repeat an operand along a new leading axis."""
    return np.broadcast_to(x, (size, *np.shape(x)))


def add_all(terms: Terms) -> Value | None:
    """The sum of the terms that exist, or None.  Several results are summed one by one."""
    total: Value | None = None
    for term in terms:
        if term is None:
            continue
        if total is None:
            total = term
        elif isinstance(term, tuple):
            total = tuple(add_all(pair) for pair in zip(total, term, strict=True))
        else:
            total = operator.add(total, term)
    return total
