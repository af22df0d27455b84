"""Checked code (`QIUDAO_JIT=checked`): the same results, and no access outside of an array."""

import numpy as np
import pytest

import qiudao as qd
from compiling.test_rules import COUNT, chunks, disagreements
from qiudao.codegen import nest

pytest.importorskip("llvmlite")


@pytest.fixture(autouse=True)
def checked(monkeypatch):
    monkeypatch.setenv("QIUDAO_JIT", "checked")


@pytest.mark.parametrize("k", range(COUNT))
def test_the_rule_suite_stays_within_its_arrays(k):
    assert disagreements(chunks()[k]) == []


def loss(x):
    y = np.concatenate([x[1:] * 2.0, np.cumsum(x)[::-1]])
    y[::2] *= 0.5
    return np.sum(np.sort(y) * np.exp(-y * y)) + np.sum(np.outer(y, x) @ x)


@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_results_are_the_same(n):
    x = np.linspace(-1, 1, n)
    np.testing.assert_allclose(qd.jit(loss)(x), loss(x), rtol=1e-12)
    np.testing.assert_allclose(qd.jit(qd.grad(loss))(x), qd.grad(loss)(x), rtol=1e-9, atol=1e-9)
    lowered = qd.jit(loss).lower(x)
    assert "@qiudao.within" in lowered.llvm


def test_loops_stay_within_their_arrays():
    def run(x):
        return qd.scan(lambda c, row: (np.tanh(c + row), c * 2.0), x[0], x)

    x = np.arange(12.0).reshape(4, 3)
    want = qd.scan(lambda c, row: (np.tanh(c + row), c * 2.0), x[0], x)
    for got, value in zip(qd.jit(run)(x), want, strict=True):
        np.testing.assert_allclose(got, value)


@pytest.mark.parametrize("by", [-1, 1, 10**6])
def test_an_access_outside_is_reported(monkeypatch, by):
    right = nest.access

    def wrong(*args):
        found = right(*args)
        return found._replace(constant=found.constant + by)

    monkeypatch.setattr(nest, "access", wrong)
    x = np.ones(1000)
    with pytest.raises(RuntimeError, match=r"^jit: compiled code came to byte .* of 8000 bytes"):
        qd.jit(lambda x: x * 2.0)(x)
    np.testing.assert_array_equal(x, 1.0)


def test_code_is_not_checked_unless_wished(monkeypatch):
    monkeypatch.delenv("QIUDAO_JIT")
    assert "within" not in qd.jit(loss).lower(np.ones(3)).llvm
