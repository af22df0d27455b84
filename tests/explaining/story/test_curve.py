"""The V of the limits."""

import math

import numpy as np

import qiudao as qd
from explaining.story.functions import thrice


def test_the_v_of_the_limits():
    curve = qd.story(thrice, 1.2).told.curve
    one, two = curve.best
    assert 1e-9 < one.step < 1e-7
    assert 1e-6 < two.step < 1e-4
    errors = [p.one_sided for p in curve.points]
    assert errors[0] > 1e-3
    assert errors[-1] > 1e-3
    assert min(errors) < 1e-7
    assert curve.points[0].two_sided < curve.points[0].one_sided


def test_lucky_steps_make_no_holes():
    """At x = 3 and x = 1 single steps give the very derivative of x**3; its neighbours do not."""
    for x in (1.0, 3.0):
        curve = qd.story(lambda x: x * x * x, x).told.curve
        assert all(p.one_sided > 1e-9 for p in curve.points if p.step > 1e-8)


def test_theory_is_of_the_functions_precision():
    curve = qd.story(lambda x: np.sin(x) * x, np.float32(1.2)).told.curve
    assert curve.theory[0] == float(np.finfo(np.float32).eps) ** 0.5
    assert 1e-5 < curve.best[0].step < 1e-2
    assert curve.points[-1].step > 1e-9  # below, x + h is x


def test_the_element_with_something_to_see():
    told = qd.story(lambda a, x: 3 * a + np.sin(x), 1.0, 0.5).told
    assert told.names[told.curve.element] == "x"  # although the derivative by a is larger


def test_steps_that_leave_the_domain_break_the_line():
    told = qd.story(np.sqrt, 1e-9)
    assert math.isnan(told.told.curve.points[0].two_sided)
    assert "nan" not in told.html()[told.html().index("<svg") : told.html().index("</svg>")]
    assert "meets a pole (limit, two-sided)" in told.told.notes[0]


def test_no_curve_where_all_derivatives_are_zero():
    told = qd.story(lambda x: x * 0.0, 1.0)
    assert told.told.curve is None
    assert "<svg" not in told.html()
    assert "by its step" not in told.text()
