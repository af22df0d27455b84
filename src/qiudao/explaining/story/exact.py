"""The exact derivative that errors are measured against: a reverse sweep with more digits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..sweeps import backward
from ..witness import Observation
from .function import Function, eps_of, flat

KINDS = (np.longdouble, np.float64)


class Exact(NamedTuple):
    """A gradient, and whether it was computed with more digits than the function has."""

    gradient: np.ndarray
    is_finer: bool


def exact_of(f: Function, seen: Observation) -> Exact | None:
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
        done = backward(again, [(output, np.ones(value.shape, value.dtype)[()])])
        found = [
            np.zeros(np.shape(x.value), np.asarray(x.value).dtype) if g is None else g
            for x in again.inputs
            for g in [done.gradient(x)]
        ]
        return Exact(flat(found), True)
    return None


def error_of(found: np.ndarray, exact: np.ndarray) -> float:
    """The largest error of an element, relative to the largest element of the exact gradient.

    inf or nan where an element is not finite that should be, or the other way round.
    """
    if not exact.size:
        return 0.0
    same = (found == exact) | (np.isnan(found) & np.isnan(exact))
    with np.errstate(all="ignore"):
        apart = np.where(same, 0.0, np.abs(found - exact))
    known = np.abs(exact[np.isfinite(exact)])
    return float(np.max(apart)) / (float(np.max(known, initial=0.0)) or 1.0)
