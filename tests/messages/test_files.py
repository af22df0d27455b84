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
    "a masked array": (
        {"a": np.ma.array([1.0, 2.0], mask=[False, True])},
        DtypeError,
        "MaskedArray: an array of this class does things its own way, which no derivative knows; "
        "pass np.asarray(x), or x.filled(value) of a masked array",
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


def test_a_file_of_another_kind(tmp_path):
    (tmp_path / "x").write_text("text")
    error, text = raised(lambda: qd.load(tmp_path / "x"))
    assert error is GradientError
    assert text.startswith(f"load: {tmp_path / 'x'} is no safetensors file (")
    assert text.endswith("); give another path")


def test_a_folder_that_is_not_there(tmp_path):
    error, text = raised(lambda: qd.save(tmp_path / "no" / "x", np.ones(1)))
    assert error is GradientError
    assert text.startswith(f"save: {tmp_path / 'no' / 'x'} cannot be written (")


def test_the_tree_before_the_path():
    text = "save: the path is a dict; give save(path, tree) and load(path), the path as text"
    assert raised(lambda: qd.save({"a": np.ones(1)}, "a.safetensors")) == (DtypeError, text)
