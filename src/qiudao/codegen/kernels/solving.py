"""Solutions of linear equations, inverses and determinants."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.avals import Aval, Dtype
from ...ops.linalg.determinants import Cofactor, Det, SlogDet
from ...ops.linalg.matrices import real_dtype
from ...ops.linalg.solving import Inverse, Solve
from ..code import Buffer, Code, Register, floating
from ..failures import SINGULAR, fail
from .elimination import SMALL, Elimination, identity, read, write
from .loops import counted, nest, offset_of
from .matrices import (
    INT32,
    Needs,
    by_columns,
    carve,
    cubic,
    from_columns,
    has_lapack,
    lapack,
    scratch_of,
    stacked,
)
from .numbers import (
    Number,
    Variable,
    add,
    call_of_floats,
    constant,
    load,
    multiply,
    part_type,
    store,
    subtract,
)
from .table import kernel

Places = tuple[int, ...]

SIDES = 8  # columns of a right side that is written out


def is_small(dtype: Dtype, n: int, sides: int = 0) -> bool:
    """Whether the elimination is written out."""
    return dtype.kind == "f" and n <= SMALL and sides <= SIDES


def needs_of_solve(primitive: Any, operands: Sequence[Any], results: Sequence[Any]) -> Needs:
    """A copy of the matrix, one of the right side, and the pivots."""
    n = operands[0].shape[-1]
    dtype, sides = results[0].dtype, results[0].shape[-1]
    if is_small(dtype, n, sides):
        return []
    return [(n * n, dtype), (n * sides, dtype), (n, INT32)]


@kernel(
    Solve, accepts=has_lapack, accepts_strides=True, scratch=scratch_of(needs_of_solve), work=cubic
)
def solve(
    code: Code, primitive: Solve, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """By gesv, or elimination written out."""
    a, b, *memory = operands
    (out,) = results
    if out.size == 0:
        return
    room = carve(code, memory, needs_of_solve(primitive, operands, results))
    with stacked(code, (a, b, out), (2, 2, 2)) as (matrix, side, x):
        if not room:
            eliminated = Elimination(
                code, out.dtype, read(code, matrix, out.dtype), read(code, side, out.dtype)
            )
            fail(code, eliminated.singular, SINGULAR)
            write(code, eliminated.solution(), x)
        else:
            n, sides = x.shape
            left = by_columns(code, matrix, room[0], out.dtype)
            right = by_columns(code, side, room[1], out.dtype)
            singular = lapack(
                code, "gesv", out.dtype, n, sides, left.pointer, n, room[2], right.pointer, n
            )
            fail(code, singular, SINGULAR)
            from_columns(code, right.pointer, n, x)


def accepts_inverse(primitive: Inverse, operands: Sequence[Aval], results: Sequence[Aval]) -> bool:
    """All but the inverses that refuse ill-conditioned matrices."""
    return not primitive.refusal and has_lapack(primitive, operands, results)


def needs_of_inverse(primitive: Any, operands: Sequence[Any], results: Sequence[Any]) -> Needs:
    """A copy of the matrix, the inverse by columns, and the pivots."""
    n, dtype = operands[0].shape[-1], results[0].dtype
    return [] if is_small(dtype, n) else [(n * n, dtype), (n * n, dtype), (n, INT32)]


@kernel(
    Inverse,
    accepts=accepts_inverse,
    accepts_strides=True,
    scratch=scratch_of(needs_of_inverse),
    work=cubic,
)
def invert(
    code: Code, primitive: Inverse, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """As the solution for the identity, which is what NumPy computes too."""
    a, *memory = operands
    (out,) = results
    if out.size == 0:
        return
    dtype, n = out.dtype, out.shape[-1]
    room = carve(code, memory, needs_of_inverse(primitive, operands, results))
    with stacked(code, (a, out), (2, 2)) as (matrix, x):
        if not room:
            eliminated = Elimination(code, dtype, read(code, matrix, dtype), identity(n, dtype))
            singular = eliminated.singular
            write(code, eliminated.solution(), x)
        else:
            left = by_columns(code, matrix, room[0], dtype)
            right = Buffer(room[1], (n, n), dtype, (1, n))
            fill(code, right, constant(0, dtype))
            with counted(code, n) as k:
                store(code, constant(1, dtype), right, offset_of(code, (k, k), (1, n)))
            singular = lapack(code, "gesv", dtype, n, n, left.pointer, n, room[2], room[1], n)
            from_columns(code, right.pointer, n, x)
        if primitive.fill:
            with code.when(singular):
                fill(code, x, constant(np.nan, dtype))
        else:
            fail(code, singular, SINGULAR)


def fill(code: Code, x: Buffer, value: Number) -> None:
    """Write one number everywhere."""
    with nest(code, x.shape) as indices:
        store(code, value, x, offset_of(code, indices, x.strides))


# Determinants


def needs_of_factors(primitive: Any, operands: Sequence[Any], results: Sequence[Any]) -> Needs:
    """A copy of the matrix, and the pivots."""
    n, dtype = operands[0].shape[-1], results[0].dtype
    return [] if is_small(dtype, n) else [(n * n, dtype), (n, INT32)]


class Pivots:
    """The diagonal of the triangle that elimination makes, entry by entry, and a sign."""

    def __init__(self, code: Code, matrix: Buffer, dtype: Dtype, room: Sequence[Register]) -> None:
        self.code, self.dtype, self.n = code, dtype, matrix.shape[0]
        self.small: list[Register] = []
        if not room:
            eliminated = Elimination(code, dtype, read(code, matrix, dtype), [[]] * self.n)
            self.small = eliminated.diagonal()
            self.sign: Number = (eliminated.sign,)
        else:
            self.copy = by_columns(code, matrix, room[0], dtype)
            lapack(code, "getrf", dtype, self.n, self.n, room[0], self.n, room[1])
            self.sign = self.sign_of(Buffer(room[1], (self.n,), INT32, (1,)))

    def sign_of(self, places: Buffer) -> Number:
        """Minus one for an odd number of exchanges."""
        code, dtype = self.code, self.dtype
        total = Variable(code, dtype)
        total.set(constant(1, dtype))
        with counted(code, self.n) as k:
            place = code.op(f"sext i32 {load(code, places, k)[0]} to i64")
            own = code.op(f"add i64 {k}, 1")
            with code.when(code.op(f"icmp ne i64 {place}, {own}")):
                total.set(multiply(code, total.get(), constant(-1, dtype), dtype))
        return total.get()

    def each(self, use: Any) -> None:
        """Call `use` with every pivot, in a loop or one after another."""
        if self.small:
            for x in self.small:
                use((x,))
        else:
            with counted(self.code, self.n) as k:
                use(load(self.code, self.copy, offset_of(self.code, (k, k), (1, self.n))))


@kernel(
    Det, accepts=has_lapack, accepts_strides=True, scratch=scratch_of(needs_of_factors), work=cubic
)
def determinant(
    code: Code, primitive: Det, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """The product of the pivots."""
    a, *memory = operands
    (out,) = results
    dtype = out.dtype
    if out.size == 0:
        return
    if a.shape[-1] == 0:
        fill(code, out, constant(1, dtype))
        return
    room = carve(code, memory, needs_of_factors(primitive, operands, results))
    with stacked(code, (a, out), (2, 0)) as (matrix, x):
        pivots = Pivots(code, matrix, dtype, room)
        total = Variable(code, dtype)
        total.set(pivots.sign)
        pivots.each(lambda p: total.set(multiply(code, total.get(), p, dtype, flags="contract")))
        store(code, total.get(), x, 0)


@kernel(
    SlogDet,
    accepts=has_lapack,
    accepts_strides=True,
    scratch=scratch_of(needs_of_factors),
    work=cubic,
)
def signed_logarithm(
    code: Code, primitive: SlogDet, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """The sum of the logarithms of the pivots' sizes, and the product of their directions."""
    a, *memory = operands
    sign, logarithm = results
    dtype, real = sign.dtype, real_dtype(sign.dtype)
    if sign.size == 0:
        return
    if a.shape[-1] == 0:
        fill(code, sign, constant(1, dtype))
        fill(code, logarithm, constant(0, real))
        return
    room = carve(code, memory, needs_of_factors(primitive, operands, results))
    with stacked(code, (a, sign, logarithm), (2, 0, 0)) as (matrix, direction, height):
        pivots = Pivots(code, matrix, dtype, room)
        turned, total = Variable(code, dtype), Variable(code, real)
        turned.set(pivots.sign)
        total.set(constant(0, real))

        def use(pivot: Number) -> None:
            size, unit = polar(code, pivot, dtype)
            turned.set(multiply(code, turned.get(), unit, dtype, flags="contract"))
            log = call_of_floats(code, "llvm.log", real, size)
            total.set((code.op(f"fadd {part_type(real)} {total.get()[0]}, {log}"),))

        pivots.each(use)
        store(code, turned.get(), direction, 0)
        store(code, total.get(), height, 0)


