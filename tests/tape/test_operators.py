"""Operators with every kind of operand: the value is NumPy's, and the gradient is recorded."""

import operator

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf, plain, slopes
from qiudao.core.source import line_of

BINARY = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "%": operator.mod,
}
X = np.array([1.6, 2.3])
OTHERS = {
    "int": 3,
    "float": 1.7,
    "np.float64": np.float64(1.7),
    "np.int64": np.int64(3),
    "array": np.array([2.2, 0.7]),
    "integer array": np.array([3, 2]),
    "column": np.array([[2.2], [0.7]]),
    "empty shape": np.array(1.7),
    "list": [2.2, 0.7],
    "tensor": qd.tensor([2.2, 0.7]),
    "leaf": leaf([2.2, 0.7]),
    "scalar leaf": leaf(1.7),
}


@pytest.mark.parametrize("sign", BINARY)
@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("reflected", [False, True], ids=["x op y", "y op x"])
def test_binary(sign, kind, reflected):
    op, other = BINARY[sign], OTHERS[kind]

    def f(x):
        return op(other, x) if reflected else op(x, other)

    x = leaf(X)
    y = f(x)
    flat = plain(other)
    close(y, op(flat, X) if reflected else op(X, flat))
    weights = np.linspace(0.5, 1.5, y.size).reshape(y.shape)
    (g,) = qd.grad((y * weights).sum(), x)
    close(g, slopes(lambda x: (plain(f(x)) * weights).sum(), X), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("other", [np.ones((2, 2)), np.ones(2), leaf(np.ones((2, 3)))])
def test_matrix_product(other):
    x = leaf(X)
    close(x @ other, X @ plain(other))
    (g,) = qd.grad((x @ other).sum(), x)
    close(g, plain(other).reshape(2, -1).sum(1))


def test_matrix_product_from_the_left():
    x = leaf(X)
    m = np.array([[1.0, 2.0], [3.0, 4.0]])
    (g,) = qd.grad((m @ x).sum(), x)
    close(g, m.sum(0))


@pytest.mark.parametrize(
    "op, slope", [(operator.neg, -1.0), (operator.pos, 1.0), (abs, 1.0)], ids=["-", "+", "abs"]
)
def test_unary(op, slope):
    x = leaf(X)
    close(op(x), op(X))
    close(qd.grad(op(x).sum(), x)[0], [slope, slope])


@pytest.mark.parametrize("op", [operator.lt, operator.le, operator.gt, operator.ge])
@pytest.mark.parametrize("other", [2.0, np.array([1.6, 3.0]), leaf([1.6, 3.0])])
def test_comparisons_give_masks_that_are_tensors_without_gradient(op, other):
    mask = op(leaf(X), other)
    assert type(mask) is qd.Tensor
    assert not mask.requires_grad
    np.testing.assert_array_equal(mask, op(X, plain(other)))
    np.testing.assert_array_equal(X[mask], X[op(X, plain(other))])


def test_equality_with_anything():
    x = leaf(X)
    assert not (x == None).any()  # noqa: E711
    assert (x != None).all()  # noqa: E711
    assert (x == X).all()


def test_a_tensor_is_a_key_by_identity():
    x, y = leaf(1.0), leaf(1.0)
    assert {x: "x", y: "y"}[x] == "x"


@pytest.mark.parametrize(
    "op", [operator.floordiv, np.floor, np.sign, np.round], ids=lambda f: f.__name__
)
def test_what_is_constant_between_jumps_gives_tensors_without_gradient(op):
    values = op(leaf(X), 2) if op is operator.floordiv else op(leaf(X))
    assert type(values) is qd.Tensor
    assert not values.requires_grad
    assert "which no derivative passes, at test_operators.py" in str(values.cut)


@pytest.mark.parametrize("where", [np.argmax, np.argsort, np.flatnonzero])
def test_positions_are_plain(where):
    assert isinstance(where(leaf(X)), np.integer | np.ndarray)


def test_branching_on_a_value_is_allowed():
    x = leaf(2.0)
    y = x * 3 if x > 1 else x
    close(qd.grad(y, x)[0], 3.0)


def test_iteration_length_and_unpacking():
    x = leaf([1.0, 2.0])
    a, b = x
    assert len(x) == 2
    close(qd.grad(a * b, x)[0], [2.0, 1.0])


def test_python_sum_and_max_record():
    x = leaf([1.0, 5.0, 2.0])
    close(qd.grad(sum(x), x)[0], [1.0, 1.0, 1.0])
    close(qd.grad(max(x), x)[0], [0.0, 1.0, 0.0])


def test_float32_stays_float32():
    x = leaf(np.float32([1.0, 2.0]))
    y = (2.0 * x + 1) ** 2 / 3
    assert y.dtype == np.float32
    assert qd.grad(y.sum(), x)[0].dtype == np.float32


def test_a_float32_operand_of_a_float64_result_gets_a_float32_gradient():
    x = leaf(np.float32([1.0, 2.0]))
    (g,) = qd.grad((x * np.array([1.0, 2.0])).sum(), x)
    assert g.dtype == np.float32


def test_reading_a_tensor():
    x = leaf([1.0, 2.0])
    assert x[1].item() == 2.0
    assert x.item(0) == 1.0
    assert x.tolist() == [1.0, 2.0]
    assert f"{x[0]:.2f}" == "1.00"
    assert (x.shape, x.ndim, x.size, x.nbytes, x.itemsize) == ((2,), 1, 2, 16, 8)


def test_numpy_of_a_detached_tensor_is_read_only():
    shared = leaf([1.0]).detach().numpy()
    with pytest.raises(ValueError, match="read-only"):
        shared[0] = 2.0


def test_a_tensor_without_gradient_is_an_array_to_numpy():
    t = qd.tensor([1.0, 2.0])
    assert type(np.asarray(t)) is np.ndarray
    filled = np.zeros(2)
    filled[:] = t
    np.testing.assert_array_equal(filled, [1.0, 2.0])
    np.copyto(filled, t * 2)
    np.testing.assert_array_equal(filled, [2.0, 4.0])
    np.add(t, 1.0, out=filled)
    np.testing.assert_array_equal(filled, [2.0, 3.0])


METHODS = {
    "sum": lambda x: x.sum(),
    "sum over an axis": lambda x: x.sum(0),
    "mean": lambda x: x.mean(axis=1, keepdims=True),
    "prod": lambda x: x.prod(),
    "max": lambda x: x.max(1),
    "min": lambda x: x.min(),
    "var": lambda x: x.var(),
    "std": lambda x: x.std(axis=0),
    "cumsum": lambda x: x.cumsum(0),
    "cumprod": lambda x: x.cumprod(1),
    "trace": lambda x: x.trace(),
    "reshape": lambda x: x.reshape(-1),
    "reshape by several": lambda x: x.reshape(3, 2),
    "ravel": lambda x: x.ravel(),
    "flatten": lambda x: x.flatten(),
    "transpose": lambda x: x.transpose(),
    "transpose by axes": lambda x: x.transpose(1, 0),
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "squeeze": lambda x: x[:1].squeeze(0),
    "repeat": lambda x: x.repeat(2, axis=0),
    "diagonal": lambda x: x.diagonal(),
    "take": lambda x: x.take([2, 0], axis=1),
    "clip": lambda x: x.clip(0.5, 2.0),
    "dot": lambda x: x.dot(np.ones(3)),
    "conj": lambda x: x.conj(),
    "copy": lambda x: x.copy(),
    "clone": lambda x: x.clone() if hasattr(x, "clone") else x.copy(),
    "astype": lambda x: x.astype(np.float64),
    "real": lambda x: x.real,
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_numpys_and_record(name):
    f = METHODS[name]
    data = np.array([[0.3, 1.1, 2.4], [1.7, 0.2, 0.9]])
    x = leaf(data)
    y = f(x)
    close(y, f(data))
    weights = np.linspace(0.5, 1.5, y.size).reshape(y.shape)
    (g,) = qd.grad((y * weights).sum(), x)
    close(g, slopes(lambda x: (f(x) * weights).sum(), data), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", ["argmax", "argmin", "argsort", "all", "any", "nonzero"])
def test_methods_that_find_or_ask_give_plain_values(name):
    x = leaf([3.0, 0.0, 2.0])
    found = getattr(x, name)()
    wanted = getattr(np.array([3.0, 0.0, 2.0]), name)()
    np.testing.assert_array_equal(np.asarray(found), np.asarray(wanted))


CALLS = {
    "sum": lambda x, out: x.sum(0, np.float32),
    "sum into": lambda x, out: x.sum(0, None, out),
    "mean into": lambda x, out: x.mean(0, None, out),
    "std": lambda x, out: x.std(0, None, None, 1),
    "max": lambda x, out: x.max(0, None, True),
    "argmax": lambda x, out: x.argmax(0, None),
    "cumsum": lambda x, out: x.cumsum(0, np.float32),
    "trace": lambda x, out: x.trace(0, 0, 1, np.float32),
    "take": lambda x, out: x[0].take([5, 0, 1], None, out, "clip"),
    "clip into": lambda x, out: x[0].clip(0.5, 2.0, out),
    "round": lambda x, out: x[0].round(1, out),
    "compress": lambda x, out: x[0].compress([True, True, True], 0, out),
    "dot": lambda x, out: x.T[:, :1].dot(np.ones(1), out),
    "argsort": lambda x, out: x.argsort(0, "stable"),
    "reshape": lambda x, out: x.reshape(3, 2, copy=True),
}


@pytest.mark.parametrize("name", CALLS)
def test_methods_have_numpys_parameters_in_numpys_order(name):
    f = CALLS[name]
    data = np.array([[0.3, 1.1, 2.4], [1.7, 0.2, 0.9]])
    found = f(leaf(data), qd.tensor(np.zeros(3)))
    wanted = f(data, np.zeros(3))
    assert found.dtype == wanted.dtype
    close(found, wanted)


def test_choosing_by_a_tensor_of_whole_numbers():
    x = leaf([1.0, 2.0])
    close(qd.tensor([1, 0]).choose([x, 3 * x]), [3.0, 2.0])


def test_whether_a_number_is_in_a_tensor():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    assert 4.0 in x
    assert 7.0 not in x


@pytest.mark.parametrize("data", [1.0, [1.0, 2.0]])
def test_a_text_equals_no_number(data):
    x = leaf(data)
    close(x == "mean", np.zeros(x.shape, bool))
    close(x != "mean", np.ones(x.shape, bool))
    close(operator.eq("mean", x), np.zeros(x.shape, bool))


@pytest.mark.parametrize(
    "f",
    [
        np.mean, np.ptp, np.diff, np.var, np.std, np.linalg.norm,
        lambda x: np.mean(x, where=np.array([True, False, True])),
        lambda x: np.average(x, weights=[1.0, 2.0, 3.0]),
    ],
)  # fmt: skip
def test_what_functions_of_ours_compute_by_operators_is_recorded_where_they_are_called(f):
    x = qd.tensor([1.0, 2.0, 4.0], requires_grad=True)
    space = {"f": f, "x": x}
    exec(compile("\n\ny = f(x)", "<a user's file>", "exec"), space)
    node = space["y"].node
    where = line_of(node.code, node.offset)
    assert where[:2] == ("<a user's file>", 3) or where.file == __file__  # of a lambda here
