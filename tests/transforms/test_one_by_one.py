"""Operations that take one example at a time, under `qd.vmap`."""

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.avals import Aval
from qiudao.transforms.foreign import run_foreign

WIDE = Aval((2, 3), np.dtype(np.float64))
COUNT = Aval((), np.dtype(np.int64))


def outer(a, b):
    """One result."""
    return run_foreign("outer", np.outer, [WIDE], a, b)


def outer_and_size(a, b):
    """Several results."""
    return run_foreign("outer", lambda a, b: (np.outer(a, b), a.size), [WIDE, COUNT], a, b)


@pytest.mark.parametrize("size", [0, 1, 4])
def test_examples_are_taken_in_turn(size):
    a, b = np.arange(2.0 * size).reshape(size, 2), np.array([1.0, 2.0, 3.0])
    expected = a[:, :, None] * b
    assert np.array_equal(qd.vmap(outer, (0, None))(a, b), expected)
    found, counts = qd.vmap(outer_and_size, (0, None))(a, b)
    assert np.array_equal(found, expected)
    assert counts.dtype == np.int64
    assert np.array_equal(counts, [2] * size)
