"""The examples of the package and of its page run, where paddle is."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import numpy as np
import pytest

import qiudao

paddle = pytest.importorskip("paddle")
package = pytest.importorskip("qiudao.interop.paddle")

PAGE = Path(__file__).parents[3] / "docs" / "paddle.md"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("name", [m.name for m in pkgutil.iter_modules(package.__path__)])
def test_docstrings(name):
    module = importlib.import_module(f"{package.__name__}.{name}")
    failed, _ = doctest.testmod(
        module, extraglobs={"np": np, "qd": qiudao, "paddle": paddle}, optionflags=FLAGS
    )
    assert not failed


def test_the_page():
    failed, attempted = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=FLAGS, encoding="utf-8"
    )
    assert attempted
    assert not failed
