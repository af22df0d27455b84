"""Gradients inside gradients, inside hooks, in several threads, and tracers that got away."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf


def test_grad_of_a_function_inside_a_hook():
    x = leaf(2.0)
    x.register_hook(lambda g: g * qd.grad(lambda t: t**3)(2.0))
    (5 * x).backward()
    close(x.grad, 60.0)


def test_backward_of_another_graph_inside_a_hook():
    x, w = leaf(2.0), leaf(3.0)

    def hook(gradient):
        with qd.enable_grad():
            (w * w).backward()

    x.register_hook(hook)
    (5 * x).backward()
    close(x.grad, 5.0)
    close(w.grad, 6.0)


def test_a_sweep_of_the_same_graph_inside_a_hook():
    x = leaf(2.0)
    y = x * x
    seen = []
    handle = y.register_hook(
        lambda g: handle.remove() or seen.append(float(qd.grad(y, x, retain_graph=True)[0]))
    )
    (3 * y).backward()
    assert seen == [4.0]
    close(x.grad, 12.0)


def test_grad_of_a_function_while_the_tape_records():
    x = leaf(2.0)
    y = x * qd.grad(lambda t: t**3)(3.0)
    close(qd.grad(y, x)[0], 27.0)


def test_grad_of_a_function_of_a_tensor_stays_on_the_tape():
    x = leaf(2.0)
    slope = qd.grad(lambda t: t**3)(x)
    close(slope, 12.0)
    close(qd.grad(slope, x)[0], 12.0)


def test_a_function_that_closes_over_a_tensor():
    x = leaf(2.0)
    slope = qd.grad(lambda t: t * t * x)(5.0)
    close(slope, 20.0)
    close(qd.grad(slope, x)[0], 10.0)


def test_a_function_that_closes_over_its_own_argument():
    x = leaf(2.0)
    slope = qd.grad(lambda t: t * x)(x)  # d(t x)/dt at t = x, with x held
    close(slope, 2.0)
    close(qd.grad(slope, x)[0], 1.0)


# Threads


def test_gradients_in_several_threads_at_once():
    def work(seed):
        rng = np.random.default_rng(seed)
        data, found = rng.normal(size=50), []
        for _ in range(20):
            x = leaf(data)
            (np.sin(x) * x).sum().backward()
            inner = qd.grad(lambda t: (t * t * data).sum())(data)
            found.append(np.allclose(x.grad, np.cos(data) * data + np.sin(data))
                         and np.allclose(inner, 2 * data * data))  # fmt: skip
        return all(found)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(16)))


def test_threads_add_to_one_leaf():
    x = leaf(np.zeros(3))

    def work(_):
        for _ in range(50):
            (x * 2).sum().backward()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    close(x.grad, np.full(3, 400.0))


def test_one_graph_swept_by_several_threads():
    x = leaf(np.linspace(0, 1, 20))
    y = (np.sin(x) ** 2).sum()

    def work(_):
        return qd.grad(y, x, retain_graph=True)[0].numpy()

    with ThreadPoolExecutor(4) as pool:
        for g in pool.map(work, range(12)):
            close(g, np.sin(2 * np.linspace(0, 1, 20)))


def test_a_graph_recorded_in_one_thread_is_swept_in_another():
    x = leaf(2.0)
    y = x**3
    found = []
    thread = threading.Thread(target=lambda: found.append(qd.grad(y, x)[0].item()))
    thread.start()
    thread.join()
    assert found == [12.0]


# Tracers that outlive their transform


def leaked(transform):
    kept = []

    def f(x):
        kept.append(x * 2)
        return x * x

    transform(f)
    return kept[0]


LEAKS = {
    "grad": lambda f: qd.grad(f)(3.0),
    "jvp": lambda f: qd.jvp(f, (3.0,), (1.0,)),
    "jet": lambda f: qd.jet(f, (3.0,), ([1.0],)),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_leaked_tracer_can_be_read(name):
    tracer = leaked(LEAKS[name])
    assert tracer.item() == 6.0
    assert bool(tracer > 5)
    assert repr(tracer)


@pytest.mark.parametrize("name", LEAKS)
def test_a_leaked_tracer_is_a_constant_to_later_transforms(name):
    tracer = leaked(LEAKS[name])
    close(qd.grad(lambda x: (x * tracer).detach().item() * 0.0 + x)(2.0), 1.0)
    _, slope = qd.jvp(lambda x: x * tracer.detach().item(), (1.0,), (1.0,))
    close(slope, 6.0)


def test_a_leaked_tensor_has_no_backward():
    tracer = leaked(LEAKS["grad"])
    with pytest.raises(RuntimeError, match="of a call that has ended"):
        tracer.backward()


def test_a_leaked_batch_can_be_shown():
    assert "one of 2" in repr(leaked(lambda f: qd.vmap(f)(np.ones(2))))


def test_an_error_inside_a_transform_leaves_the_thread_as_it_was():
    def fail(x):
        qd.set_grad_enabled(False)
        raise KeyError

    for run in (
        lambda: qd.grad(fail)(1.0),
        lambda: qd.jvp(fail, (1.0,), (1.0,)),
        lambda: qd.vmap(fail)(np.ones(2)),
        lambda: qd.linearize(fail, 1.0),
        lambda: qd.jet(fail, (1.0,), ([1.0],)),
    ):
        with pytest.raises(KeyError):
            run()
        assert qd.is_grad_enabled()
        assert qd.tensor(1.0).level == 0


@pytest.mark.parametrize("way", [qd.grad, qd.jacfwd, lambda f: qd.vmap(qd.grad(f))])
def test_a_deepcopy_within_a_transform_is_a_copy_that_stays_in_it(way):
    def f(x):
        y = copy.deepcopy(x)
        x[0] = 0.0
        return np.sum(y * y)

    x = np.array([3.0, 2.0])
    given = x[None] if way not in (qd.grad, qd.jacfwd) else x
    close(way(f)(given), 2 * given)


def test_a_constant_of_the_tape_scales_a_dual_in_place():
    def f(x):
        y = np.sin(x)
        y *= qd.tensor(2.0)
        return y

    close(qd.jvp(f, (0.5,), (1.0,))[1], 2 * np.cos(0.5))
