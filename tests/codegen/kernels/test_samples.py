"""Every kernel on all samples of its primitive, and on their variants, against `evaluate`."""

import numpy as np
import pytest

from codegen.harness import Compiled
from qiudao.codegen.kernels import kernel_for
from qiudao.codegen.kernels.table import kernels
from qiudao.core.avals import aval_of
from qiudao.testing.rules import draw

SINGLE = {"f8": "f4", "c16": "c8"}
KERNELS = sorted(kernels, key=lambda cls: cls.__name__)


def single(x):
    """In single precision."""
    return x.astype(SINGLE.get(x.dtype.str[1:], x.dtype))


def strided(x):
    """The same values, its elements apart and in reverse."""
    wide = np.zeros(tuple(2 * n for n in x.shape), x.dtype)
    view = wide[(..., *(slice(None, None, -2) for _ in x.shape))]
    view[...] = x
    return view


def hold(primitive, got, want, tolerance):
    assert len(got) == len(want)
    for g, w in zip(got, map(np.asarray, want), strict=True):
        assert (g.dtype, g.shape) == (w.dtype, w.shape)
        if w.dtype.kind in "biu":
            np.testing.assert_array_equal(g, w, str(primitive))
        else:
            scale = max(1.0, np.max(np.abs(w), initial=0.0))
            np.testing.assert_allclose(g, w, rtol=0, atol=tolerance * scale, err_msg=str(primitive))


@pytest.mark.parametrize("cls", KERNELS, ids=lambda cls: cls.__name__)
def test_samples(cls):
    rng, made, jobs = np.random.default_rng(0), Compiled(), []
    for sample in cls.samples:
        primitive = cls(**sample.fields)
        xs = [np.asarray(x) for x in draw(sample, rng)]
        for form in (lambda x: x, single, strided):
            args = [form(x) for x in xs]
            want = primitive.evaluate(*args)
            want = want if isinstance(want, tuple) else (want,)
            if kernel_for(primitive, [aval_of(x) for x in args], [aval_of(w) for w in want]):
                jobs.append((made.add(primitive, *args), want, form is single))
    assert jobs
    made.build()
    for number, want, is_single in jobs:
        hold(cls, made.run(number), want, 2e-5 if is_single else 1e-12)
