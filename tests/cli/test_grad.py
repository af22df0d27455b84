import numpy as np
import pytest

from qiudao.cli.expression import parse
from qiudao.cli.grad import differentiate, read_point

pytest.importorskip("rich")


def answer(text, *assignments):
    return differentiate(parse(text), read_point(list(assignments)))


def test_the_polynomial_of_the_study():
    found = answer("3*x**2 - 4*x + 5", "x=3")
    assert found.value == 20.0
    assert float(found.partials["x"]) == 14.0


def test_several_variables_in_the_order_they_were_given():
    found = answer("sum(sin(x) * y)", "y=[1, 2]", "x=pi/6")
    assert list(found.partials) == ["y", "x"]
    np.testing.assert_allclose(found.partials["y"], [0.5, 0.5])
    np.testing.assert_allclose(found.partials["x"], 3 * np.cos(np.pi / 6))


def test_a_matrix():
    found = answer("sum(A @ v)", "A=[[1,2],[3,4]]", "v=[5,6]")
    np.testing.assert_array_equal(found.partials["A"], [[5, 6], [5, 6]])
    np.testing.assert_array_equal(found.partials["v"], [4, 6])


def test_whole_numbers_are_read_as_floats():
    assert read_point(["x=3"])["x"].dtype == np.float64


def test_what_is_flat_has_gradient_zero():
    found = answer("floor(x)", "x=2.5")
    assert found.value == 2.0
    assert float(found.partials["x"]) == 0.0


def test_a_masked_lane_adds_nothing():
    assert float(answer("where(x > 0, log(x), x)", "x=0").partials["x"]) == 1.0


def test_it_prints_value_and_partials(qiudao):
    ran = qiudao("grad", "3*x**2 - 4*x + 5", "--at", "x=3")
    assert ran.code == 0
    assert ran.err == ""
    lines = [line.split() for line in ran.out.splitlines()]
    assert ["f", "20"] in lines
    assert ["df/dx", "14", "x", "=", "3"] in lines


def test_an_expression_may_begin_with_a_minus(qiudao):
    ran = qiudao("grad", "-x**2", "--at", "x=-3")
    assert ran.code == 0
    assert "df/dx   6" in ran.out


@pytest.mark.parametrize("pole", ["sqrt(x)", "x/0 + log(x)", "1/x"])
def test_a_pole_is_said_to_be_one(qiudao, pole):
    ran = qiudao("grad", pole, "--at", "x=0")
    assert ran.code == 0
    assert "inf" in ran.out
    assert "Not finite" in ran.out


@pytest.mark.parametrize(
    "words, complaint",
    [
        (["x +", "--at", "x=1"], "is not an expression"),
        (["x*y", "--at", "x=1"], "no value for y; add --at y=..."),
        (["x*y"], "no value for x; add --at x=..."),
        (["x", "--at", "x=1", "--at", "z=1"], "has no variable z"),
        (["x", "--at", "x=1", "--at", "x=2"], "x was given before"),
        (["x", "--at", "x"], "expected NAME=VALUE"),
        (["x", "--at", "x="], "expected NAME=VALUE"),
        (["x", "--at", "1=x"], "expected NAME=VALUE"),
        (["x", "--at", "x=abc"], "abc is not a number"),
        (["x", "--at", "x=1>2"], "expected real numbers, got bool"),
        (["x", "--at", "x=[1,[2,3]]"], "same shape"),
        (["x*[1,2]", "--at", "x=1"], "a gradient needs one number, as in sum(x*[1,2])"),
        (["x > 1", "--at", "x=1"], "is bool; only a real number has a gradient"),
        (["argmax(x)", "--at", "x=[1,2]"], "is int64; only a real number has a gradient"),
        (["x * (-8)**(1/3)", "--at", "x=1"], "is complex128; only a real number"),
        (["pi", "--at", "x=1"], "has no variable to differentiate by"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(refused, words, complaint):
    assert complaint in refused("grad", *words)
