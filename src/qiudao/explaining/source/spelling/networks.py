"""Convolutions over channels, pooling, rectifiers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....ops.networks import convolution, entropy, pooling
from .. import helpers
from ..code import Code, call
from ..table import Phrase, spells

CONVOLUTIONS: dict[type, Callable[..., Any]] = {
    convolution.Convolution: helpers.convolved,
    convolution.ConvolutionByInput: helpers.convolved_back,
    convolution.ConvolutionByKernel: helpers.convolved_kernel,
}
POOLS: dict[type, Callable[..., Any]] = {
    pooling.MaxPool: helpers.max_pool,
    pooling.MeanOfLargest: helpers.mean_of_largest,
    pooling.SpreadToLargest: helpers.spread_to_largest,
    pooling.WindowSum: helpers.sum_of_windows,
    pooling.WindowSpread: helpers.spread_to_windows,
}


@spells(*CONVOLUTIONS)
def convolving(p: Phrase) -> Code:
    """A convolution, or what its operands receive."""
    q = p.primitive
    sizes = p.shape[2:] if isinstance(q, convolution.Convolution) else q.sizes
    return call(p.use(CONVOLUTIONS[type(q)]), *p.codes, *map(str, (*q.settings(), sizes)))


@spells(*POOLS)
def pool(p: Phrase) -> Code:
    """A pool, or what its operand receives."""
    q = p.primitive
    fields: list[Any] = [*q.settings()]
    if isinstance(q, pooling.MaxPool | pooling.WindowSum):
        fields.append(p.shape[-len(q.length) :])
    elif isinstance(q, pooling.WindowSpread):
        fields.append(q.sizes)
    return call(p.use(POOLS[type(q)]), *p.codes, *map(str, fields))


@spells(entropy.Relu)
def relu(p: Phrase) -> Code:
    """`np.maximum(x, 0.0)`; the derivative is spelled apart, so that it is 0 at 0."""
    return call("np.maximum", p.codes[0], "0.0")
