"""Compiling prints nothing: LLVM remarks on loops that it was told to vectorise and could not."""

import numpy as np
import pytest

import qiudao as qd

pytest.importorskip("llvmlite")


def test_short_loops_that_no_vectors_suit(capfd, monkeypatch):
    """A determinant by minors: sums of three and four gathered products inside of others."""
    monkeypatch.setattr("qiudao.codegen.engine.jit_cache.get", lambda key: None)
    left = [np.arange(5)]
    for count in range(5, 1, -1):
        others = np.array([np.delete(np.arange(count), i) for i in range(count)])
        left.append(left[-1][..., others])

    def determinant(a, signs, *left):
        minors = 1.0
        for row in range(len(a) - 1, -1, -1):
            minors = (a[row][left[row]] * signs[: len(a) - row] * minors).sum(-1)
        return minors

    a, signs = np.random.default_rng(0).normal(size=(5, 5)), (-1.0) ** np.arange(5)
    gradient = qd.jit(qd.grad(determinant))(a, signs, *left)
    np.testing.assert_allclose(gradient, np.linalg.det(a) * np.linalg.inv(a).T)
    assert capfd.readouterr() == ("", "")
