"""Saved trees come back as they were, and other libraries read the files."""

import numpy as np
import pytest

import qiudao as qd

safetensors = pytest.importorskip("safetensors.numpy")

DTYPES = ["f2", "f4", "f8", "c8", "c16", "i1", "i8", "u1", "u4", "?", ">f8", "U3", "S2", "M8[s]"]


def same(a, b):
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and (a == b).all()
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 3)], ids=str)
def test_arrays_of_any_dtype(tmp_path, dtype, shape):
    x = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    qd.save(tmp_path / "x", {"x": x, "turned": x.T})
    assert same(qd.load(tmp_path / "x"), {"x": x, "turned": x.T})


def test_the_short_floats_of_ml_dtypes(tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = np.array([1.5, -2.0]).astype(ml_dtypes.bfloat16)
    qd.save(tmp_path / "x", x)
    assert same(qd.load(tmp_path / "x"), x)


def test_a_tree(tmp_path):
    tree = {
        "layers": [{"w": np.ones((2, 2)), "b": np.zeros(2)}, (np.arange(3), None, "text", 1.5)],
        0: {"step": 3, "flag": True},
        "empty": {},
    }
    qd.save(tmp_path / "tree", tree)
    assert same(qd.load(tmp_path / "tree"), tree)
    assert set(safetensors.load_file(tmp_path / "tree")) == {
        "layers.0.w",
        "layers.0.b",
        "layers.1.0",
    }


def test_an_array_alone_and_a_tensor(tmp_path):
    qd.save(tmp_path / "x", qd.tensor([1.0, 2.0], requires_grad=True))
    assert same(qd.load(tmp_path / "x"), np.array([1.0, 2.0]))


def test_a_file_of_another_library(tmp_path):
    safetensors.save_file({"a.b": np.ones(2)}, tmp_path / "x")
    assert same(qd.load(tmp_path / "x"), {"a.b": np.ones(2)})


def test_training_goes_on_from_files(tmp_path):
    """A model and its optimiser, saved after three steps, take the same fourth."""

    def made(seed):
        model = qd.nn.Sequential(qd.nn.Linear(2, 3, rng=seed), qd.nn.Linear(3, 1, rng=seed + 1))
        return model, qd.optim.Adam(model.parameters(), lr=0.1)

    def steps(model, opt, count):
        for _ in range(count):
            opt.zero_grad()
            (model(np.array([[1.0, 2.0]])) ** 2).sum().backward()
            opt.step()

    model, opt = made(0)
    steps(model, opt, 3)
    qd.save(tmp_path / "all", {"model": model.state_dict(), "opt": opt.state_dict()})
    other, its = made(5)
    kept = qd.load(tmp_path / "all")
    other.load_state_dict(kept["model"])
    its.load_state_dict(kept["opt"])
    steps(model, opt, 1)
    steps(other, its, 1)
    for p, q in zip(model.parameters(), other.parameters()):
        np.testing.assert_array_equal(p.detach(), q.detach())
