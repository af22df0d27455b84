"""The table of spellings: for each class of primitive, how NumPy says it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

from ...core.avals import Dtype, Shape
from ...core.errors import RuleError
from ...core.node import Equation
from ...core.primitive import Primitive
from ...core.source import line_of
from .code import ATOM, Code


class Term(NamedTuple):
    """An operand: its code, its type, and its value where it is a constant."""

    code: Code
    shape: Shape
    dtype: Dtype
    value: Any = None
    equation: Equation | None = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def tight(self) -> str:
        """The text as something to index or to take an attribute of."""
        return self.code.at(ATOM)


class Phrase(NamedTuple):
    """An equation to be spelled: operands, the type of the result, how to ask for a helper.

    `use` gives the name of a function that is then printed above, or of a module that is imported
    there; `inner` the operand of an operand of the primitive `name`, where that is written in the
    same expression.  What `is_derived` is not the user's own, and may be put in another order.
    """

    primitive: Any
    xs: Sequence[Term]
    shape: Shape
    dtype: Dtype
    use: Callable[[Callable[..., Any] | ModuleType], str]
    inner: Callable[[Term, str], Term | None]
    is_derived: bool

    @property
    def codes(self) -> list[Code]:
        """The codes of all operands."""
        return [x.code for x in self.xs]


Spelling = Callable[[Phrase], Code]
spellings: dict[type[Primitive], Spelling] = {}


def spells(*classes: type[Primitive]) -> Callable[[Spelling], Spelling]:
    """Register the spelling of these classes."""

    def register(spelling: Spelling) -> Spelling:
        for each in classes:
            spellings[each] = spelling
        return spelling

    return register


def has_spelling(primitive: Primitive) -> bool:
    """Whether NumPy can say a primitive as it is."""
    return spelling_for(primitive) is not None


def spelling_for(primitive: Primitive) -> Spelling | None:
    """The spelling of the primitive's class, or of one that it is a kind of."""
    kinds = (spellings.get(kind) for kind in type(primitive).__mro__)
    return next((found for found in kinds if found is not None), None)


def spelling_of(equation: Equation) -> Spelling:
    """The spelling of an equation's primitive.  Raises `RuleError` where there is none."""
    found = spelling_for(equation.primitive)
    if found is None:
        raise RuleError(
            f"source: the primitive {equation.primitive.name} at "
            f"{line_of(equation.code, equation.offset)} has no spelling in NumPy; register one "
            "with qiudao.explaining.source.table.spells"
        )
    return found
