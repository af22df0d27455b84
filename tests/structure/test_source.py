"""House rules that no linter knows.  Each test lists the places that break its rule."""

import ast

import pytest

from structure.source import ROOT, files, nodes, place

LARGEST_FILE = 36_000  # bytes: what a reader takes in at a sitting


@pytest.fixture(scope="module")
def tree():
    """Every node with its file, parsed once for all tests here."""
    return list(nodes())


def imports_qiudao(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.level > 0 or (node.module or "").partition(".")[0] == "qiudao"
    return isinstance(node, ast.Import) and any(
        alias.name.partition(".")[0] == "qiudao" for alias in node.names
    )


def test_no_function_imports_qiudao(tree):
    """A module that must wait to import another stands in the wrong layer."""
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    found = {
        place(path, node)
        for path, function in tree
        if isinstance(function, functions)
        for node in ast.walk(function)
        if imports_qiudao(node)
    }
    assert sorted(found) == []


def test_no_assert_statement(tree):
    """`python -O` drops them, and a user's mistake deserves a sentence."""
    assert [place(path, node) for path, node in tree if isinstance(node, ast.Assert)] == []


def test_no_bare_except(tree):
    """It would swallow KeyboardInterrupt."""
    handlers = [(path, node) for path, node in tree if isinstance(node, ast.ExceptHandler)]
    assert [place(path, node) for path, node in handlers if node.type is None] == []


def test_no_file_is_too_large_to_read():
    large = [path for path in files() if path.stat().st_size > LARGEST_FILE]
    assert [f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes" for path in large] == []
