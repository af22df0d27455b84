"""Matrix products and einsums in machine code against NumPy's."""

import itertools

import numpy as np
import pytest

from codegen.harness import Compiled
from qiudao.codegen.code import Buffer, row_major
from qiudao.codegen.kernels import blas
from qiudao.codegen.kernels.contraction import plan
from qiudao.codegen.kernels.products import axes_of_matmul
from qiudao.core.avals import Aval
from qiudao.ops.einsum import Einsum
from qiudao.ops.products import MatMul

RNG = np.random.default_rng(0)
F8 = np.dtype("f8")


def draw(shape, dtype):
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return RNG.random(shape) < 0.3
    if dtype.kind in "iu":
        return RNG.integers(0, 50, shape).astype(dtype)
    x = RNG.uniform(-1, 1, shape)
    if dtype.kind == "c":
        x = x + 1j * RNG.uniform(-1, 1, shape)
    return np.asarray(x, dtype)


def hold(jobs):
    """Every job equals what its primitive evaluates to."""
    made = Compiled()
    numbers = [made.add(primitive, *xs) for primitive, xs in jobs]
    made.build()
    for number, (primitive, xs) in zip(numbers, jobs, strict=True):
        (got,) = made.run(number)
        want = np.asarray(primitive.evaluate(*xs))
        assert got.dtype == want.dtype
        where = f"{primitive} {[(x.shape, x.strides, x.dtype) for x in xs]}"
        if want.dtype.kind in "biu":
            np.testing.assert_array_equal(got, want, where)
        else:
            rtol = 1e-5 if want.dtype.char in "fF" else 1e-12
            scale = max(1.0, np.max(np.abs(want), initial=0.0))
            np.testing.assert_allclose(got, want, rtol=0, atol=rtol * scale, err_msg=where)


TRIPLES = [
    (1, 1, 1), (2, 2, 2), (3, 4, 2), (4, 4, 4), (7, 1, 3), (1, 5, 9), (6, 9, 1), (16, 16, 16),
    (19, 40, 33), (40, 70, 75), (1, 90, 70), (90, 70, 1),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["f8", "f4", "c16", "c8", "i8", "i4", "u1", "?"])
def test_matrices_of_many_sizes(dtype):
    triples = TRIPLES if dtype in ("f8", "c8") else TRIPLES[2::2]
    hold([(MatMul(), [draw((m, k), dtype), draw((k, n), dtype)]) for m, k, n in triples])


@pytest.mark.parametrize("dtype", ["f8", "c8"])
@pytest.mark.parametrize("n", [5, 30])
def test_transposed_and_strided_operands(dtype, n):
    def forms(shape):
        yield draw(shape, dtype)
        yield draw(shape[::-1], dtype).T
        yield draw((shape[0], shape[1] + 3), dtype)[:, 2:-1]
        yield draw((2 * shape[0], 2 * shape[1]), dtype)[::2, ::-2]
        yield np.broadcast_to(draw(shape[1:], dtype), shape)

    hold(
        [(MatMul(), [a, b]) for a, b in itertools.product(forms((n, n + 1)), forms((n + 1, n + 2)))]
        + [(MatMul(), [a, draw(n + 1, dtype)]) for a in forms((n, n + 1))]
        + [(MatMul(), [draw(n, dtype)[::-1], a]) for a in forms((n, n + 1))]
    )


@pytest.mark.parametrize("dtypes", [("f4", "f8"), ("c16", "f8"), ("i8", "f8"), ("?", "i4")])
def test_operands_of_two_dtypes(dtypes):
    hold(
        [
            (MatMul(), [draw((n, n + 1), a), draw((n + 1, n), b)])
            for n in (5, 24)
            for a, b in (dtypes, dtypes[::-1])
        ]
    )


def test_stacks_broadcast():
    shapes = [
        ((6, 3, 4), (4, 2)), ((3, 4), (6, 4, 2)), ((2, 1, 3, 4), (5, 4, 2)),
        ((5, 3, 4), (2, 1, 4, 1)), ((4,), (5, 4, 2)), ((5, 3, 4), (4,)), ((70,), (70,)),
        ((40, 20, 30), (30, 20)), ((20, 30), (3, 30, 20)), ((3, 20, 30), (3, 30, 20)),
        ((2, 1, 20, 30), (3, 30, 20)), ((3, 90, 70), (70,)), ((90,), (3, 90, 70)),
        ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((0,), (0,)), ((4, 0, 3), (3, 5)),
    ]  # fmt: skip
    hold([(MatMul(), [draw(s, d) for s in pair]) for pair in shapes for d in ("f8", "c16")])


