"""Identities that make a derivative easier to read: exact but for rounding, and for numbers that
are not finite.

They apply to what the derivative adds, and leave the user's own computation as it was written.
Whoever uses them holds the program that they make against the one before, on real arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...core.avals import Aval, aval_of
from ...core.families import Elementwise
from ...core.node import Equation, Node, Role
from ...core.primitive import Primitive
from ...core.program import Atom, Program, apply, operands_of, stated
from ...core.roles import COTANGENT, role_of
from ...ops.arithmetic import (
    Add,
    Divide,
    Multiply,
    Negative,
    Power,
    Scale,
    Subtract,
    Weigh,
    add,
    multiply,
    negative,
    subtract,
)
from ...ops.complexes import Conjugate, Real
from ...ops.indexing import GetItem, Place
from ...ops.linalg.degenerate import Pool, Quotient, Vanish
from ...ops.linalg.factorising import Cholesky
from ...ops.linalg.refusals import Apart, Basis, Direction, Null, Turn
from ...ops.linalg.selfadjoint import Eigh, EigValsh, TriangleWeights
from ...ops.linalg.solving import Solve
from ...ops.products import MatMul
from ...ops.reducing import Sum
from ...ops.rounding import Step
from ...ops.selecting import Where
from ...ops.shaping import Cast, Reshape, Stretch, Transpose
from ...ops.smooth import Cosh, Sech
from ...passes.builder import Builder, Operands, is_constant, rewrite, uniform
from ...passes.identities import identities, sink
from ...passes.prune import prune
from ...passes.share import share
from .idioms import Plain, SolveVector

divide = Divide()
Look = Callable[[Builder, Any, Operands, Equation], "Atom | None"]


def simplified(program: Program) -> Program:
    """The program with exact identities only."""
    return repeat(program, (fold, identities, sink, share))


def readable(program: Program) -> Program:
    """The program with the identities of this module too."""
    return repeat(program, (fold, read, plainly, identities, sink, leading, share))


def repeat(program: Program, rules: Any) -> Program:
    """Rewrite until it gets no shorter."""
    for _ in range(4):
        made = prune(rewrite(program, rules))
        if len(made.equations) == len(program.equations) and program.equations:
            same = all(
                type(a.primitive) is type(b.primitive)
                for a, b in zip(made.equations, program.equations, strict=True)
            )
            if same:
                return made
        program = made
    return program


LARGEST = 4  # elements of a constant that is written out rather than how it is made


def fold(builder: Builder, primitive: Primitive, operands: Operands, like: Equation) -> Atom | None:
    """The value of an equation of constants, where it is a number or as good as one."""
    if like.is_several or not operands or not all(map(is_constant, operands)):
        return None
    if type(primitive) is Stretch or any(np.size(x) > 1 << 16 for x in operands):
        return None
    if not isinstance(primitive, Elementwise) and like.shape:
        return None
    with np.errstate(all="ignore"):
        value = np.asarray(primitive.evaluate(*operands))
    if value.shape != like.shape:
        return None
    if value.ndim and uniform(value) is None and value.size > LARGEST:
        return None
    return value[()]


looks: dict[type[Primitive], list[Look]] = {}


def looking_at(*classes: type[Primitive]) -> Callable[[Look], Look]:
    """Register a rule for equations of these classes."""

    def register(look: Look) -> Look:
        for each in classes:
            looks.setdefault(each, []).append(look)
        return look

    return register


def read(builder: Builder, primitive: Primitive, operands: Operands, like: Equation) -> Atom | None:
    """What the first rule that holds makes of an equation of the derivative."""
    if role_of(like) is None:
        return None
    for look in looks.get(type(primitive), ()):
        found = look(builder, primitive, operands, like)
        if found is not None and fits(found, like):
            return found
    return None


def fits(x: Atom, like: Equation) -> bool:
    """Whether an atom has the type of an equation's result."""
    aval = aval_of(x)
    return aval.shape == like.shape and (aval.dtype == like.dtype or aval.weak is not None)


def made_by(x: Atom, *classes: type[Primitive]) -> Equation | None:
    """The equation of the derivative behind an atom, where it is of one of the classes."""
    if isinstance(x, Equation) and type(x.primitive) in classes and role_of(x) is not None:
        return x
    return None


def factor(x: Atom) -> Any:
    """A constant that is one number, or None."""
    if isinstance(x, Node) or np.shape(x) or np.asarray(x).dtype.kind == "b":
        return None
    return x


