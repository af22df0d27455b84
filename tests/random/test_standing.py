"""The methods of NumPy's generator in lifted functions give the numbers that they always gave."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.random.standing import METHODS

CALLS = {
    "normal": lambda rng, x: rng.normal(x, 2.0, 3),
    "normal of a size": lambda rng, x: rng.normal(scale=x, size=(2, 2)),
    "uniform": lambda rng, x: rng.uniform(0.0, x, size=3),
    "laplace": lambda rng, x: rng.laplace(x, size=3),
    "logistic": lambda rng, x: rng.logistic(x),
    "gumbel": lambda rng, x: rng.gumbel(x, 0.5),
    "lognormal": lambda rng, x: rng.lognormal(sigma=x, size=2),
    "exponential": lambda rng, x: rng.exponential(x, 3),
    "gamma": lambda rng, x: rng.gamma(x, size=3),
    "gamma by name": lambda rng, x: rng.gamma(shape=2.0, scale=x),
    "standard_gamma": lambda rng, x: rng.standard_gamma(x, 3),
    "chisquare": lambda rng, x: rng.chisquare(x, 3),
}


@pytest.mark.parametrize("name", CALLS)
def test_same_numbers_that_move(name):
    draw = CALLS[name]

    def f(x):
        rng = np.random.default_rng(3)
        rng.random()
        return np.sum(draw(rng, x)) + 0.0 * rng.random()

    y, slope = qd.value_and_grad(f, numpy="lift")(1.4)
    close(y, f(1.4))
    h = 1e-6
    if name not in ("gamma", "standard_gamma", "chisquare"):  # they accept and reject by x
        close(slope, (f(1.4 + h) - f(1.4 - h)) / (2 * h), rtol=1e-6, atol=1e-7)
    assert slope != 0


def test_each_method_is_called():
    assert set(METHODS) == {name.split()[0] for name in CALLS}
