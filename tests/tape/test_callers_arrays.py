"""Arrays of the caller's that a rule reads later are copied, or watched when they are huge."""

import tracemalloc

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf
from qiudao.core.errors import MutationError

LARGE = (1 << 21) + 5  # more than the 16 MiB that are copied


@pytest.mark.parametrize(
    "use",
    [
        lambda x, a: x * a,
        lambda x, a: a * x,
        lambda x, a: x / a,
        lambda x, a: a / x,
        lambda x, a: np.multiply(a, x),
        lambda x, a: x**a,
        lambda x, a: np.stack([x, x]) @ np.stack([x, a]).T,
        lambda x, a: np.where(a > 1, x, 2 * x),
        lambda x, a: np.hypot(x, a),
    ],
)
def test_an_array_may_be_changed_after_it_was_used(use):
    data = np.array([1.0, 2.0, 3.0])
    x = leaf([0.5, 1.5, 2.5])
    y = use(x, data.copy()).sum()
    (wanted,) = qd.grad(y, x)
    y = use(x, data).sum()
    data[...] = -50.0
    close(qd.grad(y, x)[0], wanted.numpy())


@pytest.mark.parametrize("size", [3, 5000, 50_000])
def test_each_use_keeps_the_array_as_it_was_then(size):
    data = np.ones(size)
    x = leaf(np.ones(size))
    y = x * data
    data *= 2
    z = x * data
    data *= 2
    close(qd.grad((y + z).sum(), x)[0], np.full(size, 3.0))


def test_an_array_that_is_used_many_times_is_copied_once():
    data = np.ones(100_000)
    x = leaf(np.ones(100_000))
    tracemalloc.start()
    try:
        products = [x * data for _ in range(30)]
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 35 * data.nbytes  # 30 results and one copy
    del products


def test_an_index_array_may_be_changed_after_it_was_used():
    x = leaf([1.0, 2.0, 3.0])
    index = np.array([0, 0, 1])
    y = (x[index] ** 2).sum()
    index[...] = 2
    close(qd.grad(y, x)[0], [4.0, 4.0, 0.0])


def test_a_mask_may_be_changed_after_it_was_used():
    x = leaf(np.ones(LARGE))
    mask = np.arange(LARGE) % 2 == 0
    y = np.where(mask, x, 3 * x).sum()
    wanted = np.where(mask, 1.0, 3.0)
    mask[...] = True
    close(qd.grad(y, x)[0], wanted)


@pytest.mark.parametrize("use", [lambda x, a: x * a, lambda x, a: a / x, np.hypot])
def test_a_large_array_that_was_changed_is_an_error(use):
    data = np.ones(LARGE)
    x = leaf(np.ones(LARGE))
    y = use(x, data).sum()
    data[-1] = 2.0
    with pytest.raises(RuntimeError, match="was changed after it was used; pass a copy"):
        y.backward()
    assert x.grad is None


@pytest.mark.parametrize(
    "change",
    [
        lambda a: np.negative(a, out=a),
        lambda a: a.sort(),
        lambda a: a.__setitem__(slice(0, 2), a[1::-1].copy()),
        lambda a: a.__setitem__(7, np.nan),
        lambda a: np.random.default_rng(0).shuffle(a),
    ],
    ids=["sign", "sort", "swap", "nan", "shuffle"],
)
def test_every_kind_of_change_is_seen(change):
    data = np.random.default_rng(0).normal(size=LARGE)
    x = leaf(np.ones(LARGE))
    y = (x * data).sum()
    change(data)
    with pytest.raises(RuntimeError, match="was changed"):
        y.backward()


def test_a_large_array_that_was_not_changed_is_read():
    data = np.linspace(0, 1, LARGE)
    x = leaf(np.ones(LARGE))
    y = (x * data).sum()
    y.backward()
    close(x.grad, data)


