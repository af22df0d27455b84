"""How tests compare: plain arrays out of anything, and differences as an independent oracle."""

import numpy as np

import qiudao as qd


def plain(x):
    """The NumPy value of a tensor, an array or a number."""
    return x.detach().numpy() if isinstance(x, qd.Tensor) else np.asarray(x)


def close(found, wanted, rtol=1e-12, atol=1e-12):
    """Hold that two values have the same shape and, within rounding, the same numbers."""
    found, wanted = plain(found), plain(wanted)
    assert found.shape == wanted.shape, f"{found.shape} is not {wanted.shape}"
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=atol)


def same(found, wanted):
    """Hold that two pytrees agree leaf by leaf: tuples, lists, dicts, and what has fields."""
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        for key in wanted:
            same(found[key], wanted[key])
    elif isinstance(wanted, tuple | list):
        assert type(found) is type(wanted)
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            same(one, other)
    elif wanted is None:
        assert found is None
    else:
        close(found, wanted)


def slopes(f, x, h=1e-6):
    """The gradient of a scalar function of one array, by central differences."""
    x = np.asarray(x, float)
    found = np.zeros_like(x)
    for k in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[k] = h
        found[k] = (plain(f(x + step)) - plain(f(x - step))) / (2 * h)
    return found


def leaf(data, **options):
    """A tensor that requires grad."""
    return qd.tensor(data, requires_grad=True, **options)
