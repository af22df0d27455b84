"""Forward mode on values: levels, nesting, and other modes beside it."""

import numpy as np

import qiudao as qd
from checking import leaf
from qiudao.transforms.forward_ad import dual_level, make_dual, unpack_dual


def test_a_directional_derivative():
    x, v = np.array([1.0, 2.0]), np.array([0.5, -1.0])
    with dual_level():
        y = np.sin(make_dual(x, v)) * 2
        primal, tangent = unpack_dual(y)
    np.testing.assert_allclose(primal, 2 * np.sin(x))
    np.testing.assert_allclose(tangent, 2 * np.cos(x) * v)


def test_levels_nest():
    with dual_level() as outer, dual_level() as inner:
        x = make_dual(make_dual(2.0, 1.0, level=outer), 1.0, level=inner)
        first = unpack_dual(x**3).tangent
        assert unpack_dual(first, level=outer).tangent == 12.0


def test_constants_carry_none():
    with dual_level():
        assert unpack_dual(3.0) == (3.0, None)
        assert unpack_dual(np.floor(make_dual(1.5, 1.0))).tangent in (None, 0.0)


def test_forward_over_reverse():
    t = leaf([1.0, 2.0])
    with dual_level():
        y = (make_dual(t, np.ones(2)) ** 3).sum()
        directional = unpack_dual(y).tangent
    np.testing.assert_allclose(qd.grad(directional, t)[0].numpy(), [6.0, 12.0])


def test_transforms_within_a_level():
    with dual_level():
        g = qd.grad(lambda x: x**3)(make_dual(2.0, 1.0))
        assert unpack_dual(g) == (12.0, 12.0)


def test_dtypes_are_those_of_the_value():
    with dual_level():
        x = make_dual(np.ones(2, np.float32), np.ones(2))
        assert unpack_dual(x * x).tangent.dtype == np.float32
