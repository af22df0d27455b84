"""Profiles: what is counted exactly is held exactly; times are positive and add up."""

import sys

import numpy as np
import pytest

import qiudao as qd
from qiudao.explaining.profiling import seconds, size


def f(x, w):
    h = np.tanh(x @ w)
    s = h[1:]
    return np.sum(s * s)


X, W = np.ones((10, 4)), np.ones((4, 3))


def test_lines_operations_and_bytes():
    found = {c.line.text: c for c in qd.profile(f, X, W, compiled=False).lines}
    assert set(found) == {"h = np.tanh(x @ w)", "s = h[1:]", "return np.sum(s * s)"}
    first = found["h = np.tanh(x @ w)"]
    assert (first.operations, first.made) == (2, 2 * 10 * 3 * 8)
    assert first.kept >= X.nbytes + W.nbytes
    assert found["s = h[1:]"].made == 0  # a view
    assert all(c.forward > 0 and c.backward > 0 for c in found.values())


def test_the_turns_of_a_loop_add_up():
    def loop(x):
        for _ in range(7):
            x = np.sin(x)
        return x

    (cost,) = qd.profile(loop, np.ones(3), compiled=False).lines
    assert (cost.operations, cost.made) == (7, 7 * 24)


def test_compiled_lines_know_their_kernels():
    pytest.importorskip("llvmlite")
    found = qd.profile(f, X, W)
    assert found.compiled > 0
    assert found.ready > found.compiled
    kernels = {c.line.text: c.kernels for c in found.lines}
    assert "call: matmul" in kernels["h = np.tanh(x @ w)"]
    assert any(k.startswith("loop") for k in kernels["return np.sum(s * s)"])


def test_what_is_not_compiled_is_said(monkeypatch):
    def unknown(x):
        return x * 2 if qd.stop_gradient(x).item() > 0 else x

    pytest.importorskip("llvmlite")
    found = qd.profile(unknown, 1.0)
    assert found.compiled is None
    assert found.notes[0].startswith("not compiled: ")


def test_without_llvmlite(monkeypatch):
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install qiudao[jit]" in qd.profile(f, X, W).notes[0]


def test_it_reads():
    text = str(qd.profile(f, X, W, compiled=False))
    assert text.startswith("profile of f(x, w)\n  plain NumPy ")
    assert "recording and sweeping" in text
    assert "h = np.tanh(x @ w)" in text


def test_units():
    assert [seconds(s) for s in (1.2e-6, 3.4e-3, 5.0)] == ["1.2 us", "3.4 ms", "5 s"]
    assert [size(n) for n in (80, 1200, 5_000_000, 2_000_000_000)] == [
        "80 B", "1.2 kB", "5 MB", "2 GB",
    ]  # fmt: skip
