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


ALL_MODES = (*MODES, "grid-constant")
PLACES = np.concatenate(
    [
        np.random.default_rng(1).uniform(-14, 18, (2, 30)),
        [[0, 4, 4, -0.3, 4.3, -1, 2.5, 0.2], [0, 5, 2.2, 1, 5.4, 6, 2.5, 1.1]],
    ],
    axis=1,
)


@pytest.mark.parametrize("mode", ALL_MODES)
@pytest.mark.parametrize("order", range(6))
def test_coordinates(order, mode):
    options = {"order": order, "mode": mode, "cval": 0.4}
    f = lambda x, p: ndimage.map_coordinates(x, p, **options)
    expected = theirs.map_coordinates(IMAGE, PLACES, **options)
    assert np.array_equal(f(IMAGE, PLACES), expected)
    close(f(leaf(IMAGE), PLACES).detach(), expected)
    close(f(IMAGE, leaf(PLACES)).detach(), expected)
    filtered = theirs.map_coordinates(IMAGE, PLACES, prefilter=False, **options)
    found = ndimage.map_coordinates(leaf(IMAGE), PLACES, prefilter=False, **options)
    close(found.detach(), filtered)


@pytest.mark.parametrize("mode", ALL_MODES)
@pytest.mark.parametrize("order", [0, 1, 3, 4])
def test_derivatives_between_points(order, mode):
    places = np.array([[0.2, 3.7, -0.9, 6.8], [1.3, 4.8, 2.3, 3.2]])  # off the jumps of order 0
    small = IMAGE[:4, :5]
    weights = np.array([1.0, 2.0, -3.0, 0.5])

    def f(x, places, cval):
        return ndimage.map_coordinates(x, places, order=order, mode=mode, cval=cval)

    assert qd.gradcheck(f, small, places, 0.4)
    turned = qd.grad(lambda x: f(x, places, 0.4) @ weights)(small)  # the transpose, in full
    rows = [f(unit.reshape(4, 5), places, 0.0) @ weights for unit in np.eye(20)]
    close(turned, np.reshape(rows, (4, 5)))


def test_second_derivatives_between_points():
    places = np.array([[0.2], [1.3]])
    f = lambda x, p: np.sum(ndimage.map_coordinates(x, p, order=2, mode="mirror") ** 2)
    assert qd.gradgradcheck(f, IMAGE[:2, :3], places)


@pytest.mark.parametrize("mode", ["constant", "reflect", "grid-wrap"])
def test_long_images_filter_by_their_transpose(mode):
    x, y = np.cos(np.arange(90.0)), np.sin(np.arange(90.0) ** 2)
    for order in (2, 3, 4, 5):
        f = lambda x, o=order: ndimage.spline_filter1d(x, o, mode=mode)
        close(f(leaf(x)).detach(), theirs.spline_filter1d(x, order, mode=mode))
        turned = qd.grad(lambda x, f=f: f(x) @ y)(x)
        assert float(turned @ x) == pytest.approx(float(f(x) @ y), rel=1e-12)
        image = np.stack([x, y])
        close(qd.jvp(f, (image,), (image,))[1], theirs.spline_filter1d(image, order, mode=mode))
    close(
        ndimage.spline_filter(leaf(IMAGE), mode="mirror").detach(),
        theirs.spline_filter(IMAGE, mode="mirror"),
    )


@pytest.mark.parametrize("order", [0, 1, 3])
def test_between_points_compiled_and_batched(order):
    f = lambda x, p: ndimage.map_coordinates(x, p, order=order, mode="reflect")
    images = np.stack([IMAGE, IMAGE**2])
    places = np.stack([PLACES, PLACES + 0.1])
    close(qd.jit(f)(IMAGE, PLACES), f(IMAGE, PLACES))
    close(qd.vmap(f)(images, places), [f(x, p) for x, p in zip(images, places, strict=True)])
    close(qd.vmap(f, (None, 0))(IMAGE, places), [f(IMAGE, p) for p in places])
    slope = qd.grad(lambda x, p: np.sum(f(x, p) ** 2), argnums=(0, 1))
    for found, wanted in zip(qd.jit(slope)(IMAGE, PLACES), slope(IMAGE, PLACES), strict=True):
        close(found, wanted)


