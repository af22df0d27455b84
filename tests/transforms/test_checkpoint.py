"""`checkpoint`: the same numbers, less memory, and an error when the second run differs."""

import tracemalloc

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf, same
from qiudao.core.errors import MutationError


def f(x):
    return np.exp(np.sin(x) * x)


X = np.array([0.3, 0.9])


def test_the_value_and_the_gradient():
    lean = qd.checkpoint(f)
    close(lean(X), f(X))
    close(qd.grad(lambda x: lean(x).sum())(X), qd.grad(lambda x: f(x).sum())(X))


def test_on_the_tape():
    x = leaf(X)
    qd.checkpoint(f)(x).sum().backward()
    close(x.grad, qd.grad(lambda x: f(x).sum())(X))


def test_second_and_third_order():
    def loss(g):
        return lambda x: (g(x) ** 2).sum()

    lean = qd.checkpoint(f)
    close(qd.hessian(loss(lean))(X), qd.hessian(loss(f))(X))
    x = leaf(0.3)
    y = lean(x)
    z = f(t := leaf(0.3))
    for _ in range(3):
        (y,) = qd.grad(y, x, create_graph=True)
        (z,) = qd.grad(z, t, create_graph=True)
    close(y, z)


def test_forward_and_batched():
    lean = qd.checkpoint(f)
    close(qd.jvp(lean, (X,), (np.ones(2),))[1], qd.jvp(f, (X,), (np.ones(2),))[1])
    close(qd.vmap(lean)(X), f(X))
    close(qd.vmap(qd.grad(lean))(X), qd.vmap(qd.grad(f))(X))
    close(qd.jacrev(lean)(X), qd.jacfwd(f)(X))


def test_tensors_that_the_function_closes_over():
    w, x = leaf(2.0), leaf(X)
    y = qd.checkpoint(lambda x: f(x * w))(x).sum()
    y.backward()
    v, z = leaf(2.0), leaf(X)
    f(z * v).sum().backward()
    close(w.grad, v.grad)
    close(x.grad, z.grad)


def test_only_tensors_that_the_function_closes_over():
    w = leaf(2.0)
    y = qd.checkpoint(lambda: np.sin(w) * 3)()
    y.backward()
    close(w.grad, 3 * np.cos(2.0))


def test_second_order_in_what_the_function_closes_over():
    w = leaf(2.0)
    (g,) = qd.grad(qd.checkpoint(lambda: np.sin(w) * w)(), w, create_graph=True)
    close(qd.grad(g, w)[0], 2 * np.cos(2.0) - 2 * np.sin(2.0))


def test_a_computed_tensor_that_the_function_closes_over():
    x = leaf(2.0)
    y = x * x
    z = qd.checkpoint(lambda t: t * y)(x) + y
    close(qd.grad(z, x)[0], 3 * 4 + 4.0)


def both_orders(made, plain):
    """Both gradients and Hessians, in every order of the modes."""
    close(qd.grad(made)(X), qd.grad(plain)(X))
    close(qd.jacfwd(made)(X), qd.grad(plain)(X))
    second = qd.hessian(plain)(X)
    close(qd.hessian(made)(X), second)
    close(qd.jacrev(qd.grad(made))(X), second)
    close(qd.jacrev(qd.jacfwd(made))(X), second)


def test_one_value_that_the_function_closes_over_is_computed_from_another():
    def g(x, run):
        v = np.tanh(x)
        w = v * v
        return np.sum(run(lambda y: w * v * x + np.sin(y))(v)) + np.sum(w)

    both_orders(lambda x: g(x, qd.checkpoint), lambda x: g(x, lambda f: f))


@pytest.mark.parametrize("run", [qd.checkpoint, lambda f: f])
def test_one_value_for_two_arguments_in_a_recorded_sweep(run):
    x = leaf(2.0)
    v = x * x
    (g,) = qd.grad(run(lambda a, b: a * b * v)(v, v), x, create_graph=True)
    close(g, 6 * 2.0**5)
    close(qd.grad(g, x)[0], 30 * 2.0**4)


