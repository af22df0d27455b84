"""`qd.Function`: rules written as torch's users write them, under every mode, batch and order."""

import gc
import weakref

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf
from qiudao.core.errors import GradientError


def equal(found, wanted):
    np.testing.assert_array_equal(np.asarray(found), wanted)


class Exp(qd.Function):
    """Saves its result."""

    @staticmethod
    def forward(ctx, x):
        y = np.exp(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, ct):
        (y,) = ctx.saved_tensors
        return ct * y


class Cube(qd.Function):
    """Saves its slope, which is neither an input nor a result."""

    @staticmethod
    def forward(ctx, x, n=3):
        ctx.save_for_backward(n * x ** (n - 1))
        return x**n

    @staticmethod
    def backward(ctx, ct):
        return ct * ctx.saved_tensors[0]


class Product(qd.Function):
    """Apart from its context, and with a forward rule of its own."""

    @staticmethod
    def forward(x, y):
        return x * y

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, ct):
        x, y = ctx.saved_tensors
        return ct * y, ct * x

    @staticmethod
    def jvp(ctx, dx, dy):
        x, y = ctx.saved_tensors
        return dx * y + x * dy


class Attribute(qd.Function):
    """Keeps an array as an attribute, where torch would lose it from second derivatives."""

    @staticmethod
    def forward(ctx, x):
        ctx.slope = np.cos(x)
        return np.sin(x)

    @staticmethod
    def backward(ctx, ct):
        return ct * ctx.slope


