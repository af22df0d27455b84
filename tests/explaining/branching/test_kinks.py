"""Kinks that a run touches, and how near it is to others."""

import numpy as np
import pytest

import qiudao as qd


@pytest.mark.parametrize("f, x, touched, elements, nearest", [
    (np.abs, [0.0, 2.0, -0.5], 1, 3, 0.5),
    (np.fabs, [0.0], 1, 1, None),
    (lambda x: np.maximum(x, 1.0), [1.0, 1.5], 1, 2, 0.5),
    (lambda x: np.minimum(x, 1.0), [0.0, 4.0], 0, 2, 1.0),
    (lambda x: np.clip(x, 0.0, 1.0), [0.0, 1.0, 0.75], 2, 3, 0.25),
    (np.max, [1.0, 3.0, 3.0], 1, 1, None),
    (np.min, [1.0, 1.5, 3.0], 0, 1, 0.5),
    (np.linalg.norm, [0.0, 0.0], 1, 1, None),
    (np.sqrt, [0.0, 4.0], 1, 2, 4.0),
    (np.floor, [2.0, 2.25], 1, 2, 0.25),
    (np.sign, [0.0, -3.0], 1, 2, 3.0),
    (lambda x: np.heaviside(x, 0.5), [0.0, -3.0], 1, 2, 3.0),
    (qd.nn.relu, [0.0, -3.0], 1, 2, 3.0),
    (lambda x: np.copysign(x, -1.0), [0.0, -3.0], 1, 2, 3.0),
    (lambda x: np.hypot(x, 0.0), [0.0, 2.0], 1, 2, 2.0),
    (np.sort, [3.0, 1.0, 3.0], 1, 2, 2.0),
    (np.rint, [0.5, -1.25], 1, 2, 0.25),
    (lambda x: np.mod(x, 2.0), [-4.0, 5.5], 1, 2, 0.5),
    (lambda x: np.fmod(x, 2.0), [4.0, 5.5], 1, 2, 0.5),
])  # fmt: skip
def test_each_kink(f, x, touched, elements, nearest):
    (kink,) = qd.branches(lambda x: np.sum(f(x)), np.array(x)).kinks
    assert (kink.touched, kink.elements) == (touched, elements)
    assert kink.nearest == (nearest if nearest is None else pytest.approx(nearest))


def test_norms_along_an_axis():
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    (kink,) = qd.branches(lambda x: np.sum(np.linalg.norm(x, axis=1)), x).kinks
    assert (kink.touched, kink.elements, kink.nearest) == (1, 2, 5.0)


def test_reductions_along_an_axis():
    x = np.array([[1.0, 1.0, 0.0], [4.0, 2.0, 3.0]])
    (kink,) = qd.branches(lambda x: np.sum(np.max(x, axis=1)), x).kinks
    assert (kink.touched, kink.elements, kink.nearest) == (1, 2, 1.0)


def test_the_largest_of_complex_numbers_is_told_by_real_parts():
    z = np.array([1.0 + 2.0j, 3.0 - 1.0j, 2.5])
    (kink,) = qd.branches(lambda z: np.real(np.max(z)), z).kinks
    assert (kink.touched, kink.nearest) == (0, 0.5)


def test_the_turns_of_a_loop_are_one_kink():
    def f(x):
        for k in range(3):
            x = np.abs(x - k)
        return x

    (kink,) = qd.branches(f, 1.0).kinks
    assert (kink.elements, kink.expression) == (3, "np.abs(x - k)")


def test_the_convention_is_told_where_it_is_used():
    text = str(qd.branches(lambda x: np.sum(np.abs(x)), np.zeros(2)))
    assert "2 of 2 elements on the kink" in text
    assert "their mean 0 is the derivative" in text
    assert qd.grad(np.abs)(0.0) == 0.0


def test_constants_have_no_kinks():
    assert qd.branches(lambda x: x * np.abs(np.zeros(3)).sum(), 1.0).kinks == []
