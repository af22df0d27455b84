"""Samples brought to one scale."""

from typing import Any

import numpy as np

from scipy import stats as theirs

from ..operands import depends


def zscore(a: Any, axis: Any = 0, ddof: int = 0, **options: Any) -> Any:
    """`scipy.stats.zscore`: (a - mean) / std along an axis (None: of all).

    >>> from qiudao.scipy import stats
    >>> qd.grad(lambda x: np.sum(stats.zscore(x)))(np.array([1.0, 2.0, 4.0])).round(9)
    array([0., 0., 0.])
    """
    if not depends(a):
        return theirs.zscore(a, axis, ddof, **options)
    middle = np.mean(a, axis=axis, keepdims=True)
    return (a - middle) / np.std(a, axis=axis, ddof=ddof, keepdims=True)
