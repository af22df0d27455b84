"""Where tensors stand in paddle's graph, read through the nodes that paddle shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import paddle

from ...core.errors import GradientError
from ...core.trees import Tree, flatten

LEAF = "GradNodeAccumulation"  # the node in which paddle adds up the gradient of a leaf


def tensors_of(tree: Any, what: str, name: str) -> tuple[list[paddle.Tensor], Tree, list[str]]:
    """The tensors in a nested container, its structure, and where each tensor is."""
    leaves, structure = flatten(tree)
    paths = [f"{what}{path}" for path in structure.paths]
    if not leaves:
        raise GradientError(f"{name}: {what} holds no tensor; give at least one")
    for leaf, path in zip(leaves, paths, strict=True):
        if not isinstance(leaf, paddle.Tensor):
            raise GradientError(
                f"{name}: {path} is {type(leaf).__name__} {leaf!r} and no paddle tensor; make it "
                "one with paddle.to_tensor before computing with it"
            )
    return leaves, structure, paths


def node_of(x: paddle.Tensor) -> Any:
    """The node whose gradient a tensor has: what made it, or for a leaf what adds up there."""
    return None if x.stop_gradient else x.grad_fn


def place(x: paddle.Tensor) -> Any:
    """What identifies a tensor in the graph: two objects may be handles of one tensor."""
    node = node_of(x)
    return None if node is None else (node.node_ptr(), x.data_ptr(), tuple(x.shape))


def walk(
    starts: list[Any], enter: Callable[[Any], bool] = lambda node: True
) -> Iterator[tuple[int, Any]]:
    """Each node once, with the number that identifies it, from outputs towards leaves.

    `enter` says whether to go beyond a node.  A loop, so that long chains do not recurse.
    """
    waiting = [node for node in starts if node is not None]
    met: set[int] = set()
    while waiting:
        node = waiting.pop()
        number = node.node_ptr()
        if number in met:
            continue
        met.add(number)
        yield number, node
        if enter(node):
            waiting.extend(n for n in node.next_functions if n is not None)


def reaches(starts: list[Any], target: Any) -> bool:
    """Whether a node can be reached."""
    wanted = target.node_ptr()
    return any(number == wanted for number, _ in walk(starts))
