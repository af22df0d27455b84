"""The graph that torch recorded behind a tensor: its nodes, and what a sweep through it does.

Nodes keep what their rules read (`_saved_self`, `_saved_result`, ...): so some values are known.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch

from ...core.source import Line, is_ours

ACCUMULATES = "AccumulateGrad"
INSIDE = os.path.dirname(torch.__file__) + os.sep
WHOLE = 2**63  # from here on torch means a negative number
TRACE = re.compile(r'File "(?P<file>[^"]+)", line (?P<number>\d+), in [^\n]*\n?\s*(?P<text>.*)')
OPERANDS = ("self", "other", "mat1", "mat2", "input", "weight", "vec", "tensor1", "tensor2")

Place = tuple[Any, int]  # a node and which of its results


def place_of(t: torch.Tensor) -> Place | None:
    """Where a tensor is in the graph; None where it is in none."""
    if t.grad_fn is not None:
        return t.grad_fn, t.output_nr
    return (torch.autograd.graph.get_gradient_edge(t).node, 0) if t.requires_grad else None


def walk(root: Any) -> list[Any]:
    """The nodes behind one and itself, operands before what is computed from them."""
    order: list[Any] = []
    seen: set[Any] = set()
    stack = [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(n, False) for n, _ in reversed(node.next_functions) if n is not None]
    return order


def is_leaf(node: Any) -> bool:
    """Whether gradients are collected here."""
    return bool(node.name().endswith(ACCUMULATES))


def saved(node: Any) -> dict[str, Any]:
    """What a node keeps, by name; empty where a sweep has freed it."""
    found = {}
    for attribute in dir(node):
        if attribute.startswith("_saved_"):
            try:
                found[attribute.removeprefix("_saved_")] = getattr(node, attribute)
            except RuntimeError:
                return {}
    return found


def tensors_in(kept: dict[str, Any]) -> Iterator[torch.Tensor]:
    """The tensors that a node keeps."""
    for x in kept.values():
        for t in x if isinstance(x, tuple | list) else (x,):
            if isinstance(t, torch.Tensor):
                yield t


def constants(node: Any) -> dict[int, torch.Tensor]:
    """The operands without a graph that a node keeps, by position, where that is certain."""
    free = [k for k, (n, _) in enumerate(node.next_functions) if n is None]
    kept = saved(node)
    held = [
        kept[name]
        for name in OPERANDS
        if isinstance(kept.get(name), torch.Tensor) and not kept[name].requires_grad
    ]
    return {free[0]: held[0]} if len(free) == len(held) == 1 else {}


def operation(node: Any) -> str:
    """`log_softmax` for LogSoftmaxBackward0; the class's own name for a custom function."""
    name = node.name().rpartition("::")[2]
    base = re.sub(r"Backward\d*$", "", name)
    if name == base or not name[-1].isdigit():
        return str(base)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", base).lower()


def fields(node: Any) -> str:
    """The numbers among the arguments: `dim=1, keepdim=False`."""
    parts = []
    for name, x in saved(node).items():
        if name.startswith(("self", "mat")) or "sym_" in name or isinstance(x, torch.Tensor):
            continue
        numbers = x if isinstance(x, tuple | list) else (x,)
        if numbers and all(isinstance(n, int | float) for n in numbers):
            shown = [n - 2 * WHOLE if isinstance(n, int) and n >= WHOLE else n for n in numbers]
            parts.append(f"{name}={tuple(shown) if isinstance(x, tuple | list) else shown[0]}")
    return ", ".join(parts)


def line(node: Any) -> Line | None:
    """The user's line, which torch notes under `torch.autograd.detect_anomaly`."""
    for text in reversed(node.metadata.get("traceback_") or ()):
        found = TRACE.search(text)
        if found and not found["file"].startswith(INSIDE) and not is_ours(found["file"]):
            return Line(found["file"], int(found["number"]), found["text"].strip())
    return None


class Passed(NamedTuple):
    """What a sweep brought to the results of a node, and what the node made of it."""

    results: tuple[torch.Tensor | None, ...]
    operands: tuple[torch.Tensor | None, ...]


def sweep(roots: Iterable[torch.Tensor], nodes: Iterable[Any]) -> dict[Any, Passed]:
    """Sweep back from the sum of these tensors: what passed each node, in the order visited.

    The graph is kept and no `.grad` is changed.  Raises what torch raises, `RuntimeError` where the
    graph was freed.
    """
    seen: dict[Any, Passed] = {}
    every = list(nodes)
    leaves = [n.variable for n in every if is_leaf(n)]
    handles = [
        n.register_hook(
            lambda made, given, n=n: seen.__setitem__(n, Passed(dense(given), dense(made)))
        )
        for n in every
        if not is_leaf(n)
    ]
    outputs = [t for t in roots if t.requires_grad]
    try:
        found = torch.autograd.grad(
            outputs, leaves, list(map(torch.ones_like, outputs)),
            retain_graph=True, allow_unused=True,
        )  # fmt: skip
    finally:
        for handle in handles:
            handle.remove()
    for node, g in zip((n for n in every if is_leaf(n)), found, strict=True):
        seen[node] = Passed(dense((g,)), ())
    return seen


def dense(gradients: Iterable[torch.Tensor | None]) -> tuple[torch.Tensor | None, ...]:
    """Gradients, those of sparse layout as dense ones."""
    return tuple(g if g is None or g.layout is torch.strided else g.to_dense() for g in gradients)


def names_of(given: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The tensors among these, and the parameters of the modules among them, by name."""
    found: dict[str, torch.Tensor] = {}
    for name, x in given.items():
        if isinstance(x, torch.Tensor):
            found[name] = x
        elif isinstance(x, torch.nn.Module):
            prefix = f"{name}." if name else ""
            found.update((prefix + key, p) for key, p in x.named_parameters())
    return found
