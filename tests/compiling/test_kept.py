"""Programs found on disk as they were traced: the same results, and no pass and no LLVM."""

import subprocess
import sys

import numpy as np
import pytest

import qiudao as qd
from qiudao.codegen.cache import jit_cache
from qiudao.codegen.engine import statistics
from qiudao.compiling import fingerprint as naming
from qiudao.compiling import kept
from qiudao.compiling.fingerprint import fingerprint
from qiudao.core.fields import add_fields
from qiudao.core.program import Program
from qiudao.ops.arithmetic import Add
from qiudao.transforms.trace import traced

RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=2000)  # too large to be part of the code


RECALLED = kept.recalled  # which other tests go without


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "recalled", RECALLED)
    monkeypatch.setenv("QIUDAO_CACHE", "1")
    monkeypatch.setenv("QIUDAO_CACHE_DIR", str(tmp_path / "objects"))


@pytest.fixture
def passes(monkeypatch):
    """How many programs went through the passes."""
    seen = []
    prepared = kept.prepared

    def noted(program):
        seen.append(program)
        return prepared(program)

    monkeypatch.setattr(kept, "prepared", noted)
    return seen


def scalars(x):
    return np.sin(x[0]) * np.cosh(x[1]) + x[2]


def table(x):
    return np.sum(np.exp(-TABLE * x[0]) * np.flip(TABLE)), x[1]


def loop(x):
    for _ in range(50):
        x = x + 0.1 * np.sin(x[::-1])
    return x


def solved(x):
    return np.linalg.solve(np.outer(x, x) + np.eye(3), x)


def shared_out(x):
    return np.sum(np.exp(np.sin(np.tile(x, 100_000))))


FUNCTIONS = (scalars, table, loop, solved, shared_out)
X = np.array([0.3, -0.2, 1.5])


@pytest.mark.parametrize("f", FUNCTIONS)
def test_what_was_compiled_once_is_found(f, passes):
    first = qd.jit(f)(X)
    assert len(passes) == 1
    compiled = statistics.compiled
    again = qd.jit(f)(X)
    assert len(passes) == 1
    assert statistics.compiled == compiled
    for a, b in zip(np.atleast_1d(first), np.atleast_1d(again), strict=True):
        assert np.array_equal(a, b)


def test_a_derivative_and_its_into_are_found(passes):
    gradient = qd.grad(lambda x: np.sum(x**3))
    qd.jit(gradient)(X)
    found, out = qd.jit(gradient), np.empty(3)
    found.into(X, out=out)
    assert len(passes) == 1
    assert np.allclose(out, 3 * X**2)


def test_donated_arrays_are_written_into(passes):
    def f(x):
        return x * 2 + 1

    qd.jit(f)(X)
    given = X.copy()
    result = qd.jit(f, donate=["x"])(given)
    assert result is given
    assert np.array_equal(given, X * 2 + 1)


def test_what_fails_says_so(passes):
    def f(x, k):
        return x[k]

    qd.jit(f)(X, np.array([1, 2]))
    with pytest.raises(IndexError, match="7"):
        qd.jit(f)(X, np.array([1, 7]))
    assert len(passes) == 1


def test_without_its_machine_code_it_is_compiled_again(passes):
    expected = qd.jit(scalars)(X)
    name = fingerprint(traced_on_three(scalars))
    for path, _ in jit_cache.entries():
        if path != jit_cache.path(name):
            path.unlink()
    assert kept.recalled(name) is None
    assert qd.jit(scalars)(X) == expected
    assert len(passes) == 2


def test_what_numpy_computes_is_not_kept(passes):
    def f(x):
        return np.median(x) + np.linalg.eigvals(np.outer(x, x))[0]

    first = qd.jit(f)
    if not first.lower(X).fallbacks:
        pytest.skip("all of it has a native form")
    for _ in range(2):
        qd.jit(f)(X)
    assert len(passes) == 2


