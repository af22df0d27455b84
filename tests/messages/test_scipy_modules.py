"""The text of the errors of `qd.scipy`'s modules of data: interpolation, filters, images."""

import numpy as np
import pytest

import qiudao as qd
from messages.raised import raised
from qiudao.core.errors import GradientError

pytest.importorskip("scipy")
interpolate, ndimage, signal = qd.scipy.interpolate, qd.scipy.ndimage, qd.scipy.signal
X = np.arange(5.0)
Y = np.cos(X)
GRID = (X, X)


def through(kind, place=1.5, x=X, call=(), **options):
    return lambda y: getattr(interpolate, kind)(x, y, **options)(place, *call)


def table(**options):
    def f(y):
        return interpolate.RegularGridInterpolator(GRID, np.outer(y, y), **options)([[1.5, 1.5]])[0]

    return f


MESSAGES = [
    (
        "a method of a curve",
        lambda: qd.grad(lambda y: interpolate.CubicSpline(X, y).roots()[0])(Y),
        "CubicSpline.roots: its derivative with respect to the data is not known; call the curve, "
        "or its derivative(), antiderivative() or integrate()",
    ),
    (
        "a method of a B-spline",
        lambda: qd.grad(lambda y: interpolate.make_interp_spline(X, y).insert_knot(1.5).c[0])(Y),
        "BSpline.insert_knot: its derivative with respect to the data is not known; call the "
        "curve, or its derivative(), antiderivative() or integrate()",
    ),
    (
        "ends of a B-spline",
        lambda: qd.grad(lambda x: interpolate.make_interp_spline(x, Y, bc_type="natural")(1.5))(X),
        "make_interp_spline: derivatives in the values of bc_type, and in x or t with a bc_type, "
        "are not known, and this call has bc_type='natural'; use CubicSpline, or let y alone carry "
        "the derivative",
    ),
    (
        "a filled line",
        lambda: qd.grad(lambda v: interpolate.interp1d(X, Y, fill_value=v)(1.5))(1.0),
        "interp1d: fill_value carries a derivative, which is not known; put it in with np.where",
    ),
    (
        "another table",
        lambda: qd.grad(table(method="cubic_legacy"))(np.arange(5.0)),
        "RegularGridInterpolator: method='cubic_legacy' has no derivative here; use linear, "
        "nearest, pchip, slinear, cubic, quintic",
    ),
    (
        "a mode of convolution",
        lambda: qd.grad(lambda y: signal.convolve(y, Y, "most")[0])(Y),
        "convolve: mode='most' is not known; use full, same or valid",
    ),
    (
        "axes of a convolution",
        lambda: qd.grad(lambda y: signal.correlate(y, np.ones((2, 2)))[0])(Y),
        "correlate: the arrays have 1 and 2 axes; reshape one, so that they have as many",
    ),
    (
        "a valid part that is none",
        lambda: qd.grad(lambda y: signal.convolve(y[None], np.ones((2, 2)), "valid")[0, 0])(Y),
        "convolve: mode='valid' of shapes (1, 5) and (2, 2), where neither holds the other; use "
        "full or same",
    ),
    (
        "another way to the ends",
        lambda: qd.grad(lambda y: signal.filtfilt([1.0], [1.0, 0.5], y, method="gust")[0])(Y),
        "filtfilt: method='gust' has no derivative here; use method='pad', with another padlen "
        "where the ends matter",
    ),
    (
        "sections in a batch",
        lambda: qd.vmap(lambda s: signal.sosfiltfilt(s, np.ones(30)))(np.ones((2, 1, 6))),
        "sosfiltfilt: the length of the padding hangs on which coefficients are 0, and these are "
        "not known in qd.jit and qd.vmap; give padlen=",
    ),
    (
        "complex samples",
        lambda: qd.grad(lambda y: np.real(signal.resample(y + 1j, 9)[0]))(Y),
        "resample: derivatives are known for real samples in domain='time'; resample real and "
        "imaginary parts",
    ),
    (
        "the median of segments",
        lambda: qd.grad(lambda y: signal.welch(y, nperseg=4, average="median")[1][0])(Y),
        "welch: average='median' has no derivative here; use average='mean', or the median of the "
        "segments",
    ),
    (
        "a mode of windows",
        lambda: qd.grad(lambda y: ndimage.correlate(y, np.ones(3), mode="round")[0])(Y),
        "correlate: mode='round' is not known; use one of reflect, grid-mirror, mirror, nearest, "
        "wrap, grid-wrap, constant, grid-constant",
    ),
    (
        "output of a filter",
        lambda: qd.grad(lambda y: ndimage.convolve(y, np.ones(3), output=Y)[0])(Y),
        "convolve: derivatives with output= are not known; take the result as it is returned",
    ),
    (
        "axes of weights",
        lambda: qd.grad(lambda y: ndimage.convolve(y, np.ones((3, 3)))[0])(Y),
        "convolve: the image has 1 axes and the weights 2; give weights with as many axes",
    ),
    (
        "the width of a Gaussian in a batch",
        lambda: qd.vmap(lambda s: ndimage.gaussian_filter(Y, s))(Y),
        "gaussian_filter: how far the window reaches hangs on sigma, whose value is not known in "
        "qd.jit and qd.vmap; give radius=",
    ),
    (
        "output of coordinates",
        lambda: qd.grad(lambda y: ndimage.map_coordinates(y, [[1.5]], output=Y)[0])(Y),
        "map_coordinates: derivatives with output= are not known; take the result as it is "
        "returned",
    ),
    (
        "a zoom that moves",
        lambda: qd.grad(lambda z: ndimage.zoom(Y, z)[0])(1.5),
        "zoom: the zoom factor gives the number of points of the result, and has no derivative; "
        "use affine_transform, whose matrix has one",
    ),
    (
        "an angle in a batch",
        lambda: qd.vmap(lambda a: ndimage.rotate(np.eye(3), a))(Y),
        "rotate: with reshape=True the size of the result hangs on the angle, whose value is not "
        "known in qd.jit and qd.vmap; give reshape=False",
    ),
]


