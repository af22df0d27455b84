"""Integrals by fixed rules, for derivatives that have no closed form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

BLOCK = 500_000  # elements that are evaluated at once


def weighed(f: Callable[[Any], Any], nodes: Any, weights: Any, like: Any) -> Any:
    """The sum of weights times `f` at the nodes, which come along a new first axis.

    `like` has the shape of what `f` gives at one node.
    """
    ndim = np.ndim(like)
    many = max(1, BLOCK // max(np.size(like), 1))
    total: Any = np.zeros(np.shape(like))
    for k in range(0, nodes.size, many):
        some = slice(k, k + many)
        spread = (-1, *(1,) * ndim)
        values = np.nan_to_num(f(nodes[some].reshape(spread)))
        total = total + np.sum(values * weights[some].reshape(spread), axis=0)
    return total


def half_line(f: Callable[[Any], Any], scale: Any) -> Any:
    """The integral from 0 to infinity of `f`, which decays exponentially over some `scale`.

    The trapezoid rule after v = scale exp(s - e^-s), which converges geometrically.
    """
    step = 1.0 / 16.0
    s = np.arange(-64, 113) * step
    v = np.exp(s - np.exp(-s))
    weights = v * (1.0 + np.exp(-s)) * step
    return weighed(lambda t: f(t * scale), v, weights, scale) * scale


def unit_interval(f: Callable[[Any], Any], like: Any) -> Any:
    """The integral from 0 to 1 of `f`, by Gauss and Legendre's rule with 40 points."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    return weighed(f, 0.5 * (nodes + 1.0), 0.5 * weights, like)
