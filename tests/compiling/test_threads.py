"""Compiled code on several threads: the same bits for any number of them, and nothing hangs."""

import multiprocessing
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import qiudao as qd
from checking import close

pytest.importorskip("llvmlite")

N = 200_003
RANDOM = np.random.default_rng(5)
LINE = RANDOM.normal(size=N)
TABLE = RANDOM.normal(size=(2_001, 301))
TALL = RANDOM.normal(size=(60_000, 5))
WITH_NAN = np.where(np.arange(N) == N - 3, np.nan, LINE)


@pytest.fixture(autouse=True)
def one_thread_afterwards():
    yield
    qd.set_num_threads(1)


def chain(x):
    return np.exp(-x * x) * np.sin(x) / (1 + x * x)


def network(x):
    w = np.linspace(-1.0, 1.0, 25).reshape(5, 5)
    for _ in range(5):
        x = np.tanh(x @ w) + x
    return x, np.sum(x * x, axis=0)


def shifted(x):
    y = x * 0.0
    y[1:] = np.exp(x[:-1])
    y[0] = 1.0
    return y


MATRIX = RANDOM.normal(size=(160, 160))
SMALL_MATRIX = RANDOM.normal(size=(40, 40))
STACK = RANDOM.normal(size=(83, 40, 40))
COMPLEX_STACK = STACK + 1j * STACK[::-1]


def two_solutions(x):
    return np.linalg.solve(x, MATRIX[:, :3]) - np.linalg.solve(x.T, MATRIX[:, 3:6])


def different_calls(x):
    low = np.linalg.cholesky(x @ x.T + 160 * np.eye(160))
    return np.linalg.qr(x + 1.0)[1], np.linalg.inv(x - 2.0), np.exp(x) @ x, low


PROGRAMS = {
    "two solutions": (two_solutions, MATRIX),
    "different calls": (different_calls, MATRIX),
    "a stack of solutions": (lambda x: np.linalg.solve(x, x[..., :2]), STACK),
    "a stack of complex solutions": (lambda x: np.linalg.solve(x, x[..., :2]), COMPLEX_STACK),
    "two stacks": (lambda x: (np.linalg.solve(x, x[..., :2]), np.linalg.inv(x + 1.0)), STACK),
    "a matrix for a whole stack": (
        lambda x: np.linalg.solve(SMALL_MATRIX, x) @ np.linalg.solve(x, SMALL_MATRIX),
        STACK,
    ),
    "gradient of solutions": (qd.grad(lambda x: np.sum(np.linalg.solve(x, x[..., :2]))), STACK),
    "a map": (chain, LINE),
    "a sum": (lambda x: np.sum(chain(x)), LINE),
    "a sum that stays an array": (lambda x: np.sum(chain(x), keepdims=True), LINE),
    "value and gradient": (qd.value_and_grad(lambda x: np.sum(chain(x))), LINE),
    "sums of rows": (lambda x: np.sum(chain(x), axis=1), TABLE),
    "sums of columns": (lambda x: np.sum(chain(x), axis=0), TABLE),
    "sums of columns, kept": (lambda x: x - np.mean(chain(x), axis=0, keepdims=True), TABLE),
    "sums by columns of what lies by columns": (lambda x: np.sum(chain(x.T), axis=1), TABLE),
    "a transpose": (lambda x: np.exp(x.T) + 1.0, TABLE),
    "a product": (lambda x: np.prod(1 + 1e-9 * chain(x)), LINE),
    "the largest": (lambda x: np.max(chain(x)), LINE),
    "the least, a NaN among them": (lambda x: np.min(np.exp(x)), WITH_NAN),
    "whether any": (lambda x: (np.any(np.exp(x) > 9.0), np.all(np.exp(x) > -1.0)), LINE),
    "whole numbers": (lambda x: np.sum(np.exp(x) > 1.0), LINE),
    "complex numbers": (lambda x: np.sum(np.exp(x) + 1j * np.sin(x)), LINE),
    "single precision": (lambda x: np.exp(x) * 2, LINE.astype("f4")),
    "regions": (shifted, LINE),
    "a number from around": (lambda x: chain(x) * np.sum(x[:7]), LINE),
    "two sums in turn": (lambda x: np.sum(chain(x) - np.mean(np.exp(x))), LINE),
    "blocks of rows": (network, TALL),
    "a gradient in blocks of rows": (qd.grad(lambda x: np.sum(network(x)[0])), TALL),
    "steps of a loop": (lambda x: qd.fori_loop(0, 3, lambda k, y: np.sin(y) + x, x), LINE),
}


def parts(result):
    return list(result) if isinstance(result, tuple | list) else [result]


def bits(result):
    return [np.asarray(p).tobytes() for p in parts(result)]


def near(found, expected, rtol=1e-11):
    for pair in zip(parts(found), parts(expected), strict=True):
        close(*pair, rtol=rtol)


