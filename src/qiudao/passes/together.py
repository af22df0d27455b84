"""Sums of products that a loop carries are one product after it.

The gradient by a matrix in a loop is a sum of outer products, one a step.  Their vectors are
stacked instead, and multiplied as matrices once: `sum over t of u[t] v[t]' = U' V`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from ..core.avals import Aval, aval_of
from ..core.node import Equation, Node
from ..core.program import Atom, Program, apply, operands_of
from ..ops.arithmetic import Add, Multiply
from ..ops.einsum import Einsum, split, unused
from ..ops.products import MatMul
from ..ops.shaping import Reshape, Transpose
from .builder import uniform
from .opened import Carry, Loop, Result, Stacked, Writer, each_loop, typed

ROOM = 1 << 26  # bytes that the stacks of one sum may take
STEPS = 8  # of a loop from which it pays
LEAST = 2  # how many times as large as its factors a product is


class Product(NamedTuple):
    """The einsum of two factors, each taken in a shape."""

    equation: Equation
    spec: str
    factors: tuple[Node, Node]
    shapes: tuple[tuple[int, ...], tuple[int, ...]]


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


def bytes_of(x: Node) -> int:
    """The memory of a value."""
    return aval_of(x).size * x.dtype.itemsize


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
    return [t for t in terms if t is not carry.leaf] if carry.leaf in terms else []


def product_of(term: Atom, carry: Carry, reads: Counter[Node]) -> Product | None:
    """A term as a product that is larger than its factors."""
    if not isinstance(term, Equation) or reads[term] != 1 or term.dtype != carry.leaf.dtype:
        return None
    found = factors_of(term)
    if found is None or not all(isinstance(x, Node) and x.dtype == term.dtype for x in found[1]):
        return None
    spec, (a, b), shapes = found
    if aval_of(term).size < LEAST * (aval_of(a).size + aval_of(b).size):
        return None
    return Product(term, spec, (a, b), shapes)


def factors_of(term: Equation) -> tuple[str, tuple[Atom, Atom], tuple[Any, Any]] | None:
    """An einsum that a term is: of which factors, in which shapes."""
    a, b = operands_of(term) if len(operands_of(term)) == 2 else (None, None)
    if isinstance(term.primitive, Einsum):
        return term.primitive.spec, (a, b), (aval_of(a).shape, aval_of(b).shape)
    if isinstance(term.primitive, MatMul) and aval_of(a).ndim == aval_of(b).ndim == 2:
        (first, p), (second, q) = turned(a, "ij"), turned(b, "jk")
        return f"{first},{second}->ik", (p, q), (aval_of(p).shape, aval_of(q).shape)
    if isinstance(term.primitive, Multiply) and len(term.shape) == 2:
        rows, columns = term.shape
        for first, second in ((a, b), (b, a)):
            if aval_of(first).shape == (rows, 1) and aval_of(second).shape[-2:] in (
                (columns,), (1, columns)
            ):  # fmt: skip
                return "i,k->ik", (flat(first), flat(second)), ((rows,), (columns,))
    return None


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
            whole = [results[x] if isinstance(x, Stacked) else x for x in pair]
            summed = summed_product(writer, product, whole, loop.length)
            total = results[carry]
            if uniform(total) == 0:
                results[carry] = summed
            else:
                results[carry] = writer.put(Add(), (total, summed), product.equation)

    loop.after.append(after)


def stack_of(loop: Loop, x: Node) -> Stacked | Atom:
    """The rows of a value: given, or stacked by the loop."""
    for leaf, stack in loop.slices:
        if leaf is x:
            return stack
    return next((y for y in loop.stacked if y.out is x), None) or loop.stack(x)


def summed_product(writer: Writer, product: Product, stacks: list[Atom], length: int) -> Equation:
    """The sum over all steps, as one product."""
    like = product.equation
    rows = [
        x if aval_of(x).shape[1:] == shape else writer.put(Reshape((length, *shape)), (x,), like)
        for x, shape in zip(stacks, product.shapes, strict=True)
    ]
    a, b, out = split(product.spec)
    if (a, b, out) == ("i", "k", "ik"):
        return writer.put(
            MatMul(), (writer.put(Transpose((-1, -2)), rows[:1], like), rows[1]), like
        )
    step = unused(a + b + out)
    return writer.put(Einsum(f"{step}{a},{step}{b}->{out}"), rows, like)