def test_dtypes_between_points():
    small = IMAGE.astype(np.float32)
    places = np.array([[0.2, 2.7], [1.3, 1.8]])
    t = leaf(small)
    found = ndimage.map_coordinates(t, places)
    assert found.dtype == np.float32
    found.sum().backward()
    assert t.grad.dtype == np.float32
    both = IMAGE + 1j * IMAGE**2
    expected = theirs.map_coordinates(both, places)
    close(ndimage.map_coordinates(both, leaf(places)).detach(), expected)


MOVES = {
    "shift": lambda x, a, **k: ndimage.shift(x, a, **k),
    "rotate": lambda x, a, **k: ndimage.rotate(x, 33.0 * a, reshape=False, **k),
    "matrix": lambda x, a, **k: ndimage.affine_transform(
        x, np.array([[0.9, 0.2], [-0.1, 1.1]]) * a, np.stack([0.3 * a, -0.43 * a]), (4, 6), **k
    ),
    "diagonal": lambda x, a, **k: ndimage.affine_transform(
        x, np.array([0.9, 1.2]) * a, np.stack([0.3 * a, -0.43 * a]), **k
    ),
    "homogeneous": lambda x, a, **k: ndimage.affine_transform(
        x, np.array([[0.9, 0.2, 0.3], [-0.1, 1.1, 0.43]]) * a, **k
    ),
}


@pytest.mark.parametrize("mode", ["constant", "grid-constant", "mirror", "grid-wrap", "nearest"])
@pytest.mark.parametrize("name", MOVES)
def test_moved_images(name, mode):
    for order in (0, 1, 3):
        options = {"order": order, "mode": mode, "cval": 0.3}
        expected = MOVES[name](IMAGE, 0.73, **options)
        close(MOVES[name](leaf(IMAGE), 0.73, **options).detach(), expected)
        close(MOVES[name](IMAGE, leaf(0.73), **options).detach(), expected)
    f = lambda x, a: np.sum(MOVES[name](x, a, mode=mode) ** 2)
    assert qd.gradcheck(f, IMAGE[:3, :4], 0.73)
    close(qd.jit(f)(IMAGE, 0.73), f(IMAGE, 0.73))
    close(qd.vmap(f, (None, 0))(IMAGE, np.array([0.7, 0.8])), [f(IMAGE, 0.7), f(IMAGE, 0.8)])


VOLUME = np.cos(np.arange(60.0)).reshape(3, 4, 5)


@pytest.mark.parametrize("image", [IMAGE, VOLUME], ids=["image", "volume"])
@pytest.mark.parametrize("mode", ["constant", "grid-constant", "reflect", "grid-wrap"])
def test_zoomed_and_turned_images(mode, image):
    for order in (0, 1, 2, 3):
        options = {"order": order, "mode": mode, "cval": 0.3}
        for factor in (1.6, 0.6, 1.0):
            expected = theirs.zoom(image, factor, **options)
            close(ndimage.zoom(leaf(image), factor, **options).detach(), expected)
        for angle in (33.0, 90.0):
            expected = theirs.rotate(image, angle, axes=(0, image.ndim - 1), **options)
            found = ndimage.rotate(leaf(image), angle, axes=(0, image.ndim - 1), **options)
            close(found.detach(), expected)
    if mode.startswith("grid"):
        expected = theirs.zoom(image, 1.6, mode=mode, grid_mode=True)
        close(ndimage.zoom(leaf(image), 1.6, mode=mode, grid_mode=True).detach(), expected)
    assert qd.gradcheck(lambda x, c: ndimage.zoom(x, 1.6, mode=mode, cval=c)[1], image[:2, :3], 0.3)


