"""The chain rule of one computation, written out in symbols and in numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..graph import Graph, Vertex
from ..labels import brief
from ..summary import number
from .formulas import slope_formula

LONGEST = 24  # values that are written out


@dataclass(frozen=True, slots=True)
class Factor:
    """A local derivative: of which value by which, as a formula and as a number."""

    of: str
    by: str
    text: str
    latex: str
    number: str

    @property
    def shown(self) -> str:
        """The formula and the number, once where they are the same."""
        if self.text in ("1", "-1"):
            return self.text
        return " = ".join(p for p in (self.text, self.number) if p) or "a linear map"


@dataclass(frozen=True, slots=True)
class Link:
    """A value of the chain: its symbol, how it is computed, its number, its local derivatives."""

    symbol: str
    expression: str
    value: str
    factors: list[Factor]


@dataclass(frozen=True, slots=True)
class Sum:
    """An adjoint: the sum over the uses of a value, each the reader's adjoint times a factor."""

    symbol: str
    products: list[str]
    terms: list[str]
    total: str


@dataclass(frozen=True, slots=True)
class Chain:
    """The links forward, the sums backward; `left_out` is how many values are not written out."""

    links: list[Link]
    sums: list[Sum]
    left_out: int


def chain_of(graph: Graph) -> Chain:
    """The chain rule of a graph: all of it where it is short, the end and the inputs else."""
    relevant = [v for v in graph.vertices if v.gradient is not None]
    made = [v for v in relevant if v.kind == "operation"]
    kept = made if len(made) <= LONGEST else made[-LONGEST:]
    shown = set(kept) | {v for v in relevant if v.kind == "input"}
    names = symbols(graph, kept)
    links = [link_of(v, names) for v in kept]
    sums = [sum_of(v, names, shown) for v in reversed(relevant) if v in shown and v.terms]
    return Chain(links, sums, len(made) - len(kept))


def symbols(graph: Graph, kept: list[Vertex]) -> dict[Vertex, str]:
    """`x` for an input, the number for a constant, `v1`, `v2`... for what is computed."""
    names: dict[Vertex, str] = {}
    for v in graph.vertices:
        if v.kind == "input":
            names[v] = v.name or "x"
        elif v.kind == "constant" and v.value is not None and math.prod(v.shape or ()) == 1:
            names[v] = number(np.asarray(v.value).reshape(-1)[0])
        else:
            names[v] = v.name or v.expression or "c"
    for k, v in enumerate(kept, 1):
        names[v] = f"v{k}"
    return names


def link_of(v: Vertex, names: dict[Vertex, str]) -> Link:
    """One value with the local derivatives by its operands."""
    factors = []
    operands = {"a": names[v.operands[0]] if v.operands else "", "v": names[v]}
    operands["b"] = names[v.operands[1]] if len(v.operands) > 1 else ""
    for position, x in enumerate(v.operands):
        slope = v.slopes[position] if position < len(v.slopes) else None
        if slope is None:
            continue
        text, latex = slope_formula(v.operation, position, operands)
        value = "" if slope.value is None else brief(single(slope.value))
        factors.append(Factor(names[v], names[x], text, latex, value))
    words = v.expression or f"{v.operation}({', '.join(names[x] for x in v.operands)})"
    return Link(names[v], words, "" if v.value is None else brief(v.value), factors)


def single(a: np.ndarray) -> np.ndarray:
    """A slope of one element as a number."""
    return a.reshape(()) if a.size == 1 else a


def sum_of(v: Vertex, names: dict[Vertex, str], shown: set[Vertex]) -> Sum:
    """The adjoint of a value as the sum over its uses."""
    products, terms = [], []
    for use in v.terms:
        terms.append("(several)" if use.value is None else brief(use.value))
        if use.reader is None:
            products.append("1")
        elif use.reader in shown:
            reader = names[use.reader]
            products.append(f"adj({reader})*d{reader}/d{names[v]}")
        else:
            products.append(f"(through {use.reader.title})")
    return Sum(names[v], products, terms, brief(v.gradient))
