"""Dropout, with randomness that is passed to it."""

from __future__ import annotations

from typing import Any

from ..core.errors import RuleError, ShapeError
from .initial import generator
from .module import Module
from .parts import as_array, as_given
from .running import is_abstract


class Dropout(Module):
    """Each element 0 with probability `rate`, else divided by 1 - rate, while training.

    Which elements is decided by `rng`, a generator or a seed, given here or with the call.  A
    compiled function would draw once, when it is traced, and `qd.vmap` once for all examples; so
    there a call needs `draws`: numbers that are uniform in [0, 1), of the shape of `x`, as an
    argument of the function.  Elements whose draw is below `rate` are dropped.

    >>> dropout = qd.nn.Dropout(0.5, rng=0)
    >>> dropout(np.ones(4))
    array([2., 0., 0., 0.])
    >>> dropout.eval()(np.ones(4))
    array([1., 1., 1., 1.])
    >>> draws = np.array([0.7, 0.2])
    >>> qd.jit(lambda x, draws: qd.nn.Dropout(0.5)(x, draws=draws))(np.ones(2), draws)
    array([2., 0.])
    """

    settings = ("rate",)

    def __init__(self, rate: Any = 0.5, *, rng: Any = None) -> None:
        if not isinstance(rate, int | float) or not 0.0 <= rate < 1.0:
            raise ValueError(
                f"Dropout: rate={rate!r}; it is the share of elements that are dropped, from 0 to "
                "below 1"
            )
        self.rate = rate
        self.rng = None if rng is None else generator(rng, "Dropout")

    def __call__(self, x: Any, *, rng: Any = None, draws: Any = None) -> Any:
        if not self.training or self.rate == 0.0:
            return x
        x = as_array(x)
        if draws is None:
            draws = self.drawn(x, rng)
        draws = as_given(draws)
        if tuple(draws.shape) != tuple(x.shape):
            raise ShapeError(
                f"Dropout: draws of shape {tuple(draws.shape)} do not fit an input of shape "
                f"{tuple(x.shape)}; give a draw for each element"
            )
        return x * ((draws >= self.rate) * (1.0 / (1.0 - self.rate))).astype(x.dtype)

    def drawn(self, x: Any, rng: Any) -> Any:
        """A draw for each element."""
        if is_abstract(x):
            raise RuleError(
                "Dropout: within qd.jit and qd.vmap a generator would draw once for all calls and "
                "examples; pass draws=, uniform numbers of the input's shape that are an argument "
                "of the function, or call model.eval()"
            )
        rng = self.rng if rng is None else generator(rng, "Dropout")
        if rng is None:
            raise RuleError(
                "Dropout: there is nothing to draw from; give rng=, a generator or a seed, to the "
                "layer or to the call"
            )
        return rng.random(x.shape)
