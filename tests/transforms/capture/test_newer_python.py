"""What Python has since 3.12: parameters of types, and annotations that nobody evaluates."""

import importlib.util
import sys

import numpy as np
import pytest

import qiudao as qd

GENERIC = """
import numpy as np

def f[T](x: T) -> T:
    kinds = [T]  # read in the body
    if np.sum(x) > 0:
        return x * 3
    return x * len(kinds)

class Scaled[T]:
    factor = 2

    def times[S](self, x: S) -> S:
        if np.sum(x) > 0:
            return x * self.factor
        return x

scaled = Scaled().times
"""

LATER = """
import dataclasses
import numpy as np
import qiudao as qd

def f(x: Nowhere, n: "Neither" = 3, *, scale: There.too = 1.0) -> Somewhere:
    y: Nowhere = x
    unset: Nowhere
    for i in range(n):
        if np.sum(y) > 0:
            y = y * 2
    return y * scale

@qd.custom_vjp
def g(x: Nowhere) -> Nowhere:
    return x * x

g.defvjp(lambda x: (x * x, x), lambda x, ct: (2 * x * ct,))
"""


def imported(path, text):
    """A module of this text, in a file, as what is captured needs its source."""
    file = path / "written.py"
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("written", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(sys.version_info < (3, 12), reason="from Python 3.12 on")
def test_functions_with_parameters_of_types(tmp_path):
    written = imported(tmp_path, GENERIC)
    for f in (written.f, written.scaled):
        for x in (np.ones(2), -np.ones(2)):
            np.testing.assert_array_equal(qd.jit(f)(x), f(x))


@pytest.mark.skipif(sys.version_info < (3, 14), reason="evaluated before Python 3.14")
def test_annotations_that_name_nothing(tmp_path):
    written = imported(tmp_path, LATER)
    f, x = written.f, np.ones(2)
    np.testing.assert_array_equal(qd.jit(f, static_argnames=("n", "scale"))(x, n=2, scale=3.0), 12)
    total = lambda x, **given: np.sum(f(x, **given))
    np.testing.assert_array_equal(qd.grad(total)(x), [8.0, 8.0])
    np.testing.assert_array_equal(qd.jacobian(f, argnames="x")(x=x), 8 * np.eye(2))
    np.testing.assert_array_equal(qd.jit(qd.vmap(f))(np.ones((3, 2))), np.full((3, 2), 8.0))
    np.testing.assert_array_equal(qd.lift(f)(x), [8.0, 8.0])
    assert qd.grad(written.g)(3.0) == 6.0
    assert "return" in str(qd.source(qd.grad(total))(x))
    assert qd.explain(f, x[0]).graph.inputs
