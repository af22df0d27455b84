"""Parts of complex numbers.

These are linear over the reals only.  With cotangents paired as Re(ct dx), `real` hands a real
cotangent back as it is, `imag` as -i ct, and `conj` conjugates it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Aval, Value
from ..core.dispatch import implements
from ..core.families import Additive
from ..core.primitive import primitive
from ..core.samples import sample
from .faces import array, face

BOTH = (sample("c128[3,4]"), sample("f64[3]"))


@primitive
class Real(Additive):
    """The real part.  d = Re dx."""

    ufunc = np.real
    is_view = True
    samples = BOTH

    def dtype(self, *avals: Aval) -> np.dtype[Any]:
        return np.zeros((), avals[0].dtype).real.dtype

    def transpose(self, i: int, ct: Value) -> Value:
        return ct

    def write(self, base: Value, new: Value) -> Value:
        return new + np.imag(base) * 1j


@primitive
class Imag(Additive):
    """The imaginary part.  d = Im dx."""

    ufunc = np.imag
    is_view = True
    samples = BOTH

    def dtype(self, *avals: Aval) -> np.dtype[Any]:
        return np.zeros((), avals[0].dtype).real.dtype

    def transpose(self, i: int, ct: Value) -> Value:
        return ct * -1j  # the other way round, Python would make a plain complex of a NumPy float

    def write(self, base: Value, new: Value) -> Value:
        return np.real(base) + new * 1j


@primitive
class Conjugate(Additive):
    """The complex conjugate.  d = conj dx."""

    ufunc = np.conjugate
    samples = BOTH

    def dtype(self, *avals: Aval) -> np.dtype[Any]:
        found = avals[0].dtype
        return np.dtype(np.int8) if found == np.bool_ else found  # as in NumPy

    def transpose(self, i: int, ct: Value) -> Value:
        return np.conj(ct)


conjugate = face(Conjugate(), np.conjugate)
_real, _imag = Real(), Imag()


@implements(np.real)
def real(val: Any) -> Value:
    """The real part; the value itself when it is real."""
    x = array(val)
    return _real(x) if x.dtype.kind == "c" else x


@implements(np.imag)
def imag(val: Any) -> Value:
    """The imaginary part; zeros when the value is real."""
    x = array(val)
    return _imag(x) if x.dtype.kind == "c" else np.zeros_like(x)
