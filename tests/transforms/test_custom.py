"""Functions with derivative rules of their own: either rule serves every mode, batch and order."""

import gc
import weakref
from typing import NamedTuple

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf, same


def by_vjp():
    @qd.custom_vjp
    def f(x, y):
        return np.sin(x) * y

    def forward(x, y):
        return np.sin(x) * y, (x, y)

    f.defvjp(forward, lambda kept, ct: (ct * np.cos(kept[0]) * kept[1], ct * np.sin(kept[0])))
    return f


def by_jvp():
    @qd.custom_jvp
    def f(x, y):
        return np.sin(x) * y

    def rule(primals, tangents):
        (x, y), (dx, dy) = primals, tangents
        return np.sin(x) * y, np.cos(x) * y * dx + np.sin(x) * dy

    f.defjvp(rule)
    return f


def by_itself():
    """As `by_vjp`, with the forward function calling the function, as jax's users write it."""

    @qd.custom_vjp
    def f(x, y):
        return np.sin(x) * y

    f.defvjp(
        lambda x, y: (f(x, y), (x, y)),
        lambda kept, ct: (ct * np.cos(kept[0]) * kept[1], ct * np.sin(kept[0])),
    )
    return f


def plainly(x, y):
    return np.sin(x) * y


BOTH = pytest.mark.parametrize(
    "f", [by_vjp(), by_jvp(), by_itself()], ids=["custom_vjp", "custom_jvp", "by_itself"]
)
X, Y = np.array([0.3, 1.2]), np.array([2.0, -1.0])


@BOTH
def test_the_value_is_the_functions(f):
    close(f(X, Y), plainly(X, Y))


@BOTH
@pytest.mark.parametrize("argnums", [0, 1, (0, 1)])
def test_reverse_mode(f, argnums):
    same(
        qd.grad(lambda x, y: f(x, y).sum(), argnums)(X, Y),
        qd.grad(lambda x, y: plainly(x, y).sum(), argnums)(X, Y),
    )


@BOTH
def test_forward_mode(f):
    dx, dy = np.array([1.0, 2.0]), np.array([0.5, -1.0])
    same(qd.jvp(f, (X, Y), (dx, dy)), qd.jvp(plainly, (X, Y), (dx, dy)))


@BOTH
def test_forward_mode_in_one_argument(f):
    dx = np.array([1.0, 2.0])
    _, wanted = qd.jvp(lambda x: plainly(x, Y), (X,), (dx,))
    close(qd.jvp(lambda x: f(x, Y), (X,), (dx,))[1], wanted)


@BOTH
def test_on_the_tape(f):
    x, y = leaf(X), leaf(Y)
    f(x, y).sum().backward()
    close(x.grad, np.cos(X) * Y)
    close(y.grad, np.sin(X))


@BOTH
def test_a_constant_operand_gets_nothing(f):
    x = leaf(X)
    f(x, Y).sum().backward()
    close(x.grad, np.cos(X) * Y)


@BOTH
def test_second_order(f):
    close(
        qd.hessian(lambda x: (f(x, x) ** 2).sum())(X),
        qd.hessian(lambda x: (plainly(x, x) ** 2).sum())(X),
    )


@BOTH
def test_third_order_on_the_tape(f):
    x = leaf(0.4)
    y = f(x, 2.0)
    for _ in range(3):
        (y,) = qd.grad(y, x, create_graph=True)
    close(y, -2 * np.cos(0.4))


@BOTH
def test_vmap_over_all_operands(f):
    x, y = np.arange(6.0).reshape(3, 2), np.ones((3, 2)) * 2
    close(qd.vmap(f)(x, y), plainly(x, y))


@BOTH
@pytest.mark.parametrize("size", [2, 3])
def test_vmap_over_one_operand(f, size):
    x = np.arange(2.0 * size).reshape(size, 2)
    close(qd.vmap(f, (0, None))(x, Y), plainly(x, Y))
    slopes = qd.vmap(qd.grad(lambda x, y: f(x, y).sum(), (0, 1)), (0, None))(x, Y)
    same(slopes, (np.cos(x) * Y, np.sin(x)))


@BOTH
@pytest.mark.parametrize("size", [2, 3])
def test_the_gradient_of_an_operand_that_the_batch_shares(f, size):
    x = np.arange(2.0 * size).reshape(size, 2)

    def total(y):
        return qd.vmap(f, (0, None))(x, y).sum()

    close(qd.grad(total)(Y), np.sin(x).sum(0))
    close(qd.jvp(total, (Y,), (np.array([1.0, 0.0]),))[1], np.sin(x).sum(0)[0])
    close(qd.jacfwd(total)(Y), np.sin(x).sum(0))


