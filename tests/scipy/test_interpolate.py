"""Curves through data: values are SciPy's, derivatives exact in places and in data."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf

theirs = pytest.importorskip("scipy.interpolate")
interpolate = qd.scipy.interpolate
X = np.array([0.0, 0.4, 1.0, 1.7, 2.0, 3.1])
Y = np.array([0.3, 1.0, -0.5, -0.8, 0.4, 0.6])
ROWS = np.stack([Y, Y**2, np.cos(X)])
PLACES = np.array([[-0.2, 0.1, 0.9], [1.5, 2.6, 3.3]])

CURVES = {
    "not-a-knot": ("CubicSpline", {}),
    "natural": ("CubicSpline", {"bc_type": "natural"}),
    "clamped": ("CubicSpline", {"bc_type": "clamped"}),
    "mixed": ("CubicSpline", {"bc_type": ("natural", "clamped")}),
    "pchip": ("PchipInterpolator", {}),
    "line": ("interp1d", {"fill_value": "extrapolate"}),
}


@pytest.mark.parametrize("name", CURVES)
def test_values(name):
    kind, options = CURVES[name]
    ours, their = getattr(interpolate, kind), getattr(theirs, kind)
    expected = their(X, Y, **options)(PLACES)
    assert np.array_equal(ours(X, Y, **options)(PLACES), expected)
    close(ours(X, leaf(Y), **options)(PLACES).detach(), expected)
    close(ours(X, Y, **options)(leaf(PLACES)).detach(), expected)
    for axis, data in [(0, ROWS.T), (1, ROWS), (-1, ROWS)]:
        expected = their(X, data, axis=axis, **options)(PLACES)
        close(ours(X, leaf(data), axis=axis, **options)(PLACES).detach(), expected)
        close(ours(X, data, axis=axis, **options)(leaf(PLACES)).detach(), expected)


@pytest.mark.parametrize("name", CURVES)
def test_derivatives(name):
    kind, options = CURVES[name]
    weights = np.array([[1.0, -2.0, 3.0], [0.5, 1.5, -1.0]])

    def f(places, y):
        return np.sum(weights * getattr(interpolate, kind)(X, y, **options)(places))

    assert qd.gradcheck(f, PLACES, Y)
    assert qd.gradgradcheck(f, PLACES, Y)


@pytest.mark.parametrize("kind, options", [("PchipInterpolator", {}), CURVES["line"]])
def test_derivatives_in_knots(kind, options):
    def f(x):
        return np.sum(getattr(interpolate, kind)(x, Y, **options)(PLACES) ** 2)

    assert qd.gradcheck(f, X)


@pytest.mark.parametrize("nu", range(5))
@pytest.mark.parametrize("kind", ["CubicSpline", "PchipInterpolator"])
def test_derivatives_of_curves(kind, nu):
    expected = getattr(theirs, kind)(X, Y)(PLACES, nu)
    close(getattr(interpolate, kind)(X, leaf(Y))(PLACES, nu).detach(), expected)
    f = getattr(interpolate, kind)(X, Y)
    slope = qd.grad(lambda p: np.sum(f(p)))(PLACES)
    close(slope, f(PLACES, 1))


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("kind", ["CubicSpline", "PchipInterpolator", "interp1d"])
def test_few_points(kind, count):
    x, y, places = X[:count], Y[:count], np.array([0.1, 0.3])
    expected = getattr(theirs, kind)(x, y)(places)
    close(getattr(interpolate, kind)(x, leaf(y))(places).detach(), expected)


def test_slopes_of_pchip_at_ends():
    for y in [[0.0, 5.0, 5.1, 9.0], [0.0, 0.1, -4.0, 1.0], [1.0, 1.0, 2.0, 2.0]]:
        x, places = np.arange(4.0), np.linspace(0, 3, 11)
        expected = theirs.PchipInterpolator(x, y)(places)
        found = interpolate.PchipInterpolator(x, leaf(np.array(y)))(places)
        close(found.detach(), expected)


def test_beyond_the_data():
    expected = theirs.CubicSpline(X, Y, extrapolate=False)(PLACES)
    found = interpolate.CubicSpline(X, leaf(Y), extrapolate=False)(PLACES).detach()
    assert np.allclose(found, expected, equal_nan=True)
    options = {"bounds_error": False, "fill_value": (-1.0, 7.0)}
    shuffled = np.array([3, 0, 5, 1, 4, 2])
    expected = theirs.interp1d(X[shuffled], Y[shuffled], **options)(PLACES)
    found = interpolate.interp1d(X[shuffled], leaf(Y[shuffled]), **options)(PLACES).detach()
    close(found, expected)
    with pytest.raises(ValueError, match="below the interpolation range"):
        interpolate.interp1d(X, leaf(Y))(PLACES)


def test_plain_curves_are_scipys_in_all_else():
    ours, their = interpolate.CubicSpline(X, Y), theirs.CubicSpline(X, Y)
    assert ours.integrate(0.1, 2.0) == their.integrate(0.1, 2.0)
    assert np.array_equal(ours.roots(), their.roots())


AXES = (np.array([0.0, 1.0, 2.5]), np.array([2.0, 1.0, 0.5, -1.0]))
TABLE = np.sin(np.arange(12.0)).reshape(3, 4)
SPOTS = np.array([[0.2, 1.5], [1.7, -0.3], [2.2, 0.8]])


def test_tables():
    make, their = interpolate.RegularGridInterpolator, theirs.RegularGridInterpolator
    expected = their(AXES, TABLE)(SPOTS)
    assert np.array_equal(make(AXES, TABLE)(SPOTS), expected)
    close(make(AXES, leaf(TABLE))(SPOTS).detach(), expected)
    close(make(AXES, TABLE)(leaf(SPOTS)).detach(), expected)
    columns = tuple(SPOTS.T)
    close(make(AXES, leaf(TABLE))(columns).detach(), their(AXES, TABLE)(columns))
    close(make(AXES, leaf(TABLE))(SPOTS[0]).detach(), their(AXES, TABLE)(SPOTS[0]))
    deep = np.stack([TABLE, TABLE**2], -1)
    close(make(AXES, leaf(deep))(SPOTS).detach(), their(AXES, deep)(SPOTS))

    def f(spots, table):
        options = {"bounds_error": False, "fill_value": None}
        return np.sum(make(AXES, table, **options)(spots) ** 2)

    assert qd.gradcheck(f, SPOTS, TABLE)
    assert qd.gradgradcheck(f, SPOTS, TABLE)


@pytest.mark.parametrize("fill", [None, -3.0])
def test_tables_beyond_their_grid(fill):
    options = {"bounds_error": False, "fill_value": fill}
    spots = np.array([[-1.0, 0.0], [1.0, 4.0], [0.3, 0.3]])
    expected = theirs.RegularGridInterpolator(AXES, TABLE, **options)(spots)
    found = interpolate.RegularGridInterpolator(AXES, leaf(TABLE), **options)(spots)
    close(found.detach(), expected)
