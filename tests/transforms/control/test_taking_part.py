"""Loops on conditions in branches that not every example of a batch takes.

Each loop below would never end for the examples that do not choose it: `max_steps` makes a failure
of that, where it would else be a test that hangs.
"""

import numpy as np
import pytest

import qiudao as qd
from checking import close

X = np.array([4.0, -1.0, 9.0, -2.0, 0.0])


def root(x):
    return qd.while_loop(
        lambda v: abs(v * v - x) > 1e-12 * x, lambda v: 0.5 * (v + x / v), x, max_steps=40
    )


def square(x):
    return x * x


def in_a_branch(x):
    return qd.cond(x > 0, root, square, x)


def in_a_branch_of_a_branch(x):
    return qd.cond(x > -5, lambda x: qd.cond(x > 0, root, square, x), np.sin, x)


def in_one_of_three(x):
    return qd.switch((x > -1.5) * 1 + (x > 0), [square, square, root], x)


def in_a_scan(x):
    return qd.cond(
        x > 0,
        lambda x: qd.scan(lambda v, _: (root(v * v), None), root(x), length=2)[0],
        square,
        x,
    )


def in_a_loop_on_a_condition(x):
    """The examples that are done take no part in the loop inside."""
    return qd.while_loop(lambda v: v > 2.5, root, x, max_steps=3)


def compiled_before(x):
    return qd.cond(x > 0, qd.jit(root), square, x)


def again_in_the_sweep(x):
    return qd.cond(x > 0, qd.checkpoint(root), square, x)


def over_what_is_closed_over(x):
    return qd.cond(x > 0, lambda: root(x), lambda: square(x))


@qd.custom_vjp
def stated(x):
    return root(x)


stated.defvjp(lambda x: (root(x), x), lambda x, ct: (ct / (2 * root(x)),))


def with_a_rule(x):
    return qd.cond(x > 0, stated, square, x)


FUNCTIONS = [
    in_a_branch,
    in_a_branch_of_a_branch,
    in_one_of_three,
    in_a_scan,
    in_a_loop_on_a_condition,
    compiled_before,
    again_in_the_sweep,
    over_what_is_closed_over,
    with_a_rule,
]


def total(f):
    return lambda x: np.sum(f(x))


BATCHES = {
    "eager": qd.vmap,
    "jit(vmap)": lambda f: qd.jit(qd.vmap(f)),
    "vmap(jit)": lambda f: qd.vmap(qd.jit(f)),
    "vmap(vmap)": lambda f: lambda x: qd.vmap(qd.vmap(f))(x[:, None])[:, 0],
}
GRADIENTS = {
    "vmap(grad)": lambda f: qd.vmap(qd.grad(f)),
    "jit(vmap(grad))": lambda f: qd.jit(qd.vmap(qd.grad(f))),
    "vmap(jit(grad))": lambda f: qd.vmap(qd.jit(qd.grad(f))),
    "vmap(grad(jit))": lambda f: qd.vmap(qd.grad(qd.jit(f))),
    "grad(vmap)": lambda f: qd.grad(total(qd.vmap(f))),
    "jit(grad(vmap))": lambda f: qd.jit(qd.grad(total(qd.vmap(f)))),
    "grad(jit(vmap))": lambda f: qd.grad(total(qd.jit(qd.vmap(f)))),
    "grad(vmap(jit))": lambda f: qd.grad(total(qd.vmap(qd.jit(f)))),
    "jvp(vmap)": lambda f: lambda x: qd.jvp(qd.vmap(f), (x,), (np.ones_like(x),))[1],
}


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("batched", BATCHES)
def test_a_loop_goes_on_for_the_examples_that_chose_it(f, batched):
    close(BATCHES[batched](f)(X), [f(x) for x in X])


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("made", GRADIENTS)
def test_and_so_do_its_derivatives(f, made):
    close(GRADIENTS[made](f)(X), [qd.grad(f)(x) for x in X], rtol=1e-9)