class OnlyAhead(qd.Function):
    """States forward mode alone."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_forward(x)
        return np.sin(x)

    @staticmethod
    def jvp(ctx, dx):
        return dx * np.cos(ctx.saved_tensors[0])


ONE = [
    pytest.param(Exp.apply, np.exp, id="saved result"),
    pytest.param(Cube.apply, lambda x: x**3, id="saved intermediate"),
    pytest.param(lambda x: Product.apply(x, x), lambda x: x * x, id="setup_context"),
    pytest.param(Attribute.apply, np.sin, id="attribute"),
    pytest.param(OnlyAhead.apply, np.sin, id="jvp only"),
]
POINT = np.array([0.3, -1.2, 2.0])


@pytest.mark.parametrize("f, plainly", ONE)
def test_every_mode(f, plainly):
    def loss(g):
        return lambda x: (g(2 * x) * x).sum()

    ours, theirs = loss(f), loss(plainly)
    v = np.array([1.0, 2.0, -1.0])
    close(qd.grad(ours)(POINT), qd.grad(theirs)(POINT))
    close(qd.jvp(ours, (POINT,), (v,))[1], qd.jvp(theirs, (POINT,), (v,))[1])
    close(qd.hessian(ours)(POINT), qd.hessian(theirs)(POINT))
    close(qd.jacfwd(qd.jacfwd(ours))(POINT), qd.hessian(theirs)(POINT))
    close(qd.jacrev(qd.jacrev(ours))(POINT), qd.hessian(theirs)(POINT))
    close(qd.vmap(qd.grad(f))(POINT), qd.vmap(qd.grad(plainly))(POINT))
    close(qd.jit(qd.grad(ours))(POINT), qd.grad(theirs)(POINT))
    close(qd.jit(qd.hessian(ours))(POINT), qd.hessian(theirs)(POINT))


@pytest.mark.parametrize("f, plainly", ONE)
def test_orders_on_the_tape(f, plainly):
    x = leaf(POINT)
    (first,) = qd.grad(f(x).sum(), x, create_graph=True)
    (second,) = qd.grad((first**2).sum(), x, create_graph=True)
    (third,) = qd.grad(second.sum(), x)
    y = leaf(POINT)
    (one,) = qd.grad(plainly(y).sum(), y, create_graph=True)
    (two,) = qd.grad((one**2).sum(), y, create_graph=True)
    (three,) = qd.grad(two.sum(), y)
    close(first, one)
    close(second, two)
    close(third, three)


def test_results_of_transforms_are_plain_arrays():
    assert type(qd.grad(lambda x: Exp.apply(x).sum())(POINT)) is np.ndarray
    assert type(qd.jvp(Exp.apply, (POINT,), (POINT,))[1]) is np.ndarray
    assert type(Exp.apply(POINT)) is np.ndarray


def test_double_backward_of_a_rule_that_is_not_the_derivative():
    class Straight(qd.Function):
        @staticmethod
        def forward(ctx, x):
            y = np.round(x)
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, ct):
            return ct * ctx.saved_tensors[0]

    x = leaf(2.2)
    (g,) = qd.grad(Straight.apply(x), x, create_graph=True)
    (again,) = qd.grad(g, x)  # the saved result is the call's own: its derivative is 2 once more
    assert (float(g.detach()), float(again)) == (2.0, 2.0)


def test_trees_and_keywords():
    seen = []

    class Scaled(qd.Function):
        @staticmethod
        def forward(ctx, parts, factor, *, shift, label="none"):
            ctx.save_for_backward(parts, factor)
            return {"y": parts["a"] * factor + shift, "label": label}

        @staticmethod
        def backward(ctx, ct):
            seen.append((ctx.needs_input_grad, ct["label"]))
            parts, factor = ctx.saved_tensors
            ct_parts = {"a": ct["y"] * factor, "b": None}
            return ct_parts, (ct["y"] * parts["a"]).sum(), ct["y"].sum(), None

    a, factor, shift = leaf([1.0, 2.0]), leaf(3.0), qd.tensor(1.0)
    result = Scaled.apply({"a": a, "b": "text"}, label="mine", shift=shift, factor=factor)
    assert result["label"] == "mine"
    result["y"].sum().backward()
    equal(a.grad, [3.0, 3.0])
    equal(factor.grad, 3.0)
    assert shift.grad is None
    assert seen == [((True, True, False, False), None)]


def test_several_results_and_missing_cotangents():
    seen = []

    class Both(qd.Function):
        @staticmethod
        def forward(ctx, x, materialize):
            ctx.set_materialize_grads(materialize)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, first, second):
            seen.append(second)
            return first * 2 if second is None else first * 2 + second * 3, None

    x = leaf([1.0, 2.0])
    Both.apply(x, True)[0].sum().backward()
    Both.apply(x, False)[0].sum().backward()
    equal(seen[0], [0.0, 0.0])
    assert seen[1] is None
    equal(x.grad, [4.0, 4.0])


def test_non_differentiable_results():
    class Sorted(qd.Function):
        @staticmethod
        def forward(ctx, x):
            order = np.argsort(x.detach())
            ranks = np.asarray(order, float)
            ctx.mark_non_differentiable(ranks)
            ctx.order = order
            return x[order], ranks, order

        @staticmethod
        def backward(ctx, ct, ct_ranks, ct_order):
            equal(ct_ranks, np.zeros(3))
            assert ct_order is None
            return ct[np.argsort(ctx.order)]

    x = leaf([3.0, 1.0, 2.0])
    y, ranks, order = Sorted.apply(x)
    assert y.requires_grad
    assert not ranks.requires_grad
    assert order.tolist() == [1, 2, 0]
    (y * np.array([1.0, 10.0, 100.0])).sum().backward()
    equal(x.grad, [100.0, 1.0, 10.0])


def test_dirty_inputs_move_the_callers_handle():
    class Increment(qd.Function):
        @staticmethod
        def forward(ctx, x):
            x += 1
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, ct):
            return ct * 10

    x = leaf([1.0, 2.0])
    y = x * 2
    z = Increment.apply(y)
    assert z is y
    equal(y.detach(), [3.0, 5.0])
    y.sum().backward()
    equal(x.grad, [20.0, 20.0])
    plain = np.array([1.0, 2.0])
    assert Increment.apply(plain) is plain
    equal(plain, [2.0, 3.0])


def test_inputs_that_forward_does_not_declare_stay_as_they_are():
    class Writes(qd.Function):
        @staticmethod
        def forward(ctx, x):
            x[0] = 7.0
            return x * 1

        @staticmethod
        def backward(ctx, ct):
            return ct

    plain = np.array([1.0, 2.0])
    Writes.apply(plain)
    equal(plain, [1.0, 2.0])


def test_cotangents_that_broadcasting_made_are_summed():
    class Outer(qd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx, ct):
            x, y = ctx.saved_tensors
            return ct * y, ct * x

    x, y = leaf(2.0), leaf([1.0, 2.0, 3.0])
    Outer.apply(x, y).sum().backward()
    equal(x.grad, 6.0)
    equal(y.grad, [2.0, 2.0, 2.0])


def test_a_rule_for_batches():
    seen = []

    class Batched(Exp):
        @staticmethod
        def vmap(info, in_dims, x):
            seen.append((info.batch_size, in_dims))
            return Exp.apply(x), 0

    equal(qd.vmap(Batched.apply)(POINT), np.exp(POINT))
    assert seen == [(3, (0,))]
    close(qd.grad(lambda x: qd.vmap(Batched.apply)(x).sum())(POINT), np.exp(POINT))
    close(qd.vmap(Batched.apply, in_axes=1, out_axes=1)(np.ones((2, 3))), np.exp(np.ones((2, 3))))


def test_complex_values_keep_torchs_convention():
    class Square(qd.Function):
        @staticmethod
        def forward(ctx, z):
            ctx.save_for_backward(z)
            return z * z

        @staticmethod
        def backward(ctx, ct):
            (z,) = ctx.saved_tensors
            return ct * 2 * np.conj(z)

    z = leaf(3 + 4j)
    w = leaf(3 + 4j)
    (np.abs(Square.apply(z)) ** 2).backward()
    (np.abs(w * w) ** 2).backward()
    close(z.grad, w.grad)


def test_custom_rules_call_one_another():
    @qd.custom_vjp
    def twice(x):
        return Exp.apply(x) + Exp.apply(x)

    twice.defvjp(lambda x: (twice(x), x), lambda x, ct: (2 * ct * Exp.apply(x),))

    class Around(qd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return twice(x)

        @staticmethod
        def backward(ctx, ct):
            return ct * twice(ctx.saved_tensors[0])

    close(qd.hessian(lambda x: Around.apply(x).sum())(POINT), np.diag(2 * np.exp(POINT)))


def test_what_was_saved_is_let_go_with_the_graph():
    kept = []

    class Keeps(qd.Function):
        @staticmethod
        def forward(ctx, x):
            held = np.asarray(x.detach()) * 2
            kept.append(weakref.ref(held))
            ctx.held = held
            return x * 1

        @staticmethod
        def backward(ctx, ct):
            return ct * ctx.held

    x = leaf(POINT)
    y = Keeps.apply(x).sum()
    assert kept[0]() is not None
    y.backward()
    gc.collect()
    assert kept[0]() is None


def test_recording_is_off_in_forward():
    class Asks(qd.Function):
        @staticmethod
        def forward(ctx, x):
            assert not x.requires_grad
            assert not (x * 2).requires_grad
            return x * 2

        @staticmethod
        def backward(ctx, ct):
            return ct * 2

    x = leaf(1.0)
    Asks.apply(x).backward()
    equal(x.grad, 2.0)


class Greedy(qd.Function):
    """Its rules write into what they find."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward([np.cos(x)])
        ctx.factor = np.ones(3)
        return np.sin(x)

    @staticmethod
    def backward(ctx, ct):
        ((slope,),) = ctx.saved_tensors
        slope *= ct
        ctx.factor *= 2.0
        return slope * ctx.factor / 2.0


