"""Arrays of other libraries as they arrive: recognised by their class, so that nothing is imported
before one does.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from .avals import Value
from .dispatch import Tracer, snapshot
from .errors import DtypeError
from .modes import TAPE, modes

HOST = "qiudao.backends.guests"  # it stands above all that takes guests in
VALUES = (Tracer, np.ndarray, np.generic)  # made once: a union takes longer to make than to ask
UNMARKED = {("torch", "Tensor"), ("dask", "Array"), ("cupy", "ndarray")}


def is_foreign(x: Any) -> bool:
    """Whether this is an array of another library that follows the array standard.

    It says so itself, by `__array_namespace__`, or is of a class that array-api-compat knows.
    """
    kind = type(x)
    if kind.__module__ in ("builtins", "numpy") or isinstance(x, Tracer):
        return False
    if hasattr(kind, "__array_namespace__"):
        return not isinstance(x, np.ndarray)
    return any((c.__module__.partition(".")[0], c.__name__) in UNMARKED for c in kind.__mro__)


def arrived(x: Any) -> Value:
    """An argument as a value that has a dtype: a tracer, a NumPy array, or what arrives foreign."""
    if isinstance(x, VALUES):
        check_class(x)
        return native(x)
    return received(x) if is_foreign(x) else native(np.asarray(x))


def lasting(x: Any) -> Value:
    """An argument that a graph keeps, or hands out: what its owner writes later stays his."""
    value = arrived(x)
    if isinstance(value, np.ndarray):
        return value.copy() if value.ndim or value.dtype.hasobject else value[()]
    return snapshot(value)


def native(x: Any) -> Any:
    """A value whose numbers are in this machine's byte order, as all that is computed is."""
    if isinstance(x, np.ndarray) and not x.dtype.isnative:
        return x.astype(x.dtype.newbyteorder("="))
    return x


def check_class(x: Any) -> None:
    """Refuse an array of a class that gives NumPy's operations another meaning.

    Its values taken for plain numbers would be wrong ones: hidden elements would count, and `*` of
    matrices would be no product of matrices.
    """
    kind = type(x)
    if kind is np.ndarray or not isinstance(x, np.ndarray):
        return
    if (
        kind.__array_ufunc__ is not np.ndarray.__array_ufunc__
        or isinstance(x, np.matrix)
        or any(c.__name__ == "MaskedArray" for c in kind.__mro__)
    ):
        raise DtypeError(
            f"{kind.__name__}: an array of this class does things its own way, which no derivative "
            "knows; pass np.asarray(x), or x.filled(value) of a masked array"
        )


def bare(x: Value) -> Value:
    """A result as it is handed out: arrays of other libraries without our wrapping.

    Inside another transform they keep it, for there they meet NumPy's functions again.
    """
    return x.bare() if isinstance(x, Tracer) and modes.inside == TAPE else x


def at_home(plain: Value, value: Value) -> Value:
    """A plain array in the library of `value`, where that stands for a foreign array."""
    while isinstance(value, Tracer):
        if value.level < 0:
            return value.constant(plain)
        value = next(iter(value.parts()), None)
    return plain


def received(x: Any) -> Any:
    """A foreign array as the value of tensors, a `Guest`."""
    return importlib.import_module(HOST).Guest.of(x)
