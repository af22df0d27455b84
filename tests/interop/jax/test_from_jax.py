"""Functions of jax in ours, held against the same functions written in NumPy."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.core.errors import DtypeError

jax = pytest.importorskip("jax")
from_jax = pytest.importorskip("qiudao.interop.jax").from_jax
jnp = pytest.importorskip("jax.numpy")
pytestmark = pytest.mark.peer

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(2, 3)), RNG.normal(size=3)


def ours(x, y):
    return np.sum(np.sin(x) @ y * np.sum(x**3)) + np.tanh(y) @ y


def theirs(x, y):
    return jnp.sum(jnp.sin(x) @ y * jnp.sum(x**3)) + jnp.tanh(y) @ y


def same(found, wanted):
    if isinstance(wanted, tuple | list):
        for a, b in zip(found, wanted, strict=True):
            same(a, b)
    else:
        close(found, wanted, rtol=1e-10)


TRANSFORMS = {
    "value": lambda f: f,
    "grad": lambda f: qd.grad(f, (0, 1)),
    "hessian": lambda f: qd.hessian(f, (0, 1)),
    "rev over rev": lambda f: qd.jacrev(qd.jacrev(f, (0, 1)), (0, 1)),
    "fwd over fwd": lambda f: qd.jacfwd(qd.jacfwd(f)),
    "third order": lambda f: qd.grad(lambda x, y: np.sum(qd.hessian(f)(x, y) ** 2)),
    "vmap of grad": lambda f: (
        lambda x, y: qd.vmap(qd.grad(f, (0, 1)), (2, None))(np.stack([x, 2 * x], 2), y)
    ),
    "grad of vmap": lambda f: qd.grad(
        lambda x, y: np.sum(qd.vmap(f, (0, None))(np.stack([x, 2 * x]), y) ** 2), (0, 1)
    ),
    "transpose": lambda f: lambda x, y: qd.linear_transpose(qd.linearize(f, x, y)[1], x, y)(1.0),
}


CROSSED = from_jax(theirs)  # one for all, so that jax compiles each derivative once


@pytest.mark.parametrize("jit", [False, True], ids=["eager", "jit"])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_under_our_transforms(name, jit):
    transform = TRANSFORMS[name]
    found = transform(CROSSED)
    same((qd.jit(found) if jit else found)(X, Y), transform(ours)(X, Y))


def test_gradcheck_and_gradgradcheck():
    f = from_jax(lambda y: jnp.sum(jnp.sin(y) * y**3))
    assert qd.gradgradcheck(f, Y)


def test_on_the_tape():
    x, y = (qd.tensor(a, requires_grad=True) for a in (X, Y))
    loss = CROSSED(x, y) * 2
    (first,) = qd.grad(loss, x, create_graph=True)
    close(first.detach(), 2 * qd.grad(ours)(X, Y), rtol=1e-11)
    first.sum().backward()
    close(y.grad, qd.grad(lambda y: 2 * qd.grad(ours)(X, y).sum())(Y), rtol=1e-10)


def test_it_is_compiled_once():
    traces = []

    def f(x):
        traces.append(1)
        return jnp.exp(x).sum()

    g = qd.grad(from_jax(f))
    close(g(Y), np.exp(Y))
    before = len(traces)
    close(g(2 * Y), np.exp(2 * Y))
    assert len(traces) == before


def test_python_control_flow_without_jit():
    f = from_jax(lambda x: jnp.sin(x) if x > 0 else x * x, jit=False)
    assert f(np.float64(-3.0)) == 9
    close(from_jax(lambda x, flag: x if flag else x * x)(Y, False), Y * Y)
    f = from_jax(lambda x, power: x**power)
    close(f(Y, 2), Y**2)
    close(f(Y, 3), Y**3)


def test_complex_values_follow_our_convention():
    def f(z):
        return (z * z * z.conj()).real.sum()

    z = RNG.normal(size=3) + 1j * RNG.normal(size=3)
    same(qd.grad(from_jax(f))(z), qd.grad(f)(z))
    same(qd.jvp(from_jax(f), (z,), (z * 1j,)), qd.jvp(f, (z,), (z * 1j,)))


def test_trees_integers_and_dtypes():
    def f(tree, k):
        a = tree["a"]
        return {"best": jnp.argmax(a), "rest": [a[k] ** 2, jnp.ones(2)]}

    g = from_jax(f)
    out = g({"a": np.float32([1, 3, 2])}, np.array(1))
    assert out["best"] == 1
    assert out["rest"][0].dtype == np.float32
    out["rest"][1][0] = 5  # the caller's own
    close(qd.grad(lambda a: g({"a": a}, np.array(1))["rest"][0])(Y), [0, 2 * Y[1], 0])


def test_double_precision_is_not_rounded_in_silence():
    with jax.enable_x64(False):
        f = from_jax(jnp.sin)
        assert qd.grad(f)(np.float32(0)).dtype == np.float32
        with pytest.raises(DtypeError, match="operand 0 is float64, and jax computes in single"):
            f(Y)


def test_whole_numbers_are_not_cut_in_silence():
    with jax.enable_x64(False):
        f = from_jax(lambda n: n * 2)
        assert f(np.array([3])) == [6]
        with pytest.raises(DtypeError, match=r"operand 0 is int64, .* numbers that 32 bits hold"):
            f(np.array([2**40]))


def test_arrays_of_the_other_byte_order_and_of_more_than_double_precision():
    close(from_jax(jnp.sin)(Y.astype(Y.dtype.newbyteorder())), np.sin(Y))
    with pytest.raises(DtypeError, match="which jax has not; convert it"):
        from_jax(jnp.sin)(Y.astype(np.longdouble))


def test_there_and_back_again():
    as_jax = pytest.importorskip("qiudao.interop.jax").as_jax
    same(qd.hessian(from_jax(as_jax(ours)))(X, Y), qd.hessian(ours)(X, Y))


def test_a_constant_that_cannot_be_remembered():
    with pytest.raises(TypeError, match=r"must be hashable \(unhashable type"):
        from_jax(lambda x, flags: x)(Y, {1})
