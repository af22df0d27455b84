"""The graph: a leaf for each value that was given, an equation for each operation applied.

The eager tape and a traced program are made of the same two classes.  A node is also the name of
the value it stands for: an equation's operand that the rules do not read is replaced by its node,
which still knows shape and dtype.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .avals import Dtype, Shape, Value, describe
from .source import Line, is_ours, line_of, users

if TYPE_CHECKING:
    from .primitive import Primitive

next_number = itertools.count(1).__next__


UNSET = object()  # stands for an attribute that the user has not given


class Notes:
    """What few nodes carry: hooks, a kept gradient, guards over the caller's arrays."""

    __slots__ = (
        "after",
        "before",
        "grad",
        "grad_dtype",
        "groups",
        "guards",
        "hooks",
        "metadata",
        "owner",
        "post_hooks",
        "retains",
    )

    def __init__(self) -> None:
        self.hooks: dict[int, Callable[[Any], Any]] = {}
        self.post_hooks: dict[int, Callable[[Any], Any]] = {}
        self.before: dict[int, Callable[..., Any]] = {}  # hooks around the rule of an equation
        self.after: dict[int, Callable[..., Any]] = {}
        self.groups: dict[int, Group] = {}  # the hooks on several nodes that this one belongs to
        self.metadata: dict[Any, Any] = {}
        self.retains = False
        self.grad: Any = None
        self.grad_dtype: Any = UNSET
        self.owner: Any = None  # the leaf's tensor, for the hooks that are given it
        self.guards: list[Any] = []

    @property
    def are_called(self) -> bool:
        """Whether the user's functions are shown the cotangent."""
        return bool(self.hooks or self.groups or self.before or self.after)


class Group(Protocol):
    """Several nodes that a hook watches together."""

    def arrived(self, cts: dict[Node, Value]) -> None:
        """One more of the nodes has its cotangent."""

    def finished(self, cts: dict[Node, Value]) -> None:
        """The sweep is over; these are the nodes that it came to."""


class Node:
    """A value in the graph.  `number` grows with time, so that operands come before results."""

    __slots__ = ("__weakref__", "dtype", "notes", "number", "shape")

    number: int
    shape: Shape
    dtype: Dtype
    notes: Notes | None
    register_hook: Callable[..., Any]  # these are set by the tape, whose tensors hooks are given
    register_prehook: Callable[..., Any]

    # How torch's users walk the graph

    def name(self) -> str:
        """What made this value."""
        return "leaf"

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The nodes that this was computed from, None for a constant, and which of the results of
        each it was.
        """
        return ()

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dictionary for the user's own notes on this node."""
        return self.noted().metadata

    @property
    def is_several(self) -> bool:
        """Whether this stands for several results, each of which is a `Part` of it."""
        return self.shape is None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def retains(self) -> bool:
        """Whether the user asked a sweep to keep the cotangent of this computed value."""
        return self.notes is not None and self.notes.retains

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


class Held(NamedTuple):
    """An array that an equation keeps, in the form that the user's hook gave it."""

    packed: Any
    unpack: Callable[[Any, Equation], Value]


class Packed(tuple[Any, ...]):
    """The operands of an equation with each array `Held`, and its result likewise."""

    out: Any

    def restore(self, node: Equation) -> tuple[tuple[Value, ...], Value]:
        """The operands and the result as they were."""
        return tuple(unpacked(x, node) for x in self), unpacked(self.out, node)


def unpacked(x: Any, node: Equation) -> Value:
    """What a hook packed, as it was."""
    if isinstance(x, Held):
        return x.unpack(x.packed, node)
    return tuple(unpacked(part, node) for part in x) if type(x) is tuple else x


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
    operands: tuple[Value, ...] | Packed | Freed
    out: Value
    code: CodeType
    offset: int
    role: Role

    def name(self) -> str:
        return self.primitive.name

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        return tuple(place_of(parent) for parent in self.parents)

    @property
    def line(self) -> Line:
        """The user's source line that applied the primitive."""
        return line_of(self.code, self.offset)

    def __repr__(self) -> str:
        return f"{self.primitive.name} -> {describe(self.shape, self.dtype)}"


def place_of(node: Node | None) -> tuple[Node | None, int]:
    """A value as the equation that computed it, and which of its results this is."""
    if isinstance(node, Equation) and node.primitive.result is not None:
        return node.parents[0], node.primitive.result
    return node, 0


def placed(made: Any) -> Any:
    """What an operator made within a function of ours, recorded where the user called that.

    Operators on short roads take their caller for the user: looking further would cost them much.
    """
    node = getattr(made, "node", None)
    if isinstance(node, Equation) and is_ours(node.code.co_filename):
        node.code, node.offset = users(sys._getframe(1))
    return made