def test_nothing_is_named_where_there_is_no_cache(monkeypatch):
    monkeypatch.setenv("QIUDAO_CACHE", "0")
    monkeypatch.setattr(kept, "fingerprint", lambda program: pytest.fail("named"))
    assert np.allclose(qd.jit(loop)(X), loop(X))


CHILD = """
import numpy as np
import qiudao as qd
from qiudao.codegen.engine import statistics
from qiudao.compiling import kept

passes = []
prepared = kept.prepared
kept.prepared = lambda program: passes.append(program) or prepared(program)
f = lambda x: np.sum(np.tanh(np.sin(x[0]) * x)) + np.log(np.linalg.det(np.outer(x, x) + np.eye(3)))
found = qd.jit(qd.value_and_grad(f))(np.array([0.3, -0.2, 1.5]))
print(len(passes), statistics.compiled, *found[1], found[0])
"""


def test_another_process_finds_it():
    def child():
        command = [sys.executable, "-c", CHILD]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
        return done.stdout.split()

    first, second = child(), child()
    assert first[0] == "1"
    assert second[:2] == ["0", "0"]
    assert first[2:] == second[2:]


# Names


def traced_on_three(f) -> Program:
    return traced(f, [naming_aval(X)], lambda symbols: (symbols, {})).program


def naming_aval(x):
    return qd.trace(lambda y: y)(x).avals[0]


def name(f, *args):
    return fingerprint(qd.trace(f)(*args))


def test_equal_programs_have_equal_names():
    assert name(loop, X) == name(loop, X) is not None
    assert name(lambda x: x + 1.0, X) == name(lambda y: y + 1.0, X)


@pytest.mark.parametrize(
    "others",
    [
        [lambda x: x + 0.0, lambda x: x + -0.0, lambda x: x + 0, lambda x: x + False],
        [lambda x: x + np.float64(1), lambda x: x + np.float32(1), lambda x: x + 1.0],
        [lambda x: np.sum(x, keepdims=True), lambda x: np.sum(x)],
        [lambda x: x + np.arange(3.0), lambda x: x + np.arange(3), lambda x: x + np.arange(1.0, 4)],
        [lambda x: x[:2], lambda x: x[1:], lambda x: x[::2]],
        [lambda x: x[0] - x[1], lambda x: x[1] - x[0]],
        [lambda x: (x[0], x[1]), lambda x: (x[1], x[0])],
        [
            lambda x: qd.fori_loop(0, 3, lambda i, y: y * 2.0, x),
            lambda x: qd.fori_loop(0, 4, lambda i, y: y * 2.0, x),
            lambda x: qd.fori_loop(0, 3, lambda i, y: y * 3.0, x),
        ],
    ],
)
def test_other_programs_have_other_names(others):
    names = [name(f, X) for f in others]
    assert None not in names
    assert len(set(names)) == len(others)


def test_types_of_arguments_are_part_of_the_name():
    arguments = [X, X.astype("f4"), X[:2], X[None], np.array([1, 2, 3])]
    assert len({name(lambda x: x * 2, x) for x in arguments}) == len(arguments)


def test_the_mode_and_the_sources_are_part_of_the_name(monkeypatch):
    before = name(scalars, X)
    monkeypatch.setenv("QIUDAO_JIT", "checked")
    checked = name(scalars, X)
    monkeypatch.delenv("QIUDAO_JIT")
    monkeypatch.setattr(naming, "sources", lambda: "changed")
    assert len({before, checked, name(scalars, X)}) == 3


class Own(Add):
    """A primitive of the user's, which may change without being noticed."""


add_fields(Own)


def test_what_is_not_ours_has_no_name():
    assert name(lambda x: Own()(x, x), X) is None


def test_large_constants_have_no_name():
    large = np.zeros(naming.LARGE // 8 + 1)
    assert name(lambda x: large * x[0], X) is None


def test_an_archive_has_no_names(monkeypatch, tmp_path):
    monkeypatch.setattr(naming, "__file__", str(tmp_path / "archive.zip" / "a" / "b" / "c.py"))
    naming.sources.cache_clear()
    try:
        assert name(scalars, X) is None
    finally:
        naming.sources.cache_clear()
