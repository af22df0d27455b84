import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest

pytest.importorskip("rich")

MODEL = """
import numpy as np


def loss(x, y):
    return np.sum(np.sin(x) * y)


def broken(x):
    return x @ np.ones(7)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model_to_explain.py").write_text(MODEL)
    np.savez(tmp_path / "point.npz", x=np.array([0.5, 1.0]), y=2.0)
    return tmp_path


def test_an_expression_is_a_table(qiudao):
    ran = qiudao("explain", "sin(x)*x + x**2", "--at", "x=1.2")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == "sin(x)*x + x**2"
    assert lines[3].split() == ["x", "1.2", "3.7669"]
    assert "used in sin(x)*x" in lines[5]


def test_a_function_at_a_file_is_written_as_it_is_asked(qiudao, here):
    for kind in ("svg", "json", "dot"):
        ran = qiudao("explain", "model_to_explain:loss", "--at", "point.npz", f"--{kind}", "g")
        assert (ran.code, ran.out) == (0, f"wrote g.{kind}\n")
    ET.parse(here / "g.svg")
    made = json.loads((here / "g.json").read_text())
    assert made["title"] == "model_to_explain:loss"
    assert made["values"][0]["name"] == "x"


def test_without_a_file_it_is_printed(qiudao):
    ran = qiudao("explain", "x**2", "--at", "x=3", "--svg")
    assert (ran.code, ran.out[:4]) == (0, "<svg")
    ET.fromstring(ran.out)
    ran = qiudao("explain", "x**2", "--at", "x=3", "--json")
    assert json.loads(ran.out)["title"] == "x**2"
    ran = qiudao("explain", "x**2", "--at", "x=3", "--latex")
    assert ran.out.startswith("\\documentclass")


def test_whole_numbers_in_an_expression_are_floats_and_places_are_not(qiudao):
    ran = qiudao("explain", "x[1]**2 + sum(x, axis=0)", "--at", "x=[1,3]")
    assert ran.code == 0
    assert "13" in ran.out


def test_mistakes_are_one_line(refused, here):
    assert "no value for y" in refused("explain", "x*y", "--at", "x=1")
    assert "has no variable z" in refused("explain", "x*2", "--at", "x=1", "--at", "z=1")
    assert "no variable to differentiate by" in refused("explain", "1 + 2")
    assert "not an expression" in refused("explain", "x+", "--at", "x=1")
    assert "no module named nowhere" in refused("explain", "nowhere:f", "--at", "x=1")
    assert "stopped with ShapeError: matmul" in refused(
        "explain", "model_to_explain:broken", "--at", "x=[1,2]"
    )
    assert "cannot write" in refused(
        "explain", "x*2", "--at", "x=1", "--svg", "missing_folder/g.svg"
    )


@pytest.mark.parametrize("command", [("explain", "--html"), ("story", "--html")])
def test_a_folder_is_no_file(refused, command):
    name, kind = command
    complaint = refused(name, "x**2", "--at", "x=3", kind, ".")
    assert complaint == f"qiudao {name}: cannot write .: it is a folder; name a file"


def test_a_variable_that_is_given_twice(refused, tmp_path):
    np.savez(tmp_path / "p.npz", x=1.0)
    complaint = refused("explain", "x**2", "--at", str(tmp_path / "p.npz"), "--at", "x=3")
    assert complaint.endswith("x was given before; give each variable once")


def test_a_name_with_a_dot_keeps_all_of_it(qiudao, here):
    (here / "report.html").write_text("another's")
    ran = qiudao("explain", "x**2", "--at", "x=3", "--html", "report.v2")
    assert (ran.code, ran.out) == (0, "wrote report.v2.html\n")
    assert (here / "report.html").read_text() == "another's"
    ran = qiudao("story", "x**2", "--at", "x=3", "--html", "told.HTML")
    assert (ran.code, ran.out) == (0, "wrote told.HTML\n")
