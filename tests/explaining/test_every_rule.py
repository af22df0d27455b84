"""Every primitive on every sample: its gradient explained is its gradient, and nothing stops."""

import json

import numpy as np
import pytest

import qiudao as qd
from qiudao.testing.rules import Case, draw, every_sample

SAMPLES = every_sample()


def moving(primitive, sample):
    """The sample as a function of the operands that can move, with one real result."""
    case = Case(primitive, sample, draw(sample, np.random.default_rng(0)))

    def loss(*xs):
        return sum(np.sum(np.real(y)) for y in case(*xs) if np.result_type(y).kind in "fc")

    return case, loss


@pytest.mark.parametrize("label, primitive, sample", SAMPLES, ids=[s[0] for s in SAMPLES])
def test_explained(label, primitive, sample):
    case, loss = moving(primitive, sample)
    if not case.differs:
        pytest.skip("no operand of this sample can move")
    with np.errstate(all="ignore"):
        expected = qd.vjp(loss, *case.inputs)[1](1.0)
        shown = qd.explain(loss, *case.inputs)
        answer = qd.why(loss, *case.inputs)
    for v, g in zip(shown.graph.inputs, expected, strict=True):
        found = np.zeros_like(g) if v.gradient is None else v.gradient
        np.testing.assert_array_equal(found, g)
        terms = [t.value for t in v.terms if t.value is not None]
        if terms:
            np.testing.assert_array_equal(sum(terms[1:], terms[0]), g)
    json.dumps(shown.json(), allow_nan=False)
    assert shown.svg()
    assert answer.findings
    assert "origin not known" not in str(answer)
