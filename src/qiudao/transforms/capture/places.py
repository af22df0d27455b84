"""What code changes beside its variables, each as a variable with a cell of its own.

attribute    x.a = v, of an object or a class
global       of a module
contents     the elements of a list, dictionary or set, the fields of a dataclass
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from types import ModuleType
from typing import Any

KINDS = (list, dict, set, deque)
Parts = Callable[[Any], tuple[tuple[Any, ...], Any]]


class Attribute:
    """An attribute of an object."""

    def __init__(self, of: Any, name: str, text: str) -> None:
        self.of, self.name = of, name
        self.text = f"{text}.{name}"
        self.key: Any = id(of), name

    @property
    def cell_contents(self) -> Any:
        try:
            return getattr(self.of, self.name)
        except AttributeError:
            raise ValueError from None

    @cell_contents.setter
    def cell_contents(self, value: Any) -> None:
        setattr(self.of, self.name, value)

    @cell_contents.deleter
    def cell_contents(self) -> None:
        delattr(self.of, self.name)


class Global:
    """A name of a module."""

    def __init__(self, of: dict[str, Any], name: str) -> None:
        self.of, self.name = of, name
        self.text = name
        self.key: Any = id(of), name

    @property
    def cell_contents(self) -> Any:
        if self.name not in self.of:
            raise ValueError
        return self.of[self.name]

    @cell_contents.setter
    def cell_contents(self, value: Any) -> None:
        self.of[self.name] = value

    @cell_contents.deleter
    def cell_contents(self) -> None:
        del self.of[self.name]


class Nonlocal:
    """A variable of a function around."""

    def __init__(self, of: Any, name: str) -> None:
        self.of = of
        self.text = name
        self.key: Any = id(of)

    @property
    def cell_contents(self) -> Any:
        return self.of.cell_contents

    @cell_contents.setter
    def cell_contents(self, value: Any) -> None:
        self.of.cell_contents = value

    @cell_contents.deleter
    def cell_contents(self) -> None:
        del self.of.cell_contents


class Contents:
    """The elements of a container: what it is given are those of another like it."""

    def __init__(self, of: Any, text: str) -> None:
        self.of = of
        self.text = text
        self.key: Any = id(of)

    @property
    def cell_contents(self) -> Any:
        return dict(vars(self.of)) if is_record(self.of) else self.of.copy()

    @cell_contents.setter
    def cell_contents(self, value: Any) -> None:
        of = vars(self.of) if is_record(self.of) else self.of
        if isinstance(of, list):
            of[:] = value
        elif isinstance(of, dict) and of.keys() == value.keys():
            of.update(value)
        else:
            of.clear()
            (of.extend if isinstance(of, deque) else of.update)(value)


Place = Attribute | Global | Nonlocal | Contents


def is_record(x: Any) -> bool:
    """Whether a value is a dataclass whose fields may be set."""
    if not hasattr(type(x), "__dataclass_fields__") or not hasattr(x, "__dict__"):
        return False
    return not type(x).__dataclass_params__.frozen


def is_container(x: Any) -> bool:
    """Whether a value has elements that may be set."""
    return isinstance(x, KINDS) or is_record(x)


def has_containers(x: Any) -> bool:
    """Whether a value is a container, or a tuple that holds one."""
    return is_container(x) or (isinstance(x, tuple) and any(map(has_containers, x)))


def unchanged(now: Any, then: Any) -> bool:
    """Whether a container holds the very elements that it held."""
    if isinstance(now, dict):
        return now.keys() == then.keys() and all(now[k] is then[k] for k in now)
    if isinstance(now, set):
        return bool(now == then)
    return len(now) == len(then) and all(x is y for x, y in zip(now, then, strict=True))


def containers(x: Any, text: str, found: dict[int, Contents]) -> None:
    """Note the containers in a value."""
    if isinstance(x, tuple):
        for k, each in enumerate(x):
            containers(each, f"{text}[{k}]", found)
    elif is_container(x) and id(x) not in found:
        found[id(x)] = Contents(x, text)
        if isinstance(x, dict):
            for key, each in x.items():
                containers(each, f"{text}[{key!r}]", found)
        elif is_record(x):
            for key, each in vars(x).items():
                containers(each, f"{text}.{key}", found)
        elif not isinstance(x, set):
            for k, each in enumerate(x):
                containers(each, f"{text}[{k}]", found)


class Layout:
    """How the elements of a container are taken apart; containers within it are leaves."""

    def __init__(self, kind: type, keys: Any, trees: Iterable[Any]) -> None:
        self.kind, self.keys, self.trees = kind, keys, tuple(trees)
        self.count = sum(t.count for t in self.trees)

    def build(self, leaves: Iterable[Any]) -> Any:
        """The container with these leaves."""
        given = iter(leaves)
        items = [t.build(islice(given, t.count)) for t in self.trees]
        if self.kind is dict:
            return dict(zip(self.keys, items, strict=True))
        return self.kind(*items) if hasattr(self.kind, "_fields") else self.kind(items)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layout):
            return False
        return (self.kind, self.keys, self.trees) == (other.kind, other.keys, other.trees)

    def __hash__(self) -> int:
        return hash((self.kind, self.count))

    def __repr__(self) -> str:
        return f"{self.kind.__name__} of {len(self.trees)}"


def elements(x: Any) -> Iterator[Any]:
    """What a container or a tuple holds, in order."""
    return iter(x.values() if isinstance(x, dict) else x)


def taken_apart(x: Any, parts: Parts) -> tuple[tuple[Any, ...], Layout]:
    """The leaves of a container's or a tuple's elements, each taken apart by `parts`."""
    leaves: list[Any] = []
    trees = []
    for each in elements(x):
        mine, tree = parts(each)
        leaves += mine
        trees.append(tree)
    keys = tuple(x) if isinstance(x, dict) else None
    kind = next((k for k in KINDS if isinstance(x, k)), type(x))
    return tuple(leaves), Layout(kind, keys, trees)


def is_settable(x: Any, name: str) -> bool:
    """Whether to set an attribute of an object runs no code of the user's."""
    kind: Any = type(x)
    if kind.__setattr__ not in (object.__setattr__, type.__setattr__, ModuleType.__setattr__):
        return dataclasses.is_dataclass(kind)  # a frozen one refuses by itself
    return not isinstance(getattr(kind, name, None), property)
