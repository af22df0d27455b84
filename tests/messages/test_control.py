"""The whole text of every error of control flow."""

import numpy as np
import pytest

import qiudao as qd
from messages.raised import raised
from qiudao.core.errors import DtypeError, GradientError, ShapeError, TreeError

X = np.ones(3)
NUMBER = np.float64(1.0)


def traced(f, *args):
    return lambda: qd.trace(f)(*args)


def adds(carry, x):
    return carry + X, x


def widens(carry, x):
    total = carry["b"] + x
    return {"a": carry["a"], "b": total}, x


def nests(carry, x):
    return (carry, carry), x


def first(x):
    return x[0]


def narrow(x):
    return x.astype(np.float32)


NARROW = {"a": np.float32(0), "b": np.float32(0)}

MESSAGES = {
    "a carry of another shape": (
        traced(lambda x: qd.scan(adds, 0.0, x), X),
        ShapeError,
        "scan: carry is f64[] at the start and f64[3] after one step, at file.py:N "
        "(`return carry + X, x`); both must have the same shape",
    ),
    "a carry of another dtype": (
        traced(lambda x: qd.scan(widens, NARROW, x), X),
        DtypeError,
        "scan: carry['b'] is f32[] at the start and f64[] after one step, at file.py:N "
        '(`total = carry["b"] + x`); convert one of them, x.astype(np.float32)',
    ),
    "a carry nested otherwise": (
        traced(lambda x: qd.scan(nests, 0.0, x), X),
        TreeError,
        "scan: the carry is nested as * at the start and as (*, *) after one step; both must be "
        "nested alike",
    ),
    "no number at the start": (
        traced(lambda x: qd.scan(adds, ["a", 0.0], x), X),
        DtypeError,
        "scan: init[0] is str 'a', which is no number; close over it instead of passing it",
    ),
    "a step without a pair": (
        lambda: qd.scan(lambda c, x: c, 0.0, X),
        TreeError,
        "scan: a step must return (carry, y), and it returned float; return (carry, None) where "
        "there is nothing to stack",
    ),
    "ys nested otherwise": (
        lambda: qd.scan(lambda c, x: (c + 1, (x,) * c), 1, X),
        TreeError,
        "scan: y is nested as (*,) in one step and as (*, *) in another; all must be nested alike",
    ),
    "no length": (
        lambda: qd.scan(adds, 0.0),
        ShapeError,
        "scan: without xs the number of steps is unknown; pass length=n",
    ),
    "another length": (
        lambda: qd.scan(adds, 0.0, X, 2),
        ShapeError,
        "scan: the first axis of xs is 3 long and length is 2; both must be equal",
    ),
    "lengths that differ": (
        lambda: qd.scan(adds, 0.0, (X, X[1:])),
        ShapeError,
        "scan: the first axis of xs[1] is 2 long and the first axis of xs[0] is 3; both must be "
        "equal",
    ),
    "a number to step along": (
        lambda: qd.scan(adds, 0.0, 1.0),
        ShapeError,
        "scan: xs is f64[], which has no axis to step along; close over what is the same in every "
        "step",
    ),
    "a checkpoint that is none": (
        lambda: qd.scan(adds, 0.0, X, checkpoint="log"),
        ShapeError,
        "scan: checkpoint='log' is neither 'sqrt' nor a number of steps; give 1 or more",
    ),
    "a predicate of several": (
        traced(lambda x: qd.cond(x > 0, np.sin, np.cos, x), X),
        ShapeError,
        "cond: the predicate is bool[3], and one number must decide; reduce it with np.any or "
        "np.all, or choose element by element with np.where",
    ),
    "branches of another shape": (
        traced(lambda x: qd.cond(x[0] > 0, first, np.sin, x), X),
        ShapeError,
        "cond: result is f64[3] from false_fn and f64[] from true_fn, at file.py:N "
        "(`return x[0]`); both must have the same shape",
    ),
    "branches of another dtype": (
        traced(lambda x: qd.switch(x[0] > 0, [np.sin, narrow], x), X),
        DtypeError,
        "switch: result is f64[3] from branch 0 and f32[3] from branch 1, at file.py:N "
        "(`return x.astype(np.float32)`); convert one of them, x.astype(np.float64)",
    ),
    "branches nested otherwise": (
        traced(lambda x: qd.cond(x[0] > 0, lambda x: (x,), np.sin, x), X),
        TreeError,
        "cond: false_fn returns * and true_fn (*,); all branches must return what is nested alike",
    ),
    "no branches": (
        lambda: qd.switch(0, []),
        ShapeError,
        "switch: there are no branches; give at least one",
    ),
    "a float to choose": (
        lambda: qd.switch(1.0, [np.sin], 0.0),
        DtypeError,
        "switch: the index is of dtype float64; an integer must choose",
    ),
    "no number of steps": (
        lambda: qd.while_loop(np.any, np.sin, 0.0, max_steps=0),
        ShapeError,
        "while_loop: max_steps=0 is no number of steps; give 1 or more",
    ),
    "too many steps": (
        lambda: qd.while_loop(lambda v: True, np.sin, 0.0, max_steps=5),
        GradientError,
        "while_loop: more than 5 steps; give a larger max_steps",
    ),
    "an axis that is not there": (
        lambda: qd.associative_scan(np.add, X, axis=2),
        ShapeError,
        "associative_scan: elems has shape (3,) and no axis 2; choose another with axis",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name):
    act, error, text = MESSAGES[name]
    kind, found = raised(act)
    assert issubclass(kind, error)
    assert found == text
