"""Carries that are written where they are: as the plain loop has them, whatever reads them when."""

import numpy as np
import pytest

import qiudao as qd

pytest.importorskip("llvmlite")

RNG = np.random.default_rng(0)
PLACES = RNG.integers(0, 50, 30)


def write(c, index, value):
    """A copy with elements written."""
    c = c.copy()
    c[index] = value
    return c


STEPS = {
    "an element": lambda c, i: (write(c, i, c[i] * 2 + 1), None),
    "an element from another": lambda c, i: (write(c, i, c[0] + 1), None),
    "rows that overlap": lambda c, i: (write(c, np.array([1, 2, 3]) + i % 9, c[:3]), None),
    "what is there": lambda c, i: (write(c, slice(1, None), c[:-1]), None),
    "a slice": lambda c, i: (write(c, slice(2, 5), 0.5 * c.sum()), None),
    "read as a whole too": lambda c, i: (write(c, i, c.sum() * 0.1), None),
    "read after": lambda c, i: (write(c, i, 1.0), c.sum()),
    "read before and after": lambda c, i: (write(c, i, c[i] + 1), c[i] * 1.0),
    "sorted too": lambda c, i: (write(c, i, np.sort(c)[3]), np.sort(c)[0]),
    "an output too": lambda c, i: (write(c, i, 0.25), c),
    "twice": lambda c, i: (write(write(c, i, 0.25), i // 2, c[i]), None),
}  # fmt: skip


@pytest.mark.parametrize("n", [50, 5_000])
@pytest.mark.parametrize("name", STEPS)
def test_elements_written_into_a_carry(name, n):
    def f(c, places):
        return qd.scan(STEPS[name], c, places)

    c = RNG.normal(size=n)
    got, want = qd.jit(f)(c, PLACES), f(c, PLACES)
    np.testing.assert_allclose(got[0], want[0], rtol=1e-12)
    if want[1] is not None:
        np.testing.assert_allclose(got[1], want[1], rtol=1e-12)


def test_the_argument_is_left_as_it_is():
    c = RNG.normal(size=500)
    before = c.copy()
    qd.jit(lambda c: qd.scan(STEPS["an element"], c, PLACES)[0])(c)
    np.testing.assert_array_equal(c, before)


def test_two_carries_that_change_places_and_are_written():
    def f(a, b, places):
        def step(carry, i):
            a, b = carry
            return (write(b, i, a[i]), write(a, i, b[i])), None

        return qd.scan(step, (a, b), places)[0]

    a, b = RNG.normal(size=(2, 500))
    for got, want in zip(qd.jit(f)(a, b, PLACES), f(a, b, PLACES), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12)


@pytest.mark.parametrize("rows", [False, True])
def test_what_is_gathered_adds_up_after_the_loop(rows):
    """The gradient of a gather is a sum of scattered rows, in which places repeat."""
    x = RNG.normal(size=(50, 3) if rows else 50)

    def loss(x, places):
        return qd.scan(lambda t, i: (t + (np.sin(x[i]) * t * 0.01).sum(), None), 1.0, places)[0]

    places = np.concatenate([PLACES, PLACES[:7], -PLACES[:5] - 1])
    got, want = qd.jit(qd.grad(loss))(x, places), qd.grad(loss)(x, places)
    np.testing.assert_allclose(got, want, rtol=1e-10)


def test_an_index_out_of_bounds_is_still_refused():
    def loss(x, places):
        return qd.scan(lambda t, i: (t + np.sin(x[i]) * t, None), 1.0, places)[0]

    with pytest.raises(IndexError, match="out of bounds"):
        qd.jit(qd.grad(loss))(RNG.normal(size=50), np.array([1, 2, 50] * 4))


WHOLE = {
    "computed anew": lambda i, c, d: (c * 0.5 + d, d - 0.1 * c[::-1]),
    "handed over": lambda i, c, d: (d, c + 1),
    "exchanged": lambda i, c, d: (d, c),
    "one stays": lambda i, c, d: (c, d * 0.9 + c),
    "an element": lambda i, c, d: (write(c, i, d[i] * 2), d),
    "an element of one, read by the other": lambda i, c, d: (write(c, i, 7.0), d + c),
    "elements of both": lambda i, c, d: (write(c, i, d[0]), write(d, i, d[1])),
}


@pytest.mark.parametrize("size", [4, 50])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
@pytest.mark.parametrize("name", WHOLE)
def test_carries_of_loops_on_a_condition(name, count, size):
    """Few numbers are copied, many lie in two places in turns, or are written where they are."""
    c, d = np.random.default_rng(1).normal(size=(2, size))

    def f(c, d, count):
        return qd.while_loop(
            lambda v: v[0] < count, lambda v: (v[0] + 1, *WHOLE[name](*v)), (0, c, d)
        )

    def gradient(c, d, count):
        return qd.grad(lambda c: sum(np.sum(np.sin(y)) for y in f(c, d, count)[1:]))(c)

    for found, expected in zip(qd.jit(f)(c, d, count), f(c, d, count), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13)
    np.testing.assert_allclose(
        qd.jit(gradient)(c, d, count), gradient(c, d, count), rtol=1e-12, atol=1e-14
    )
