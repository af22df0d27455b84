"""What a module is made of: the arrays that transforms see, and all else.

An attribute is looked through with the lists, tuples and dicts in it.  What it holds is

- a *parameter*: a float or complex tensor, and whatever a transform puts in its place;
- a *buffer*: a float or complex array that is an attribute itself, such as a running mean.  No
  derivative passes through one;
- another module;
- or part of the *frame*: numbers, names, functions, arrays of integers.  Frames that differ make
  another structure, for which `qd.jit` makes another program.

A name keeps its role whatever is put into its place later, so that a model whose parameters are
arrays, symbols or gradients still knows which they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import is_
from types import FunctionType
from typing import Any, Literal, NamedTuple

import numpy as np
import optree

from ..core.dispatch import Tracer, overrides
from ..core.errors import DtypeError
from ..ops.stopping import stop_gradient

Role = Literal["parameter", "buffer", "module"]


class Composite:
    """What has parts.  `_roles` says of each part that is no module what it is, by name."""

    _roles: dict[str, Role] = {}  # noqa: RUF012 - empty; what has parts has its own
    _is_copy: bool = False  # whether this was put together from parts, as in a transform
    _made: Made | None = None  # how, of a copy in which nothing was set since


class Hole:
    """Marks the place of a part in a frame."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "..."

    def __reduce__(self) -> str:
        return "HOLE"  # the only one there is, copied or not


HOLE = Hole()
KEPT = {"_roles", "_is_copy", "_made"}  # what a module says of itself
CONTAINERS = {list, tuple, dict}  # what may hold parts
PLAIN = {int, float, bool, str, type(None), FunctionType}  # what most settings are


class Step(optree.GetAttrEntry):
    """The step from a module to a part, which may lie in a list: `.layers.0`."""

    def codify(self, node: str = "") -> str:
        return f"{node}.{self.entry}"


class Part(NamedTuple):
    """A part of a module: where it is, as `layers.0` is written, and what."""

    name: str
    role: Role
    value: Any


class Frame:
    """All of a module that is no array to be traced, with holes for the parts.

    Equal frames are of one structure.
    """

    __slots__ = ("attributes", "has_buffers", "is_flat", "names", "roles", "start")

    def __init__(self, attributes: dict[str, Any], roles: dict[str, Role]) -> None:
        self.attributes = attributes
        self.roles = roles
        self.names = list(roles)
        self.has_buffers = "buffer" in roles.values()
        self.is_flat = CONTAINERS.isdisjoint(map(type, attributes.values()))
        kept = {name: role for name, role in roles.items() if role != "module"}
        self.start = {**attributes, "_roles": kept, "_is_copy": True}  # what all copies hold

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Frame) or self.roles != other.roles:
            return False
        mine, others = self.attributes, other.attributes
        alike = len(mine) == len(others) and all(map(is_, mine, others))
        if alike and all(map(is_, mine.values(), others.values())):
            return True  # as in a copy: soon told
        return same(mine, others)

    def __hash__(self) -> int:
        return hash(tuple(self.roles))

    def __repr__(self) -> str:
        settings = {k: v for k, v in self.attributes.items() if v is not HOLE}
        return ", ".join(f"{k}={v!r}" for k, v in settings.items())


class Holding(NamedTuple):
    """A list or dict of a copy, and what was in it when the copy was made."""

    container: Any
    contents: tuple[Any, ...]

    def is_unchanged(self) -> bool:
        """Whether the very same things are in it."""
        now = contents(self.container)
        return len(now) == len(self.contents) and all(map(is_, now, self.contents))


# How a copy was put together: it comes apart the same way while nothing in it is set.
Made = tuple[Frame, Sequence[Any], Sequence[Holding]]


def contents(container: Any) -> tuple[Any, ...]:
    """What is in a list or dict, keys included."""
    return (*container, *container.values()) if type(container) is dict else tuple(container)


def is_inexact_array(x: Any) -> bool:
    """Whether a value is an array or tensor that derivatives exist for."""
    return isinstance(x, np.ndarray | Tracer) and x.dtype.kind in "fc"


def first_role(value: Any) -> Role | None:
    """The role of what is put into an attribute for the first time; None for the frame's."""
    if not is_inexact_array(value):
        return None
    return "buffer" if isinstance(value, np.ndarray) else "parameter"


def take_apart(module: Any) -> tuple[Sequence[Any], Frame, list[str]]:
    """The parts of a module, its frame, and the names of the parts."""
    if module._made is not None:
        frame, values, holdings = module._made
        if all(map(Holding.is_unchanged, holdings)):
            return values, frame, frame.names
    parts: list[Part] = []
    attributes = frame_of(module, parts)
    frame = Frame(attributes, {part.name: part.role for part in parts})
    return [part.value for part in parts], frame, frame.names


