"""What HIPS autograd computes, we compute: the same numbers for the same programs."""

import warnings

import numpy as np
import pytest

from interop.autograd.cases import cases
from interop.autograd.library import Library

pytest.importorskip("scipy")


def flat(tree):
    """All numbers of a result, one vector for each leaf."""
    if isinstance(tree, list | tuple):
        return [leaf for part in tree for leaf in flat(part)]
    return [np.asarray(tree)]


@pytest.fixture(scope="module")
def ours():
    return Library("qiudao.interop.autograd")


@pytest.fixture(scope="module")
def theirs():
    pytest.importorskip("autograd")
    return Library("autograd")


@pytest.mark.peer
@pytest.mark.parametrize("name", cases)
def test_the_same_numbers(ours, theirs, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = flat(cases[name](theirs))
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Output seems independent of input.")
        got = flat(cases[name](ours))
    assert len(got) == len(want)
    for g, w in zip(got, want):
        assert g.shape == w.shape
        np.testing.assert_allclose(g, w, rtol=2e-7 if "differential" in name else 1e-9, atol=1e-11)
