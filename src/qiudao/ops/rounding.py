"""Functions that are constant between their jumps: comparisons, rounding, logic.

No derivative passes them, and tracers that differentiate let their plain results through.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Aval, Value
from ..core.families import Constant
from ..core.primitive import primitive
from ..core.samples import sample
from .faces import face

REAL_ONE = (
    "floor", "ceil", "trunc", "rint", "sign", "signbit", "isnan", "isinf", "isfinite", "spacing",
    "logical_not",
)  # fmt: skip
REAL_TWO = (
    "greater", "greater_equal", "less", "less_equal", "equal", "not_equal",
    "logical_and", "logical_or", "logical_xor", "floor_divide",
)  # fmt: skip
WHOLE_ONE = ("invert", "bitwise_count")
WHOLE_TWO = ("gcd", "lcm", "bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift")


@primitive
class Step(Constant):
    """NumPy's function of the name `function`, whose derivative is 0 wherever it has one."""

    function: str = "floor"
    samples = (
        *(sample("f64[3,4]", function=f) for f in REAL_ONE),
        *(sample("f64[3,4]", "f64[4]", function=f) for f in REAL_TWO),
        *(sample("i64[3,4]", function=f, within=(0, 9)) for f in WHOLE_ONE),
        *(sample("i64[3,4]", "i64[4]", function=f, within=(0, 9)) for f in WHOLE_TWO),
    )

    def evaluate(self, *xs: Value) -> Value:
        return getattr(np, self.function)(*xs)

    def dtype(self, *avals: Aval) -> np.dtype[Any]:
        return np.result_type(self.evaluate(*(np.ones((), a.dtype) for a in avals)))

    def element(self, e: Any, *xs: Any) -> Any:
        return e.call(self.function, *xs)


for _function in (*REAL_ONE, *REAL_TWO, *WHOLE_ONE, *WHOLE_TWO):
    face(Step(_function), getattr(np, _function))
