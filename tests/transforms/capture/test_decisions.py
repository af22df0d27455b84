"""`if`, conditional expressions, `and`, `or`, `not`, chains and early returns on traced values."""

# ruff: noqa: SIM102, SIM108 (the functions under test are what users write)

import math
import subprocess
import sys

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.errors import TraceError
from transforms.capture.running import agree, compiled

SCALE = 3.0


def test_if_else():
    def f(x):
        if x > 0:
            y = 2 * x
        else:
            y = -x
        return y

    agree(f, 3.0, -3.0)


def test_if_without_else_keeps_what_was():
    def f(x):
        y = x
        if x > 1:
            y = y * SCALE
        return y + 1

    agree(f, 3.0, 0.5)


def test_elif_chain():
    def f(x):
        if x > 2:
            y = 1.0
        elif x > 1:
            y = 2.0
        elif x > 0:
            y = 3.0
        else:
            y = x
        return y

    agree(f, 2.5, 1.5, 0.5, -0.5)


def test_nested_ifs():
    def f(x, y):
        if x > 0:
            if y > 0:
                z = x + y
            else:
                z = x - y
        else:
            z = x * y
        return z

    agree(f, (1.0, 2.0), (1.0, -2.0), (-1.0, 2.0))


def test_only_live_names_must_agree():
    def f(x):
        if x > 0:
            t = np.ones(3) * x
            y = np.sum(t)
        else:
            t = "none"
            y = x
        return y

    agree(f, 2.0, -2.0)


def test_a_name_for_one_value_on_both_paths_stays_known():
    def f(x):
        if x > 0:
            kind, y = "a", x
        else:
            kind, y = "a", -x
        return y if kind == "a" else 0.0

    agree(f, 2.0, -2.0)


def test_numbers_of_python_take_the_type_of_the_other_path():
    def f(x):
        y = 0
        if x > 0:
            y = x
        return y * 1.0

    agree(f, 2.0, -2.0)


def test_early_return():
    def f(x):
        if x > 1:
            return 2 * x
        y = x + 1
        if y > 0:
            return y
        return -y

    agree(f, 3.0, -0.5, -7.0)


def test_both_paths_may_fall_through_or_return():
    def f(x, y):
        if x > 0:
            if y > 0:
                return x
            x = x + 10
        else:
            if y < -5:
                return y
            x = x - 10
        return x * y

    agree(f, (1.0, 2.0), (1.0, -2.0), (-1.0, 2.0), (-1.0, -6.0))


def test_returns_of_containers():
    def f(x):
        if x > 0:
            return {"a": x, "b": (x, 1)}
        return {"a": -x, "b": (x + 1, 2)}

    agree(f, 3.0, -3.0)


def test_early_return_from_known_and_unknown_conditions():
    def f(x, n=3):
        if n > 2:
            if x > 0:
                return x
        return -x

    agree(f, 3.0, -3.0)


def test_conditional_expression():
    agree(lambda x: x if x > 0 else -x, 3.0, -3.0)


def test_conditional_expression_in_a_comprehension():
    def f(x, y):
        return sum([t if t > 0 else 10 * t for t in (x, y)])

    agree(f, (1.0, 2.0), (1.0, -2.0), (-1.0, -2.0))


def test_and_or_not():
    def f(x, y):
        z = 0.0
        if x > 0 and y > 0:
            z = z + 1
        if x > 0 or y > 0:
            z = z + 10
        if not x > 0:
            z = z + 100
        if not (x > 0 and (y > 0 or x > 5)):
            z = z + 1000
        return z

    agree(f, (1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0), (6.0, -1.0))


def test_and_does_not_read_past_the_end():
    table = np.arange(4.0)

    def f(x, n):
        i = 0
        while i < n and table[i] < x:
            i += 1
        return i

    agree(f, (2.5, 4), (100.0, 4), (-1.0, 4))


def test_or_gives_the_first_that_holds():
    agree(lambda x, y: (x or y) * 1.0, (0.0, 2.0), (3.0, 2.0))


@pytest.mark.parametrize("x", [0.5, 2.0, -1.0])
def test_chain_of_comparisons(x):
    agree(lambda t: 1.0 if 0 < t < 1 else 2.0, 0.5, x)


def test_chain_evaluates_each_value_once():
    calls = []

    def middle(x):
        calls.append(1)
        return x

    agree(lambda t: 1.0 if 0 < middle(t) < 1 else 2.0, 0.5)
    assert len(calls) == 2  # once traced, once by Python


def test_truth_of_a_number():
    def f(x):
        if x:
            return x
        return x + 1

    agree(f, 0.0, 2.0)


def test_truth_of_an_array_of_one():
    agree(lambda x: 1.0 if x > 0 else 2.0, np.array([1.0]), np.array([-1.0]))


def test_truth_of_many_is_what_numpy_says():
    with pytest.raises(ValueError, match="truth value of an array with more than one element"):
        agree(lambda x: 1.0 if x > 0 else 2.0, np.ones(2))


def test_walrus_in_a_condition():
    def f(x):
        if (y := x * 2) > 1:
            return y
        return -y

    agree(f, 3.0, 0.1)


def test_functions_of_python():
    def f(x):
        y = math.sin(x) + math.floor(x) + math.log(x * x + 1, 2) + math.atan2(x, 2.0)
        return y + float(x) + int(x) + round(x) + max(x, 1.0, y) + min(x, 0.5) + abs(x)

    agree(f, 2.3, -2.3)


