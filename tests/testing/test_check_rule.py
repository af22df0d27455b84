"""The check of rules finds each kind of fault: here are primitives with one fault each."""

from dataclasses import dataclass

import numpy as np
import pytest

from qiudao.core.avals import Aval
from qiudao.core.dispatch import Tracer
from qiudao.core.families import Constant, Linear, Smooth
from qiudao.core.primitive import Primitive
from qiudao.core.samples import sample
from qiudao.testing import RuleCheckError, check_rule, every_sample
from qiudao.testing.rules import Case, draw

ONE = sample("f64[3,4]", within=(0.5, 2.0))
TWO = sample("f64[3,4]", "f64[4]", within=(0.5, 2.0))


def check(cls, given):
    """Check a primitive that stays out of the registry."""
    made = dataclass(frozen=True, repr=False)(cls)
    made.name = cls.__name__.lower()
    check_rule(made(**given.fields), given)


def caught(cls, how, given=ONE):
    with pytest.raises(RuleCheckError, match=how):
        check(cls, given)


class Cube(Smooth):
    """x^3, without fault."""

    ufunc = np.positive

    def evaluate(self, *xs):
        return xs[0] ** 3

    def slope(self, i, out, *xs):
        return 3 * xs[0] ** 2


class Weigh(Primitive):
    """A matrix with its columns weighed, without fault."""

    def shape(self, *avals):
        return Aval(avals[0].shape, np.result_type(*(a.dtype for a in avals)))

    def evaluate(self, *xs):
        return xs[0] * xs[1][..., None, :]

    def tangent(self, i, dx, out, *xs):
        return dx * xs[1][..., None, :] if i == 0 else xs[0] * dx[..., None, :]


class Turn(Linear):
    """The last axis turned by one, without fault."""

    def shape(self, *avals):
        return avals[0]

    def evaluate(self, *xs):
        return np.concatenate([xs[0][..., -1:], xs[0][..., :-1]], -1)

    def transpose(self, i, ct, *xs):
        return np.concatenate([ct[..., 1:], ct[..., :1]], -1)


def test_the_faultless_pass():
    check(Cube, ONE)
    check(Weigh, TWO)
    check(Turn, ONE)


def test_wrong_slope():
    class Bad(Cube):
        def slope(self, i, out, *xs):
            return 2 * xs[0] ** 2

    caught(Bad, "tangent of order 1 against differences")


def test_wrong_slope_of_the_slope():
    class Bad(Cube):
        def slope(self, i, out, *xs):
            x = xs[0]
            return 3 * (x.detach() if isinstance(x, Tracer) else x) ** 2

    caught(Bad, "tangent of order 2 against differences")


def test_pull_and_push_disagree():
    class Bad(Cube):
        def pull(self, ct, out, xs, parents, product):
            return (product(ct, 2 * xs[0] ** 2),)

    caught(Bad, "adjoint identity, order 1")


def test_wrong_transpose():
    class Bad(Turn):
        def transpose(self, i, ct, *xs):
            return ct

    caught(Bad, "adjoint identity, order 1")


def test_wrong_shape_and_dtype():
    class Wide(Cube):
        def dtype(self, *avals):
            return np.dtype(np.complex128)

    class Long(Turn):
        def shape(self, *avals):
            return Aval((12,), avals[0].dtype)

    caught(Wide, r"states c128\[3, 4\] for f64\[3, 4\] and gives f64\[3, 4\]")
    caught(Long, r"states f64\[12\] for f64\[3, 4\] and gives f64\[3, 4\]")


def test_wrong_scalar_code():
    class Other(Cube):
        def element(self, e, *xs):
            return e.call("square", xs[0])

    class Wide(Cube):
        def element(self, e, *xs):
            cube = e.call("multiply", e.call("square", xs[0]), xs[0])
            return e.call("add", cube, e.constant(0, 1j))

    class Right(Cube):
        def element(self, e, *xs):
            (x,) = xs
            cube = e.call("multiply", e.call("square", x), x)
            return e.select(e.call("equal", x, e.constant(0, x)), e.constant(0, x), cube)

    caught(Other, "scalar code against the value")
    caught(Wide, "scalar code gives complex128, not float64")
    check(Right, ONE)


