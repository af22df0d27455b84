"""The user's function as one of a vector of real coordinates, and its derivatives from `qd`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...core.avals import Dtype, Value
from ...core.dispatch import concrete
from ...core.trees import flatten
from ...transforms.forward import jvp
from ...transforms.reverse import vjp
from ..graph import Graph, element_label
from ..witness import Observation, Step, Subject


def flat(values: Sequence[Value]) -> np.ndarray:
    """Arrays as one real vector; a complex element is two coordinates, real part first."""
    parts = [np.zeros(0)]
    for v in values:
        a = np.asarray(v)
        parts.append((np.stack([a.real, a.imag], -1) if a.dtype.kind == "c" else a).reshape(-1))
    return np.concatenate(parts)


def eps_of(dtype: Dtype) -> float:
    """The relative precision of a dtype; that of float64 for one without."""
    return float(np.finfo(dtype if dtype.kind in "fc" else np.float64).eps)


class Function:
    """The user's function of the vector of all coordinates of its inputs, with one real result.

    The result is the sum of the (real parts of the) elements of the output that the story is about.
    `eps` is, for each coordinate, the coarser of its own precision and the result's; `calls` counts
    how often the user's function has run.
    """

    def __init__(self, subject: Subject, graph: Graph) -> None:
        self.subject = subject
        self.names = [v.title for v in graph.inputs]
        self.values = [np.asarray(x) for x in subject.inputs]
        self.start = flat(self.values).astype(float)
        self.place = next(k for k, v in enumerate(graph.outputs) if v is graph.seed)
        self.calls = 0
        self.visited: list[list[Value]] | None = None
        value = np.asarray(graph.outputs[self.place].value)
        self.ones = np.ones(value.shape, value.dtype)[()]
        out = eps_of(value.dtype)
        self.eps = np.concatenate(
            [np.zeros(0)]
            + [np.full(flat([v]).size, max(eps_of(v.dtype), out)) for v in self.values]
        )

    def arrays(self, x: np.ndarray) -> list[Value]:
        """The inputs with these coordinates, in their own shapes and dtypes."""
        parts, begin = [], 0
        for v in self.values:
            n = v.size * (2 if v.dtype.kind == "c" else 1)
            here = x[begin : begin + n]
            if v.dtype.kind == "c":
                here = here[0::2] + 1j * here[1::2]
            parts.append(here.reshape(v.shape).astype(v.dtype)[()])
            begin += n
        return parts

    def result(self, *inputs: Value) -> Any:
        """The output that the story is about, at these inputs."""
        self.calls += 1
        return flatten(self.subject.call(inputs))[0][self.place]

    def __call__(self, x: np.ndarray) -> float:
        inputs = self.arrays(x)
        if self.visited is not None:
            self.visited.append(self.arrays(x))  # the function may write into what it is given
        with np.errstate(all="ignore"):
            out = concrete(self.result(*inputs))
            return float(np.sum(np.real(out), dtype=np.result_type(np.asarray(out).real, float)))

    @contextmanager
    def watched(self) -> Iterator[list[list[Value]]]:
        """Within the block, the inputs at which the function is run are kept in the list given."""
        visited: list[list[Value]] = []
        self.visited = visited
        try:
            yield visited
        finally:
            self.visited = None

    def again(self, points: Sequence[Sequence[Value]]) -> Callable[[], None]:
        """What runs the user's function at these inputs, and does nothing else."""
        built = [self.subject.arguments(inputs) for inputs in points]
        f = self.subject.f

        def run() -> None:
            for args, kwargs in built:
                f(*args, **kwargs)

        return run

    def moved(self, k: int, x: float) -> tuple[float, float]:
        """The value with coordinate k moved to x, and where it then is in its own precision."""
        point = self.start.copy()
        point[k] = x
        arrays = self.arrays(point)
        return self(point), float(flat(arrays)[k])

    def coordinates(self) -> list[tuple[int, tuple[int, ...], bool]]:
        """For each coordinate: the number of its input, its index, whether it is imaginary."""
        return [
            (n, index, imaginary)
            for n, v in enumerate(self.values)
            for index in np.ndindex(v.shape)
            for imaginary in ((False, True) if v.dtype.kind == "c" else (False,))
        ]

    @functools.cached_property
    def labels(self) -> list[str]:
        """The name of each coordinate: `x`, `w[0, 1]`, `z[2].imag`."""
        return [
            element_label(self.names[n], index)
            + ((".imag" if imaginary else ".real") if self.values[n].dtype.kind == "c" else "")
            for n, index, imaginary in self.coordinates()
        ]

    def push(self, number: int, index: tuple[int, ...], imaginary: bool) -> Callable[[], Value]:
        """What does one forward sweep, from one coordinate: the tangent of the output."""
        values = [v[()] for v in self.values]
        x, before, after = values[number], values[:number], values[number + 1 :]
        tangent = np.zeros(x.shape, x.dtype)
        tangent[index] = 1j if imaginary else 1.0
        tangent = tangent[()]

        def partial(x: Value) -> Any:
            return self.result(*before, x, *after)

        return lambda: jvp(partial, (x,), (tangent,))[1]

    def push_ones(self) -> float:
        """What one forward sweep with all tangents 1 gives."""
        ones = tuple(np.ones(v.shape, v.dtype)[()] for v in self.values)
        _, change = jvp(self.result, tuple(v[()] for v in self.values), ones)
        return float(np.sum(np.real(change)))

    def pull(self) -> Callable[[], Sequence[Value]]:
        """What does one reverse sweep: the gradients by all inputs."""
        values = [v[()] for v in self.values]
        return lambda: vjp(self.result, *values)[1](self.ones)

    def output(self, seen: Observation) -> Step:
        """The output that the story is about, in an observation of the same function."""
        return seen.outputs[self.place]
