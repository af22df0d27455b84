"""Jacobians, Hessians and their products: shapes, containers, chunks, directions."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, same, slopes

ALL = pytest.mark.parametrize(
    "make",
    [
        qd.jacfwd,
        qd.jacrev,
        qd.jacobian,
        lambda f, *a, **k: qd.jacobian(f, *a, mode="forward", **k),
        lambda f, *a, **k: qd.jacobian(f, *a, mode="reverse", **k),
    ],
    ids=["jacfwd", "jacrev", "auto", "forward", "reverse"],
)


@ALL
@pytest.mark.parametrize("inputs", [(), (3,), (2, 3), (0,), (1,)])
@pytest.mark.parametrize("outputs", [(), (2,), (2, 2), (0,)])
def test_the_shape_is_that_of_the_output_then_that_of_the_input(make, inputs, outputs):
    size_in, size_out = int(np.prod(inputs)), int(np.prod(outputs))
    a = np.cos(np.arange(float(size_in * size_out))).reshape(size_out, size_in)
    jacobian = make(lambda x: np.reshape(a @ np.reshape(x, -1), outputs))(np.ones(inputs))
    assert jacobian.shape == (*outputs, *inputs)
    close(jacobian, a.reshape((*outputs, *inputs)))


@ALL
@pytest.mark.parametrize("chunk_size", [None, 1, 2, 3, 100])
def test_chunks_change_nothing(make, chunk_size):
    a = np.cos(np.arange(20.0)).reshape(4, 5)
    close(make(lambda x: np.sin(a @ x), chunk_size=chunk_size)(np.zeros(5)), a)


@ALL
def test_containers_of_outputs_hold_containers_of_inputs(make):
    def f(p):
        return {"y": p["a"] * p["b"], "z": [p["a"].sum()]}

    found = make(f)({"a": np.array([1.0, 2.0]), "b": 3.0})
    same(
        found,
        {
            "y": {"a": 3 * np.eye(2), "b": np.array([1.0, 2.0])},
            "z": [{"a": np.ones(2), "b": 0.0}],
        },
    )


@ALL
def test_a_result_that_does_not_move(make):
    close(make(lambda x: np.ones(2))(np.ones(3)), np.zeros((2, 3)))


@ALL
def test_float32_stays_float32(make):
    assert make(np.sin)(np.float32([0.1, 0.2])).dtype == np.float32


@ALL
def test_inputs_of_two_dtypes(make):
    x, y = np.float32([0.1, 0.2]), np.array([0.3])
    jx, jy = make(lambda x, y: x * y, (0, 1))(x, y)
    close(jx, 0.3 * np.eye(2), rtol=1e-6)
    close(jy, np.float64(x)[:, None])


def test_hessian_of_containers():
    def f(p):
        return p["a"][0] ** 2 * p["b"] + p["a"][1] ** 3

    found = qd.hessian(f)({"a": np.array([2.0, 3.0]), "b": 5.0})
    same(
        found,
        {
            "a": {"a": np.array([[10.0, 0.0], [0.0, 18.0]]), "b": np.array([4.0, 0.0])},
            "b": {"a": np.array([4.0, 0.0]), "b": 0.0},
        },
    )


@pytest.mark.parametrize("chunk_size", [None, 1, 2])
def test_hessian_in_chunks(chunk_size):
    def f(x):
        return np.prod(np.sin(x))

    x = np.array([0.3, 0.9, 1.4])
    found = qd.hessian(f, chunk_size=chunk_size)(x)
    wanted = np.stack([slopes(lambda x, k=k: qd.grad(f)(x)[k], x) for k in range(3)])
    np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-8)


def test_hvp_is_the_hessian_times_a_vector():
    def f(x):
        return np.prod(np.sin(x))

    x, v = np.array([0.3, 0.9, 1.4]), np.array([1.0, -2.0, 0.5])
    close(qd.hvp(f, x, v), qd.hessian(f)(x) @ v)


def test_hvp_of_several_arguments():
    def f(x, y):
        return (x * x * y).sum()

    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    dx, dy = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    same(qd.hvp(f, (x, y), (dx, dy)), (2 * y * dx + 2 * x * dy, 2 * x * dx))


def test_hvp_of_a_container():
    found = qd.hvp(lambda p: p["a"] ** 3 * p["b"], {"a": 2.0, "b": 5.0}, {"a": 1.0, "b": 0.0})
    same(found, {"a": 60.0, "b": 12.0})


def test_memory_of_a_chunked_jacobian_is_bounded():
    seen = []

    @qd.custom_jvp
    def spy(x):
        return x * 1.0

    def rule(xs, dxs):
        seen.append(repr(dxs[0]))
        return xs[0] * 1.0, dxs[0] * 1.0

    spy.defjvp(rule)
    qd.jacfwd(spy, chunk_size=2)(np.zeros(5))
    assert [text.split(":")[0] for text in seen] == ["one of 2", "one of 2", "one of 1"]


@ALL
@pytest.mark.parametrize("size", [2, 9])
@pytest.mark.parametrize("nothing", [None, (), {}, [None]])
def test_of_a_function_without_results_there_is_nothing(make, size, nothing):
    assert make(lambda x: nothing)(np.ones(size)) == nothing
    assert make(lambda x: (nothing, 1), has_aux=True)(np.ones(size)) == (nothing, 1)


@pytest.mark.parametrize("make", [qd.jacobian, qd.jacfwd, qd.jacrev])
@pytest.mark.parametrize("chunk_size", [None, 2])
def test_by_a_container_without_numbers_there_is_nothing(make, chunk_size):
    def f(p):
        return np.ones(3), {"a": 1.0}

    empty = {"b": None, "c": []}
    assert make(f, chunk_size=chunk_size)(empty) == (empty, {"a": empty})
    with_aux = make(lambda p: (f(p), 5), has_aux=True, chunk_size=chunk_size)
    assert with_aux(empty) == ((empty, {"a": empty}), 5)


def test_a_hessian_by_a_container_without_numbers():
    assert qd.hessian(lambda p: 1.0)({}) == {}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("count", [2, 9])  # directions one by one, and in a batch
@pytest.mark.parametrize("f", [lambda x: np.floor(x).astype(int), np.argsort, lambda x: x > 0.5])
def test_what_does_not_move_has_a_jacobian_of_zeros_in_the_dtype_of_the_input(f, count, dtype):
    x = np.linspace(0.2, 0.9, count, dtype=dtype)
    for mode in ("forward", "reverse", "auto"):
        found = qd.jacobian(f, mode=mode)(x)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, np.zeros((count, count)))
        compiled = qd.jit(qd.jacobian(f, mode=mode))(x)
        assert compiled.dtype == dtype
