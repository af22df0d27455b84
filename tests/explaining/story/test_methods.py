"""The ways to a gradient: what they give, how wrong they are, what they take."""

import numpy as np
import pytest

import qiudao as qd
from explaining.story.functions import B, W, X, chain, network, thrice
from explaining.test_every_rule import moving
from qiudao.testing.rules import every_sample


def ways(told):
    return {row.way: row for row in told.told.rows}


def test_each_way_and_its_cost():
    found = ways(qd.story(network, X, W, B))
    exact = np.concatenate([g.reshape(-1) for g in qd.grad(network, argnums=(0, 1, 2))(X, W, B)])
    np.testing.assert_array_equal(found["reverse sweep"].gradient, exact)
    np.testing.assert_allclose(found["forward sweeps"].gradient, exact, rtol=1e-14)
    assert 0 < found["limit, two-sided"].error < 1e-8
    assert found["limit, two-sided"].error < found["limit, one-sided"].error < 1e-6
    assert 0 < found["limits, chained"].error < 1e-6
    assert found["forward sweeps"].error < 1e-14
    assert [found[k].evaluations for k in found] == [12, 22, 1, 11, 1]
    assert [found[k].operations for k in found] == [60, 110, 28, 110, 10]
    assert all(row.seconds > 0 for row in found.values())


def test_runs_of_the_function_are_counted_not_claimed():
    runs = []

    def f(x):
        runs.append(x)
        return np.sum(x * x)

    told = qd.story(f, np.arange(1.0, 4.0))
    assert [r.evaluations for r in told.told.rows] == [4, 6, 1, 3, 1]
    assert len(runs) > 15


def test_the_chain_of_the_study_is_exact_by_sweeps_alone():
    found = ways(qd.story(chain, 3.0))
    assert [found[w].gradient.tolist() for w in ("forward sweeps", "reverse sweep")] == [
        [66_060_288_000.0]
    ] * 2
    assert found["reverse sweep"].error == found["forward sweeps"].error == 0
    assert found["limit, one-sided"].error > found["limit, two-sided"].error > 1e-12


@pytest.mark.skipif(
    np.finfo(np.longdouble).eps >= np.finfo(float).eps, reason="no numbers of more digits here"
)
def test_errors_are_against_more_digits():
    told = qd.story(lambda x: np.exp(np.sin(x) * 3), 1.3)
    assert 0 < ways(told)["reverse sweep"].error < 1e-15
    assert "more digits" in told.told.notes[-1]


def test_without_more_digits_the_reverse_sweep_is_the_measure():
    def f(a):
        return np.linalg.det(a)  # LAPACK has no more than 64 bits

    told = qd.story(f, np.array([[3.0, 1.0], [2.0, 4.0]])).told
    assert told.rows[-1].error == 0
    assert "exact but for rounding" in told.notes[-1]


def test_another_branch_is_no_measure():
    third = 1.0 / 3.0

    def f(x):
        return x * x if 3 * x >= 1 else 5 * x  # 1/3 times 3 is 1 in 64 bits, and less in more

    told = qd.story(f, third).told
    assert told.rows[-1].gradient == [2 * third]
    assert told.rows[-1].error < 1e-15


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_steps_suit_the_precision(dtype):
    found = ways(qd.story(lambda x: np.sum(np.sin(x) * x), np.linspace(0, 1, 4, dtype=dtype)))
    eps = np.finfo(dtype).eps
    for way in ("limit, one-sided", "limits, chained"):
        assert found[way].error < 10 * eps**0.5
    assert found["limit, two-sided"].error < 10 * eps ** (2 / 3)
    assert found["reverse sweep"].error < 10 * eps


def test_complex_inputs_have_two_coordinates():
    told = qd.story(lambda z: np.sum(np.abs(np.exp(z)) ** 2), np.array([0.3 + 0.4j, -0.1 + 0.2j]))
    exact = 2 * np.exp(2 * np.array([0.3, -0.1]))
    assert told.told.names == ["z[0].real", "z[0].imag", "z[1].real", "z[1].imag"]
    for row in told.told.rows:
        np.testing.assert_allclose(row.gradient, [exact[0], 0, exact[1], 0], atol=1e-6)


