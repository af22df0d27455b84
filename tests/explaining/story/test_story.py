"""The story: numbers that are checked by themselves, and texts as they were reviewed."""

import dataclasses
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.errors import GradientError
from qiudao.explaining.story.formulas import SLOPES

HERE = Path(__file__).parent


def thrice(x):
    return np.sin(x) * x + x


def network(x, w, b):
    h = np.tanh(w @ x + b)
    return np.sum(h**2)


X, W, B = np.array([0.5, -0.2]), np.array([[0.3, -0.4], [0.1, 0.7], [-0.6, 0.2]]), np.zeros(3)


def ways(told):
    return {row.way: row for row in told.told.rows}


def test_each_way_and_its_cost():
    found = ways(qd.story(network, X, W, B))
    exact = np.concatenate([g.reshape(-1) for g in qd.grad(network, argnums=(0, 1, 2))(X, W, B)])
    np.testing.assert_array_equal(found["reverse sweep"].gradient, exact)
    np.testing.assert_allclose(found["forward sweeps"].gradient, exact, rtol=1e-14)
    assert 0 < found["limit, two-sided"].error < 1e-8
    assert found["limit, two-sided"].error < found["limit, one-sided"].error < 1e-6
    assert found["limits, chained"].error < 1e-6
    assert [found[k].evaluations for k in found] == [12, 22, 1, 1, 1]
    assert found["reverse sweep"].operations == 2 * 5
    assert found["forward sweeps"].operations == 12 * 5


def test_the_v_of_the_limits():
    curve = qd.story(thrice, 1.2).told.curve
    one, two = curve.best
    assert 1e-9 < one < 1e-7
    assert 1e-6 < two < 1e-4
    errors = [p.one_sided for p in curve.points]
    assert errors[0] > 1e-3
    assert errors[-1] > 1e-3
    assert min(errors) < 1e-7


def test_the_chain_rule_in_symbols_and_numbers():
    chain = qd.story(thrice, 1.2).told.chain
    assert [link.symbol for link in chain.links] == ["v1", "v2", "v3"]
    (cosine,) = chain.links[0].factors
    assert (cosine.text, cosine.number) == ("cos(x)", "0.36236")
    last = chain.sums[-1]
    assert last.symbol == "x"
    assert last.terms == ["1", "0.93204", "0.43483"]
    assert last.total == "2.3669"


def test_every_formula_is_the_slope():
    for name, formulas in SLOPES.items():
        function = getattr(np, name, None)
        if name == "sum":
            continue
        points = [0.3, 0.7][: len(formulas)]
        value = function(*points)
        for position, (text, _) in enumerate(formulas):
            names = dict(zip("ab", map(repr, points), strict=False), v=repr(float(value)))
            got = eval(text.format(**names), {k: getattr(np, k) for k in dir(np)})
            exact = qd.grad(function, argnums=position)(*points)
            assert got == pytest.approx(exact, rel=1e-14), (name, position)


def test_errors_are_corrected_with_this_functions_numbers():
    errors = [c.error for c in qd.story(network, X, W, B).told.corrections]
    assert len(errors) == 2
    assert "chained" in errors[0]
    assert "all tangents 1" in errors[1]
    (_, twice) = qd.story(thrice, 1.2).told.corrections
    assert "1 + 0.932 + 0.4348 = 2.367" in twice.truth
    assert "= 5.299" in twice.truth


def test_the_sum_of_the_partials_is_the_derivative_along_ones():
    told = qd.story(lambda x, y: x * y + x, 2.0, 3.0)
    (_, ones, _) = told.told.corrections
    assert "(1, ..., 1): 6; the partials are d/dx = 4, d/dy = 2" in ones.truth


def test_long_functions_are_outlined():
    def long(x):
        for _ in range(500):
            x = np.sin(x) + 0.1
        return x

    told = qd.story(long, 0.5)
    assert len(told.told.chain.links) == 24
    assert told.told.chain.left_out == 1000 - 24
    assert len(told.latex()) < 20_000


def test_large_inputs_leave_out_what_would_take_too_long():
    found = ways(qd.story(lambda x: np.sum(np.sin(x)), np.linspace(0, 1, 3000)))
    assert found["limit, one-sided"].note == "too many evaluations"
    assert found["forward sweeps"].note == "too many sweeps"
    assert "more than 64" in found["limits, chained"].note
    assert found["reverse sweep"].gradient.shape == (3000,)


def test_outputs_that_are_arrays_and_complex_inputs():
    found = ways(qd.story(lambda x: np.exp(x), np.array([0.0, 1.0])))
    np.testing.assert_allclose(found["limit, two-sided"].gradient, np.exp([0.0, 1.0]), rtol=1e-9)


def reviewed(story):
    """The text without what differs from machine to machine: times, and the last bits of errors."""
    rows = [dataclasses.replace(r, seconds=1e-3, error=r.error and 1e-9) for r in story.told.rows]
    story.told = story.told._replace(rows=rows, curve=None, corrections=story.told.corrections[1:])
    return story.text(width=96)


@pytest.mark.parametrize("name, make", [
    ("thrice", lambda: qd.story(thrice, 1.2)),
    ("network", lambda: qd.story(network, X, W, B)),
])  # fmt: skip
def test_text_is_as_reviewed(name, make):
    pytest.importorskip("rich")
    assert reviewed(make()) == (HERE / f"{name}.txt").read_text(encoding="utf-8")


def test_the_page_is_well_formed_and_escapes():
    def f(p):
        return sum(v * v for v in p.values())

    page = qd.story(f, {"<b>&": 1.0, "</script>": 2.0}).html()
    assert "<b>&" not in page
    assert page.count("<script") == 0
    svg = re.search(r"<svg.*?</svg>", page, re.DOTALL).group()
    ET.fromstring(svg)


def test_latex_is_balanced():
    made = qd.story(network, X, W, B).latex()
    assert made.count(r"\begin{align*}") == made.count(r"\end{align*}") == 3
    depth = 0
    for before, letter in zip(" " + made, made, strict=False):
        depth += (letter == "{") - (letter == "}") if before != "\\" else 0
        assert depth >= 0
    assert depth == 0
    assert r"\frac{\partial v_{1}}" in made


def test_plain_data_and_files(tmp_path):
    told = qd.story(thrice, 1.2)
    made = json.loads(json.dumps(told.json(), allow_nan=False))
    assert [w["way"] for w in made["ways"]][-1] == "reverse sweep"
    for ending in ("html", "tex", "txt", "json"):
        told.save(tmp_path / f"s.{ending}")
        assert (tmp_path / f"s.{ending}").stat().st_size > 300
    assert told._repr_html_().startswith("<iframe")


def test_what_has_no_story():
    with pytest.raises(GradientError, match="depends on an input"):
        qd.story(np.floor, 1.5)
