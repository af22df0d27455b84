"""The test that every primitive gets for nothing, from its samples.

Checked: the stated shape against the value; tangents against central differences; the adjoint
identity <ct, J dx> = <J' ct, dx>; the same one and two orders up; `vmap` against a loop; float32
in, float32 out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.avals import Aval, aval_of
from ..core.primitive import Primitive, registry
from ..core.samples import Sample
from ..transforms.batch import vmap
from ..transforms.forward import jvp
from ..transforms.reverse import vjp


class RuleFailure(AssertionError):
    """A primitive's rule disagrees with its value."""


def every_sample() -> list[tuple[str, Primitive, Sample]]:
    """Each primitive in the registry with each of its samples, labelled."""
    found = []
    for cls in registry:
        if not cls.samples:
            raise RuleFailure(f"{cls.name}: a primitive must carry samples")
        for k, s in enumerate(cls.samples):
            found.append((f"{cls.name}-{k}", cls(**s.fields), s))
    return found


def draw(sample: Sample, rng: np.random.Generator) -> list[Any]:
    """Operands for a sample."""
    return [draw_one(aval, sample, rng) for aval in sample.avals]


def draw_one(aval: Aval, sample: Sample, rng: np.random.Generator) -> Any:
    low, high = sample.within
    shape = aval.shape
    if aval.dtype.kind == "b":
        return rng.random(shape) < 0.5
    if aval.dtype.kind == "i":
        if sample.kind == "index":
            limit = sample.avals[0].shape or (1,)
            return rng.integers(0, min(limit), shape)
        return rng.integers(int(low), int(high) + 1, shape)
    x = rng.uniform(low, high, shape)
    if sample.kind in ("distinct", "increasing"):
        count = max(x.size, 1)
        grid = np.linspace(low, high, count) + rng.uniform(-0.2, 0.2, count) * (high - low) / count
        x = np.reshape(grid if sample.kind == "increasing" else rng.permutation(grid), shape)
    if aval.dtype.kind == "c":
        x = x + 1j * rng.uniform(-0.5, 0.5, shape)
    if sample.kind in ("symmetric", "definite") and len(shape) >= 2:
        x = x + np.conj(np.swapaxes(x, -1, -2))
        if sample.kind == "definite":
            x = x @ np.conj(np.swapaxes(x, -1, -2)) + np.eye(shape[-1])
    return np.asarray(x, aval.dtype)


def check_rule(prim: Primitive, sample: Sample, seed: int = 0) -> None:
    """Raise `RuleFailure` unless every rule of `prim` agrees with its value on the sample."""
    rng = np.random.default_rng(seed)
    xs = draw(sample, rng)
    check_shape(prim, xs)
    movable = [i for i, x in enumerate(xs) if x.dtype.kind in "fc"]
    check_batch(prim, xs, rng)
    if prim.is_constant or not movable:
        return

    def f(*inputs: Any) -> Any:
        full = list(xs)
        for i, x in zip(movable, inputs, strict=True):
            full[i] = x
        return prim(*full)

    inputs = [xs[i] for i in movable]
    check_derivative(prim.name, f, inputs, rng, order=sample.order)
    check_single(prim, f, inputs)


def parts(y: Any) -> tuple[Any, ...]:
    """A result as a tuple of results that are differentiated."""
    ys = y if isinstance(y, tuple) else (y,)
    return tuple(v for v in ys if np.result_type(v).kind in "fc")


def check_shape(prim: Primitive, xs: list[Any]) -> None:
    """The stated type is the type of the value."""
    out = prim(*xs)
    stated = prim.shape(*map(aval_of, xs))
    pairs = zip(out, stated, strict=True) if isinstance(out, tuple) else [(out, stated)]
    for value, aval in pairs:
        if (np.shape(value), value.dtype) != (aval.shape, aval.dtype):
            raise RuleFailure(f"{prim.name}: states {aval} and gives {aval_of(value)}")


def check_batch(prim: Primitive, xs: list[Any], rng: np.random.Generator) -> None:
    """`vmap` over all operands, and over each alone, equals a loop."""
    size = 3
    wiggle = [
        np.stack([x * (1 + 0.01 * k) if x.dtype.kind in "fc" else x for k in range(size)])
        for x in xs
    ]
    patterns = [(0,) * len(xs)]
    if len(xs) > 1:
        patterns += [tuple(0 if j == i else None for j in range(len(xs))) for i in range(len(xs))]
    for axes in patterns:
        operands = [w if a == 0 else x for w, x, a in zip(wiggle, xs, axes, strict=True)]
        if any(x.dtype.kind == "b" for x, a in zip(xs, axes, strict=True) if a == 0) and \
                prim.name in ("gather", "put", "scatteradd"):
            continue
        together = vmap(lambda *a: prim(*a), axes)(*operands)
        rows = [
            prim(*(o[k] if a == 0 else o for o, a in zip(operands, axes, strict=True)))
            for k in range(size)
        ]
        if isinstance(together, tuple):
            columns = [np.stack(c) for c in zip(*rows, strict=True)]
        else:
            together, columns = (together,), [np.stack(rows)]
        for got, want in zip(together, columns, strict=True):
            close(f"{prim.name}: vmap{axes} against a loop", got, want, 1e-9)


