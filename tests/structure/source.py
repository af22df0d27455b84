"""The source tree as the structure tests see it: its files, its modules, a fresh interpreter."""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"

# The libraries that qiudao works without.
OPTIONAL = frozenset(
    {
        "anywidget",
        "autograd",
        "cuda",
        "cupy",
        "dask",
        "jax",
        "llvmlite",
        "matplotlib",
        "ml_dtypes",
        "mpi4py",
        "onnx",
        "onnx_ir",
        "paddle",
        "rich",
        "safetensors",
        "scipy",
        "threadpoolctl",
        "torch",
    }
)


def files() -> list[Path]:
    """Every Python file of the package."""
    return sorted(SOURCE.glob("qiudao/**/*.py"))


def nodes() -> Iterator[tuple[Path, ast.AST]]:
    """Every node of every syntax tree, with its file."""
    for path in files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield path, node


def place(path: Path, node: ast.AST) -> str:
    """Where a node stands, in a form that editors follow."""
    return f"{path.relative_to(ROOT)}:{node.lineno}"


def module_name(path: Path) -> str:
    """The dotted name under which a file is imported."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules() -> list[str]:
    """Every module by its dotted name, packages included."""
    return [module_name(path) for path in files() if path.stem != "__main__"]


def packages() -> list[str]:
    """Every package by its dotted name."""
    return [module_name(path) for path in files() if path.stem == "__init__"]


def load(name: str) -> ModuleType:
    """Import a module, or skip the test where an optional library that it needs is missing."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in OPTIONAL:
            raise
        pytest.skip(f"{name} needs {error.name}")


def run_python(program: str) -> str:
    """What a program prints in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()
