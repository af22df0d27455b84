"""A function that overwrites what it is differentiated at: the values of before count, for all."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.core.errors import MutationError

AT = np.array([1.0, 2.0, 3.0])
ALONG = np.array([1.0, 0.5, 2.0])
VALUE = np.sum(AT**3 + AT**2)
SLOPES = 3 * AT**2 + 2 * AT
CURVES = 6 * AT + 2


def overwriting():
    """A point, a direction, and a function that overwrites both of them while it runs."""
    x, v = AT.copy(), ALONG.copy()

    def f(y):
        cubes = np.sum(y**3)
        x[...] = 0.0
        v[...] = 0.0
        return cubes + np.sum(y * y)

    return x, v, f


def by_levels(f, x, v):
    with qd.forward_ad.dual_level():
        return qd.forward_ad.unpack_dual(f(qd.forward_ad.make_dual(x, v))).tangent


def by_rule(f):
    ruled = qd.custom_vjp(lambda y: f(y))
    ruled.defvjp(lambda y: (f(y), y), lambda y, ct: (ct * (3 * y**2 + 2 * y),))
    return ruled


def by_forward_rule(f):
    ruled = qd.custom_jvp(lambda y: f(y))
    ruled.defjvp(lambda xs, dxs: qd.jvp(f, xs, dxs))
    return ruled


def over_scan(f):
    return lambda y: qd.scan(lambda c, _: (c + f(y), None), 0.0, np.zeros(1))[0]


WAYS = {
    "value_and_grad": (lambda f, x, v: qd.value_and_grad(f)(x)[0], VALUE),
    "grad": (lambda f, x, v: qd.grad(f)(x), SLOPES),
    "vjp": (lambda f, x, v: qd.vjp(f, x)[1](1.0)[0], SLOPES),
    "jacrev": (lambda f, x, v: qd.jacrev(f)(x), SLOPES),
    "jacfwd": (lambda f, x, v: qd.jacfwd(f)(x), SLOPES),
    "jacfwd in chunks": (lambda f, x, v: qd.jacfwd(f, chunk_size=1)(x), SLOPES),
    "jacobian": (lambda f, x, v: qd.jacobian(f)(x), SLOPES),
    "value of jvp": (lambda f, x, v: qd.jvp(f, (x,), (v,))[0], VALUE),
    "jvp": (lambda f, x, v: qd.jvp(f, (x,), (v,))[1], SLOPES @ ALONG),
    "linearize": (lambda f, x, v: qd.linearize(f, x)[1](ALONG), SLOPES @ ALONG),
    "jet": (lambda f, x, v: qd.jet(f, (x,), ([v],))[1][0], SLOPES @ ALONG),
    "forward_ad": (by_levels, SLOPES @ ALONG),
    "vmap": (lambda f, x, v: qd.vmap(f)(x), AT**3 + AT**2),
    "vmap in chunks": (lambda f, x, v: qd.vmap(f, chunk_size=1)(x), AT**3 + AT**2),
    "checkpoint": (lambda f, x, v: qd.grad(qd.checkpoint(f))(x), SLOPES),
    "custom_vjp": (lambda f, x, v: qd.grad(by_rule(f))(x), SLOPES),
    "custom_jvp": (lambda f, x, v: qd.grad(by_forward_rule(f))(x), SLOPES),
    "scan": (lambda f, x, v: qd.grad(over_scan(f))(x), SLOPES),
    "lift": (lambda f, x, v: qd.grad(qd.lift(f))(x), SLOPES),
    "jit": (lambda f, x, v: qd.jit(f)(x), VALUE),
    "jit of grad": (lambda f, x, v: qd.jit(qd.grad(f))(x), SLOPES),
    "grad of jit": (lambda f, x, v: qd.grad(qd.jit(f))(x), SLOPES),
    "vmap of jit": (lambda f, x, v: qd.vmap(qd.jit(f))(x), AT**3 + AT**2),
    "jit of hvp": (
        lambda f, x, v: qd.jit(lambda x, v: qd.hvp(f, x, v))(x, v),
        CURVES * ALONG,
    ),
    "hvp": (lambda f, x, v: qd.hvp(f, x, v), CURVES * ALONG),
    "hvp of tuples": (lambda f, x, v: qd.hvp(f, (x,), (v,))[0], CURVES * ALONG),
    "hessian": (lambda f, x, v: qd.hessian(f)(x), np.diag(CURVES)),
    "hessian in chunks": (lambda f, x, v: qd.hessian(f, chunk_size=1)(x), np.diag(CURVES)),
    "vmap of grad": (lambda f, x, v: qd.vmap(qd.grad(f))(x), SLOPES),
    "grad of grad": (lambda f, x, v: qd.grad(lambda y: qd.grad(f)(y).sum())(x), CURVES),
    "grad of jvp": (
        lambda f, x, v: qd.grad(lambda y: qd.jvp(f, (y,), (v,))[1])(x),
        CURVES * ALONG,
    ),
    "jvp of grad": (lambda f, x, v: qd.jvp(qd.grad(f), (x,), (v,))[1], CURVES * ALONG),
    "jacfwd of grad": (lambda f, x, v: qd.jacfwd(qd.grad(f))(x), np.diag(CURVES)),
    "jacrev of grad": (lambda f, x, v: qd.jacrev(qd.grad(f))(x), np.diag(CURVES)),
    "linearize of grad": (lambda f, x, v: qd.linearize(qd.grad(f), x)[1](ALONG), CURVES * ALONG),
    "jet of grad": (lambda f, x, v: qd.jet(qd.grad(f), (x,), ([v],))[1][0], CURVES * ALONG),
    "hvp of checkpoint": (lambda f, x, v: qd.hvp(qd.checkpoint(f), x, v), CURVES * ALONG),
    "hvp of custom_vjp": (lambda f, x, v: qd.hvp(by_rule(f), x, v), CURVES * ALONG),
    "hvp of scan": (lambda f, x, v: qd.hvp(over_scan(f), x, v), CURVES * ALONG),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_values_of_before_count(way):
    run, wanted = WAYS[way]
    x, v, f = overwriting()
    close(run(f, x, v), wanted)
    close(x, np.zeros(3))


@pytest.mark.parametrize("is_huge", [False, True])
@pytest.mark.parametrize(
    "run",
    [
        lambda f, x: qd.value_and_grad(f)(x),
        lambda f, x: qd.jvp(f, (x,), (np.ones_like(x),)),
        lambda f, x: qd.linearize(f, x),
        lambda f, x: qd.jet(f, (x,), ([np.ones_like(x)],)),
        lambda f, x: qd.vmap(f)(x),
        lambda f, x: qd.jit(f)(x),
    ],
    ids=["grad", "jvp", "linearize", "jet", "vmap", "jit"],
)
def test_what_is_too_large_to_be_copied_must_not_be_overwritten(run, is_huge):
    x = np.ones((1 << 21) + 5 if is_huge else 3)

    def f(y):
        x[-1] = 0.0
        return np.sum(y * y)

    if is_huge:
        with pytest.raises(MutationError, match="an argument was changed while the function ran"):
            run(f, x)
    else:
        run(f, x)
        close(x, [1.0, 1.0, 0.0])


def test_a_jacobian_that_counts_the_results_first():
    x = np.ones(10)

    def f(y):
        doubled = 2 * y
        x[...] = 0.0
        return np.concatenate([doubled, y * y])

    close(qd.jacobian(f)(x), np.concatenate([2 * np.eye(10), 2 * np.eye(10)]))


def test_an_array_given_to_a_checkpoint_may_be_filled_again():
    w, row = np.array([1.0, 2.0, 3.0]), np.zeros(3)
    step = qd.checkpoint(lambda w, row: np.sum(np.sin(w * row)))

    def loss(w):
        total = 0.0
        for k in (1.0, 2.0, 3.0):
            row[...] = k
            total = total + step(w, row)
        return total

    close(qd.grad(loss)(w), sum(k * np.cos(k * w) for k in (1.0, 2.0, 3.0)))


@pytest.mark.parametrize("lie", [np.ascontiguousarray, np.asfortranarray])
def test_arguments_keep_the_layout_that_tells_views_from_copies(lie):
    x = lie(np.arange(6.0).reshape(2, 3))

    def f(x):
        x.reshape(-1)[0] = 5.0  # a view of rows, a copy of columns
        return np.sum(x * x)

    wanted = f(x.copy("K"))
    close(qd.value_and_grad(f)(x)[0], wanted)
    close(qd.jvp(f, (x,), (np.ones_like(x),))[0], wanted)
