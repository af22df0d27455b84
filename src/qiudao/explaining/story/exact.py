"""The exact derivative that errors are measured against: a reverse sweep with more digits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..sweeps import backward
from ..witness import Observation
from .function import Function, eps_of, flat

KINDS = (np.longdouble, np.float64)
NOISE = 1e3  # a gradient of fewer times eps |f| / max(|x|, 1) may be the rounding of a zero


class Exact(NamedTuple):
    """A gradient, whether it was computed with more digits than the function has, and a scale.

    Errors are relative to `scale`, the largest of the gradient; where all of it is zero, or only
    the rounding of a zero (`is_zero`), to the size that a derivative of such a function has,
    |f| / max(|x|, 1).
    """

    gradient: np.ndarray
    is_finer: bool
    scale: float
    is_zero: bool


def measure_of(gradient: np.ndarray, finer: np.ndarray | None, value: float, f: Function) -> Exact:
    """What errors are measured against: the finer gradient, where there is one."""
    exact = gradient if finer is None else finer
    natural = abs(value) / max(float(np.max(np.abs(f.start), initial=0.0)), 1.0)
    largest = float(np.max(np.abs(exact[np.isfinite(exact)]), initial=0.0))
    noise = NOISE * max(f.eps, default=0.0) * natural
    wrong = float(np.max(np.abs(gradient - exact), initial=0.0))
    zero = largest == 0 or (largest < noise and wrong > largest / 10)
    if not zero:
        return Exact(exact, finer is not None, largest, False)
    scale = natural if 0 < natural < np.inf else 1.0
    return Exact(exact, finer is not None, scale, bool(np.isfinite(exact).all()))


def finer_gradient(f: Function, seen: Observation) -> np.ndarray | None:
    """The gradient in extended precision where `f` computes in it and takes the same branches.

    None where it does not, as where LAPACK takes part, or on a machine without such numbers: the
    reverse sweep itself, which is exact but for rounding, is then the best there is.
    """
    coarse = eps_of(np.asarray(f.output(seen).value).dtype)
    for kind in KINDS:
        if np.finfo(kind).eps >= coarse / 2:
            continue
        finer = [v.astype(np.result_type(v.dtype, kind))[()] for v in f.values]
        try:
            again = f.subject.run(finer)
        except Exception:  # the function is the user's: it may refuse these numbers in any way
            continue
        output = f.output(again)
        value = np.asarray(output.value)
        if [d.taken for d in again.decisions] != [d.taken for d in seen.decisions]:
            continue
        if not output.flows or eps_of(value.dtype) >= coarse / 2:
            continue
        try:
            done = backward(again, [(output, np.ones(value.shape, value.dtype)[()])])
        except TypeError:  # a slope may hold a function of SciPy's, which knows no such numbers
            continue
        found = [
            np.zeros(np.shape(x.value), np.asarray(x.value).dtype) if g is None else g
            for x in again.inputs
            for g in [done.gradient(x)]
        ]
        return flat(found)
    return None


def error_of(found: np.ndarray, exact: Exact) -> float:
    """The largest error of an element, relative to the scale of the exact gradient.

    inf or nan where an element is not finite that should be, or the other way round.
    """
    right = exact.gradient
    same = (found == right) | (np.isnan(found) & np.isnan(right))
    with np.errstate(all="ignore"):
        apart = np.where(same, 0.0, np.abs(found - right))
        return float(np.max(apart, initial=0.0)) / exact.scale