def check_derivative(
    name: str, f: Any, inputs: list[Any], rng: np.random.Generator, order: int, level: int = 1
) -> None:
    """Tangents against differences, and the adjoint identity; then the same for the pullback."""
    directions = [random_like(x, rng) for x in inputs]
    _, dy = jvp(lambda *a: parts(f(*a)), tuple(inputs), tuple(directions))
    numeric = difference(f, inputs, directions)
    for got, want in zip(dy, numeric, strict=True):
        close(f"{name}: tangent of order {level} against differences", got, want, 2e-6 * 10**(level-1))
    y, pullback = vjp(lambda *a: parts(f(*a)), *inputs)
    cts = tuple(random_like(v, rng) for v in y)
    back = pullback(cts)
    left = sum(inner(c, d) for c, d in zip(cts, dy, strict=True))
    right = sum(inner(b, d) for b, d in zip(back, directions, strict=True))
    close(f"{name}: adjoint identity at order {level}", left, right, 1e-8)
    if level < order:

        def onward(*a: Any) -> Any:
            return vjp(lambda *b: parts(f(*b)), *a)[1](cts)

        check_derivative(name, onward, inputs, rng, order, level + 1)


def check_single(prim: Primitive, f: Any, inputs: list[Any]) -> None:
    """float32 operands give what is stated for them, and float32 gradients."""
    if any(x.dtype != np.float64 for x in inputs):
        return
    singles = [x.astype(np.float32) for x in inputs]
    y, pullback = vjp(lambda *a: parts(f(*a)), *singles)
    cts = pullback(tuple(np.ones_like(v) for v in y))
    check_shape_of_single(prim, y)
    for g in cts:
        if g.dtype != np.float32:
            raise RuleFailure(f"{prim.name}: float32 operands gave a gradient in {g.dtype}")


def check_shape_of_single(prim: Primitive, y: Any) -> None:
    """Results of float32 operands stay float32, unless the primitive names another dtype."""
    for v in y:
        if np.result_type(v) != np.float32 and not hasattr(prim, "to"):
            raise RuleFailure(f"{prim.name}: float32 operands gave {np.result_type(v)}")


def difference(f: Any, inputs: list[Any], directions: list[Any]) -> list[Any]:
    """The directional derivative by central differences, extrapolated once."""

    def central(h: float) -> list[Any]:
        up = parts(f(*(x + h * d for x, d in zip(inputs, directions, strict=True))))
        down = parts(f(*(x - h * d for x, d in zip(inputs, directions, strict=True))))
        return [(a - b) / (2 * h) for a, b in zip(up, down, strict=True)]

    coarse, fine = central(2e-4), central(1e-4)
    return [(4 * b - a) / 3 for a, b in zip(coarse, fine, strict=True)]


def random_like(x: Any, rng: np.random.Generator) -> Any:
    """A random direction of the shape and dtype of `x`."""
    d = rng.uniform(-1, 1, np.shape(x))
    if np.result_type(x).kind == "c":
        d = d + 1j * rng.uniform(-1, 1, np.shape(x))
    return np.asarray(d, np.result_type(x))


def inner(a: Any, b: Any) -> float:
    """The real inner product that pairs public gradients with tangents."""
    return float(np.sum(np.real(np.conj(a) * b)))


def close(what: str, got: Any, want: Any, tolerance: float) -> None:
    """Raise unless two values agree, relative to their size."""
    got, want = np.asarray(got), np.asarray(want)
    if got.shape != want.shape:
        raise RuleFailure(f"{what}: shape {got.shape} against {want.shape}")
    if got.size == 0:
        return
    if got.dtype.kind in "biu":
        if not np.array_equal(got, want):
            raise RuleFailure(f"{what}: {got} against {want}")
        return
    error = np.max(np.abs(got - want))
    scale = max(1.0, float(np.max(np.abs(want))))
    if not error <= tolerance * scale:
        raise RuleFailure(f"{what}: {got} against {want}, error {error:.2g}")


def names() -> Iterator[str]:
    """The names of all primitives."""
    return (cls.name for cls in registry)
