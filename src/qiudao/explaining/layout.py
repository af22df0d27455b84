"""A layered drawing of an acyclic graph: operands above, results below, few crossings.

The steps are those of Sugiyama, Tagawa and Toda (1981): layers by the longest path, an order in
each layer by the mean place of the neighbours, and coordinates that bring each box as near to its
neighbours as the order lets it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

Point = tuple[float, float]

ROUNDS = 12
GAP = 26.0  # between boxes of a layer
DUMMY = 10.0  # the width of an edge that passes a layer


class Layout(NamedTuple):
    """Where the boxes are (their middles), the ways of the edges, and the size of the whole."""

    middles: list[Point]
    ways: list[list[Point]]
    width: float
    height: float


def arrange(
    sizes: Sequence[Point], edges: Sequence[tuple[int, int]], between: float = 46.0
) -> Layout:
    """Place boxes of these sizes; an edge (i, j) goes from i down to j, and i < j."""
    ranks = layers_of(len(sizes), edges)
    widths = [w for w, _ in sizes]
    chains: list[list[int]] = []
    for i, j in edges:
        chain = [i]
        for rank in range(ranks[i] + 1, ranks[j]):
            chain.append(len(widths))
            widths.append(DUMMY)
            ranks.append(rank)
        chains.append([*chain, j])
    layers: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    for node, rank in enumerate(ranks):
        layers[rank].append(node)
    above: list[list[int]] = [[] for _ in widths]
    below: list[list[int]] = [[] for _ in widths]
    for chain in chains:
        for a, b in pairwise(chain):
            below[a].append(b)
            above[b].append(a)
    order_layers(layers, above, below)
    xs = place(layers, above, below, widths)
    ys, talls, height = heights(layers, sizes, between)
    left = min((xs[k] - w / 2 for k, (w, _) in enumerate(sizes)), default=0.0)
    right = max((xs[k] + w / 2 for k, (w, _) in enumerate(sizes)), default=0.0)
    xs = [x - left for x in xs]
    middles = [(xs[k], ys[ranks[k]]) for k in range(len(sizes))]
    ways = []
    for chain in chains:
        first, last = chain[0], chain[-1]
        way = [(xs[first], ys[ranks[first]] + sizes[first][1] / 2)]
        for node in chain[1:-1]:  # straight down through the layer, beside its boxes
            x, y, half = xs[node], ys[ranks[node]], talls[ranks[node]] / 2
            way += [(x, y - half), (x, y + half)]
        ways.append([*way, (xs[last], ys[ranks[last]] - sizes[last][1] / 2)])
    return Layout(middles, ways, right - left, height)


def layers_of(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The layer of each box: below what it reads; what reads nothing, just above its readers."""
    ranks = [0] * count
    for i, j in sorted(edges):
        ranks[j] = max(ranks[j], ranks[i] + 1)
    readers: list[list[int]] = [[] for _ in range(count)]
    reads = [False] * count
    for i, j in edges:
        readers[i].append(j)
        reads[j] = True
    for i in range(count):
        if not reads[i] and readers[i]:
            ranks[i] = min(ranks[j] for j in readers[i]) - 1
    return ranks


def order_layers(layers: list[list[int]], above: list[list[int]], below: list[list[int]]) -> None:
    """Order each layer by the mean place of its neighbours, from above and from below in turns."""
    spot: dict[int, float] = {}

    def settle(layer: list[int]) -> None:
        spot.update({node: (k + 0.5) / len(layer) for k, node in enumerate(layer)})

    for layer in layers:
        settle(layer)
    for turn in range(ROUNDS):
        near = above if turn % 2 == 0 else below
        for layer in layers if turn % 2 == 0 else reversed(layers):
            wish = {
                node: sum(spot[m] for m in near[node]) / len(near[node])
                if near[node]
                else spot[node]
                for node in layer
            }
            layer.sort(key=wish.__getitem__)
            settle(layer)


def place(
    layers: list[list[int]], above: list[list[int]], below: list[list[int]], widths: list[float]
) -> list[float]:
    """The middle of each node: near its neighbours, in the order of its layer, without overlap."""
    xs = [0.0] * len(widths)
    for layer in layers:
        apart = spacing(layer, widths)
        start = -(apart[-1] if apart else 0.0) / 2
        for node, shift in zip(layer, apart, strict=True):
            xs[node] = start + shift
    for turn in range(ROUNDS):
        near = above if turn % 2 == 0 else below
        for layer in layers if turn % 2 == 0 else reversed(layers):
            wishes = [
                sum(xs[m] for m in near[node]) / len(near[node]) if near[node] else xs[node]
                for node in layer
            ]
            apart = spacing(layer, widths)
            level = rising([w - s for w, s in zip(wishes, apart, strict=True)])
            for node, base, shift in zip(layer, level, apart, strict=True):
                xs[node] = base + shift
    return xs


def spacing(layer: list[int], widths: list[float]) -> list[float]:
    """How far right of the first each node of a layer must be at least."""
    apart = [0.0]
    for a, b in pairwise(layer):
        apart.append(apart[-1] + (widths[a] + widths[b]) / 2 + GAP)
    return apart[: len(layer)]


def rising(wishes: list[float]) -> list[float]:
    """The nearest numbers (least squares) that never fall: pooled where the wishes do."""
    pools: list[tuple[float, int]] = []
    for wish in wishes:
        mean, count = wish, 1
        while pools and pools[-1][0] >= mean:
            before, n = pools.pop()
            mean, count = (before * n + mean * count) / (n + count), n + count
        pools.append((mean, count))
    return [mean for mean, count in pools for _ in range(count)]


def heights(
    layers: list[list[int]], sizes: Sequence[Point], between: float
) -> tuple[list[float], list[float], float]:
    """The middle line and the height of each layer, and the height of all."""
    lines: list[float] = []
    talls: list[float] = []
    y = 0.0
    for layer in layers:
        tall = max((sizes[node][1] for node in layer if node < len(sizes)), default=0.0)
        lines.append(y + tall / 2)
        talls.append(tall)
        y += tall + between
    return lines, talls, max(y - between, 0.0)