def test_a_change_that_was_undone_is_none():
    data = np.ones(LARGE)
    x = leaf(np.ones(LARGE))
    y = (x * data).sum()
    data[0] = 5.0
    data[0] = 1.0
    y.backward()
    close(x.grad, np.ones(LARGE))


def test_an_array_that_no_rule_reads_may_be_changed():
    data = np.ones(LARGE)
    x = leaf(np.ones(LARGE))
    y = (x + data).sum()
    data[...] = 5.0
    y.backward()
    close(x.grad, np.ones(LARGE))


def test_a_large_transposed_array_is_watched():
    data = np.ones((3000, 1000)).T
    x = leaf(np.ones((1000, 3000)))
    y = (x * data).sum()
    data[0, 1] = 5.0
    with pytest.raises(RuntimeError, match="was changed"):
        y.backward()


def test_the_array_behind_a_subclass_is_watched(tmp_path):
    data = np.memmap(tmp_path / "data", float, "w+", shape=(LARGE,))
    x = leaf(np.ones(LARGE))
    y = (x * data).sum()
    data[0] = 5.0
    with pytest.raises(RuntimeError, match="was changed"):
        y.backward()


@pytest.mark.parametrize("size", [3, LARGE])
def test_the_argument_of_vjp_is_kept_or_watched(size):
    data = np.linspace(1, 2, size)
    _, pull = qd.vjp(lambda x: (x * x).sum(), data)
    wanted = 2 * data
    data[0] = 50.0
    if size == LARGE:
        with pytest.raises(RuntimeError, match="argument of vjp was changed"):
            pull(1.0)
    else:
        close(pull(1.0)[0], wanted)


@pytest.mark.parametrize("size", [3, LARGE])
def test_an_array_that_a_function_under_vjp_reads_is_kept_or_watched(size):
    data = np.linspace(1, 2, size)
    wanted = data.copy()
    _, pull = qd.vjp(lambda x: (x * data).sum(), np.ones(size))
    data[0] = 50.0
    if size == LARGE:
        with pytest.raises(RuntimeError, match="was changed after it was used"):
            pull(1.0)
    else:
        close(pull(1.0)[0], wanted)


@pytest.mark.parametrize("size", [3, LARGE])
@pytest.mark.parametrize("f", [lambda x, a: (x * a).sum(), lambda x, a: (x * x).sum()])
def test_what_linearize_reads_is_kept_or_watched(size, f):
    x, a = np.linspace(1, 2, size), np.linspace(3, 4, size)
    _, push = qd.linearize(lambda x: f(x, a), x)
    wanted = push(np.ones(size))
    x[0] = a[0] = 50.0
    if size == LARGE:
        with pytest.raises(RuntimeError, match=r"linearize: an array .* was changed"):
            push(np.ones(size))
    else:
        close(push(np.ones(size)), wanted)


def filled_again(size):
    """A sum of x^2 (b + x), b first 1 and then 2, for which one buffer serves."""
    buffer = np.empty(size)

    def f(x):
        total = 0.0
        for k in (1.0, 2.0):
            buffer[:] = k
            total = total + np.sum(x * buffer * x)
        return total

    return f