def test_any_and_all():
    def f(u, x):
        some = any(v > 2.0 for v in u) or any([x > 5.0, x < -5.0])
        every = all(v > x for v in u)
        known = any([]), all([]), any([x > 0.0, 3]), all([x, 0])
        return some, every, any(u), all(u), known

    agree(f, (np.array([1.0, 3.0]), 0.5), (np.array([0.0, 0.0]), -7.0), (np.array([1.0, 0.0]), 0.0))


def test_any_stops_where_it_is_decided():
    def f(u, x):
        if any(k == 2 or u[k] > x for k in (2, 9)):
            return x
        return -x

    agree(f, (np.arange(3.0), 0.5))


def test_any_that_binds_a_name_is_refused():
    def f(u):
        return hit if any((hit := v) > 1.5 for v in u) else 0.0

    with pytest.raises(TraceError, match="is not known while tracing"):
        compiled(f, np.arange(3.0))


def test_the_largest_of_an_array_and_of_what_is_made_one_by_one():
    def f(u, x):
        return max(u), min(u), max(v * x for v in u), min(map(abs, u)), max(iter([1, 2]))

    agree(f, (np.array([1.0, -3.0, 2.0]), 0.5), (np.array([1.0, -3.0, 2.0]), -2.0))


def test_assertions():
    def known(x):
        assert np.ndim(x) == 0, "a number"
        return x

    def unknown(x):
        assert x > 0, "positive"
        return x

    agree(known, 1.0)
    for f in (qd.jit(unknown), qd.jit(qd.grad(unknown))):
        with pytest.raises(TraceError, match="whether this assertion holds"):
            f(1.0)


def test_assertions_within_what_is_tried_are_refused_too():
    def f(x):
        try:
            assert x > 0
        except AssertionError:
            return -x
        return x

    with pytest.raises(TraceError, match="whether this assertion holds"):
        qd.jit(f)(1.0)


def test_python_without_assertions_has_none_in_compiled_code(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import qiudao as qd\ndef f(x):\n    assert x > 0\n    return x\nprint(qd.jit(f)(-1.0))\n"
    )
    found = subprocess.run(
        [sys.executable, "-O", script], capture_output=True, text=True, timeout=120
    )
    assert found.stdout.strip() == "-1.0", found.stderr


def test_match_on_known_values_around_an_unknown_condition():
    def f(x, mode="double"):
        match mode:
            case "double":
                if x > 0:
                    return 2 * x
            case _:
                return x
        return -x

    agree(f, 1.0, -1.0)


def test_with_around_a_decision():
    def f(x):
        with np.errstate(all="ignore"):
            if x > 0:
                return np.log(x)
            return x

    agree(f, 2.0, -2.0)


@pytest.mark.parametrize(
    "f",
    [
        lambda i, x: x if i in {0, 2} else -x,
        lambda i, x: x if i not in frozenset({0, 2}) else -x,
        lambda i, x: x if i in (0, None, "two", 2) else -x,
        lambda i, x: x if i in [0, 2, x] else -x,
        lambda i, x: x if i in {0: "none", 2: "some"} else -x,
        lambda i, x: x if i in range(0, 4, 2) else -x,
        lambda i, x: x if i in np.array([0, 2]) else -x,
        lambda i, x: x if 2 in np.stack([x, i]) else -x,
        lambda i, x: x if 2 in [0, i] else -x,
        lambda i, x: x if 0 < i in {2} else -x,
        lambda i, x: x if "two" in ("one", "two") and i in {2} else -x,
    ],
)
def test_whether_a_traced_value_is_in_a_container(f):
    """A symbol's hash is its own, and finds no number in a set or a dictionary."""
    agree(f, (0, 5.0), (1, 5.0), (2, 5.0))


def test_a_statement_that_asks_whether_a_value_is_in_a_set():
    def f(i, x):
        for k in range(4):
            if k in {3}:
                return x
            if i + k in {5, 7}:
                x = x * k
                break
            if i not in (k, 9):
                x = x + 1.0
        return x

    agree(f, *((i, 5.0) for i in range(10)))


@pytest.mark.parametrize(
    "close",
    [
        np.allclose,
        lambda x, y: np.allclose(x, y, rtol=0.0, atol=0.5),
        lambda x, y: np.allclose(x, y, equal_nan=True),
        np.array_equal,
        lambda x, y: np.array_equal(x, y, equal_nan=True),
        lambda x, y: np.array_equal(x, y[1:]),
    ],
)
def test_whether_two_arrays_are_close(close):
    x, nan = np.array([1.0, 2.0]), np.array([np.nan, 2.0])
    agree(lambda x, y: x if close(x, y) else -y, (x, x), (x, x + 0.3), (nan, nan), (x, nan))


def test_a_loop_until_two_arrays_are_close():
    def f(x):
        before = x + 1.0
        while not np.allclose(before, x):
            before, x = x, np.cos(x)
        return x

    agree(f, np.array([0.5, 1.0]))


@pytest.mark.filterwarnings("ignore:complex.. argument 'imag' must be a real number")
def test_a_complex_number_of_traced_parts():
    agree(lambda x: complex(x, 2 * x), 1.5, -0.5)
    agree(lambda x: complex(1.0, x), 1.5, 0.0)
    agree(lambda x: complex(x, 2.0) + complex(x) + complex(x, 1j * x), 1.5)
