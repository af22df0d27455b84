"""Declarations: SciPy's functions by name, as primitives and as what its ufuncs do on tracers."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special
from scipy.special import _ufuncs

from ...core.dispatch import implements
from ...core.samples import Sample
from ..faces import meets, operand
from .base import Special, Statement, Stepped, of_type, statements


def found(name: str) -> Any:
    """SciPy's ufunc of that name; None where this SciPy has none.

    With SCIPY_ARRAY_API=1 the public name is a wrapper around the ufunc.
    """
    for module in (_ufuncs, scipy.special):
        ufunc = getattr(module, name, None)
        if isinstance(ufunc, np.ufunc):
            return ufunc
    return None


def state(name: str, operands: str, part: int, samples: tuple[Sample, ...]) -> Any:
    """Enter a result of a function into the table; gives the ufunc."""
    ufunc = found(name)
    statements[name, part] = Statement(ufunc, tuple(operands.split()), {}, {}, {}, samples, [])
    return ufunc


def declare(name: str, operands: str, *samples: Sample) -> Special:
    """A function with one result."""
    ufunc = state(name, operands, 0, tuple(of_type(s, function=name) for s in samples))
    special = Special(name)
    if ufunc is not None:
        meets(ufunc)(special)
    return special


def declare_several(name: str, operands: str, count: int, *samples: Sample) -> tuple[Special, ...]:
    """A function with several results, each of which is a primitive of its own."""
    parts = tuple(Special(name, k) for k in range(count))
    for k in range(count):
        ufunc = state(name, operands, k, tuple(of_type(s, function=name, part=k) for s in samples))

    def several(*xs: Any) -> Any:
        taken = tuple(map(operand, xs))
        return tuple(part(*taken) for part in parts)

    if ufunc is not None:
        implements(ufunc)(several)
    return parts


def declare_constant(name: str, *samples: Sample) -> Stepped:
    """A function that no derivative passes."""
    ufunc = state(name, "x", 0, tuple(of_type(s, function=name) for s in samples))
    stepped = Stepped(name)
    if ufunc is not None:
        meets(ufunc)(stepped)
    return stepped


__all__ = ["declare", "declare_constant", "declare_several", "found"]
