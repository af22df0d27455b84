"""Holds a function of NumPy's, met by tensors, against NumPy itself and against its own modes."""

import numpy as np

import qiudao as qd


def direction(rng, x):
    """A random array of the shape and dtype of `x`."""
    d = rng.uniform(-1, 1, np.shape(x))
    if np.result_type(x).kind == "c":
        d = d + 1j * rng.uniform(-1, 1, np.shape(x))
    return np.asarray(d, np.result_type(x))


def paired(a, b):
    """The real inner product that pairs gradients with tangents."""
    return np.sum(np.real(np.conj(a) * b))


def agree(f, *xs, tolerance=1e-9, batched=True):
    """NumPy's value, dtype and shape; reverse mode adjoint to forward; `vmap` equal to a loop."""
    rng = np.random.default_rng(0)
    expected = f(*xs)
    y, pull = qd.vjp(f, *xs)
    assert np.shape(y) == np.shape(expected)
    assert y.dtype == expected.dtype
    np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance)
    dxs = tuple(direction(rng, x) for x in xs)
    _, dy = qd.jvp(f, xs, dxs)
    ct = direction(rng, y)
    grads = pull(ct)
    for g, x in zip(grads, xs, strict=True):
        assert g.shape == np.shape(x)
        assert g.dtype == np.result_type(x)
    left = paired(ct, dy)
    right = sum(paired(g, dx) for g, dx in zip(grads, dxs, strict=True))
    np.testing.assert_allclose(left, right, rtol=100 * tolerance, atol=100 * tolerance)
    if batched:
        agree_batched(f, xs, rng, tolerance)


def agree_batched(f, xs, rng, tolerance):
    """`vmap` over all arguments, and over each alone, against a loop."""
    size = 2
    stacks = [np.stack([direction(rng, x) for _ in range(size)]) for x in xs]
    patterns = {(0,) * len(xs)} | {
        tuple(0 if j == i else None for j in range(len(xs))) for i in range(len(xs))
    }
    for axes in patterns:
        operands = [s if a == 0 else x for s, x, a in zip(stacks, xs, axes, strict=True)]
        got = qd.vmap(f, axes)(*operands)
        rows = [
            f(*(o[k] if a == 0 else o for o, a in zip(operands, axes, strict=True)))
            for k in range(size)
        ]
        np.testing.assert_allclose(got, np.stack(rows), rtol=tolerance, atol=tolerance)
