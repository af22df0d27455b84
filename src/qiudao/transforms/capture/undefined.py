"""What a name stands for that only some paths define."""

from __future__ import annotations

from typing import Any, NoReturn

from .outcomes import CaptureError

_USES = [
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
    "divmod",
    "radd",
    "rsub",
    "rmul",
    "rtruediv",
    "rfloordiv",
    "rmod",
    "rpow",
    "rmatmul",
    "rand",
    "ror",
    "rxor",
    "neg",
    "pos",
    "abs",
    "invert",
    "lt",
    "le",
    "gt",
    "ge",
    "eq",
    "ne",
    "bool",
    "len",
    "iter",
    "getitem",
    "setitem",
    "contains",
    "call",
    "float",
    "int",
    "complex",
    "index",
    "str",
    "format",
    "array",
    "array_ufunc",
    "array_function",
]


class Undefined:
    """A name that is not defined on every path: any use of it says so."""

    __slots__ = ("reason",)
    __hash__ = object.__hash__

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Say where the name was left undefined."""
        raise CaptureError(self.reason)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__") and not name.startswith("__array_"):
            raise AttributeError(name)
        raise CaptureError(self.reason)

    def __repr__(self) -> str:
        return "an undefined name"


for _use in _USES:
    setattr(Undefined, f"__{_use}__", Undefined.refuse)
