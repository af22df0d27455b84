"""Branches on values: counts, margins, distances, and the jumps at the switch."""

import json

import numpy as np
import pytest

import qiudao as qd


def tax(x):
    if x > 10.0:
        return 2.0 + 0.3 * (x - 10.0)
    return 0.1 * x


def test_margin_distance_and_jump_of_one_branch():
    (branch,) = qd.branches(tax, 12.0).branches
    assert (branch.taken, branch.refused) == (1, 0)
    assert branch.condition == "x > 10.0"
    assert branch.margin == 2.0
    assert branch.distance == 2.0
    assert branch.values == pytest.approx((1.0, 2.0))
    assert branch.slopes == pytest.approx((0.1, 0.3))
    assert branch.jump == pytest.approx(1.0)


def test_from_the_other_side_the_jump_is_the_same():
    (branch,) = qd.branches(tax, 9.0).branches
    assert (branch.taken, branch.refused, branch.margin) == (0, 1, -1.0)
    assert branch.values == pytest.approx((1.0, 2.0))


def test_a_curved_switch_is_found_by_newton():
    def f(x):
        return np.sum(x) if np.sum(x**2) > 4.0 else np.sum(x) * 3.0

    (branch,) = qd.branches(f, np.array([3.0, 0.0])).branches
    assert branch.margin == 5.0
    assert branch.distance == pytest.approx(5.0 / 6.0)
    assert branch.values == pytest.approx((6.0, 2.0))  # at [2, 0]
    assert branch.slopes == pytest.approx((3.0, 1.0))


def test_the_turns_of_a_loop_are_one_branch():
    def halve(x):
        while x > 1.0:
            x = x * 0.5
        return x

    (branch,) = qd.branches(halve, 5.0).branches
    assert (branch.taken, branch.refused) == (3, 1)
    assert branch.margin == pytest.approx(0.25)  # at 1.25, before the last turn
    assert branch.values == pytest.approx((1.0, 0.5))


def test_and_is_two_conditions():
    def f(x, y):
        return x * y if x > 0.0 and y < 3.0 else x

    found = qd.branches(f, 1.0, 2.0).branches
    assert [b.condition for b in found] == ["x > 0.0", "y < 3.0"]
    assert [b.margin for b in found] == [1.0, -1.0]


def test_any_of_an_array_takes_the_nearest_element():
    def f(x):
        return np.sum(x) if np.any(x > 1.0) else 0.0 * np.sum(x)

    (branch,) = qd.branches(f, np.array([0.5, 0.75])).branches
    assert (branch.taken, branch.margin) == (0, -0.25)


def test_a_switch_that_cannot_be_reached_has_no_jump():
    (branch,) = qd.branches(lambda x: x if np.exp(x) > 0.0 else -x, 0.0).branches
    assert branch.margin == 1.0
    assert branch.values is None


def test_a_condition_without_derivative_has_no_distance():
    (branch,) = qd.branches(lambda x: x if np.floor(x) > 1.0 else -x, 2.5).branches
    assert (branch.margin, branch.distance) == (1.0, None)


def test_a_function_that_fails_on_the_other_side():
    def f(x):
        if x > 0.0:
            return np.sqrt(x)
        raise ValueError("negative")

    (branch,) = qd.branches(f, 4.0).branches
    assert (branch.distance, branch.values) == (4.0, None)


def test_values_read_out_are_noted():
    report = qd.branches(lambda x: x * 2 if x.item() > 0 else x, 1.0)
    assert report.branches == []
    assert "item()" in report.notes[0]


def test_the_report_reads():
    text = str(qd.branches(tax, 12.0))
    lines = text.splitlines()
    assert lines[0] == "branches of tax(x)"
    assert "x > 10.0 was true" in lines[1]
    assert lines[2].strip() == "margin 2; it switches when the inputs move by 2"
    assert lines[3].strip() == (
        "at the switch the value jumps from 1 (false) to 2 (true), the slope from 0.1 to 0.3"
    )
    assert "no operation with a kink" in lines[5]


def test_plain_data():
    made = qd.branches(tax, 12.0).json()
    assert json.loads(json.dumps(made))["branches"][0]["margin"] == 2.0


def test_a_condition_that_is_met_several_times_turns_over_everywhere_at_once():
    def f(x, y):
        total = 0.0
        for k in range(3):
            total = total + x * k if x > 0.5 else total - y
        return total * y

    eps = 1e-9
    for point in (1.0, 0.25):  # from either side
        (branch,) = qd.branches(f, point, 2.0).branches
        assert branch.values == pytest.approx((f(0.5 - eps, 2.0), f(0.5 + eps, 2.0)), rel=1e-8)
        assert branch.slopes == pytest.approx((0.0, 6.0))


def test_two_lines_with_one_condition_have_one_switch():
    def f(x):
        y = x * 2.0 if x > 1.0 else x
        return y * 3.0 if x > 1.0 else y

    for point in (0.5, 2.0):
        for branch in qd.branches(f, point).branches:
            assert branch.values == pytest.approx((1.0, 6.0))


def test_a_condition_that_is_only_true_at_its_switch():
    (branch,) = qd.branches(lambda x: x if x == 1.0 else 3.0 * x, 2.0).branches
    assert branch.values == pytest.approx((3.0, 1.0))


def test_complex_inputs_go_the_shortest_way():
    def f(z):
        return z.real * 3 if np.abs(z) > 1.0 else z.imag

    (branch,) = qd.branches(f, 3.0 + 4.0j).branches
    assert branch.margin == pytest.approx(4.0)
    assert branch.distance == pytest.approx(4.0)  # along z
    assert branch.values == pytest.approx((0.8, 1.8))  # at 0.6 + 0.8j
    assert branch.slopes == pytest.approx((0.8, 1.8))
