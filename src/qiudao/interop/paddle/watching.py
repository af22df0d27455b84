"""A sweep over paddle's graph that notes what passes through each node."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import paddle
from paddle import Tensor

from .nested import parameters
from .places import LEAF, node_of, walk

# paddle takes apart what a hook gives back, and fails at the constants in lists of operands.
LISTS = re.compile(r"^(Concat|Stack|AddN|Einsum|Meshgrid|MultiDot|BroadcastTensors)")


class Passed(NamedTuple):
    """What arrived at the results of a node, and what it made for its operands."""

    results: list[Tensor | None]
    operands: list[Tensor | None]


class Behind:
    """The graph behind a tensor: nodes with operands first, the tensors known to stand there."""

    def __init__(self, loss: Tensor, named: dict[str, Tensor]) -> None:
        self.loss = loss
        self.nodes = in_order(node_of(loss))
        self.tensors: dict[int, tuple[str, Tensor]] = {}  # by the node that they came from
        found = [*named.items(), *((x.name, x) for x in parameters())]
        for name, x in found:
            node = node_of(x)
            if node is not None and node.node_ptr() in self.nodes:
                self.tensors.setdefault(node.node_ptr(), (name, x))

    def sweep(self) -> dict[int, Passed]:
        """What passed through each node towards the leaves that are known; no `.grad` changes."""
        leaves = [
            x for n, (_, x) in self.tensors.items() if self.nodes[n].name() == LEAF and x.is_leaf
        ]
        found: dict[int, Passed] = {}
        handles = [
            node._register_post_hook(noting(found, number))
            for number, node in self.nodes.items()
            if node.name() != LEAF and not (LISTS.match(node.name()) and None in operands(node))
        ]
        try:
            if leaves:
                paddle.grad([self.loss], leaves, retain_graph=True, allow_unused=True)
        finally:
            for handle in handles:
                handle.remove()
        return found


def noting(found: dict[int, Passed], number: int) -> Any:
    """A hook that notes what passes through a node and changes nothing."""

    def note(outs: Sequence[Any], ins: Sequence[Any]) -> Any:
        found[number] = Passed(flat(ins), flat(outs))
        return outs

    return note


def flat(passed: Sequence[Any]) -> list[Tensor | None]:
    """Tensors out of lists of lists, None for those that paddle left empty."""
    found: list[Tensor | None] = []
    for each in passed:
        if isinstance(each, tuple | list):
            found.extend(flat(each))
        else:
            known = each is not None and each._is_initialized()
            found.append(each.detach().clone() if known else None)  # paddle adds in place
    return found


def operands(node: Any) -> list[Any]:
    """The nodes of an operation's operands, None for constants."""
    return [] if node.name() == LEAF else list(node.next_functions)


def in_order(root: Any) -> dict[int, Any]:
    """The nodes behind one by their numbers, operands before what was computed from them."""
    nodes = dict(walk([root]))
    readers = dict.fromkeys(nodes, 0)
    for node in nodes.values():
        for n in operands(node):
            if n is not None:
                readers[n.node_ptr()] += 1
    ready, order = [root.node_ptr()], []
    while ready:
        number = ready.pop()
        order.append(number)
        for n in operands(nodes[number]):
            if n is not None:
                readers[n.node_ptr()] -= 1
                if not readers[n.node_ptr()]:
                    ready.append(n.node_ptr())
    return {number: nodes[number] for number in reversed(order)}


def operation(node: Any) -> str:
    """The operation that a node is of, as paddle's functions are named: `log_softmax`."""
    name = re.sub(r"^GradNodePyLayer_|(Double|Triple)?(Grad)*Node(Final)?$", "", node.name())
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def names_of(given: dict[str, Any]) -> dict[str, Tensor]:
    """The tensors among named values, and those in layers by their paths."""
    found: dict[str, Tensor] = {}
    for name, value in given.items():
        if isinstance(value, Tensor):
            found[name] = value
        elif isinstance(value, paddle.nn.Layer):
            for path, parameter in value.named_parameters():
                found[f"{name}.{path}"] = parameter
    return found
