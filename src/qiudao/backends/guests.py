"""Guest: an array of another library as the value that tensors hold.

It is a tracer below all others: what meets no derivative comes to its `process`, which computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from ..core.avals import Value, describe
from ..core.dispatch import Tracer
from ..core.errors import DetachError, DtypeError, QiudaoError, RuleError
from ..core.primitive import Primitive
from .evaluations import evaluations
from .hosted import Hosted
from .libraries import device_of, library_of
from .translated import ForeignConversionError, Translated


class Guest(Hosted, Tracer):
    """An array of another library, `array`, to which primitives are applied by that library."""

    __slots__ = ("__weakref__",)

    level = -0.5

    @staticmethod
    def of(array: Any) -> Guest:
        """An array that has just arrived."""
        return Guest(array, library_of(array))

    # As a tracer

    def process(self, primitive: Primitive, xs: tuple[Value, ...]) -> Value:
        library = self.library
        if primitive.is_compiled:
            raise DtypeError(
                f"jit: an argument is an array of {library.name}, and machine code works on the "
                "memory of NumPy's arrays only; call it without jit, or pass a NumPy array"
            )
        check_alike(primitive, xs)
        try:
            evaluation = evaluations.get(type(primitive))
            if evaluation is not None:
                arrays = [x.array if isinstance(x, Guest) else x for x in xs]
                return Guest(evaluation(primitive, library, *arrays), library)
            out = primitive.expand(*xs)
            if out is NotImplemented:
                out = primitive.evaluate(*(operand(x, self) for x in xs))
        except ForeignConversionError as error:
            why = "its rule reads the numbers one by one"
            raise library.lacks(primitive.label, why) from error
        except (TypeError, ValueError, RuntimeError) as error:
            if isinstance(error, QiudaoError | np.linalg.LinAlgError):
                raise
            raise RuleError(
                f"{primitive.label}: {library.name} refuses ({error}); write it with functions of "
                "the array standard, or convert to NumPy first"
            ) from error
        return tuple(map(self.hosted, out)) if isinstance(out, tuple) else self.hosted(out)

    def hosted(self, out: Any) -> Guest:
        """What a primitive gave, as a guest."""
        if isinstance(out, Guest):
            return out
        if isinstance(out, Translated):
            return Guest(out.array, self.library)
        return Guest(self.library.constant(out, self.array), self.library)

    def concrete(self) -> Guest:
        return self

    def underlying(self) -> None:
        return None

    def refuse(self, act: str, instead: str) -> Any:
        """Nothing is lost here: a guest carries no gradient."""

    def snapshot(self) -> Guest:
        return Guest(self.array, self.library)

    def holds_nan(self) -> bool:
        if self.library.is_lazy or self.dtype.kind not in "fc":
            return False
        xp = self.library.xp
        return bool(xp.any(xp.isnan(self.array)))

    def is_unseen(self) -> bool:
        return self.library.is_lazy

    def bare(self) -> Any:
        return self.array

    def constant(self, value: Value) -> Value:
        return value if isinstance(value, Tracer) else self.hosted(value)

    def __reduce__(self) -> Any:
        return Guest.of, (self.array,)

    def copied(self) -> Guest:
        """A guest whose array nobody else can write into."""
        if self.library.is_lazy:
            return self.snapshot()
        return Guest(self.library.xp.asarray(self.array, copy=True), self.library)

    taken = copied

    # As an array

    @property
    def device(self) -> Any:
        """Where the library has the numbers."""
        return device_of(self.array)

    def overwrite(self, new: Value) -> None:
        self.array = new.array

    def __complex__(self) -> complex:
        return complex(self.array)

    def __index__(self) -> int:
        return int(self.array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        refuse_conversion(self, "np.asarray")

    def numpy(self) -> NoReturn:
        """No NumPy array: the library's own functions make one."""
        refuse_conversion(self, "numpy()")

    def item(self, *args: Any) -> Any:
        """The Python number of an array of one element."""
        if not args and self.size != 1:
            raise ValueError(
                f"item: an array of shape {self.shape} is more than one number; index it first"
            )
        one = np.reshape(self, (-1,))[args[0] if args else 0] if self.shape else self
        return {"b": bool, "c": complex, "f": float}.get(self.dtype.kind, int)(one.array)

    def tolist(self) -> Any:
        """Nested lists of Python numbers."""
        return [x.tolist() for x in self] if self.shape else self.item()

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __repr__(self) -> str:
        return f"guest({self.text()})"

    def text(self) -> str:
        """What prints for this array: its numbers where the library has them."""
        if self.library.is_lazy:
            return f"{self.library.name} {describe(self.shape, self.dtype)}"
        return repr(self.array)


def operand(x: Value, like: Guest) -> Any:
    """An operand as `evaluate` takes it: numbers pass, arrays are translated."""
    if isinstance(x, Guest):
        return Translated(x.array, x.library)
    if isinstance(x, np.ndarray):
        return Translated(like.library.constant(x, like.array), like.library)
    return x


def check_alike(primitive: Primitive, xs: Sequence[Value]) -> None:
    """Refuse operands of two libraries."""
    names = {x.library.name for x in xs if isinstance(x, Guest)}
    if len(names) > 1:
        raise RuleError(
            f"{primitive.label}: the operands are arrays of {' and '.join(sorted(names))}; "
            "convert them to one library first (from_dlpack)"
        )


def refuse_conversion(guest: Guest, act: str) -> NoReturn:
    """Refuse to make a NumPy array of a foreign one, which would be a silent change of library."""
    raise DetachError(
        f"{act}: this {describe(guest.shape, guest.dtype)} is an array of {guest.library.name}, "
        "which is never converted to NumPy in silence; take the library's own array, "
        "x.detach().array(), and convert that (for dask: .compute())"
    )
