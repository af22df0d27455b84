"""`qd.tensor`: what it takes, what it gives, and what it refuses."""

import copy
import pickle

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf


@pytest.mark.parametrize(
    "data, dtype",
    [
        (1.0, "float64"),
        (1, "int64"),
        (True, "bool"),
        (1j, "complex128"),
        ([1.0, 2.0], "float64"),
        ([[1, 2], [3, 4]], "int64"),
        (np.float32(1), "float32"),
        (np.ones(3, "complex64"), "complex64"),
        ((), "float64"),
    ],
)
def test_values_and_dtypes_are_numpys(data, dtype):
    t = qd.tensor(data)
    assert t.dtype == dtype
    close(t, np.array(data))


def test_a_dtype_may_be_given():
    assert qd.tensor([1, 2], "float32").dtype == np.float32
    assert qd.tensor([1, 2], dtype=complex).dtype == np.complex128


def test_the_data_is_copied():
    data = np.zeros(2)
    t = qd.tensor(data)
    data[0] = 5.0
    close(t, [0.0, 0.0])


def test_nothing_is_required_by_default():
    assert not qd.tensor(1.0).requires_grad


def test_stop_gradient_is_the_negation():
    assert qd.tensor(1.0, stop_gradient=False).requires_grad
    assert not qd.tensor(1.0, stop_gradient=True).requires_grad
    assert qd.tensor(1.0, requires_grad=True, stop_gradient=False).requires_grad


def test_a_tensor_without_gradient_is_copied():
    t = qd.tensor(qd.tensor([1.0]), requires_grad=True)
    assert t.requires_grad
    close(t, [1.0])


def test_a_list_of_tensors_without_gradient_makes_an_array():
    close(qd.tensor([qd.tensor(1.0), qd.tensor(2.0)]), [1.0, 2.0])


def test_a_number_stays_a_number():
    assert qd.tensor(2.0).shape == ()
    assert qd.tensor(np.array(2.0)).shape == ()


def test_copy_shares_the_place_in_the_graph_and_not_later_writes():
    x = leaf([1.0, 2.0])
    y = x * 2
    z = copy.copy(y)
    y[0] = 9.0
    close(z, [2.0, 4.0])
    close(qd.grad(z.sum(), x)[0], [2.0, 2.0])


def test_deepcopy_of_a_leaf_is_a_leaf_of_its_own():
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    y = copy.deepcopy(x)
    assert y.requires_grad
    assert y.is_leaf
    close(y.grad, [2.0, 4.0])
    (3 * y).sum().backward()
    close(y.grad, [5.0, 7.0])
    close(x.grad, [2.0, 4.0])


def test_deepcopy_keeps_sharing_within_a_container():
    x = leaf(1.0)
    one, other = copy.deepcopy([x, x])
    assert one is other


@pytest.mark.parametrize("flag", [True, False])
def test_pickle_keeps_value_and_flag(flag):
    x = qd.tensor([1.0, 2.0], requires_grad=flag)
    y = pickle.loads(pickle.dumps(x))
    assert y.requires_grad is flag
    close(y, x)


def test_an_unpickled_leaf_is_another_leaf():
    x = leaf(2.0)
    y = pickle.loads(pickle.dumps(x))
    gx, gy = qd.grad(x * x * y, [x, y])
    close(gx, 8.0)
    close(gy, 4.0)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, pickle.dumps], ids=["deepcopy", "pickle"])
def test_a_computed_tensor_is_not_duplicated(duplicate):
    with pytest.raises(RuntimeError, match="only a leaf can be copied with its flags"):
        duplicate(leaf(1.0) * 2)


def test_repr_shows_value_and_flag():
    assert repr(qd.tensor([1.0, 2.0])) == "tensor([1., 2.])"
    assert repr(leaf(1.5)) == "tensor(1.5, requires_grad=True)"
