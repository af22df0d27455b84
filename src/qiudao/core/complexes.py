"""The one place where the public convention for complex gradients meets the inner one."""

from __future__ import annotations

import numpy as np

from .avals import Value
from .errors import DtypeError

NO_NUMBERS = "OSTUMm"  # kinds of dtypes: objects, text and dates


def check_real(what: str, given: Value, value: Value) -> None:
    """Refuse a tangent or cotangent that is no number, or complex beside a real value, where its
    imaginary part would be lost.

    `what` says whose it is, for the message: "jvp: the tangent of argument[0]".
    """
    dtype = np.result_type(given) if not hasattr(given, "dtype") else given.dtype
    if dtype.kind in NO_NUMBERS:
        raise DtypeError(f"{what} has dtype {dtype}, which holds no numbers; give an array of them")
    if dtype.kind == "c" and value.dtype.kind != "c":
        raise DtypeError(
            f"{what} is {dtype} and the value {value.dtype}, which has no imaginary part to go "
            "with it; give its real part, np.real(v), or make the value complex"
        )


def conjugated(ct: Value) -> Value:
    """Between an inner cotangent (paired without a conjugate) and a public gradient (torch's).

    For a real loss L of z = x + iy the public gradient is dL/dx + i dL/dy, the direction of
    steepest ascent; the inner cotangent is its conjugate.  Real values pass unchanged.
    """
    if isinstance(ct, tuple):
        return type(ct)(None if c is None else conjugated(c) for c in ct)
    return np.conj(ct) if ct.dtype.kind == "c" else ct
