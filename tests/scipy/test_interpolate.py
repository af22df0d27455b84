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
    "stated ends": ("CubicSpline", {"bc_type": ((1, 0.3), (2, -0.7))}),
    "other ends": ("CubicSpline", {"bc_type": ((2, 0.3), (1, -0.7))}),
    "pchip": ("PchipInterpolator", {}),
    "akima": ("Akima1DInterpolator", {"extrapolate": True}),
    "makima": ("Akima1DInterpolator", {"method": "makima", "extrapolate": True}),
    "b-spline": ("make_interp_spline", {}),
    "b-spline of degree 5": ("make_interp_spline", {"k": 5}),
    "b-spline of degree 2": ("make_interp_spline", {"k": 2}),
    "line": ("interp1d", {"fill_value": "extrapolate"}),
}
ONE_ROW = ("stated ends", "other ends")  # whose ends are stated for one row of data


@pytest.mark.parametrize("name", CURVES)
def test_values(name):
    kind, options = CURVES[name]
    ours, their = getattr(interpolate, kind), getattr(theirs, kind)
    expected = their(X, Y, **options)(PLACES)
    assert np.array_equal(ours(X, Y, **options)(PLACES), expected)
    close(ours(X, leaf(Y), **options)(PLACES).detach(), expected)
    close(ours(X, Y, **options)(leaf(PLACES)).detach(), expected)
    for axis, data in [] if name in ONE_ROW else [(0, ROWS.T), (1, ROWS), (-1, ROWS)]:
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
    if name in ("natural", "pchip", "akima", "b-spline", "line"):
        weights = weights[0, :2]
        assert qd.gradgradcheck(f, PLACES[0, 1:], Y)


@pytest.mark.parametrize("name", CURVES)
def test_derivatives_in_knots(name):
    kind, options = CURVES[name]

    def f(x):
        return np.sum(getattr(interpolate, kind)(x, Y, **options)(PLACES) ** 2)

    assert qd.gradcheck(f, X)
    if name == "not-a-knot":
        few = lambda x: interpolate.CubicSpline(x, Y[:4])(PLACES[0])
        assert qd.gradgradcheck(few, X[:4])


@pytest.mark.parametrize("name", CURVES)
def test_compiled_and_batched(name):
    kind, options = CURVES[name]
    f = lambda x, y, p: getattr(interpolate, kind)(x, y, **options)(p)
    close(qd.jit(f)(X, Y, PLACES), f(X, Y, PLACES))
    slopes = qd.grad(lambda x, y, p: np.sum(f(x, y, p)), argnums=(0, 1, 2))
    for found, wanted in zip(qd.jit(slopes)(X, Y, PLACES), slopes(X, Y, PLACES), strict=True):
        close(found, wanted, rtol=1e-10, atol=1e-10)
    wider = np.stack([X, 1.1 * X])
    one_by_one = np.stack([f(x, y, p) for x, y, p in zip(wider, ROWS, PLACES, strict=False)])
    close(qd.vmap(f)(wider, ROWS[:2], PLACES), one_by_one)
    close(qd.vmap(f, (None, 0, None))(X, ROWS, PLACES[0]), [f(X, y, PLACES[0]) for y in ROWS])


def test_periodic_curves():
    closed = np.append(Y[:-1], Y[0])
    for x, y in [(X, closed), (X[:3], Y[[0, 1, 0]]), (X[:2], Y[[0, 0]])]:
        expected = theirs.CubicSpline(x, y, bc_type="periodic")
        found = interpolate.CubicSpline(x, leaf(y), bc_type="periodic")
        close(found(3 * PLACES).detach(), expected(3 * PLACES))
        close(found.integrate(-1.2, 7.3).detach(), expected.integrate(-1.2, 7.3))

    def f(x, y, p):
        y = np.concatenate([y, y[:1]])
        return np.sum(interpolate.CubicSpline(x, y, bc_type="periodic")(p) ** 2)

    assert qd.gradcheck(f, X, Y[:-1], PLACES)
    expected = theirs.CubicSpline(X, Y, extrapolate="periodic")(3 * PLACES)
    close(
        interpolate.CubicSpline(X, leaf(Y), extrapolate="periodic")(3 * PLACES).detach(), expected
    )
    expected = theirs.make_interp_spline(X, closed, bc_type="periodic")(3 * PLACES)
    found = interpolate.make_interp_spline(X, leaf(closed), bc_type="periodic")(3 * PLACES)
    close(found.detach(), expected)


def test_derivatives_in_stated_ends():
    def f(first, last):
        ends = ((1, first), (2, last))
        return np.sum(interpolate.CubicSpline(X, Y, bc_type=ends)(PLACES) ** 2)

    assert qd.gradgradcheck(f, 0.3, -0.7)


FAMILY = [n for n in CURVES if n not in ("line", "b-spline of degree 2")]


