"""Common errors, told with the function's own numbers, and notes where limits mislead."""

import numpy as np
import pytest

import qiudao as qd
from explaining.story.functions import B, W, X, chain, network, thrice


def errors(f, *args):
    return [c.error for c in qd.story(f, *args).told.corrections]


def test_only_errors_that_this_function_allows():
    assert errors(lambda x: np.sin(x), 0.5) == []
    assert errors(thrice, 1.2) == [
        "The chain rule is exact, so differences of the parts, chained, are exact.",
        "The gradient of an input is what arrives at it.",
    ]
    assert errors(network, X, W, B)[1:] == [
        "A forward sweep with all tangents 1 gives every partial derivative."
    ]
    assert errors(chain, 3.0) == [
        "The gradient of a value within can be passed on each time a term arrives.",
        "The gradient of an input is what arrives at it.",
    ]


def test_differences_add_up():
    told = qd.story(thrice, 1.2).told
    (row,) = (r for r in told.rows if r.way == "limits, chained")
    truth = told.corrections[0].truth
    assert "dv1/dx is off by " in truth
    assert f"{row.error:.1e}"[:3] in truth


def test_a_tangent_of_ones_gives_the_sum():
    told = qd.story(lambda x, y: x * y + x, 2.0, 3.0).told
    assert told.corrections[0].truth == (
        "It gives one number, the derivative along (1, ..., 1), which is their sum: 6. The partial "
        "derivatives are d/dx = 4, d/dy = 2, a sweep each."
    )


def test_the_wrong_sum_within():
    def f(x):
        y = 2 * x
        return y * y + 3 * y

    truth = qd.story(f, 1.0).told.corrections[0].truth
    assert truth.startswith("v1 is used 3 times. Its gradient is the sum, 3 + 2 + 2 = 7, ")
    assert truth.endswith("counts terms again: 3 + (3 + 2) + (3 + 2 + 2) = 15.")


class Hasty:
    """A value that passes on its running total whenever a term arrives, last operand first."""

    def __init__(self, value, *operands):
        self.value, self.operands, self.total, self.passed = value, operands, 0.0, 0.0

    def arrives(self, term):
        self.total += term
        self.passed += self.total
        for operand, slope in reversed(self.operands):
            operand.arrives(self.total * slope)


def test_the_wrong_sum_is_what_such_a_sweep_gives():
    x = Hasty(1.0)
    y = Hasty(2.0, (x, 2.0))
    square = Hasty(4.0, (y, 2.0), (y, 2.0))
    scaled = Hasty(6.0, (y, 3.0))
    Hasty(10.0, (square, 1.0), (scaled, 1.0)).arrives(1.0)
    assert (y.total, y.passed, x.total) == (7.0, 15.0, 2 * 15.0)


def test_the_last_term_alone():
    truth = qd.story(thrice, 1.2).told.corrections[-1].truth
    assert "1 + 0.932 + 0.4348 = 2.367" in truth
    assert truth.endswith("would leave the last term alone, 0.4348.")


def test_of_arrays_one_element_is_told():
    told = qd.story(lambda x: np.sum(x * x + x), np.array([1.0, 5.0, 2.0])).told
    assert told.corrections[-1].truth.startswith(
        "x[1] is used 3 times, and what arrives is added: 1 + 5 + 5 = 11."
    )


def test_many_terms_are_not_all_written():
    def f(x):
        total = x * 1.0
        for k in range(2, 40):
            total = total + x * k
        return total

    assert "+ ... +" in qd.story(f, 1.0).told.corrections[-1].truth


@pytest.mark.parametrize(
    "f, x, note",
    [
        (lambda x: np.abs(x), 0.0, "np.abs(x) (test_corrections.py:"),
        (lambda x: np.maximum(x, 0.0) * 3 + x, 0.0, "a tie shares the derivative equally"),
        (lambda x: np.log(x), -1.0, "the function itself is not finite"),
        (lambda x: np.sqrt(x) + x, 0.0, "the derivative is not finite"),
        (lambda x: qd.stop_gradient(x).item() * x, 2.0, "item() (test_corrections.py:"),
        (lambda x: qd.stop_gradient(x) * x, 2.0, "the two-sided limit is far off"),
        (lambda x: 1 / x, 1e-10, "the two-sided limit is far off"),
    ],
)
def test_notes_say_where_limits_mislead(f, x, note):
    assert note in " ".join(qd.story(f, x).told.notes[:-1])


def test_a_plain_function_has_one_note():
    assert len(qd.story(thrice, 1.2).told.notes) == 1


def test_a_restless_function():
    random = np.random.default_rng(0)
    told = qd.story(lambda x: x * x * random.random(), 1.5).told
    assert "another value each time" in told.notes[0]
    assert [c.error.split()[1] for c in told.corrections] == ["gradient"]


def test_at_a_kink_chained_limits_are_not_compared():
    assert errors(lambda x: np.abs(x) * 2.0, 0.0) == []
