"""An array in few words: in full where it is small, else by its range and a thumbnail."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..core.avals import Dtype, Value, describe

NUMERIC = "biufc"  # kinds of dtypes: what else a function may give is not computed with
FULL = 36  # elements up to which an array is listed
SIDE = 24  # rows and columns of a thumbnail


def summary(x: Value | None) -> dict[str, Any] | None:
    """The summary of an array as docs/explain-json.md describes it; None for what is not known."""
    if x is None or isinstance(x, tuple):
        return None
    a = np.asarray(x)
    if a.dtype.kind not in NUMERIC:
        return of_others(a)
    if a.ndim == 0:
        return of_number(a)
    if 0 < a.size <= FULL and a.dtype.kind == "f":
        return of_few(a)
    sizes = np.abs(a) if a.dtype.kind == "c" else a
    finite = sizes[np.isfinite(sizes)] if a.dtype.kind in "fc" else sizes.reshape(-1)
    known = finite.size > 0
    return {
        "shape": list(a.shape),
        "dtype": name_of(a.dtype),
        "text": short(a),
        "entries": entries(a) if a.size <= FULL else None,
        "least": float(finite.min()) if known else None,
        "greatest": float(finite.max()) if known else None,
        "mean": float(finite.mean(dtype=float)) if known else None,
        "nonfinite": int(a.size - finite.size),
        "zeros": int(a.size - np.count_nonzero(a)),
        "thumbnail": thumbnail(sizes) if a.ndim == 2 and a.size > FULL else None,
    }


def of_others(a: Any) -> dict[str, Any]:
    """The summary of what is no number: a string, an object."""
    unknown = dict.fromkeys(("entries", "least", "greatest", "mean"))
    return {
        "shape": list(a.shape),
        "dtype": name_of(a.dtype),
        "text": short(a),
        **unknown,
        "nonfinite": 0,
        "zeros": 0,
        "thumbnail": None,
    }


def of_number(a: Any) -> dict[str, Any]:
    """The summary of a 0-d array."""
    x = a[()]
    size = float(abs(x)) if a.dtype.kind == "c" else float(x)
    known = size if math.isfinite(size) else None
    return {
        "shape": [],
        "dtype": name_of(a.dtype),
        "text": number(x),
        "entries": entries(a),
        "least": known,
        "greatest": known,
        "mean": known,
        "nonfinite": int(known is None),
        "zeros": int(size == 0),
        "thumbnail": None,
    }


def of_few(a: Any) -> dict[str, Any]:
    """The summary of a small array of real numbers: Python is quicker than NumPy here."""
    flat = a.reshape(-1).astype(float).tolist()
    finite = [x for x in flat if math.isfinite(x)]
    return {
        "shape": list(a.shape),
        "dtype": name_of(a.dtype),
        "text": short(a),
        "entries": a.astype(float).tolist() if len(finite) == len(flat) else entries(a),
        "least": min(finite, default=None),
        "greatest": max(finite, default=None),
        "mean": math.fsum(finite) / len(finite) if finite else None,
        "nonfinite": len(flat) - len(finite),
        "zeros": flat.count(0.0),
        "thumbnail": None,
    }


@functools.cache
def name_of(dtype: Dtype) -> str:
    """`float64`."""
    return str(dtype)


def number(x: Any, digits: int = 5) -> str:
    """A number as a reader likes it: `1.25`, `-3e-07`, `2`, `nan`."""
    if isinstance(x, bool | np.bool_):
        return str(bool(x))
    if isinstance(x, int | np.integer):
        return str(int(x))
    if isinstance(x, complex | np.complexfloating):
        sign = "-" if np.signbit(x.imag) else "+"
        return f"{number(x.real, digits)}{sign}{number(abs(x.imag), digits)}j"
    text = f"{float(x):.{digits}g}"
    return text.replace("e-0", "e-").replace("e+0", "e+")


def counted(count: int, one: str, several: str = "") -> str:
    """`1 value is`, `12,000 values are`."""
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def short(x: Value, most: int = 6) -> str:
    """An array for a label: listed up to `most` elements, else its type and range."""
    a = np.asarray(x)
    if a.dtype.kind not in NUMERIC:
        return repr(a.item()) if a.ndim == 0 and a.dtype.kind in "US" else name_of(a.dtype)
    if a.ndim == 0:
        return number(a[()])
    if 0 < a.size <= most:
        return nested(a)
    sizes = np.abs(a) if a.dtype.kind == "c" else a
    finite = sizes[np.isfinite(sizes)] if a.dtype.kind in "fc" else sizes
    kind = describe(a.shape, a.dtype)
    if not finite.size:
        return f"{kind}, none finite"
    lost = a.size - finite.size
    extra = f", {lost} not finite" if lost else ""
    least, greatest = number(finite.min(), 3), number(finite.max(), 3)
    if least == greatest:
        return f"{kind}, all {least}{extra}"
    return f"{kind} in [{least}, {greatest}]{extra}"


def nested(a: Any, digits: int = 5) -> str:
    """All elements, in brackets."""
    if a.ndim == 0:
        return number(a[()], digits)
    return "[" + ", ".join(nested(row, digits) for row in a) + "]"


def entries(a: Any) -> Any:
    """All elements in nested lists that JSON can hold."""
    if a.ndim:
        return [entries(row) for row in a]
    x = a[()]
    if a.dtype.kind == "b":
        return bool(x)
    if a.dtype.kind in "iu":
        return int(x)
    if a.dtype.kind == "c":
        return number(x, 12)
    return float(x) if np.isfinite(x) else number(x)


def thumbnail(a: Any) -> list[list[float | None]]:
    """At most `SIDE` x `SIDE` averages over blocks, from 0 (least) to 1 (greatest)."""
    means = averages(a.astype(float))
    known = means[~np.isnan(means)]
    if not known.size:
        return [[None] * means.shape[1] for _ in means]
    least, span = known.min(), np.ptp(known)
    scaled = np.round((means - least) / (span if span > 0 else 1.0), 3)
    return [[None if math.isnan(s) else s for s in row] for row in scaled.tolist()]


def averages(a: Any) -> Any:
    """The mean of the finite elements of each block, NaN where there are none."""
    finite = np.isfinite(a)
    if not a.size or max(a.shape) <= SIDE:
        return np.where(finite, a, np.nan)[:SIDE, :SIDE]
    counts = block_sums(finite.astype(float))
    with np.errstate(invalid="ignore", divide="ignore"):
        return block_sums(np.where(finite, a, 0.0)) / counts


def block_sums(a: Any) -> Any:
    """The sum over each of at most `SIDE` x `SIDE` blocks of rows and columns."""
    rows, columns = (np.arange(min(n, SIDE)) * n // min(n, SIDE) for n in a.shape)
    return np.add.reduceat(np.add.reduceat(a, rows, axis=0), columns, axis=1)
