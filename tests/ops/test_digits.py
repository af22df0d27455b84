"""Derivatives of orders 1 to 3 keep their digits: near 0, near singular points, far out.

Against central differences at hundreds of digits, whose step is small beside the distance to the
nearest singular point.
"""

import mpmath as mp
import numpy as np
import pytest

import qiudao as qd

WITHIN = 5e-14

TINY = np.logspace(-60, -0.5, 18)
NEAR = np.logspace(-15, -0.5, 8)  # the distance to a singular point
WIDE = np.logspace(-60, 60, 31)
FAR = np.logspace(-60, 2.8, 25)
UNIT = np.concatenate([TINY, -TINY, 1 - NEAR, NEAR - 1])
LINE = np.concatenate([WIDE, -WIDE])
CURVED = np.concatenate([FAR, -FAR])

REAL = {
    "arcsin": (np.arcsin, mp.asin, UNIT),
    "arccos": (np.arccos, mp.acos, UNIT),
    "arctanh": (np.arctanh, mp.atanh, UNIT),
    "arctan": (np.arctan, mp.atan, LINE),
    "arcsinh": (np.arcsinh, mp.asinh, LINE),
    "arccosh": (np.arccosh, mp.acosh, 1 + np.concatenate([NEAR, WIDE[WIDE > 1]])),
    "exp": (np.exp, mp.exp, CURVED),
    "expm1": (np.expm1, mp.expm1, CURVED),
    "log": (np.log, mp.log, np.concatenate([WIDE, 1 + NEAR, 1 - NEAR])),
    "log1p": (np.log1p, mp.log1p, np.concatenate([WIDE, NEAR - 1])),
    "sqrt": (np.sqrt, mp.sqrt, WIDE),
    "cbrt": (np.cbrt, mp.cbrt, WIDE),
    "sin": (np.sin, mp.sin, FAR),
    "cos": (np.cos, mp.cos, FAR),
    "tan": (np.tan, mp.tan, np.concatenate([FAR, np.pi / 2 - NEAR])),
    "sinh": (np.sinh, mp.sinh, FAR),
    "cosh": (np.cosh, mp.cosh, FAR),
    "tanh": (np.tanh, mp.tanh, CURVED),
    "reciprocal": (np.reciprocal, lambda x: 1 / x, WIDE),
    "power": (lambda x: x**2.5, lambda x: x ** mp.mpf(2.5), WIDE),
    "sinc": (np.sinc, lambda x: mp.sinc(mp.pi * x), np.concatenate([TINY, [50.0, 100.0, 1e6]])),
    "logaddexp": (lambda x: np.logaddexp(x, 0.0), lambda x: mp.log(mp.exp(x) + 1), CURVED),
    "hypot": (lambda x: np.hypot(x, 3.0), lambda x: mp.sqrt(x * x + 9), LINE),
    "hypot of the other": (lambda x: np.hypot(3.0, x), lambda x: mp.sqrt(x * x + 9), LINE),
    "arctan2": (lambda x: np.arctan2(x, 3.0), lambda x: mp.atan(x / 3), LINE),
    "sigmoid": (qd.nn.sigmoid, lambda x: 1 / (1 + mp.exp(-x)), CURVED),
}
TURNED = np.array([np.exp(0.7j), np.exp(2.0j), np.exp(-2.5j)])
COMPLEX_TINY = np.outer(np.logspace(-12, -1, 4), TURNED).ravel()
COMPLEX = np.concatenate(
    [COMPLEX_TINY, 1 + COMPLEX_TINY, -1 + COMPLEX_TINY, 1j + COMPLEX_TINY, -1j + COMPLEX_TINY,
     20 * TURNED, 1j * np.array([5.0, 30.0]) + 0.3]
)  # fmt: skip
HOLOMORPHIC = {
    "arcsin": mp.asin, "arccos": mp.acos, "arctanh": mp.atanh, "arctan": mp.atan,
    "arcsinh": mp.asinh, "arccosh": mp.acosh, "tan": mp.tan, "tanh": mp.tanh,
    "sqrt": mp.sqrt, "log": mp.log, "log1p": mp.log1p, "expm1": mp.expm1,
}  # fmt: skip


