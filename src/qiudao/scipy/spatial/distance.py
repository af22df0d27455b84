"""`qd.scipy.spatial.distance`: distances between points, with derivatives."""

from typing import Any

import numpy as np
from scipy.spatial import distance as theirs

from ...core.errors import GradientError
from ..operands import depends

__all__ = ["cdist"]


def cdist(XA: Any, XB: Any, metric: str = "euclidean", **options: Any) -> Any:
    """`scipy.spatial.distance.cdist`: the distance of each row of `XA` from each row of `XB`, for
    the metrics euclidean, sqeuclidean, cityblock and chebyshev.

    The distance of a point from itself has the derivative 0.  Raises `GradientError` for
    derivatives with another metric.

    >>> from qiudao.scipy.spatial import distance
    >>> point = np.array([[3.0, 4.0]])
    >>> qd.grad(lambda x: distance.cdist(x, np.zeros((1, 2)))[0, 0])(point)
    array([[0.6, 0.8]])
    """
    if not depends(XA, XB):
        return theirs.cdist(XA, XB, metric, **options)
    apart = XA[..., :, np.newaxis, :] - XB[..., np.newaxis, :, :]
    if metric == "sqeuclidean":
        return np.sum(apart**2, axis=-1)
    orders = {"euclidean": 2, "cityblock": 1, "chebyshev": np.inf}
    if metric not in orders or options:
        raise GradientError(
            f"cdist: derivatives with metric={metric!r} are not known; use euclidean, sqeuclidean, "
            "cityblock or chebyshev"
        )
    return np.linalg.norm(apart, orders[metric], axis=-1)
