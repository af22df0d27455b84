"""Functions of ours in jax, held against the same functions written in jax."""

import functools

import numpy as np
import pytest

from qiudao.core.errors import TraceError

jax = pytest.importorskip("jax")
as_jax = pytest.importorskip("qiudao.interop.jax").as_jax
jnp = pytest.importorskip("jax.numpy")
pytestmark = pytest.mark.peer

RNG = np.random.default_rng(0)
X, Y = jnp.asarray(RNG.normal(size=(2, 3))), jnp.asarray(RNG.normal(size=3))
Z = jnp.asarray(RNG.normal(size=3) + 1j * RNG.normal(size=3))


def ours(x, y):
    return np.sum(np.sin(x) @ y * np.sum(x**3)) + np.tanh(y) @ y


def theirs(x, y):
    return jnp.sum(jnp.sin(x) @ y * jnp.sum(x**3)) + jnp.tanh(y) @ y


def same(found, wanted):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)


def linear(f):
    return lambda x, y: jax.linear_transpose(jax.linearize(f, x, y)[1], x, y)(1.0)


def linear_over_batch(f):
    def g(x, y):
        line = jax.vmap(jax.linearize(f, x, y)[1], (0, None))
        return jax.linear_transpose(line, jnp.stack([x, x]), y)(jnp.array([1.0, 2.0]))

    return g


TRANSFORMS = {
    "value": lambda f: f,
    "grad": lambda f: jax.grad(f, (0, 1)),
    "jvp": lambda f: lambda x, y: jax.jvp(f, (x, y), (y * x, y)),
    "hessian": lambda f: jax.hessian(f, (0, 1)),
    "rev over rev": lambda f: jax.jacrev(jax.jacrev(f, (0, 1)), (0, 1)),
    "rev over fwd": lambda f: jax.jacrev(jax.jacfwd(f)),
    "fwd over fwd": lambda f: jax.jacfwd(jax.jacfwd(f)),
    "third order": lambda f: jax.grad(lambda x, y: jnp.sum(jax.hessian(f)(x, y) ** 2)),
    "vmap": lambda f: lambda x, y: jax.vmap(f, (None, 0))(x, jnp.stack([y, -y])),
    "vmap of grad": lambda f: (
        lambda x, y: jax.vmap(jax.grad(f, (0, 1)), (2, None))(jnp.stack([x, 2 * x], 2), y)
    ),
    "grad of vmap": lambda f: jax.grad(
        lambda x, y: jnp.sum(jax.vmap(f, (0, None))(jnp.stack([x, 2 * x]), y) ** 2), (0, 1)
    ),
    "vmap of vmap": lambda f: (
        lambda x, y: jax.vmap(jax.vmap(f, (0, None)), (None, 0))(
            jnp.stack([x, 2 * x]), jnp.stack([y, -y])
        )
    ),
    "transpose": linear,
    "transpose of vmap": linear_over_batch,
    "checkpoint": lambda f: jax.grad(jax.checkpoint(f)),
    "scan": lambda f: jax.grad(
        lambda x, y: jax.lax.scan(lambda c, row: (c + f(x, row * y), c), 0.0, x)[0]
    ),
}


@functools.cache
def wanted(name):
    return jax.jit(TRANSFORMS[name](theirs))(X, Y)


@pytest.mark.parametrize("jit", [False, True], ids=["eager", "jit"])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_under_the_transforms_of_jax(name, jit):
    transform = TRANSFORMS[name]
    found = transform(as_jax(ours))
    same((jax.jit(found) if jit else found)(X, Y), wanted(name))


def test_check_grads():
    check_grads = pytest.importorskip("jax.test_util").check_grads
    check_grads(as_jax(lambda y: np.sin(y) * y**3), (Y[0],), order=2, modes=("fwd", "rev"))


def test_complex_values_follow_jaxs_convention():
    def f(np):
        return lambda z: np.real(np.sum(z * z * np.conj(z)))

    def h(np):
        return lambda z: np.sum(np.exp(z) * z)

    same(jax.grad(as_jax(f(np)))(Z), jax.grad(f(jnp))(Z))
    same(jax.jvp(as_jax(f(np)), (Z,), (Z * 1j,)), jax.jvp(f(jnp), (Z,), (Z * 1j,)))
    same(*(jax.grad(g, holomorphic=True)(Z) for g in (as_jax(h(np)), h(jnp))))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_dtypes_are_kept(dtype):
    x = jnp.ones(2, dtype)
    f = as_jax(lambda x: np.real(np.sum(np.exp(x) * 2)))
    assert jax.jit(as_jax(np.exp))(x).dtype == x.dtype
    assert jax.grad(f)(x).dtype == x.dtype
    assert jax.jit(jax.grad(f))(x).dtype == x.dtype


def test_single_precision_of_jax():
    with jax.enable_x64(False):
        x = jnp.ones(3)
        f = as_jax(lambda x: np.sum(np.arange(3.0) * x))
        assert f(x).dtype == jax.jit(f)(x).dtype == jnp.float32
        assert jax.jit(jax.grad(f))(x).dtype == jnp.float32
        same(jax.jit(jax.grad(f))(x), jnp.arange(3, dtype=jnp.float32))


def test_trees_integers_and_constants():
    def f(tree, k, *, scale):
        return {"best": np.argmax(tree["a"]), "rest": [tree["a"][k] * scale, np.ones(2)]}

    g = as_jax(f)
    for call in (g, jax.jit(g, static_argnames="scale")):
        out = call({"a": Y}, jnp.array(1), scale=3.0)
        assert out["best"] == jnp.argmax(Y)
        same(out["rest"][0], 3 * Y[1])
    grad = jax.grad(lambda a: g({"a": a}, jnp.array(1), scale=3.0)["rest"][0])
    same(grad(Y), jnp.array([0.0, 3, 0]))
    same(jax.jit(grad)(Y), jnp.array([0.0, 3, 0]))
    picked = jax.vmap(lambda y, k: g({"a": y}, k, scale=1.0)["rest"][0], (None, 0))
    same(picked(Y, jnp.arange(3)), Y)
    same(
        jax.grad(lambda y: (picked(y, jnp.array([0, 2, 2])) ** 2).sum())(Y),
        Y * jnp.array([2, 0, 4]),
    )


def test_shapes_are_found_without_running():
    runs = []

    def f(x):
        runs.append(type(x))
        return np.stack([x, x])

    assert jax.eval_shape(as_jax(f), jax.ShapeDtypeStruct((3,), float)).shape == (2, 3)
    assert not any(issubclass(kind, np.ndarray) for kind in runs)


def test_branches_run_eagerly_and_in_jit_where_the_result_is_told():
    def f(x):
        return np.sin(x) if x > 0 else x * x

    same(jax.grad(as_jax(f))(-3.0), jnp.array(-6.0))
    with pytest.raises(TraceError, match=r"tracing does not find them .* tell them, as_jax\(f, "):
        jax.jit(as_jax(f))(-3.0)
    told = as_jax(f, result=jax.ShapeDtypeStruct((), float))
    same(jax.jit(jax.grad(told))(-3.0), jnp.array(-6.0))
    same(jax.jit(told)(2.0), jnp.sin(2.0))
