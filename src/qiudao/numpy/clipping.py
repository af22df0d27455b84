"""Clipping with the names that the array standard gives its bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

from .results import tensors


def clip(x: Any, /, min: Any = None, max: Any = None, **options: Any) -> Any:
    """The elements of `x`, at least `min` and at most `max`; None is no bound.

    `options` are `np.clip`'s.

    >>> from qiudao import numpy as xp
    >>> xp.clip(xp.asarray([1.0, 5.0]), max=3.0)
    tensor([1., 3.])
    """
    return tensors(np.clip(x, min, max, **options))