@BOTH
def test_jacobians_both_ways(f):
    close(qd.jacfwd(lambda x: f(x, Y))(X), np.diag(np.cos(X) * Y))
    close(qd.jacrev(lambda x: f(x, Y))(X), np.diag(np.cos(X) * Y))


@BOTH
def test_taylor_mode(f):
    _, found = qd.jet(lambda x: f(x, 2.0), (0.4,), ([1.0, 0.0, 0.0],))
    _, wanted = qd.jet(lambda x: plainly(x, 2.0), (0.4,), ([1.0, 0.0, 0.0],))
    same(found, wanted)


@BOTH
def test_linearize(f):
    _, push = qd.linearize(lambda x: f(x, Y), X)
    close(push(np.ones(2)), np.cos(X) * Y)


@BOTH
def test_inside_checkpoint(f):
    close(qd.grad(qd.checkpoint(lambda x: f(x, Y).sum()))(X), np.cos(X) * Y)


@BOTH
def test_under_vmap_and_grad_in_both_orders(f):
    x = np.arange(6.0).reshape(3, 2)
    inner = qd.vmap(qd.grad(lambda x: f(x, Y).sum()))(x)
    outer = qd.grad(lambda x: qd.vmap(lambda x: f(x, Y).sum())(x).sum())(x)
    close(inner, outer)


def test_arguments_may_be_passed_by_keyword():
    f = by_vjp()
    close(qd.grad(lambda x: f(y=2.0, x=x))(0.3), 2 * np.cos(0.3))


def test_defaults_are_filled_in():
    @qd.custom_vjp
    def f(x, scale=3.0):
        return x * scale

    f.defvjp(lambda x, scale: (x * scale, scale), lambda scale, ct: (ct * scale, None))
    close(qd.grad(f)(1.0), 3.0)


def test_the_rule_is_used_and_not_the_functions_own_derivative():
    @qd.custom_vjp
    def reversed_gradient(x):
        return x * 1.0

    reversed_gradient.defvjp(lambda x: (x * 1.0, None), lambda _, ct: (-ct,))
    close(qd.grad(reversed_gradient)(2.0), -1.0)
    close(qd.jvp(reversed_gradient, (2.0,), (1.0,))[1], -1.0)


def test_both_rules_may_be_given_and_each_mode_uses_its_own():
    @qd.custom_vjp
    def f(x):
        return x * 1.0

    f.defvjp(lambda x: (x * 1.0, None), lambda _, ct: (10 * ct,))
    f.defjvp(lambda xs, dxs: (xs[0] * 1.0, 20 * dxs[0]))
    close(qd.grad(f)(1.0), 10.0)
    close(qd.jvp(f, (1.0,), (1.0,))[1], 20.0)


def test_none_is_a_zero_cotangent():
    @qd.custom_vjp
    def first(x, y):
        return x * 2

    first.defvjp(lambda x, y: (x * 2, None), lambda _, ct: (2 * ct, None))
    same(qd.grad(first, (0, 1))(1.0, 5.0), (2.0, 0.0))


class Point(NamedTuple):
    x: object
    y: object


def test_containers_in_and_out():
    @qd.custom_vjp
    def f(point, weights):
        return {"sum": point.x + point.y, "product": [point.x * weights["w"]]}

    def forward(point, weights):
        return f(point, weights), (point, weights)

    def backward(kept, ct):
        point, weights = kept
        total, (product,) = ct["sum"], ct["product"]
        return Point(total + product * weights["w"], total), {"w": product * point.x}

    f.defvjp(forward, backward)

    def loss(point, weights):
        out = f(point, weights)
        return out["sum"] * 10 + out["product"][0]

    same(
        qd.grad(loss, (0, 1))(Point(2.0, 3.0), {"w": 5.0}),
        (Point(15.0, 10.0), {"w": 2.0}),
    )


def test_an_unused_result_of_several():
    @qd.custom_vjp
    def both(x):
        return np.sin(x), np.stack([x, x])

    def forward(x):
        return both(x), x

    both.defvjp(forward, lambda x, ct: (ct[0] * np.cos(x) + ct[1].sum(),))
    close(qd.grad(lambda x: both(x)[0])(0.3), np.cos(0.3))
    close(qd.grad(lambda x: both(x)[1][0])(0.3), 1.0)


