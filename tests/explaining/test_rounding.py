"""Rounding to first order: bounds that hold against exact arithmetic, lines that may be single."""

import math

import numpy as np
import pytest
from mpmath import mp, mpf

import qiudao as qd
from qiudao.core.errors import GradientError

mp.dps = 60


def root(a, b, c, sqrt):
    d = b * b - 4.0 * a * c
    return (-b + sqrt(d)) / (2.0 * a)


def horner(x, sqrt):
    total = 1.0 + 0.0 * x
    for k in range(1, 20):
        total = total * x + (-1.0) ** k / k
    return total + sqrt(x)


def cancelled(x, y, sqrt):
    return (x + y) - x + sqrt(y) * x


@pytest.mark.parametrize("f, args", [
    (root, (1.0, 1e5, 1.0)),
    (root, (0.3, 2.7, 1.1)),
    (root, (1.0, 1e7, 3.0)),
    (horner, (0.7,)),
    (horner, (1.3,)),
    (cancelled, (1e8, 0.1)),
    (cancelled, (3.0, 0.2)),
])  # fmt: skip
def test_the_bound_holds_and_is_not_idle(f, args):
    report = qd.rounding(lambda *xs: f(*xs, sqrt=np.sqrt), *args)
    exact = f(*map(mpf, args), sqrt=mp.sqrt)
    computed = f(*map(np.float64, args), sqrt=np.sqrt)
    error = abs(float(exact - mpf(float(computed))))
    assert error <= report.error
    assert report.error <= 1e4 * max(error, abs(float(exact)) * 2.0**-53)


def variance(x):
    m = np.mean(x)
    s = np.mean(x**2)
    return s - m**2


def test_cancellation_is_attributed_to_its_lines():
    report = qd.rounding(variance, 1e4 + np.arange(5.0))
    assert report.bits > 25
    assert [r.line.text for r in report.lines[:2]] == ["m = np.mean(x)", "s = np.mean(x**2)"]
    assert math.fsum(r.share for r in report.lines) == pytest.approx(1.0)
    assert not report.lines[0].can_be_single


def test_cancellation_within_a_sum_shows():
    x = np.array([1e16, 1.0, -1e16])
    report = qd.rounding(lambda x: np.sum(x) + 2.0, x)
    assert report.error > 1.0


def test_lines_that_may_be_single():
    def f(x):
        big = np.exp(x)
        small = np.sin(x) * 1e-9
        return big + small

    kinds = {r.line.text: r.can_be_single for r in qd.rounding(f, 1.0).lines}
    assert kinds == {"big = np.exp(x)": True, "small = np.sin(x) * 1e-9": True,
                     "return big + small": True}  # fmt: skip
    kinds = {r.line.text: r.can_be_single for r in qd.rounding(f, 1.0, tolerance=1e-12).lines}
    assert kinds == {"big = np.exp(x)": False, "small = np.sin(x) * 1e-9": True,
                     "return big + small": False}  # fmt: skip


def test_the_condition_of_the_function_itself():
    assert qd.rounding(lambda x: x**3, 2.0).condition == pytest.approx(3.0)


def test_copies_and_choices_round_nothing():
    report = qd.rounding(lambda x: np.max(np.reshape(x, (2, 2))[0]) * 1.0, np.arange(4.0))
    assert [r.operations for r in report.lines] == [1]


def test_a_result_of_zero_has_lost_all():
    report = qd.rounding(lambda x: (x + 1.0) - (1.0 + x), 0.1)
    assert report.bits == math.inf


def test_what_it_cannot_judge_is_refused():
    with pytest.raises(GradientError, match="one real number"):
        qd.rounding(lambda x: x * 2, np.ones(2))
    with pytest.raises(GradientError, match="one real number"):
        qd.rounding(lambda x: (x, x), 1.0)
    with pytest.raises(GradientError, match="depends on no input"):
        qd.rounding(lambda x: 1.0, 1.0)


def test_the_table_reads():
    text = str(qd.rounding(variance, 1e4 + np.arange(5.0)))
    assert text.splitlines()[0].startswith("rounding of variance(x) = 2: at most ")
    assert "test_rounding.py" in text
