import numpy as np
import pytest

pytest.importorskip("rich")


def test_a_story_is_text(qiudao):
    ran = qiudao("story", "sin(x)*x + x**2", "--at", "x=1.2")
    assert ran.code == 0
    assert ran.out.startswith("The derivative of sin(x)*x + x**2\nat x = 1.2\n")
    assert "reverse sweep" in ran.out


def test_a_story_is_written_as_it_is_asked(qiudao, tmp_path):
    for kind, ending in (("html", "html"), ("latex", "tex")):
        path = tmp_path / f"story.{ending}"
        ran = qiudao("story", "-x**2", "--at", "x=1.2", f"--{kind}", str(path))
        assert (ran.code, ran.out) == (0, f"wrote {path}\n")
        assert path.stat().st_size > 500


def test_mistakes_of_a_story_are_one_line(refused, tmp_path):
    assert "no value for x" in refused("story", "x*2")
    assert "depends on an input" in refused("story", "floor(x)", "--at", "x=1.5")
    assert "cannot write" in refused(
        "story", "x*2", "--at", "x=1", "--html", str(tmp_path / "missing" / "s.html")
    )


def test_why_answers_with_its_exit_code(qiudao):
    with np.errstate(all="ignore"):
        ran = qiudao("why", "sum(sqrt(x))", "--at", "x=[0, 1]")
    assert ran.code == 1
    assert ran.out.startswith("x: the gradient has an infinity")
    assert "np.where" in ran.out
    ran = qiudao("why", "sum(x**2)", "--at", "x=[0, 1]")
    assert (ran.code, ran.out) == (0, "x: nothing is wrong: the gradient is [0, 2]\n")