@pytest.mark.parametrize("name", PROGRAMS)
def test_results_do_not_depend_on_the_number_of_threads(name):
    f, x = PROGRAMS[name]
    jitted = qd.jit(f)
    assert "@qiudao.run" in jitted.lower(x).llvm
    found = []
    for n in (1, 2, 4, 3, 1):
        qd.set_num_threads(n)
        found.append(jitted(x))
    assert all(bits(each) == bits(found[0]) for each in found)
    near(found[0], f(x), rtol=1e-5 if x.dtype == "f4" else 1e-9 if x.ndim > 1 else 1e-11)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_first_of_several_failures_is_told(threads):
    """As one after another: of two matrices, and of those of a stack."""
    qd.set_num_threads(threads)
    both = qd.jit(lambda x, y: (np.linalg.solve(x, MATRIX), np.linalg.svd(y)[1]))
    unknown = np.full((160, 160), np.nan)
    for x, y, text in [
        (MATRIX, unknown, "SVD did not converge"),
        (0 * MATRIX, unknown, "Singular matrix"),
        (0 * MATRIX, MATRIX, "Singular matrix"),
    ]:
        assert "@qiudao.run" in both.lower(x, y).llvm
        with pytest.raises(np.linalg.LinAlgError, match=text):
            both(x, y)
    close(both(MATRIX, np.eye(160))[1], np.ones(160))
    stacked = STACK.copy()
    stacked[[3, 30]] = 0.0
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        qd.jit(lambda x: np.linalg.solve(x, x[..., :2]))(stacked)


@pytest.mark.parametrize(
    "name",
    ["sums of columns", "blocks of rows", "regions", "a sum", "different calls", "two stacks"],
)
def test_checked_code(name, monkeypatch):
    monkeypatch.setenv("QIUDAO_JIT", "checked")
    qd.set_num_threads(3)
    f, x = PROGRAMS[name]
    near(qd.jit(f)(x), f(x))


def test_small_loops_stay_whole():
    assert "@qiudao.run" not in qd.jit(chain).lower(LINE[:1000]).llvm


def test_rows_that_may_fail_stay_whole():
    def f(x, k):
        return np.sum(network(x)[0] + TALL[k], axis=0)

    places = np.arange(len(TALL)) % 7
    qd.set_num_threads(4)
    jitted = qd.jit(f)
    close(jitted(TALL, places), f(TALL, places))
    places[-1] = len(TALL)
    with pytest.raises(IndexError, match="is out of bounds for axis 0"):
        jitted(TALL, places)


def test_calls_from_several_threads_of_python():
    qd.set_num_threads(3)
    names = ["a sum", "sums of columns", "blocks of rows", "a map"]
    ready = {name: qd.jit(PROGRAMS[name][0]) for name in names}
    expected = {name: bits(ready[name](PROGRAMS[name][1])) for name in names}
    wrong, errors = [], []

    def work(name):
        try:
            found = [bits(ready[name](PROGRAMS[name][1])) for _ in range(15)]
            wrong.extend(each for each in found if each != expected[name])
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in names * 2]
    for each in threads:
        each.start()
    for each in threads:
        each.join(120)
        assert not each.is_alive()
    assert not wrong
    assert not errors


def test_the_number_changes_during_calls():
    jitted = qd.jit(PROGRAMS["a sum"][0])
    expected = bits(jitted(LINE))
    done = threading.Event()

    def change():
        for k in range(400):
            qd.set_num_threads(1 + k % 5)
        done.set()

    changing = threading.Thread(target=change)
    changing.start()
    while not done.is_set():
        assert bits(jitted(LINE)) == expected
    changing.join(60)
    assert not changing.is_alive()


def test_python_goes_on_during_a_large_call():
    jitted = qd.jit(lambda x: np.sum(chain(x)))
    x = np.resize(LINE, 20_000_000)
    jitted(x)
    begun, ended, at = threading.Event(), threading.Event(), []

    def call():
        begun.set()
        jitted(x)
        at.append(time.perf_counter())
        ended.set()

    calling = threading.Thread(target=call)
    calling.start()
    begun.wait(60)
    meanwhile = []
    while not ended.is_set():
        meanwhile.append(time.perf_counter())
        time.sleep(0.001)
    calling.join(60)
    assert sum(t < at[0] for t in meanwhile) > 10


def child(queue):
    jitted = qd.jit(PROGRAMS["a sum"][0])
    first = qd.get_num_threads(), bits(jitted(LINE))
    qd.set_num_threads(3)
    queue.put((*first, qd.get_num_threads(), bits(jitted(LINE))))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_child_of_a_fork_has_one_thread_until_it_asks_for_more():
    qd.set_num_threads(3)
    expected = bits(qd.jit(PROGRAMS["a sum"][0])(LINE))
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=child, args=(queue,))
    process.start()
    try:
        assert queue.get(timeout=120) == (1, expected, 3, expected)
    finally:
        process.join(60)
        process.kill()
    assert qd.get_num_threads() == 3
    assert bits(qd.jit(PROGRAMS["a sum"][0])(LINE)) == expected


SCRIPT = """
import numpy as np
import qiudao as qd
print(qd.get_num_threads())
f = qd.jit(lambda x: np.sum(np.exp(x)))
f(np.zeros(1_000_000))
from qiudao.codegen.pool import pool
print(pool.helpers)
"""


def in_new_process(asked):
    environment = {**os.environ, "QIUDAO_NUM_THREADS": asked}
    command = [sys.executable, "-c", SCRIPT]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def test_the_environment_says_how_many():
    found = in_new_process("3")
    assert found.stdout.split() == ["3", "2"], found.stderr


def test_the_environment_says_nonsense():
    assert "ValueError: QIUDAO_NUM_THREADS: 'all' is no number of threads" in (
        in_new_process("all").stderr
    )


def test_limits_of_threadpoolctl():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    qd.set_num_threads(4)
    with threadpoolctl.threadpool_limits(limits=1):
        assert qd.get_num_threads() == 1
    assert qd.get_num_threads() == 4
    with threadpoolctl.threadpool_limits(limits={"qiudao": 2}):
        assert qd.get_num_threads() == 2
    assert qd.get_num_threads() == 4
    own = [p for p in threadpoolctl.threadpool_info() if p["user_api"] == "qiudao"]
    assert [p["num_threads"] for p in own] == [4]
