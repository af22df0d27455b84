"""The whole text of every error of `qd.save` and `qd.load`."""

import sys

import numpy as np
import pytest

import qiudao as qd
from messages.raised import raised
from qiudao.core.errors import DtypeError, GradientError, TreeError

MESSAGES = {
    "an unknown key": (
        {"a": {1.5: np.ones(1)}},
        TreeError,
        "save: a has the key 1.5, and keys must be text or whole numbers; rename it",
    ),
    "an unknown leaf": (
        {"a": [{1}]},
        TreeError,
        "save: a.0 is a set, and files keep dicts, lists, tuples, arrays, numbers and text; save "
        "the state_dict() of a model or optimiser",
    ),
    "two arrays of one path": (
        {"a": {"b": np.ones(1)}, "a.b": np.ones(1)},
        TreeError,
        "save: two arrays have the path a.b, for one key holds the dot of another's path; rename "
        "it",
    ),
    "objects": (
        {"a": np.array([None])},
        DtypeError,
        "save: a is an array of Python objects, which a file cannot keep; convert it to numbers "
        "or text",
    ),
    "fields": (
        {"a": np.zeros(2, [("x", float)])},
        DtypeError,
        "save: a has dtype [('x', '<f8')], and files keep plain numbers, dates and text; save its "
        "fields one by one",
    ),
}


@pytest.mark.parametrize("tree, error, text", MESSAGES.values(), ids=MESSAGES)
def test_message(tmp_path, tree, error, text):
    assert raised(lambda: qd.save(tmp_path / "x", tree)) == (error, text)


@pytest.mark.parametrize("act", ["save", "load"])
def test_without_the_library(tmp_path, monkeypatch, act):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    args = (tmp_path / "x",) if act == "load" else (tmp_path / "x", np.ones(1))
    assert raised(lambda: getattr(qd, act)(*args)) == (
        GradientError,
        f"{act}: the library safetensors is not installed; `pip install qiudao[io]` brings it",
    )
