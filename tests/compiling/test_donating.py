"""`donate=`: results in the memory of arguments, and never a wrong one for it."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.core.errors import RuleError

pytest.importorskip("llvmlite")

RANDOM = np.random.default_rng(2)
N = 40
X, G = RANDOM.normal(size=(2, N))
TALL = RANDOM.normal(size=(60_000, 5))


def step(x, g):
    return x - 0.1 * g


def momentum(x, m, g):
    m = 0.9 * m + g
    return x - 0.1 * m, m


def written(x, g):
    x[3] = g[0]
    return x


def written_shifted(x, g):
    x[1:] = x[:-1] * 2
    return x


def written_same(x, g):
    x[1:] = x[1:] * 2 + g[:-1]
    return x


def written_late(x, g):
    total = np.sum(x * g)
    x[3] = total
    return x


def read_after(x, g):
    y = np.exp(x)
    return y, np.cumsum(x) + y[0]


def turned(x, g):
    return x[::-1] + g


def normalised(x, g):
    return x / np.sum(x) * g


def with_first(x, g):
    return x * x[0]


def indexed(x, g):
    x[np.argsort(g)[:4]] = g[:4]
    return x


def looped(x, g):
    return qd.fori_loop(0, 5, lambda k, y: np.sin(y) + g, x)


def looped_with_itself(x, g):
    return qd.fori_loop(0, 5, lambda k, y: np.sin(y) + x, x)


def itself(x, g):
    return x, x + g


def twice(x, g):
    y = x + g
    return y, y


def network(x, g):
    w = np.linspace(-1.0, 1.0, 25).reshape(5, 5)
    for _ in range(5):
        x = np.tanh(x @ w) + x
    return x + g


def network_and_itself(x, g):
    y = network(x, g)
    return y, np.max(x * y[0], axis=0)


# The function, its arguments, whether the result lies in the first of them.
PROGRAMS = {
    "a step": (step, (X, G), True),
    "written": (written, (X, G), True),
    "written from itself, moved": (written_shifted, (X, G), False),
    "written from itself, in place": (written_same, (X, G), True),
    "written after it was read": (written_late, (X, G), True),
    "read afterwards": (read_after, (X, G), False),
    "turned round": (turned, (X, G), False),
    "summed before": (normalised, (X, G), True),
    "one element read by all": (with_first, (X, G), False),
    "by indices": (indexed, (X, G), True),
    "what becomes of it in a loop": (looped, (X, G), True),
    "the same, read in the steps": (looped_with_itself, (X, G), False),
    "returned as it is": (itself, (X, G), False),
    "a result twice": (twice, (X, G), True),
    "blocks of rows": (network, (TALL, TALL[::-1]), True),
    "blocks of rows, read whole": (network_and_itself, (TALL, TALL[::-1]), False),
    "a large step": (step, (TALL, TALL[::-1]), True),
    "a large gradient": (qd.grad(lambda x, g: np.sum(np.exp(x) * g)), (TALL, TALL[::-1]), True),
}


def copies(xs):
    return [np.ascontiguousarray(x).copy() for x in xs]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_values_and_the_place(name, threads):
    f, xs, is_in_place = PROGRAMS[name]
    expected = f(*copies(xs))
    jitted = qd.jit(f, donate="x" if f is not PROGRAMS["a large gradient"][0] else 0)
    qd.set_num_threads(threads)
    try:
        for _ in range(2):
            given = copies(xs)
            found = jitted(*given)
            pairs = zip(found, expected) if isinstance(expected, tuple) else [(found, expected)]
            for each, wanted in pairs:
                close(each, wanted, rtol=1e-11)
            first = found[0] if isinstance(found, tuple) else found
            assert (first is given[0]) == is_in_place
            close(given[1], copies(xs)[1], rtol=0)
    finally:
        qd.set_num_threads(1)


@pytest.mark.parametrize("name", ["a step", "written", "by indices", "blocks of rows"])
def test_checked_code(name, monkeypatch):
    monkeypatch.setenv("QIUDAO_JIT", "checked")
    f, xs, _ = PROGRAMS[name]
    given = copies(xs)
    found = qd.jit(f, donate="x")(*given)
    assert found is given[0]
    close(found, f(*copies(xs)), rtol=1e-11)


def test_several_arguments():
    x, m, g = copies([X, G, X])
    expected = momentum(X, G, X)
    found = qd.jit(momentum, donate=(0, "m"))(x, m, g)
    assert found[0] is x
    assert found[1] is m
    for pair in zip(found, expected):
        close(*pair)


def test_arguments_in_containers_and_by_name():
    def train(parameters, slopes, rate):
        return {k: p - rate * slopes[k] for k, p in parameters.items()}

    jitted = qd.jit(train, donate="parameters")
    parameters = {"w": np.ones((3, 4)), "b": np.ones(4)}
    slopes = {"w": np.full((3, 4), 2.0), "b": np.full(4, 3.0)}
    for call in (
        lambda p: jitted(p, slopes, 0.5),
        lambda p: jitted(rate=0.5, parameters=p, slopes=slopes),
    ):
        given = {k: v.copy() for k, v in parameters.items()}
        found = call(given)
        assert all(found[k] is given[k] for k in given)
        close(found["b"], np.full(4, -0.5))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda x: np.stack([x, x], 1)[:, 0],
        lambda x: x[::-1],
        lambda x: np.frombuffer(x.tobytes()),
        lambda x: x.astype(x.dtype.newbyteorder()),
    ],
    ids=["with gaps", "backwards", "read-only", "of other bytes"],
)
def test_arrays_whose_memory_cannot_be_used_stay_as_they_are(spoil):
    x = spoil(X.copy())
    before = x.copy()
    found = qd.jit(step, donate="x")(x, G)
    close(found, step(before, G))
    np.testing.assert_array_equal(x, before)


def test_an_array_given_twice_stays_as_it_is():
    x = X.copy()
    close(qd.jit(step, donate="x")(x, x), step(X, X))
    np.testing.assert_array_equal(x, X)


def test_a_constant_array_beside_the_result():
    table = np.arange(3.0)
    f = qd.jit(lambda x: (table, x + 1.0), donate="x")
    x = X.copy()
    constant, y = f(x)
    assert y is x
    close(constant, table)
    close(y, X + 1.0)


def test_overlapping_arguments():
    x = X.copy()
    f = qd.jit(lambda x, g: x - g, donate="x")
    close(f(x[:-1], x[1:]), X[:-1] - X[1:])
    np.testing.assert_array_equal(x, X)


def test_a_call_that_may_run_again_uses_nothing():
    f = qd.jit(qd.grad(lambda x: np.sum(np.where(x > 0, np.log(x), x))), donate=0)
    x = np.array([0.0, 2.0])
    close(f(x), np.array([1.0, 0.5]))
    np.testing.assert_array_equal(x, [0.0, 2.0])


def test_a_failure_is_raised():
    def f(x, k):
        x[k] = 0.0
        return x

    jitted = qd.jit(f, donate="x")
    assert jitted(X.copy(), np.array([1, 2]))[2] == 0.0
    with pytest.raises(IndexError, match="index 99 is out of bounds"):
        jitted(X.copy(), np.array([1, 99]))


def test_gradients_and_batches_leave_arrays_alone():
    x = X.copy()
    f = qd.jit(lambda x: np.sum(np.exp(x)) * x, donate="x")
    y, pull = qd.vjp(f, x)
    np.testing.assert_array_equal(x, X)
    close(pull(np.ones(N))[0], qd.grad(lambda x: np.sum(np.exp(x)) * np.sum(x))(X))
    table = np.stack([x, x])
    close(qd.vmap(f)(table)[0], y)
    t = qd.tensor(x, requires_grad=True)
    f(t).sum().backward()
    np.testing.assert_array_equal(t.detach().numpy(), X)


def test_as_a_decorator_and_in_the_report():
    @qd.jit(donate="x")
    def f(x, g):
        return g[0], x + g

    assert f.lower(X, G).in_place == {1: 0}
    assert str(f.lower(X, G)).endswith("donated inputs: result 1 in input 0")
    other = qd.jit(turned, donate="x")
    assert str(other.lower(X, G)).endswith("donated inputs: none is used")
    assert "donated" not in str(qd.jit(turned).lower(X, G))


def test_static_arguments_and_numbers_beside_it():
    f = qd.jit(lambda x, k, a: x**k + a, static_argnames="k", donate="x")
    x = X.copy()
    found = f(x, 2, 1.5)
    assert found is x
    close(found, X**2 + 1.5)
    close(f(2.0, 3, 1.0), 9.0)


def test_export_takes_no_notice(tmp_path):
    assert qd.jit(step, donate="x").export(tmp_path / "step.o", X, G)
    with pytest.raises(RuleError):
        qd.jit(lambda x: np.fft.fft(x).real, donate="x").export(tmp_path / "f.o", X)
