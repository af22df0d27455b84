"""Attention: each query reads a mean of values, weighted by how its key fits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.dispatch import Tracer
from ..core.errors import DtypeError, ShapeError
from .activations import softmax
from .initial import Rng, generator
from .linear import Linear
from .module import Module


def attention(query: Any, key: Any, value: Any, *, mask: Any = None, causal: bool = False) -> Any:
    """softmax(Q Kᵀ / √size) V over the last two axes, (..., queries, size) and so on.

    `mask` is True where a query may read a key, and broadcasts to (..., queries, keys); `causal`
    lets query i read the keys up to i.  A query that may read no key gets zeros, and no NaN.

    >>> x = np.eye(2)
    >>> attention(x, x, x, causal=True).round(3)
    array([[1.  , 0.  ],
           [0.33, 0.67]])
    """
    scores = (query * (1.0 / math.sqrt(query.shape[-1]))) @ np.swapaxes(key, -1, -2)
    queries, keys = scores.shape[-2:]
    if mask is not None:
        mask = mask if isinstance(mask, Tracer) else np.asarray(mask)
        if mask.dtype != np.bool_:
            raise DtypeError(
                f"attention: the mask has dtype {mask.dtype}; give booleans, True where a query "
                "may read a key"
            )
    if causal:
        earlier = np.tri(queries, keys, dtype=bool)
        mask = earlier if mask is None else mask & earlier
    if mask is None:
        return softmax(scores) @ value
    low = np.full((), -0.5 * np.finfo(scores.dtype).max, scores.dtype)
    weights = softmax(np.where(mask, scores, low))
    return np.where(mask, weights, np.zeros((), scores.dtype)) @ value


class MultiheadAttention(Module):
    """Attention in `heads` subspaces at once: (batch, queries, size) to (batch, queries, size).

    `key` and `value` are (batch, keys, size), and the query's own input unless given (`value`: the
    key's).  `mask` and `causal` are those of `attention`, a mask of (queries, keys) or (batch,
    queries, keys); `present`, (batch, keys), is True for the keys that are no padding.  The four
    products are `Linear` layers, drawn from `rng`.

    >>> layer = qd.nn.MultiheadAttention(8, 2, rng=0)
    >>> layer(np.ones((3, 5, 8)), causal=True).shape
    (3, 5, 8)
    """

    settings = ("heads",)

    def __init__(
        self, size: int, heads: int, *, bias: bool = True, rng: Rng, dtype: Any = np.float64
    ) -> None:
        if size % heads:
            raise ShapeError(
                f"MultiheadAttention: a size of {size} does not fall into {heads} heads; it must "
                "be a multiple of them"
            )
        draws = generator(rng, "MultiheadAttention")
        self.heads = heads
        self.query = Linear(size, size, bias, rng=draws, dtype=dtype)
        self.key = Linear(size, size, bias, rng=draws, dtype=dtype)
        self.value = Linear(size, size, bias, rng=draws, dtype=dtype)
        self.out = Linear(size, size, bias, rng=draws, dtype=dtype)

    def __call__(
        self,
        query: Any,
        key: Any = None,
        value: Any = None,
        *,
        mask: Any = None,
        causal: bool = False,
        present: Any = None,
    ) -> Any:
        key = query if key is None else key
        value = key if value is None else value
        q, k, v = (
            self.parted(layer(x))
            for layer, x in ((self.query, query), (self.key, key), (self.value, value))
        )
        if mask is not None:
            mask = mask[..., None, :, :]
        if present is not None:
            shown = present[:, None, None, :]
            mask = shown if mask is None else mask & shown
        read = attention(q, k, v, mask=mask, causal=causal)
        batch, _, length, _ = read.shape
        return self.out(np.swapaxes(read, 1, 2).reshape(batch, length, -1))

    def parted(self, x: Any) -> Any:
        """(batch, time, size) as (batch, heads, time, size / heads)."""
        if x.ndim != 3:
            raise ShapeError(
                f"MultiheadAttention: an input of shape {tuple(x.shape)} does not fit; it must be "
                "(batch, time, size)"
            )
        batch, length, _ = x.shape
        return np.swapaxes(x.reshape(batch, length, self.heads, -1), 1, 2)
