"""Shapes, axes, dtypes, triangles."""

from __future__ import annotations

import numpy as np

from ....ops import shaping, triangles
from .. import helpers
from ..code import Code, call, method, tuple_of
from ..constants import constructed, dtype_name, shape_text
from ..table import Phrase, spells


@spells(shaping.Reshape)
def reshape(p: Phrase) -> Code:
    """`x[:, None]` where only unit axes come in, `x.reshape(3, 4)` otherwise."""
    x = p.xs[0]
    if x.shape == p.shape:
        return x.code
    if not x.ndim and not p.shape:
        return x.code
    widened = with_units(x.shape, p.shape)
    if widened is not None and x.ndim:
        return method(x.code, widened)
    narrowed = without_units(x.shape, p.shape)
    if narrowed is not None:
        return method(x.code, narrowed)
    if not x.ndim:
        return call("np.reshape", x.code, shape_text(p.shape) if p.shape else "()")
    return method(x.code, f".reshape({', '.join(map(str, p.shape)) or '()'})")


def with_units(before: tuple[int, ...], after: tuple[int, ...]) -> str | None:
    """The index that only puts unit axes in: `[:, None]`, or None."""
    if len(after) <= len(before):
        return None
    parts: list[str] = []
    rest = list(before)
    for n in after:
        if rest and rest[0] == n:
            rest.pop(0)
            parts.append(":")
        elif n == 1:
            parts.append("None")
        else:
            return None
    if rest:
        return None
    lead = next((k for k, part in enumerate(parts) if part != ":"), 0)
    if lead > 2:
        return f"[{', '.join(['...', *parts[lead:]])}]"
    while parts[-1] == ":":
        parts.pop()
    return f"[{', '.join(parts)}]"


def without_units(before: tuple[int, ...], after: tuple[int, ...]) -> str | None:
    """The index that only takes unit axes away: `[:, 0]`, or None."""
    if len(after) >= len(before):
        return None
    parts: list[str] = []
    rest = list(after)
    for n in before:
        if rest and rest[0] == n:
            rest.pop(0)
            parts.append(":")
        elif n == 1:
            parts.append("0")
        else:
            return None
    if rest:
        return None
    while parts and parts[-1] == ":":
        parts.pop()
    return f"[{', '.join(parts)}]"


@spells(shaping.Transpose)
def transpose(p: Phrase) -> Code:
    """`x.T`, `x.mT`, or `np.transpose(x, axes)`."""
    x = p.xs[0]
    n = x.ndim
    lead = n - len(p.primitive.axes)
    axes = (*range(lead), *(a + n for a in p.primitive.axes))
    if axes == tuple(range(n)):
        return x.code
    if axes == tuple(reversed(range(n))):
        return method(x.code, ".T")
    if axes == (*range(n - 2), n - 1, n - 2):
        return method(x.code, ".mT")
    for source in range(n):
        for target in range(n):
            moved = [k for k in range(n) if k != source]
            moved.insert(target, source)
            if tuple(moved) == axes:
                return call("np.moveaxis", x.code, str(source), str(target))
    return call("np.transpose", x.code, tuple_of(axes))


@spells(shaping.Stretch)
def stretch(p: Phrase) -> Code:
    """`np.broadcast_to(x, shape)`, or an array full of a number."""
    x = p.xs[0]
    if x.value is not None and not x.ndim and p.shape:
        made = constructed(np.full(p.shape, x.value, p.dtype))
        if made is not None:
            return made
    return call("np.broadcast_to", x.code, shape_text(p.shape) if p.shape else "()")


@spells(shaping.Flip)
def flip(p: Phrase) -> Code:
    """`x[::-1]`, or `np.flip(x, axes)`."""
    x, axes = p.xs[0], p.primitive.axes
    if axes == (-x.ndim,) or axes == (0,):
        return method(x.code, "[::-1]")
    return call("np.flip", x.code, str(axes[0]) if len(axes) == 1 else tuple_of(axes))


@spells(shaping.Concatenate)
def concatenate(p: Phrase) -> Code:
    """`np.concatenate([a, b], axis=-1)`; rows put together as `np.stack`."""
    axis = p.primitive.axis
    n = len(p.shape)
    inner = [p.inner(x, "reshape") for x in p.xs]
    if all(
        i is not None and x.shape == (*i.shape[: n + axis], 1, *i.shape[n + axis :])
        for i, x in zip(inner, p.xs, strict=True)
    ):
        words = ", ".join(i.code.text for i in inner if i is not None)
        if n == 1:
            return Code(f"np.array([{words}])")
        where = "" if n + axis == 0 else f", axis={axis}"
        return Code(f"np.stack([{words}]{where})")
    words = ", ".join(x.code.text for x in p.xs)
    where = "" if n + axis == 0 else f", axis={axis}"
    return Code(f"np.concatenate([{words}]{where})")


@spells(shaping.Cast)
def cast(p: Phrase) -> Code:
    """`x.astype(np.float32)`; from complex to real, the real part."""
    x = p.xs[0]
    code = x.code
    if x.dtype.kind == "c" and p.dtype.kind != "c":
        code = method(code, ".real")
        if np.zeros((), x.dtype).real.dtype == p.dtype:
            return code
    if not x.ndim:
        return call(dtype_name(p.dtype), code)
    return method(code, f".astype({dtype_name(p.dtype)})")


@spells(shaping.Copy)
def copy(p: Phrase) -> Code:
    """The value: nothing here is written to."""
    return p.codes[0]


@spells(triangles.Diagonal)
def diagonal(p: Phrase) -> Code:
    """`np.diagonal(x)`."""
    named: dict[str, object] = {}
    if p.primitive.offset:
        named["offset"] = p.primitive.offset
    if p.xs[0].ndim > 2:
        named |= {"axis1": -2, "axis2": -1}
    return call("np.diagonal", p.codes[0], **named)


@spells(triangles.OnDiagonal)
def on_diagonal(p: Phrase) -> Code:
    """`np.diag(d)` for a square matrix, else written into zeros."""
    x, offset = p.xs[0], p.primitive.offset
    rows, columns = p.primitive.sizes
    size = x.shape[-1] + abs(offset)
    if x.ndim == 1 and rows == columns == size:
        return call("np.diag", x.code, *([str(offset)] if offset else []))
    start, stride = max(-offset, 0) * columns + max(offset, 0), columns + 1
    stop = start + x.shape[-1] * stride
    lead = x.shape[:-1]
    flat = call(
        p.use(helpers.place),
        x.code,
        f"np.s_[..., {start}:{stop}:{stride}]",
        shape_text((*lead, rows * columns)),
    )
    return method(flat, f".reshape({', '.join(map(str, (*lead, rows, columns)))})")
