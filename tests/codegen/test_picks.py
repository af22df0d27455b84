"""Indexing with arrays within fused loops: gathers, scatter-adds, and indices along an axis."""

import numpy as np
import pytest

import qiudao as qd
from checking import same
from qiudao.codegen import nest
from qiudao.codegen.native import is_fused
from qiudao.codegen.plan import LARGE, LONG, Plan

pytest.importorskip("llvmlite")

RNG = np.random.default_rng(7)
A = RNG.normal(size=(5, 4, 3))
J = RNG.integers(-5, 5, size=(6, 2))  # with repeats and negative numbers
K = RNG.integers(-3, 3, size=2)
P = RNG.normal(size=7)
INDEX = np.array([3, 3, -1, 0, 3, 6, -7])
W = RNG.normal(size=INDEX.size)

INDICES = {
    "rows": lambda x, j, k: x[j],
    "last axis": lambda x, j, k: x[:, 1:, k],
    "two arrays": lambda x, j, k: x[j, 1, k],
    "arrays apart": lambda x, j, k: x[j, :, k],
    "beside a new axis": lambda x, j, k: x[j, ::-1, None, k],
    "beside a number": lambda x, j, k: x[j, 2],
    "a number and an array": lambda x, j, k: x[j[0, 0], :, k],
    "numbers": lambda x, j, k: x[j[0, 0], j[1, 1] % 4, k[0]],
    "numbers, then a slice": lambda x, j, k: x[j[1, 0], :, k[0]][1:],
    "of a view": lambda x, j, k: x.T[::-1][k][:, 1:3, j],
    "of a gather": lambda x, j, k: x[j][k],
    "by a gather": lambda x, j, k: x[j[k, 0]],
    "a slice of it": lambda x, j, k: x[j][1:3, ::-1],
    "along": lambda x, j, k: np.take_along_axis(x, j[:5, :, None] % 4, 1),
    "along, broadcast": lambda x, j, k: np.take_along_axis(x, k[None, None], 2),
}


@pytest.fixture(params=["", "checked"])
def mode(request, monkeypatch):
    monkeypatch.setenv("QIUDAO_JIT", request.param)
    return request.param


def agree(f, *xs):
    got, want = qd.jit(f)(*xs), f(*xs)
    several = isinstance(want, tuple)
    for g, w in zip(*((got, want) if several else ((got,), (want,))), strict=True):
        assert (np.shape(g), np.asarray(g).dtype) == (np.shape(w), np.asarray(w).dtype)
        np.testing.assert_allclose(g, w, rtol=1e-12, atol=1e-13)


def plan_of(f, *xs):
    return Plan(qd.jit(f).lower(*xs).optimised, is_fused)


def kinds(f, *xs):
    """The kinds of the roots of a program."""
    return {root.kind for roots in plan_of(f, *xs).levels for root in roots}


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize("name", INDICES)
@pytest.mark.parametrize("constant", [False, True])
def test_values_and_gradients(name, constant):
    index = INDICES[name]

    def loss(x, j, k):
        y = index(x, j, k)
        return np.sum(np.cos(y) * y)

    given = (A, J, K)
    both = qd.value_and_grad(loss)
    if constant:
        agree(lambda x: index(x, J, K) * 2, A)
        agree(lambda x: both(x, J, K), A)
    else:
        agree(lambda *xs: index(*xs) * 2, *given)
        agree(both, *given)


@pytest.mark.parametrize("name", INDICES)
def test_indexing_is_no_call(name):
    def loss(x, j, k):
        return np.sum(INDICES[name](x, j, k) ** 2)

    assert "call" not in kinds(qd.grad(loss), A, J, K)


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i4"])
@pytest.mark.parametrize("kind", ["i1", "i4", "i8", "u1", "u4", "u8"])
def test_types(dtype, kind):
    index = (INDEX % 7).astype(kind)
    x = (P * 10).astype(dtype)
    agree(lambda x, i: x[i] + x[i], x, index)
    if np.dtype(dtype).kind == "c":
        agree(qd.grad(lambda x, i: np.sum(np.abs(x[i]) ** 2)), x.astype("c16"), index)


@pytest.mark.usefixtures("mode")
def test_repeats_add_up():
    got = qd.jit(qd.grad(lambda p, i, w: np.sum(p[i] * w)))(P, INDEX, W)
    want = np.zeros(7)
    np.add.at(want, INDEX, W)
    np.testing.assert_allclose(got, want, rtol=1e-15)


@pytest.mark.usefixtures("mode")
def test_terms_are_added_onto_others():
    def loss(p, i, w):
        return np.sum(p[i] * w) + np.sum(p * p) + np.sum(p[i + 0] ** 3)

    agree(qd.grad(loss), P, INDEX, W)
    assert "onto" in {r.kind for r in plan_of(qd.grad(loss), P, INDEX, W).roots.values()}


def at_one(x, v):
    """`v` at an element, zeros elsewhere: what a gradient adds."""
    return qd.grad(lambda z: z[1, 2] * v)(x)


def at_many(x, v):
    """The same at index arrays."""
    return qd.grad(lambda z: np.sum(z[[1, 0], [2, 2]] * v))(x)