@pytest.mark.parametrize("name", FAMILY)
def test_integrals_and_their_derivatives(name):
    kind, options = CURVES[name]
    expected = getattr(theirs, kind)(X, Y, **options)
    curve = getattr(interpolate, kind)(X, leaf(Y), **options)
    close(curve.antiderivative(2)(PLACES).detach(), expected.antiderivative(2)(PLACES))
    close(curve.antiderivative(-1)(PLACES).detach(), expected.derivative()(PLACES))
    close(curve.derivative(2)(PLACES).detach(), expected.derivative(2)(PLACES))
    for beyond in (True, False, "periodic"):
        b = 2.9 if beyond is False else 7.3
        wanted = expected.integrate(0.1, b, beyond)
        close(curve.integrate(0.1, b, beyond).detach(), wanted, rtol=1e-11)
        of_plain_data = getattr(interpolate, kind)(X, Y, **options)
        close(of_plain_data.integrate(leaf(0.1), b, beyond).detach(), wanted, rtol=1e-11)

    def f(x, y, a, b):
        return getattr(interpolate, kind)(x, y, **options).integrate(a, b)

    assert qd.gradcheck(f, X, Y, 0.1, 2.6)
    periodic = getattr(interpolate, kind)(X, Y, **options)
    assert qd.gradcheck(lambda a, b: periodic.integrate(a, b, "periodic"), -0.9, 7.3)


def test_plain_curves_give_curves():
    curve = interpolate.CubicSpline(X, Y)
    close(curve.derivative()(PLACES), theirs.CubicSpline(X, Y)(PLACES, 1))
    close(qd.grad(curve.antiderivative())(0.7), curve(0.7))


def test_hermite_curves_and_pieces():
    slopes = np.sin(X)
    expected = theirs.CubicHermiteSpline(X, Y, slopes)(PLACES)
    close(interpolate.CubicHermiteSpline(X, Y, leaf(slopes))(PLACES).detach(), expected)
    assert qd.gradcheck(lambda *d: interpolate.CubicHermiteSpline(*d)(PLACES), X, Y, slopes)
    c = np.cos(np.arange(30.0)).reshape(3, 5, 2)
    expected = theirs.PPoly(c, X)(PLACES)
    close(interpolate.PPoly(leaf(c), X)(PLACES).detach(), expected)
    assert qd.gradcheck(lambda c, x, p: interpolate.PPoly(c, x)(p), c, X, PLACES)


def test_akima_of_straight_data():
    for y in [np.arange(6.0), np.zeros(6), np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])]:
        for method in ("akima", "makima"):
            expected = theirs.Akima1DInterpolator(X, y, method=method)(PLACES)
            found = interpolate.Akima1DInterpolator(X, leaf(y), method=method)(PLACES)
            assert np.allclose(found.detach(), expected, equal_nan=True)
            assert np.isfinite(qd.grad(
                lambda y, m=method: interpolate.Akima1DInterpolator(X, y, method=m)(0.7)
            )(y)).all()  # fmt: skip


def test_b_splines():
    t = np.array([0.0, 0.0, 0.0, 0.0, 0.7, 1.5, 1.5, 3.0, 3.0, 3.0, 3.0])
    c = np.cos(np.arange(14.0)).reshape(7, 2)
    expected = theirs.BSpline(t, c, 3)
    for nu in range(5):
        close(interpolate.BSpline(t, leaf(c), 3)(PLACES, nu).detach(), expected(PLACES, nu))
        close(interpolate.BSpline(t, c, 3)(leaf(PLACES), nu).detach(), expected(PLACES, nu))
    along = interpolate.BSpline(t, leaf(c.T), 3, axis=1)
    close(along(PLACES).detach(), theirs.BSpline(t, c.T, 3, axis=1)(PLACES))
    inside = np.array([0.2, 1.1, 2.9])
    assert qd.gradgradcheck(lambda c, p: interpolate.BSpline(t, c, 3)(p), c, inside)

    def between(knots):
        t = np.concatenate([np.zeros(4), knots, np.full(4, 3.0)])
        return interpolate.BSpline(t, c, 3)(np.array([0.3, 1.0, 2.6]))

    assert qd.gradcheck(between, np.array([0.7, 1.5, 2.2]))


ENDS = ["natural", "clamped", ([(1, 0.3)], [(2, 0.2)]), (None, [(1, 0.0), (2, 0.0)])]


@pytest.mark.parametrize("ends", ENDS)
def test_ends_of_b_splines(ends):
    expected = theirs.make_interp_spline(X, Y, bc_type=ends)(PLACES)
    close(interpolate.make_interp_spline(X, leaf(Y), bc_type=ends)(PLACES).detach(), expected)


