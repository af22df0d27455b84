"""Loops whose condition, or a function that they call, writes into what is read later."""

import numpy as np
import pytest

from qiudao.transforms.capture.outcomes import CaptureError
from transforms.capture.running import agree, compiled


def relax(u, k):
    change = k * (u[2:] - 2 * u[1:-1] + u[:-2])
    u[1:-1] += change
    return np.max(np.abs(change))


def shrink(u):
    if u[0] > 0.2:
        u[0] = u[0] * 0.9
    else:
        u[1:] *= 0.9
        u[0] -= 0.01
    return np.max(u)


ROUGH = np.array([0.3, -1.0, 2.0, 0.4, -0.6])


def test_a_name_bound_by_the_condition():
    def f(x):
        while (y := x * x) > 1.0:
            x = x * 0.5
        return x, y

    agree(f, 7.0, 0.5, -3.0)


def test_out_in_the_condition():
    def f(x):
        held = np.zeros(2)
        while np.sum(np.multiply(x, 0.5, out=held)) > 0.1:
            x = x * 0.7
        return x, held

    agree(f, np.array([1.0, 2.0]), np.array([0.01, 0.02]))


def test_an_array_written_by_a_function_that_the_condition_calls():
    def f(u, k):
        u = u.copy()
        steps = 0
        while relax(u, k) > 1e-2:
            steps += 1
        return u, steps

    agree(f, (ROUGH, 0.2), (0.0 * ROUGH, 0.2))


def test_an_array_of_a_dictionary_written_by_the_condition():
    def f(u, k):
        state = {"u": u.copy(), "steps": 0}
        while relax(state["u"], k) > 1e-2:
            state["steps"] += 1
        return state["u"], state["steps"]

    agree(f, (ROUGH, 0.2), (0.0 * ROUGH, 0.2))


def test_an_array_written_by_a_function_that_the_step_calls():
    def f(u):
        u = u.copy()
        same, steps, largest = u, 0, 1.0
        while largest > 0.1:
            largest = shrink(u)
            steps += 1
        return u, same, steps

    agree(f, np.abs(ROUGH), 0.01 * np.abs(ROUGH))


def test_and_the_loop_may_end_within_a_step():
    def f(u):
        u = u.copy()
        steps = 0
        for _ in range(40):
            steps += 1
            if shrink(u) < 0.1:
                break
        return u, steps

    agree(f, np.abs(ROUGH), 0.01 * np.abs(ROUGH))


def test_a_branch_of_a_step_calls_what_writes_in_a_branch():
    def f(u, x):
        u = u.copy()
        while x < 3.0:
            x = x + 1.0
            if x > 1.5:
                shrink(u)
        return u, x

    agree(f, (np.abs(ROUGH), 0.0), (np.abs(ROUGH), 2.0), (0.01 * np.abs(ROUGH), 0.0))


def test_a_loop_that_changes_nothing_is_refused():
    def f(x):
        while x > 0:
            pass
        return x

    with pytest.raises(CaptureError, match="the loop changes nothing that is read later, so it"):
        compiled(f, 1.0)