def test_orders_of_derivatives():
    t = qd.tensor(1.5, requires_grad=True)
    assert raised(lambda: interpolate.CubicSpline(X, Y)(t, -1)) == (
        ValueError,
        "CubicSpline: nu=-1 is negative; use antiderivative(1)",
    )
    assert raised(lambda: interpolate.make_interp_spline(X, Y)(t, -1)) == (
        ValueError,
        "BSpline: nu=-1 is negative; use antiderivative(1)",
    )
    assert raised(lambda: interpolate.PPoly(np.ones((2, 4)), X[::-1])(t)) == (
        GradientError,
        "PPoly: derivatives are known for breakpoints that rise, and these fall; give them and the "
        "coefficients in reverse, in powers from the other ends",
    )
    assert raised(lambda: interpolate.make_interp_spline(X, Y).derivative(4)) == (
        ValueError,
        "BSpline.derivative: nu=4 of a spline of degree 3; nu goes up to the degree",
    )
    places = qd.tensor([[1.5, 1.5]], requires_grad=True)
    grid = interpolate.RegularGridInterpolator(GRID, np.outer(Y, Y))
    assert raised(lambda: grid(places, nu=[1, 0])) == (
        ValueError,
        "RegularGridInterpolator: nu= is for the methods slinear, cubic, quintic, and this call "
        "has method='linear'; use qd.grad for derivatives in the places",
    )


def test_shapes_of_coordinates():
    t = qd.tensor(np.eye(3), requires_grad=True)
    assert raised(lambda: ndimage.map_coordinates(t, np.ones((3, 2)))) == (
        ValueError,
        "map_coordinates: coordinates of shape (3, 2) for an image of 2 axes; give an array of "
        "shape (2, ...)",
    )


@pytest.mark.parametrize("act, text", [m[1:] for m in MESSAGES], ids=[m[0] for m in MESSAGES])
def test_message(act, text):
    assert raised(act) == (GradientError, text)
