"""`cond` and `switch`."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, same
from transforms.control.tracing import agree, run, run_one

X = np.array([0.5, -1.0, 2.0])


def test_only_the_chosen_function_runs():
    called = []
    assert qd.cond(True, lambda: called.append("yes"), lambda: called.append("no")) is None
    qd.switch(1, [lambda: called.append(0), lambda: called.append(1)])
    assert called == ["yes", 1]


@pytest.mark.parametrize("index", [-3, 0, 1, 2, 9])
def test_an_index_is_brought_into_range(index):
    branches = [np.sin, np.cos, np.negative]
    wanted = branches[min(max(index, 0), 2)](0.5)
    assert qd.switch(index, branches, 0.5) == wanted
    assert run_one(lambda i, x: qd.switch(i, branches, x), index, 0.5) == wanted


def test_containers_go_in_and_come_out():
    def f(p, x):
        return qd.cond(
            x[0] > 0,
            lambda s: {"a": s["a"] * 2, "b": (s["a"],)},
            lambda s: {"a": -s["a"], "b": (s["a"],)},
            {"a": p},
        )

    same(f(2.0, X), {"a": np.float64(4.0), "b": (np.float64(2.0),)})
    assert run(f, 2.0, X) == [4.0, 2.0]
    assert run(f, 2.0, -X) == [-2.0, 2.0]


def test_one_batch_chooses_and_reads_what_it_shares():
    f = qd.vmap(
        lambda x, w: qd.cond(x > 0, lambda v: v @ w, lambda v: np.sum(w) * v[0], x * w), (0, None)
    )
    close(f(X, X), [x * X @ X if x > 0 else X.sum() * x * X[0] for x in X])
    agree(f, X, X)
    agree(qd.jacrev(f), X, X)
    agree(lambda x, w: qd.jacrev(f, argnums=1)(x, w), X, X)


def test_a_shared_predicate_chooses_one_branch_for_the_batch():
    f = lambda p, xs: qd.vmap(lambda x: qd.cond(p > 0, np.sin, lambda x: 7.0, x))(xs)
    close(f(-1.0, X), [7.0] * 3)
    agree(f, -1.0, X)
    agree(f, 1.0, X)


def test_the_examples_that_choose_another_branch_do_not_disturb():
    """The logarithm of a negative number is neither warned of nor in the gradient."""
    f = qd.vmap(lambda x: qd.cond(x > 0, np.log, lambda x: x * x, x))
    close(f(X), np.where(X > 0, np.log(np.abs(X)), X * X))
    close(qd.grad(lambda x: np.sum(f(x)))(X), np.where(X > 0, 1 / X, 2 * X))


def test_numbers_take_the_dtype_of_the_other_branch():
    x = np.float32(2.0)
    f = lambda x: qd.cond(x > 3, lambda x: x, lambda x: 0, x)
    assert run_one(f, x).dtype == np.float32
    assert run_one(lambda x: qd.cond(x > 3, lambda: 1, lambda: 2.5), x).dtype == np.float64


def test_branches_close_over_arrays_and_outer_variables():
    f = lambda w: qd.grad(lambda x: qd.cond(x > 0, lambda x: x * w * X[2], lambda x: x, x) ** 2)(
        3.0
    )
    close(f(0.5), 2 * 3 * (0.5 * 2) ** 2)
    agree(f, 0.5)
    agree(qd.grad(f), 0.5)


def test_a_predicate_that_is_known_while_tracing_chooses_then():
    program = qd.trace(lambda x: qd.cond(True, np.sin, np.cos, x))(1.0)
    assert [e.primitive.name for e in program.equations] == ["sin"]


def test_integer_results_have_no_derivative_and_may_be_indices():
    def f(x):
        k, y = qd.cond(x[0] > 0, lambda x: (2, x), lambda x: (1, x * 2), x)
        return y[k] * x[k]

    agree(qd.grad(f), X)
    agree(qd.grad(f), -X)


def test_a_loop_over_what_a_branch_closes_over_is_not_run_for_the_other():
    def root(x):
        return qd.while_loop(
            lambda v: abs(v * v - x) > 1e-12 * x, lambda v: 0.5 * (v + x / v), x, max_steps=40
        )

    def f(x):
        return qd.cond(x > 0, lambda: qd.cond(x > 1, lambda: root(x), lambda: x), lambda: x * x)

    for x in (4.0, 0.5, -4.0):
        agree(f, x)
        agree(qd.grad(f), x, rtol=1e-9)
        agree(qd.grad(qd.grad(f)), x, rtol=1e-7)
    program = qd.trace(f)(4.0)
    assert "while" not in [e.primitive.name for e in program.equations]
