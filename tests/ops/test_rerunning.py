"""NumPy's own code run on tensors, where there is no rule, and what is refused with a reason."""

import numpy as np
import pytest

import qiudao as qd
from checking import leaf
from qiudao.core.dispatch import overrides
from qiudao.core.errors import NotDifferentiableError, RuleError
from qiudao.ops.refusing import REASONS
from qiudao.ops.rerunning import rerunning

V = np.array([0.5, -2.5, 1.5])


def test_rules_and_reruns_agree():
    """The way to run a body is sound: what has a rule gives the same when it is run again."""
    x = leaf([[2.0, 0.5, 1.0], [0.3, 3.0, -1.0], [1.5, 0.2, 4.0]])
    for f in (np.cov, np.rot90, np.tile, np.average, np.trapezoid, np.linalg.matrix_power):
        again = rerunning(f)
        more = (2,) if f in (np.tile, np.linalg.matrix_power) else ()
        for got, wanted in zip(*(np.atleast_1d(g(x, *more)) for g in (again, f)), strict=True):
            np.testing.assert_allclose(got.detach().numpy(), wanted.detach().numpy(), rtol=1e-12)


def newer(x):
    """What a NumPy to come might add."""
    return np.asarray(x).sum() + np.ones(2)[0]


@pytest.fixture
def added():
    """A dispatched function of a newer NumPy, from its body."""

    def make(body):
        def function(x):
            return x.__array_function__(function, (), (x,), {})

        function.__module__ = body.__module__ = "numpy.newer"
        function._implementation = body
        return function

    return make


def test_what_a_newer_numpy_adds_runs_again(added):
    function = added(newer)
    np.testing.assert_allclose(qd.grad(function)(V), 1.0)
    assert function not in overrides


def test_a_body_that_does_not_run_is_named(added):
    def attribute(x):
        return x.no_such_attribute

    with pytest.raises(RuleError, match=r"NumPy's own code does not run on tensors.*no_such_attr"):
        added(attribute)(leaf(V))


def test_without_the_body_it_is_a_function_without_a_rule(added):
    function = added(newer)
    del function._implementation
    with pytest.raises(
        RuleError, match=r"newer\.function: qiudao has no rule for this NumPy function"
    ):
        function(leaf(V))


@pytest.mark.parametrize("function", REASONS, ids=lambda f: f.__name__)
def test_a_reason_is_given(function):
    with pytest.raises(NotDifferentiableError, match=r"not differentiable, because it .*detach"):
        overrides[function](leaf(V))


def test_a_module_has_one_reason():
    from numpy.lib import recfunctions

    with pytest.raises(NotDifferentiableError, match="fields of structured arrays"):
        recfunctions.structured_to_unstructured(leaf(V))


def test_without_a_gradient_numpy_answers(tmp_path):
    np.save(tmp_path / "x.npy", qd.tensor(V))
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), V)
    np.testing.assert_array_equal(np.packbits(qd.tensor([1, 0, 1])), [160])
    assert np.common_type(leaf(V)) is np.float64
    assert np.min_scalar_type(qd.tensor(V)) == np.float64
