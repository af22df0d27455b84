"""The graph: a leaf for each value that was given, an equation for each operation applied.

The eager tape and a traced program are made of the same two classes.  A node is also the name of
the value it stands for: an equation's operand that the rules do not read is replaced by its node,
which still knows shape and dtype.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

from .avals import Dtype, Shape, Value, describe
from .source import Line, line_of

if TYPE_CHECKING:
    from .primitive import Primitive

next_number = itertools.count(1).__next__


class Notes:
    """What few nodes carry: hooks, a kept gradient, guards over the caller's arrays."""

    __slots__ = ("grad", "guards", "hooks", "owner", "post_hooks", "retains")

    def __init__(self) -> None:
        self.hooks: dict[int, Callable[[Any], Any]] = {}
        self.post_hooks: dict[int, Callable[[Any], Any]] = {}
        self.retains = False
        self.grad: Any = None
        self.owner: Any = None  # the leaf's tensor, for the hooks that are given it
        self.guards: list[Any] = []


class Node:
    """A value in the graph.  `number` grows with time, so that operands come before results."""

    __slots__ = ("__weakref__", "dtype", "notes", "number", "shape")

    number: int
    shape: Shape
    dtype: Dtype
    notes: Notes | None

    @property
    def is_several(self) -> bool:
        """Whether this stands for several results, each of which is a `Part` of it."""
        return self.shape is None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def noted(self) -> Notes:
        """The notes of this node, made when first wanted."""
        if self.notes is None:
            self.notes = Notes()
        return self.notes


class Leaf(Node):
    """A value that was given rather than computed: where gradients are collected."""

    __slots__ = ()

    def __init__(self, shape: Shape, dtype: Dtype) -> None:
        self.number = next_number()
        self.shape = shape
        self.dtype = dtype
        self.notes = None

    def __repr__(self) -> str:
        return f"leaf {describe(self.shape, self.dtype)}"


class Freed:
    """Stands for the operands of an equation that a backward sweep has freed."""

    __slots__ = ("code", "offset")

    def __init__(self, code: CodeType, offset: int) -> None:
        self.code = code
        self.offset = offset

    @property
    def line(self) -> Line:
        """The user's line that freed them."""
        return line_of(self.code, self.offset)


class Role(NamedTuple):
    """What an equation of a traced derivative is for: a "cotangent" or a "tangent".

    Where it is a whole one, `code` and `offset` tell of which value: that which this instruction
    of the user's made.
    """

    kind: str
    code: CodeType | None = None
    offset: int = 0


class Equation(Node):
    """One application of a primitive.

    `parents` has a node for each operand that is differentiated and None for each constant;
    `operands` has the values that the rules read, with the node in place of a value not kept.
    Slots are filled by the recorder, one by one: a constructor call would cost more than the rest.
    `role` is filled only for what a traced derivative adds to the user's own computation.
    """

    __slots__ = ("code", "offset", "operands", "out", "parents", "primitive", "role")

    primitive: Primitive
    parents: tuple[Node | None, ...]
    operands: tuple[Value, ...] | Freed
    out: Value
    code: CodeType
    offset: int
    role: Role

    @property
    def line(self) -> Line:
        """The user's source line that applied the primitive."""
        return line_of(self.code, self.offset)

    def __repr__(self) -> str:
        return f"{self.primitive.name} -> {describe(self.shape, self.dtype)}"