def polar(code: Code, x: Number, dtype: Dtype) -> tuple[Register, Number]:
    """The absolute value of a number, and its direction: 0 for 0."""
    real = real_dtype(dtype)
    type_ = part_type(real)
    zero = floating(0.0, type_)
    if dtype.kind == "c":
        size = call_of_floats(code, "hypot", real, *x)
    else:
        size = call_of_floats(code, "llvm.fabs", real, *x)
    is_zero = code.op(f"fcmp oeq {type_} {size}, {zero}")
    over = code.op(f"select i1 {is_zero}, {type_} {floating(1.0, type_)}, {type_} {size}")
    return size, tuple(code.op(f"fdiv {type_} {part}, {over}") for part in x)


def accepts_cofactor(
    primitive: Cofactor, operands: Sequence[Aval], results: Sequence[Aval]
) -> bool:
    """The cofactors themselves, of small matrices."""
    small = 1 <= operands[0].shape[-1] <= SMALL
    return small and len(operands) == 1 and has_lapack(primitive, operands, results)


@kernel(Cofactor, accepts=accepts_cofactor, accepts_strides=True)
def cofactors(
    code: Code, primitive: Cofactor, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """The determinants that remain without a row and a column, with signs: nothing is divided."""
    (a,), (out,) = operands, results
    if out.size == 0:
        return
    dtype, n = out.dtype, out.shape[-1]
    with stacked(code, (a, out), (2, 2)) as (matrix, x):
        entries = [
            [load(code, matrix, offset_of(code, (i, j), matrix.strides), dtype) for j in range(n)]
            for i in range(n)
        ]
        known: dict[tuple[Places, Places], Number] = {}
        for i, j in itertools.product(range(n), repeat=2):
            rows, columns = (tuple(p for p in range(n) if p != k) for k in (i, j))
            value = minor(code, entries, rows, columns, dtype, known)
            if (i + j) % 2:
                value = multiply(code, value, constant(-1, dtype), dtype, flags="")
            store(code, value, x, offset_of(code, (i, j), x.strides))


def minor(
    code: Code,
    entries: Sequence[Sequence[Number]],
    rows: Places,
    columns: Places,
    dtype: Dtype,
    known: dict[tuple[Places, Places], Number],
) -> Number:
    """The determinant of some rows and columns, by its first row; each is computed once."""
    if not rows:
        return constant(1, dtype)
    if (rows, columns) not in known:
        total: Number | None = None
        for k, column in enumerate(columns):
            others = columns[:k] + columns[k + 1 :]
            rest = minor(code, entries, rows[1:], others, dtype, known)
            term = multiply(code, entries[rows[0]][column], rest, dtype, flags="contract")
            combine = subtract if k % 2 else add
            total = term if total is None else combine(code, total, term, dtype, flags="contract")
        if total is not None:
            known[rows, columns] = total
    return known[rows, columns]
