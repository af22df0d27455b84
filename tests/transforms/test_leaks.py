"""A value that was kept when its transform had ended is refused, where it would lose a gradient."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.core.errors import LeakError

AT = np.array([1.0, 2.0, 3.0])


def over_scan(f, y):
    return qd.scan(lambda c, row: (c + f(row * y), None), 0.0, np.ones((2, 3)))[0]


def over_cond(f, y):
    return qd.cond(y[0] > 0, f, f, y)


def over_while(f, y):
    start = (0.0, 0)
    return qd.while_loop(lambda s: s[1] < 2, lambda s: (s[0] + f(y), s[1] + 1), start)[0]


def by_levels(f):
    with qd.forward_ad.dual_level():
        return qd.forward_ad.unpack_dual(f(qd.forward_ad.make_dual(AT, AT)))


WAYS = {
    "grad": lambda f: qd.grad(f)(AT),
    "value_and_grad": lambda f: qd.value_and_grad(f)(AT),
    "vjp": lambda f: qd.vjp(f, AT),
    "jacrev": lambda f: qd.jacrev(f)(AT),
    "jvp": lambda f: qd.jvp(f, (AT,), (AT,)),
    "jacfwd": lambda f: qd.jacfwd(f)(AT),
    "hvp": lambda f: qd.hvp(f, AT, AT),
    "hessian": lambda f: qd.hessian(f)(AT),
    "linearize": lambda f: qd.linearize(f, AT),
    "jet": lambda f: qd.jet(f, (AT,), ([AT, AT],)),
    "vmap": lambda f: qd.vmap(f)(np.stack([AT, AT])),
    "vmap of grad": lambda f: qd.vmap(qd.grad(f))(np.stack([AT, AT])),
    "grad of vmap": lambda f: qd.grad(lambda y: qd.vmap(f)(y).sum())(np.stack([AT, AT])),
    "jit": lambda f: qd.jit(lambda y: f(y))(AT),
    "jit of grad": lambda f: qd.jit(qd.grad(f))(AT),
    "grad of jit": lambda f: qd.grad(qd.jit(lambda y: f(y)))(AT),
    "forward_ad": by_levels,
    "grad of scan": lambda f: qd.grad(lambda y: over_scan(f, y))(AT),
    "jit of scan": lambda f: qd.jit(lambda y: over_scan(f, y))(AT),
    "grad of cond": lambda f: qd.grad(lambda y: over_cond(f, y))(AT),
    "jit of cond": lambda f: qd.jit(lambda y: over_cond(f, y))(AT),
    "grad of while_loop": lambda f: qd.grad(lambda y: over_while(f, y))(AT),
    "jit of while_loop": lambda f: qd.jit(lambda y: over_while(f, y))(AT),
}


def caching():
    """A function that computes a part once, and takes it from a cache from then on."""
    cache = {}

    def f(x):
        if "part" not in cache:
            cache["part"] = np.sin(x)
        return np.sum(cache["part"] * x)

    return f


@pytest.mark.parametrize("way", WAYS)
def test_a_value_kept_from_an_earlier_call(way):
    f = caching()

    def twice():
        WAYS[way](f)  # which raises by itself where a body is traced more than once
        WAYS[way](f)

    with pytest.raises(LeakError, match="of a call that has ended"):
        twice()


@pytest.mark.parametrize("later", ["grad", "vjp", "jvp", "linearize", "jet", "vmap", "jit"])
@pytest.mark.parametrize("earlier", ["grad", "jvp", "linearize", "jet", "vmap", "jit"])
def test_a_value_kept_from_one_transform_in_another(earlier, later):
    f = caching()
    WAYS[earlier](f)
    with pytest.raises(LeakError):
        WAYS[later](f)


@pytest.mark.parametrize("later", ["grad", "vjp", "jvp", "linearize", "jet", "vmap"])
@pytest.mark.parametrize("earlier", ["grad", "jvp", "linearize", "jet", "vmap", "jit"])
def test_a_value_kept_is_no_argument(earlier, later):
    kept = []

    def f(x):
        kept.append(np.sin(x))
        return np.sum(x)

    WAYS[earlier](f)
    ways = {
        "grad": lambda x: qd.grad(np.sum)(x),
        "vjp": lambda x: qd.vjp(np.sum, x),
        "jvp": lambda x: qd.jvp(np.sum, (AT,), (x[:3],)),
        "linearize": lambda x: qd.linearize(np.sum, x),
        "jet": lambda x: qd.jet(np.sum, (x,), ([x],)),
        "vmap": lambda x: qd.vmap(np.sum)(x),
    }
    with pytest.raises(LeakError):
        ways[later](kept[0])


def test_the_message_names_the_line_that_computed_the_value():
    f = caching()
    qd.grad(f)(AT)
    with pytest.raises(LeakError, match=r"grad.*test_leaks\.py:\d+ \(`cache\[\"part\"\] = np\.sin"):
        qd.grad(f)(AT)


@pytest.mark.parametrize("act", [float, np.asarray, qd.tensor])
def test_a_value_kept_is_not_converted(act):
    kept = []

    def f(x):
        kept.append(np.sum(np.sin(x)))
        return np.sum(x)

    qd.grad(f)(AT)
    with pytest.raises(LeakError):
        act(kept[0])


# What stays right


@pytest.mark.parametrize("way", ["grad", "vjp", "jvp", "linearize", "jet"])
def test_what_was_detached_is_a_constant(way):
    kept = []

    def f(x):
        kept.append(np.sin(x).detach())
        return np.sum(x * x)

    WAYS[way](f)
    close(qd.grad(lambda x: np.sum(x * kept[0]))(AT), np.sin(AT))
    close(qd.jvp(lambda x: np.sum(x * kept[0]), (AT,), (AT,))[1], AT @ np.sin(AT))
    close(qd.vmap(lambda x: x * kept[0][0])(AT), AT * np.sin(1.0))
    close(qd.jit(lambda x: x * kept[0])(AT), AT * np.sin(AT))


@pytest.mark.parametrize(
    "run",
    [
        lambda f: qd.grad(f, has_aux=True)(AT)[1],
        lambda f: qd.value_and_grad(f, has_aux=True)(AT)[0][1],
        lambda f: qd.vjp(f, AT, has_aux=True)[2],
        lambda f: qd.jvp(f, (AT,), (AT,), has_aux=True)[2],
        lambda f: qd.jacrev(f, has_aux=True)(AT)[1],
        lambda f: qd.jacfwd(f, has_aux=True)(AT)[1],
        lambda f: qd.hessian(f, has_aux=True)(AT)[1],
    ],
    ids=["grad", "value_and_grad", "vjp", "jvp", "jacrev", "jacfwd", "hessian"],
)
def test_what_is_returned_beside_the_result_is_plain(run):
    aux = run(lambda x: (np.sum(x * x), {"sines": np.sin(x), "none": None, "text": ["a", 1]}))
    assert type(aux["sines"]) is np.ndarray
    close(aux["sines"], np.sin(AT))
    assert (aux["none"], aux["text"]) == (None, ["a", 1])
    close(qd.grad(lambda x: np.sum(x * aux["sines"]))(AT), np.sin(AT))


def test_to_the_outer_gradient_an_inner_value_is_a_value():
    def outer(x):
        kept = []

        def inner(y):
            kept.append(y * y)
            return np.sum(y**3)

        slopes = qd.grad(inner)(x)
        return np.sum(slopes * kept[0]) + qd.jvp(np.sum, (kept[0],), (x,))[0]

    close(qd.grad(outer)(AT), 12 * AT**3 + 2 * AT)


def test_an_outer_array_that_inner_gradients_write_into():
    def outer(x):
        work = np.zeros_like(x)
        last = work[2:]

        def inner(y):
            work[...] = y * x
            last[...] = last * 2
            return work.sum()

        first, second = qd.grad(inner)(x), qd.grad(inner)(2 * x)
        return np.sum(first * second * work)

    scale = np.array([1.0, 1.0, 8.0])  # 2 in both slopes and in what was written last
    close(qd.grad(outer)(AT), scale * 4 * 2 * AT**3)


def test_a_hook_may_read_what_the_function_computed_and_take_gradients():
    def f(x):
        y = np.sin(x)
        y.register_hook(lambda g: g * y + qd.grad(lambda t: np.sum(t * t))(y))
        return np.sum(y * x)

    close(qd.grad(f)(AT), (AT * np.sin(AT) + 2 * np.sin(AT)) * np.cos(AT) + np.sin(AT))
    close(qd.vjp(f, AT)[1](1.0)[0], qd.grad(f)(AT))


def test_a_transform_in_another_thread_may_use_what_is_being_differentiated():
    def f(x):
        with ThreadPoolExecutor(2) as pool:
            parts = list(pool.map(lambda k: qd.grad(lambda y: np.sum(y**k))(x), [2, 3]))
        return np.sum(parts[0] * parts[1])

    close(qd.grad(f)(AT), 18 * AT**2)


def test_a_pullback_in_several_threads_at_once():
    y, pull = qd.vjp(qd.checkpoint(lambda x: np.sin(x) * qd.grad(np.sum)(x)), AT)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda k: pull(k * y)[0], range(20)))
    for k, g in enumerate(found):
        close(g, k * y * np.cos(AT))


def test_a_constant_of_a_tape_inside_a_transform_may_be_kept():
    table = []

    def f(x):
        if not table:
            table.append(qd.tensor([1.0, 2.0, 3.0]))
        return np.sum(table[0] * x)

    for _ in range(2):
        found = qd.grad(f)(AT)
        assert type(found) is np.ndarray
        close(found, AT)
    found = qd.jvp(f, (AT,), (AT,))
    close(found, (AT @ AT, AT @ AT))


def test_a_leaf_of_a_tape_inside_a_transform_may_not():
    leaves = []

    def f(x):
        if not leaves:
            leaves.append(qd.tensor(2.0, requires_grad=True))
        return np.sum(leaves[0] * x)

    close(qd.grad(f)(AT), [2.0, 2.0, 2.0])
    with pytest.raises(LeakError, match="tape inside a transform"):
        qd.grad(f)(AT)


def test_an_error_ends_a_transform_too():
    kept = []

    def fails(x):
        kept.append(x * 2)
        raise KeyboardInterrupt

    for run in (WAYS["grad"], WAYS["jvp"], WAYS["vmap"], WAYS["jet"], WAYS["jit"]):
        kept.clear()
        with pytest.raises(KeyboardInterrupt):
            run(fails)
        with pytest.raises(LeakError):
            qd.grad(lambda x: np.sum(x * kept[0]))(AT)


def test_a_rule_may_take_gradients_of_cotangents_that_come_in_a_batch():
    ruled = qd.custom_vjp(lambda x: x * 1.0)
    ruled.defvjp(lambda x: (x * 1.0, x), lambda x, ct: (qd.grad(lambda t: np.sum(t * t))(ct),))
    x = qd.tensor(AT, requires_grad=True)
    (found,) = qd.grad(ruled(x), x, qd.tensor(np.eye(3)), is_grads_batched=True)
    close(found, 2 * np.eye(3))
