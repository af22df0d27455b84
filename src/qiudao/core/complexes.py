"""The one place where the public convention for complex gradients meets the inner one."""

from __future__ import annotations

import numpy as np

from .avals import Value


def conjugated(ct: Value) -> Value:
    """Between an inner cotangent (paired without a conjugate) and a public gradient (torch's).

    For a real loss L of z = x + iy the public gradient is dL/dx + i dL/dy, the direction of
    steepest ascent; the inner cotangent is its conjugate.  Real values pass unchanged.
    """
    if isinstance(ct, tuple):
        return type(ct)(None if c is None else conjugated(c) for c in ct)
    return np.conj(ct) if ct.dtype.kind == "c" else ct
