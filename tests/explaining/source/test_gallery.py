"""Printed derivatives run by themselves and give the numbers; six are kept as they read."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import qiudao as qd
from explaining.source.gallery import GALLERY, NAMED
from qiudao.core.trees import flatten

SNAPSHOTS = Path(__file__).parent / "snapshots"
KEPT = [
    "rosenbrock",
    "logistic_regression",
    "perceptron",
    "log_sum_exp",
    "recurrent",
    "newton",
    "solve",
    "eigenvectors",
]


def hold(got, want):
    """Hold that nested results are alike, with equal types and numbers equal to 1e-12."""
    got, structure = flatten(got)
    want, wanted = flatten(want)
    assert structure == wanted
    for g, w in zip(got, want, strict=True):
        g, w = np.asarray(g), np.asarray(w)
        assert (g.dtype, g.shape) == (w.dtype, w.shape)
        rounding = 1e-12 * np.finfo(w.dtype).eps / np.finfo(np.float64).eps
        np.testing.assert_allclose(g, w, rtol=0, atol=rounding * (1 + np.max(np.abs(w))))


def derivatives(f, args):
    """The function and what is derived from it."""
    yield f
    yield qd.grad(f)
    yield qd.value_and_grad(f)
    if f.__name__ not in ("newton", "eigenvectors", "waves", "scanned"):  # real, and no loops back
        first = args[0]
        if isinstance(first, np.ndarray):
            yield qd.hessian(f)


@pytest.mark.parametrize(
    "f, args", GALLERY, ids=[f"{f.__name__}-{k}" for k, (f, _) in enumerate(GALLERY)]
)
def test_the_source_gives_the_numbers(f, args):
    for g in derivatives(f, args):
        with np.errstate(all="ignore"):
            want = g(*args)
            text = qd.source(g)(*args)
        assert "qiudao" not in text
        hold(text.run(*args), want)


@pytest.mark.parametrize("name", KEPT)
def test_texts(name):
    f, args = NAMED[name]
    text = re.sub(r"gallery\.py:\d+", "gallery.py:N", qd.source(qd.grad(f))(*args))
    kept = SNAPSHOTS / f"{name}.txt"
    assert kept.exists(), f"no text is kept; look at this one, and keep it:\n{text}"
    assert text == kept.read_text()


def test_it_runs_where_qiudao_is_not(tmp_path):
    f, args = NAMED["rosenbrock"]
    text = qd.source(qd.grad(f))(*args)
    script = tmp_path / "alone.py"
    call = f"rosenbrock_grad(np.array({args[0].tolist()}))"
    script.write_text(f"{text}\nprint({call}.tolist())\n")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM, str(script)],
        capture_output=True,
        text=True,
        check=True,
        env={"ONLY": np.__path__[0]},
    )
    np.testing.assert_allclose(eval(done.stdout), qd.grad(f)(*args), rtol=1e-12)


PROGRAM = """
import os, runpy, sys
sys.path.append(os.path.dirname(os.environ["ONLY"]))
sys.modules["qiudao"] = None  # an import of it would fail
runpy.run_path(sys.argv[1])
"""


def test_each_line_says_where_it_comes_from():
    f, args = NAMED["perceptron"]
    text = qd.source(qd.grad(f))(*args)
    first = f.__code__.co_firstlineno
    assert f"# gallery.py:{first + 1}  h = np.tanh" in text
    assert f"# from gallery.py:{first + 3}" in text  # the derivative of the last line


def test_large_arrays_are_attached_and_small_ones_written():
    f, args = NAMED["closing_over"]
    text = qd.source(qd.grad(f))(*args)
    assert list(text.arrays) == ["LARGE"]
    assert "# LARGE: f64[20, 3]" in text
    assert "SMALL = np.array([1.0, 2.5, -3.0])" in text


def test_a_compiled_function_is_printed_too():
    f, args = NAMED["norm"]
    assert qd.source(qd.jit(qd.grad(f)))(*args) == qd.source(qd.grad(f))(*args)


def test_functions_of_other_names():
    loss = lambda x: np.sum(x**2)
    text = qd.source(qd.grad(loss))(np.ones(2))
    assert "def f_grad(x):" in text
    assert repr(text) == str(text)


def test_single_precision_stays_single():
    f, args = NAMED["single"]
    assert text_and_result(f, args)[1].dtype == np.float32


def text_and_result(f, args):
    text = qd.source(qd.grad(f))(*args)
    return text, text.run(*args)


def test_a_branch_not_taken_is_right_on_other_arguments():
    f, args = NAMED["branches"]
    text = qd.source(qd.grad(f))(*args)
    for x in (np.array([0.1, 0.2]), np.array([-0.1, 0.2]), np.array([3.0, 4.0])):
        hold(text.run(x), qd.grad(f)(x))


def test_a_loop_is_right_for_more_steps():
    f, _ = NAMED["newton"]
    text = qd.source(qd.grad(f))(2.0)
    hold(text.run(1e6), qd.grad(f)(1e6))


def test_keyword_and_static_arguments_are_the_parameters_that_they_are():
    def f(size, x, scale, rate, bias=1.0):
        return np.sum(x) * size[0] * scale + np.exp(rate) * size[1]

    derived = qd.grad(qd.jit(f, static_argnames=("size",)), argnames=("scale", "rate"))
    args, named = ((2, 3), np.ones(4)), {"scale": 2.0, "rate": 0.5}
    for each in (f, qd.jit(f, static_argnames=("size",)), derived):
        code = qd.source(each)(*args, **named)
        assert "x: f64[4]" in code
        hold(code.run(*args, **named), each(*args, **named))
        hold(code.function(*args, **named), each(*args, **named))
