"""Square roots that remember what is under them, so that their squares have no hole.

`norm(x)` and `abs(x)` have a kink at 0, and a square taken of the rounded root cannot mend it: at 0
its second derivative would be 0 instead of 2.  So a tracer that is such a root remembers how to
compute its square from what it was computed from, and squaring it does that.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .avals import Value
from .dispatch import Tracer, overrides
from .methods import power_by


class Root:
    """Mixed into a tracer class to make the class of its square roots.

    The slot `tied`, which views use to remember their base, has the way to compute the square.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        tied: Callable[[], Value]

    @power_by
    def __pow__(self, other: Any) -> Value:
        return self.tied() if is_two(other) else overrides[np.power](self, other)

    def __mul__(self, other: Any) -> Value:
        return self.tied() if other is self else overrides[np.multiply](self, other)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Value:
        if method == "__call__" and not kwargs and inputs[0] is self:
            power = ufunc in (np.power, np.float_power) and is_two(inputs[1])
            product = ufunc is np.multiply and inputs[1] is self
            if power or product or ufunc is np.square:
                return self.tied()
        base: Any = super()
        return base.__array_ufunc__(ufunc, method, *inputs, **kwargs)

    def overwrite(self, new: Value) -> None:
        """Written into, it is that root no more."""
        plain: Any = self
        plain.__class__ = type(self).__mro__[2]
        plain.overwrite(new)


def is_two(exponent: Any) -> bool:
    """Whether an exponent is the plain number 2."""
    return isinstance(exponent, int | float) and exponent == 2


@functools.cache
def root_class(kind: type) -> type:
    """The class of roots among tracers of a class."""
    return type(kind.__name__, (Root, kind), {"__slots__": (), "__hash__": kind.__hash__})


def remember(root: Value, x: Value, square: Callable[[Value], Value]) -> Value:
    """`root`, a square root computed from `x`, remembering that its square is `square(x)`."""
    if isinstance(root, Tracer) and isinstance(x, Tracer) and hasattr(type(root), "tied"):
        source = x.snapshot()  # the handle `x` may be written into later
        made: Any = root
        made.tied = lambda: square(source)
        made.__class__ = root_class(made.__class__)
    return root


def squared_size(x: Value) -> Value:
    """`|x|^2` of each element, without a kink."""
    if x.dtype.kind != "c":
        return x * x
    real, imag = np.real(x), np.imag(x)
    return real * real + imag * imag
