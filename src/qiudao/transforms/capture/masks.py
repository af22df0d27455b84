"""`x[mask] += v` where the mask is not known, and so how many elements it selects.

`x[mask]` has no shape then, but what x holds afterwards has one: x + v where the mask holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...core.dispatch import Tracer, snapshot
from .state import unknown


class Selected:
    """The elements of an array that a mask selects."""

    def __init__(self, x: Any, mask: Any) -> None:
        self.whole = snapshot(x)
        self.mask = mask

    def after(self, plain: Callable[[Any, Any], Any], value: Any) -> Whole | None:
        """The array after `x[mask] += value`; None where elements would have their own values."""
        if np.ndim(value) > 0:
            return None
        new = plain(self.whole, value)
        if not np.can_cast(new.dtype, self.whole.dtype, "same_kind"):
            return None
        missing = (1,) * (len(self.whole.shape) - len(self.mask.shape))
        return Whole(np.where(np.reshape(self.mask, self.mask.shape + missing), new, self.whole))


class Whole:
    """What an array holds after some of its elements were written."""

    def __init__(self, array: Any) -> None:
        self.array = array


def selects(x: Any, index: Any) -> bool:
    """Whether an index is a mask of an array that is not known."""
    return (
        unknown(index)
        and index.dtype == np.bool_
        and bool(index.shape)
        and isinstance(x, np.ndarray | Tracer)
        and tuple(x.shape[: len(index.shape)]) == tuple(index.shape)
    )
