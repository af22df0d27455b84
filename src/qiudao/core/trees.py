"""Nested containers of values: tuples, lists, dicts, namedtuples, dataclasses.

optree does the work.  A lone value, None and a flat tuple or list of values, which most calls
have, are handled here: that is quicker, and optree is then not even imported (it is a third of the
time of `import qiudao`).
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .dispatch import Tracer
from .errors import TreeError
from .node import Node

NAMESPACE = "qiudao"
_known: set[type] = set()


@functools.cache
def optree() -> Any:
    """The library, imported when a nested container is first met."""
    return importlib.import_module("optree")


class Tree:
    """The structure of a nested container, without its leaves."""

    __slots__ = ("_spec", "count", "kind")

    def __init__(self, kind: type | None, count: int, spec: Any = None) -> None:
        self.kind = kind  # tuple or list for a flat one, None for a lone value or a nested one
        self.count = count
        self._spec = spec

    @property
    def spec(self) -> Any:
        """The structure as optree has it."""
        if self._spec is None:
            self._spec = optree().tree_structure(self.build([0] * self.count), namespace=NAMESPACE)
        return self._spec

    @property
    def is_nested(self) -> bool:
        """Whether this is more than a lone value or a flat tuple or list."""
        return self.kind is None and self is not LONE

    def build(self, leaves: Iterable[Any]) -> Any:
        """The container with these leaves."""
        if self.kind is not None:
            return self.kind(leaves)
        if self is LONE:
            (leaf,) = leaves
            return leaf
        return None if self is NOTHING else self.spec.unflatten(leaves)

    def take(self, container: Any) -> list[Any] | None:
        """The leaves of a container of this very structure; None of any other."""
        leaves, spec = optree().tree_flatten(container, namespace=NAMESPACE)
        return leaves if spec == self.spec else None

    @property
    def paths(self) -> list[str]:
        """Where each leaf is, as Python writes it: `['enc']['b']`."""
        if self.kind is not None:
            return [f"[{k}]" for k in range(self.count)]
        return [""] if self is LONE else [a.codify("") for a in self.spec.accessors()]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tree):
            return False
        if self.is_nested or other.is_nested:
            return bool(self.spec == other.spec)
        return self.kind is other.kind and self.count == other.count

    def __hash__(self) -> int:
        return hash((self.kind, self.count))

    def __repr__(self) -> str:
        text = str(self.spec).removeprefix("PyTreeSpec(")
        text = text.removesuffix(")").removesuffix(f", namespace={NAMESPACE!r}")
        return text.removesuffix(", NoneIsLeaf")


LONE = Tree(None, 1)
NOTHING = Tree(None, 0)  # the structure of None

_PLAIN = {np.ndarray, float, int, complex, bool, str, np.float64}


def is_plain(x: Any) -> bool:
    """Whether a value is known to be no container."""
    return type(x) in _PLAIN or isinstance(x, Tracer | Node | np.generic)


def flatten(tree: Any, *, none_is_leaf: bool = False) -> tuple[list[Any], Tree]:
    """The leaves of a nested container and its structure.  None holds no leaf unless asked."""
    if is_plain(tree):
        return [tree], LONE
    kind = type(tree)
    if (kind is tuple or kind is list) and all(map(is_plain, tree)):
        return list(tree), Tree(kind, len(tree))
    if tree is None and not none_is_leaf:
        return [], NOTHING
    leaves, spec = optree().tree_flatten(
        tree, is_leaf=_register, none_is_leaf=none_is_leaf, namespace=NAMESPACE
    )
    return leaves, Tree(None, len(leaves), spec)


def orders(tree: Any) -> tuple[Any, ...]:
    """The keys of the dictionaries in a container, in the order that they are in: to a `Tree` that
    is no matter, but a function that goes through them sees it.
    """
    kind = type(tree)
    if kind in _PLAIN:
        return ()
    keys: tuple[Any, ...] = ()
    if kind is dict or issubclass(kind, dict):
        keys, tree = tuple(tree), tree.values()
    elif kind is not tuple and kind is not list:
        if not hasattr(kind, "_fields") and not _is_registered(kind):
            return ()
        tree = optree().tree_flatten_one_level(tree, namespace=NAMESPACE)[0]
    inner = [found for x in tree if type(x) not in _PLAIN and (found := orders(x))]
    return (keys, *inner) if keys or inner else ()


def map_tree(function: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """`function` applied to each leaf, and to the leaves of `rest` in the same places."""
    leaves, structure = flatten(tree)
    others = [match(structure, r, "tree.map") for r in rest]
    return structure.build([function(*xs) for xs in zip(leaves, *others, strict=True)])


def match(structure: Tree, tree: Any, name: str) -> list[Any]:
    """The leaves of `tree`, which must have the given structure."""
    leaves, found = flatten(tree)
    if found != structure:
        raise TreeError(
            f"{name}: the structure {found} does not fit {structure}; both must be nested alike"
        )
    return leaves


def prefix(structure: Tree, tree: Any, name: str) -> list[Any]:
    """One entry for each leaf of `structure`, from a tree that may stop short: an entry that
    stands where a whole branch is serves all the leaves of that branch.
    """
    if tree is None or isinstance(tree, int | str):
        return [tree] * structure.count
    if isinstance(tree, tuple | list) and type(tree) is structure.kind:
        flat = all(entry is None or isinstance(entry, int | str) for entry in tree)
        if flat and len(tree) == structure.count:
            return list(tree)
    try:
        whole = structure.build(range(structure.count))
        entries = optree().broadcast_prefix(
            tree, whole, is_leaf=lambda x: x is None or _register(x), namespace=NAMESPACE
        )
        leaves, _ = flatten(whole, none_is_leaf=True)  # None in the structure got an entry too
        return [e for e, leaf in zip(entries, leaves, strict=True) if leaf is not None]
    except ValueError as error:
        raise TreeError(
            f"{name}: {tree!r} is no prefix of the structure {structure}; give one entry for "
            "all, or one for each branch"
        ) from error


def register(
    cls: type,
    take_apart: Callable[[Any], tuple[Sequence[Any], Any, Sequence[str]]],
    put_together: Callable[[Any, Any], Any],
    entry: Any = None,
) -> None:
    """Make a class known as a container: its children, all else, and the children's names.

    `entry` is optree's class for the step to a child; that of an attribute unless given.
    """
    _known.add(cls)
    optree().register_pytree_node(
        cls,
        take_apart,
        put_together,
        path_entry_type=entry or optree().GetAttrEntry,
        namespace=NAMESPACE,
    )


def _register(x: Any) -> bool:
    """Make a dataclass or a mapping known as a container the first time one is met, unless the
    user has registered its class with optree.  Nothing is a leaf by it.
    """
    cls = type(x)
    if cls not in _known:
        _known.add(cls)
        if hasattr(cls, "__dataclass_fields__"):
            if not _is_registered(cls):
                _register_dataclass(cls)
        elif isinstance(x, Mapping) and not _is_registered(cls):
            make: Any = cls
            register(
                cls,
                lambda obj: (list(obj.values()), tuple(obj), tuple(obj)),
                lambda keys, leaves: make(dict(zip(keys, leaves, strict=True))),
                optree().MappingEntry,
            )
    return False


def _is_registered(cls: type) -> bool:
    """Whether optree knows the class: dict and its like, and what users registered."""
    return optree().register_pytree_node.get(cls, namespace=NAMESPACE) is not None


def _register_dataclass(cls: type) -> None:
    """Make a dataclass known; its fields marked with metadata={"static": True} hold no leaves."""
    fields = importlib.import_module("dataclasses").fields(cls)
    names = tuple(f.name for f in fields if not f.metadata.get("static", False))
    rest = tuple(f.name for f in fields if f.metadata.get("static", False))

    def take_apart(obj: Any) -> tuple[list[Any], Any, tuple[str, ...]]:
        return [getattr(obj, n) for n in names], tuple(getattr(obj, n) for n in rest), names

    def put_together(static: Any, leaves: Iterable[Any]) -> Any:
        made: Any = object.__new__(cls)  # its checks are not run again
        for name, value in zip((*names, *rest), (*leaves, *static), strict=True):
            object.__setattr__(made, name, value)
        return made

    register(cls, take_apart, put_together)