def of_type(builder: Builder, primitive: Primitive, operands: Operands, like: Equation) -> Any:
    """A new equation where it has the type of `like`, else None."""
    aval = stated(primitive, operands)
    if aval is None or aval[:2] != (like.shape, like.dtype):
        return None
    return builder.emit(primitive, operands, like)


def joined(a: Any, b: Any, function: np.ufunc) -> Any:
    """Two numbers as one, weak where both are."""
    with np.errstate(all="ignore"):
        value = function(a, b)
    both = {type(a), type(b)} <= {int, float, complex}
    return value.item() if both else value


# Products


@looking_at(Multiply, Weigh, Scale)
def plain_product(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """A product of numbers, powers and quotients, put in order."""
    a, b = operands
    if a is b and isinstance(a, Node) and like.dtype.kind == "f":
        return of_type(builder, Power(), (a, 2), like)
    for x, y in ((a, b), (b, a)):
        found = of_pair(builder, x, y, like)
        if found is not None:
            return found
    if type(primitive) is not Multiply:
        return builder.emit(multiply, operands, like)
    return None


def of_pair(builder: Builder, x: Atom, y: Atom, like: Equation) -> Any:
    """`x y`, looked at as what x is."""
    c = factor(x)
    inner = made_by(y, Multiply, Divide, Negative)
    if c is not None and inner is not None:
        first, *rest = operands_of(inner)
        if type(inner.primitive) is Negative:
            return of_type(builder, multiply, (-c, first), like)
        known = factor(first)
        if known is not None:
            number = joined(c, known, np.multiply)
            return of_type(builder, type(inner.primitive)(), (number, *rest), like)
    multiple = made_by(x, Multiply)
    if multiple is not None and c is None and isinstance(y, Node):
        first, second = operands_of(multiple)
        if factor(first) is not None and isinstance(second, Node):
            product = emit_inner(builder, multiply, (second, y), like)
            return of_type(builder, multiply, (first, product), like)
    negated = x if isinstance(x, Equation) and type(x.primitive) is Negative else None
    if negated is not None and like.dtype.kind in "fc":
        product = emit_inner(builder, multiply, (*operands_of(negated), y), like)
        return of_type(builder, negative, (product,), like)
    quotient = made_by(x, Divide)
    if quotient is not None:
        above, below = operands_of(quotient)
        if factor(above) is not None and factor(above) == 1:
            return of_type(builder, divide, (y, below), like)
        if factor(above) is not None and c is None and isinstance(y, Node):
            scaled = emit_inner(builder, multiply, (above, y), like)
            return of_type(builder, divide, (scaled, below), like)
    sech = made_by(x, Sech)
    if sech is not None:
        below = emit_inner(builder, Cosh(), operands_of(sech), like)
        return of_type(builder, divide, (y, below), like)
    power = made_by(x, Power)
    if power is not None:
        base, exponent = operands_of(power)
        sech = made_by(base, Sech)
        if sech is not None and factor(exponent) is not None:
            cosh = emit_inner(builder, Cosh(), operands_of(sech), like)
            below = emit_inner(builder, Power(), (cosh, exponent), like)
            return of_type(builder, divide, (y, below), like)
    choice = made_by(x, Where)
    if choice is not None and isinstance(y, Node) | (factor(y) is not None):
        return chosen(builder, multiply, choice, y, like)
    return None


def emit_inner(builder: Builder, primitive: Primitive, operands: Operands, like: Equation) -> Atom:
    """A new equation that is a part of what `like` becomes."""
    part = apply(primitive, operands, stated(primitive, operands), like)
    part.role = bare_role(like)
    return builder.emit(primitive, operands, part)


def bare_role(like: Equation) -> Role:
    """The role of a part of an equation: not that of the whole."""
    return (role_of(like) or COTANGENT)._replace(code=None)


@looking_at(Divide)
def plain_quotient(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """A quotient of quotients and of choices."""
    a, b = operands
    negated = made_by(a, Negative)
    if negated is not None and like.dtype.kind in "fc":
        quotient = emit_inner(builder, divide, (*operands_of(negated), b), like)
        return of_type(builder, negative, (quotient,), like)
    inner = made_by(a, Divide)
    if inner is not None and operands_of(inner)[1] is b and like.dtype.kind == "f":
        square = emit_inner(builder, Power(), (b, 2), like)
        return of_type(builder, divide, (operands_of(inner)[0], square), like)
    choice = made_by(a, Where)
    if choice is not None and isinstance(b, Node):
        return chosen(builder, divide, choice, b, like)
    return None


def chosen(builder: Builder, primitive: Any, choice: Equation, y: Atom, like: Equation) -> Any:
    """where(m, a, 0) y -> where(m, a y, 0)."""
    mask, yes, no = operands_of(choice)
    for k, (zero, other) in enumerate(((no, yes), (yes, no))):
        if factor(zero) is None or factor(zero) != 0:
            continue
        inside = emit_inner(builder, primitive, (other, y), like)
        branches = (inside, zero) if k == 0 else (zero, inside)
        return of_type(builder, Where(), (mask, *branches), like)
    return None


# Sums


@looking_at(Add)
def plain_sum(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """A + a -> 2 a; two choices by one mask -> one choice of sums."""
    a, b = operands
    if a is b and isinstance(a, Node) and like.dtype.kind in "fc":
        return of_type(builder, multiply, (2, a), like)
    one, two = made_by(a, Where), made_by(b, Where)
    if one is not None and two is not None and operands_of(one)[0] is operands_of(two)[0]:
        mask, *first = operands_of(one)
        sums = [
            emit_inner(builder, add, (x, y), like)
            for x, y in zip(first, operands_of(two)[1:], strict=True)
        ]
        return of_type(builder, Where(), (mask, *sums), like)
    one, two = made_by(a, Place), made_by(b, Place)
    if one is not None and two is not None and one.primitive == two.primitive:
        total = emit_inner(builder, add, (*operands_of(one), *operands_of(two)), like)
        return of_type(builder, one.primitive, (total,), like)
    zero = factor(a) if factor(a) is not None else factor(b)
    if zero is not None and zero == 0:
        return b if factor(a) is not None else a
    negated = made_by(a, Negative)
    if negated is not None:
        return of_type(builder, subtract, (b, *operands_of(negated)), like)
    return None


@looking_at(Subtract)
def plain_difference(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """0 - b -> -b, a - 0 -> a."""
    a, b = operands
    if factor(a) is not None and factor(a) == 0 and isinstance(b, Node):
        return of_type(builder, negative, (b,), like)
    if factor(b) is not None and factor(b) == 0 and isinstance(a, Node):
        return a
    return None


@looking_at(Negative)
def plain_negative(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """-(c x) -> (-c) x, -(a - b) -> b - a."""
    inner = made_by(operands[0], Multiply, Subtract, Divide)
    if inner is None:
        return None
    first, second = operands_of(inner)
    if type(inner.primitive) is Subtract:
        return of_type(builder, subtract, (second, first), like)
    if factor(first) is not None:
        return of_type(builder, inner.primitive, (-first, second), like)
    return None


@looking_at(Sum, Reshape, Stretch)
def sign_outside(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """sum(-x) -> -sum(x), and so for what only moves elements."""
    negated = made_by(operands[0], Negative)
    if negated is None or like.dtype.kind not in "fc":
        return None
    moved = emit_inner(builder, primitive, operands_of(negated), like)
    return of_type(builder, negative, (moved,), like)


@looking_at(Reshape)
def summed_away(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """A sum that keeps its axes, and loses them then -> a sum."""
    inner = made_by(operands[0], Sum)
    if inner is None or not inner.primitive.keepdims:  # type: ignore[attr-defined]
        return None
    whole = Sum(inner.primitive.axes)  # type: ignore[attr-defined]
    return of_type(builder, whole, operands_of(inner), like)


def leading(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """f(x[None], y) -> f(x, y) for elementwise f, which puts leading axes in by itself."""
    if not isinstance(primitive, Elementwise) or role_of(like) is None:
        return None
    bare = tuple(map(without_lead, operands))
    if all(a is b for a, b in zip(bare, operands, strict=True)):
        return None
    aval = stated(primitive, bare)
    if aval == Aval(like.shape, like.dtype):
        return builder.emit(primitive, bare, like)
    if aval is not None and aval.dtype == like.dtype and leads(aval.shape, like.shape):
        inside = emit_inner(builder, primitive, bare, like)
        return of_type(builder, Reshape(like.shape), (inside,), like)
    return None


def leads(inner: tuple[int, ...], outer: tuple[int, ...]) -> bool:
    """Whether a shape is another behind unit axes."""
    units = len(outer) - len(inner)
    return units > 0 and outer == (1,) * units + inner


def without_lead(x: Atom) -> Atom:
    """What was only given leading unit axes."""
    inner = made_by(x, Reshape)
    if inner is None:
        return x
    (before,) = operands_of(inner)
    shape = aval_of(before).shape
    return before if leads(shape, inner.shape) else x


# Masks, and checks that passed


@looking_at(Step)
def no_nan(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """X == x -> True: only a NaN differs from itself."""
    if primitive.function in ("equal", "not_equal") and operands[0] is operands[1]:
        holds = primitive.function == "equal"
        return np.full(like.shape, holds)[()]
    if primitive.function in ("bitwise_or", "logical_or"):
        for x, y in (operands, operands[::-1]):
            known = uniform(y)
            if known is not None and not known and isinstance(x, Node):
                return x if fits(x, like) else None
    return None


@looking_at(Add, Subtract, Multiply)
def cast_by_itself(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """What is cast to the type that the other operand gives it anyway."""
    for k, x in enumerate(operands):
        inner = made_by(x, Cast)
        if inner is not None and aval_of(*operands_of(inner)).dtype.kind != "c":
            bare = (*operands[:k], *operands_of(inner), *operands[k + 1 :])
            return of_type(builder, primitive, bare, like)
    return None


@looking_at(Where)
def decided(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """where(m, x, f(where(m, y, z))) -> where(m, x, f(z))."""
    mask, *branches = operands
    for k, branch in enumerate(branches):
        if not isinstance(branch, Equation) or not isinstance(branch.primitive, Elementwise):
            continue
        inner = [
            operands_of(x)[1 + k]
            if isinstance(x, Equation)
            and type(x.primitive) is Where
            and operands_of(x)[0] is mask
            and aval_of(operands_of(x)[1 + k]).shape == x.shape
            else x
            for x in operands_of(branch)
        ]
        if any(x is not y for x, y in zip(inner, operands_of(branch), strict=True)):
            aval = stated(branch.primitive, inner)
            if aval is not None and aval[:2] == (branch.shape, branch.dtype):
                branches[k] = emit_inner(builder, branch.primitive, tuple(inner), like)
                return of_type(builder, primitive, (mask, *branches), like)
    return None


@looking_at(Where)
def known(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """where(True, x, y) -> x, also of a number that a scalar result is."""
    mask = uniform(operands[0])
    if mask is None:
        return None
    found = operands[1] if mask else operands[2]
    return found if fits(found, like) else None


@looking_at(Basis, Direction, Turn, Null, Vanish, Apart, Pool)
def passed(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """A matrix that is handed on where values are apart."""
    return operands[1]


@looking_at(Real, Conjugate)
def real_already(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """The real part, or the conjugate, of what is real."""
    return operands[0] if aval_of(operands[0]).dtype.kind == "f" else None


# NumPy's plain calls, in the user's own computation too


idioms: dict[type[Primitive], Look] = {}


def plainly(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """What stands for an equation whose care the arguments do not need."""
    look = idioms.get(type(primitive))
    return None if look is None else look(builder, primitive, operands, like)


def idiom(*classes: type[Primitive]) -> Callable[[Look], Look]:
    """Register a rule for equations of these classes."""

    def register(look: Look) -> Look:
        for each in classes:
            idioms[each] = look
        return look

    return register


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


def behind_column(x: Atom) -> Atom | None:
    """The vector that a column was made of."""
    if not isinstance(x, Equation) or type(x.primitive) is not Reshape:
        return None
    (vector,) = operands_of(x)
    shape = aval_of(vector).shape
    return vector if len(shape) == 1 and x.shape == (*shape, 1) else None


def inside_call(builder: Builder, primitive: Primitive, operands: Operands, like: Equation) -> Atom:
    """A new equation that is a part of what `like` becomes, whatever its role."""
    part = apply(primitive, operands, stated(primitive, operands), like)
    return builder.emit(primitive, operands, part)


@idiom(GetItem, Place)
def unit_axes(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """The only row or column, read or placed -> a reshape."""
    (x,) = operands
    alike = isinstance(x, Node) and aval_of(x).size == np.prod(like.shape, dtype=int) > 1
    if alike and all(part in (0, None, Ellipsis, slice(None)) for part in primitive.index):
        return builder.emit(Reshape(like.shape), operands, like)
    return None


@idiom(Transpose)
def turned_column(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """The transpose of a column -> a row."""
    (x,) = operands
    if behind_column(x) is not None:
        return builder.emit(Reshape(like.shape), operands_of(x), like)
    return None


@idiom(MatMul)
def outer_product(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """A column times a row -> the product of each element with each."""
    a, b = operands
    if like.ndim != 2 or behind_column(a) is None or aval_of(b).shape[0] != 1:
        return None
    row = inside_call(builder, Reshape(aval_of(b).shape[1:]), (b,), like)
    return of_type(builder, multiply, (a, row), like)


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
