"""Elimination with partial pivoting, written out for small real matrices.

The entries of the matrix are registers, and rows change places by selection, so there are no
branches: for stacks of small matrices a call of LAPACK takes ten times as long.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...core.avals import Dtype
from ..code import Buffer, Code, Register, floating
from .loops import offset_of
from .numbers import load, part_type

SMALL = 4  # rows
Rows = list[list[Register]]


class Elimination:
    """Turns the rows of `matrix` into an upper triangle, and `sides` along with them."""

    def __init__(self, code: Code, dtype: Dtype, matrix: Rows, sides: Rows) -> None:
        self.code = code
        self.type = part_type(dtype)
        self.suffix = f"f{8 * dtype.itemsize}"
        self.matrix = matrix
        self.sides = sides
        self.sign = floating(1.0, self.type)
        self.singular = "false"
        for column in range(len(matrix)):
            self.eliminate(column, self.pivot(column))

    def op(self, name: str, *xs: Register) -> Register:
        """One instruction of arithmetic."""
        return self.code.op(f"{name} contract {self.type} {', '.join(xs)}")

    def size(self, x: Register) -> Register:
        """The absolute value."""
        name = f"@llvm.fabs.{self.suffix}"
        self.code.module.declare(name, f"declare {self.type} {name}({self.type})")
        return self.code.op(f"call {self.type} {name}({self.type} {x})")

    def select(self, condition: Register, x: Register, y: Register) -> Register:
        """Where the condition holds x, else y."""
        return self.code.op(f"select i1 {condition}, {self.type} {x}, {self.type} {y}")

    def pivot(self, column: int) -> Register:
        """Bring the largest entry of the column to the diagonal; gives whether it is 0."""
        code, matrix = self.code, self.matrix
        largest = self.size(matrix[column][column])
        for row in range(column + 1, len(matrix)):
            size = self.size(matrix[row][column])
            swap = code.op(f"fcmp ogt {self.type} {size}, {largest}")
            largest = self.select(swap, size, largest)
            for rows in (matrix, self.sides):
                first, second = rows[column], rows[row]
                rows[column] = [self.select(swap, y, x) for x, y in zip(first, second, strict=True)]
                rows[row] = [self.select(swap, x, y) for x, y in zip(first, second, strict=True)]
            self.sign = self.select(swap, self.op("fneg", self.sign), self.sign)
        zero = code.op(f"fcmp oeq {self.type} {largest}, {floating(0.0, self.type)}")
        self.singular = code.op(f"or i1 {self.singular}, {zero}")
        return zero

    def eliminate(self, column: int, is_zero: Register) -> None:
        """Take multiples of the pivot's row from those below it."""
        pivot = self.matrix[column]
        for row in range(column + 1, len(self.matrix)):
            quotient = self.op("fdiv", self.matrix[row][column], pivot[column])
            factor = self.select(is_zero, floating(0.0, self.type), quotient)
            below = self.matrix[row]
            for k in range(column + 1, len(pivot)):
                below[k] = self.less(below[k], factor, pivot[k])
            self.sides[row] = [
                self.less(x, factor, y)
                for x, y in zip(self.sides[row], self.sides[column], strict=True)
            ]

    def less(self, x: Register, y: Register, z: Register) -> Register:
        """The difference x - y z."""
        return self.op("fsub", x, self.op("fmul", y, z))

    def diagonal(self) -> list[Register]:
        """The pivots."""
        return [row[k] for k, row in enumerate(self.matrix)]

    def solution(self) -> Rows:
        """The right sides multiplied by the inverse of the matrix."""
        found = self.sides
        for row in reversed(range(len(self.matrix))):
            own = self.matrix[row]
            for k in range(row + 1, len(own)):
                found[row] = [
                    self.less(x, own[k], y) for x, y in zip(found[row], found[k], strict=True)
                ]
            found[row] = [self.op("fdiv", x, own[row]) for x in found[row]]
        return found


def read(code: Code, x: Buffer, dtype: Dtype) -> Rows:
    """All entries of a matrix."""
    rows, columns = x.shape
    return [
        [load(code, x, offset_of(code, (i, j), x.strides), dtype)[0] for j in range(columns)]
        for i in range(rows)
    ]


def write(code: Code, rows: Sequence[Sequence[Register]], target: Buffer) -> None:
    """Store all entries of a matrix."""
    for i, row in enumerate(rows):
        for j, x in enumerate(row):
            code.store(x, target, offset_of(code, (i, j), target.strides))


def identity(n: int, dtype: Dtype) -> Rows:
    """The entries of an identity matrix."""
    type_ = part_type(dtype)
    return [[floating(float(i == j), type_) for j in range(n)] for i in range(n)]
