"""The story as text, page, LaTeX and data."""

import dataclasses
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import qiudao as qd
from explaining.story.functions import B, W, X, chain, network, recurrent, thrice
from qiudao.core.errors import GradientError

SNAPSHOTS = Path(__file__).parent / "snapshots"


def at_noon(told):
    """The story with every time 125 us."""
    rows = [dataclasses.replace(row, seconds=125e-6) for row in told.told.rows]
    told.told = told.told._replace(rows=rows)
    return told


STORIES = {
    "chain": lambda: qd.story(chain, 3.0),
    "recurrent": lambda: qd.story(recurrent, 0.3, 0.9),
}


@pytest.mark.skipif(
    np.finfo(np.longdouble).eps >= np.finfo(float).eps, reason="the texts tell of more digits"
)
@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("name", STORIES)
def test_text_is_as_reviewed(name, width):
    made = at_noon(STORIES[name]()).text(width)
    assert made == (SNAPSHOTS / f"{name}-{width}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [30, 40, 72, 80, 120])
def test_text_keeps_to_its_width(width):
    for told in (qd.story(network, X, W, B), qd.story(recurrent, 0.3, 0.9)):
        assert max(map(len, told.text(width).splitlines())) <= max(width, 40)


def test_text_needs_no_library(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "rich", None)
    assert str(qd.story(thrice, 1.2)).startswith("The derivative of thrice(x)\nat x = 1.2\n")


def test_colour_only_marks_words():
    told = at_noon(qd.story(thrice, 1.2))
    coloured = told.text(colour=True)
    assert "\x1b[1mThe ways to it\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\dm", "", coloured) == told.text()


class Checker(HTMLParser):
    """Closes what is open, in order."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_startendtag(self, tag, attrs):
        """A tag that closes itself."""

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("make", [
    *STORIES.values(), lambda: qd.story(network, X, W, B), lambda: qd.story(np.sqrt, 0.0),
])  # fmt: skip
def test_the_page_is_well_formed(make):
    page = make().html()
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ET.fromstring(svg)
    assert "http" not in page.replace("http-equiv", "")


def test_the_page_escapes():
    def f(p):
        return sum(v * v for v in p.values())

    page = qd.story(f, {"<b>&": 1.0, "</script>": 2.0}).html()
    assert "<b>&" not in page
    assert "<script" not in page
    assert "</script" not in page


def test_latex_is_balanced():
    made = qd.story(network, X, W, B).latex()
    assert made.count(r"\begin{align*}") == made.count(r"\end{align*}") == 2
    depth = 0
    for before, letter in zip(" " + made, made, strict=False):
        depth += (letter == "{") - (letter == "}") if before != "\\" else 0
        assert depth >= 0
    assert depth == 0
    assert r"\frac{\partial v_{1}}{\partial w}" in made
    assert "At x = [0.5, -0.2]" in made


def hostile(θ, p):
    return np.exp(-(θ**2) / 2) * p["</script>"] + abs(θ) / p["rate_a%"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")
@pytest.mark.parametrize("make", [
    *STORIES.values(),
    lambda: qd.story(network, X, W, B),
    lambda: qd.story(hostile, 0.7, {"</script>": 2.0, "rate_a%": 1.5}),
    lambda: qd.story(lambda z: np.abs(np.exp(z)) ** 2, 0.3 + 0.4j),
])  # fmt: skip
def test_latex_compiles(make, tmp_path):
    make().save(tmp_path / "story.tex")
    ran = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "story.tex"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-2000:]
    assert "Overfull" not in ran.stdout


def test_plain_data():
    made = json.loads(json.dumps(qd.story(thrice, 1.2).json(), allow_nan=False))
    assert list(made) == [
        "title", "point", "names", "ways", "notes", "curve", "chain", "corrections",
    ]  # fmt: skip
    assert [w["way"] for w in made["ways"]][-1] == "reverse sweep"
    assert made["curve"]["theory"]["one_sided"] == np.finfo(float).eps ** 0.5
    assert made["chain"]["values"][0]["slopes"][0]["text"] == "cos(x)"
    assert made["chain"]["adjoints"][-1]["total"] == "2.3669"


def test_numbers_that_are_not_finite_are_words_in_json():
    made = json.loads(json.dumps(qd.story(np.sqrt, 0.0).json(), allow_nan=False))
    assert made["ways"][-1]["gradient"] == ["inf"]


def test_files(tmp_path):
    told = qd.story(thrice, 1.2)
    for ending in ("html", "tex", "txt", "json"):
        told.save(tmp_path / f"s.{ending}")
        assert (tmp_path / f"s.{ending}").stat().st_size > 300
    assert told._repr_html_().startswith("<iframe")
    assert repr(told) == "Story(thrice(x))"


def test_what_has_no_story():
    with pytest.raises(GradientError, match="depends on an input"):
        qd.story(np.floor, 1.5)


def test_nothing_stays_and_nothing_changes():
    x = np.array([0.5, 0.7])
    before = qd.grad(lambda x: np.sum(np.sin(x)))(x)
    qd.story(lambda x: np.sum(np.sin(x)), x)
    np.testing.assert_array_equal(qd.grad(lambda x: np.sum(np.sin(x)))(x), before)
    assert x.tolist() == [0.5, 0.7]


def test_errors_of_a_gradient_of_zero_are_said_to_be_what_they_are():
    def note(f, x):
        return qd.story(f, x).told.notes[-1]

    assert "of an element, against" in note(lambda x: 0.0 * x, 2.0)  # of 0 there is no part
    assert "relative to |f| / max(|x|, 1), against" in note(lambda x: 0.0 * x + 5.0, 2.0)
