import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qiudao as qd
from ops.agreement import agree


def naive(x, size, stride, padding, dilation, function, fill):
    """By the definition: one window at a time."""
    x = np.pad(x, [(0, 0), (0, 0), *padding], constant_values=fill)
    spans = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    counts = [(n - m) // s + 1 for n, m, s in zip(x.shape[2:], spans, stride, strict=True)]
    out = np.zeros((*x.shape[:2], *counts), x.dtype)
    for at in itertools.product(*map(range, out.shape)):
        places = zip(at[2:], stride, spans, dilation, strict=True)
        index = tuple(slice(p * s, p * s + m, d) for p, s, m, d in places)
        out[at] = function(x[(*at[:2], *index)])
    return out


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_definition(data):
    space = data.draw(st.integers(1, 3))
    size, stride, dilation = (
        tuple(data.draw(st.integers(1, 3)) for _ in range(space)) for _ in range(3)
    )
    most = [((k - 1) * d + 1) // 2 for k, d in zip(size, dilation, strict=True)]
    padding = tuple(tuple(data.draw(st.integers(0, m)) for _ in "ba") for m in most)
    shape = [
        (k - 1) * d + 1 + data.draw(st.integers(0, 3)) for k, d in zip(size, dilation, strict=True)
    ]
    x = np.random.default_rng(0).normal(size=(2, 2, *shape))
    options = {"stride": stride, "padding": padding}
    got = qd.max_pool(x, size, dilation=dilation, **options)
    np.testing.assert_array_equal(got, naive(x, size, stride, padding, dilation, np.max, -np.inf))
    near = tuple(tuple(min(n, k // 2) for n in p) for p, k in zip(padding, size, strict=True))
    got = qd.avg_pool(x, size, stride=stride, padding=near)
    want = naive(x, size, stride, near, (1,) * space, np.mean, 0)
    np.testing.assert_allclose(got, want, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"stride": 1, "padding": 1}, {"stride": 3}])
def test_derivatives(options):
    x = np.random.default_rng(0).permutation(np.linspace(-1, 1, 72)).reshape(1, 2, 6, 6)
    agree(lambda x: qd.max_pool(x, 3, **options), x)
    agree(lambda x: qd.avg_pool(x, 3, **options), x)
    agree(lambda x: qd.avg_pool(x, 3, counts_padding=False, **options), x)
    assert qd.gradcheck(lambda x: qd.max_pool(x**3, 3, **options) ** 2, x[:, :1], order=2)


def test_ties_share_and_nan_is_told():
    x = np.array([[[1.0, 3.0, 3.0, 0.0, np.nan, 2.0]]])
    np.testing.assert_array_equal(
        qd.grad(lambda x: np.sum(qd.max_pool(x, 2, stride=1)[..., :3]))(x),
        [[[0.0, 1.5, 1.5, 0.0, 0.0, 0.0]]],
    )
    got = qd.grad(lambda x: np.sum(qd.max_pool(x, 2)))(x)
    np.testing.assert_array_equal(got, [[[0.0, 1.0, 1.0, 0.0, np.nan, np.nan]]])


def test_whole_numbers():
    x = np.array([[[1, 5, 2, 4]]])
    np.testing.assert_array_equal(qd.max_pool(x, 2), [[[5, 4]]])
    np.testing.assert_array_equal(qd.avg_pool(x, 2), [[[3.0, 3.0]]])


def test_padding_that_is_not_counted():
    x = np.array([[[2.0, 4.0, 6.0]]])
    got = qd.avg_pool(x, 3, stride=1, padding=1, counts_padding=False)
    np.testing.assert_allclose(got, [[[3.0, 4.0, 5.0]]])
