"""Cholesky and QR factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...ops.linalg.factorising import QR, Cholesky
from ..code import Buffer, Code, floating
from ..failures import NOT_DEFINITE, fail
from .elimination import SMALL, read
from .loops import nest, offset_of
from .matrices import (
    Needs,
    by_columns,
    carve,
    cubic,
    from_columns,
    has_lapack,
    hermitian_part,
    lapack,
    scratch_of,
    stacked,
)
from .numbers import call_of_floats, constant, part_type, store
from .table import kernel

BLOCK = 64  # columns that LAPACK handles together


@kernel(Cholesky, accepts=has_lapack, accepts_strides=True, work=cubic)
def cholesky(
    code: Code, primitive: Cholesky, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """By potrf, or written out.

    LAPACK sees the transpose of the row-major matrix, so its upper factor is our lower one.
    """
    (a,), (out,) = operands, results
    if out.size == 0:
        return
    dtype, n = out.dtype, out.shape[-1]
    with stacked(code, (a, out), (2, 2)) as (matrix, x):
        if n <= SMALL and dtype.kind == "f":
            small_cholesky(code, matrix, x)
        else:
            hermitian_part(code, matrix, x)
            fail(code, lapack(code, "potrf", dtype, "U", n, x.pointer, n), NOT_DEFINITE)
        clear_triangle(code, x, "sgt")


def clear_triangle(code: Code, x: Buffer, where: str) -> None:
    """Write zeros where the column number compares so with that of the row."""
    with nest(code, x.shape) as (i, j), code.when(code.op(f"icmp {where} i64 {j}, {i}")):
        store(code, constant(0, x.dtype), x, offset_of(code, (i, j), x.strides))


def small_cholesky(code: Code, matrix: Buffer, x: Buffer) -> None:
    """The lower factor row by row: l_ij = (a_ij - sum of l_ik l_jk) / l_jj."""
    dtype, n = x.dtype, x.shape[0]
    type_ = part_type(dtype)
    a = read(code, matrix, dtype)
    half, zero = floating(0.5, type_), floating(0.0, type_)
    factor: list[list[str]] = [[] for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            parts = [code.op(f"fmul {type_} {half}, {y}") for y in (a[i][j], a[j][i])]
            value = code.op(f"fadd {type_} {parts[0]}, {parts[1]}")
            for k in range(j):
                term = code.op(f"fmul contract {type_} {factor[i][k]}, {factor[j][k]}")
                value = code.op(f"fsub contract {type_} {value}, {term}")
            if i == j:
                fail(code, code.op(f"fcmp ole {type_} {value}, {zero}"), NOT_DEFINITE)
                value = call_of_floats(code, "llvm.sqrt", dtype, value)
            else:
                value = code.op(f"fdiv {type_} {value}, {factor[j][j]}")
            factor[i].append(value)
            code.store(value, x, offset_of(code, (i, j), x.strides))


def needs_of_qr(primitive: Any, operands: Sequence[Any], results: Sequence[Any]) -> Needs:
    """A copy of the matrix, the factors of the reflections, and working memory."""
    m, n = operands[0].shape[-2:]
    dtype = results[0].dtype
    return [(m * n, dtype), (min(m, n), dtype), (BLOCK * max(m, n, 1), dtype)]


@kernel(QR, accepts=has_lapack, accepts_strides=True, scratch=scratch_of(needs_of_qr), work=cubic)
def qr(code: Code, primitive: QR, operands: Sequence[Buffer], results: Sequence[Buffer]) -> None:
    """By geqrf, and orgqr for the orthonormal columns."""
    a, *memory = operands
    q, r = results
    dtype, (m, n) = q.dtype, a.shape[-2:]
    k = min(m, n)
    if q.size == 0:  # and then r too
        return
    room = carve(code, memory, needs_of_qr(primitive, operands, results))
    work = BLOCK * max(m, n)
    make = "orgqr" if dtype.kind == "f" else "ungqr"
    with stacked(code, (a, q, r), (2, 2, 2)) as (matrix, left, right):
        by_columns(code, matrix, room[0], dtype)
        lapack(code, "geqrf", dtype, m, n, room[0], m, room[1], room[2], work)
        from_columns(code, room[0], m, right)
        clear_triangle(code, right, "slt")
        lapack(code, make, dtype, m, k, k, room[0], m, room[1], room[2], work)
        from_columns(code, room[0], m, left)