def test_widened_single_precision():
    class Bad(Cube):
        def evaluate(self, *xs):
            return np.asarray(xs[0], np.result_type(xs[0], np.float64)) ** 3

        def dtype(self, *avals):
            return np.result_type(avals[0].dtype, np.float64)

    caught(Bad, "single precision operands give float64")


def test_wrong_batch():
    class Bad(Turn):
        def batch(self, size, mapped, xs):
            return self(xs[0][::-1])

    caught(Bad, r"vmap\(0,\) against a loop")


def test_batch_of_one_operand_alone():
    class Bad(Weigh):
        def batch(self, size, mapped, xs):
            x, w = (x if m else np.broadcast_to(x, (size, *x.shape)) for x, m in zip(xs, mapped))
            return self(x, w if all(mapped) else w[::-1])

    caught(Bad, r"vmap\(None, 0\) against a loop", TWO)


def test_operands_written_to():
    class Bad(Cube):
        def evaluate(self, *xs):
            if isinstance(xs[0], np.ndarray):
                xs[0][...] = xs[0] + 0.0
            return xs[0] ** 3

    with pytest.raises(ValueError, match="read-only"):
        check(Bad, ONE)


def test_layout_that_matters():
    class Bad(Cube):
        def evaluate(self, *xs):
            return xs[0] ** (3 if np.asarray(xs[0]).flags.c_contiguous else 2)

    caught(Bad, "operands with gaps")


def test_fields_that_do_not_compare():
    class Bad(Cube):
        key: object = None

        def __eq__(self, other):
            return self is other

        __hash__ = object.__hash__

    caught(Bad, "a field is no value")


def test_a_false_claim_of_linearity():
    class Bad(Cube):
        def is_linear(self, positions):
            return True

    caught(Bad, "Taylor coefficient 2|linear in operands")


def test_reach_that_leaves_lanes_out():
    class Bad(Cube):
        def reach(self, alive, out, xs, parents):
            return [np.zeros(p.shape, bool) for p in parents]

    caught(Bad, "that `reach` leaves out")


def test_keep_that_forgets_an_operand():
    class Bad(Weigh):
        def keep(self, values, parents):
            return tuple(v if p is None else p for v, p in zip(values, parents))

    with pytest.raises(TypeError, match="not subscriptable"):
        check(Bad, TWO)


def test_a_tangent_that_is_not_linear():
    class Bad(Weigh):
        def tangent(self, i, dx, out, *xs):
            return np.sin(dx) * xs[1][..., None, :]

    with pytest.raises(RuleCheckError, match="against differences"):
        check(Bad, TWO)


def test_an_operand_that_is_held():
    class OfRows(Weigh):
        """Its rule takes the weights for constants."""

        def tangent(self, i, dx, out, *xs):
            return dx * xs[1][..., None, :] if i == 0 else np.zeros_like(out)

    class Unsaid(OfRows):
        """The same, whose sample does not say so."""

    check(OfRows, TWO._replace(held=(1,)))
    caught(Unsaid, "against differences", TWO)


def test_a_schur_form_stays_one():
    given = sample("f64[3,3]", "f64[3,3]", kind="schur")
    case = Case(Weigh(), given, draw(given, np.random.default_rng(0)))
    for T, R in (case.xs, case.along()):
        assert np.array_equal(T != 0, [[1, 1, 1], [1, 1, 1], [0, 0, 1]])
        assert np.all(R != 0)
    T = case.xs[0]
    assert T[0, 1] * T[1, 0] < 0  # a pair of complex eigenvalues


def test_constants_let_no_derivative_through():
    class Jump(Constant):
        ufunc = np.floor

    class Cheat(Cube):
        is_constant = True

        def __call__(self, *xs):
            return xs[0] * 1

    check(Jump, ONE)
    caught(Cheat, "its result still carries a derivative")


def test_a_primitive_without_samples(monkeypatch):
    Cube.name = "cube"
    monkeypatch.setattr("qiudao.testing.rules.registry", [Cube])
    with pytest.raises(RuleCheckError, match="cube: a primitive must carry samples"):
        every_sample()
