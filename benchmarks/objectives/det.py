"""GradBench's det: the gradient of a determinant that is expanded by minors, all l! products of
it.

    det A = sum_j (-1)^j A_0j det(A without row 0 and column j)

Three forms: the recursion on scalars; the same expansion from the last row up, all minors of one
height at once; and between them, the last rows by the recursion, on vectors of all choices of the
rows above, and those one by one. In the second form `minors[c_0, ..., c_r]` belongs to the c_0-th
column, then the c_1-th of those left, ...; in the third it may be `minors[c_r, ..., c_0]`, so that
loops over blocks are long.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ctool import filling, native
from objectives.asking import (
    Array,
    Inputs,
    Ways,
    bound,
    compiled,
    gradient_in_jax,
    gradient_in_qiudao,
    gradient_in_torch,
    load_casadi,
    through_casadi,
)

SIZES = [{"l": size} for size in range(5, 11)]
SMALL = {"l": 4}
LARGEST_IN_CASADI = 9  # of the second form: its graph keeps the index of every factor
LARGEST_UNROLLED = 6  # 1,957 products; a compiler of straight-line code takes minutes beyond
WRITTEN_OUT = (3, 4, 5)  # last rows of the third form; six take five times as long to compile


def inputs(l: int) -> Inputs:  # noqa: E741 (the size's published name)
    a = np.random.default_rng(l).normal(size=(l, l))
    return Inputs((a,), ((-1.0) ** np.arange(l), *columns_left(l)))


def columns_left(size: int) -> list[Array]:
    """For each row, the columns that the rows above it left; the last axis runs over them."""
    left = [np.arange(size)]
    for count in range(size, 1, -1):
        others = np.array([np.delete(np.arange(count), i) for i in range(count)])
        left.append(np.ascontiguousarray(left[-1][..., others]))  # not as NumPy lays it out
    return left


def objective(a, signs, *left):
    minors = 1.0
    for row in range(len(a) - 1, -1, -1):
        minors = (a[row][left[row]] * signs[: len(a) - row] * minors).sum(-1)
    return minors


def in_blocks(a, signs, *left, axis=0):
    """The expansion with the last rows written out, all blocks of them at once.

    The first or the last axis of `left` runs over the columns, and the last array has the columns
    of the blocks: as many as they have rows.
    """
    *above, columns = left
    each = columns if axis == 0 else [columns[..., j] for j in range(columns.shape[-1])]
    minors = recursive([[a[row, chosen] for chosen in each] for row in range(len(above), len(a))])
    for row in range(len(above) - 1, -1, -1):
        few = signs[: len(a) - row]
        few = few.reshape((-1,) + (1,) * row) if axis == 0 else few
        minors = (a[row][above[row]] * few * minors).sum(axis)
    return minors


def recursive(a):
    """The expansion of a list of rows of scalars, as the definition has it."""
    if len(a) == 1:
        return a[0][0]
    total = 0.0
    for j in range(len(a)):
        product = a[0][j] * recursive([[*row[:j], *row[j + 1 :]] for row in a[1:]])
        total = total + product if j % 2 == 0 else total - product
    return total


def on_matrix(a):
    """`recursive`, of an array."""
    return recursive([[a[i, j] for j in range(a.shape[1])] for i in range(a.shape[0])])


def for_blocks(given: Inputs, last: int, axis: int = 0) -> Inputs:
    """What `in_blocks` takes, to write out the last rows: few of the columns."""
    (a,), (signs, *left) = given.by, given.data
    few = left[: len(a) - last + 1]
    if axis == 0:
        few = [np.ascontiguousarray(columns.T) for columns in few]
    return Inputs((a,), (signs, *few))


def of_blocks(gradient: Callable[..., Ways], given: Inputs, axis: int = 0) -> Ways:
    """A library's ways to the gradient of `in_blocks`, by the number of rows written out."""
    return {
        f"{name}, last {last}": run
        for last in written_out(given)
        for name, run in gradient(
            partial(in_blocks, axis=axis), for_blocks(given, last, axis)
        ).items()
    }


