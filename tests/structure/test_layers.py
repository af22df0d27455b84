"""Imports go down only: the contracts of import-linter in pyproject.toml hold."""

import pytest

from structure.source import run_python

# Run in a process of its own, because it resets the loggers of the one it runs in.
LINT = """
import sys
from importlinter.cli import lint_imports

sys.exit(lint_imports(no_cache=True))
"""


def test_imports_go_down_only():
    pytest.importorskip("importlinter")
    run_python(LINT)
