"""A library that follows the array standard: its namespace, its dtypes, how it takes constants."""

from __future__ import annotations

import functools
import importlib
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.avals import Dtype, Shape, Value
from ..core.errors import DtypeError, RuleError, ShapeError

NAMES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float32", "float64", "complex64", "complex128",
)  # fmt: skip
SPECIAL = {  # where a library has special functions under SciPy's names
    "torch": "torch.special",
    "jax.numpy": "jax.scipy.special",
    "cupy": "cupyx.scipy.special",
}
LAZY = ("dask.array",)  # those whose arrays have no numbers until they are asked for


class Library:
    """The namespace `xp` of a library, and what we have to know to speak to it."""

    def __init__(self, xp: Any) -> None:
        self.xp = xp
        self.name: str = xp.__name__.removeprefix("array_api_compat.")
        self.is_lazy = self.name in LAZY
        self.dtypes: dict[Dtype, Any] = {
            np.dtype(name): getattr(xp, name) for name in NAMES if hasattr(xp, name)
        }

    def dtype_of(self, array: Any) -> Dtype:
        """The dtype of an array in NumPy's terms."""
        given = array.dtype
        if isinstance(given, np.dtype):
            return given
        for ours, theirs in self.dtypes.items():
            if theirs == given:
                return ours
        raise DtypeError(
            f"{self.name}: an array of dtype {given} is none that rules know; convert it to one "
            f"of {', '.join(NAMES)}"
        )

    def shape_of(self, array: Any) -> Shape:
        """The shape of an array, which must be known."""
        shape = tuple(array.shape)
        if any(n is None or n != n for n in shape):
            raise ShapeError(
                f"{self.name}: an array of unknown shape {shape} cannot be recorded, for rules "
                "read shapes; compute its chunk sizes first (x.compute_chunk_sizes())"
            )
        return tuple(map(int, shape))

    def dtype(self, dtype: Any) -> Any:
        """A dtype of NumPy's as one of the library's."""
        wanted = np.dtype(dtype)
        if wanted not in self.dtypes:
            raise DtypeError(
                f"{self.name}: the array standard has no dtype {wanted}; "
                f"convert to one of {', '.join(map(str, self.dtypes))}"
            )
        return self.dtypes[wanted]

    def constant(self, value: Value, like: Any = None, dtype: Any = None) -> Any:
        """A NumPy array or a number as an array of the library, on the device of `like`."""
        plain = np.asarray(value, dtype)
        made = self.dtype(plain.dtype)
        device = None if like is None or self.is_lazy else device_of(like)
        if plain.size > 1 and not any(plain.strides):  # one number, repeated
            first = self.constant(plain[(0,) * plain.ndim], like)
            return self.xp.broadcast_to(first, plain.shape)
        if plain.ndim == 0:
            return self.xp.asarray(plain.item(), dtype=made, device=device)
        plain = np.ascontiguousarray(plain)
        if not plain.flags.writeable:  # torch warns of memory that it must not write to
            plain = plain.copy()
        return self.xp.asarray(plain, dtype=made, device=device)

    def cast(self, array: Any, dtype: Any) -> Any:
        """An array in another of NumPy's dtypes."""
        if self.dtype_of(array) == dtype:
            return array
        wanted = np.dtype(dtype)
        if self.dtype_of(array).kind == "c" and wanted.kind != "c":
            array = self.xp.real(array)
        return self.xp.astype(array, self.dtype(wanted))

    def own(self, ufunc: np.ufunc) -> Callable[..., Any] | None:
        """A function of the library's for a ufunc that the standard does not have, or None."""
        if self.is_lazy:
            return lambda library, *xs: ufunc(*xs)  # dask arrays answer to every ufunc, lazily
        if self.name not in SPECIAL:
            return None
        function = getattr(importlib.import_module(SPECIAL[self.name]), ufunc.__name__, None)
        return None if function is None else lambda library, *xs: function(*xs)

    def function(self, name: str) -> Callable[..., Any]:
        """The library's function of this name, which may be dotted, as those of extensions are."""
        try:
            return operator.attrgetter(name)(self.xp)  # type: ignore[no-any-return]
        except AttributeError:
            raise self.lacks(name) from None

    def lacks(self, name: str, why: str = "") -> RuleError:
        """The error for what the library, or the array standard, cannot do."""
        return RuleError(
            f"{name}: {self.name} has no such function for our rule to call"
            f"{f' ({why})' if why else ''}; write it with functions of the array standard, or "
            "convert to NumPy first"
        )


def device_of(array: Any) -> Any:
    """Where an array's numbers are, as its library's `asarray` takes it; None where it may be."""
    return compat().device(array) if hasattr(array, "device") else None


@functools.cache
def compat() -> Any:
    """array-api-compat, which knows how libraries differ from the standard."""
    try:
        return importlib.import_module("array_api_compat")
    except ImportError as error:
        raise ImportError(
            "backends: arrays of other libraries need array-api-compat; "
            "pip install 'qiudao[standard]', or convert to NumPy first"
        ) from error


@functools.cache
def library_named(name: str) -> Library:
    """The library whose namespace has this name, made once."""
    return Library(importlib.import_module(name))


def library_of(array: Any) -> Library:
    """The library of an array."""
    return library_named(compat().array_namespace(array).__name__)
