"""Linear algebra where matrices are symmetric, and values apart and not zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....core.avals import aval_of
from ....core.node import Equation
from ....core.primitive import Primitive
from ....core.program import Atom, operands_of
from ....ops.arithmetic import Multiply, add, multiply, subtract
from ....ops.linalg.degenerate import Pool, Quotient, Vanish
from ....ops.linalg.factorising import Cholesky
from ....ops.linalg.refusals import Apart, Basis, Direction, Null, Turn
from ....ops.linalg.selfadjoint import Eigh, EigValsh, TriangleWeights
from ....ops.linalg.solving import Solve
from ....ops.shaping import Reshape
from ....passes.builder import Builder, Operands
from ..idioms import Plain, SolveVector
from .axes import behind_column
from .base import emit_inner, idiom, inside_call, looking_at, made_by, of_type
from .products import divide


@looking_at(Basis, Direction, Turn, Null, Vanish, Apart, Pool)
def passed(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """A matrix that is handed on where values are apart."""
    return operands[1]


@idiom(TriangleWeights)
def symmetric(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """The weights of a symmetric matrix are ones."""
    return np.ones(like.shape, like.dtype)


FUNCTIONS: dict[type[Primitive], str] = {
    Eigh: "eigh",
    EigValsh: "eigvalsh",
    Cholesky: "cholesky",
}


@idiom(*FUNCTIONS)
def plain_call(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """NumPy's function of a symmetric matrix, without a look at the other triangle."""
    if isinstance(primitive, Eigh) and primitive.UPLO != "L":
        return None
    made = Plain(primitive, FUNCTIONS[type(primitive)])
    return builder.emit(made, operands, like)


@idiom(Solve)
def solved_vector(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """solve(a, column(b)) -> column(solve(a, b))."""
    a, b = operands
    vector = behind_column(b)
    if vector is None or len(aval_of(a).shape) != 2:
        return None
    found = inside_call(builder, SolveVector(), (a, vector), like)
    return builder.emit(Reshape(like.shape), (found,), like)


@looking_at(Quotient)
def plain_quotients(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """Quotients by differences and sums of values that are apart and not zero."""
    w, x = operands
    if aval_of(w).ndim != 1:
        return None
    row = w
    column = emit_inner(builder, Reshape((*aval_of(w).shape, 1)), (w,), like)
    if primitive.over == "column":
        return of_type(builder, divide, (x, row), like)
    if primitive.over == "total":
        total = emit_inner(builder, add, (row, column), like)
        return of_type(builder, divide, (x, total), like)
    identity = np.eye(*like.shape, dtype=aval_of(w).dtype)
    hollow = made_by(x, Multiply)
    if hollow is None or not any(is_hollow(y) for y in operands_of(hollow)):
        x = emit_inner(builder, multiply, (x, 1 - identity), like)
    gaps = emit_inner(builder, subtract, (row, column), like)
    below = emit_inner(builder, add, (gaps, identity), like)
    return of_type(builder, divide, (x, below), like)


def is_hollow(x: Atom) -> bool:
    """Whether a constant is 0 on the diagonal, and 1 elsewhere."""
    return isinstance(x, np.ndarray) and x.ndim == 2 and np.array_equal(x, 1 - np.eye(*x.shape))
