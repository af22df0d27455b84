"""A watch over a large array of the caller's that a rule will read later."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

BLOCK = 4096
WEIGHTS = np.random.default_rng(20).uniform(1.0, 2.0, BLOCK)


class Guard:
    """Remembers a fingerprint of an array: reading it once is half the cost of a copy."""

    __slots__ = ("array", "fingerprint")

    def __init__(self, array: Array) -> None:
        self.array = array
        self.fingerprint = fingerprint(array)

    def is_broken(self) -> bool:
        """Whether the array has changed since."""
        return not same(fingerprint(self.array), self.fingerprint)


class Fingerprint(NamedTuple):
    """What two readings of an unchanged array have in common.

    `bits` sees every change of one element, and whatever else does not cancel in pairs of bits.
    What does, such as a change of order or of all signs, changes the weighted `sums`.
    """

    bits: int
    sums: Array


def fingerprint(array: Array) -> Fingerprint:
    """The fingerprint of a float or complex array: two passes at the speed of memory."""
    flat = array.ravel(order="K")
    flat = flat.view(flat.real.dtype)
    words = flat.view(np.uint64 if flat.nbytes % 8 == 0 else np.uint32)
    whole = flat.size // BLOCK * BLOCK
    weights = WEIGHTS.astype(flat.dtype, copy=False)
    with np.errstate(all="ignore"):
        rows = flat[:whole].reshape(-1, BLOCK) @ weights
        rest = flat[whole:] @ weights[: flat.size - whole]
    return Fingerprint(int(np.bitwise_xor.reduce(words)), np.append(rows, rest))


def same(a: Fingerprint, b: Fingerprint) -> bool:
    """Whether two fingerprints are of one array; sums may be rounded otherwise by other threads."""
    if a.bits != b.bits:
        return False
    finite = np.isfinite(b.sums)
    before, after = b.sums[finite], a.sums[finite]
    slack = 8 * np.sqrt(BLOCK) * np.finfo(before.dtype).eps * np.max(np.abs(before), initial=0.0)
    return bool(np.all(np.abs(after - before) <= slack))
