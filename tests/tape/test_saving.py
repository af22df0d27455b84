"""Packing what the tape keeps, and being told of each operation that it records."""

import os
import threading

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf
from qiudao.tape.tensor import Tensor


def value(x):
    """Elementwise, products, several results, views and reductions."""
    q, r = np.linalg.qr(x.reshape(2, 2) + np.eye(2))
    return (np.exp(x) * x / (x + 2)).sum() + (q * r)[0].sum() + np.where(x > 1, x, x**2).max()


POINT = np.array([0.5, 1.5, -0.5, 2.0])


def gradients(block, derive):
    with block:
        return derive()


def on_the_tape():
    x = leaf(POINT)
    return qd.grad(value(x), x)[0].numpy()


def by_the_transform():
    return qd.grad(value)(POINT)


def second_order():
    x = leaf(POINT)
    (g,) = qd.grad(value(x), x, create_graph=True)
    return qd.grad((g**2).sum(), x)[0].numpy()


DERIVE = [on_the_tape, by_the_transform, second_order]


@pytest.mark.parametrize("derive", DERIVE)
def test_packing_changes_no_gradient(derive):
    packed = qd.graph.saved_tensors_hooks(lambda x: x.numpy().tolist(), np.array)
    np.testing.assert_array_equal(gradients(packed, derive), derive())


@pytest.mark.parametrize("derive", DERIVE)
def test_files_change_no_gradient(tmp_path, derive):
    on_disk = qd.graph.save_on_disk(tmp_path, least=1)
    np.testing.assert_array_equal(gradients(on_disk, derive), derive())
    assert os.listdir(tmp_path) == []


def test_files_hold_what_is_large_and_go_with_the_graph(tmp_path):
    x = leaf(np.arange(100.0))
    with qd.graph.save_on_disk(tmp_path, least=800):
        y = np.sin(x)
        z = y[:10] * 2.0
    assert len(os.listdir(tmp_path)) == 1
    (np.sum(y) + np.sum(z)).backward()
    assert os.listdir(tmp_path) == []
    np.testing.assert_array_equal(x.grad.numpy()[10:], np.cos(np.arange(10.0, 100.0)))


def test_single_precision():
    exact = on_the_tape()
    found = gradients(qd.graph.save_in_float32(), on_the_tape)
    assert found.dtype == np.float64
    assert 0 < np.abs(found - exact).max() < 1e-5


def test_the_innermost_block_packs():
    x = leaf(POINT)
    calls = []

    def block(name):
        return qd.graph.saved_tensors_hooks(lambda t: calls.append(name) or t, lambda t: t)

    with block("outer"):
        with block("inner"):
            np.sin(x)
        np.cos(x)
    assert calls == ["inner", "outer"]


def test_pack_is_given_tensors_without_a_graph():
    x = leaf(POINT)
    given = []
    with qd.graph.saved_tensors_hooks(lambda t: given.append(t) or t, lambda t: t):
        np.sin(x)
    assert type(given[0]) is Tensor
    assert not given[0].requires_grad


def test_explaining_what_is_packed():
    x = leaf(POINT)
    with qd.graph.save_in_float32():
        y = (np.sin(x) * x).sum()
    assert "sin" in y.explain().text()
    assert qd.saved(y).total >= 0


def test_node_creation():
    x = leaf(POINT)
    names = []
    with qd.graph.node_creation_hook(lambda node: names.append(node.name())):
        y = x * 2
        np.linalg.eigh(np.outer(y, y))
        y.detach() * 3
        np.negative(y)
        y[:1]
    np.cos(x)
    assert (names[0], names[-2:]) == ("multiply", ["negative", "getitem"])
    assert names.count("eigh") == 1


def test_hooks_from_node_creation_run_in_the_sweep():
    x = leaf(3.0)
    order = []
    with qd.graph.node_creation_hook(
        lambda node: node.register_prehook(lambda cts: order.append(node.name()))
    ):
        y = np.sin(x) * x
    y.backward()
    assert order == ["multiply", "sin"]


def test_other_threads_are_not_watched():
    x = leaf(POINT)
    names, results = [], []

    def work():
        y = leaf(POINT)
        results.append(qd.grad((np.sin(y) * y + y[0]).sum(), y)[0].numpy())

    with qd.graph.node_creation_hook(lambda node: names.append(node.name())):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        x * 2
    assert names == ["multiply"]
    expected = np.cos(POINT) * POINT + np.sin(POINT)
    expected[0] += 4
    np.testing.assert_allclose(results[0], expected)


def test_the_short_roads_are_open_again():
    before = Tensor.__mul__, Tensor.process
    with qd.graph.node_creation_hook(print), pytest.raises(ZeroDivisionError):
        1 / 0  # noqa: B018
    with qd.graph.node_creation_hook(lambda node: None), qd.graph.save_in_float32():
        assert Tensor.process is not before[1]
    assert (Tensor.__mul__, Tensor.process) == before


def test_an_unpacked_buffer_may_serve_again():
    """Both operands of a product are unpacked before its rule runs."""
    buffer = np.empty(2)
    x, y = leaf([1.0, 2.0]), leaf([3.0, 5.0])

    def unpack(kept):
        buffer[...] = kept
        return buffer

    with qd.graph.saved_tensors_hooks(lambda t: t.numpy().tolist(), unpack):
        z = (x * y).sum()
    z.backward()
    close(x.grad, [3.0, 5.0])
    close(y.grad, [1.0, 2.0])


def test_nothing_unpacked():
    with qd.graph.saved_tensors_hooks(lambda t: t, lambda kept: None):
        y = np.sin(leaf([1.0, 2.0])).sum()
    with pytest.raises(RuntimeError, match="unpack returned"):
        y.backward()
