"""The front door: arguments of every layout and kind, threads, rooms of loops, the next process."""

import collections
import copy
import dataclasses
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.compiling.compiled import Compiled
from qiudao.core.errors import DtypeError, TraceError

pytest.importorskip("llvmlite")

X = np.arange(6.0).reshape(2, 3)


def f(x):
    return np.sin(x) * 2 + x


def unaligned(x):
    return np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape)


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


ARRAYS = {
    "by columns": np.asfortranarray(X),
    "with gaps": X[:, ::2],
    "backwards": X[::-1],
    "transposed": X.T,
    "stretched": np.broadcast_to(X[0], (4, 3)),
    "read-only": read_only(X),
    "unaligned": unaligned(X),
    "of other bytes": X.astype(X.dtype.newbyteorder()),
    "empty": X[:0],
    "empty inside": np.zeros((3, 0)),
    "without axes": np.array(1.5),
    "single": X.astype("f4"),
    "half": X.astype("f2"),
    "long": X.astype(np.longdouble),
    "complex": X + 1j * X,
    "small integers": np.arange(3, dtype="i1"),
    "booleans": np.array([True, False]),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_every_layout(name):
    x = ARRAYS[name]
    before = x.copy()
    jitted = qd.jit(f)
    for _ in range(2):  # once the long way, once the short
        got = jitted(x)
        assert got.dtype == f(x).dtype.newbyteorder("=")
        close(got, f(x), rtol=1e-6 if x.dtype.itemsize < 8 else 1e-13)
        assert isinstance(got, np.ndarray | np.generic)
    np.testing.assert_array_equal(x, before)


def test_one_function_for_every_layout():
    jitted = qd.jit(f)
    for x in ARRAYS.values():
        close(jitted(x), f(x), rtol=1e-3 if x.dtype.itemsize < 8 else 1e-13)


def test_an_array_given_twice():
    jitted = qd.jit(lambda a, b: (a + b, a * b))
    for _ in range(2):
        total, product = jitted(X, X)
        close(total, X + X)
        close(product, X * X)


def test_results_share_no_memory():
    same = qd.jit(lambda x: x)
    assert not np.shares_memory(same(X), X)
    one, other = qd.jit(lambda x: (x + 1,) * 2)(X)
    assert not np.shares_memory(one, other)


def test_results_share_no_memory_where_numpy_computes_a_part():
    beside = qd.jit(lambda x: (x, x, np.positive(x), x * 2, np.fft.fft(x)))
    given = X.copy()
    beside(given)
    x, *results = given, *beside(given)
    assert beside.lower(given).fallbacks
    for k, one in enumerate(results):
        assert not any(np.shares_memory(one, other) for other in (x, *results[:k]))


def test_arguments_are_not_written_to():
    def double(x):
        x *= 2
        return x + 1

    x = X.copy()
    close(qd.jit(double)(x), 2 * X + 1)
    close(x, X)


def test_other_types_are_compiled_anew():
    jitted = qd.jit(f)
    for x in (X, X[0], X.astype("f4"), X, 2.0, np.float32(2.0), X[0]):
        close(jitted(x), f(x), rtol=1e-6)
    assert len(jitted.versions) == 5


@pytest.mark.parametrize(
    "act, error, text",
    [
        (lambda: qd.jit(np.add)(np.ones(3), np.ones(2)), ValueError, "shape"),
        (lambda: qd.jit(f)(), TypeError, "missing 1 required positional argument"),
        (lambda: qd.jit(f)(X, X), TypeError, "takes 1 positional argument"),
        (lambda: qd.jit(f)(np.array([object()])), TypeError, "sin"),
        (lambda: qd.jit(f)(np.array(["2020-01-01"], "M8[D]")), TypeError, "sin"),
        (lambda: qd.jit(f)("a"), TypeError, "sin"),
        (lambda: qd.jit(f)(np.ma.array([1.0], mask=[1])), DtypeError, "pass np.asarray"),
        (lambda: qd.jit(lambda x: [1, 2][int(x)])(1.0), TraceError, "not known while tracing"),
        (lambda: qd.jit(lambda x, i: x[i])(np.ones(3), np.array([5])), IndexError, "out of bounds"),
        (lambda: qd.jit(np.linalg.inv)(np.zeros((3, 3))), np.linalg.LinAlgError, "Singular"),
    ],
)
def test_what_cannot_be_is_a_python_error(act, error, text):
    with pytest.raises(error, match=text):
        act()


def test_errors_leave_the_function_usable():
    inverse = qd.jit(np.linalg.inv)
    for _ in range(2):
        with pytest.raises(np.linalg.LinAlgError):
            inverse(np.zeros((2, 2)))
        close(inverse(2 * np.eye(2)), 0.5 * np.eye(2))


class Scaled:
    def __init__(self, by):
        self.by = by

    @qd.jit
    def __call__(self, x, *, shift=0.0):
        return self.by * x + shift


def test_methods_and_keywords():
    twice, thrice = Scaled(2.0), Scaled(3.0)
    assert (twice(1.5), thrice(1.5), twice(1.5, shift=1.0)) == (3.0, 4.5, 4.0)


def test_static_arguments():
    power = qd.jit(lambda x, n: x**n, static_argnames="n")
    assert [power(2.0, 3), power(2.0, n=4), power(n=2, x=3.0)] == [8.0, 16.0, 9.0]


def test_static_values_that_are_equal_and_not_the_same():
    """1, 1.0 and True are equal, within tuples too, and so are 0.0 and -0.0."""
    whole = np.arange(2)
    added = qd.jit(lambda k: np.asarray(k[0]) + whole, static_argnames="k")
    for value in (1, 1.0, True, 1 + 0j):
        assert added((value,)).dtype == (np.asarray(value) + whole).dtype
    signed = qd.jit(lambda x, k: x * np.copysign(1.0, k), static_argnames="k")
    assert [signed(1.0, 0.0), signed(1.0, -0.0)] == [1.0, -1.0]
    for _ in range(2):
        signed(1.0, np.nan)
    assert len(signed.versions) == 3


def test_calls_with_static_values_go_straight_to_the_machine_code(monkeypatch):
    """Of the same values: others, and other types and numbers of arguments, take the long way."""

    class Model:
        def __init__(self, w):
            self.w = w

        @qd.jit
        def __call__(self, x, k):
            return self.w * x**k

    one, other = Model(2.0), Model(3.0)
    scaled = qd.jit(lambda x, mode: 2 * x if mode == "twice" else x, static_argnames="mode")
    whole = qd.jit(lambda x, k=2: x + np.asarray(k).dtype.itemsize)
    assert [one(3.0, 2), scaled(1.0, "twice"), whole(1.0, 1)] == [18.0, 2.0, 9.0]
    assert [one(3.0, 1), other(3.0, 2), scaled(1.0, "o"), scaled(3.0, "twice")] == [6, 27, 1, 6]
    assert [whole(1.0, True), whole(1.0, 1), whole(1.0), whole(1.0, k=True)] == [2, 9, 9, 2]
    for call in (lambda: whole(1.0, 1, 2), lambda: whole(), lambda: scaled(1.0)):
        with pytest.raises(TypeError):
            call()
    one(3.0, 2), scaled(1.0, "twice"), whole(1.0, 1)
    monkeypatch.setattr(type(scaled), "call", None)
    assert [one(4.0, 2), scaled(4.0, "twice"), whole(4.0, 1)] == [32.0, 8.0, 12.0]


@dataclasses.dataclass
class Layers:
    by_name: dict


@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: [(d,)], Layers])
def test_the_order_of_keys_is_seen(wrap):
    """As by plain Python: a function may go through a dictionary."""

    def last(layers, x):
        while not isinstance(layers, dict):
            layers = layers.by_name if isinstance(layers, Layers) else layers[0]
        for w in layers.values():
            x = np.sin(w * x)
        return x

    jitted = qd.jit(last)
    one, other = wrap({"a": 1.0, "b": 2.0}), wrap({"b": 2.0, "a": 1.0})
    for layers in (one, other, other, one):
        close(jitted(layers, 0.7), last(layers, 0.7))
        close(jitted(x=0.7, layers=layers), last(layers, 0.7))
        close(qd.grad(jitted, argnums=1)(layers, 0.7), qd.grad(last, argnums=1)(layers, 0.7))
    assert len(jitted.versions) == 4


