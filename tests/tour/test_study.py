import numpy as np
import pytest

from qiudao.tour.study import (
    CHAIN,
    CHAIN_EXACT,
    POLYNOMIAL_EXACT,
    START,
    Y,
    compare_ways,
    cost_of_gradient,
    errors_by_step,
    smooth_maximum,
    sweep_both_ways,
)


def by_name(answers):
    return {answer.way: answer for answer in answers}


def test_the_exact_values_are_those_of_the_chain_rule_by_hand():
    x = 3
    y = 3 * x**2 - 4 * x + 5
    z = y**2 - 4 * y
    assert (y, z) == (20, 320)
    assert 6 * x - 4 == POLYNOMIAL_EXACT
    assert 4 * z**3 * (2 * y - 4) * (6 * x - 4) == CHAIN_EXACT == 66_060_288_000


def test_both_sweeps_of_the_polynomial_are_exact():
    answers = by_name(compare_ways([Y], START, POLYNOMIAL_EXACT))
    for way in ("forward sweep", "reverse sweep"):
        assert answers[way].value == 14.0
        assert answers[way].error == 0.0
        assert answers[way].evaluations == 1
    assert 0 < answers["limit"].error < 1e-7
    assert answers["limit"].evaluations == 2


def test_the_chain_gives_the_numbers_of_the_study():
    answers = by_name(compare_ways(CHAIN, START, CHAIN_EXACT))
    assert answers["forward sweep"].value == answers["reverse sweep"].value == CHAIN_EXACT
    assert answers["limit"].value == pytest.approx(66060290527.34, abs=0.005)
    assert answers["limit"].error == pytest.approx(3.8e-8, rel=0.01)
    assert answers["chained limits"].error == pytest.approx(5.1e-7, rel=0.01)


def test_evaluations_are_counted_function_by_function():
    answers = compare_ways(CHAIN, START, CHAIN_EXACT)
    assert [answer.evaluations for answer in answers] == [6, 6, 3, 3]


def test_the_sweeps_carry_the_same_product_from_either_end():
    sweeps = sweep_both_ways(CHAIN, START)
    assert sweeps.values == [3, 20, 320, 320**4 - 5]
    assert sweeps.forward == [1, 14, 14 * 36, CHAIN_EXACT]
    assert sweeps.reverse == [CHAIN_EXACT, 131072000 * 36, 131072000, 1]


def test_a_limit_is_worst_at_both_ends_of_its_steps():
    first, middle, last = errors_by_step(CHAIN, START, CHAIN_EXACT, [1e-1, 1e-6, 1e-14])
    assert middle.one_sided < 1e-3 * min(first.one_sided, last.one_sided)
    assert middle.two_sided < 1e-3 * min(first.two_sided, last.two_sided)
    assert middle.two_sided < middle.one_sided


@pytest.mark.parametrize("inputs", [1, 10, 100])
def test_only_the_reverse_sweep_costs_the_same_for_any_number_of_inputs(inputs):
    limits, forward, reverse = cost_of_gradient(inputs)
    assert limits.evaluations == inputs + 1
    assert forward.evaluations == inputs
    assert reverse.evaluations == 1


def test_all_ways_to_a_whole_gradient_agree():
    limits, forward, reverse = cost_of_gradient(10)
    x = np.linspace(0.0, 3.0, 10)
    exact = np.exp(np.sin(x) - smooth_maximum(x)) * np.cos(x)
    np.testing.assert_allclose(reverse.gradient, exact, rtol=1e-13)
    np.testing.assert_allclose(forward.gradient, exact, rtol=1e-13)
    np.testing.assert_allclose(limits.gradient, exact, atol=1e-7)
