"""Every module imports, and the examples in docstrings, README and docs give what they show."""

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


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
WITHOUT_EXAMPLES = {"conventions.md", "benchmarks.md", "numpy-coverage.md"}  # tables, tested too


NEEDS = {"paddle.md": "paddle"}  # pages that run only where a library is installed


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_page(page):
    if page.name in NEEDS:
        pytest.importorskip(NEEDS[page.name])
    failed, attempted = doctest.testfile(
        str(page), module_relative=False, optionflags=FLAGS, encoding="utf-8"
    )
    assert attempted or page.name in WITHOUT_EXAMPLES
    assert not failed