RUNS = {
    "grad": lambda f, x: qd.grad(f)(x),
    "value_and_grad": lambda f, x: qd.value_and_grad(f)(x)[1],
    "checkpoint": lambda f, x: qd.grad(qd.checkpoint(f))(x),
    "vjp": lambda f, x: qd.vjp(f, x)[1](1.0)[0],
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_a_buffer_that_is_filled_again_is_kept_or_watched(run):
    close(run(filled_again(4), np.ones(4)), np.full(4, 6.0))
    with pytest.raises(MutationError, match=r"array that multiply at .* was changed after it was"):
        run(filled_again(LARGE), np.ones(LARGE))


@pytest.mark.parametrize("size", [3, LARGE])
@pytest.mark.parametrize("derive", [qd.grad, qd.value_and_grad])
def test_an_argument_that_the_function_changes_is_kept_or_watched(size, derive):
    data = np.ones(size)

    def f(x):
        value = np.sum(x**3)
        data[0] = 50.0
        return value

    if size == LARGE:
        with pytest.raises(MutationError, match="grad: an argument was changed while the function"):
            derive(f)(data)
    else:
        found = derive(f)(data)
        close(found if derive is qd.grad else found[1], np.full(size, 3.0))


def test_a_cotangent_may_be_changed_after_the_sweep():
    x, ct = leaf([1.0, 2.0]), np.ones(2)
    (slope,) = qd.grad(x**3, x, ct, create_graph=True)
    (same,) = qd.grad(x + 1, x, ct)
    (x + 1).backward(ct)
    ct[...] = 100.0
    close(qd.grad(slope.sum(), x)[0], [6.0, 12.0])
    close(same, [1.0, 1.0])
    close(x.grad, [1.0, 1.0])


def test_a_batch_of_cotangents_may_be_changed_after_the_sweep():
    x, cts = leaf([1.0, 2.0]), np.eye(2)
    (found,) = qd.grad(x + 1, x, cts, is_grads_batched=True)
    cts[...] = 100.0
    close(found, np.eye(2))


def test_a_buffer_that_a_hook_answers_with_may_serve_again():
    x, buffer = leaf([1.0, 2.0]), np.zeros(2)
    x.register_hook(lambda g: np.multiply(g, 2, out=buffer))
    (x * 1).sum().backward()
    (x * 3).sum().backward()
    close(x.grad, [8.0, 8.0])


def test_a_buffer_that_a_hook_of_a_node_answers_with_may_serve_again():
    x, buffer = leaf([1.0, 2.0]), np.zeros(2)
    for factor in (1, 3):
        y = x + 0
        y.grad_fn.register_hook(lambda grads, cts: (np.multiply(grads[0], 2, out=buffer), None))
        (y * factor).sum().backward()
    close(x.grad, [8.0, 8.0])


class Doubled(qd.Function):
    """2 x, value and cotangent each in a buffer that serves every call."""

    value, cotangent = np.zeros(2), np.zeros(2)

    @staticmethod
    def forward(ctx, x):
        return np.multiply(x.detach().numpy(), 2, out=Doubled.value)

    @staticmethod
    def backward(ctx, ct):
        return np.multiply(ct.numpy(), 2, out=Doubled.cotangent)


def doubled_by_rule():
    value, cotangent = np.zeros(2), np.zeros(2)
    doubled = qd.custom_vjp(lambda x: np.multiply(x, 2, out=value))
    return doubled.defvjp(
        lambda x: (np.multiply(x, 2, out=value), None),
        lambda kept, ct: (np.multiply(ct, 2, out=cotangent),),
    )


@pytest.mark.parametrize("doubled", [Doubled.apply, doubled_by_rule()], ids=["class", "function"])
def test_a_rule_of_the_users_may_use_its_buffers_again(doubled):
    x, other = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y, z = doubled(x), doubled(other)
    close(y, [2.0, 4.0])
    (y * y).sum().backward()
    (5 * z).sum().backward()
    close(x.grad, [8.0, 16.0])
    close(other.grad, [10.0, 10.0])


def test_a_policy_of_accumulation_may_use_its_buffer_again():
    x, z, buffer = leaf([1.0, 2.0]), leaf([1.0, 2.0]), np.zeros(2)
    (found, other) = qd.grad(
        (x + 3 * x + 5 * z + z).sum(), [x, z], accumulate=lambda ts: np.add(*ts, out=buffer)
    )
    close(found, [4.0, 4.0])
    close(other, [6.0, 6.0])


@pytest.mark.parametrize("place", [0, 1])
def test_a_policy_of_accumulation_may_write_into_its_terms(place):
    x, z = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    found = qd.grad(
        (x + z) + 3 * x, [x, z], np.ones(2), accumulate=lambda ts: np.add(*ts, out=ts[place])
    )
    close(found[0], [4.0, 4.0])
    close(found[1], [1.0, 1.0])
