"""Every module imports, and the examples in docstrings and in the README give what they show."""

import doctest

import numpy as np
import pytest

import qiudao
from structure.source import ROOT, load, modules

NAMES = {"np": np, "qd": qiudao}  # every example may use these without importing them
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("name", modules())
def test_docstrings(name):
    failed, _ = doctest.testmod(load(name), extraglobs=NAMES, optionflags=FLAGS)
    assert not failed  # pytest shows what doctest printed


def test_readme():
    failed, attempted = doctest.testfile(
        str(ROOT / "README.md"), module_relative=False, optionflags=FLAGS, encoding="utf-8"
    )
    assert attempted
    assert not failed