def test_arguments_that_are_no_arrays_are_handed_on():
    @qd.custom_vjp
    def f(x, name, count):
        return x * count if name == "times" else x

    f.defvjp(lambda x, name, n: (f(x, name, n), n), lambda n, ct: (ct * n, None, None))
    close(qd.grad(f)(1.0, "times", 7), 7.0)


def test_nondiff_argnums_are_handed_to_the_rules_first():
    @qd.custom_vjp(nondiff_argnums=(0,))
    def apply(function, x):
        return function(x)

    apply.defvjp(lambda function, x: (function(x), x), lambda function, x, ct: (ct * 100.0,))
    close(qd.grad(lambda x: apply(np.sin, x))(0.3), 100.0)


def test_nondiff_argnums_of_a_forward_rule():
    @qd.custom_jvp(nondiff_argnums=(1,))
    def power(x, n):
        return x**n

    power.defjvp(lambda n, xs, dxs: (xs[0] ** n, n * xs[0] ** (n - 1) * dxs[0]))
    close(qd.grad(power)(2.0, 3), 12.0)


def test_the_forward_function_runs_once_for_a_value_and_its_gradient():
    calls = []

    @qd.custom_vjp
    def f(x):
        calls.append("f")
        return x * 2

    def forward(x):
        calls.append("forward")
        return x * 2, None

    def backward(_, ct):
        calls.append("backward")
        return (2 * ct,)

    f.defvjp(forward, backward)
    qd.grad(f)(1.0)
    assert calls == ["forward", "backward"]
    calls.clear()
    f(1.0)
    assert calls == ["f"]


def test_what_the_forward_function_keeps_is_right_when_an_array_is_changed_later():
    @qd.custom_vjp
    def f(x, a):
        return x * a

    f.defvjp(lambda x, a: (x * a, a), lambda a, ct: (ct * a, None))
    a = np.array([1.0, 2.0])
    x = leaf([1.0, 1.0])
    y = f(x, a).sum()
    a[:] = 50.0
    close(qd.grad(y, x)[0], [1.0, 2.0])


def test_an_integer_operand_under_vmap():
    @qd.custom_vjp
    def pick(x, k):
        return x[k]

    def backward(kept, ct):
        x, k = kept
        return np.zeros_like(x) + (np.arange(3) == k) * ct, None

    pick.defvjp(lambda x, k: (x[k], (x, k)), backward)
    x = np.arange(9.0).reshape(3, 3)
    index = np.array([2, 0, 1])
    close(qd.vmap(pick)(x, index), [2.0, 3.0, 7.0])
    close(qd.vmap(qd.grad(pick))(x, index), np.eye(3)[index])


def test_a_complex_rule_sees_the_public_convention():
    @qd.custom_vjp
    def f(z):
        return np.real(z * np.conj(z))

    f.defvjp(lambda z: (np.real(z * np.conj(z)), z), lambda z, ct: (2 * z * ct,))
    close(qd.grad(f)(3 + 4j), 6 + 8j)
    close(qd.jvp(f, (3 + 4j,), (1j,))[1], 8.0)


def test_a_lower_level_value_that_the_function_reads_is_differentiated():
    def outer(w):
        @qd.custom_vjp
        def f(x):
            return x * w

        f.defvjp(lambda x: (x * w, None), lambda _, ct: (ct * w,))
        return qd.grad(f)(2.0) + f(3.0)

    close(qd.grad(outer)(5.0), 4.0)


def test_a_rule_may_call_the_function_itself():
    @qd.custom_jvp
    def exponential(x):
        return np.exp(x)

    exponential.defjvp(lambda xs, dxs: ((y := exponential(xs[0])), y * dxs[0]))
    close(qd.grad(qd.grad(qd.grad(exponential)))(0.3), np.exp(0.3))


def test_the_names_of_the_function_are_kept():
    f = by_vjp()
    assert f.__name__ == "f"
    assert f.__wrapped__ is not None


def test_defvjp_and_defjvp_return_the_function():
    @qd.custom_vjp
    def f(x):
        return x

    assert f.defvjp(lambda x: (x, None), lambda _, ct: (ct,)) is f
    assert f.defjvp(lambda xs, dxs: (xs[0], dxs[0])) is f


def test_a_call_is_freed_with_its_graph():
    gc.collect()
    gc.disable()
    try:
        x = leaf(np.ones(10))
        hold = x * 1.0
        y = by_vjp()(hold, hold)
        gone = weakref.ref(hold)
        del hold
        qd.grad(y.sum(), x)
        del y
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("rule", ["f", "forward"])
def test_a_function_that_writes_into_its_argument_changes_no_one_elses(rule):
    def double(x):
        x *= 2
        return x

    f = qd.custom_vjp(double)
    if rule == "forward":
        f.defvjp(lambda x: (double(x), None), lambda _, ct: (2 * ct,))
    else:
        f.defjvp(lambda xs, dxs: (2 * xs[0], 2 * dxs[0]))
    x = leaf(X)
    close(qd.grad(f(x).sum(), x)[0], [2.0, 2.0])
    close(x, X)


