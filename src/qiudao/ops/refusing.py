"""NumPy's functions that no derivative passes, each with the reason.

Of operands that carry no gradient they give NumPy's result; otherwise they raise with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.dispatch import Tracer, concrete, implements
from ..core.errors import NotDifferentiableError

Function = Callable[..., Any]

DATES = "it computes with dates, which are whole numbers of days"
FIELDS = "it handles the fields of structured arrays, and a derivative needs plain numbers"
FILES = "it writes the numbers to a file"
TEXT = "it handles text"
BITS = "it handles single bits of whole numbers"

REASONS: dict[Function, str] = {
    np.busday_count: DATES,
    np.busday_offset: DATES,
    np.is_busday: DATES,
    np.datetime_as_string: DATES,
    np.packbits: BITS,
    np.unpackbits: BITS,
    np.save: FILES,
    np.savetxt: FILES,
    np.savez: FILES,
    np.savez_compressed: FILES,
}
MODULES = {  # imported by few programs: looked up by name
    "numpy.char": TEXT,
    "numpy.lib.recfunctions": FIELDS,
    "numpy.strings": TEXT,
}


def plain(x: Any, name: str, reason: str) -> Any:
    """An argument without its tracers, of which none may carry a gradient."""
    if isinstance(x, Tracer):
        if x.carries():
            raise NotDifferentiableError(
                f"{name}: not differentiable, because {reason}; pass x.detach(), or "
                "qd.stop_gradient(x) inside a transform, if no derivative is wanted"
            )
        return concrete(x)
    if isinstance(x, list | tuple):
        return type(x)(plain(each, name, reason) for each in x)
    return x


def refusing(function: Function, reason: str) -> Function:
    """`function`, for tracers that carry no gradient only."""
    name = f"{function.__module__}.{function.__name__}"

    def call(*args: Any, **options: Any) -> Any:
        given = {key: plain(x, name, reason) for key, x in options.items()}
        return function(*(plain(x, name, reason) for x in args), **given)

    call.__name__ = function.__name__
    call.__doc__ = f"`{name}`: not differentiable, because {reason}."
    return call


for _function, _reason in REASONS.items():
    implements(_function)(refusing(_function, _reason))


def refused_by_module(function: Function) -> Function | None:
    """What stands for a function of a module in which none has a derivative."""
    reason = MODULES.get(function.__module__)
    return None if reason is None else refusing(function, reason)


@implements(np.common_type)
def common_type(*arrays: Any) -> Any:
    """The inexact scalar type that holds all of these."""
    return np.common_type(*(np.empty(0, x.dtype) if isinstance(x, Tracer) else x for x in arrays))


@implements(np.min_scalar_type)
def min_scalar_type(a: Any, /) -> Any:
    """The smallest dtype that holds a number; of an array its own."""
    return np.min_scalar_type(concrete(a))
