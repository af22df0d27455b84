import sys

import numpy as np
import pytest

pytest.importorskip("rich")

MODEL = """
import numpy as np

threshold = 3.0


def loss(x, y, *, scale=1.0):
    return np.sum(np.sin(x) * y) * scale


def vector(x):
    return np.stack([x, x**2])


def wrong(x):
    return np.sum(x * x) + np.sum(x * getattr(x, 'detach', lambda: x)())


def shaped(x):
    return x @ np.ones(7)


def counted(x):
    return np.sum(x > 0)


def cut(x):
    return np.sum(x).item()


def leaves(x):
    raise SystemExit(3)


def undefined(x):
    return np.sum(np.log(-1 - x * x))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a module and a point, out of sight again after the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "mymodel.py").write_text(MODEL)
    np.savez(tmp_path / "point.npz", x=np.array([0.5, -1.0]), y=np.array([2.0, 3.0]))
    np.savez(tmp_path / "x.npz", x=np.array([0.5, -1.0]))
    yield tmp_path
    sys.modules.pop("mymodel", None)


@pytest.mark.usefixtures("folder")
def test_a_right_gradient_is_exit_code_0(qiudao):
    ran = qiudao("check", "mymodel:loss", "--at", "point.npz")
    assert ran.code == 0
    assert "gradient of mymodel:loss: right" in ran.out
    assert "x  float64 [2]  checked" in ran.out


@pytest.mark.usefixtures("folder")
def test_a_wrong_gradient_is_exit_code_1(qiudao):
    ran = qiudao("check", "mymodel:wrong", "--at", "x.npz")
    assert ran.code == 1
    assert "gradient of mymodel:wrong: WRONG" in ran.out
    assert len(ran.out.splitlines()) > 2  # and the numbers that differ


@pytest.mark.usefixtures("folder")
def test_a_result_that_is_no_scalar_is_checked_too(qiudao):
    assert qiudao("check", "mymodel:vector", "--at", "x.npz").code == 0


def test_whole_numbers_are_held_fixed(qiudao, folder):
    np.savez(folder / "mixed.npz", x=np.array([0.5, -1.0]), y=np.array([2, 3]))
    ran = qiudao("check", "mymodel:loss", "--at", "mixed.npz")
    assert ran.code == 0
    assert "y  int64 [2]  held fixed" in ran.out


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "function, point, complaint",
    [
        ("mymodel", "x.npz", "expected module:function"),
        ("nowhere:loss", "x.npz", "no module named nowhere"),
        ("mymodel:gone", "x.npz", "mymodel has no function gone"),
        ("mymodel:threshold", "x.npz", "is float, not a function"),
        ("mymodel:loss", "gone.npz", "no file gone.npz"),
        ("mymodel:loss", ".", "cannot read ."),
        ("mymodel:loss", "mymodel.py", "is not an .npz file of plain arrays"),
        ("mymodel:loss", "x.npz", "missing a required argument: 'y'"),
        ("mymodel:vector", "point.npz", "unexpected keyword argument 'y'"),
        ("mymodel:shaped", "x.npz", "mymodel:shaped"),
        ("mymodel:counted", "x.npz", "mymodel:counted"),
        ("mymodel:cut", "x.npz", "mymodel:cut"),
        ("mymodel:leaves", "x.npz", "mymodel:leaves stopped with SystemExit: 3"),
        ("mymodel:undefined", "x.npz", "the function gives nan at x"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(refused, function, point, complaint):
    assert complaint in refused("check", function, "--at", point)


def test_a_point_without_floats_has_nothing_to_check(refused, folder):
    np.savez(folder / "whole.npz", x=np.array([1, 2]))
    assert "nothing to differentiate" in refused("check", "mymodel:vector", "--at", "whole.npz")


def test_an_npy_file_has_no_names(refused, folder):
    np.save(folder / "bare.npy", np.ones(2))
    assert "one unnamed array" in refused("check", "mymodel:vector", "--at", "bare.npy")


def test_a_pickle_is_never_loaded(refused, folder):
    np.savez(folder / "objects.npz", x=np.array([object()]))
    assert "plain arrays" in refused("check", "mymodel:vector", "--at", "objects.npz")


def test_a_module_that_fails_says_how(refused, folder, monkeypatch):
    (folder / "broken_model.py").write_text("raise RuntimeError('not\\ntoday')")
    complaint = refused("check", "broken_model:f", "--at", "x.npz")
    assert "importing broken_model: RuntimeError: not today" in complaint
    (folder / "leaving_model.py").write_text("raise SystemExit")
    assert "SystemExit" in refused("check", "leaving_model:f", "--at", "x.npz")


def test_a_module_that_lacks_another_names_it(refused, folder):
    (folder / "needy_model.py").write_text("import nowhere_to_be_found")
    complaint = refused("check", "needy_model:f", "--at", "x.npz")
    assert "no module named nowhere_to_be_found (imported by needy_model)" in complaint


@pytest.mark.parametrize("spelling", ["model.py:loss", "./model.py:loss"])
def test_a_file_for_a_module(refused, spelling):
    complaint = refused("check", spelling, "--at", "x.npz")
    assert complaint == (
        f"qiudao check: {spelling}: a module is named without .py, as in model:loss"
    )
