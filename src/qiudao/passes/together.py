"""Sums of products that a loop carries are one product after it.

The gradient by a matrix in a loop is a sum of outer products, one a step.  Their vectors are
stacked instead, and multiplied as matrices once: `sum over t of u[t] v[t]' = U' V`.  So are what
is added at an index, a step at a time: a loop over the whole array would add mostly zeros.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from ..core.avals import Aval, Shape, aval_of
from ..core.node import Equation, Node
from ..core.program import Atom, Program, apply, operands_of
from ..ops.arithmetic import Add, Multiply
from ..ops.einsum import Einsum, split, unused
from ..ops.indexing import ScatterAdd
from ..ops.products import MatMul
from ..ops.shaping import Reshape, Transpose
from .builder import uniform
from .opened import Carry, Loop, Result, Stacked, Writer, each_loop, typed

ROOM = 1 << 26  # bytes that the stacks of one sum may take
STEPS = 8  # of a loop from which it pays
LEAST = 2  # how many times as large as its factors a product is


Whole = Callable[[Writer, Equation, Sequence[Atom]], Equation]


class Product(NamedTuple):
    """A term made of smaller factors: `whole` writes the sum over all steps, given their stacks."""

    equation: Equation
    factors: tuple[Atom, ...]
    shapes: tuple[Shape, ...]  # in which the factors are taken
    whole: Whole


def together(program: Program) -> Program:
    """The program whose loops sum products of matrices after them."""
    return each_loop(program, sum_after)


def sum_after(loop: Loop, writer: Writer) -> bool:
    """Change one loop; whether there was anything to change."""
    if loop.length < STEPS or loop.record:
        return False
    reads = Counter(x for e in loop.equations for x in operands_of(e) if isinstance(x, Node))
    reads.update(y for y in loop.outs() if isinstance(y, Node))
    constants = {leaf for leaf, _ in loop.constants}
    changed = False
    for carry in tuple(loop.carries):
        terms = terms_of(carry, reads)
        found = {t: p for t in terms for p in [product_of(t, carry, reads)] if p is not None
                 and constants.isdisjoint(p.factors)
                 and sum(map(bytes_of, p.factors)) * loop.length <= ROOM}  # fmt: skip
        if found:
            take_out(loop, carry, [t for t in terms if t not in found], list(found.values()))
            changed = True
    return changed


def bytes_of(x: Atom) -> int:
    """The memory of a value."""
    aval = aval_of(x)
    return aval.size * aval.dtype.itemsize


def terms_of(carry: Carry, reads: Counter[Node]) -> list[Atom]:
    """What each step adds to a carry that is a sum, and read for nothing else; else nothing."""
    if reads[carry.leaf] != 1 or not isinstance(carry.out, Equation):
        return []
    terms: list[Atom] = []
    stack: list[Atom] = [carry.out]
    while stack:
        x = stack.pop()
        if (
            isinstance(x, Equation) and isinstance(x.primitive, Add) and reads[x] == 1
            and (x.shape, x.dtype) == (carry.leaf.shape, carry.leaf.dtype)
        ):  # fmt: skip
            stack.extend(operands_of(x))
        else:
            terms.append(x)
    others = [t for t in terms if t is not carry.leaf]
    return others if len(others) < len(terms) else []


def product_of(term: Atom, carry: Carry, reads: Counter[Node]) -> Product | None:
    """A term as a product that is larger than its factors."""
    if not isinstance(term, Equation) or reads[term] != 1 or term.dtype != carry.leaf.dtype:
        return None
    found = taken_apart(term)
    if found is None or not all(isinstance(x, Node) for x in found.factors):
        return None
    small = LEAST * sum(aval_of(x).size for x in found.factors) <= aval_of(term).size
    return found if small else None


def taken_apart(term: Equation) -> Product | None:
    """A term as a product of factors."""
    primitive, operands = term.primitive, operands_of(term)
    if isinstance(primitive, ScatterAdd):
        return scattered(term, primitive)
    if len(operands) != 2 or any(aval_of(x).dtype != term.dtype for x in operands):
        return None
    a, b = operands
    if isinstance(primitive, Einsum):
        shapes = (aval_of(a).shape, aval_of(b).shape)
        return Product(term, (a, b), shapes, partial(summed, primitive.spec))
    if isinstance(primitive, MatMul) and aval_of(a).ndim == aval_of(b).ndim == 2:
        (first, p), (second, q) = turned(a, "ij"), turned(b, "jk")
        shapes = (aval_of(p).shape, aval_of(q).shape)
        return Product(term, (p, q), shapes, partial(summed, f"{first},{second}->ik"))
    if isinstance(primitive, Multiply) and len(term.shape) == 2:
        rows, columns = term.shape
        for first, second in ((a, b), (b, a)):
            if aval_of(first).shape == (rows, 1) and aval_of(second).shape[-2:] in (
                (columns,), (1, columns)
            ):  # fmt: skip
                return Product(term, (flat(first), flat(second)), ((rows,), (columns,)), outer)
    return None


def scattered(term: Equation, primitive: ScatterAdd) -> Product | None:
    """A number or row added at an index: all of them can be added at once, repeats and all."""
    v, *indices = operands_of(term)
    count = len(indices)
    leads = primitive.holes == tuple(range(count)) and all(
        isinstance(p, slice) for p in primitive.pattern[count:]
    )
    if not leads or any(aval_of(x).shape != () for x in indices):
        return None
    shapes = (aval_of(v).shape, *((),) * count)
    return Product(term, (v, *indices), shapes, scattered_at_once)


def turned(x: Atom, letters: str) -> tuple[str, Atom]:
    """A matrix, or the one that it is the transpose of, with its letters."""
    if isinstance(x, Equation) and isinstance(x.primitive, Transpose):
        return letters[::-1], operands_of(x)[0]
    return letters, x


def flat(x: Atom) -> Atom:
    """A vector that a matrix of one row or column is a reshape of."""
    if isinstance(x, Equation) and isinstance(x.primitive, Reshape):
        return operands_of(x)[0]
    return x


def take_out(loop: Loop, carry: Carry, rest: list[Atom], products: list[Product]) -> None:
    """Leave products out of a sum, and add them after the loop."""
    stacks = [[stack_of(loop, x) for x in p.factors] for p in products]
    aval = Aval(carry.leaf.shape, carry.leaf.dtype)
    total: Atom = carry.leaf
    for term in rest:
        made = apply(Add(), (total, term), aval, products[0].equation)
        loop.equations = [*loop.equations, made]
        total = made
    carry.out = total
    if not rest:
        loop.carries.remove(carry)
        loop.results[carry] = typed(carry.first, carry.leaf)

    def after(writer: Writer, results: dict[Result, Atom]) -> None:
        for product, pair in zip(products, stacks, strict=True):
            rows = [results[x] if isinstance(x, Stacked) else x for x in pair]
            made = at_once(writer, product, rows, loop.length)
            total = results[carry]
            if uniform(total) == 0:
                results[carry] = made
            else:
                results[carry] = writer.put(Add(), (total, made), product.equation)

    loop.after.append(after)


def stack_of(loop: Loop, x: Atom) -> Stacked | Atom:
    """The rows of a value: given, or stacked by the loop."""
    for leaf, stack in loop.slices:
        if leaf is x:
            return stack
    return next((y for y in loop.stacked if y.out is x), None) or loop.stack(x)


def at_once(writer: Writer, product: Product, stacks: Sequence[Atom], length: int) -> Equation:
    """The sum over all steps."""
    rows = [
        x
        if aval_of(x).shape[1:] == shape
        else writer.put(Reshape((length, *shape)), (x,), product.equation)
        for x, shape in zip(stacks, product.shapes, strict=True)
    ]
    return product.whole(writer, product.equation, rows)


def outer(writer: Writer, like: Equation, rows: Sequence[Atom]) -> Equation:
    """The sum of outer products."""
    a, b = rows
    return writer.put(MatMul(), (writer.put(Transpose((-1, -2)), (a,), like), b), like)


def summed(spec: str, writer: Writer, like: Equation, rows: Sequence[Atom]) -> Equation:
    """The sum of einsums: one with a letter more."""
    a, b, out = split(spec)
    step = unused(a + b + out)
    return writer.put(Einsum(f"{step}{a},{step}{b}->{out}"), rows, like)


def scattered_at_once(writer: Writer, like: Equation, rows: Sequence[Atom]) -> Equation:
    """Rows added at indices."""
    return writer.put(like.primitive, rows, like)
