"""Filters of images, and values between points: values are SciPy's, derivatives exact."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf

theirs = pytest.importorskip("scipy.ndimage")
ndimage = qd.scipy.ndimage
IMAGE = np.cos(np.arange(30.0)).reshape(5, 6)
WEIGHTS = {"odd": np.sin(np.arange(9.0)).reshape(3, 3), "even": np.arange(8.0).reshape(2, 4)}
MODES = ("reflect", "grid-mirror", "mirror", "nearest", "wrap", "grid-wrap", "constant")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", ["correlate", "convolve"])
def test_windows(name, weights, mode):
    w = WEIGHTS[weights]
    for options in [{}, {"cval": 0.7}, {"origin": (-1, 0)}, {"origin": (0, 1)}]:
        expected = getattr(theirs, name)(IMAGE, w, mode=mode, **options)
        ours = getattr(ndimage, name)
        assert np.array_equal(ours(IMAGE, w, mode=mode, **options), expected)
        close(ours(leaf(IMAGE), w, mode=mode, **options).detach(), expected)
        close(ours(IMAGE, leaf(w), mode=mode, **options).detach(), expected)


@pytest.mark.parametrize("name", ["correlate", "convolve"])
def test_derivatives_of_windows(name):
    def f(x, w):
        return np.sum(getattr(ndimage, name)(x, w, mode="mirror") ** 2)

    assert qd.gradcheck(f, IMAGE, WEIGHTS["odd"])
    assert qd.gradgradcheck(f, IMAGE[:3, :3], WEIGHTS["odd"][:2, :2])


@pytest.mark.parametrize("mode", MODES)
def test_gaussians(mode):
    for options in [{}, {"order": 1}, {"order": (0, 2)}, {"radius": 2}, {"truncate": 2.0}]:
        for sigma in [0.6, (0.8, 0.0)]:
            expected = theirs.gaussian_filter(IMAGE, sigma, mode=mode, **options)
            found = ndimage.gaussian_filter(leaf(IMAGE), sigma, mode=mode, **options)
            close(found.detach(), expected)
    expected = theirs.gaussian_filter(IMAGE, 3.0, mode=mode, axes=(1,))
    close(ndimage.gaussian_filter(leaf(IMAGE), 3.0, mode=mode, axes=(1,)).detach(), expected)

    def f(x):
        return np.sum(ndimage.gaussian_filter(x, 0.7, mode=mode) ** 3)

    assert qd.gradcheck(f, IMAGE[:3, :4])


def test_second_derivatives_of_gaussians():
    assert qd.gradgradcheck(lambda x: np.sum(ndimage.gaussian_filter(x, 0.7) ** 3), IMAGE[:2, :3])


PLACES = np.array([[0.2, 3.7, 1.5, -0.8, 4.0], [1.1, 4.9, 2.3, 2.2, 5.0]])


@pytest.mark.parametrize("mode", ["constant", "nearest"])
@pytest.mark.parametrize("order", [0, 1])
def test_coordinates(order, mode):
    options = {"order": order, "mode": mode, "cval": 0.4}
    expected = theirs.map_coordinates(IMAGE, PLACES, **options)
    assert np.array_equal(ndimage.map_coordinates(IMAGE, PLACES, **options), expected)
    close(ndimage.map_coordinates(leaf(IMAGE), PLACES, **options).detach(), expected)
    close(ndimage.map_coordinates(IMAGE, leaf(PLACES), **options).detach(), expected)

    def f(x, places):
        return np.sum(ndimage.map_coordinates(x, places, **options) ** 2)

    inside = np.array([[0.2, 3.7, 1.3], [1.3, 4.8, 2.3]])  # away from the jumps of order 0
    assert qd.gradcheck(f, IMAGE, inside)
    assert qd.gradgradcheck(f, IMAGE, inside)


def test_along_one_axis():
    image = np.arange(12.0).reshape(3, 4) ** 1.5
    t = qd.tensor(image, requires_grad=True)
    found = qd.scipy.ndimage.gaussian_filter1d(t, 1.2, axis=0)
    want = pytest.importorskip("scipy.ndimage").gaussian_filter1d(image, 1.2, axis=0)
    np.testing.assert_allclose(found.detach().numpy(), want, rtol=1e-12)
