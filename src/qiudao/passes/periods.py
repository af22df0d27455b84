"""Where a sequence of integers repeats itself.

A run is a stretch in which each token equals the one a period before it.  Periods worth trying are
the distances at which windows of the sequence come again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .listing import Listing

Array = np.ndarray[Any, Any]

WINDOWS = (1, 8, 64, 512, 4096)
TRIED = 24  # distances taken from each width of window
REPEATS = 8  # a shorter loop is as well unrolled
SAVED = 32  # equations that a loop must save: it costs some of its own


class Run(NamedTuple):
    """The equations from `start` to `end`, which repeat after `period`."""

    period: int
    start: int
    end: int

    @property
    def saved(self) -> int:
        """How many equations a loop would save."""
        return self.end - self.start - self.period


def pays(run: Run, slack: int = 0) -> bool:
    """Whether a run is long enough to become a loop, if `slack` iterations may be added to it."""
    length = run.end - run.start + slack * run.period
    return length >= REPEATS * run.period and length - run.period >= SAVED


def stretches(mask: Array) -> tuple[Array, Array]:
    """The starts and the ends of the stretches where `mask` is true."""
    edges = np.flatnonzero(mask[1:] != mask[:-1]) + 1
    if len(mask) and mask[0]:
        edges = np.concatenate([[0], edges])
    if len(mask) and mask[-1]:
        edges = np.concatenate([edges, [len(mask)]])
    return edges[::2], edges[1::2]


def candidates(tokens: Array) -> list[int]:
    """Periods worth trying: distances at which many windows come again."""
    found: dict[int, None] = {}
    hashes = tokens.astype(np.uint64) + np.uint64(1)
    width = 1
    for wanted in WINDOWS:
        while width < wanted <= len(tokens) // 2:
            hashes = hashes[:-width] * np.uint64(0x9E3779B97F4A7C15) + hashes[width:]
            hashes ^= hashes >> np.uint64(29)
            width *= 2
        if width < wanted:
            break
        folded = (hashes ^ (hashes >> np.uint64(16)) ^ (hashes >> np.uint64(32))).astype(np.uint16)
        order = np.argsort(folded, kind="stable")
        again = folded[order[1:]] == folded[order[:-1]]
        distances = np.diff(order)[again]
        counts = np.bincount(distances) if len(distances) else np.zeros(1, np.int64)
        often = np.flatnonzero(counts >= REPEATS - 3)
        best = often[np.argsort(-counts[often], kind="stable")][:TRIED]
        found |= dict.fromkeys(best.tolist())
    return [p for p in found if 0 < p <= len(tokens) // 3]


def runs(tokens: Array, period: int) -> list[Run]:
    """The runs of a period that are long enough."""
    if 2 * period > len(tokens):
        return []
    starts, ends = stretches(tokens[:-period] == tokens[period:])
    long = ends - starts >= max((REPEATS - 1) * period, SAVED)
    return [Run(period, a, b + period) for a, b in zip(starts[long].tolist(), ends[long].tolist())]


def all_runs(tokens: Array) -> list[Run]:
    """The runs of all periods worth trying, and of their small multiples."""
    periods = candidates(tokens)
    found = {period: runs(tokens, period) for period in periods}
    for period in [p for p in periods if found[p]]:
        for multiple in (2 * period, 3 * period, 4 * period):
            if multiple not in found:
                found[multiple] = runs(tokens, multiple)
    return [run for each in found.values() for run in each]


def regular(listing: Listing, run: Run) -> list[Run]:
    """The parts of a run where every operand moves on by the same step in each iteration."""
    offsets, (period, start, end) = listing.offsets, run
    stride = int(offsets[start + period] - offsets[start])
    places = listing.places[offsets[start] : offsets[end]]
    if not stride or len(places) < 3 * stride:
        return [run] if not stride else []
    steps = places[stride:] - places[:-stride]
    starts, ends = stretches(steps[stride:] == steps[:-stride])
    long = ends - starts >= (REPEATS - 5) * stride
    base = offsets[start]
    firsts = np.searchsorted(offsets, starts[long] + base, side="left")
    lasts = np.searchsorted(offsets, ends[long] + base, side="right") - 1
    found = [Run(period, a, min(b + 2 * period, end))
             for a, b in zip(firsts.tolist(), lasts.tolist())]  # fmt: skip
    return [part for part in found if pays(part, slack=2)]
