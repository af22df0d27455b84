"""Attention: each query reads a mean of values, weighted by how its key fits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import DtypeError, ShapeError
from .activations import softmax
from .given import size as size_of
from .initial import Rng, generator
from .linear import Linear
from .module import Module
from .parts import as_array, as_given


def attention(query: Any, key: Any, value: Any, *, mask: Any = None, causal: bool = False) -> Any:
    """softmax(Q Kᵀ / √size) V over the last two axes, (..., queries, size) and so on.

    `mask` is True where a query may read a key, and broadcasts to (..., queries, keys); `causal`
    lets query i read the keys up to i.  A query that may read no key gets zeros, and no NaN.

    >>> x = np.eye(2)
    >>> attention(x, x, x, causal=True).round(3)
    array([[1.  , 0.  ],
           [0.33, 0.67]])
    """
    query, key, value = as_array(query), as_array(key), as_array(value)
    check_fit(query, key, value)
    scores = (query * (1.0 / math.sqrt(query.shape[-1]))) @ np.swapaxes(key, -1, -2)
    queries, keys = scores.shape[-2:]
    if mask is not None:
        mask = as_given(mask)
        if mask.dtype != np.bool_:
            raise DtypeError(
                f"attention: the mask has dtype {mask.dtype}; give booleans, True where a query "
                "may read a key"
            )
        if not fits(tuple(mask.shape), tuple(scores.shape)):
            raise ShapeError(
                f"attention: a mask of shape {tuple(mask.shape)} does not fit {queries} queries "
                f"and {keys} keys; it must broadcast to {tuple(scores.shape)}"
            )
    if causal:
        earlier = np.tri(queries, keys, dtype=bool)
        mask = earlier if mask is None else mask & earlier
    if mask is None:
        return softmax(scores) @ value
    low = np.full((), -0.5 * np.finfo(scores.dtype).max, scores.dtype)
    weights = softmax(np.where(mask, scores, low))
    return np.where(mask, weights, np.zeros((), scores.dtype)) @ value


def fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether a shape broadcasts to another."""
    try:
        return np.broadcast_shapes(shape, wanted) == wanted
    except ValueError:
        return False


def check_fit(query: Any, key: Any, value: Any) -> None:
    """Refuse operands of which a query has no product with a key, or a key no value."""
    q, k, v = (tuple(x.shape) for x in (query, key, value))
    if min(len(q), len(k), len(v)) < 2 or q[-1] != k[-1] or k[-2] != v[-2] or not q[-1]:
        raise ShapeError(
            f"attention: queries of shape {q}, keys of {k} and values of {v} do not fit; they must "
            "be (..., queries, size), (..., keys, size) and (..., keys, width), of a size >= 1"
        )


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
        size = size_of("MultiheadAttention", "size", size, 1)
        heads = size_of("MultiheadAttention", "heads", heads, 1)
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
            mask = as_given(mask)[..., None, :, :]
        if present is not None:
            shown = as_given(present)[:, None, None, :]
            mask = shown if mask is None else mask & shown
        read = attention(q, k, v, mask=mask, causal=causal)
        batch, heads, length, width = read.shape
        return self.out(np.swapaxes(read, 1, 2).reshape(batch, length, heads * width))

    def parted(self, x: Any) -> Any:
        """(batch, time, size) as (batch, heads, time, size / heads)."""
        if x.ndim != 3:
            raise ShapeError(
                f"MultiheadAttention: an input of shape {tuple(x.shape)} does not fit; it must be "
                "(batch, time, size)"
            )
        batch, length, size = x.shape  # the batch may be empty, so no size is left to be found
        return np.swapaxes(x.reshape(batch, length, self.heads, size // self.heads), 1, 2)
