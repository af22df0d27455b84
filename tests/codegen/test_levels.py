"""How much of LLVM a program gets: by its size, and by what most of its work is."""

import numpy as np
import pytest

import qiudao as qd
from qiudao.codegen import build
from qiudao.codegen.resident import resident_module

pytest.importorskip("llvmlite")


def level(f, *xs):
    program = qd.trace(f)(*xs)
    module = resident_module()
    text, _ = build.native_function(module, program)
    module.define("@program", text)
    return build.level_of(program, module)


def turned(x, count):
    """A long line of arithmetic, in which nothing repeats."""
    for k in np.random.default_rng(0).integers(0, 4, count):
        x = (np.cos(x), x * 0.9, x + 0.1, x * x)[k]
    return x


def simulated(x, steps=50):
    return qd.fori_loop(0, steps, lambda _, x: turned(x, 600), x)


def test_without_loops(monkeypatch):
    assert level(lambda x: turned(x, 30), 0.5) == "straight"
    monkeypatch.setattr(build, "MANY", 20)
    assert level(lambda x: turned(x, 30), 0.5) == "quick"


def test_arrays():
    assert level(lambda x: turned(x, 3), np.ones(1000)) == "full"
    assert level(lambda x: turned(x, 450), np.ones(1000)) == "middle"


def test_simulations():
    assert level(lambda x: qd.fori_loop(0, 9, lambda _, x: turned(x, 3), x), 0.5) == "full"
    assert level(simulated, 0.5) == "steps"
    assert level(lambda x: np.sum(simulated(x[0]) + x), np.ones(50)) == "steps"


def test_arrays_that_are_most_of_the_work_of_a_simulation():
    assert level(lambda x: np.sum(turned(simulated(x[0]) + x, 20)), np.ones(10_000)) == "middle"
    assert (
        level(lambda x: qd.fori_loop(0, 50, lambda _, x: turned(x, 600), x), np.ones(99))
        == "middle"
    )


def test_a_while_loop_is_a_simulation():
    def f(x):
        return qd.while_loop(lambda x: x > 0.1, lambda x: turned(x, 600), x)

    assert level(f, 0.5) == "steps"


def test_code_that_hardly_repeats_itself():
    """Many branches, each with a few elements to work on: LLVM would take longer than they pay."""

    def branches(x, count):
        for k in range(count):
            x = qd.cond(x[k % 3] > 0.3 + 0.01 * k, lambda x: np.sin(x) * 0.9, lambda x: x * x, x)
        return x

    assert level(lambda x: branches(x, 20), np.ones(5)) == "full"
    assert level(lambda x: branches(x, 150), np.ones(5)) == "steps"
    assert level(lambda x: branches(x, 600), np.ones(5)) == "quick"
