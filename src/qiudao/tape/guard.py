"""Arrays of the caller's that a rule will read later: copied, or watched when they are huge."""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

TINY = 1 << 15  # bytes below which a copy is cheaper than looking for an earlier one
COPIED = 1 << 24  # bytes up to which a copy is made: it costs less than two fingerprints
ROW = 4096

_copies: dict[int, weakref.ref[Array]] = {}


def copy_of(array: Array) -> Array:
    """A copy, the same one for an array that was copied before and is unchanged since."""
    if array.nbytes <= TINY:
        return array.copy()
    key = id(array)
    earlier = _copies.get(key, _nothing)()
    if earlier is not None and is_same(earlier, array):
        return earlier
    made = array.copy()
    _copies[key] = weakref.ref(made, lambda ref: forget(key, ref))
    return made


def _nothing() -> None:
    """Stands for a reference to a copy that was never made."""


def forget(key: int, ref: weakref.ref[Array]) -> None:
    """Drop the entry of a copy that is gone, unless another has taken its place."""
    if _copies.get(key) is ref:
        del _copies[key]


def is_same(a: Array, b: Array) -> bool:
    """Whether two arrays have the same dtype, shape and values; NaN is the same as nothing."""
    return a.dtype == b.dtype and a.shape == b.shape and bool((a == b).all())


class Guard:
    """Remembers a fingerprint of an array, which takes no memory."""

    __slots__ = ("array", "fingerprint")

    def __init__(self, array: Array) -> None:
        self.array = array
        self.fingerprint = fingerprint(array)

    def is_broken(self) -> bool:
        """Whether the array has changed since."""
        now, before = fingerprint(self.array), self.fingerprint
        return now.bits != before.bits or now.sums != before.sums


class Fingerprint(NamedTuple):
    """What two readings of an unchanged array have in common, as bytes.

    `bits` has the exclusive or of each column of long rows, which sees the change of one element
    and most others; `sums` has the sum of each row, which sees a change of all signs, or of order
    within a column.
    """

    bits: bytes
    sums: bytes


def fingerprint(array: Array) -> Fingerprint:
    """The fingerprint of a float or complex array: two passes over its memory."""
    flat = array.ravel(order="K")
    flat = flat.view(flat.real.dtype)
    words = flat.view(f"u{flat.itemsize}")
    whole = flat.size // ROW * ROW
    with np.errstate(all="ignore"):
        sums = np.add.reduce(flat[:whole].reshape(-1, ROW), axis=1)
    bits = np.bitwise_xor.reduce(words[:whole].reshape(-1, ROW), axis=0)
    return Fingerprint(bits.tobytes() + words[whole:].tobytes(), sums.tobytes())