def test_plain_arguments_beside_values_of_a_transform():
    def g(x, run):
        return np.sum(run(lambda y: np.sin(x) * x * y)(np.array([2.0, 3.0])))

    both_orders(lambda x: g(x, qd.checkpoint), lambda x: g(x, lambda f: f))
    close(
        qd.jit(qd.grad(lambda x: g(x, qd.checkpoint)))(X), qd.grad(lambda x: g(x, lambda f: f))(X)
    )


INNER = {
    "grad": lambda f, x: qd.grad(lambda y: np.sum(f(y)))(x),
    "jvp": lambda f, x: qd.jvp(f, (x,), (np.ones(2),))[1],
    "jet": lambda f, x: qd.jet(f, (x,), ([np.ones(2), x],))[1][1],
    "vmap": lambda f, x: qd.vmap(f)(x),
}


@pytest.mark.parametrize("inner", INNER)
def test_arguments_of_an_outer_transform_beside_values_of_an_inner_one(inner):
    def g(x, run):
        return np.sum(INNER[inner](lambda y: run(lambda z: z * y * y * np.sin(x))(x), x))

    both_orders(lambda x: g(x, qd.checkpoint), lambda x: g(x, lambda f: f))


def test_containers_keywords_and_constants():
    def g(p, *, scale, name):
        assert name == "text"
        return {"y": p["a"] * scale, "z": [p["b"].sum(), 7.0]}

    p = {"a": leaf(2.0), "b": leaf(X)}
    out = qd.checkpoint(g)(p, scale=5.0, name="text")
    same(qd.grad([out["y"], out["z"][0]], p), {"a": 5.0, "b": np.ones(2)})
    close(out["z"][1], 7.0)


def test_results_that_are_whole_numbers_carry_nothing():
    def f(x):
        return x.sum(), np.argmax(x), x > 0.5, 7

    x = leaf(X)
    y, place, mask, count = qd.checkpoint(f)(x)
    assert range(10)[place] == 1
    assert int(count) == 7
    close(np.where(mask, x, 0.0).detach(), [0.0, 0.9])
    assert not any(getattr(v, "requires_grad", False) for v in (place, mask, count))
    y.backward()
    close(x.grad, [1.0, 1.0])
    close(qd.grad(lambda x: qd.checkpoint(f)(x)[0] * x[qd.checkpoint(f)(x)[1]])(X), [0.9, 2.1])


def test_a_result_that_is_not_used():
    x = leaf(2.0)
    y, _ = qd.checkpoint(lambda x: (x**2, x**3))(x)
    close(qd.grad(y, x)[0], 4.0)


def test_nested():
    inner = qd.checkpoint(f)
    outer = qd.checkpoint(lambda x: inner(x) * inner(x + 1))
    close(
        qd.grad(lambda x: outer(x).sum())(X),
        qd.grad(lambda x: (f(x) * f(x + 1)).sum())(X),
    )


def test_under_no_grad_nothing_is_recorded():
    x = leaf(X)
    with qd.no_grad():
        assert not qd.checkpoint(f)(x).requires_grad


def test_plain_values_stay_plain():
    assert type(qd.checkpoint(f)(X)) is np.ndarray


@pytest.mark.parametrize("save", [(), ["multiply"]])
def test_tensors_arrive_as_tensors_in_both_runs(save):
    kinds = []

    def f(x):
        kinds.append(type(x))
        return x.detach() * x.clone()

    x = leaf(X)
    qd.checkpoint(f, save=save)(x).sum().backward()
    close(x.grad, X)
    close(qd.grad(lambda x: qd.checkpoint(f, save=save)(x).sum())(X), X)
    assert set(kinds) == {qd.Tensor}


def test_writes_inside():
    def g(x):
        y = np.zeros_like(x)
        y[0] = x[1] ** 2
        y[1:] += x[:1]
        x += 1
        return (y * x).sum()

    close(qd.grad(qd.checkpoint(g))(X), qd.grad(g)(X))


