"""Which primitives have a native form of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.avals import Aval
from ...core.primitive import Primitive
from ..code import INTERLEAVED, TYPES, Buffer, Code

Emit = Callable[..., Any]  # of code, primitive, operands, results, and perhaps `splits`
Accepts = Callable[[Any, Sequence[Aval], Sequence[Aval]], bool]
Scratch = Callable[[Any, Sequence[Buffer], Sequence[Aval]], int]
Work = Callable[[Any, Sequence[Buffer], Sequence[Aval]], int]


class Kernel(NamedTuple):
    """How one primitive becomes machine code; called, it writes it.

    Operands are row-major unless `accepts_strides`; results are row-major and filled whole.
    Where `scratch` asks for memory, its bytes come as one more operand of u1, aligned to 64.
    One that `shares` is told whether it may share its work among threads, and says whether it did.
    `work` is about how many operations it takes, where many such calls may run side by side.
    """

    emit: Emit
    accepts: Accepts
    accepts_strides: bool
    scratch: Scratch
    shares: bool = False
    work: Work | None = None

    def __call__(
        self,
        code: Code,
        primitive: Primitive,
        operands: Sequence[Buffer],
        results: Sequence[Buffer],
        splits: bool = False,
    ) -> bool:
        if self.shares:
            return bool(self.emit(code, primitive, operands, results, splits))
        self.emit(code, primitive, operands, results)
        return False


kernels: dict[type[Primitive], Kernel] = {}


def any_type(primitive: Any, operands: Sequence[Aval], results: Sequence[Aval]) -> bool:
    """Whatever the dtypes are."""
    return True


def no_scratch(primitive: Any, operands: Sequence[Buffer], results: Sequence[Aval]) -> int:
    """No memory."""
    return 0


def kernel(
    *classes: type[Primitive],
    accepts: Accepts = any_type,
    accepts_strides: bool = False,
    scratch: Scratch = no_scratch,
    shares: bool = False,
    work: Work | None = None,
) -> Callable[[Emit], Emit]:
    """Register the function below as what writes these primitives."""

    def register(emit: Emit) -> Emit:
        for cls in classes:
            kernels[cls] = Kernel(emit, accepts, accepts_strides, scratch, shares, work)
        return emit

    return register


def kernel_for(
    primitive: Primitive, operands: Sequence[Aval], results: Sequence[Aval]
) -> Kernel | None:
    """The native form of a primitive on operands of these types; None where there is none."""
    found = kernels.get(type(primitive))
    if found is None or not all(is_native(x.dtype) for x in (*operands, *results)):
        return None
    return found if found.accepts(primitive, operands, results) else None


def is_native(dtype: np.dtype[Any]) -> bool:
    """Whether machine code handles elements of this dtype."""
    key = f"{dtype.kind}{dtype.itemsize}"
    return dtype.isnative and (key in TYPES or key in INTERLEAVED)