@pytest.mark.parametrize("jitted", [False, True])
def test_second_derivatives(jitted):
    made = qd.vmap(qd.grad(qd.grad(in_a_branch)))
    exact = [-0.25 * x**-1.5 if x > 0 else 2.0 for x in X]
    close((qd.jit(made) if jitted else made)(X), exact, rtol=1e-6)


def test_a_captured_branch_and_loop():
    def f(x):
        if x > 0:
            v, steps = x, 0
            while abs(v * v - x) > 1e-12 * x:
                v, steps = 0.5 * (v + x / v), steps + 1
            return v
        return x * x

    exact = [np.sqrt(x) if x > 0 else x * x for x in X]
    close(qd.vmap(qd.jit(f))(X), exact)
    close(qd.jit(qd.vmap(f))(X), exact)
    slope = [0.5 / np.sqrt(x) if x > 0 else 2 * x for x in X]
    close(qd.vmap(qd.jit(qd.grad(f)))(X), slope, rtol=1e-9)
    close(qd.jit(qd.grad(total(qd.vmap(f))))(X), slope, rtol=1e-9)


def test_a_condition_that_all_examples_share():
    """It is asked only where some example takes part, and what is not batched stays so."""
    counts = []

    def counted(x):
        def step(state):
            counts.append(X[state[1]])  # an integer that differed between examples could not do
            return state[0] + x, state[1] + 1

        return qd.while_loop(lambda s: s[1] < 3, step, (x, 0))[0]

    close(qd.vmap(lambda x: qd.cond(x > 0, counted, square, x))(X), np.where(X > 0, 4 * X, X * X))
    assert counts == [4.0, -1.0, 9.0]
    endless = lambda x: qd.while_loop(lambda v: True, np.sin, x, max_steps=5)
    f = qd.vmap(lambda x: qd.cond(x > 100, endless, square, x))
    close(f(X), X * X)
    close(qd.jit(f)(X), X * X)


# What an example sends back from the branch that it did not take is nothing, even where slopes
# there are infinite.

KINKS = np.array([4.0, 0.0, -1.0, np.inf])

WILD = {
    "log": np.log,
    "in a scan": lambda x: qd.scan(lambda c, _: (c * np.log(x), None), 1.0, length=3)[0],
    "in a while loop": lambda x: qd.while_loop(
        lambda v: v < 100, lambda v: v * np.sqrt(x), np.log(x) + 2
    ),
    "in a fori_loop": lambda x: qd.fori_loop(0, 3, lambda i, v: v / x, 1.0),
    "in a branch": lambda x: qd.cond(x > 5, np.sqrt, lambda x: 1 / x, x),
    "in a map": lambda x: np.sum(qd.map(lambda k: np.sqrt(x * k), np.arange(1.0, 4.0))),
}


@pytest.mark.parametrize("name", WILD)
@pytest.mark.parametrize("made", GRADIENTS)
def test_a_branch_that_was_not_taken_gives_no_nan(name, made):
    f = lambda x: qd.cond(np.logical_and(x > 0, x < 50), WILD[name], lambda x: 3 * x, x)
    exact = [qd.grad(f)(KINKS[0]), 3.0, 3.0, 3.0]
    close(GRADIENTS[made](f)(KINKS), exact, rtol=1e-9)


@pytest.mark.parametrize("name", ["in a scan", "in a while loop", "in a branch"])
def test_nor_does_it_to_what_all_examples_share(name):
    def f(x, w):
        return qd.cond(x > 0, lambda x: WILD[name](x * w), lambda x: 3 * x * w, x)

    exact = sum(qd.grad(f, argnums=1)(x, 1.5) for x in KINKS[:3])
    for batched in (qd.vmap(f, (0, None)), qd.jit(qd.vmap(f, (0, None)))):
        loss = lambda w, batched=batched: np.sum(batched(KINKS[:3], w))
        close(qd.grad(loss)(1.5), exact, rtol=1e-9)
        close(qd.jit(qd.grad(loss))(1.5), exact, rtol=1e-9)
