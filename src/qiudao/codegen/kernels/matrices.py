"""Stacks of matrices in native code: loops over them, copies for LAPACK, and its working memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...core.avals import Aval, Dtype
from ..code import Buffer, Code, Register
from ..pieces import ALIKE
from . import blas
from .loops import copy, nest, offset_of, part_of
from .numbers import add, conjugate, constant, load, multiply, size_of, store
from .table import Scratch

INT32 = np.dtype(np.int32)
Needs = Sequence[tuple[int, Dtype]]  # the working arrays of a routine: elements and dtype


def has_lapack(primitive: Any, operands: Sequence[Aval], results: Sequence[Aval]) -> bool:
    """Whether LAPACK has routines for these results, and counts their rows."""
    return blas.letter(results[0].dtype) is not None and all(
        max(x.shape, default=0) < blas.LIMIT for x in (*operands, *results)
    )


def scratch_of(needs: Any) -> Scratch:
    """Scratch for the arrays that `needs(primitive, operands, results)` lists."""

    def scratch(primitive: Any, operands: Sequence[Buffer], results: Sequence[Aval]) -> int:
        return sum(size_of((n,), dtype) for n, dtype in needs(primitive, operands, results))

    return scratch


def cubic(primitive: Any, operands: Sequence[Buffer], results: Sequence[Aval]) -> int:
    """About how many operations a factorisation of matrices takes."""
    return operands[0].size * min(operands[0].shape[-2:]) // ALIKE


def carve(code: Code, memory: Sequence[Buffer], needs: Needs) -> list[Register]:
    """The addresses of the working arrays in the scratch memory, one buffer or none."""
    found, start = [], 0
    for count, dtype in needs:
        found.append(part_of(code, memory[0], start) if memory else "null")
        start += size_of((count,), dtype)
    return found


@contextmanager
def stacked(code: Code, buffers: Sequence[Buffer], axes: Sequence[int]) -> Iterator[list[Buffer]]:
    """A loop over leading axes, which broadcast; yields the last `axes` axes of each buffer."""
    leads = [x.shape[: len(x.shape) - n] for x, n in zip(buffers, axes, strict=True)]
    lead = np.broadcast_shapes(*leads)
    with nest(code, lead) as indices:
        found = []
        for x, own in zip(buffers, leads, strict=True):
            steps = [0 if size == 1 else s for size, s in zip(own, x.strides, strict=False)]
            at = offset_of(code, indices[len(lead) - len(own) :], steps)
            shape, strides = x.shape[len(own) :], x.strides[len(own) :]
            found.append(Buffer(part_of(code, x, at), shape, x.dtype, strides))
        yield found


def by_columns(code: Code, x: Buffer, pointer: Register, dtype: Dtype) -> Buffer:
    """A copy of a matrix that lies by columns, as Fortran's."""
    m, n = x.shape
    found = Buffer(pointer, x.shape, dtype, (1, m))
    copy(code, (n, m), x, x.strides[::-1], found, (m, 1))
    return found


def from_columns(code: Code, pointer: Register, rows: int, target: Buffer) -> None:
    """Copy to `target` a matrix that lies by columns of length `rows`."""
    source = Buffer(pointer, target.shape, target.dtype, (1, rows))
    copy(code, target.shape, source, source.strides, target, target.strides)


def hermitian_part(code: Code, x: Buffer, target: Buffer) -> None:
    """Write (x + x^H) / 2."""
    dtype = target.dtype
    half = constant(0.5, dtype)
    with nest(code, x.shape) as (i, j):
        first = load(code, x, offset_of(code, (i, j), x.strides), dtype)
        second = load(code, x, offset_of(code, (j, i), x.strides), dtype)
        first, second = (
            multiply(code, half, y, dtype) for y in (first, conjugate(code, second, dtype))
        )
        total = add(code, first, second, dtype)
        store(code, total, target, offset_of(code, (i, j), target.strides))


def lapack(code: Code, name: str, dtype: Dtype, *arguments: Register | int | str) -> Register:
    """Call a routine of LAPACK; integers and letters are given as they are.

    Gives the condition (an i1) that it failed.
    """
    info = code.alloca("i32")
    module = code.module
    made = [
        blas.integer(module, x) if isinstance(x, int)
        else blas.character(module, x) if len(x) == 1
        else x
        for x in arguments
    ]  # fmt: skip
    blas.call(code, "lapack", f"{blas.letter(dtype)}{name}", *made, info)
    return code.op(f"icmp ne i32 {code.op(f'load i32, ptr {info}')}, 0")
