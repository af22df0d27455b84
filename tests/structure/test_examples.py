"""Every module imports, and the examples in docstrings, README and docs give what they show."""

import doctest

import numpy as np
import pytest

import qiudao
from structure.source import ROOT, load, modules

NAMES = {"np": np, "qd": qiudao}  # every example may use these without importing them
PEER = [
    pytest.mark.peer,
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated"),  # torch's own use
]
BRIDGES = [["interop", "torch"], ["interop", "jax"]]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def documented(name):
    return pytest.param(name, marks=PEER if name.split(".")[1:3] in BRIDGES else [])


@pytest.mark.parametrize("name", [documented(name) for name in modules()])
def test_docstrings(name):
    failed, _ = doctest.testmod(load(name), extraglobs=NAMES, optionflags=FLAGS)
    assert not failed  # pytest shows what doctest printed


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
WITHOUT_EXAMPLES = {"conventions.md", "benchmarks.md", "numpy-coverage.md"}  # tables, tested too
NEEDS = {"paddle.md": ["paddle"], "bridges.md": ["torch", "jax"]}  # run where these are installed


def marked(page):
    return pytest.param(page, id=page.name, marks=PEER if page.name == "bridges.md" else [])


@pytest.mark.parametrize("page", [marked(page) for page in PAGES])
def test_page(page):
    for library in NEEDS.get(page.name, ()):
        pytest.importorskip(library)
    failed, attempted = doctest.testfile(
        str(page), module_relative=False, optionflags=FLAGS, encoding="utf-8"
    )
    assert attempted or page.name in WITHOUT_EXAMPLES
    assert not failed
