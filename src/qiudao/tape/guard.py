"""A watch over a large array of the caller's that a rule will read later."""

from __future__ import annotations

from typing import Any

import numpy as np


class Guard:
    """Remembers a fingerprint of an array: reading it once is half the cost of a copy."""

    __slots__ = ("array", "fingerprint")

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array
        self.fingerprint = fingerprint(array)

    def is_broken(self) -> bool:
        """Whether the array has changed since."""
        return fingerprint(self.array) != self.fingerprint


def fingerprint(array: np.ndarray[Any, Any]) -> tuple[int, int]:
    """Two sums over the bits of an array, the second of them sensitive to order."""
    bits = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    words = bits[: bits.size // 8 * 8].view(np.uint64)
    tail = int(bits[words.size * 8 :].sum())
    half = words.size // 2
    return (
        int(np.bitwise_xor.reduce(words)) + tail,
        int(np.add.reduce(words[:half])),
    )