def test_a_hook_on_what_the_function_closes_over_runs_once_with_the_whole_gradient():
    w = leaf(2.0)
    seen = []
    w.register_hook(lambda g: seen.append(float(g)) or g * 10)
    y = qd.checkpoint(lambda: w * w)() + 3 * w
    y.backward()
    assert seen == [7.0]
    close(w.grad, 70.0)


def test_the_function_runs_again_for_the_sweep_and_no_oftener():
    calls = []

    def counted(x):
        calls.append(1)
        return f(x)

    qd.grad(lambda x: qd.checkpoint(counted)(x).sum())(X)
    assert len(calls) == 2


def test_a_graph_that_is_kept_may_be_swept_twice():
    x = leaf(X)
    y = qd.checkpoint(f)(x).sum()
    (first,) = qd.grad(y, x, retain_graph=True)
    (second,) = qd.grad(y, x)
    close(first, second.numpy())


def test_a_graph_that_was_freed_says_so():
    x = leaf(X)
    y = qd.checkpoint(f)(x).sum()
    qd.grad(y, x)
    with pytest.raises(RuntimeError, match="were freed by"):
        qd.grad(y, x)


def test_another_result_in_the_second_run_is_an_error():
    rng = np.random.default_rng(0)
    x = leaf(X)
    y = qd.checkpoint(lambda x: x * x * rng.normal(size=2))(x).sum()
    with pytest.raises(RuntimeError, match="another result when it was run again"):
        y.backward()
    assert x.grad is None


def test_a_parameter_that_was_updated_before_the_sweep_is_an_error():
    x, w = leaf(X), leaf(2.0)
    y = qd.checkpoint(lambda x: f(x * w))(x).sum()
    with qd.no_grad():
        w -= 0.5
    with pytest.raises(RuntimeError, match="another result when it was run again"):
        y.backward()


def test_an_array_argument_that_was_changed_before_the_sweep_counts_as_it_was():
    x, data = leaf(X), np.array([1.0, 2.0])
    wanted = qd.grad(lambda x: f(x * np.array([1.0, 2.0])).sum())(X)
    y = qd.checkpoint(lambda x, a: f(x * a))(x, data).sum()
    data[0] = 9.0
    y.backward()
    close(x.grad, wanted)


def test_a_huge_array_argument_must_not_change_before_the_sweep():
    x, data = leaf(2.0), np.ones((1 << 21) + 5)
    y = qd.checkpoint(lambda x, a: x * np.sum(a))(x, data)
    data[0] = 9.0
    with pytest.raises(MutationError, match="checkpoint: an argument was changed"):
        y.backward()


def peak(run):
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_memory_of_a_deep_function_is_much_lower():
    x = np.linspace(0, 1, 20_000)

    def block(x):
        for _ in range(10):
            x = np.sin(x) * 1.01
        return x

    def deep(block):
        def loss(x):
            for _ in range(10):
                x = block(x)
            return x.sum()

        return loss

    lean = peak(lambda: qd.grad(deep(qd.checkpoint(block)))(x))
    full = peak(lambda: qd.grad(deep(block))(x))
    assert lean < 0.35 * full


def test_the_names_of_the_function_are_kept():
    assert qd.checkpoint(f).__name__ == "f"


WEIGHTS = [np.linspace(-0.5, 0.5, 16).reshape(4, 4) + k for k in range(3)]
POLICIES = [(), ["matmul"], lambda name, out: name == "sin", lambda name, out: True]


def layers(x, wrap):
    for w in WEIGHTS:
        x = wrap(lambda x, w=w: np.tanh(np.sin(x @ w)))(x)
    return (x * x).sum()


