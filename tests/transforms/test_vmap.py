"""`vmap`: axes in and out, containers, chunks, and plain Python inside."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, same

A = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_any_axis_may_be_mapped(axis):
    found = qd.vmap(lambda x: x.sum(), in_axes=axis)(A)
    close(found, np.moveaxis(A, axis, 0).reshape(A.shape[axis], -1).sum(1))


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_the_batch_may_come_back_at_any_axis(axis):
    close(qd.vmap(lambda x: x * 2, out_axes=axis)(A), np.moveaxis(A * 2, 0, axis))


def test_some_arguments_are_shared():
    close(qd.vmap(lambda x, y: x @ y, (0, None))(A, np.ones(4)), A @ np.ones(4))


def test_in_axes_may_be_a_list():
    close(qd.vmap(lambda x, y: x + y, [0, None])(np.arange(2.0), 1.0), [1.0, 2.0])


def test_axes_for_each_branch_of_a_container():
    def f(p, x):
        return p["w"] * x + p["b"]

    found = qd.vmap(f, ({"w": 1, "b": None}, 0))({"w": np.ones((3, 2)), "b": 5.0}, np.arange(2.0))
    close(found, [[5.0] * 3, [6.0] * 3])


def test_none_among_the_arguments_has_no_axis():
    def f(x, scale, p):
        return x * 2 if scale is None else p

    close(qd.vmap(f, (0, None, 0))(A, None, {"w": None}), A * 2)
    close(qd.vmap(f, (0, None, {"w": 1, "b": 0}))(A, None, {"w": None, "b": A}), A * 2)


def test_an_axis_for_a_whole_container():
    found = qd.vmap(lambda p: p["a"] + p["b"][0])({"a": np.arange(2.0), "b": [np.ones(2)]})
    close(found, [1.0, 2.0])


def test_containers_come_back():
    found = qd.vmap(lambda x: {"y": x * 2, "z": (x.sum(),)})(np.ones((2, 3)))
    same(found, {"y": 2 * np.ones((2, 3)), "z": (np.array([3.0, 3.0]),)})


def test_out_axes_for_each_branch():
    found = qd.vmap(lambda x: (x, x), out_axes=(0, 1))(np.ones((2, 3)))
    assert (found[0].shape, found[1].shape) == ((2, 3), (3, 2))


def test_axes_that_are_integers_of_numpy():
    x = np.arange(6.0).reshape(2, 3)
    same(qd.vmap(lambda r: r, np.int64(1))(x), x.T)
    same(qd.vmap(lambda r, k: r * k, (np.int64(1), None), np.int32(-1))(x, 2.0), 2 * x)


def test_a_result_that_is_the_same_for_all():
    close(qd.vmap(lambda x: 7.0)(np.ones(3)), [7.0, 7.0, 7.0])
    assert qd.vmap(lambda x: 7.0, out_axes=None)(np.ones(3)) == 7.0
    same(qd.vmap(lambda x: (x, 7.0), out_axes=(0, None))(np.ones(3)), (np.ones(3), 7.0))


def test_keyword_arguments_are_mapped_along_their_first_axis():
    close(qd.vmap(lambda x, scale: x * scale)(np.ones(3), scale=np.arange(3.0)), [0.0, 1.0, 2.0])


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 4, 7])
def test_chunks_change_nothing(chunk_size):
    x = np.arange(8.0).reshape(4, 2)
    found = qd.vmap(lambda x, y: (x * y, x.sum(), 3.0), (0, None), chunk_size=chunk_size)(x, 2.0)
    same(found, (x * 2, x.sum(1), np.full(4, 3.0)))


def test_chunks_with_out_axes():
    x = np.arange(8.0).reshape(4, 2)
    found = qd.vmap(lambda x: (x, 3.0), out_axes=(1, None), chunk_size=3)(x)
    same(found, (x.T, 3.0))


def test_an_empty_batch():
    same(qd.vmap(lambda x: (x * 2, 3.0))(np.zeros((0, 2))), (np.zeros((0, 2)), np.zeros(0)))
    close(qd.vmap(qd.grad(lambda x: (x * x).sum()))(np.zeros((0, 2))), np.zeros((0, 2)))


def test_lists_and_numbers_are_arguments_too():
    close(qd.vmap(lambda x: x * 2)(np.array([1, 2])), [2, 4])


def test_nested_over_two_axes():
    x, y = np.arange(2.0), np.arange(3.0)
    outer = qd.vmap(qd.vmap(lambda a, b: a * 10 + b, (None, 0)), (0, None))
    close(outer(x, y), x[:, None] * 10 + y)


def test_python_inside():
    def f(x):
        total, table = 0.0, {"x": x}
        for k in range(3):
            table[k] = table["x"] ** k
            total = total + table[k] * k
        return total

    x = np.arange(4.0)
    close(qd.vmap(f)(x), x + 2 * x**2)


def test_a_branch_on_what_all_examples_share():
    def f(x, flag):
        return x * 2 if flag else x

    close(qd.vmap(f, (0, None))(np.ones(2), True), [2.0, 2.0])


def test_selection_by_example():
    x = np.array([-1.0, 2.0])
    close(qd.vmap(lambda x: np.where(x > 0, x, -x))(x), [1.0, 2.0])


def test_an_index_of_each_example():
    x, index = np.arange(6.0).reshape(2, 3), np.array([2, 0])
    close(qd.vmap(lambda x, k: x[k])(x, index), [2.0, 3.0])


def test_integers_of_each_example():
    x = np.array([1.7, -0.2])
    found = qd.vmap(lambda x: np.floor(x).astype(int))(x)
    assert found.dtype == int
    close(found, [1, -1])


def test_writes_of_each_example():
    def f(x, k):
        y = np.zeros_like(x)
        y[1:] = x[:-1]
        y[k] += 10.0
        return y

    x = np.arange(6.0).reshape(2, 3)
    close(qd.vmap(f)(x, np.array([0, 2])), [[10.0, 0.0, 1.0], [0.0, 3.0, 14.0]])


def test_a_plain_array_that_the_function_makes():
    close(qd.vmap(lambda x: np.ones(3) * x)(np.arange(2.0)), [[0.0] * 3, [1.0] * 3])


def test_over_tensors_it_stays_on_the_tape():
    x = qd.tensor([1.0, 2.0], requires_grad=True)
    y = qd.vmap(lambda x: x**3)(x)
    assert isinstance(y, qd.Tensor)
    close(qd.grad(y.sum(), x)[0], [3.0, 12.0])


def test_a_tensor_that_the_function_closes_over():
    w = qd.tensor(2.0, requires_grad=True)
    y = qd.vmap(lambda x: x * w)(np.arange(3.0))
    close(qd.grad(y.sum(), w)[0], 3.0)


def test_no_two_results_are_one_array_nor_an_argument():
    x = np.ones((2, 3))
    first, second = qd.vmap(qd.grad(lambda a, b: np.sum((a + b) ** 2), argnums=(0, 1)))(x, x)
    first += 1.0
    close(second, np.full((2, 3), 4.0))
    same, constant = qd.vmap(lambda x: (x, 1.0))(x)
    same += 1.0
    constant += 1.0
    close(x, np.ones((2, 3)))


def test_a_plain_array_is_read_by_batched_indices_as_a_tensor():
    table, places = np.arange(12.0).reshape(4, 3), np.array([2, 0, 3])
    found = qd.vmap(lambda t, i: qd.tensor(t)[i], (None, 0))(table, places)
    np.testing.assert_array_equal(found, table[places])
    np.testing.assert_array_equal(qd.vmap(lambda i: qd.tensor(table)[1:, i % 3])(places),
                                  table[1:, places % 3].T)  # fmt: skip
