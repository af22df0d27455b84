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
        "scan: the carry is nested as * at the start and as (*, *) after one step, at HERE; both "
        "must be nested alike",
    ),
    "a carry nested otherwise in fori_loop": (
        traced(lambda x: qd.fori_loop(0, 3, lambda i, v: (v, v), x), X),
        TreeError,
        "fori_loop: the carry is nested as * at the start and as (*, *) after one step, at HERE; "
        "both must be nested alike",
    ),
    "a carry nested otherwise in while_loop": (
        traced(lambda x: qd.while_loop(lambda v: v[0] > 0, lambda v: (v,), (x[0],)), X),
        TreeError,
        "while_loop: the carry is nested as (*,) at the start and as ((*,),) after one step, at "
        "HERE; both must be nested alike",
    ),
    "a carry nested otherwise in a batch": (
        lambda: qd.vmap(lambda x: qd.while_loop(lambda v: v[0] > 0, lambda v: v[0], (x,)))(X),
        TreeError,
        "while_loop: the carry is nested as (*,) at the start and as * after one step, at HERE; "
        "both must be nested alike",
    ),
    "no number at the start": (
        traced(lambda x: qd.scan(adds, ["a", 0.0], x), X),
        DtypeError,
        "scan: init[0] is str 'a', which is no number, at HERE; close over it instead of passing "
        "it",
    ),
    "a step without a pair": (
        lambda: qd.scan(lambda c, x: c, 0.0, X),
        TreeError,
        "scan: a step must return (carry, y), and it returned float, at HERE; return (carry, None) "
        "where there is nothing to stack",
    ),
    "ys nested otherwise": (
        lambda: qd.scan(lambda c, x: (c + 1, (x,) * c), 1, X),
        TreeError,
        "scan: y is nested as (*,) in one step and as (*, *) in another, at HERE; all must be "
        "nested alike",
    ),
    "ys of another shape": (
        lambda: qd.map(lambda k: {"a": X[:k]}, np.arange(1, 3)),
        ShapeError,
        "map: y['a'] has shape (1,) in one step and (2,) in another, at HERE; all must have the "
        "same shape",
    ),
    "no length": (
        lambda: qd.scan(adds, 0.0),
        ShapeError,
        "scan: without an array the number of steps is unknown, at HERE; pass length=n",
    ),
    "nothing to map": (
        lambda: qd.map(np.sin, ()),
        ShapeError,
        "map: without an array the number of steps is unknown, at HERE; pass one",
    ),
    "a length that is none": (
        lambda: qd.scan(adds, 0.0, None, 2.5),
        ShapeError,
        "scan: length=2.5 is no number of steps, at HERE; give an integer, 0 or more",
    ),
    "another length": (
        lambda: qd.scan(adds, 0.0, X, 2),
        ShapeError,
        "scan: the first axis of xs is 3 long and length is 2, at HERE; both must be equal",
    ),
    "lengths that differ": (
        lambda: qd.scan(adds, 0.0, (X, X[1:])),
        ShapeError,
        "scan: the first axis of xs[1] is 2 long and the first axis of xs[0] is 3, at HERE; both "
        "must be equal",
    ),
    "a number to step along": (
        lambda: qd.map(np.sin, 1.0),
        ShapeError,
        "map: xs is f64[], which has no axis to step along, at HERE; close over what is the same "
        "in every step",
    ),
    "a checkpoint that is none": (
        lambda: qd.scan(adds, 0.0, X, checkpoint="log"),
        ShapeError,
        "scan: checkpoint='log' is neither 'sqrt' nor a number of steps, at HERE; give 1 or more",
    ),
    "a predicate of several": (
        traced(lambda x: qd.cond(x > 0, np.sin, np.cos, x), X),
        ShapeError,
        "cond: the predicate is bool[3], and one number must decide, at HERE; reduce it with "
        "np.any or np.all, or choose element by element with np.where",
    ),
    "a known predicate of several": (
        lambda: qd.cond(X > 0, np.sin, np.cos, X),
        ShapeError,
        "cond: the predicate is bool[3], and one number must decide, at HERE; reduce it with "
        "np.any or np.all, or choose element by element with np.where",
    ),
    "a condition that returns nothing": (
        lambda: qd.while_loop(lambda v: None, np.sin, 1.0),
        DtypeError,
        "while_loop: the condition is NoneType None, which is no number, at HERE; give a bool or "
        "a number",
    ),
    "branches of another shape": (
        traced(lambda x: qd.cond(x[0] > 0, first, np.sin, x), X),
        ShapeError,
        "cond: result is f64[3] from false_fn and f64[] from true_fn, at file.py:N "
        "(`return x[0]`); both must have the same shape",
    ),
    "branches of another shape in a batch": (
        lambda: qd.vmap(lambda x: qd.cond(x > 0, np.sin, lambda x: x * X, x))(X),
        ShapeError,
        "cond: result is f64[3] from false_fn and f64[] from true_fn, at HERE; both must have the "
        "same shape",
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
        "cond: false_fn returns * and true_fn (*,), at HERE; all branches must return what is "
        "nested alike",
    ),
    "a branch of text in a batch": (
        lambda: qd.vmap(lambda x: qd.switch(x > 0, [lambda x: "a", np.sin], x))(X),
        DtypeError,
        "switch: result is str 'a' from branch 0, which is no number, at HERE; return numbers and "
        "arrays",
    ),
    "no branches": (
        lambda: qd.switch(0, []),
        ShapeError,
        "switch: there are no branches, at HERE; give at least one",
    ),
    "a float to choose": (
        lambda: qd.switch(1.0, [np.sin], 0.0),
        DtypeError,
        "switch: the index is float 1.0 and must be an integer, at HERE; convert it, int(x) or "
        "x.astype(int)",
    ),
    "a float to choose for each example": (
        lambda: qd.vmap(lambda x: qd.switch(x, [np.sin, np.cos], x))(X),
        DtypeError,
        "switch: the index is f64[] and must be an integer, at HERE; convert it, int(x) or "
        "x.astype(int)",
    ),
    "a float to count to": (
        lambda: qd.fori_loop(0, 2.5, lambda i, v: v + i, 1.0),
        DtypeError,
        "fori_loop: the upper end is float 2.5 and must be an integer, at HERE; convert it, int(x) "
        "or x.astype(int)",
    ),
    "several to count from": (
        traced(lambda x: qd.fori_loop(x, 3, lambda i, v: v + i, 1.0), X),
        ShapeError,
        "fori_loop: the lower end is f64[3] and must be one integer, at HERE; choose one element "
        "of it, x[0]",
    ),
    "no number of steps": (
        lambda: qd.while_loop(np.any, np.sin, 0.0, max_steps=0),
        ShapeError,
        "while_loop: max_steps=0 is no number of steps, at HERE; give 1 or more",
    ),
    "too many steps": (
        lambda: qd.while_loop(lambda v: True, np.sin, 0.0, max_steps=5),
        GradientError,
        "while_loop: more than 5 steps; give a larger max_steps",
    ),
    "an axis that is not there": (
        lambda: qd.associative_scan(np.add, X, axis=2),
        ShapeError,
        "associative_scan: elems has shape (3,) and no axis 2, at HERE; choose another with axis",
    ),
    "elements of other lengths": (
        lambda: qd.associative_scan(lambda a, b: a, (X, X[1:])),
        ShapeError,
        "associative_scan: axis 0 of elems[1] is 2 long and axis 0 of elems[0] is 3, at HERE; both "
        "must be equal",
    ),
    "elements combined into another nest": (
        traced(lambda x: qd.associative_scan(lambda a, b: (a, b), x), X),
        TreeError,
        "associative_scan: elems are nested as * and what fn returned as (*, *), at HERE; both "
        "must be nested alike",
    ),
    "elements combined into one": (
        lambda: qd.associative_scan(lambda a, b: np.sum(a * b), X),
        ShapeError,
        "associative_scan: elems of shape (1,) became () when fn combined them, at HERE; it must "
        "combine many at once, each with its like",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name):
    """HERE stands for the line of the table that has the call."""
    act, error, text = MESSAGES[name]
    kind, found = raised(act)
    assert issubclass(kind, error)
    line = found.split("`")[1] if "HERE" in text else ""
    assert "qd." in line or not line
    assert found == text.replace("HERE", f"file.py:N (`{line}`)")