FILTERS = {
    "laplace": [{}, {"axes": (1,)}],
    "sobel": [{}, {"axis": 0}],
    "prewitt": [{}, {"axis": 0}],
    "uniform_filter": [{}, {"size": 4, "origin": -1}, {"size": (2, 3), "axes": (0, -1)}],
    "median_filter": [{"size": 3}, {"size": (2, 3), "axes": (0, 1), "origin": (-1, 0)}],
    "minimum_filter": [{"size": 3}, {"footprint": np.eye(3)}],
    "maximum_filter": [{"size": 3}, {"footprint": np.eye(3)}],
    "rank_filter": [{"rank": -2, "size": 3}, {"rank": 1, "footprint": np.eye(3)}],
    "percentile_filter": [{"percentile": 30, "size": 3}, {"percentile": -30, "size": 3}],
    "gaussian_laplace": [{"sigma": 1.1}, {"sigma": 0.8, "axes": (1,)}],
    "gaussian_gradient_magnitude": [{"sigma": 1.1}, {"sigma": (0.8, 1.2)}],
}  # fmt: skip


@pytest.mark.parametrize("mode", ALL_MODES)
@pytest.mark.parametrize("name", FILTERS)
def test_filters(name, mode):
    for options in FILTERS[name]:
        f = lambda x, c, o=options: getattr(ndimage, name)(x, mode=mode, cval=c, **o)
        for image in (IMAGE, VOLUME):
            if "footprint" in options or isinstance(options.get("sigma"), tuple):
                image = IMAGE
            expected = getattr(theirs, name)(image, mode=mode, cval=0.3, **options)
            close(f(leaf(image), 0.3).detach(), expected)
            if "constant" in mode:
                close(f(image, leaf(0.3)).detach(), expected)
    if mode == "constant":
        assert qd.gradcheck(f, IMAGE[:3, :3], 0.31)
        close(qd.jit(f)(IMAGE, 0.3), f(IMAGE, 0.3))
        close(qd.vmap(f, (0, None))(VOLUME, 0.3), [f(x, 0.3) for x in VOLUME])


@pytest.mark.parametrize("mode", ALL_MODES)
def test_rows_of_weights(mode):
    for row in ([1.0, 2.0, 4.0], [1.0, 2.0, 4.0, 3.0]):
        for origin in (-1, 0, 1):
            options = {"mode": mode, "cval": 0.3, "origin": origin}
            for name in ("correlate1d", "convolve1d"):
                for axis in (0, 1):
                    expected = getattr(theirs, name)(IMAGE, row, axis, **options)
                    found = getattr(ndimage, name)(IMAGE, leaf(row), axis, **options)
                    close(found.detach(), expected)
    expected = theirs.uniform_filter1d(IMAGE, 4, 0, mode=mode, origin=1)
    close(ndimage.uniform_filter1d(leaf(IMAGE), 4, 0, mode=mode, origin=1).detach(), expected)


def test_complex_weights():
    w = np.array([1.0 + 1j, 2.0, 3.0 - 2j])
    x = IMAGE[0] + 0.5j * IMAGE[1]
    for name in ("correlate", "convolve", "correlate1d", "convolve1d"):
        close(getattr(ndimage, name)(leaf(x), w).detach(), getattr(theirs, name)(x, w))


@pytest.mark.parametrize("order", range(4))
def test_derivatives_in_sigma_and_cval(order):
    def f(s, c):
        return np.sum(
            ndimage.gaussian_filter(IMAGE, s, order, mode="constant", cval=c, radius=3) ** 2
        )

    assert qd.gradgradcheck(f, 0.9, 0.3)
    assert qd.gradcheck(f, np.array([0.9, 1.2]), 0.3)
    close(qd.jit(f)(0.9, 0.3), f(0.9, 0.3))
    for name in ("correlate", "convolve"):
        g = lambda c, n=name: getattr(ndimage, n)(IMAGE, WEIGHTS["odd"], mode="constant", cval=c)
        assert qd.gradcheck(g, 0.3)


def test_along_one_axis():
    image = np.arange(12.0).reshape(3, 4) ** 1.5
    t = qd.tensor(image, requires_grad=True)
    found = qd.scipy.ndimage.gaussian_filter1d(t, 1.2, axis=0)
    want = pytest.importorskip("scipy.ndimage").gaussian_filter1d(image, 1.2, axis=0)
    np.testing.assert_allclose(found.detach().numpy(), want, rtol=1e-12)
