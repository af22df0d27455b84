"""The whole text of the errors of traced programs: while tracing, and of the grammar."""

import numpy as np
import pytest

import qiudao as qd
from messages.raised import raised
from qiudao.core.avals import Aval
from qiudao.core.errors import DtypeError, TraceError
from qiudao.core.node import Leaf
from qiudao.core.program import GrammarError, Program, apply, check
from qiudao.ops.arithmetic import add, negative

X = np.array([1.0, 2.0])
TWO = Aval((2,), np.dtype(np.float64))


def leaf():
    return Leaf(TWO.shape, TWO.dtype)


def checked(make):
    """Check the program that `make` gives for one input."""
    x = leaf()
    return lambda: check(make(x))


def twice(x):
    y = apply(negative, (x,), TWO)
    return Program([x], [y, y], [y])


def several_read_as_one(x):
    program = qd.trace(lambda a: tuple(np.linalg.eigh(a)))(np.eye(2))
    several = next(e for e in program.equations if e.shape is None)
    reader = apply(negative, (several,), TWO)
    return Program(program.inputs, [*program.equations, reader], [reader])


def a_body_that_writes(x):
    held = x * 1.0
    return qd.map(lambda t: held.fill(t.shape == ()) or t, x), held


MESSAGES = {
    # tracing
    "a body that writes into an array from outside": (
        lambda: qd.trace(a_body_that_writes)(X),
        TraceError,
        "setitem: file.py:N (`return qd.map(lambda t: held.fill(t.shape == ()) or t, x), held`): a "
        "body that is traced writes into an array that was made outside of it, and the program "
        "would do so once; let it take the array as an argument and return the new one",
    ),
    "a branch on a traced value": (
        lambda: qd.trace(lambda x: x if x.sum() > 0 else -x)(X),
        TraceError,
        "trace: the value of this bool[] is not known while tracing, and file.py:N "
        "(`lambda: qd.trace(lambda x: x if x.sum() > 0 else -x)(X),`) asks for it; choose values "
        "with np.where(condition, a, b), branches with qd.cond(condition, f, g, x), and loop with "
        "qd.while_loop, qd.fori_loop or qd.scan",
    ),
    "a traced value as a Python number": (
        lambda: qd.trace(lambda x: float(x.sum()))(X),
        TraceError,
        "float(x): the value of this f64[] is not known while tracing, and file.py:N "
        "(`lambda: qd.trace(lambda x: float(x.sum()))(X),`) asks for it; compute with "
        "NumPy functions (np.sin, not math.sin), fill an array made by np.zeros_like(x) or "
        "np.stack, or cut on purpose with .detach()",
    ),
    "a result that is no number": (
        lambda: qd.trace(lambda x: {"y": "three"})(X),
        DtypeError,
        "trace: result['y'] is str 'three', which is no number, at file.py:N "
        '(`lambda: qd.trace(lambda x: {"y": "three"})(X),`); return arrays, numbers and '
        "containers of them",
    ),
    # the grammar
    "an input given twice": (
        checked(lambda x: Program([x, x], [], [x])),
        GrammarError,
        "program: leaf f64[2] is no input, or one given twice",
    ),
    "an equation that stands twice": (
        checked(twice),
        GrammarError,
        "program: negative -> f64[2] stands twice",
    ),
    "several results read as one": (
        checked(several_read_as_one),
        GrammarError,
        "program: negative -> f64[2] reads several results as one",
    ),
    "a value that is not defined before it is read": (
        checked(lambda x: Program([x], [], [leaf()])),
        GrammarError,
        "program: 'the outputs' reads leaf f64[2], which is not defined before it",
    ),
    "a constant that is no number": (
        checked(lambda x: Program([x], [], ["three"])),
        GrammarError,
        "program: 'the outputs' has the constant 'three', which is no number",
    ),
    "an equation of another type than its primitive states": (
        checked(lambda x: Program([x], [apply(add, (x, 1.0), Aval((3,), TWO.dtype))], [x])),
        GrammarError,
        "program: add -> f64[3] should be f64[2]",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name):
    act, error, text = MESSAGES[name]
    kind, found = raised(act)
    assert issubclass(kind, error)
    assert found == text
