"""Every primitive on every sample as NumPy source: the value and the gradient, to 1e-12.

Those of `qd.scipy`, which NumPy has no words for, say so.
"""

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.errors import RuleError
from qiudao.testing.rules import Case, draw, every_sample, random_like

SAMPLES = every_sample()
SAME = 1e-12  # relative to the largest element


class Trial:
    """A primitive on drawn operands: a function of them, with a cotangent for its results."""

    def __init__(self, primitive, sample):
        self.xs = draw(sample, np.random.default_rng(0))
        with np.errstate(all="ignore"):
            self.case = Case(primitive, sample, self.xs)
            rng = np.random.default_rng(1)
            self.differs = self.case.differs
            ys = self.case(*self.case.inputs) if self.differs else ()
            self.cotangents = tuple(
                np.asarray(random_like(y, rng), np.result_type(y))[()] for y in ys
            )

    def value(self, *xs):
        return self.case.prim(*xs)

    def gradient(self, *xs):
        case = Case(self.case.prim, self.case.sample, xs)
        return qd.vjp(case, *case.inputs)[1](self.cotangents)


def parts(result):
    return result if isinstance(result, tuple) else (result,)


def hold(got, want):
    """Hold that results have the same types, and the same numbers to 1e-12."""
    for g, w in zip(parts(got), parts(want), strict=True):
        g, w = np.asarray(g), np.asarray(w)
        assert (g.dtype, g.shape) == (w.dtype, w.shape)
        if w.dtype.kind not in "fc":
            np.testing.assert_array_equal(g, w)
            continue
        largest = np.max(np.abs(w), where=np.isfinite(w), initial=0.0)
        rounding = SAME * np.finfo(w.dtype).eps / np.finfo(np.float64).eps
        np.testing.assert_allclose(g, w, rtol=rounding, atol=rounding * (1e-300 + largest))


@pytest.mark.parametrize(
    "primitive, sample", [(p, s) for _, p, s in SAMPLES], ids=[s[0] for s in SAMPLES]
)
def test_value_and_gradient(primitive, sample):
    trial = Trial(primitive, sample)
    if type(primitive).__module__.startswith("qiudao.scipy."):
        with pytest.raises(RuleError, match=f"source: the primitive {primitive.name} at .* NumPy"):
            qd.source(trial.value)(*trial.xs)
        return
    functions = [trial.value, trial.gradient] if trial.differs else [trial.value]
    for f in functions:
        with np.errstate(all="ignore"):
            want = f(*trial.xs)
            text = qd.source(f)(*trial.xs)
        assert "qiudao" not in text
        hold(text.run(*trial.xs), want)
