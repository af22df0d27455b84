"""How far to step: far enough to rise above rounding, and near enough to follow the slope.

A difference over a step h errs by the curve of the function, which grows with h, and by rounding,
about eps |f| / h^n for the n-th derivative.  Both are equal near h = eps^(1/(n+1)) for a one-sided
difference and h = eps^(1/(n+2)) for a central one, times the scale on which the function changes,
for which max(|x|, 1) stands in (Nocedal and Wright, Numerical Optimization, 8.1).
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any  # an array or a NumPy scalar


def resolution(*dtypes: Any) -> float:
    """The spacing of the coarsest of some float or complex dtypes at 1; 0 for integers."""
    return max(
        (float(np.finfo(d).eps) for d in map(np.dtype, dtypes) if d.kind in "fc"), default=0.0
    )


def scale_of(x: Array) -> Array:
    """The size of x, or 1 where x is smaller."""
    return np.maximum(np.abs(x), np.ones((), x.dtype))


def best_step(x: Array, order: int, symmetric: bool) -> Array:
    """The step at which both errors of a plain difference are about equal."""
    power = order + (2 if symmetric else 1)
    return scale_of(x) * x.dtype.type(resolution(x.dtype) ** (1.0 / power))


def representable(x: Array, h: Array) -> Array:
    """The step nearest to h that leads from x to another number of its dtype.

    The divisor of a difference must be the step that was really taken.
    """
    return (x + h) - x
