"""no_grad, enable_grad and set_grad_enabled: blocks, decorators, nesting, errors, threads."""

import asyncio
import threading

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf


def recorded(x):
    return (x * 2).requires_grad


def test_no_grad_stops_recording_within_its_block():
    x = leaf(1.0)
    with qd.no_grad():
        assert not recorded(x)
    assert recorded(x)


def test_no_grad_leaves_values_as_they_are():
    with qd.no_grad():
        close(leaf(3.0) * 2, 6.0)


def test_enable_grad_records_inside_no_grad():
    x = leaf(1.0)
    with qd.no_grad(), qd.enable_grad():
        assert recorded(x)


def test_modes_nest():
    states = []
    with qd.no_grad():
        states.append(qd.is_grad_enabled())
        with qd.enable_grad():
            states.append(qd.is_grad_enabled())
            with qd.no_grad():
                states.append(qd.is_grad_enabled())
            states.append(qd.is_grad_enabled())
        states.append(qd.is_grad_enabled())
    assert states == [False, True, False, True, False]
    assert qd.is_grad_enabled()


def test_one_object_may_be_entered_twice():
    mode = qd.no_grad()
    with mode:
        with mode:
            assert not qd.is_grad_enabled()
        assert not qd.is_grad_enabled()
    assert qd.is_grad_enabled()


@pytest.mark.parametrize("mode", [qd.no_grad, qd.enable_grad])
def test_an_exception_ends_the_mode(mode):
    def fail():
        with mode():
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert qd.is_grad_enabled()


@pytest.mark.parametrize("decorate", [qd.no_grad, qd.no_grad()])
def test_no_grad_decorates_with_and_without_parentheses(decorate):
    @decorate
    def f(x):
        """Doubled."""
        return x * 2

    assert f.__doc__ == "Doubled."
    assert not f(leaf(1.0)).requires_grad
    assert qd.is_grad_enabled()


def test_enable_grad_decorates():
    f = qd.enable_grad(recorded)
    with qd.no_grad():
        assert f(leaf(1.0))


def test_a_decorated_function_may_recurse():
    @qd.no_grad()
    def depth(n):
        assert not qd.is_grad_enabled()
        return n if n == 0 else 1 + depth(n - 1)

    assert depth(3) == 3
    assert qd.is_grad_enabled()


def test_a_decorated_generator_runs_its_own_code_in_the_mode():
    @qd.no_grad
    def numbers():
        sent = yield qd.is_grad_enabled()
        yield sent, qd.is_grad_enabled()
        return "end"

    generator = numbers()
    assert next(generator) is False
    assert qd.is_grad_enabled()
    assert generator.send(5) == (5, False)
    with pytest.raises(StopIteration, match="end"):
        next(generator)
    assert qd.is_grad_enabled()


def test_an_error_thrown_into_a_decorated_generator_reaches_it():
    @qd.no_grad
    def careful():
        try:
            yield 1
        except KeyError:
            yield qd.is_grad_enabled()

    generator = careful()
    next(generator)
    assert generator.throw(KeyError) is False


def test_what_a_decorated_generator_does_when_it_is_closed_runs_in_the_mode():
    states = []

    @qd.no_grad
    def careful():
        try:
            yield 1
        finally:
            states.append(qd.is_grad_enabled())

    generator = careful()
    next(generator)
    generator.close()
    assert states == [False]
    assert qd.is_grad_enabled()


def test_set_grad_enabled_acts_at_once():
    qd.set_grad_enabled(False)
    try:
        assert not qd.is_grad_enabled()
    finally:
        qd.set_grad_enabled(True)
    assert qd.is_grad_enabled()


@pytest.mark.parametrize("mode", [True, False])
def test_set_grad_enabled_as_a_block(mode):
    with qd.set_grad_enabled(mode):
        assert qd.is_grad_enabled() is mode
    assert qd.is_grad_enabled()


def test_set_grad_enabled_as_a_decorator_changes_nothing_outside():
    @qd.set_grad_enabled(False)
    def f():
        return qd.is_grad_enabled()

    assert qd.is_grad_enabled()
    assert f() is False
    assert qd.is_grad_enabled()


def test_modes_belong_to_a_thread():
    x = leaf(1.0)
    inside, done, found = threading.Event(), threading.Event(), []

    def work():
        with qd.no_grad():
            inside.set()
            done.wait(10)
            found.append(recorded(x))

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait(10)
    assert recorded(x)
    done.set()
    thread.join()
    assert found == [False]


def test_a_new_thread_records():
    found = []
    with qd.no_grad():
        thread = threading.Thread(target=lambda: found.append(recorded(leaf(1.0))))
        thread.start()
        thread.join()
    assert found == [True]


def test_gradients_of_functions_are_taken_under_no_grad():
    with qd.no_grad():
        close(qd.grad(lambda x: x**3)(2.0), 12.0)
        close(qd.jvp(lambda x: x**3, (2.0,), (1.0,))[1], 12.0)


@pytest.mark.parametrize(
    "slope",
    [
        lambda f: qd.grad(f)(2.0),
        lambda f: qd.jvp(f, (2.0,), (1.0,))[1],
        lambda f: qd.jet(f, (2.0,), ([1.0],))[1][0],
        lambda f: qd.linearize(f, 2.0)[1](1.0),
    ],
    ids=["grad", "jvp", "jet", "linearize"],
)
def test_no_grad_inside_a_differentiated_function_makes_a_constant_in_every_mode(slope):
    def f(x):
        with qd.no_grad():
            scale = x * x
        return scale * x

    close(slope(f), 4.0)


def test_a_result_made_under_no_grad_is_a_leaf_without_gradient():
    with qd.no_grad():
        y = leaf(1.0) * 2
    assert y.is_leaf
    assert not y.requires_grad


def test_a_new_leaf_made_under_no_grad_records_afterwards():
    with qd.no_grad():
        x = leaf(1.0)
    assert x.requires_grad
    assert recorded(x)


def test_a_coroutine_runs_in_the_mode_and_what_runs_meanwhile_does_not():
    seen = []

    async def say(name):
        for _ in range(3):
            seen.append((name, qd.is_grad_enabled()))
            await asyncio.sleep(0)
        return name

    async def both():
        return await asyncio.gather(qd.no_grad(say)("off"), say("on"), qd.no_grad()(say)("off"))

    assert asyncio.run(both()) == ["off", "on", "off"]
    assert set(seen) == {("off", False), ("on", True)}


def test_a_coroutine_that_raises_leaves_the_mode():
    @qd.no_grad
    async def failing():
        await asyncio.sleep(0)
        raise KeyError("x")

    async def caught():
        with pytest.raises(KeyError):
            await failing()
        return qd.is_grad_enabled()

    assert asyncio.run(caught())


def test_an_async_generator_is_refused():
    async def steps():
        yield 1

    with pytest.raises(RuntimeError, match="steps is an async generator and cannot be decorated"):
        qd.no_grad(steps)


def test_anomalies_are_looked_for_in_generators():
    @qd.detect_anomaly()
    def steps():
        yield qd.grad(lambda x: np.sqrt(x) * 0)(0.0)

    with pytest.raises(ArithmeticError, match="NaN"):
        next(steps())
    assert np.isnan(qd.grad(lambda x: np.sqrt(x) * 0)(0.0))
