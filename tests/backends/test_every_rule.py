"""Every primitive, on every sample, with arrays of other libraries in place of NumPy's: the value,
the gradient and a derivative of the gradient are NumPy's, or the library lacks what it takes.

`LACKS` lists which primitives do not work with which library, so that a new gap, and a gap that
has closed, both fail here.
"""

import warnings

import numpy as np
import pytest

import qiudao as qd
from backends.lacking import LACKS
from backends.libraries import Dealer
from qiudao.core.avals import is_inexact
from qiudao.core.errors import RuleError
from qiudao.testing import every_sample
from qiudao.testing.rules import as_tuple, draw

SIGNED = {"eigh", "svd", "qr"}  # results whose signs each library chooses for itself
FEW = 4  # samples of one class, which for SciPy's functions has many


def chosen():
    """The samples that have something to differentiate."""
    for label, prim, sample in every_sample():
        moves = any(is_inexact(a.dtype) for a in sample.avals)
        early = int(label.rpartition("-")[2]) < FEW
        if moves and early and not type(prim).is_constant and prim.name not in SIGNED:
            yield label, prim, sample


SAMPLES = list(chosen())


def weighed(prim, operands, weights):
    """The primitive as a real function of the operands that move."""

    def f(*inputs):
        rest = iter(inputs)
        out = prim(*(next(rest) if is_inexact(x.dtype) else x for x in operands))
        total = 0.0
        for y, w in zip(as_tuple(out), weights, strict=True):
            total = total + np.sum(np.real(y * w))
        return total

    return f


def tried(prim, operands, made):
    """Value, gradient, and gradient of a product with the gradient; `made` makes the inputs."""
    rng = np.random.default_rng(1)
    weights = [rng.uniform(0.5, 1.0, np.shape(y)) for y in as_tuple(prim(*operands))]
    f = weighed(prim, operands, weights)
    inputs = [x for x in operands if is_inexact(x.dtype)]
    numbers = tuple(range(len(inputs)))
    directions = [rng.uniform(0.5, 1.0, x.shape) for x in inputs]

    def second(*xs):
        return sum(
            np.sum(np.real(g * d))
            for g, d in zip(qd.grad(f, numbers)(*xs), directions, strict=True)
        )

    given = [made(x) for x in inputs]
    value, gradient = qd.value_and_grad(f, numbers)(*given)
    return [value, *gradient, *qd.grad(second, numbers)(*given)]


def tries():
    """Each library on each sample; dask, which is slow, on the first of each primitive."""
    for name in ("array_api_strict", "dask.array", "torch"):
        for label, prim, sample in SAMPLES:
            if name != "dask.array" or label.endswith("-0"):
                marks = [pytest.mark.peer] if name == "torch" else []
                yield pytest.param(name, label, prim, sample, id=f"{label}-{name}", marks=marks)


@pytest.mark.parametrize("name, label, prim, sample", list(tries()))
def test_a_rule_with_foreign_arrays(name, label, prim, sample):
    operands = draw(sample, np.random.default_rng(0))
    dealer = Dealer(name)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        want = tried(prim, operands, lambda x: x)
        warnings.simplefilter("ignore", RuntimeWarning)  # dask computes by NumPy
        if {prim.name, label} & LACKS[name]:
            with pytest.raises(RuleError, match=name):
                tried(prim, operands, dealer.array)
            return
        found = tried(prim, operands, dealer.array)
        for got, expected in zip(dealer.numbers(found), want, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-11)
