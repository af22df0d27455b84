"""Values, results and functions that are none of the usual ones, held against what is known."""

import json
import math

import numpy as np
import pytest

import qiudao as qd


def all_ways(shown):
    """What an explained graph can be made into."""
    json.dumps(shown.json(), allow_nan=False)
    return shown.html(), shown.svg(), shown.dot()


def test_results_that_are_no_numbers_stand_beside_those_that_are():
    def f(x):
        return "converged", x * x, None, {"by": object()}

    shown = qd.explain(f, 3.0)
    all_ways(shown)
    assert shown.graph.inputs[0].gradient == 6.0
    texts = [v["value"]["text"] for v in shown.json()["values"]]
    assert texts == ["3", "9", "'converged'", "object"]
    assert qd.why(f, 3.0).ok
    assert qd.profile(f, 3.0, compiled=False).lines[0].operations == 1


def test_arrays_of_objects_are_constants():
    shown = qd.explain(lambda x, y: y * 2.0, np.array([1.0, None], dtype=object), 3.0)
    all_ways(shown)
    assert [v.name for v in shown.graph.inputs] == ["y"]
    shown = qd.explain(lambda x: x, np.array([1.0, None], dtype=object))
    all_ways(shown)
    assert shown.json()["values"][0]["value"]["text"] == "object"


def test_extended_precision_is_data_too():
    pytest.importorskip("rich")
    shown = qd.explain(lambda x: np.sum(x * x), np.array([1.0, 2.0], np.longdouble))
    all_ways(shown)
    assert shown.json()["values"][0]["gradient"]["entries"] == [2.0, 4.0]


def test_an_empty_array_has_a_story_and_nothing_to_ask_about():
    told = qd.story(lambda x: np.sum(x * x), np.zeros(0))
    assert [w["gradient"] for w in told.json()["ways"]] == [[]] * 5
    (finding,) = qd.why(lambda x: np.sum(x * x), np.zeros(0)).findings
    assert finding.is_healthy
    assert finding.sentence == "there is nothing to ask about: it is []"


def test_rounding_of_other_precisions_is_counted_in_their_bits():
    for kind in (np.float16, np.float32, np.float64, np.longdouble):
        report = qd.rounding(lambda x: x * x, kind(3.3))
        assert report.bits == 0.0  # a single rounding
        assert report.dtype == kind
    lost = qd.rounding(lambda x: (x + np.float32(1e4)) - np.float32(1e4), np.float32(0.1))
    assert 15 < lost.bits < 19  # of 24: 1e4 takes 14 bits, and 0.1 begins 4 behind the point


def test_rounding_of_a_nan_is_not_known():
    report = qd.rounding(lambda x: np.sum(np.log(x)), np.array([-1.0, 0.0, 1.0]))
    assert math.isnan(report.bits)


def test_lifted_functions_are_explained_like_others():
    @qd.lift
    def f(x, y):
        B = np.zeros(2)
        B[0] = math.cos(x)
        B[1] = math.sin(y) * y
        total = 0.0
        for k in range(2):
            if x > 0.5:
                total += math.exp(x) * k
        return B @ np.array([1.0, 2.0]) + total

    at = 1.0, 2.0
    slopes = qd.grad(f, argnums=(0, 1))(*at)
    shown = qd.explain(f, *at)
    all_ways(shown)
    assert [v.gradient for v in shown.graph.inputs] == list(slopes)
    assert "math.sin(y)" in [v.expression for v in shown.graph.vertices]
    assert qd.why(f, *at).ok
    (branch,) = qd.branches(f, *at).branches
    assert (branch.condition, branch.distance) == ("x > 0.5", 0.5)
    assert max(w["error"] for w in qd.story(f, *at).json()["ways"]) < 1e-6
    assert qd.profile(f, *at, compiled=False).lines


def test_an_assignment_that_adds_reads_as_it_is_written():
    pytest.importorskip("rich")

    def f(x):
        y = x * 1.0
        y *= 2.0
        y[0] += x[1]
        y -= x * 3.0  # over several lines
        return np.sum(y)

    lines = qd.explain(f, np.ones(2)).text().splitlines()
    titles = [line.partition("  ")[0] for line in lines]
    for title in ("y = x * 1.0", "y *= 2.0", "y[0] += x[1]", "y -= x * 3.0"):
        assert title in titles
    svg = qd.explain(f, np.ones(2)).svg()
    assert "y *= 2.0" in svg
    assert "y = y *= 2.0" not in svg


def test_terms_that_are_negative_are_taken_away():
    pytest.importorskip("rich")
    text = qd.explain(lambda x: x * x - 3.0 * x, 1.0).text()
    assert "- 3" in text
    assert "+ -" not in text


def test_numbers_of_things_are_told_in_words_that_fit():
    pytest.importorskip("rich")
    x = qd.tensor([1.0, 2.0], requires_grad=True)
    y = np.sum(np.exp(x)[:1])
    assert "bytes kept for 3 operations" in str(qd.saved(y))
    assert "bytes kept for 1 operation\n" in str(qd.saved(x * x))
    y = np.sin(x[0])
    y.backward()
    assert "\n  1 operation was freed" in str(qd.saved(y))
    text = qd.explain(lambda x: np.sum(x), np.ones(20_000)).text()
    assert "takes 20,000 forward sweeps of 1 operation, or 1 backward of 1" in text


def test_a_table_of_no_width_is_as_narrow_as_can_be():
    pytest.importorskip("rich")
    shown = qd.explain(lambda x: x * 2.0, 3.0)
    for width in (0, 1, 20):
        assert shown.text(width=width) == shown.text(width=20)
