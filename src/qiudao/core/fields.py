"""Typed fields for primitives: what a frozen dataclass gives, without its cost.

`dataclasses` compiles source for each class, which for over a hundred primitives would take most
of the time of `import qiudao`.  The functions here serve all classes alike.
"""

from __future__ import annotations

import inspect
from typing import Any, NoReturn


def add_fields(cls: type) -> None:
    """Make the annotated class attributes of `cls` its fields, settable only when it is made."""
    own = [k for k, kind in inspect.get_annotations(cls).items() if is_field(kind)]
    inherited = [k for k in getattr(cls, "fields", ()) if k not in own]
    settings: dict[str, Any] = {"fields": (*inherited, *own), "__setattr__": refuse}
    settings |= {"__init__": fill, "__eq__": equal, "__hash__": key}
    for name, value in settings.items():
        if name not in cls.__dict__:
            setattr(cls, name, value)


def is_field(annotation: Any) -> bool:
    """Whether an annotation declares a field rather than something of the class."""
    return not str(annotation).startswith(("ClassVar", "typing.ClassVar"))


def fill(self: Any, *values: Any, **named: Any) -> None:
    """Set the fields, by position or name; those left out have the value in the class."""
    fields = self.fields
    state = self.__dict__
    if not named and len(values) == len(fields):
        state.update(zip(fields, values))
        return
    for name, value in zip(fields, values, strict=False):
        state[name] = value
    for name in fields[len(values) :]:
        state[name] = named.pop(name) if name in named else getattr(type(self), name)
    if named or len(values) > len(fields):
        given = [*map(repr, values), *named]
        raise TypeError(f"{type(self).__name__}: takes the fields {fields}, and got {given}")


def refuse(self: Any, name: str, value: Any) -> NoReturn:
    """A primitive never changes: equal ones stand for each other."""
    raise AttributeError(f"{type(self).__name__}: cannot set {name!r}; make a new one")


def equal(self: Any, other: object) -> bool:
    """Of one class, with equal fields."""
    return type(self) is type(other) and self.__dict__ == other.__dict__


def key(self: Any) -> int:
    """A hash of the class and the fields."""
    return hash((type(self), *self.__dict__.values()))
