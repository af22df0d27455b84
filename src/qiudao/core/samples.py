"""What a primitive carries for its own test: operand types and parameters to try it on."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from .avals import Aval

_TYPE = re.compile(r"(?P<kind>f32|f64|c64|c128|i64|bool)\[(?P<sizes>[\d, ]*)\]")
_DTYPES = {
    "f32": np.float32, "f64": np.float64, "c64": np.complex64, "c128": np.complex128,
    "i64": np.int64, "bool": np.bool_,
}  # fmt: skip


class Sample(NamedTuple):
    """Operand types, the interval or matrix kind their values come from, and the parameters."""

    types: tuple[str, ...]
    within: tuple[float, float]
    kind: str
    fields: dict[str, Any]
    order: int
    held: tuple[int, ...]

    @property
    def avals(self) -> tuple[Aval, ...]:
        """The operand types, read only when a test wants them: importing stays quick."""
        return tuple(map(parse, self.types))


def sample(
    *types: str,
    within: tuple[float, float] = (-2.0, 2.0),
    kind: str = "general",
    order: int = 3,
    held: tuple[int, ...] = (),
    **fields: Any,
) -> Sample:
    """A sample: `sample("f64[3,4]", axis=-1)`.

    Values are drawn between `within`; `kind` is "general", "distinct", "symmetric", "definite"
    (symmetric positive definite), "regular" (far from a singular matrix), "index" (integers valid
    as indices), "increasing" or "schur" (the first is a Schur form, and stays one).  Derivatives
    are checked up to `order`, but not in the operands `held`, which the primitive takes for
    constants.
    """
    return Sample(types, within, kind, fields, order, held)


def parse(text: str) -> Aval:
    """Read a type such as `f64[3, 4]`."""
    found = _TYPE.fullmatch(text)
    if found is None:
        raise ValueError(f"sample: {text!r} is not a type; write it like 'f64[3,4]'")
    sizes = tuple(int(n) for n in found["sizes"].split(",") if n.strip())
    return Aval(sizes, np.dtype(_DTYPES[found["kind"]]))
