"""Eigenvalues of Hermitian matrices, and singular values, with and without their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...ops.linalg.matrices import real_dtype
from ...ops.linalg.selfadjoint import Eigh, EigValsh
from ...ops.linalg.singular import SVD, SingularValues
from ..code import Buffer, Code, Register
from ..failures import NO_EIGENVALUES, NO_SVD, fail
from .matrices import (
    INT32,
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
from .table import kernel

BLOCK = 64  # columns that LAPACK handles together


def matrix_dtype(operand: Any, values: Any) -> Any:
    """The dtype that LAPACK works in, from that of the operand and of its real values."""
    return operand.dtype if operand.dtype.kind == "c" else values.dtype


def needs_of_eigh(primitive: Any, operands: Sequence[Any], results: Sequence[Any]) -> Needs:
    """The matrix by columns, and the working memory that LAPACK's manual asks for."""
    n = operands[0].shape[-1]
    dtype = matrix_dtype(operands[0], results[0])
    if dtype.kind == "c":
        real = [(1 + 5 * n + 2 * n * n, real_dtype(dtype))]
        return [(n * n, dtype), (2 * n + n * n + BLOCK * n, dtype), *real, (3 + 5 * n, INT32)]
    return [(n * n, dtype), (1 + 6 * n + 2 * n * n + BLOCK * n, dtype), (3 + 5 * n, INT32)]


@kernel(Eigh, EigValsh, accepts=has_lapack, accepts_strides=True,
        scratch=scratch_of(needs_of_eigh), work=cubic)  # fmt: skip
def eigh(
    code: Code,
    primitive: Eigh | EigValsh,
    operands: Sequence[Buffer],
    results: Sequence[Buffer],
) -> None:
    """By syevd or heevd, of the Hermitian part."""
    a, *memory = operands
    values = results[0]
    n, dtype = a.shape[-1], matrix_dtype(a, values)
    if values.size == 0:
        return
    needs = needs_of_eigh(primitive, operands, results)
    room = carve(code, memory, needs)
    triangle = primitive.UPLO.upper() if isinstance(primitive, Eigh) else "L"
    mode = "V" if len(results) > 1 else "N"
    name = "heevd" if dtype.kind == "c" else "syevd"
    axes = (2, 1, 2)[: 1 + len(results)]
    with stacked(code, (a, *results), axes) as (matrix, w, *vectors):
        hermitian_part(code, matrix, Buffer(room[0], (n, n), dtype, (1, n)))
        work = worked(room[1:], needs[1:])
        failed = lapack(code, name, dtype, mode, triangle, n, room[0], n, w.pointer, *work)
        fail(code, failed, NO_EIGENVALUES)
        for v in vectors:
            from_columns(code, room[0], n, v)


def worked(room: Sequence[Register], needs: Needs) -> list[Register | int]:
    """Each working array and its length."""
    pairs = zip(room, needs, strict=True)
    return [x for place, (count, _) in pairs for x in (place, count)]


def needs_of_svd(primitive: Any, operands: Sequence[Any], results: Sequence[Any]) -> Needs:
    """The matrix and its vectors by columns, and the working memory of LAPACK's manual."""
    m, n = operands[0].shape[-2:]
    k, most = min(m, n), max(m, n)
    values = results[len(results) // 2]
    dtype = matrix_dtype(operands[0], values)
    real, extra = values.dtype, BLOCK * (m + n)
    sides = [(0, dtype), (0, dtype)]
    if len(results) > 1:
        left, right = results[0].shape[-1], results[2].shape[-2]
        sides = [(m * left, dtype), (right * n, dtype)]
    needs = [(m * n, dtype), *sides, (8 * k, INT32)]
    if dtype.kind == "c":
        rotations = max(5 * k * k + 5 * k, 2 * most * k + 2 * k * k + k, 7 * k)
        return [*needs, (k * k + 3 * k + most + extra, dtype), (rotations, real)]
    return [*needs, (4 * k * k + 10 * k + most + extra, dtype)]


@kernel(SVD, SingularValues, accepts=has_lapack, accepts_strides=True,
        scratch=scratch_of(needs_of_svd), work=cubic)  # fmt: skip
def svd(
    code: Code,
    primitive: SVD | SingularValues,
    operands: Sequence[Buffer],
    results: Sequence[Buffer],
) -> None:
    """By gesdd."""
    a, *memory = operands
    values = results[len(results) // 2]
    dtype, (m, n) = matrix_dtype(a, values), a.shape[-2:]
    if values.size == 0:
        return
    needs = needs_of_svd(primitive, operands, results)
    copied, left, right, whole, work, *rotations = carve(code, memory, needs)
    mode = ("A" if primitive.full else "S") if isinstance(primitive, SVD) else "N"
    axes = (2, 2, 1, 2) if len(results) > 1 else (2, 1)
    with stacked(code, (a, *results), axes) as (matrix, *outs):
        by_columns(code, matrix, copied, dtype)
        s = outs[len(outs) // 2]
        height = outs[2].shape[0] if len(outs) > 1 else 1
        failed = lapack(
            code, "gesdd", dtype, mode, m, n, copied, m, s.pointer, left, m, right, height,
            work, needs[4][0], *rotations, whole,
        )  # fmt: skip
        fail(code, failed, NO_SVD)
        if len(outs) > 1:
            from_columns(code, left, m, outs[0])
            from_columns(code, right, height, outs[2])