# Rules that write into what they are given


def test_a_reverse_rule_may_write_into_its_cotangent():
    @qd.custom_vjp
    def doubling(x):
        return x * 1.0

    def back(_, ct):
        ct *= 2
        return (ct,)

    doubling.defvjp(lambda x: (x * 1.0, None), back)
    x = np.array([1.0, 2.0, 3.0])
    close(qd.grad(lambda x: np.sum((doubling(x) + x) * np.arange(3.0)))(x), 3 * np.arange(3.0))
    _, pull = qd.vjp(doubling, x)
    ct = np.ones(3)
    close(pull(ct)[0], 2 * np.ones(3))
    close(ct, np.ones(3))


def test_a_forward_rule_may_write_into_points_and_tangents():
    @qd.custom_jvp
    def doubling(x):
        return x * 1.0

    def ahead(points, tangents):
        (x,), (dx,) = points, tangents
        result = x * 1.0
        x *= 100
        dx *= 2
        return result, dx

    doubling.defjvp(ahead)
    x, v = np.array([1.0, 2.0]), np.array([1.0, 3.0])
    value, change = qd.jvp(lambda x: doubling(x) + x, (x,), (v,))
    close(value, 2 * x)
    close(change, 3 * v)
    close(x, [1.0, 2.0])
    close(v, [1.0, 3.0])


def test_a_backward_rule_may_write_into_its_residuals():
    f = qd.custom_vjp(lambda x: np.sin(x))

    def bwd(residuals, ct):
        slope, others = residuals
        slope *= ct
        others["factors"][0] *= 2.0
        return (slope * others["factors"][0],)

    f.defvjp(lambda x: (np.sin(x), (np.cos(x), {"factors": [np.full(3, 0.5)]})), bwd)
    x = np.array([0.1, 0.2, 0.3])
    pullback = qd.vjp(f, x)[1]
    for _ in range(3):
        close(pullback(np.ones(3))[0], np.cos(x))
    leaf = qd.tensor(x, requires_grad=True)
    total = np.sum(f(leaf))
    for _ in range(3):
        close(qd.grad(total, leaf, retain_graph=True)[0].numpy(), np.cos(x))


class Scaled:
    """A rule on a method, and one with the object among what is not differentiated."""

    scale = 3.0

    @qd.custom_vjp
    def by_vjp(self, x):
        return self.scale * x

    by_vjp.defvjp(lambda self, x: (self.scale * x, self.scale), lambda k, ct: (None, 2 * k * ct))

    @qd.custom_jvp(nondiff_argnums=0)
    def by_jvp(self, x):
        return self.scale * x

    by_jvp.defjvp(lambda self, xs, dxs: (self.scale * xs[0], 2 * self.scale * dxs[0]))


@pytest.mark.parametrize("name", ["by_vjp", "by_jvp"])
def test_methods(name):
    f = getattr(Scaled(), name)
    assert f(2.0) == 6.0
    assert qd.grad(f)(2.0) == 6.0
    assert qd.jvp(f, (2.0,), (1.0,))[1] == 6.0
    assert qd.jit(qd.grad(f))(2.0) == 6.0
    assert qd.grad(lambda x: getattr(Scaled, name)(Scaled(), x))(2.0) == 6.0


@pytest.mark.filterwarnings("error")
def test_a_traced_function_is_not_run_on_zeros():
    inverse = qd.custom_vjp(lambda a: np.linalg.inv(a))
    inverse.defvjp(lambda a: (np.linalg.inv(a), np.linalg.inv(a)), lambda y, ct: (-y.T @ ct @ y.T,))
    logarithm = qd.custom_jvp(lambda a: np.log(a))
    logarithm.defjvp(lambda xs, dxs: (np.log(xs[0]), dxs[0] / xs[0]))
    a = np.array([[2.0, 0.5], [0.3, 3.0]])
    for made, plainly in ((inverse, np.linalg.inv), (logarithm, np.log)):
        close(qd.jit(made)(a), plainly(a))
        wanted = qd.grad(lambda a, f=plainly: np.sum(f(a)))(a)
        close(qd.jit(qd.grad(lambda a, f=made: np.sum(f(a))))(a), wanted)