def test_nested_containers():
    jitted = qd.jit(lambda d: {"a": d["b"][0] * 2, "n": None, "s": [d["b"][1]]})
    assert jitted({"b": (1.0, 2.0)}) == {"a": 2.0, "n": None, "s": [2.0]}


# Inside and around other transforms


def loss(x):
    return np.sum(np.sin(x) * x)


def test_nested_arguments_of_another_structure_after_the_quick_ones():
    seen = []

    @qd.jit
    def total(tree):
        seen.append(type(tree))
        return {"sum": tree["a"] + sum(tree["b"]), "tree": tree}

    given = {"a": X, "b": [X, X]}
    for _ in range(3):
        found = total(given)
        close(found["sum"], 3 * X)
        assert type(found["tree"]) is dict
    assert type(total(collections.OrderedDict(given))["tree"]) is collections.OrderedDict
    close(total({"a": X, "b": (X, X)})["sum"], 3 * X)
    close(total({"a": X, "b": [X]})["sum"], 2 * X)
    close(total({"a": X, "b": [X.T.copy().T, X[:1]]})["sum"], 2 * X + X[0])
    close(total({"a": X, "b": [X, 1.5]})["sum"], 2 * X + 1.5)
    t = qd.tensor(X, requires_grad=True)
    total({"a": t, "b": [X, X]})["sum"].sum().backward()
    close(t.grad, np.ones_like(X))
    assert len(seen) == 6


