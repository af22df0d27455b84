import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qiudao as qd
from ops.agreement import agree
from ops.networks.settings import SETTINGS


def naive(x, kernel, stride, padding, dilation, groups):
    """By the definition: one product at a time."""
    space = x.ndim - 2
    x = np.pad(x, [(0, 0), (0, 0), *padding])
    spans = [(k - 1) * d + 1 for k, d in zip(kernel.shape[2:], dilation, strict=True)]
    counts = [(n - m) // s + 1 for n, m, s in zip(x.shape[2:], spans, stride, strict=True)]
    out = np.zeros((len(x), len(kernel), *counts), np.result_type(x, kernel))
    inputs, outputs = kernel.shape[1], len(kernel) // groups
    for at in itertools.product(*map(range, out.shape)):
        n, o, *p = at
        first = o // outputs * inputs
        index = tuple(
            slice(p[k] * stride[k], p[k] * stride[k] + spans[k], dilation[k]) for k in range(space)
        )
        out[at] = np.sum(x[(n, slice(first, first + inputs), *index)] * kernel[o])
    return out


def each(value, space):
    return value if isinstance(value, tuple) else (value,) * space


def by_definition(setting, x, kernel):
    space = len(setting.x) - 2
    options = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, **setting.options}
    padding = [(p, p) for p in each(options["padding"], space)]
    stride, dilation = each(options["stride"], space), each(options["dilation"], space)
    return naive(x, kernel, stride, padding, dilation, options["groups"])


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.int64])
def test_the_definition(setting, dtype):
    x, kernel = ((10 * v).astype(dtype) for v in setting.draw())
    if dtype == np.complex128:
        x, kernel = x + 2j * x[::-1], kernel - 1j * kernel[::-1]
    got = qd.convolution(x, kernel, **setting.options)
    want = by_definition(setting, x, kernel)
    assert got.dtype == want.dtype
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance * 1000)


def test_one_channel_is_scipys_correlation():
    signal = pytest.importorskip("scipy.signal")
    rng = np.random.default_rng(0)
    for shape, length in [((7,), (3,)), ((6, 7), (2, 3)), ((4, 5, 3), (2, 2, 3))]:
        x, kernel = rng.normal(size=shape), rng.normal(size=length)
        for padding, mode in [("valid", "valid"), ([n - 1 for n in length], "full")]:
            got = qd.convolution(x[None, None], kernel[None, None], padding=padding)
            np.testing.assert_allclose(got[0, 0], signal.correlate(x, kernel, mode), atol=1e-12)


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_derivatives(setting):
    x, kernel = setting.draw()
    agree(lambda x, k: qd.convolution(x, k, **setting.options), x, kernel)


def test_derivatives_to_third_order():
    rng = np.random.default_rng(0)

    def f(x, kernel):
        return np.tanh(qd.convolution(np.sin(x), kernel, stride=2, padding=1, groups=2))

    assert qd.gradcheck(f, rng.normal(size=(1, 2, 3)), rng.normal(size=(2, 1, 2)), order=3)


sizes = st.integers(1, 3)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_settings(data):
    """Values by the definition; the two transposes by the identity that defines them."""
    space = data.draw(st.integers(1, 3))
    groups = data.draw(sizes)
    channels, outputs = groups * data.draw(sizes), groups * data.draw(sizes)
    length, stride, dilation = (tuple(data.draw(sizes) for _ in range(space)) for _ in range(3))
    padding = tuple(tuple(data.draw(st.integers(0, 4)) for _ in "ba") for _ in range(space))
    room = [(k - 1) * d + 1 for k, d in zip(length, dilation, strict=True)]
    shape = [
        max(m - sum(p), 1) + data.draw(st.integers(0, 3))
        for m, p in zip(room, padding, strict=True)
    ]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(data.draw(sizes), channels, *shape))
    kernel = rng.normal(size=(outputs, channels // groups, *length))
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    out, pullback = qd.vjp(lambda x, k: qd.convolution(x, k, **options), x, kernel)
    np.testing.assert_allclose(out, naive(x, kernel, stride, padding, dilation, groups), atol=1e-11)
    ct = rng.normal(size=out.shape)
    dx, dkernel = pullback(ct)
    assert dx.shape == x.shape
    assert dkernel.shape == kernel.shape
    total = np.sum(ct * out)
    np.testing.assert_allclose([np.sum(dx * x), np.sum(dkernel * kernel)], total, atol=1e-9)


def test_same_padding_keeps_the_size():
    x = np.ones((1, 1, 7, 6))
    for length in [(3, 2), (4, 5)]:
        kernel = np.ones((1, 1, *length))
        assert qd.convolution(x, kernel, padding="same").shape == x.shape
        assert qd.convolution(x, kernel, padding="same", stride=2).shape == (1, 1, 4, 3)


def test_transposed_convolution_is_the_transpose():
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(4, 3, 3, 2))
    options = {"stride": (2, 3), "padding": (1, (0, 1)), "dilation": (1, 2), "groups": 2}
    x = rng.normal(size=(2, 6, 8, 9))
    out = qd.convolution(x, kernel, **options)
    ct = rng.normal(size=out.shape)
    back = qd.transposed_convolution(ct, kernel, extra=(1, 1), **options)
    assert back.shape == x.shape
    np.testing.assert_allclose(np.sum(ct * out), np.sum(back * x))


def test_vmap_over_images_kernels_and_both():
    rng = np.random.default_rng(0)
    xs, kernels = rng.normal(size=(3, 2, 4, 5)), rng.normal(size=(3, 6, 2, 3))

    def f(x, k):
        return qd.convolution(x, k, groups=2, padding=1)

    for axes in [(0, None), (None, 0), (0, 0)]:
        operands = [v if a == 0 else v[0] for v, a in zip((xs, kernels), axes, strict=True)]
        got = qd.vmap(f, axes)(*operands)
        want = [
            f(*(v[k] if a == 0 else v for v, a in zip(operands, axes, strict=True)))
            for k in range(3)
        ]
        np.testing.assert_allclose(got, np.stack(want), atol=1e-12)


@pytest.mark.parametrize("padding", [0, 1])
def test_transposed_with_more_extra_than_the_stride(padding):
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 2, 4)), rng.normal(size=(2, 3, 3))
    f = lambda x, k: qd.transposed_convolution(x, k, padding=padding, dilation=3, extra=2)
    plain = qd.transposed_convolution(x, kernel, padding=((padding, 0),), dilation=3)
    want = np.pad(plain, ((0, 0), (0, 0), (0, 2)))[..., : f(x, kernel).shape[-1]]
    np.testing.assert_allclose(f(x, kernel), want, atol=1e-12)
    assert qd.gradcheck(f, x, kernel, order=2)
