"""The chain rule in symbols and in numbers."""

import numpy as np
import pytest

import qiudao as qd
from explaining.story.functions import recurrent, thrice
from qiudao.explaining.story.formulas import FORMULAS, Operand, formula_of, slope_of
from qiudao.explaining.story.symbols import latex_name, latex_number, words


def links(f, *args):
    return {link.symbol: link for link in qd.story(f, *args).told.chain.links}


def test_symbols_and_numbers():
    chain = qd.story(thrice, 1.2).told.chain
    assert [(link.symbol, link.text) for link in chain.links] == [
        ("v1", "sin(x)"), ("v2", "v1*x"), ("v3", "v2 + x"),
    ]  # fmt: skip
    assert [link.words for link in chain.links][1:] == ["np.sin(x) * x", "np.sin(x) * x + x"]
    (cosine,) = chain.links[0].factors
    assert (cosine.of, cosine.by, cosine.text, cosine.number) == ("v1", "x", "cos(x)", "0.36236")
    last = chain.sums[-1]
    assert last.symbol == "x"
    assert [(p.reader, p.by, p.value) for p in last.products] == [
        ("v3", "x", "1"), ("v2", "x", "0.93204"), ("v1", "x", "0.43483"),
    ]  # fmt: skip
    assert last.total == "2.3669"


def test_a_value_that_an_operation_takes_twice():
    (link,) = links(lambda x: x * x, 3.0).values()
    assert [(f.by, f.use) for f in link.factors] == [("x", 1), ("x", 2)]
    told = qd.story(lambda x: x * x, 3.0)
    assert "adj(x) = adj(v1)*dv1/dx (use 1) + adj(v1)*dv1/dx (use 2) = 3 + 3 = 6" in told.text()


def test_constants_have_no_derivative():
    (first, second) = links(lambda x: x * x + 0.1, 3.0).values()
    assert [f.by for f in second.factors] == [first.symbol]


def test_powers_with_constant_exponents():
    found = links(lambda x: x**2 + x**3 + x**-2 + x**0.5 + 2.0**x, 1.5)
    shown = {link.text: link.factors[0].text for link in found.values() if "**" in link.text}
    assert shown == {
        "x**2": "2*x", "x**3": "3*x**2", "x**(-2)": "-2*x**(-3)",
        "x**0.5": "0.5*x**(-0.5)", "2**x": "v8*log(2)",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_formulas_are_what_the_operations_do(name):
    function = getattr(np, name)
    points = {"matmul": [np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, -1.0])],
              "sum": [np.float64(0.3)], "add": [0.3, 0.7]}  # fmt: skip
    xs = points.get(name) or [0.3, 0.7][: function.nin]
    operands = [Operand(letter, letter) for letter in "xy"[: len(xs)]]
    known = {k: getattr(np, k) for k in dir(np)} | dict(zip("xy", xs, strict=False))
    value = function(*xs)
    np.testing.assert_allclose(eval(formula_of(name, operands)[0], known), value, rtol=1e-14)
    known["v"] = value
    for position in range(len(FORMULAS[name]) - 1):
        text, _ = slope_of(name, position, operands, Operand("v", "v"))
        exact = qd.grad(function, argnums=position)(*xs)
        assert eval(text, known) == pytest.approx(exact, rel=1e-14)


def test_long_functions_are_outlined():
    def long(x):
        for _ in range(500):
            x = np.sin(x) + 0.1
        return x

    told = qd.story(long, 0.5)
    chain = told.told.chain
    assert len(chain.links) < 30
    assert sum(link.many or 1 for link in chain.links) == 1000
    assert [link.text for link in chain.links[-2:]] == ["sin(v5)", "v6 + 0.1"]
    assert len(told.text().splitlines()) < 90
    assert len(told.latex()) < 20_000


def test_terms_through_what_is_not_written_out_are_one_sum():
    sums = {s.symbol: s for s in qd.story(recurrent, 0.3, 0.9).told.chain.sums}
    exact = qd.grad(recurrent, argnums=(0, 1))(0.3, 0.9)
    for name, g in zip("xw", exact, strict=True):
        products = sums[name].products
        assert sum(p.many for p in products) == 60 + (2 + 1) * (name == "x")
        assert sum(float(p.value) for p in products) == pytest.approx(float(g), rel=1e-4)


def test_straight_functions_are_outlined_too():
    source = "def f(x):\n    y = x\n" + "    y = np.sin(y) * x\n" * 300 + "    return y\n"
    space = {"np": np}
    exec(compile(source, "<written>", "exec"), space)
    chain = qd.story(space["f"], 0.5).told.chain
    assert len(chain.links) < 30
    assert sum(link.many or 1 for link in chain.links) == 600


def test_several_results():
    found = links(lambda a: np.linalg.svd(a)[1][0], np.array([[3.0, 1.0], [2.0, 0.0]]))
    assert found["v2"].text == "v1[1]"


def test_a_function_called_by_itself_has_no_words():
    (link,) = links(np.tanh, 0.3).values()
    assert (link.text, link.words) == ("tanh(x)", "")


def test_latex_of_names_and_numbers():
    assert [latex_name(n) for n in ("v12", "x", "θ", "Ω", "w[0, 1]", "rate_a", "-0.5", "1e-7")] == [
        "v_{12}", "x", r"\theta", r"\Omega", "w_{0, 1}", r"\text{rate\_a}", "-0.5",
        r"1\cdot 10^{-7}",
    ]  # fmt: skip
    assert latex_number("[1, 2]") == r"\text{[1, 2]}"
    assert words(r"a_b{c}\d θ < 50%") == (
        r"a\_b\{c\}\textbackslash{}d \ensuremath{\theta} \textless{} 50\%"
    )