def test_a_rule_may_write_into_what_was_saved():
    values = np.array([0.1, 0.2, 0.3])
    x = leaf(values)
    total = np.sum(Greedy.apply(x))
    for _ in range(3):
        close(qd.grad(total, x, retain_graph=True)[0].numpy(), np.cos(values))
    pullback = qd.vjp(Greedy.apply, values)[1]
    for _ in range(3):
        close(pullback(np.ones(3))[0], np.cos(values))


class Ranked(qd.Function):
    """Integers and booleans among its results, with something that `backward` reads."""

    @staticmethod
    def forward(ctx, x):
        y = np.exp(x)
        ctx.save_for_backward(y)
        return y, np.argsort(x), {"best": np.argmax(x), "above": x > 0.4}, 3, "name"

    @staticmethod
    def backward(ctx, ct, *others):
        assert others == (None, {"best": None, "above": None}, None, None)
        (y,) = ctx.saved_tensors
        return ct * y


def by_rank(x):
    y, order, found, three, _ = Ranked.apply(x)
    return np.sum(y * order * three) + found["best"] * y[0] + np.sum(y * found["above"])


def test_results_that_are_integers_are_those_of_the_values():
    x = np.array([0.5, 0.3, 0.9])

    def plainly(x):
        y = np.exp(x)
        return np.sum(y * np.argsort(x) * 3) + np.argmax(x) * y[0] + np.sum(y * (x > 0.4))

    close(by_rank(x), plainly(x))
    close(qd.jit(by_rank)(x), plainly(x))
    close(qd.vmap(by_rank)(np.stack([x, -x])), [plainly(x), plainly(-x)])
    wanted = qd.grad(plainly)(x)
    close(qd.grad(by_rank)(x), wanted)
    close(qd.jit(qd.grad(by_rank))(x), wanted)
    close(qd.jacfwd(by_rank)(x), wanted)
    close(qd.jit(qd.hessian(by_rank))(x), qd.hessian(plainly)(x))


