"""The rarer families come when a function of theirs is met, and not before."""

import pytest

from structure.source import run_python

START = """
import sys, threading
import numpy as np
import qiudao as qd

def loaded():
    return "qiudao.ops.linalg" in sys.modules

x = np.array([[2.0, 1.0], [0.5, 3.0]])
assert not loaded()
"""


def test_a_common_program_loads_none_of_them():
    run_python(
        START
        + """
def loss(w):
    y = np.tanh(x @ w + 1.0)
    z = np.concatenate([y[1:], np.where(y > 0, y, np.abs(y))[:1]])
    return np.mean((z - np.maximum(z, 0.0)) ** 2) + np.sum(np.exp(-z)) + np.std(z)

qd.grad(loss)(np.ones((2, 2)))
qd.hessian(loss)(np.ones((2, 2)))
qd.jvp(loss, (np.ones((2, 2)),), (np.ones((2, 2)),))
qd.vmap(loss)(np.ones((3, 2, 2)))
assert not loaded()
"""
    )


@pytest.mark.parametrize(
    "call",
    [
        "np.linalg.det(x)",
        "np.cumsum(x)[-1]",
        "np.multiply.accumulate(x)[1, 1]",
        "np.sort(x, axis=None)[0]",
        "np.fft.fft(x)[0, 0].real",
        "np.nansum(x)",
        "np.remainder(x, 0.3).sum()",
    ],
)
@pytest.mark.parametrize("mode", ["qd.grad(f)(x)", "qd.jvp(f, (x,), (x,))", "qd.vmap(f)(x[None])"])
def test_one_of_them_is_found_when_it_is_met(call, mode):
    run_python(f"{START}f = lambda x: {call}\n{mode}\nassert loaded()")


@pytest.mark.parametrize(
    "call, module",
    [
        ("np.mean(x)", "statistics"),
        ("np.sum(np.abs(x))", "distances"),
        ("np.sum(np.real(x))", "complexes"),
        ("np.sum(np.take(x, [0, 1]))", "taking"),
        ("np.sum(np.floor(x) * x)", "rounding"),
        ("np.sum(np.zeros_like(x) * x)", "making"),
    ],
)
def test_a_common_family_is_found_without_the_rarer_ones(call, module):
    run_python(
        f"""{START}
assert "qiudao.ops.{module}" not in sys.modules
qd.grad(lambda x: {call})(x)
assert "qiudao.ops.{module}" in sys.modules and not loaded()
"""
    )


def test_a_write_is_found_without_the_rarer_ones():
    run_python(
        START
        + """
def f(x):
    y = x * 2.0
    y[0] += x[1]
    y[1, 1] = 0.0
    return np.sum(y)

assert qd.grad(f)(x).tolist() == [[2.0, 2.0], [3.0, 1.0]]
assert not loaded()
"""
    )


@pytest.mark.parametrize("first", ["qiudao.ops.common", "qiudao.ops.rarer", "qiudao.ops.taking"])
def test_whatever_is_imported_first(first):
    run_python(f"import {first}; import numpy as np, qiudao as qd; qd.grad(np.mean)(np.ones(3))")


def test_several_threads_meet_the_first_at_once():
    printed = run_python(
        START
        + """
found = []
start = threading.Barrier(4)

def work():
    start.wait()
    found.append(float(qd.grad(np.linalg.det)(x)[0, 0]))

threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print(*found)
"""
    )
    assert [round(float(each), 9) for each in printed.split()] == [3.0] * 4


def test_an_unknown_function_still_has_its_own_message():
    printed = run_python(
        START
        + """
try:
    np.frompyfunc(lambda x: x, 1, 1)(qd.tensor([1.0, 2.0]))
except qd.core.errors.RuleError as error:
    print(error)
assert loaded()
"""
    )
    assert "vectorized): qiudao has no rule for this NumPy function" in printed