def test_tensors_that_a_function_closes_over():
    w = qd.tensor(np.array([3.0, 4.0]), requires_grad=True)
    t = qd.tensor(np.array([1.0, 2.0]), requires_grad=True)
    jitted = qd.jit(lambda x: np.sum(w * x**2))
    jitted(np.array([1.0, 2.0])).backward()
    close(w.grad, [1.0, 4.0])
    jitted(t).backward()
    close(w.grad, [2.0, 8.0])
    close(t.grad, [6.0, 16.0])
    with qd.no_grad():
        w[...] = 1.0  # the value is read at each call
    assert jitted(np.array([1.0, 1.0])) == 2.0


@pytest.mark.parametrize("outer", [lambda g: g, qd.jit])
@pytest.mark.parametrize(
    "transform",
    [
        qd.grad,
        qd.hessian,
        lambda g: qd.grad(lambda x: np.sum(qd.grad(g)(x) ** 2)),
        lambda g: qd.vmap(qd.grad(lambda x: g(x * np.ones(2)))),
        lambda g: lambda x: qd.jvp(qd.grad(g), (x,), (np.ones_like(x),))[1],
        lambda g: lambda x: qd.vjp(qd.grad(g), x)[1](np.ones_like(x))[0],
    ],
)
def test_transforms_around_and_inside(transform, outer):
    x = np.array([0.4, 1.3])
    close(outer(transform(qd.jit(loss)))(x), transform(loss)(x), rtol=1e-10)


def steps(x, n):
    """A loop whose number of steps is known when it runs."""
    start = (x, 0.0)
    step = lambda v: (np.sin(v[0]) * 1.01 + 0.1, v[1] + 1)
    return qd.while_loop(lambda v: v[1] < n, step, start)[0]


@pytest.mark.parametrize("n", [10.0, 100.0, 3000.0])
@pytest.mark.parametrize(
    "made",
    [
        lambda: qd.jit(qd.grad(steps)),
        lambda: qd.grad(qd.jit(steps)),
        lambda: qd.jit(qd.grad(qd.jit(steps))),
        lambda: lambda x, n: qd.vmap(qd.grad(qd.jit(steps)), (0, None))(np.array([x]), n)[0],
    ],
)
def test_a_loop_finds_room_for_its_steps(made, n):
    want = qd.grad(lambda x: steps(x, n))(0.3)
    close(made()(0.3, n), want, rtol=1e-9)


def test_room_is_kept():
    jitted = qd.jit(qd.grad(steps))
    for n in (10.0, 3000.0, 20.0, 3000.0):
        jitted(0.3, n)
    (version,) = jitted.versions.values()
    assert version.compiled.capacity == 64 * 8 * 8


