"""The chain rule of one computation, written out in symbols and in numbers."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..graph import Graph, Vertex
from ..labels import brief
from ..outline import Box, is_small_constant, outline
from ..summary import number
from .formulas import Operand, formula_of, slope_of
from .symbols import latex_name

LONGEST = 24  # values that are written out
BOXES = 12  # of what is written instead where there are more
LAST = 6  # values at the end that are written out all the same


class Factor(NamedTuple):
    """A local derivative: of which value by which, as a formula and as a number.

    `use` tells apart the operands of an operation that takes one value twice; 0 where it does not.
    """

    of: str
    by: str
    use: int
    text: str
    latex: str
    number: str


class Link(NamedTuple):
    """A value of the chain: its symbol, its formula, the user's words, its number, its slopes.

    Where it stands for many, as a range of the turns of a loop, `many` is how many.
    """

    symbol: str
    text: str
    latex: str
    words: str
    value: str
    factors: list[Factor]
    many: int = 0


class Product(NamedTuple):
    """What one use adds to an adjoint: the reader's adjoint times its slope.

    `reader` is None for the seed, 1.  `through` is the last of several values that are told in one,
    through which the term comes, or the sum of `many` such terms.
    """

    reader: str | None
    by: str
    use: int
    through: str
    value: str
    many: int = 1


class Sum(NamedTuple):
    """An adjoint: the sum over the uses of a value."""

    symbol: str
    products: list[Product]
    total: str


@dataclass(frozen=True, slots=True)
class Chain:
    """The links forward, the sums backward, and the symbols of the inputs and written values."""

    links: list[Link]
    sums: list[Sum]
    names: dict[Vertex, str]


def chain_of(graph: Graph, outside: object = None) -> Chain:
    """The chain rule of a graph: all of it where it is short, else its outline and its end.

    User's words from the code `outside` are left away: they are the call of `qd.story`.
    """
    boxes = boxes_of(graph)
    names = symbols(graph, [b.last for b in boxes])
    links = [link_of(b, names, outside) for b in boxes]
    alone = {b.last for b in boxes if b.group is None}
    closed = {v: b for b in boxes if b.group is not None for v in b.members}
    shown = {*(b.last for b in boxes), *(v for v in graph.inputs if v.terms)}
    sums = [sum_of(v, names, alone, closed) for v in reversed(graph.vertices) if v in shown]
    known = {v: names[v] for v in graph.vertices if v in alone or v.kind == "input"}
    return Chain(links, sums, known)


def is_on_the_way(v: Vertex) -> bool:
    """Whether an operation has a part in the derivative."""
    return v.kind == "operation" and v.flows and bool(v.terms)


def boxes_of(graph: Graph) -> list[Box]:
    """What is written: each value, or closed groups of them, with the last few values opened."""
    made = [v for v in graph.vertices if is_on_the_way(v)]
    if len(made) <= LONGEST:
        return [Box(v, None, [v]) for v in made]
    given = sum(v.kind != "operation" and not is_small_constant(v) for v in graph.vertices)
    boxes = [
        Box(box.vertex, box.group, members)
        for box in outline(graph, BOXES + given).boxes
        if (members := [v for v in box.members if is_on_the_way(v)])
    ]
    last = boxes[-1]
    if last.group is None:
        return boxes
    turn = [v for v in last.members if v.group is last.last.group][-LAST:]
    rest = last.members[: -len(turn)]
    opened = [Box(v, None, [v]) for v in turn]
    return [*boxes[:-1], *([Box(None, last.group, rest)] if rest else []), *opened]


def symbols(graph: Graph, kept: Sequence[Vertex]) -> dict[Vertex, str]:
    """`x` for an input, the number for a constant, `v1`, `v2`... for what is computed."""
    names: dict[Vertex, str] = {}
    unnamed = 0
    for v in graph.vertices:
        if v.kind == "input":
            names[v] = v.name or "x"
        elif v.kind == "constant" and constant_of(v) is not None:
            names[v] = number(constant_of(v))
        elif v.kind == "constant" and v.name is None and len(v.expression or " " * 99) > 24:
            unnamed += 1
            names[v] = f"c{unnamed}"
        else:
            names[v] = v.name or v.expression or v.operation or "c"
    for k, v in enumerate(kept, 1):
        names[v] = f"v{k}"
    return names


def constant_of(v: Vertex) -> float | complex | None:
    """A constant that is a single number."""
    if v.kind != "constant" or v.value is None or math.prod(v.shape or ()) != 1:
        return None
    if v.dtype is None or v.dtype.kind not in "biufc":
        return None
    found: float | complex = np.asarray(v.value).reshape(-1)[0].item()
    return found


def link_of(box: Box, names: dict[Vertex, str], outside: object) -> Link:
    """One value with its local derivatives, or many in a sentence."""
    v = box.last
    value = "" if v.value is None else brief(single(v.value))
    if box.group is not None:
        parent = box.group.parent
        outer = f"{parent.title}: " if parent is not None and box.group.kind == "turns" else ""
        words = f"{outer}{box.group.title}"
        return Link(names[v], "", "", words, value, [], len(box.members))
    operands = [operand_of(x, names) for x in v.operands]
    result = Operand(names[v], latex_name(names[v]))
    text, latex = written(v, operands)
    factors = [
        factor_of(v, k, operands, result, names)
        for k, x in enumerate(v.operands)
        if x.flows and k < len(v.slopes) and v.slopes[k] is not None
    ]
    node = v.step.node if v.step is not None else None
    foreign = outside is not None and getattr(node, "code", None) is outside
    words = "" if foreign or bare(v.expression) == bare(text) else v.expression or ""
    return Link(names[v], text, latex, words, value, factors)


def bare(words: str | None) -> str:
    """An expression without spaces and prefixes, to tell whether two say the same."""
    return (words or "").replace(" ", "").replace("np.", "")


def written(v: Vertex, operands: list[Operand]) -> tuple[str, str]:
    """The operation of a vertex as a formula."""
    if v.operation == "part" and v.step is not None:
        index = v.step.node.primitive.index  # type: ignore[attr-defined]
        return f"{operands[0].text}[{index}]", f"{operands[0].latex}_{{[{index}]}}"
    return formula_of(v.operation or "", operands)


def operand_of(x: Vertex, names: dict[Vertex, str]) -> Operand:
    """A vertex as an operand of a formula."""
    constant = constant_of(x)
    real = None if isinstance(constant, complex) or constant is None else float(constant)
    return Operand(names[x], latex_name(names[x]), real)


def factor_of(
    v: Vertex, k: int, operands: list[Operand], result: Operand, names: dict[Vertex, str]
) -> Factor:
    """The local derivative by operand k."""
    slope = v.slopes[k]
    text, latex = slope_of(v.operation or "", k, operands, result)
    value = "" if slope is None or slope.value is None else brief(single(slope.value))
    if is_number(text):
        value = ""
    return Factor(names[v], names[v.operands[k]], use_of(v, k), text, latex, value)


def is_number(text: str) -> bool:
    """Whether a formula is a number, so that its value need not be told again."""
    try:
        complex(text)
    except ValueError:
        return False
    return True


def use_of(v: Vertex, k: int) -> int:
    """Which of several uses by one operation operand k is, from 1; 0 where it is the only one."""
    same = [position for position, x in enumerate(v.operands) if x is v.operands[k]]
    return same.index(k) + 1 if len(same) > 1 else 0


def single(a: object) -> object:
    """An array of one element as a number."""
    return a.reshape(()) if isinstance(a, np.ndarray) and a.size == 1 else a


def sum_of(
    v: Vertex, names: dict[Vertex, str], alone: set[Vertex], closed: dict[Vertex, Box]
) -> Sum:
    """The adjoint of a value as the sum over its uses."""
    products = []
    hidden: dict[str, list[object]] = {}
    for use in v.terms:
        value = "" if use.value is None else brief(single(use.value))
        if use.reader is None:
            products.append(Product(None, "", 0, "", value))
        elif use.reader in alone:
            which = use_of(use.reader, use.position)
            products.append(Product(names[use.reader], names[v], which, "", value))
        else:
            box = closed.get(use.reader)
            through = names[box.last] if box is not None else use.reader.title
            hidden.setdefault(through, []).append(use.value)
    for through, values in hidden.items():
        known = [x for x in values if x is not None]
        value = brief(single(functools.reduce(operator.add, known))) if known else ""
        products.append(Product(None, "", 0, through, value, len(values)))
    total = "" if v.gradient is None else brief(single(v.gradient))
    return Sum(names[v], products, total)
