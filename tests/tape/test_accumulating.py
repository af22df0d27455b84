"""How terms become one gradient, where `backward` adds it, and in which dtype."""

import numpy as np
import pytest

import qiudao as qd
from checking import leaf


def cancelling():
    s = leaf(1.0)
    return s, s * 1e16 + s * 1.0 - s * 1e16


@pytest.mark.parametrize(
    "accumulate, wanted", [("sum", 0.0), ("kahan", 1.0), (lambda terms: max(terms), 1e16)]
)
def test_policies(accumulate, wanted):
    s, y = cancelling()
    assert float(qd.grad(y, s, accumulate=accumulate)[0]) == wanted
    s, y = cancelling()
    y.backward(accumulate=accumulate)
    assert float(s.grad) == wanted


def test_separate_terms():
    x = leaf([1.0, 2.0])
    w = leaf(3.0)
    y = (x * x + w * x).sum()
    terms, (only,) = qd.grad(y, [x, w], accumulate="separate")
    assert len(terms) == 3
    np.testing.assert_allclose(sum(t.numpy() for t in terms), 2 * x.detach().numpy() + 3)
    assert float(only) == 3.0


def test_policies_hold_inside_the_graph_too():
    x = leaf(2.0)
    h = x * 1.0
    y = h * 1e16 + h * 1.0 - h * 1e16
    assert float(qd.grad(y * 3.0, x, accumulate="kahan")[0]) == 3.0


def test_infinite_terms_are_not_made_nan():
    x = leaf(np.inf)
    y = x * x + x
    assert float(qd.grad(y, x, accumulate="kahan")[0]) == np.inf


def test_policies_where_masks_run_the_sweep_again():
    x = leaf([0.0, 4.0])
    y = (np.where(x > 0, np.sqrt(x), 0.0) * x + x).sum()
    np.testing.assert_allclose(qd.grad(y, x, accumulate="kahan")[0].numpy(), [1.0, 4.0])


def test_recorded_sweeps_with_a_policy():
    x = leaf(2.0)
    (g,) = qd.grad(x**3 + x**2, x, create_graph=True, accumulate="kahan")
    assert float(qd.grad(g, x)[0]) == 6 * 2.0 + 2


def test_the_order_of_a_sum_is_fixed():
    rng = np.random.default_rng(0)
    factors = 10.0 ** rng.uniform(-9, 9, 200)

    def once():
        x = leaf(1.0)
        total = sum(x * f for f in factors)
        return float(qd.grad(total, x)[0])

    assert len({once() for _ in range(5)}) == 1


def test_into_buffers():
    x, w = leaf([1.0, 2.0]), leaf(3.0)
    buffers = {"x": np.ones(2), "w": np.zeros(())}
    ((x * x).sum() * w).backward(inputs={"x": x, "w": w}, into=buffers)
    np.testing.assert_allclose(buffers["x"], [7.0, 13.0])
    np.testing.assert_allclose(buffers["w"], 5.0)
    assert (x.grad, w.grad) == (None, None)


def test_constants_of_backward():
    x = leaf(2.0)
    h = x * x
    (h * x).backward(no_grad_vars=h)
    assert float(x.grad) == 4.0


def test_the_dtype_of_a_leafs_gradient():
    x = qd.tensor(np.ones(3, np.float32), requires_grad=True)
    assert x.grad_dtype == np.float32
    x.grad_dtype = np.float64
    for _ in range(2):
        (x * np.float32(0.1)).sum().backward()
    assert x.grad.dtype == np.float64
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.float64(np.float32(0.1)), rtol=1e-15)
    x.grad_dtype = None
    assert x.grad_dtype == np.float32


def test_gradients_of_other_leaves_are_left_where_a_policy_fails():
    x, w = leaf(2.0), leaf(3.0)
    with pytest.raises(qd.core.errors.ShapeError):
        (x * w + x * x).backward(accumulate=lambda terms: np.zeros(2))
    assert (x.grad, w.grad) == (None, None)


def test_where_nothing_arrives_there_are_no_separate_terms():
    x = leaf(2.0)
    assert qd.grad(np.heaviside(x, 0.5), x, accumulate="separate") == ((),)