KINDS = ["nearest", "nearest-up", "previous", "next", "zero", "slinear", "quadratic", "cubic", 2, 5]


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_interp1d(kind):
    inside = np.array([[0.0, 0.2, 0.21, 3.1], [0.7, 2.0, 1.7, 3.05]])  # at knots and middles too
    filled = {"bounds_error": False, "fill_value": (1.0, 2.0)}
    beyond = {"fill_value": "extrapolate"}
    for options, places in [
        ({}, inside),
        (filled, PLACES),
        (beyond, PLACES),
    ]:
        for data, axis in [(Y, -1), (ROWS, 1), (ROWS.T, 0)]:
            expected = theirs.interp1d(X, data, kind, axis, **options)(places)
            f = lambda y, p, a=axis, o=options: interpolate.interp1d(X, y, kind, a, **o)(p)
            close(f(leaf(data), places).detach(), expected)
            close(f(data, leaf(places)).detach(), expected)
            close(qd.vmap(f, (None, 0))(data, inside), [f(data, row) for row in inside])
        close(qd.jit(f)(data, places), expected)
    smooth = np.array([0.55, 1.18, 2.8])
    assert qd.gradcheck(lambda y, p: interpolate.interp1d(X, y, kind, **beyond)(p), Y, smooth)


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

    assert qd.gradgradcheck(f, SPOTS, TABLE)


WIDE = (np.array([0.0, 1.0, 2.5, 3.0, 3.7, 4.5]), np.array([2.0, 1.0, 0.5, -1.0, -1.5, -2.0]))
HIGH = np.sin(np.arange(36.0)).reshape(6, 6)


@pytest.mark.parametrize("method", ["linear", "nearest", "slinear", "cubic", "quintic", "pchip"])
def test_methods_of_tables(method):
    options = {"bounds_error": False, "fill_value": -3.0}
    spots = np.concatenate([SPOTS, [[-1.0, 0.0], [1.0, 4.0]]])
    legacy = f"{method}_legacy" if method in ("slinear", "cubic", "quintic") else method
    make = lambda v, s, a=WIDE: interpolate.RegularGridInterpolator(a, v, method, **options)(s)
    for values in (HIGH, np.stack([HIGH, HIGH**2], -1)):
        expected = theirs.RegularGridInterpolator(WIDE, values, legacy, **options)(spots)
        iterated = theirs.RegularGridInterpolator(WIDE, values, method, **options)(spots)
        assert np.allclose(iterated, expected, atol=1e-4)  # SciPy stops at its own tolerance
        close(make(leaf(values), spots).detach(), expected, rtol=1e-10)
        close(make(values, leaf(spots)).detach(), expected, rtol=1e-10)
        close(qd.jit(make)(values, spots), expected, rtol=1e-10)
        pair = np.stack([values, values + 1.0])
        close(qd.vmap(make)(pair, np.stack([spots, spots]))[0], expected, rtol=1e-10)
    direction = np.cos(np.arange(36.0)).reshape(6, 6)
    if method != "pchip":  # the others are linear in the values
        moved = qd.jvp(lambda v: make(v, SPOTS), (HIGH,), (direction,))[1]
        close(moved, make(leaf(direction), SPOTS).detach())
        turned = qd.vjp(lambda v: make(v, SPOTS), HIGH)[1](np.array([1.0, -2.0, 3.0]))[0]
        close(np.sum(turned * direction), moved @ np.array([1.0, -2.0, 3.0]))

    def f(s, first, fill):
        always = HIGH + qd.tensor(0.0)  # so that ours is asked for plain values too
        return interpolate.RegularGridInterpolator(
            (first, WIDE[1]), always, method, bounds_error=False, fill_value=fill
        )(np.concatenate([s, [[-9.0, 0.0]]]))

    assert qd.gradcheck(f, SPOTS[:2] + 0.03, WIDE[0], 0.3)


def test_orders_of_tables():
    options = {"bounds_error": False, "fill_value": None}
    expected = theirs.RegularGridInterpolator(WIDE, HIGH, "cubic", **options)(SPOTS, nu=[1, 2])
    table = interpolate.RegularGridInterpolator(WIDE, leaf(HIGH), "cubic", **options)
    close(table(SPOTS, nu=[1, 2]).detach(), expected, rtol=1e-3, atol=1e-3)
    with pytest.raises(ValueError, match="out of bounds"):
        interpolate.RegularGridInterpolator(WIDE, leaf(HIGH), "cubic")(SPOTS + 90.0)


@pytest.mark.parametrize("fill", [None, -3.0])
def test_tables_beyond_their_grid(fill):
    options = {"bounds_error": False, "fill_value": fill}
    spots = np.array([[-1.0, 0.0], [1.0, 4.0], [0.3, 0.3]])
    expected = theirs.RegularGridInterpolator(AXES, TABLE, **options)(spots)
    found = interpolate.RegularGridInterpolator(AXES, leaf(TABLE), **options)(spots)
    close(found.detach(), expected)
