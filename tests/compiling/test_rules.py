"""The registry compiled: every primitive on every sample, its value and its gradient.

Many samples make one function, so that LLVM is paid once for all of them.
"""

import functools

import numpy as np
import pytest

import qiudao as qd
from qiudao.codegen.native import obstacle
from qiudao.compiling.executable import prepared
from qiudao.core.program import check
from qiudao.testing.rules import Case, every_sample, random_like
from qiudao.testing.rules import draw as drawn

pytest.importorskip("llvmlite")

CHUNK = 40
NATIVE = 381  # of the samples, how many run without NumPy; raise it when it grows
WITHIN = {"f8": 1e-9, "c16": 1e-9, "f4": 1e-5, "c8": 1e-5}  # relative to the largest element


class Trial:
    """A primitive on drawn operands: a function of them, with a cotangent for its results."""

    def __init__(self, label, primitive, sample, single=False):
        xs = drawn(sample, np.random.default_rng(0))
        self.label = label
        self.xs = [narrow(x) for x in xs] if single else xs
        with np.errstate(all="ignore"):
            self.case = Case(primitive, sample, self.xs)
            self.differs = self.case.differs
            rng = np.random.default_rng(1)
            ys = self.case(*self.case.inputs) if self.differs else ()
            self.cotangents = tuple(as_given(random_like(y, rng), y) for y in ys)

    def __call__(self, *xs):
        """The value, and the gradient in all operands that can move."""
        try:
            value = self.case.prim(*xs)
            if not self.differs:
                return value, ()
            case = Case(self.case.prim, self.case.sample, xs)
            return value, qd.vjp(case, *case.inputs)[1](self.cotangents)
        except Exception as error:
            error.add_note(f"in the sample {self.label}")
            raise


def narrow(x):
    """In single precision."""
    single = {"f8": np.float32, "c16": np.complex64}
    return np.asarray(x, single.get(x.dtype.str[1:], x.dtype))


def as_given(x, like):
    return np.asarray(x, like.dtype)[()]


@functools.cache
def trials(single=False):
    return [Trial(*each, single) for each in every_sample()]


def chunks(single=False):
    """All trials, some at a time."""
    every = trials(single)
    return [every[k : k + CHUNK] for k in range(0, len(every), CHUNK)]


def together(chunk):
    """The trials as one function of the operands of each."""
    return lambda operands: [t(*xs) for t, xs in zip(chunk, operands, strict=True)]


def flat(result):
    """Value and gradient as one list of arrays."""
    value, gradient = result
    return [*(value if isinstance(value, tuple) else (value,)), *gradient]


def differs(got, want):
    """What is wrong with an array, or None."""
    if (np.shape(got), np.result_type(got)) != (np.shape(want), np.result_type(want)):
        return f"{np.result_type(got)}{np.shape(got)}, not {np.result_type(want)}{np.shape(want)}"
    got, want = np.asarray(got), np.asarray(want)
    tolerance = WITHIN.get(want.dtype.str[1:], 0)
    finite = np.abs(want[np.isfinite(want)])
    scale = np.max(finite, initial=0)
    if np.allclose(got, want, rtol=tolerance, atol=tolerance * scale, equal_nan=True):
        return None
    return f"{got!r}, not {want!r}"


def disagreements(chunk):
    """The labels of the trials whose compiled result is not that of NumPy, with both."""
    operands = [t.xs for t in chunk]
    with np.errstate(all="ignore"):
        want = together(chunk)(operands)
        got = qd.jit(together(chunk))(operands)
    found = []
    for trial, g, w in zip(chunk, got, want, strict=True):
        pairs = list(zip(flat(g), flat(w), strict=True))
        for k, (one, other) in enumerate(pairs):
            wrong = differs(one, other)
            if wrong is not None:
                found.append(f"{trial.label}, result {k} of {len(pairs)}: {wrong}")
    return found


COUNT = -(-len(every_sample()) // CHUNK)


@pytest.mark.parametrize("k", range(COUNT))
def test_values_and_gradients(k):
    assert disagreements(chunks()[k]) == []


@pytest.mark.parametrize("k", range(COUNT))
def test_values_and_gradients_in_single_precision(k):
    assert disagreements(chunks(single=True)[k]) == []


@pytest.mark.parametrize("k", range(COUNT))
def test_every_pass_keeps_to_the_grammar(k):
    chunk = chunks()[k]
    with np.errstate(all="ignore"):
        lowered = qd.jit(together(chunk)).lower([t.xs for t in chunk])
    check(lowered.program)
    for name, program in lowered.passes:
        try:
            check(program)
        except Exception as error:
            error.add_note(f"after the pass {name}")
            raise
    check(lowered.optimised)


def test_most_samples_run_without_numpy():
    left = {}
    for trial in trials():
        program = prepared(qd.trace(trial.case.prim)(*trial.xs))
        reasons = filter(None, map(obstacle, program.equations))
        why = next(reasons, None)
        if why is not None:
            left[trial.label] = why
    native = len(every_sample()) - len(left)
    assert native >= NATIVE, "\n".join(f"{label}: {why}" for label, why in left.items())
