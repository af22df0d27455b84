"""How a function of `scipy.special` is declared: its operands, then a slope for each of them.

    struve = declare("struve", "v x", one("i64[2]", "f64[2]"))
    struve.by("x", "(H_(v-1) - H_(v+1) + ...) / 2 (DLMF 11.4.27)", lambda out, v, x: ...)
    struve.refuse("v", ORDER)

This module needs no SciPy; those of the families do, and are imported when one of SciPy's functions
meets a tracer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ...core.avals import Aval, Dtype, Value, aval_of
from ...core.element import Element, Scalar
from ...core.errors import NotDifferentiableError
from ...core.families import Constant, Smooth
from ...core.primitive import primitive
from ...core.samples import Sample, sample

Slope = Callable[..., Value]
Code = Callable[..., Scalar]


class Statement(NamedTuple):
    """What is stated of one result of a function of SciPy's."""

    ufunc: Any  # None where this SciPy does not have it
    operands: tuple[str, ...]
    slopes: dict[str, Slope]  # by the name of the operand
    formulas: dict[str, str]  # the same as a reader knows it, and where it stands
    reasons: dict[str, str]  # why there is none, by the name of the operand
    samples: tuple[Sample, ...]
    code: list[Code]  # scalar code, where the compiler has some


statements: dict[tuple[str, int], Statement] = {}


def ufunc_type(ufunc: Any, part: int, avals: tuple[Aval, ...]) -> Dtype:
    """The dtype of a result of a ufunc, as NumPy resolves it."""
    kinds = [a.dtype if a.weak is None else a.weak for a in avals]
    resolved = ufunc.resolve_dtypes((*kinds, *(None,) * ufunc.nout))
    found: Dtype = resolved[ufunc.nin + part]
    return found


def computed(ufunc: Any, part: int, xs: tuple[Value, ...]) -> Value:
    """One result of a ufunc."""
    out = ufunc(*xs)
    return out[part] if ufunc.nout > 1 else out


@primitive
class Special(Smooth):
    """One result of SciPy's function of that name; `by` and `refuse` state its derivatives."""

    function: str = "gamma"
    part: int = 0
    reads = "both"

    def __repr__(self) -> str:
        several = self.statement.ufunc is not None and self.statement.ufunc.nout > 1
        return f"{self.function}[{self.part}]" if several else self.function

    @property
    def label(self) -> str:
        return repr(self)

    @property
    def statement(self) -> Statement:
        """What is stated of this function."""
        return statements[self.function, self.part]

    def by(self, operand: str, formula: str, slope: Slope) -> None:
        """State the slope with respect to an operand, a function of out and all operands."""
        self.statement.slopes[operand] = slope
        self.statement.formulas[operand] = formula

    def refuse(self, operands: str, reason: str) -> None:
        """State why there is no derivative with respect to these operands."""
        for operand in operands.split():
            self.statement.reasons[operand] = reason

    def native(self, code: Code) -> Code:
        """Register scalar code for the compiler: a function of the builder and all operands."""
        self.statement.code.append(code)
        return code

    def evaluate(self, *xs: Value) -> Value:
        return computed(self.statement.ufunc, self.part, xs)

    def dtype(self, *avals: Aval) -> Dtype:
        return ufunc_type(self.statement.ufunc, self.part, avals)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        stated = self.statement
        operand = stated.operands[i]
        if operand in stated.slopes:
            return stated.slopes[operand](out, *xs)
        raise not_differentiable(self.label, operand, stated.reasons[operand])

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        code = self.statement.code
        if not code or any(x.dtype.kind != "f" for x in xs):
            return NotImplemented
        return code[0](e, *xs)


@primitive
class Stepped(Constant):
    """SciPy's function of that name, which is constant between its jumps."""

    function: str = "gammasgn"

    @property
    def label(self) -> str:
        return self.function

    def evaluate(self, *xs: Value) -> Value:
        return statements[self.function, 0].ufunc(*xs)

    def dtype(self, *avals: Aval) -> Dtype:
        return ufunc_type(statements[self.function, 0].ufunc, 0, avals)


class Numeric(Smooth):
    """A derivative that no function of SciPy's gives: computed by a function of our own.

    `compute` takes the fields, which are the orders of the derivative, and then the operands.
    """

    compute: ClassVar[Any]

    def evaluate(self, *xs: Value) -> Value:
        with np.errstate(all="ignore"):
            found = type(self).compute(*vars(self).values(), *map(np.asarray, xs))
        return np.asarray(found, self.dtype(*map(aval_of, xs)))[()]

    def dtype(self, *avals: Aval) -> Dtype:
        kinds = [a.dtype if a.weak is None else np.dtype(a.weak) for a in avals]
        wide = [k if k.kind in "fc" else np.dtype(np.float64) for k in kinds]
        strong = [k for k, a in zip(wide, avals, strict=True) if a.weak is None]
        return np.result_type(*(strong or wide))


def not_differentiable(function: str, operand: str, reason: str) -> NotDifferentiableError:
    """The error for a derivative that is not known, with the reason."""
    return NotDifferentiableError(
        f"{function}: not differentiable with respect to {operand} because {reason}; "
        f"hold it fixed with qd.stop_gradient({operand})"
    )


def of_type(s: Sample, **fields: Any) -> Sample:
    """A sample with these fields of the primitive."""
    return s._replace(fields={**s.fields, **fields})


def is_complex(x: Value) -> bool:
    """Whether an operand is complex; it may be a number."""
    return aval_of(x).dtype.kind == "c"


def one(*types: str, low: float = 0.3, high: float = 0.9, order: int = 1) -> Sample:
    """A small sample.  Second derivatives of most functions are held against mpmath instead."""
    return sample(*types, within=(low, high), order=order)


__all__ = [
    "Numeric",
    "Special",
    "Statement",
    "Stepped",
    "is_complex",
    "of_type",
    "one",
    "statements",
]