def reverse(f):
    return qd.grad(lambda x: np.sum(f(x)))


def forward(f):
    return lambda x: qd.jvp(f, (x,), (np.ones_like(x),))[1]


def nested(mode, f, order):
    for _ in range(order):
        f = mode(f)
    return f


def exact(f, x, order):
    """The derivative at a point, by central differences."""
    with mp.workdps(700):
        x = mp.mpmathify(x)
        distances = [abs(x - s) for s in (0, 1, -1, 1j, -1j) if x != s]
        h = min(distances) * mp.mpf(10) ** -40
        terms = (
            (-1) ** k * mp.binomial(order, k) * f(x + (mp.mpf(order) / 2 - k) * h)
            for k in range(order + 1)
        )
        return sum(terms) / h**order


def check(found, f, points, order, of=float):
    want = np.array([of(exact(f, x, order)) for x in points.tolist()])
    assert np.all(np.isfinite(found))
    error = np.abs(found - want)
    worst = np.argmax(error - WITHIN * np.abs(want))
    assert error[worst] <= WITHIN * abs(want[worst]) + 1e-300, (
        points[worst], found[worst], want[worst]
    )  # fmt: skip


@pytest.mark.parametrize("mode", [reverse, forward], ids=["reverse", "forward"])
@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("name", REAL)
def test_real(name, order, mode):
    f, theirs, points = REAL[name]
    with np.errstate(all="ignore"):
        check(nested(mode, f, order)(points), theirs, points, order)


@pytest.mark.parametrize("name", ["arcsin", "arccosh", "arctanh", "logaddexp", "hypot", "sigmoid"])
def test_compiled(name):
    f, theirs, points = REAL[name]
    for order in (2, 3):
        check(qd.jit(nested(reverse, f, order))(points), theirs, points, order)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_complex(name, order):
    derivative = nested(forward, getattr(np, name), order)
    with np.errstate(all="ignore"):
        check(derivative(COMPLEX), HOLOMORPHIC[name], COMPLEX, order, complex)


@pytest.mark.parametrize("name", ["arcsin", "arccosh", "arctanh", "arctan", "arcsinh"])
def test_complex_compiled(name):
    f, theirs = getattr(np, name), HOLOMORPHIC[name]
    for order in (1, 2):
        check(qd.jit(nested(forward, f, order))(COMPLEX), theirs, COMPLEX, order, complex)


SIDES = [complex(2, 0.0), complex(2, -0.0), complex(-2, 0.0), complex(-2, -0.0),
         complex(0.0, 2), complex(-0.0, 2), complex(0.0, -2), complex(-0.0, -2)]  # fmt: skip


@pytest.mark.parametrize("name", ["arcsin", "arccos", "arcsinh", "arccosh"])
@pytest.mark.parametrize("z", SIDES, ids=str)
def test_each_side_of_a_cut_has_its_own_slope(name, z):
    """NumPy's values near the same side tell it."""
    f, h = getattr(np, name), 1e-6
    along = h * (1j if z.imag else 1)
    ahead, behind = (
        complex(z.real, z.imag + k) if z.imag else complex(z.real + k, z.imag) for k in (h, -h)
    )
    want = (f(ahead) - f(behind)) / (2 * along)
    for derivative in (forward(f), qd.jit(forward(f))):
        np.testing.assert_allclose(derivative(np.array([z])), [want], rtol=1e-8)


@pytest.mark.parametrize("x, want", [(1.0, np.inf), (-1.0, -np.inf)])
def test_second_derivatives_at_the_ends(x, want):
    with np.errstate(all="ignore"):
        for mode in (reverse, forward):
            assert nested(mode, np.arcsin, 2)(x) == want
            assert nested(mode, np.arccos, 2)(x) == -want
            assert nested(mode, np.arctanh, 2)(x) == want
