"""The terms of a gradient, and what a tape keeps."""

import json

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.errors import GradientError


def test_the_terms_sum_to_the_gradient():
    x = qd.tensor([1.0, 2.0], requires_grad=True)
    h = np.sin(x)
    y = (h * h + h * x).sum()
    found = qd.contributions(y, x)
    (expected,) = qd.grad(y, x, retain_graph=True)
    np.testing.assert_allclose(sum(t.term for t in found.terms), expected.numpy(), rtol=1e-15)
    np.testing.assert_array_equal(found.gradient, expected.numpy())
    assert [t.expression for t in found.terms] == ["h * x", "np.sin(x)"]
    assert sum(t.share for t in found.terms) == pytest.approx(1.0)


def test_a_value_that_was_computed():
    x = qd.tensor(3.0, requires_grad=True)
    h = x * 2.0
    found = qd.contributions(h * h + h, h)
    assert found.value == "h"
    assert [(t.position, float(t.term)) for t in found.terms] == [(1, 1.0), (0, 6.0), (1, 6.0)]
    lines = str(found).splitlines()
    assert lines[0] == "gradient of h = 13"
    assert "through h * h" in lines[2]
    assert json.loads(json.dumps(found.json()))["gradient"] == 13.0


def test_values_of_an_explained_function_by_name():
    def f(x):
        h = np.sin(x)
        return h * h + x

    shown = qd.explain(f, 1.2)
    assert [t.expression for t in shown.contributions("x").terms] == ["h * h + x", "np.sin(x)"]
    (left, right) = shown.contributions("h").terms
    assert left.share == right.share == 0.5
    assert shown.contributions("np.sin(x)").value == "h"
    with pytest.raises(GradientError, match="no value is called 'q'; ask for one of x, h"):
        shown.contributions("q")


def test_turns_of_loops_and_long_tables():
    def f(x):
        total = 0.0
        for k in range(40):
            total = total + k * x
        return total

    found = qd.explain(f, 2.0).contributions("x")
    assert {t.turn for t in found.terms} == {f"k = {k}" for k in range(40)}
    lines = str(found).splitlines()
    assert len(lines) == 1 + 24 + 1
    assert "through k * x" in lines[1]
    assert lines[1].endswith(", k = 39")
    assert lines[-1] == "  + 16 more terms, 15.4 % together"


def test_the_table_is_aligned():
    x = qd.tensor([1.0, 2.0], requires_grad=True)
    lines = str(qd.contributions((x * x + 10.0 * x).sum(), x)).splitlines()[1:]
    assert len({line.index("through") for line in lines}) == 1


def test_no_way_and_no_graph_are_refused():
    x, z = (qd.tensor(3.0, requires_grad=True) for _ in range(2))
    with pytest.raises(GradientError, match="no gradient arrives"):
        qd.contributions(x * x, z)
    with pytest.raises(GradientError, match="does not require grad"):
        qd.contributions(qd.tensor(1.0), x)


def test_bytes_by_place():
    x = qd.tensor(np.ones((10, 4)), requires_grad=True)
    w = qd.tensor(np.ones((4, 3)), requires_grad=True)
    y = np.sum(np.tanh(x @ w) ** 2)
    found = qd.saved(y)
    kept = {p.expression: p.bytes for p in found.places}
    assert kept["x @ w"] == (40 + 12) * 8
    assert found.total == sum(p.bytes for p in found.places)
    assert "bytes kept for" in str(found)


def test_an_array_that_two_operations_keep_counts_once():
    x = qd.tensor(np.ones(1000), requires_grad=True)
    y = np.sin(x) + np.cos(x)
    assert qd.saved(y.sum()).total == 8000


def test_what_a_sweep_freed():
    x = qd.tensor(np.ones(1000), requires_grad=True)
    y = np.sin(x).sum()
    y.backward()
    found = qd.saved(y)
    assert (found.total, found.freed) == (0, 1)
    assert "freed by a backward sweep" in str(found)


def test_a_tensor_without_graph_keeps_nothing():
    assert qd.saved(qd.tensor(1.0)).total == 0
