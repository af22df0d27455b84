"""Arguments of SciPy's functions: what holds a tracer, and lists as arrays."""

from typing import NamedTuple

import numpy as np
import pytest

import qiudao as qd
from checking import leaf

pytest.importorskip("scipy")
operands = pytest.importorskip("qiudao.scipy.operands")


class Pair(NamedTuple):
    first: object
    second: object


PLAIN = [None, 1, 2.0, "cg", np.ones(2), np.float32(1.0), [1.0, (2.0, [])], {"a": 1.0}, Pair(1, 2)]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values_hold_no_tracer(value):
    assert not operands.depends(value)
    assert operands.depends(value, leaf(1.0))


def test_tracers_are_found_in_every_nest():
    x = leaf(1.0)
    for nest in (x, [x], (1.0, [2.0, x]), {"a": [x]}, Pair(0.0, x), [Pair(x, 0.0)]):
        assert operands.depends(nest)


def test_lists_of_tracers_are_stacked_row_by_row():
    f = lambda x: np.sum(
        operands.array([[x, 2.0], [3.0, x * x]]) * np.array([[1.0, 0.0], [0.0, 5.0]])
    )
    assert qd.grad(f)(2.0) == 21.0
    assert operands.array([[1.0, 2.0]]).shape == (1, 2)
