"""No error of these packages goes untested: a part of every text stands in a test of messages."""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src" / "qiudao"
RAISERS = {"freed_error", "refuse", "refuse_here", "warn"}
REASONS = {"NoNativeForm", "Refusal"}  # no errors: why a program stays as it is, in a report


def constants(node):
    """Every text that is written out somewhere below a node."""
    found = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant))
    return [value for value in found if isinstance(value, str)]


TESTED = [
    text
    for path in sorted(HERE.glob("test_*.py"))
    for text in constants(ast.parse(path.read_text()))
]


def texts(path):
    """The longest fixed part of every text that a file raises or warns with."""
    for node in ast.walk(ast.parse(path.read_text())):
        call = node.exc if isinstance(node, ast.Raise) else node
        if not isinstance(call, ast.Call) or called(call) in REASONS:
            continue
        if not isinstance(node, ast.Raise) and called(call) not in RAISERS:
            continue
        parts = [text for argument in call.args for text in constants(argument)]
        if any(" " in part for part in parts):
            yield node.lineno, max(parts, key=len)


def called(call):
    """The name of the function that is called."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


PACKAGES = [
    "core", "tape", "passes", "transforms", "codegen", "eager", "compiling", "explaining", "optim",
    "ops/networks", "nn", "scipy/fft", "scipy/integrate", "scipy/interpolate", "scipy/ndimage",
    "scipy/optimize", "scipy/signal", "scipy/stats",
]  # fmt: skip


@pytest.mark.parametrize("package", PACKAGES)
def test_every_text_is_tested(package):
    assert (SOURCE / package).is_dir()
    untested = [
        f"{path.relative_to(SOURCE)}:{line} {text!r}"
        for path in sorted((SOURCE / package).rglob("*.py"))
        for line, text in texts(path)
        if not any(text.strip() in tested for tested in TESTED)
    ]
    assert untested == []