VIEWS_OF_OTHERS = {
    "turned": lambda x, v, add: add(x, v) + x[::-1],
    "another shape": lambda x, v, add: add(x, v) + x.ravel().reshape(3, 4),
    "transposed": lambda x, v, add: add(x, v) + x.T.reshape(4, 3).T,
    "a part": lambda x, v, add: add(x, v) + np.stack([x, x])[0],
    "of what others view": lambda x, v, add: (
        (y := np.sin(x).reshape(1, 3, 4)), y[0] * v, add(x, v) + y.reshape(3, 4)
    ),
    "of what is spread": lambda x, v, add: (
        (y := np.broadcast_to(np.sin(x)[None], (2, 3, 4))),
        add(x, np.sum(x)) + y[1:].reshape(3, 4), x * v + y[:1].reshape(3, 4),
    ),
}  # fmt: skip


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize("add", [at_one, at_many])
@pytest.mark.parametrize("name", VIEWS_OF_OTHERS)
def test_nothing_is_added_to_memory_that_others_read(name, add):
    x = RNG.normal(size=(3, 4))
    given = x.copy()

    def f(x, v):
        return VIEWS_OF_OTHERS[name](x, v, add)

    def later(x, v):
        y = np.cos(x)
        return f(y, v), y

    for g in (f, later):
        same(qd.jit(g)(given, 2.0), g(x, 2.0))
        np.testing.assert_array_equal(given, x)  # the caller's


def nests(f, *xs):
    """For each loop nest that adds at indices: whether something else is computed in it."""
    return [
        any(r.nest == root.nest and not r.scatters for r in roots)
        for roots in plan_of(f, *xs).levels
        for root in roots
        if root.kind == "region" and root.scatters
    ]


def test_short_sums_and_additions_are_one_loop():
    def loss(p, i, w):
        return np.sum((p[i] - w) ** 2)

    assert nests(qd.value_and_grad(loss), P, INDEX, W) == [True]
    agree(qd.value_and_grad(loss), P, INDEX, W)


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize("case", ["long", "large"])
def test_long_and_large_computations_are_apart(case):
    i, w = (np.resize(INDEX, LARGE), np.resize(W, LARGE)) if case == "large" else (INDEX, W)

    def loss(p, i, w):
        y = p[i] * w
        return np.sum(np.exp(y) if case == "long" else y * y)

    assert LONG > 1
    assert nests(qd.value_and_grad(loss), P, i, w) == [False]
    agree(qd.value_and_grad(loss), P, i, w)


@pytest.mark.usefixtures("mode")
def test_indices_that_are_computed():
    def between(x, table):
        i = np.floor(x * 6).astype(int)
        part = x * 6 - i
        return np.sum(table[i] * (1 - part) + table[i + 1] * part)

    x = np.linspace(0, 0.999, 33)
    agree(lambda x, t: qd.grad(lambda t: between(x, t))(t), x, np.cos(np.arange(7.0)))
    agree(between, x, P)


@pytest.mark.usefixtures("mode")
def test_within_loops_of_control_flow():
    def run(x, i):
        def step(c, k):
            c = c[i] * 0.5 + x[k]
            return c, c[k] * c[i][0]

        return np.sum(qd.scan(step, x, i)[1])

    agree(qd.value_and_grad(run), P, INDEX % 7)
    agree(qd.value_and_grad(run), P, INDEX)


BAD = {
    "rows": (lambda x, i: x[i] * 2.0, 0, 7),
    "reduced": (lambda x, i: np.sum(x[i]), 0, 7),
    "unread": (lambda x, i: x[i][:2], 0, 7),
    "repeated": (lambda x, i: x[i][np.zeros(3, int)], 0, 7),
    "computed": (lambda x, i: x[i + 0] * 2, 0, 7),
    "a number": (lambda x, i: x[i[-1]] + x[i[0]], 0, 7),
    "second axis": (lambda x, i: np.outer(x, x[1:])[:, i], 1, 6),
    "along": (lambda x, i: np.take_along_axis(np.outer(x, x[2:]), i[:, None] + 0, 1), 1, 5),
    "gradient": (qd.grad(lambda x, i: np.sum(x[i] ** 2)), 0, 7),
    "in a loop": (lambda x, i: qd.scan(lambda c, k: (c + x[k], None), 0.0, i)[0], 0, 7),
}


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("at", [0, -1])
def test_a_bad_index_is_reported(name, at):
    f, axis, size = BAD[name]
    jitted = qd.jit(f)
    good = np.array([1, 0, 2, 1, 2, 3, 4])
    agree(f, P, good)
    for wrong in (size, -size - 1, 10**12):
        i = good.copy()
        i[at] = wrong
        with pytest.raises(
            IndexError, match=rf"^index {wrong} is out of bounds for axis {axis} with size {size}$"
        ):
            jitted(P, i)
    agree(f, P, good)


@pytest.mark.usefixtures("mode")
def test_the_first_of_many_bad_indices_is_reported():
    f = qd.jit(lambda x, i: np.sum(x[i]))
    f(P, INDEX)
    with pytest.raises(IndexError, match=r"^index 9 "):
        f(P, np.array([0, 9, 3, -12, 1, 50, 0]))