SPECS = [
    ("bij,jbk->kbi", (2, 3, 4), (4, 2, 5)),
    ("bij,jbk->kbi", (6, 30, 40), (40, 6, 50)),
    ("bij,bjk->ikb", (20, 30, 40), (20, 40, 25)),
    ("bij,bjk->ikb", (3, 2, 4), (3, 4, 5)),
    ("ij,j->ij", (20, 30), (30,)),
    ("ij,ji->", (20, 30), (30, 20)),
    ("ij,ji->i", (20, 30), (30, 20)),
    (",ij->ji", (), (20, 30)),
    ("i,j->ij", (30,), (40,)),
    ("i,j->ji", (3,), (4,)),
    ("aibj,jcb->cai", (4, 12, 5, 6), (6, 13, 5)),
    ("aibj,jcb->cai", (2, 3, 2, 3), (3, 4, 2)),
    ("abcd,cd->ab", (9, 8, 12, 11), (12, 11)),
    ("rakc,kb->rcab", (3, 20, 30, 5), (30, 20)),
    ("ijk,ijk->k", (10, 20, 30), (10, 20, 30)),
    ("ijk,ijk->j", (10, 20, 30), (10, 20, 30)),
    ("ij,jk->ki", (33, 34), (34, 35)),
    ("ij,ik->jk", (133, 34), (133, 35)),
    ("ij,kj->ik", (33, 34), (35, 34)),
    ("ij,kj->ik", (3, 0), (4, 0)),
    ("ij,jk->ik", (0, 3), (3, 4)),
]


@pytest.mark.parametrize("dtype", ["f8", "c8", "i8"])
def test_einsums(dtype):
    hold([(Einsum(spec), [draw(a, dtype), draw(b, dtype)]) for spec, a, b in SPECS])


def test_not_a_number_stays_where_it_is():
    a, b = draw((5, 6), "f8"), draw((6, 7), "f8")
    a[2, 3], b[1, 4] = np.nan, np.inf
    made = Compiled()
    number = made.add(MatMul(), a, b)
    (got,) = made.build().run(number)
    np.testing.assert_allclose(got, a @ b, rtol=1e-12)


@pytest.mark.parametrize("dtypes", [("f8", "f8"), ("f4", "f4"), ("f4", "f8"), ("f8", "i4")])
def test_panels_of_lanes_that_lie_apart(dtypes):
    """Sums longer than a panel, rows in several blocks, and every rest of them."""
    sizes = [(70, 20, 23), (68, 300, 9), (603, 290, 17), (5, 520, 31)]
    jobs = [(MatMul(), [draw((m, k), dtypes[0]), draw((n, k), dtypes[1]).T]) for m, k, n in sizes]
    jobs += [
        (MatMul(), [draw((k, m), dtypes[0]).T, draw((2 * n, 2 * k), dtypes[1])[::-2, 1::2].T])
        for m, k, n in sizes
    ]
    hold(jobs)


def test_panels_of_the_first_operand_and_of_stacks():
    hold(
        [
            (Einsum("jk,ik->ij"), [draw((21, 300), "f8"), draw((70, 300), "f8")]),
            (Einsum("bik,bjk->bij"), [draw((3, 66, 270), "f8"), draw((3, 19, 270), "f8")]),
            (Einsum("bik,jk->bij"), [draw((3, 66, 27), "f4"), draw((19, 27), "f4")]),
        ]
    )


def test_panels_where_lanes_are_too_many_for_the_second_cache():
    """Panels are copied some at a time, whose rests are 15 and 12 lanes; few rows suffice."""
    hold([(MatMul(), [draw((m, 260), t), draw((260, n), t)])
          for m, n, t in ((130, 300, "f8"), (17, 303, "f8"), (33, 620, "f4"))])  # fmt: skip


def test_products_that_several_threads_of_blas_share(monkeypatch):
    def by_blas(m, k, n, threads):
        monkeypatch.setattr(blas, "threads", lambda: threads)
        axes = axes_of_matmul(*(Buffer("", s, F8, row_major(s)) for s in ((m, k), (k, n))),
                              Aval((m, n), F8))  # fmt: skip
        return plan(axes, F8, F8, F8).seen is not None

    assert not by_blas(100, 100, 100, threads=8)
    assert by_blas(300, 300, 300, threads=8)
    assert not by_blas(300, 300, 300, threads=1)
    assert not by_blas(3000, 10, 3000, threads=8), "too thin for threads to help"
    assert by_blas(600, 600, 600, threads=1)


def test_threads_of_blas():
    assert blas.threads() >= 1
