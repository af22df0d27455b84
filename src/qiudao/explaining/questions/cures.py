"""What to do about an operation that gave, or whose slope is, no finite number."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..graph import Vertex
from .nonfinite import Origin, bad

FORWARD = {
    "log": "keep its operand positive: np.log(np.maximum(x, tiny)), or np.log1p for 1 + x",
    "log2": "keep its operand positive: np.log2(np.maximum(x, tiny))",
    "log10": "keep its operand positive: np.log10(np.maximum(x, tiny))",
    "log1p": "keep its operand above -1",
    "sqrt": "keep its operand from falling below 0: np.sqrt(np.maximum(x, 0))",
    "divide": "keep the divisor from 0, or choose with np.where before dividing",
    "reciprocal": "keep the divisor from 0, or choose with np.where before dividing",
    "exp": "subtract the largest first, as in np.exp(x - np.max(x)), or use logsumexp; a sigmoid "
    "is 0.5 * (1 + np.tanh(x / 2))",
    "expm1": "scale its operand down: it overflows above 709",
    "power": "a negative base needs a whole exponent, and 0 a positive one",
    "arccos": "clip its operand into [-1, 1]",
    "arcsin": "clip its operand into [-1, 1]",
    "arctanh": "keep its operand inside (-1, 1)",
    "arccosh": "keep its operand at 1 or above",
    "tan": "keep away from odd multiples of pi / 2",
    "cosh": "scale its operand down: it overflows above 710",
    "sinh": "scale its operand down: it overflows above 710",
    "inverse": "the matrix is singular: add a small multiple of the identity, or use lstsq",
    "solve": "the matrix is singular: add a small multiple of the identity, or use lstsq",
    "subtract": "infinity minus infinity: look where the operands became infinite",
    "multiply": "0 times infinity: look where the operand became infinite",
}

BACKWARD = {
    "sqrt": "the slope of sqrt at 0 is infinite: np.sqrt(x + tiny), or choose with np.where",
    "cbrt": "the slope of cbrt at 0 is infinite: add a tiny number, or choose with np.where",
    "log": "the slope of log at 0 is infinite: keep its operand above 0",
    "log2": "the slope of log2 at 0 is infinite: keep its operand above 0",
    "log10": "the slope of log10 at 0 is infinite: keep its operand above 0",
    "log1p": "the slope of log1p at -1 is infinite: keep its operand above -1",
    "arccosh": "the slope of arccosh at 1 is infinite: keep its operand above 1",
    "divide": "the slope of a quotient grows with 1 / divisor: keep the divisor from 0",
    "reciprocal": "the slope of 1/x grows with 1 / x**2: keep x from 0",
    "power": "the slope of x**p at 0 is infinite for p below 1: add a tiny number to x",
    "arccos": "the slope of arccos at -1 and 1 is infinite: clip a little inside",
    "arcsin": "the slope of arcsin at -1 and 1 is infinite: clip a little inside",
    "arctanh": "the slope of arctanh at -1 and 1 is infinite: clip a little inside",
    "exp": "exp has overflowed, and so has its slope: subtract the largest first",
    "multiply": "a factor is not finite: look where it became so",
}

EXPONENT = (
    "the slope with respect to the exponent is log(base) * base**exponent: keep the base above 0, "
    "or give the exponent as a plain number"
)
UNDERFLOW = (
    "{words} underflowed to 0: take the logarithm on paper first, log(exp(a) / sum(exp(b))) = "
    "a - logsumexp(b)"
)
OVERFLOW = "it overflows: scale its operands down, or compute with their logarithms"
GROWING = {
    "add", "subtract", "multiply", "power", "square", "sum", "prod", "cumsum", "cumprod", "matmul",
    "einsum", "hypot", "vectornorm", "variance",
}  # fmt: skip
LOGARITHMS = ("log", "log2", "log10")


def cure_of(origin: Origin) -> str:
    """What to do about an origin, "" where nothing general can be said."""
    v = origin.vertex
    operation = v.operation or ""
    if not v.operands:
        return "it came in so: look at what made it"
    if origin.backward:
        if operation == "power" and origin.position == 1:
            return EXPONENT
        return BACKWARD.get(operation, "")
    if operation in LOGARITHMS:
        underflowed = next(filter(has_underflowed, behind(v)), None)
        if underflowed is not None:
            return UNDERFLOW.format(words=underflowed.expression or underflowed.title)
    if operation in GROWING and has_overflowed(v):
        return OVERFLOW
    return FORWARD.get(operation, "")


def behind(v: Vertex) -> Iterator[Vertex]:
    """What a value is computed from, the nearest first, by operations that keep 0 at 0."""
    waiting, seen = list(v.operands), {v}
    while waiting:
        x = waiting.pop(0)
        if x in seen:
            continue
        seen.add(x)
        yield x
        if x.operation in ("divide", "multiply", "getitem", "sum", "takealong", "gather"):
            waiting.extend(x.operands)


def has_overflowed(v: Vertex) -> bool:
    """Whether numbers that are finite gave an infinity, and no power of 0 did."""
    operands = [x.value for x in v.operands]
    if any(x is None or isinstance(x, tuple) or bad(x) for x in operands):
        return False
    nan = bool(np.isnan(np.asarray(v.value)).any())
    return not nan and not (v.operation == "power" and not np.all(operands[0]))


def has_underflowed(v: Vertex) -> bool:
    """Whether this is an exponential with an element of 0."""
    known = v.operation in ("exp", "exp2") and v.value is not None
    return known and not bool(np.all(v.value))
