"""Nested containers of values, by optree: tuples, lists, dicts, namedtuples, dataclasses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import optree

from .errors import TreeError

NAMESPACE = "qiudao"
_known: set[type] = set()


class Tree:
    """The structure of a nested container, without its leaves."""

    __slots__ = ("spec",)

    def __init__(self, spec: Any) -> None:
        self.spec = spec

    def build(self, leaves: Iterable[Any]) -> Any:
        """The container with these leaves."""
        return self.spec.unflatten(leaves)

    @property
    def paths(self) -> list[str]:
        """Where each leaf is, as Python writes it: `['enc']['b']`."""
        return [a.codify("") for a in self.spec.accessors()]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and self.spec == other.spec

    def __hash__(self) -> int:
        return hash(self.spec)

    def __repr__(self) -> str:
        return str(self.spec)


def flatten(tree: Any, *, none_is_leaf: bool = False) -> tuple[list[Any], Tree]:
    """The leaves of a nested container and its structure.  None holds no leaf unless asked."""
    leaves, spec = optree.tree_flatten(
        tree, is_leaf=_register, none_is_leaf=none_is_leaf, namespace=NAMESPACE
    )
    return leaves, Tree(spec)


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
    stands where a whole branch is serves all the leaves of that branch."""
    try:
        whole = structure.build(range(structure.spec.num_leaves))
        return list(
            optree.broadcast_prefix(
                tree, whole, is_leaf=lambda x: x is None or _register(x), namespace=NAMESPACE
            )
        )
    except ValueError as error:
        raise TreeError(
            f"{name}: {tree!r} is no prefix of the structure {structure}; give one entry for "
            "all, or one for each branch"
        ) from error


def _register(x: Any) -> bool:
    """Make a dataclass known as a container the first time one is met.  Nothing is a leaf by it."""
    cls = type(x)
    if cls not in _known:
        _known.add(cls)
        if dataclasses.is_dataclass(cls):
            names = tuple(f.name for f in dataclasses.fields(cls))
            optree.register_pytree_node(
                cls,  # type: ignore[arg-type]
                lambda obj: ([getattr(obj, n) for n in names], None, names),  # type: ignore[arg-type,return-value]
                lambda _, leaves: _rebuild(cls, names, leaves),  # type: ignore[arg-type]
                path_entry_type=optree.GetAttrEntry,
                namespace=NAMESPACE,
            )
    return False


def _rebuild(cls: type, names: tuple[str, ...], values: Iterable[Any]) -> Any:
    """A dataclass of these values, without running its checks again."""
    made = object.__new__(cls)
    for name, value in zip(names, values, strict=True):
        object.__setattr__(made, name, value)
    return made