def parts_of(module: Any) -> list[Part]:
    """The parts of a module, in the order of its attributes."""
    parts: list[Part] = []
    frame_of(module, parts)
    return parts


def frame_of(module: Any, parts: list[Part]) -> dict[str, Any]:
    """A module's attributes with holes for its parts, which are added to `parts`."""
    known = module._roles
    attributes = {}
    for name, value in vars(module).items():
        if name not in KEPT:
            is_plain = type(value) in PLAIN and name not in known
            attributes[name] = value if is_plain else framed(value, name, known, parts)
    return attributes


def framed(value: Any, name: str, known: dict[str, Role], parts: list[Part]) -> Any:
    """A value with holes for the parts in it, which are added to `parts`."""
    role = known.get(name)
    if role is None:
        kind = type(value)
        if kind in PLAIN:
            return value
        if kind is list or kind is tuple:
            return kind([framed(v, f"{name}.{k}", known, parts) for k, v in enumerate(value)])
        if kind is dict:
            return {k: framed(v, f"{name}.{k}", known, parts) for k, v in value.items()}
        if isinstance(value, Composite):
            role = "module"
        elif is_inexact_array(value):
            role = "parameter"
        else:
            return value
    parts.append(Part(name, role, value))
    return HOLE


def put_together(cls: type, frame: Frame, parts: Sequence[Any]) -> Any:
    """A module of these parts.  Its `__init__` is not run again."""
    if frame.has_buffers:
        parts = [
            stop_gradient(part) if role == "buffer" and isinstance(part, Tracer) else part
            for part, role in zip(parts, frame.roles.values())
        ]
    module: Any = object.__new__(cls)
    held = module.__dict__
    held.update(frame.start)
    holdings: list[Holding] = []
    if frame.is_flat:
        held.update(zip(frame.names, parts))
    else:
        values = iter(parts)
        for name, value in frame.attributes.items():
            held[name] = filled(value, values, holdings)
    held["_made"] = frame, parts, holdings
    return module


def filled(value: Any, parts: Iterator[Any], holdings: list[Holding]) -> Any:
    """A value with the next parts in its holes; new lists and dicts are added to `holdings`."""
    if value is HOLE:
        return next(parts)
    kind = type(value)
    if kind is tuple:
        return tuple([filled(v, parts, holdings) for v in value])
    if kind is list:
        new: Any = [filled(v, parts, holdings) for v in value]
    elif kind is dict:
        new = {k: filled(v, parts, holdings) for k, v in value.items()}
    else:
        return value
    holdings.append(Holding(new, contents(new)))
    return new


def same(a: Any, b: Any) -> bool:
    """Whether two settings are equal, arrays in them included."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return not isinstance(a, Tracer) and bool(a == b)


def put(module: Any, name: str, value: Any) -> None:
    """Put another value into the place of a part."""
    first, _, rest = name.partition(".")
    setattr(module, first, placed(vars(module)[first], rest, value) if rest else value)


def placed(holder: Any, path: str, value: Any) -> Any:
    """A container with another value at a dotted path: the same one, unless it is a tuple."""
    if not path:
        return value
    keys = holder if isinstance(holder, dict) else range(len(holder))
    key = next(k for k in keys if f"{path}.".startswith(f"{k}."))
    new = placed(holder[key], path[len(str(key)) + 1 :], value)
    if isinstance(holder, tuple):
        return (*holder[:key], new, *holder[key + 1 :])
    holder[key] = new
    return holder


def as_array(x: Any) -> Any:
    """A float array or tensor as it is; lists and numbers as arrays of floats."""
    if is_inexact_array(x):
        return x
    return overrides[np.ndarray.astype](x, np.float64) if isinstance(x, Tracer) else floats(x)


def shaped(x: Any) -> Any:
    """What has a shape as it is; lists and numbers as arrays of floats."""
    return x if hasattr(x, "shape") else floats(x)


def as_given(x: Any) -> Any:
    """A tensor as it is, all else as an array of the dtype that it has: labels, masks, draws."""
    return x if isinstance(x, Tracer) else np.asarray(x)


def floats(x: Any) -> Any:
    """Plain data as an array of floats."""
    plain = np.asarray(x)
    if plain.dtype.kind not in "biufc":
        raise DtypeError(
            f"nn: an operand is {type(x).__name__} of dtype {plain.dtype}; give arrays of numbers"
        )
    return np.asarray(plain, np.result_type(plain, np.float16))
