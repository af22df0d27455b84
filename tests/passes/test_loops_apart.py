"""What loops leave to what is around them: what programs passes make, and what these give."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.compiling.tracing import trace
from qiudao.core.program import check
from qiudao.ops.control import Scan
from qiudao.ops.einsum import Einsum
from qiudao.ops.products import MatMul
from qiudao.passes.ahead import ahead
from qiudao.passes.narrow import narrow
from qiudao.passes.pipeline import PIPELINE, simplify
from qiudao.passes.prune import prune
from qiudao.passes.remember import remember
from qiudao.passes.settle import merged, settle
from qiudao.passes.together import together
from qiudao.transforms.expand import expanded

RNG = np.random.default_rng(0)
W, U = RNG.normal(size=(2, 5, 5)) / 3
B, H = RNG.normal(size=(2, 5))
XS = RNG.normal(size=(12, 5))


def scans(program):
    """The loops of a program."""
    return [e.primitive for e in program.equations if isinstance(e.primitive, Scan)]


def names(program):
    """The names of the primitives of a program."""
    return [e.primitive.name for e in program.equations]


def inside(program):
    """The names of the primitives in the bodies of its loops."""
    return [name for scan in scans(program) for name in names(scan.body)]


def same(program, other, xs, tolerance=1e-12):
    """Hold that programs are in order and give the same."""
    check(other)
    for got, want in zip(other(*xs), program(*xs), strict=True):
        got, want = np.asarray(got), np.asarray(want)
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def scan_of(step):
    """A loop that traces nothing out of its body: `step` of W, the carry and a row of XS."""
    scan = Scan(trace(step)(W, H, XS[0]), constants=1, carries=1, length=len(XS))
    return trace(lambda w, x, xs: scan(w, x, xs)[0])(W, H, XS)


def settled(f, *xs):
    """The trace of a function before and after `settle`, which give the same."""
    program = trace(f)(*xs)
    made = settle(program)
    same(program, made, xs)
    return made


# What is the same in every step


def test_a_carry_that_stays_becomes_a_constant():
    def f(x, c):
        def step(carry, row):
            a, c = carry
            return (a * c + row, c), a

        return qd.scan(step, (x, c), XS)

    (scan,) = scans(settled(f, H, 0.5))
    assert (scan.constants, scan.carries) == (1, 1)


def test_the_record_of_a_carry_that_stays():
    def f(x, c):
        def step(carry, row):
            a, c = carry
            return (np.sin(a * c + row), c), None

        return qd.scan(step, (x, c), XS)[0][0].sum()

    program = trace(lambda *xs: qd.grad(f, (0, 1))(*xs))(H, 0.5)
    made = settle(program)
    same(program, made, (H, 0.5))
    assert [scan.carries for scan in scans(made)] == [1, 2]


def test_what_depends_on_constants_alone_is_moved_out():
    program = scan_of(lambda w, x, row: np.exp(w) @ x + row)
    made = settle(program)
    same(program, made, (W, H, XS))
    assert "exp" in inside(program)
    assert "exp" in names(made)
    assert "exp" not in inside(made)


def test_views_of_constants_stay_inside():
    program = scan_of(lambda w, x, row: w.T @ x + row)
    assert "transpose" in inside(program)
    assert settle(program) is program


def test_a_loop_without_steps_is_left_alone():
    """What it would compute need not be computable."""
    program = trace(lambda x, c: qd.scan(lambda a, row: (a, None), (x, c), XS[:0])[0])(H, B)
    assert settle(program) is program


def test_what_is_given_twice_is_given_once():
    def f(x, p):
        def step(a, row):
            return np.sin(p[0] * a) + np.sin(p[0] * a) * row, None

        return qd.scan(step, x, XS)[0]

    program = trace(f)(H, B)
    made = merged(program)
    same(program, made, (H, B))
    assert scans(made)[0].constants < scans(program)[0].constants or inside(made).count("sin") == 1


def test_a_program_without_loops_is_left_alone():
    program = trace(lambda x: np.sin(x) + np.sin(x))(H)
    for each in (settle, merged, remember, ahead, together):
        assert each(program) is program


# What a later loop would compute again


def cell(w, u, b, xs):
    """The loss of a recurrent cell."""

    def step(h, x):
        h = np.tanh(w @ h + u @ x + b)
        return h, (h**2).sum()

    return qd.scan(step, np.zeros_like(b), xs)[1].sum()


def gradient(*xs):
    return qd.grad(cell, (0, 1, 2, 3))(*xs)


CELL = (W, U, B, XS)


def written_out(f, *xs):
    """A trace, simplified as it is when loops are looked at."""
    return prune(simplify(settle(narrow(prune(expanded(trace(f)(*xs)))))))


def test_dear_values_are_stacked_for_the_way_back():
    program = written_out(gradient, *CELL)
    made = remember(program)
    same(program, made, CELL)
    assert inside(program).count("tanh") == 2
    assert inside(made).count("tanh") == 1


def test_what_is_cheap_is_computed_again():
    def f(x):
        return qd.scan(lambda a, row: (a * row + a * a, None), x, XS)[0].sum()

    program = written_out(qd.grad(f), H)
    assert remember(program) is program


def test_nothing_is_stacked_that_takes_too_much_memory(monkeypatch):
    monkeypatch.setattr("qiudao.passes.remember.ROOM", 100)
    program = written_out(gradient, *CELL)
    assert remember(program) is program


def shifted(x):
    """A step that reads what it has computed at the place before: a loop of its own each time."""

    def step(y, _):
        once = x * np.concatenate([y[:1], (0.5 * y * y)[:-1]])
        return x * np.concatenate([y[:1], (once * once)[:-1]]), None

    return qd.scan(step, x, None, length=6)[0].sum()


def test_what_needs_loops_of_its_own_is_stacked_where_it_stays_in_the_cache(monkeypatch):
    x = np.linspace(0.1, 1.0, 600)
    program = written_out(qd.grad(shifted), x)
    made = remember(program)
    same(program, made, (x,))
    assert inside(made).count("concatenate") < inside(program).count("concatenate")
    few = written_out(qd.grad(shifted), x[:100])
    assert remember(few) is few
    monkeypatch.setattr("qiudao.passes.remember.CACHED", 1000)
    assert remember(program) is program


# What does not wait for the step before


def hoisted(f, *xs):
    """The program in which a loop has its products ahead."""
    program = written_out(f, *xs)
    made = ahead(program)
    same(program, made, xs)
    return made


def test_products_with_rows_are_one_product():
    made = hoisted(lambda w, u, b, xs: cell(w, u, b, xs), *CELL)
    assert names(made).count("matmul") == 1
    assert inside(made).count("matmul") == 1


FREE = {
    "matrix times row": lambda x, y, w: w @ x,
    "row times matrix": lambda x, y, w: x @ w,
    "row times row": lambda x, y, w: np.exp(x @ y) * w[0],
    "constant row times row": lambda x, y, w: np.exp(w[0] @ x) * w[1],
    "row times constant row": lambda x, y, w: np.exp(x @ w[0]) * w[1],
    "matrices": lambda x, y, w: (np.outer(x, y) @ w)[0],
    "matrix by matrices": lambda x, y, w: (w @ np.outer(x, y))[:, 1],
    "matrices by a vector": lambda x, y, w: np.sin(np.outer(x, y)) @ w[0],
    "stacks": lambda x, y, w: (np.outer(x, y) @ np.outer(y, x))[1],
    "einsum": lambda x, y, w: np.einsum("i,ij,j->j", x, w, y),
    "sums": lambda x, y, w: np.exp(x.sum() + y.max()) + w[0],
    "reshape": lambda x, y, w: np.exp(x[:4].reshape(2, 2)).ravel().sum() + w[0],
    "broadcast": lambda x, y, w: np.exp(x[:, None] + w).sum(0),
    "stretch": lambda x, y, w: np.log(np.broadcast_to(x[:, None] ** 2, (5, 5)) + 1)[0],
    "flip and slice": lambda x, y, w: np.sin(x[::-1])[1:].sum() * w[0],
    "numbers": lambda x, y, w: np.sin(x[0]) * np.cos(y[1]) + w[0],
    "cast": lambda x, y, w: np.sin(x.astype(np.float32)).astype(float) + w[0],
}


@pytest.mark.parametrize("name", FREE)
def test_what_depends_on_rows_alone_is_computed_at_once(name):
    f = FREE[name]

    def loop(w, xs, ys):
        def step(a, rows):
            return np.tanh(a + f(*rows, w)), a

        return qd.scan(step, np.zeros(5), (xs, ys))

    xs = (W, XS, XS[::-1].copy())
    made = hoisted(loop, *xs)
    assert len(names(made)) > len(names(written_out(loop, *xs)))
    assert_compiled(loop, *xs, tolerance=1e-6 if name == "cast" else 1e-10)


def test_a_short_loop_keeps_its_products():
    program = written_out(cell, W, U, B, XS[:4])
    assert ahead(program) is program


# Sums of products


def test_outer_products_are_one_product_after_the_loop():
    program = written_out(gradient, *CELL)
    made = together(remember(program))
    same(program, made, CELL)
    backward = scans(made)[-1]
    assert all(y.ndim == 1 for y in backward.body.results[: backward.carries])
    assert sum(isinstance(e.primitive, MatMul) for e in made.equations) == 2


def test_a_sum_with_other_terms_keeps_these():
    def f(m, xs):
        def step(total, x):
            return total + np.outer(x, x * 2) + np.sin(x), None

        return qd.scan(step, m, xs)[0]

    program = written_out(f, W, XS)
    made = together(program)
    same(program, made, (W, XS))
    assert "sin" in inside(made)
    assert "matmul" in names(made)


@pytest.mark.parametrize("turned", [False, True])
def test_products_of_matrices_are_one_einsum(turned):
    stack, m = RNG.normal(size=(12, 2, 9)), RNG.normal(size=(9, 9))

    def f(m, xs):
        def step(total, x):
            return total + (x.T @ np.sin(x) if turned else x.T.copy() @ np.sin(x)), None

        return qd.scan(step, m, xs)[0]

    program = written_out(f, m, stack)
    made = together(program)
    same(program, made, (m, stack))
    assert any(isinstance(e.primitive, Einsum) for e in made.equations)
    assert all(scan.carries == 0 for scan in scans(narrow(prune(made))))


@pytest.mark.parametrize("step", [
    lambda total, x: (total + np.outer(x, x) + total.sum(), None),  # it is read
    lambda total, x: (total + np.outer(x, x), total[0]),
    lambda total, x: (2 * total + np.outer(x, x), None),
    lambda total, x: (total + total + np.outer(x, x), None),
])  # fmt: skip
def test_what_is_no_plain_sum_stays(step):
    program = written_out(lambda m, xs: qd.scan(step, m, xs), W, XS)
    assert together(program) is program


# All passes, and machine code


def assert_compiled(f, *xs, tolerance=1e-10):
    """Hold that a function and its gradient by its arrays are the same when compiled, and that each
    pass makes a program that is in order.
    """

    def loss(*xs):
        return sum((np.sin(y) * 0.1).sum() for y in flat(f(*xs)))

    by = tuple(range(len(xs)))
    for each in (f, lambda *xs: qd.grad(loss, by)(*xs)):
        program = expanded(trace(each)(*xs))
        for step in PIPELINE:
            program = step.run(program)
            check(program)
        for got, want in zip(flat(qd.jit(each)(*xs)), flat(each(*xs)), strict=True):
            np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def flat(tree):
    """The arrays of nested results."""
    if isinstance(tree, (tuple, list)):
        return [y for each in tree for y in flat(each)]
    return [] if tree is None else [tree]


pytest.importorskip("llvmlite")

SIZES = (1, 3, 5, 14, 40, 70)  # elements of a carry: in registers, on the stack, in two buffers


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("length", [0, 1, 2, 7])
@pytest.mark.parametrize("n", SIZES)
def test_carries_that_change_places(n, length, reverse):
    xs = RNG.normal(size=(length, n))

    def f(a, b, xs):
        def step(carry, x):
            a, b = carry
            return (b, a * 0.5 + x), None

        return qd.scan(step, (a, b), xs, reverse=reverse)[0]

    a, b = RNG.normal(size=(2, n))
    assert_compiled(f, a, b, xs)


@pytest.mark.parametrize("length", [0, 1, 2, 7])
@pytest.mark.parametrize("n", SIZES)
def test_carries_that_are_outputs_too(n, length):
    xs = RNG.normal(size=(length, n))

    def f(a, c, xs):
        def step(carry, x):
            a, c = carry
            after = np.sin(a) * 0.5 + x
            return (after, c), (a, after, after, c)

        return qd.scan(step, (a, c), xs)

    a, c = RNG.normal(size=(2, n))
    assert_compiled(f, a, c, xs)


@pytest.mark.parametrize("n", SIZES)
def test_loops_in_loops(n):
    xs = RNG.normal(size=(4, 9, n))
    w = RNG.normal(size=(n, n)) / n

    def f(w, a, xs):
        def inner(a, x):
            return np.tanh(w @ a + x), np.sin(a)

        def outer(a, x):
            a, ys = qd.scan(inner, a, x)
            return a + ys.sum(0) * 0.1, ys[-1]

        return qd.scan(outer, a, xs)

    assert_compiled(f, w, RNG.normal(size=n), xs)


@pytest.mark.parametrize("shape", [(5, 5), (14, 14), (14, 5), (1, 14), (14, 1), (30, 30), (70, 70)])
def test_matrices_times_carries(shape):
    m, n = shape
    xs = RNG.normal(size=(9, m))
    w, v = RNG.normal(size=shape) / n, RNG.normal(size=(n, m)) / m

    def f(w, v, xs):
        def step(a, x):
            y = w @ a + x
            return np.tanh(v @ y), (y @ w, a @ v)

        return qd.scan(step, np.zeros(n), xs)

    assert_compiled(f, w, v, xs)


@pytest.mark.parametrize("size", [4, 14])
def test_batches_of_loops(size):
    xs = RNG.normal(size=(3, 9, size))
    w = RNG.normal(size=(size, size)) / size

    def one(w, xs):
        return qd.scan(lambda a, x: (np.tanh(w @ a + x), a), np.zeros(size), xs)

    def f(w, xs):
        return qd.vmap(lambda each: one(w, each))(xs)

    assert_compiled(f, w, xs)


@pytest.mark.parametrize("n", SIZES)
def test_while_loops_with_many_elements(n):
    def f(a, b):
        def step(carry):
            k, a, b = carry
            return k + 1, b, np.sin(a) * 0.9 + 0.1

        return qd.while_loop(lambda c: c[0] < 6, step, (0, a, b))[1:]

    a, b = RNG.normal(size=(2, n))
    for got, want in zip(qd.jit(f)(a, b), f(a, b), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12)


def test_not_a_number_goes_through_sums_after_loops():
    xs = XS.copy()
    xs[3, 2] = np.nan

    def f(m, xs):
        return qd.scan(lambda total, x: (total + np.outer(x, 2 * x), None), m, xs)[0]

    np.testing.assert_array_equal(np.isnan(qd.jit(f)(W, xs)), np.isnan(f(W, xs)))


def test_narrow_types_and_complex_numbers():
    def f(w, xs):
        return qd.scan(lambda a, x: (np.sin(w @ a) * 0.5 + x, a), xs[0] * 0, xs)

    for dtype, tolerance in ((np.float32, 1e-5), (np.complex128, 1e-12)):
        w, xs = W.astype(dtype), XS.astype(dtype)
        for got, want in zip(flat(qd.jit(f)(w, xs)), flat(f(w, xs)), strict=True):
            assert got.dtype == want.dtype
            np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def test_a_stack_of_one_value_is_no_stack():
    """Each gradient transposes x anew, and the loop that they become reads a stack of these."""

    def fitted(w, x):
        for k in range(1, 40):
            slope = qd.grad(lambda w: np.sum(np.tanh(x @ w) @ np.ones((2, 3))))(w)
            w = w - 0.1 / (1 - 0.9**k) * slope
        return np.sum(w)

    start, x = np.linspace(-0.5, 0.7, 6).reshape(3, 2), np.linspace(-1.0, 1.0, 12).reshape(4, 3)
    stages = qd.jit(qd.grad(fitted)).lower(start, x)
    assert "concatenate" in str(stages.program)
    assert "concatenate" not in str(stages.optimised)
    close(qd.jit(qd.grad(fitted))(start, x), qd.grad(fitted)(start, x), rtol=1e-9)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_rows_that_are_one_and_rows_that_are_not(axis):
    one, many = np.array([[[1.0]], [[2.0]]]), np.arange(6.0).reshape(2, 1, 3)

    def joined(one, many):
        alike = np.concatenate([one] * 3, axis=axis)
        return alike, np.concatenate([many, many], axis=axis), np.concatenate([one, 1 * one], axis)

    for found, wanted in zip(qd.jit(joined)(one, many), joined(one, many), strict=True):
        close(found, wanted)
