"""Reading and writing by index."""

from __future__ import annotations

from typing import Any

from ....ops import indexing, writing
from .. import helpers
from ..code import Code, call, method, tuple_of
from ..constants import shape_text
from ..table import Phrase, Term, spells


def part_text(part: Any) -> str:
    """A part of an index: `1:`, `...`, `None`, `2`."""
    if part is Ellipsis:
        return "..."
    if isinstance(part, slice):
        first, last, step = (
            "" if v is None else str(v) for v in (part.start, part.stop, part.step)
        )
        return f"{first}:{last}" + (f":{step}" if step else "")
    return str(part)


def index_text(index: tuple[Any, ...]) -> str:
    """An index between brackets; whole axes at the end are left out."""
    parts = [part_text(p) for p in index]
    needless = ("...",) if "..." in parts[:-1] else (":", "...")
    while len(parts) > 1 and parts[-1] in needless:
        parts.pop()
    return ", ".join(parts) or "..."


def index_argument(index: tuple[Any, ...]) -> str:
    """An index as an argument of a function: `np.s_[1:, ::2]`, or a number."""
    text = index_text(index)
    return text if len(index) == 1 and isinstance(index[0], int) else f"np.s_[{text}]"


def filled(pattern: tuple[Any, ...], holes: tuple[int, ...], arrays: list[Term]) -> str:
    """An index with arrays in its holes."""
    parts = [part_text(p) for p in pattern]
    for hole, x in zip(holes, arrays, strict=True):
        parts[hole] = plain_index(x)
    needless = ("...",) if "..." in parts[:-1] else (":", "...")
    while len(parts) > 1 and parts[-1] in needless and len(parts) - 1 not in holes:
        parts.pop()
    return ", ".join(parts)


def plain_index(x: Term) -> str:
    """An index array; a constant one as a list."""
    text = x.code.text
    known = x.value is not None and x.ndim and text.startswith("np.array([")
    return (
        text.removeprefix("np.array(").removesuffix(")") if known and "dtype" not in text else text
    )


@spells(indexing.GetItem)
def getitem(p: Phrase) -> Code:
    """`x[1:, 0]`."""
    return method(p.codes[0], f"[{index_text(p.primitive.index)}]")


@spells(indexing.Place)
def place(p: Phrase) -> Code:
    """A value in zeros: `np.pad(x, (0, 1))` where it is contiguous, else a helper."""
    x = p.xs[0]
    widths = padding(p.primitive.index, x.shape, p.primitive.sizes)
    if widths is not None and x.ndim:
        words = [f"({a}, {b})" for a, b in widths]
        return call("np.pad", x.code, words[0] if len(words) == 1 else f"[{', '.join(words)}]")
    where = index_argument(p.primitive.index)
    return call(p.use(helpers.place), x.code, where, shape_text(p.shape))


def padding(
    index: tuple[Any, ...], shape: tuple[int, ...], sizes: tuple[int, ...]
) -> list[tuple[int, int]] | None:
    """How many zeros stand before and after along each axis; None where that is not all."""
    parts = list(index)
    if len(shape) != len(sizes) or not all(isinstance(q, slice) for q in parts):
        return None
    parts += [slice(None)] * (len(sizes) - len(parts))
    widths = []
    for part, n in zip(parts, sizes, strict=True):
        start, stop, step = part.indices(n)
        if step != 1:
            return None
        widths.append((start, n - max(stop, start)))
    return widths


@spells(indexing.Gather)
def gather(p: Phrase) -> Code:
    """`x[rows, columns]`."""
    x, *arrays = p.xs
    return method(x.code, f"[{filled(p.primitive.pattern, p.primitive.holes, arrays)}]")


@spells(indexing.ScatterAdd)
def scatter_add(p: Phrase) -> Code:
    """Zeros with values added at an index: repeats add up."""
    v, *arrays = p.xs
    where = filled(p.primitive.pattern, p.primitive.holes, arrays)
    plain = len(p.primitive.pattern) == 1 and len(arrays) == 1
    argument = where if plain else f"np.s_[{where}]"
    return call(p.use(helpers.add_at), argument, v.code, shape_text(p.shape))


@spells(indexing.TakeAlong)
def take_along(p: Phrase) -> Code:
    """`np.take_along_axis(x, index, axis)`."""
    return call("np.take_along_axis", *p.codes, axis=p.primitive.axis)


@spells(indexing.AddAlong)
def add_along(p: Phrase) -> Code:
    """Zeros with values added at an index along an axis."""
    v, index = p.codes
    return call(p.use(helpers.add_along), index, v, str(p.primitive.axis), str(p.primitive.count))


@spells(writing.SetItem)
def setitem(p: Phrase) -> Code:
    """`x` with a part of it replaced."""
    x, v = p.codes
    return call(p.use(helpers.replace), x, index_argument(p.primitive.index), v)


@spells(writing.Put)
def put(p: Phrase) -> Code:
    """`x` with the elements at an index replaced; the last of several wins."""
    x, v, *arrays = p.xs
    where = filled(p.primitive.pattern, p.primitive.holes, arrays)
    plain = len(p.primitive.pattern) == 1 and len(arrays) == 1
    argument = where if plain else f"np.s_[{where}]"
    return call(p.use(helpers.replace), x.code, argument, v.code)


@spells(writing.Survivors)
def survivors(p: Phrase) -> Code:
    """Which of several values written to one place stays."""
    rows = tuple_of(tuple(x.text for x in p.codes))
    return call(p.use(helpers.survivors), rows, tuple_of(p.primitive.dims))