@pytest.mark.parametrize("save", POLICIES)
def test_policies_change_no_derivative(save):
    x = np.linspace(-1, 1, 8).reshape(2, 4)

    def lean(x):
        return layers(x, qd.checkpoint(save=save))

    def plainly(x):
        return layers(x, lambda f: f)

    close(qd.grad(lean)(x), qd.grad(plainly)(x))
    close(qd.hessian(lean)(x), qd.hessian(plainly)(x))
    close(qd.jit(qd.grad(lean))(x), qd.grad(plainly)(x))
    t = leaf(x)
    lean(t).backward()
    close(t.grad, qd.grad(plainly)(x))


def test_what_a_policy_keeps_is_not_computed_again():
    asked = []

    def policy(name, out):
        asked.append(name)
        return name == "sin"

    qd.grad(lambda x: qd.checkpoint(lambda x: np.sum(np.sin(x * 2)), save=policy)(x))(X)
    assert asked == ["multiply", "sin", "sum"]


class Sine(qd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.sin(x)

    @staticmethod
    def backward(ctx, ct):
        return ct * np.cos(ctx.saved_tensors[0])


HELD = {
    **INNER,
    "vmap": lambda f, x: qd.vmap(f)(np.stack([x, 2.0 * x])),
    "hessian": lambda f, x: qd.hessian(lambda y: np.sum(f(y)))(x) @ x,
    "function": lambda f, x: f(Sine.apply(x * x[0])) * x[1],
    "checkpoint": lambda f, x: qd.checkpoint(f, save=["sin"])(x),
    "writes": lambda f, x: np.sum(writes(f(x))),
}


def writes(x):
    z = np.zeros_like(x)
    for i in range(2):
        z[i] += x[i] * np.sin(x[i - 1])
    return z


@pytest.mark.parametrize("save", POLICIES[1:])
@pytest.mark.parametrize("name", HELD)
def test_policies_change_no_derivative_around_other_transforms(name, save):
    w = np.array([[0.5, -0.3], [0.2, 0.7]])

    def g(x, run):
        return np.sum(run(lambda y: HELD[name](lambda z: np.sin(w @ z) * np.cos(x @ z), y))(x * x))

    both_orders(lambda x: g(x, lambda f: qd.checkpoint(f, save=save)), lambda x: g(x, lambda f: f))


@pytest.mark.parametrize("save", POLICIES[1:])
def test_policies_beside_a_tensor_that_is_a_constant(save):
    def g(a, b):
        return np.sum(np.tanh(a * np.sin(b)) * np.exp(b @ a))

    a, b = leaf(X), qd.tensor(np.array([1.0, 2.0]))
    close(qd.grad(qd.checkpoint(g, save=save)(a, b), a)[0], qd.grad(g(a, b), a)[0])


def test_functions_with_rules_of_their_own_are_run_again():
    @qd.custom_vjp
    def own(x):
        return np.sin(x)

    own.defvjp(lambda x: (np.sin(x), x), lambda x, ct: (ct * np.cos(x),))
    lean = qd.checkpoint(lambda x: np.sum(own(x * 2) ** 2), save=lambda name, out: True)
    close(qd.grad(lean)(X), qd.grad(lambda x: np.sum(np.sin(x * 2) ** 2))(X))


def test_what_is_kept_is_freed_and_counted():
    x = leaf(np.ones(1000))
    lean = qd.checkpoint(lambda x: np.sin(np.cos(np.exp(x))), save=["cos"])
    y = lean(x).sum()
    assert qd.saved(y).total == 3 * 8000  # the operand, the result, and what is kept
    y.backward()
    assert qd.saved(y).total == 0


def matmuls(f):
    x = np.ones((2, 4))
    return str(qd.jit(qd.grad(f)).lower(x).optimised).count(" = matmul ")


def test_compiled_programs_compute_again_what_was_thrown_away():
    every = matmuls(lambda x: layers(x, lambda f: f))
    assert matmuls(lambda x: layers(x, qd.checkpoint)) == every + len(WEIGHTS)
    assert matmuls(lambda x: layers(x, qd.checkpoint(save=["matmul"]))) == every
