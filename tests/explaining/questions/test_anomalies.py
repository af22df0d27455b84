"""check= and detect_anomaly: they raise at the origin, change nothing, and are off by default."""

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.errors import GradientError, NonFiniteError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

X = np.array([0.0, 4.0])


def masked(x):
    return np.sum(np.sqrt(x) * 0.0)


def rooted(x):
    return np.sum(np.sqrt(x))


def test_functions_raise_where_the_nan_was_made():
    with pytest.raises(
        NonFiniteError, match=r"grad: a NaN: .* 0 times its slope inf is nan at \[0\]"
    ) as caught:
        qd.grad(masked, check="nan")(X)
    assert "test_anomalies.py:" in str(caught.value)
    assert "np.sqrt(x + tiny)" in str(caught.value)
    with pytest.raises(NonFiniteError):
        qd.value_and_grad(masked, check="nan")(X)


def test_infinities_only_when_asked():
    assert qd.grad(rooted, check="nan")(X)[0] == np.inf
    with pytest.raises(NonFiniteError, match="a NaN or an infinity"):
        qd.grad(rooted, check="inf")(X)


def test_the_value_counts_too():
    with pytest.raises(NonFiniteError, match=r"np.log\(x\) is the first value that is NaN"):
        qd.grad(lambda x: np.log(x) + 1.0, check="nan")(-1.0)


def distance(x, y):
    squares = (x - y) ** 2
    return np.sqrt(np.sum(squares) * 1.0)


def test_a_nan_that_an_infinity_led_to_names_both():
    with pytest.raises(NonFiniteError) as caught:
        qd.grad(distance, check="nan")(np.ones(2), np.ones(2))
    text = str(caught.value)
    assert "inf times its slope 0 is nan at [0], for x - y = 0" in text
    assert "the infinity was made before: np.sqrt(np.sum(squares) * 1.0) is finite" in text
    assert text.endswith("np.sqrt(x + tiny), or choose with np.where")


def test_within_a_gradient_the_values_are_known():
    with pytest.raises(NonFiniteError, match="0 times its slope inf is nan"):
        qd.grad(lambda x: np.sum(qd.grad(masked, check="nan")(x)))(X)


def test_a_hook_that_makes_one():
    w = qd.tensor(X, requires_grad=True)
    h = w * 2.0
    h.register_hook(lambda g: g * np.nan)
    with pytest.raises(NonFiniteError, match="a hook made it"):
        h.sum().backward(check="nan")


def test_a_rule_that_is_written_for_reverse_mode_only():
    class Wrong(qd.Function):
        @staticmethod
        def forward(ctx, x):
            return np.sum(x, keepdims=True), x * 2

        @staticmethod
        def backward(ctx, ct, other):
            found = ct.detach().numpy() + np.zeros(2)
            found[1] = np.nan
            return found

    w = qd.tensor(X, requires_grad=True)
    with pytest.raises(NonFiniteError, match="going back through the Wrong") as caught:
        Wrong.apply(w)[0].backward(check="nan")
    assert "turns the cotangents of its results into nan at [1]" in str(caught.value)
    shown = Wrong.apply(w)[0].explain()
    assert any("no tangents are shown: " in note for note in shown.graph.notes)


def test_the_name_of_the_function_that_was_asked():
    w = qd.tensor(X, requires_grad=True)
    with pytest.raises(NonFiniteError, match=r"^grad: "):
        qd.grad(masked(w), w, check="nan")
    with pytest.raises(NonFiniteError, match=r"^backward: "):
        masked(w).backward(check="nan")


def test_healthy_gradients_pass():
    np.testing.assert_array_equal(qd.grad(lambda x: np.sum(x * x), check="inf")(X), 2 * X)


def test_tapes_raise_before_anything_is_stored_or_freed():
    w = qd.tensor(X, requires_grad=True)
    y = masked(w)
    with pytest.raises(NonFiniteError, match="backward: a NaN"):
        y.backward(check="nan")
    assert w.grad is None
    y.backward()
    assert np.isnan(w.grad.numpy()[0])


def test_gradients_of_values():
    w = qd.tensor(X, requires_grad=True)
    with pytest.raises(NonFiniteError):
        qd.grad(rooted(w), w, check="inf")
    with pytest.raises(NonFiniteError):
        qd.backward(rooted(w), check="inf")


def test_a_cotangent_of_the_users_own():
    w = qd.tensor(X, requires_grad=True)
    with pytest.raises(NonFiniteError, match="2 times its slope inf is inf"):
        np.sqrt(w).backward(np.array([2.0, 1.0]), check="inf")


def test_compiled_functions():
    pytest.importorskip("llvmlite")
    with pytest.raises(NonFiniteError, match="jit: a NaN"):
        qd.jit(qd.grad(masked), check="nan")(X)
    with pytest.raises(NonFiniteError, match=r"np.log\(x\)"):
        qd.jit(lambda x: np.sum(np.log(x)), check="nan")(X - 1.0)
    assert qd.jit(rooted, check="inf")(X) == 2.0


def test_checking_and_donating_exclude_each_other():
    with pytest.raises(GradientError, match="use one of them"):
        qd.jit(rooted, check="nan", donate="x")


def test_within_detect_anomaly_all_gradients_are_looked_through():
    w = qd.tensor(X, requires_grad=True)
    with qd.detect_anomaly():
        with pytest.raises(NonFiniteError):
            masked(w).backward()
        with pytest.raises(NonFiniteError):
            qd.grad(masked)(X)
        qd.grad(rooted)(X)
        with qd.detect_anomaly("inf"), pytest.raises(NonFiniteError):
            qd.grad(rooted)(X)
        qd.grad(rooted)(X)
    assert np.isnan(qd.grad(masked)(X)[0])


def test_as_a_decorator():
    @qd.detect_anomaly()
    def train():
        return qd.grad(masked)(X)

    with pytest.raises(NonFiniteError):
        train()
    assert np.isnan(qd.grad(masked)(X)[0])


@pytest.mark.parametrize("ask", [
    lambda: qd.grad(rooted, check="big"),
    lambda: qd.detect_anomaly("big"),
    lambda: qd.jit(rooted, check="big"),
    lambda: rooted(qd.tensor(X, requires_grad=True)).backward(check="big"),
])  # fmt: skip
def test_other_checks_are_not_known(ask):
    with pytest.raises(GradientError, match="check='big' is not known"):
        ask()


def test_inside_other_transforms():
    with pytest.raises(NonFiniteError):
        qd.vmap(qd.grad(lambda x: np.sqrt(x), check="inf"))(X)
    pytest.importorskip("llvmlite")
    assert qd.jit(qd.grad(rooted, check="nan"))(X)[0] == np.inf