def written_out(given: Inputs) -> list[int]:
    return [last for last in WRITTEN_OUT if last < len(given.by[0])]


def by_hand(given: Inputs) -> tuple[Array]:
    """The expansion row by row, and back: each minor's factors in turn."""
    (a,), (signs, *left) = given.by, given.data
    size = len(a)
    minors = [np.ones(left[-1].shape)]
    for row in range(size - 1, 0, -1):
        minors.append((a[row][left[row]] * signs[: size - row] * minors[-1]).sum(-1))
    gradient = np.empty_like(a)
    adjoint = np.ones(())
    for row in range(size):
        spread = adjoint[..., None] * signs[: size - row]
        weights = (spread * minors.pop()).ravel()
        gradient[row] = np.bincount(left[row].ravel(), weights, minlength=size)
        adjoint = spread * a[row][left[row]]
    return (gradient,)


def in_c(given: Inputs) -> Ways:
    """Through the tree of all minors, and each that occurs in it once."""
    (a,), library = given.by, native("det")
    size = len(a)
    return {
        "C": filling((np.empty_like(a),), library.determinant, a, size),
        "C, shared": filling((np.empty_like(a),), library.shared, a, size, np.empty(2 << size)),
    }


def in_qiudao(given: Inputs) -> Ways:
    import qiudao as qd

    ways = gradient_in_qiudao(objective, given) | of_blocks(gradient_in_qiudao, given)
    if len(given.by[0]) <= LARGEST_UNROLLED:
        gradient = qd.grad(on_matrix, (0,))
        ways |= compiled("qiudao.jit, recursive", gradient, given.by)
        ways |= bound("qiudao.jit, recursive, bound", gradient, given.by)
    return ways


def in_jax(given: Inputs) -> Ways:
    ways = gradient_in_jax(objective, given)
    ways |= of_blocks(gradient_in_jax, given, axis=-1)  # a fifth quicker than along the first
    if len(given.by[0]) <= LARGEST_UNROLLED:
        ways |= gradient_in_jax(on_matrix, Inputs(given.by), "jax.jit, recursive")
    return ways


def in_torch(given: Inputs) -> Ways:
    return gradient_in_torch(objective, given) | of_blocks(gradient_in_torch, given)


def in_casadi(given: Inputs) -> Ways:
    casadi = load_casadi()
    (a,), (signs, *left) = given.by, given.data
    size = len(a)
    matrix = casadi.MX.sym("a", size, size)  # transposed: CasADi's are column by column

    def chosen(row: int, columns: Array) -> Any:
        return matrix[:, row][columns.ravel().tolist()]

    def through(above: int, minors: Any, form: str = "") -> Ways:
        """With the minors of the rows below those above."""
        for row in range(above - 1, -1, -1):
            products = chosen(row, left[row]) * minors
            few = casadi.DM(signs[: size - row]).T
            minors = casadi.mtimes(few, casadi.reshape(products, size - row, -1)).T
        whole = casadi.Function("det", [matrix], [casadi.gradient(minors, matrix)])
        return through_casadi(whole, given.by, [a.shape], form)

    ways = through(size, 1.0) if size <= LARGEST_IN_CASADI else {}
    for last in written_out(given):
        above, columns = size - last, left[size - last]
        blocks = [[chosen(row, columns[..., j]) for j in range(last)] for row in range(above, size)]
        ways |= through(above, recursive(blocks), f", last {last}")
    if size <= LARGEST_UNROLLED:
        scalars = casadi.SX.sym("a", size, size)
        gradient = casadi.gradient(on_matrix(scalars.T), scalars)
        unrolled = casadi.Function("det", [scalars], [gradient])
        ways |= through_casadi(unrolled, given.by, [a.shape], ", recursive")
    return ways