def test_second_derivatives_of_a_loop_find_room():
    second = qd.grad(qd.grad(qd.jit(steps)))
    close(second(0.3, 100.0), qd.grad(qd.grad(lambda x: steps(x, 100.0)))(0.3), rtol=1e-8)


# Many at once


def all_at_once(acts):
    """What the acts give, each in a thread of its own."""
    found = [None] * len(acts)

    def run(k):
        found[k] = acts[k]()

    threads = [threading.Thread(target=run, args=(k,)) for k in range(len(acts))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return found


def test_threads_call_and_compile_one_function():
    jitted = qd.jit(lambda x: {"value": loss(x), "slope": qd.grad(loss)(x)})
    shapes = [3, 4, 5, 3, 4, 5, 3, 4]

    def act(n):
        x = np.linspace(0, 1, n)
        return [jitted(x) for _ in range(200)]

    for n, results in zip(shapes, all_at_once([lambda n=n: act(n) for n in shapes]), strict=True):
        x = np.linspace(0, 1, n)
        for found in results:
            close(found["value"], loss(x))
            close(found["slope"], qd.grad(loss)(x))
    assert len(jitted.versions) == 3


def test_threads_compile_at_once():
    acts = [lambda k=k: qd.jit(lambda x: np.sum(np.sin(x) * k))(X) for k in range(6)]
    close(all_at_once(acts), [np.sum(np.sin(X) * k) for k in range(6)])


def test_threads_make_room_at_once():
    jitted = qd.jit(qd.grad(steps))
    counts = [float(50 * k + 1) for k in range(8)]
    want = [qd.grad(lambda x, n=n: steps(x, n))(0.3) for n in counts]
    close(all_at_once([lambda n=n: jitted(0.3, n) for n in counts]), want, rtol=1e-9)


def test_code_that_a_slow_thread_made_of_the_program_before_is_made_anew(monkeypatch):
    jitted = qd.jit(qd.grad(steps))
    jitted(0.3, 5.0)
    ((compiled, *_),) = jitted.versions.values()
    narrow = compiled.executable
    jitted(0.3, 400.0)  # takes more room than the first code has
    compiled.executable = narrow
    met = []
    make_room = Compiled.make_room

    def counted(self, error, code):
        met.append(code)
        if len(met) > 2:
            raise error  # it would go on for ever
        make_room(self, error, code)

    monkeypatch.setattr(Compiled, "make_room", counted)
    found = compiled.run((np.float64(0.3), np.float64(400.0)))[0]
    close(found, qd.grad(lambda x: steps(x, 400.0))(0.3), rtol=1e-9)
    assert met == [narrow]


PROGRAM = """
import numpy as np
import qiudao as qd
from qiudao.codegen import engine
f = lambda x: np.sum(np.exp(-x * x) * np.cumsum(x))
print(qd.jit(qd.value_and_grad(f))(np.linspace(0, 1, 5)))
print(engine.statistics.compiled, engine.statistics.loaded)
"""


def test_the_next_process_does_not_wait_for_llvm(tmp_path):
    environment = {**os.environ, "QIUDAO_CACHE_DIR": str(tmp_path), "QIUDAO_CACHE": "1"}
    runs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=environment, capture_output=True, text=True, check=True,
        ).stdout.splitlines()
        for _ in range(2)
    ]  # fmt: skip
    assert runs[0][0] == runs[1][0]
    assert [run[-1] for run in runs] == ["1 0", "0 1"]


@qd.jit(static_argnames="k")
def power(x, k):
    return x**k


class Model:
    rate = 2.0

    @qd.jit
    def step(self, x):
        return self.rate * x


def doubled(x):
    return 2 * x


def test_pickling_by_name():
    assert pickle.loads(pickle.dumps(power)) is power
    assert pickle.loads(pickle.dumps(Model.step)) is Model.step


def test_pickling_by_the_function_that_is_compiled():
    given = qd.jit(doubled, donate="x")
    close(given(X.copy()), 2 * X)
    found = pickle.loads(pickle.dumps(given))
    assert found is not given
    assert found.donate == ("x",)
    x = X.copy()
    assert found(x) is x
    close(x, 2 * X)


