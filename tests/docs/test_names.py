"""Every row of docs/names.md, and that no name of torch's or paddle's is missing there."""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest

import qiudao as qd

TEXT = (Path(__file__).parents[2] / "docs" / "names.md").read_text(encoding="utf-8")


class Twice(qd.Function):
    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @staticmethod
    def backward(ctx, ct):
        return 2 * ct


def f(x):
    return (x**3).sum()


def names():
    x = qd.tensor([1.0, 2.0], requires_grad=True)

    def dual(act):
        with qd.forward_ad.dual_level():
            return act()

    def packing(block):
        with block:
            y = f(x)
        return qd.grad(y, x)

    return {
        "np": np, "qd": qd, "x": x, "v": np.ones(2), "f": f, "Twice": Twice, "dual": dual,
        "packing": packing,
    }  # fmt: skip


def rows():
    for line in TEXT.splitlines():
        cells = re.findall(r"`([^`]+)`", line)
        if line.startswith("| `") and line.count(" | ") == 2 and len(cells) == 3:
            yield pytest.param(*cells[1:], id=f"{cells[0]}: {cells[1]}")


ENTERED = []


@pytest.mark.parametrize("example, gives", list(rows()))
def test_row(example, gives):
    if "exit_dual_level" in example:
        qd.forward_ad.enter_dual_level()
    found = repr(eval(example, names()))
    if "enter_dual_level" in example:
        qd.forward_ad.exit_dual_level()
    assert re.sub(r"\s+", " ", found).replace("], [", "], [") == gives


def test_every_row_is_read():
    assert len(list(rows())) > 80


NAMESPACES = [
    "torch.autograd", "torch.autograd.functional", "torch.autograd.forward_ad",
    "torch.autograd.graph", "torch.func",
]  # fmt: skip


@pytest.mark.peer
@pytest.mark.parametrize("namespace", NAMESPACES)
def test_no_name_of_torch_is_missing(namespace):
    module = pytest.importorskip(namespace)
    missing = [n for n in module.__all__ if not re.search(rf"[`.]{n}`", TEXT)]
    assert missing == []


@pytest.mark.parametrize("face", ["torch_style", "paddle_style"])
def test_the_faces_have_what_they_list(face):
    module = importlib.import_module(f"qiudao.interop.{face}")
    for name in module.__all__:
        assert getattr(module, name) is not None
