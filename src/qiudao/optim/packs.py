"""Parameters that move together, laid end to end so that one formula call moves them all.

Python's cost of a step then hardly grows with the number of parameters, and a formula works on
blocks that stay in the cache, so that its intermediate results cost no memory traffic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from ..core.dispatch import Tracer
from ..core.errors import GradientError
from ..tape.tensor import Tensor
from .formulas import Moved

__all__ = ["ALONE", "Pack"]

BLOCK = 65536  # elements: less costs calls (measured), more leaves the cache
ALONE = 32768  # elements: from here on copying gradients together costs more than a call

State = dict[str, Any]
Array = np.ndarray[Any, Any]


class Pack:
    """Parameters of one dtype that have made equally many steps, and what is remembered of them.

    The arrays in `states` become views of those kept here.  Values are never written in place: a
    graph that still holds an old value keeps it.
    """

    def __init__(
        self, params: Sequence[Tensor], states: Sequence[State], buffers: Sequence[str]
    ) -> None:
        self.params = params
        self.states = states
        dtype = params[0].dtype
        self.real = np.dtype(dtype.type(0).real.dtype)
        self.shapes = [p.shape for p in params]
        width = dtype.itemsize // self.real.itemsize  # a complex number is two real ones
        sizes = [width * p.size for p in params]
        self.edges = list(accumulate(sizes, initial=0))
        self.dtype = dtype
        self.values = np.empty(self.edges[-1], self.real)
        self.views: list[Any] = [None] * len(params)
        self.gradients = np.empty_like(self.values)
        self.buffers = {name: np.empty_like(self.values) for name in buffers}
        for name, flat in self.buffers.items():
            self.join([s[name] for s in states], flat)
            for s, view in zip(states, self.split(flat)):
                s[name] = view

    def join(self, arrays: Sequence[Any], out: Array) -> Array:
        """Arrays of the parameters' shapes end to end; one alone is not copied."""
        flat = [x.ravel() for x in arrays]
        if self.dtype is not self.real and self.dtype.kind == "c":
            flat = [np.asarray(x, self.dtype).view(self.real) for x in flat]
        if len(flat) == 1 and out is self.gradients:
            return np.asarray(flat[0], self.real)
        return np.concatenate(flat, out=out, casting="same_kind")

    def split(self, flat: Array) -> list[Any]:
        """Views of `flat` in the parameters' shapes."""
        if self.dtype.kind == "c":
            flat = flat.view(self.dtype)
            edges = [e // 2 for e in self.edges]
        else:
            edges = self.edges
        return [flat[a:b].reshape(shape) for (a, b), shape in zip(pairwise(edges), self.shapes)]

    def step(
        self,
        formula: Callable[..., Moved],
        gradients: Sequence[Any],
        t: int,
        options: Mapping[str, Any],
    ) -> None:
        """Move the parameters along their gradients by one formula."""
        before = [p.value for p in self.params]
        if any(x is not view for x, view in zip(before, self.views)):
            refuse_tracers(before)
            self.join(before, self.values)
        refuse_tracers(gradients)
        p, g = self.values, self.join(gradients, self.gradients)
        moved = np.empty_like(p)
        for start in range(0, p.size, BLOCK):
            block = slice(start, start + BLOCK)
            old = {name: flat[block] for name, flat in self.buffers.items()}
            moved[block], kept = formula(p[block], g[block], old, t, **options)
            for name, flat in self.buffers.items():
                flat[block] = kept[name]
        self.values = moved
        # A tensor of shape () holds a number of NumPy's and no array.
        self.views = [v if v.shape else v[()] for v in self.split(moved)]
        for x, view, s in zip(self.params, self.views, self.states):
            x.value = view
            x.version += 1
            s["step"] = t


def refuse_tracers(values: Sequence[Any]) -> None:
    """A step writes numbers; within a transform there are none."""
    if any(isinstance(x, Tracer) for x in values):
        raise GradientError(
            "step: a parameter or its gradient belongs to a transform (qd.jit, qd.vmap, qd.grad), "
            "and a step writes in place; use a rule there, such as qd.optim.adam(lr=...)"
        )