def test_results_that_are_integers_are_plain_where_they_are_known():
    x = leaf(np.array([0.5, 0.3]))
    _, order, found, three, name = Ranked.apply(x)
    assert (type(order), type(found["best"]), three, name) == (np.ndarray, np.int64, 3, "name")
    kinds = []
    qd.grad(lambda x: kinds.append(type(Ranked.apply(x)[1])) or Ranked.apply(x)[0].sum())(
        np.ones(2)
    )
    assert kinds == [np.ndarray]


class Cubed(qd.Function):
    """What `backward` reads beside the input is a number, of NumPy's."""

    @staticmethod
    def forward(ctx, x):
        s = np.sum(x * x)
        ctx.save_for_backward(x, s)
        ctx.total = np.sum(x)
        return s * x + ctx.total

    @staticmethod
    def backward(ctx, ct):
        x, s = ctx.saved_tensors
        return ct * s + 2 * x * (ct @ x) + np.sum(ct) * (ctx.total / np.sum(x))


def test_numbers_that_are_saved_are_those_of_the_values():
    x = np.array([0.3, 0.5])

    def plainly(x):
        return np.sum(np.sin(np.sum(x * x) * x + np.sum(x)))

    def by_rule(x):
        return np.sum(np.sin(Cubed.apply(x)))

    close(qd.jit(qd.grad(by_rule))(x), qd.grad(plainly)(x))
    close(qd.jit(qd.hessian(by_rule))(x), qd.hessian(plainly)(x))
    t = leaf(x)
    (g,) = qd.grad(by_rule(t), t, create_graph=True)
    close(qd.grad(g @ x, t)[0], qd.hessian(plainly)(x) @ x)


class AtLargest(qd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.k = int(np.argmax(x))
        return x[ctx.k] * x

    @staticmethod
    def backward(ctx, ct):
        (x,) = ctx.saved_tensors
        return ct * x[ctx.k] + (ct @ x) * np.eye(2)[ctx.k]


def test_what_was_found_for_types_alone_is_no_value():
    x = np.array([0.3, 0.5])
    f = qd.grad(lambda x: np.sum(AtLargest.apply(x)))
    close(f(x), [0.5, 1.3])
    with pytest.raises(GradientError, match="forward saved a value"):
        qd.trace(f)(x)


class Inverse(qd.Function):
    @staticmethod
    def forward(ctx, a):
        y = np.linalg.inv(a)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, ct):
        (y,) = ctx.saved_tensors
        return -(y.T @ ct @ y.T)


def test_a_traced_function_is_not_run_on_zeros():
    a = np.array([[2.0, 0.5], [0.3, 3.0]])
    close(qd.jit(Inverse.apply)(a), np.linalg.inv(a))
    wanted = qd.grad(lambda a: np.sum(np.linalg.inv(a)))(a)
    close(qd.jit(qd.grad(lambda a: np.sum(Inverse.apply(a))))(a), wanted)


class Doubled(qd.Function):
    """Writes into its argument."""

    @staticmethod
    def forward(ctx, x):
        x *= 2
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, ct):
        return 2 * ct


@pytest.mark.parametrize("swept", [False, True])
@pytest.mark.parametrize("rule", [Exp, Doubled])
def test_a_call_makes_no_cycle(rule, swept):
    gc.collect()
    gc.disable()
    try:
        x = leaf([1.0, 2.0]) * 1
        y = rule.apply(x)
        kept = [weakref.ref(part) for part in (x, y, y.grad_fn)]
        if swept:
            y.sum().backward()
        del x, y
        assert [ref() for ref in kept] == [None, None, None]
    finally:
        gc.enable()


class Shifted(qd.Function):
    """Saves nothing."""

    forward = staticmethod(lambda ctx, x, scale: x * scale)
    backward = staticmethod(lambda ctx, ct: (2 * ct, None))


@pytest.mark.parametrize("rule", [Exp.apply, lambda x: Shifted.apply(x, 2.0)])
def test_a_freed_graph_keeps_no_argument(rule):
    x = leaf([1.0, 2.0]) * 1
    value = weakref.ref(x.value)
    y = rule(x)
    del x
    y.sum().backward(retain_graph=True)
    assert value() is not None
    y.sum().backward()
    assert value() is None