def test_complex_results_between_real_ends():
    found = ways(qd.story(lambda x: np.real(np.exp(1j * x) * x), 0.7))
    for row in found.values():
        assert row.error < 1e-6


def test_outputs_that_are_arrays_are_summed():
    told = qd.story(np.exp, np.array([0.0, 1.0]))
    np.testing.assert_allclose(told.told.rows[1].gradient, np.exp([0.0, 1.0]), rtol=1e-9)
    assert any("2 elements: the gradient shown is that of their sum" in n for n in told.told.notes)


def test_results_beside_the_one_of_the_story():
    found = ways(qd.story(lambda x: {"name": "loss", "loss": np.sum(x * x)}, np.arange(3.0)))
    assert all(row.error < 1e-6 for row in found.values())


@pytest.mark.parametrize(
    "f", [qd.jit(thrice), qd.grad(lambda x: np.cos(x) * x)], ids=["compiled", "gradient"]
)
def test_compiled_functions_and_gradients_are_functions(f):
    assert ways(qd.story(f, 1.2))["reverse sweep"].error < 1e-15


def test_writing_in_place():
    def f(x):
        y = x * 1.0
        y[0] = y[1] * 2
        x *= 3
        return np.sum(y * y * x)

    start = np.array([1.5, 0.7, 2.1])
    found = ways(qd.story(f, start))
    assert all(row.error < 1e-6 for row in found.values())
    assert start.tolist() == [1.5, 0.7, 2.1]


def test_what_would_take_too_long_is_left_out():
    found = ways(qd.story(lambda x: np.sum(np.sin(x)), np.linspace(0, 1, 6000)))
    assert found["limit, one-sided"].note == "left out: it takes 6,001 runs of f"
    assert found["forward sweeps"].note == "left out: it takes 6,000 runs of f"
    assert found["limits, chained"].note == "left out: it takes 12,000 operations on arrays"
    assert found["reverse sweep"].gradient.shape == (6000,)


def test_several_results_are_not_chained():
    found = ways(qd.story(lambda a: np.linalg.svd(a)[1][0], np.array([[3.0, 1.0], [2.0, 0.0]])))
    assert found["limits, chained"].note == "left out: an operation has several results"
    assert found["limit, two-sided"].error < 1e-9


def test_no_elements():
    assert ways(qd.story(np.sum, np.zeros(0)))["reverse sweep"].gradient.shape == (0,)


def test_a_derivative_that_is_only_the_rounding_of_zero():
    def one(x):
        p = np.exp(x - np.max(x))
        return np.sum(p / np.sum(p))

    told = qd.story(one, np.array([0.3, 0.7, 1.9])).told
    assert all(row.error < 1e-7 for row in told.rows)
    assert all(row.error < 1e-15 for row in told.rows[-2:])
    assert told.curve is None
    assert "zero, but for rounding" in told.notes[-1]


def test_a_small_derivative_beside_a_large_value_is_no_zero():
    told = qd.story(lambda x: 1e20 + x, 1.0).told
    assert [row.error for row in told.rows] == [1, 1, 1, 0, 0]
    assert "far off" in told.notes[0]


SAMPLES = every_sample()[::6]


@pytest.mark.parametrize("label, primitive, sample", SAMPLES, ids=[s[0] for s in SAMPLES])
def test_every_kind_of_operation_has_a_story(label, primitive, sample):
    case, loss = moving(primitive, sample)
    if not case.differs:
        pytest.skip("no operand of this sample can move")
    with np.errstate(all="ignore"):
        told = qd.story(loss, *case.inputs)
    for row in told.told.rows:
        if "limit" not in row.way:
            assert row.error < 1e-12
        elif sample.kind != "schur":  # limits move its zeros too, and then it is none
            assert row.error is None or row.error < 1e-4
    assert told.text(80)
    assert told.html()
    assert told.latex()