@pytest.mark.usefixtures("mode")
def test_bad_constants_are_reported_when_run():
    f = qd.jit(lambda x: np.sum(x[np.array([0, 7])]))
    with pytest.raises(IndexError, match=r"^index 7 is out of bounds for axis 0 with size 7$"):
        f(P)


@pytest.mark.usefixtures("mode")
def test_pieces_of_large_loops_report_bad_indices():
    i = np.resize(INDEX, 16 * LARGE)

    def f(x, i):
        return np.sum(np.sin(x[i]) ** 2)

    lowered = qd.jit(f).lower(P, i)
    assert "@piece" in lowered.llvm
    agree(f, P, i)
    i[-1] = 7
    with pytest.raises(IndexError, match=r"^index 7 is out of bounds for axis 0 with size 7$"):
        qd.jit(f)(P, i)


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize("count", [0, 2])
def test_axes_without_elements(count):
    f = qd.jit(lambda x, i: x[i] * 2.0)
    i = np.zeros(count, int)
    if not count:
        assert f(np.zeros((0, 3)), i).shape == (0, 3)
        assert f(P, i).shape == (0,)
        return
    with pytest.raises(IndexError, match=r"^index 0 is out of bounds for axis 0 with size 0$"):
        f(np.zeros((0, 3)), i)


def test_checked_code_checks_what_is_read_and_added_at_indices(monkeypatch):
    monkeypatch.setenv("QIUDAO_JIT", "checked")
    monkeypatch.setattr(nest, "limits", lambda pick: (False, False))
    i = np.array([0, 5000])
    for f in (lambda x, i: x[i] + 1.0, qd.grad(lambda x, i: np.sum(x[i] * np.array([1.0, 2.0])))):
        with pytest.raises(RuntimeError, match=r"^jit: compiled code came to byte 40000 of an arr"):
            qd.jit(f)(np.ones(7), i)


def test_a_donated_array_that_is_read_at_indices_is_not_written_into():
    def f(x, i):
        return x * 2 + x[i]

    x = np.arange(7.0)
    np.testing.assert_array_equal(qd.jit(f, donate="x")(x.copy(), INDEX), f(x, INDEX))


def test_what_is_added_apart_reads_a_donated_array_before_it_is_overwritten():
    def f(x, i):
        y = np.exp(x)
        return x + 1.0, qd.grad(lambda p: np.sum(p[i] * x * y))(np.ones(7))

    x = np.linspace(0, 1, INDEX.size)
    want = f(x, INDEX)
    for got, w in zip(qd.jit(f, donate="x")(x.copy(), INDEX), want, strict=True):
        np.testing.assert_allclose(got, w, rtol=1e-12)


def test_constants_of_the_same_bytes_are_held_once():
    first, second = RNG.integers(0, 7, size=1000), RNG.normal(size=1000)

    def f(p):
        return np.sum(p[first.copy()] * second.copy()) + np.sum(p[first.copy()] ** 2 * second)

    llvm = qd.jit(qd.value_and_grad(f)).lower(P).llvm
    assert llvm.count("@held.") > 0
    assert "@held.2 = external" not in llvm
    agree(qd.value_and_grad(f), P)


def test_what_is_read_from_a_small_table_is_not_stored():
    i = np.resize(INDEX, 1000).reshape(10, 100)

    def f(p, i):
        rows = p[i]
        return rows.sum(0) * 2, rows.sum(1), np.exp(rows)

    plan = plan_of(f, P, i)
    assert any(e.primitive.name == "gather" for e in plan.inlined)
    agree(f, P, i)


def test_checked_code_and_searches_demand_no_vectors(monkeypatch, capfd):
    x, i = np.linspace(0, 1, 40), np.arange(40)[::-1].copy()
    for mode in ("", "checked"):
        monkeypatch.setenv("QIUDAO_JIT", mode)
        agree(lambda x, i: np.exp(x[i]) + np.exp(x), x, i)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("rows", [(), (1,)])
@pytest.mark.parametrize("by", ["slice", "array"])
def test_what_is_placed_in_fewer_axes_is_added_to_each_row(by, rows):
    def f(x, v):
        placed = np.zeros_like(x, shape=(*rows, 3))
        if by == "slice":
            placed[..., 1:] += v
        else:
            np.add.at(placed, (0,) * len(rows) + (np.array([2, 0]),), v)
        return np.sin(x) + placed

    x, v = A[0, :2], np.array([1.5, -2.0])
    np.testing.assert_allclose(qd.jit(f)(x, v), f(x, v), rtol=1e-14)


def test_an_element_in_a_loop_of_a_batch_and_one_of_what_is_not():
    def loss(x):
        product, taken = qd.scan(lambda c, i: (c * x[i], x[i]), 1.0, np.arange(3))
        return product + 2.0 * np.sum(taken)

    x = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 4.0]])
    slopes = qd.vmap(qd.grad(loss))
    np.testing.assert_allclose(qd.jit(slopes)(x), slopes(x), rtol=1e-14)