def test_pickling_what_cannot_be_found():
    with pytest.raises((AttributeError, pickle.PicklingError)):
        pickle.dumps(qd.jit(lambda x: x))


def test_copies():
    assert copy.deepcopy(power) is power
    given = qd.jit(lambda x: 2 * x)
    for found in (copy.copy(given), copy.deepcopy(given)):
        assert found is not given
        close(found(X), 2 * X)


def test_arrays_of_whole_numbers_as_indices():
    table = np.linspace(0.0, 1.0, 11) ** 2

    def between(x):
        i = (x * 10).astype(int)
        part = x * 10 - i
        return np.sum(table[i] * (1 - part) + table[i + 1] * part)

    x = np.array([0.13, 0.55])
    close(qd.jit(between)(x), between(x))
    for derived in (
        qd.grad(between),
        qd.jit(qd.grad(between)),
        qd.grad(qd.jit(between)),
        qd.jacfwd(qd.jit(between)),
        qd.vmap(qd.grad(qd.jit(lambda x: between(x[None])))),
        lambda x: qd.jet(qd.jit(between), (x,), ([x],)),
        lambda x: qd.jit(between)(qd.tensor(x, requires_grad=True)).backward(),
    ):
        with pytest.raises(DtypeError, match=r"cannot become int64 without losing it.*np\.floor"):
            derived(x)


def test_whole_numbers_by_rounding_have_a_slope_of_zero_everywhere():
    table = np.linspace(0.0, 1.0, 11) ** 2

    def between(x):
        i = np.floor(x * 10).astype(int)
        part = x * 10 - i
        return np.sum(table[i] * (1 - part) + table[i + 1] * part)

    x = np.array([0.13, 0.55])
    expected = np.array([0.3, 1.1])
    for derived in (qd.grad(between), qd.jit(qd.grad(between)), qd.grad(qd.jit(between))):
        close(derived(x), expected)
    close(qd.jacfwd(qd.jit(between))(x), expected)


def test_programs_that_may_fail_go_straight_to_the_machine_code(monkeypatch):
    f = qd.jit(lambda x, i: 2 * x[i])
    x, i = np.arange(3.0), np.array([2, 0])
    f(x, i)
    monkeypatch.setattr(f, "call", None)
    assert np.array_equal(f(x, i), [4.0, 0.0])
    with pytest.raises(IndexError, match=r"^index 3 is out of bounds for axis 0 with size 3$"):
        f(x, np.array([0, 3]))


def test_loops_that_ran_out_of_room_are_given_more_on_the_short_way():
    def doubled(x):
        while x < 1.0:
            x = 2 * x
        return x

    f = qd.jit(qd.grad(doubled))
    assert f(0.75) == 2.0
    steps = 1000  # more than the loop remembers at first
    assert f(0.75 * 2.0**-steps) == 2.0 ** (steps + 1)


def test_bound_programs_raise():
    i, out = np.array([2, 0]), np.zeros(2)
    fill = qd.jit(lambda x, i: x[i]).bind(np.arange(3.0), i, out=out)
    fill()
    assert np.array_equal(out, [2.0, 0.0])
    i[0] = -4
    with pytest.raises(IndexError, match=r"^index -4 is out of bounds for axis 0 with size 3$"):
        fill()


def test_bound_programs_with_masks_are_machine_code_until_the_masks_are_wanted(monkeypatch):
    """A sweep through `where` carries masks where a number without them is not finite."""
    f = qd.grad(lambda x: np.sum(np.where(x > 0, np.log(x), x)))
    x, out = np.array([2.0, 4.0]), np.zeros(2)
    fill = qd.jit(f).bind(x, out=out)
    with monkeypatch.context() as patch:
        patch.setattr(Compiled, "run", None)
        x[1] = 5.0
        fill()
    close(out, [0.5, 0.2])
    x[:] = [0.0, 4.0]
    fill()
    close(out, [1.0, 0.25])
    again = np.zeros(2)
    qd.jit(f).into(x, out=again)
    close(again, [1.0, 0.25])
