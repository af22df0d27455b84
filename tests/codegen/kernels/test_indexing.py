"""Indices out of bounds, negative ones, empty arrays and other dtypes."""

import numpy as np
import pytest

from codegen.harness import Compiled
from qiudao.ops.indexing import AddAlong, Gather, Place, ScatterAdd, TakeAlong
from qiudao.ops.shaping import Concatenate
from qiudao.ops.writing import Put, SetItem, Survivors

ROWS = (0, slice(None))
X = np.arange(12.0).reshape(3, 4)


def evaluated(jobs):
    made = Compiled()
    numbers = [made.add(primitive, *xs) for primitive, xs in jobs]
    made.build()
    for number, (primitive, xs) in zip(numbers, jobs, strict=True):
        (got,) = made.run(number)
        want = np.asarray(primitive.evaluate(*map(np.asarray, xs)))
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want, str(primitive))


def test_values():
    i = np.array([2, -1, 0, -3])
    evaluated(
        [
            (Gather(), [X, i]),
            (Gather((slice(None), 0), (1,)), [X, i.astype("i1")]),
            (Gather((0, 0), (0, 1)), [X, i[:, None], i]),
            (Gather((0, slice(None), 0), (0, 2)), [X.reshape(3, 2, 2), i, i % 2]),
            (Gather(), [X, np.zeros((0, 2), int)]),
            (Gather(), [np.zeros((3, 0)), i]),
            (Gather(), [np.zeros((0, 3)), i[:0]]),
            (Gather(), [X > 5, i]),
            (ScatterAdd(sizes=(3, 4)), [np.ones((4, 4)), i]),
            (ScatterAdd(sizes=(3,)), [np.arange(4), i]),
            (Put(), [X, np.arange(4.0), np.array([1, 1, -2])]),
            (Put(), [X.astype("f4"), np.arange(12.0).reshape(1, 3, 4), i[1:]]),
            (Put(), [X, np.float64(3), i]),
            (Survivors((3,)), [np.array([1, 0, -2, 0, 2])]),
            (TakeAlong(), [X, np.array([[0, -1, 3], [1, 2, -4], [0, 0, 0]])]),
            (TakeAlong(-2), [X, np.array([[0, -1, 2, 1]])]),
            (AddAlong(-1, 4), [X, np.array([[0, -1, 0, 1]])]),
            (SetItem((slice(None, None, -2), 1)), [X, np.array([[5, 6]])]),
            (SetItem(()), [X, np.arange(4)]),
            (SetItem((Ellipsis,)), [X.astype("c8"), X]),
            (SetItem((slice(0, 0),)), [X, np.arange(4)]),
            (Place((slice(3, 0, -1),), (5,)), [np.arange(3)]),
            (Place((slice(0, 0),), (5,)), [np.zeros(0)]),
            (Concatenate(-2), [X > 3, X[:0].astype("i2"), X.astype("f4")]),
            (Concatenate(-1), [X.T[:, :1], np.ones((4, 2), "c8")]),
        ]
    )


WRONG = [
    (Gather(), [X, np.array([0, 3])]),
    (Gather(), [X, np.array([-4, 9])]),
    (Gather((slice(None), 0), (1,)), [X, np.array([0, 7])]),
    (Gather((0, 0), (0, 1)), [X, np.array([0, 1]), np.array([0, 4])]),
    (Put(), [X, np.zeros(4), np.array([5])]),
    (TakeAlong(), [X, np.array([[4]])]),
    (TakeAlong(-2), [X, np.array([[0, -4, 0, 0]])]),
]


def test_indices_out_of_bounds_raise_what_numpy_raises():
    made = Compiled()
    numbers = [made.add(primitive, *xs) for primitive, xs in WRONG]
    made.build()
    for number, (primitive, xs) in zip(numbers, WRONG, strict=True):
        with pytest.raises(IndexError) as wanted:
            primitive.evaluate(*xs)
        with pytest.raises(IndexError) as found:
            made.run(number)
        assert str(found.value) == str(wanted.value)


@pytest.mark.parametrize("primitive", [ScatterAdd(sizes=(3,)), AddAlong(-1, 3)])
def test_additions_out_of_bounds_raise(primitive):
    made = Compiled()
    number = made.add(primitive, np.ones(2), np.array([1, -4]))
    with pytest.raises(IndexError, match="index -4 is out of bounds for axis 0 with size 3"):
        made.build().run(number)
