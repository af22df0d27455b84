"""What would lose a gradient in silence raises, and the message shows the spelling that works."""

import math

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf

S, X = leaf(2.0), leaf([1.0, 2.0])


def n(shape=2):
    return np.zeros(shape)


def fill(act):
    """An act on a fresh plain array."""

    def run():
        array = np.zeros(2)
        act(array)

    return run


def put_element(array):
    array[0] = S


def put_slice(array):
    array[:] = X


NUMBERS = r"np\.sin, not math\.sin"
ARRAYS = r"np\.stack\(\[a, b\]\)"
TRAPS = {
    "float(t)": (lambda: float(S), NUMBERS),
    "int(t)": (lambda: int(S), NUMBERS),
    "complex(t)": (lambda: complex(S), NUMBERS),
    "range(t)": (lambda: range(S), NUMBERS),
    "list[t]": (lambda: [1, 2, 3][S], NUMBERS),
    "math.sin(t)": (lambda: math.sin(S), NUMBERS),
    "math.floor(t)": (lambda: math.floor(S), NUMBERS),
    "math.fsum([t])": (lambda: math.fsum([S, S]), NUMBERS),
    "math.hypot(t, t)": (lambda: math.hypot(S, S), NUMBERS),
    "np.float64(t)": (lambda: np.float64(S), ARRAYS),
    "np.array(t)": (lambda: np.array(X), ARRAYS),
    "np.array([t, t])": (lambda: np.array([S, S]), ARRAYS),
    "np.array of rows": (lambda: np.array([X, X]), ARRAYS),
    "np.array([t], dtype)": (lambda: np.array([S], dtype=float), ARRAYS),
    "np.asarray(t)": (lambda: np.asarray(X), ARRAYS),
    "np.ascontiguousarray(t)": (lambda: np.ascontiguousarray(X), ARRAYS),
    "np.full(n, t)": (lambda: np.full(2, S), ARRAYS),
    "np.arange(t)": (lambda: np.arange(0.0, S), ARRAYS),
    "n.dot(t)": (lambda: np.ones(2).dot(X), r"np\.dot\(n, x\)"),
    "n[t]": (lambda: np.arange(5)[S], ARRAYS),
    "n[i:j] = t": (fill(put_slice), r"np\.zeros_like\(x\)"),
    "np.ma.array(t)": (lambda: np.ma.array(X), ARRAYS),
    "rng.normal(t)": (lambda: np.random.default_rng(0).normal(S), ARRAYS),
    "np.full_like(n, t)": (lambda: np.full_like(n(), S), r"np\.broadcast_to\(t, shape\)"),
    "np.copyto(n, t)": (fill(lambda a: np.copyto(a, X)), r"np\.zeros_like\(t\)"),
    "np.copyto(n, m, where=t)": (fill(lambda a: np.copyto(a, 1.0, where=X)), "copyto"),
    "np.add(a, t, out=n)": (fill(lambda a: np.add(np.ones(2), X, out=a)), "n = n \\+ t"),
    "np.add(n, t, out=n)": (fill(lambda a: np.add(a, X, out=a)), "n = n \\+ t"),
    "np.sin(t, out=n)": (fill(lambda a: np.sin(X, out=a)), "out=n"),
    "np.sum(t, out=n)": (fill(lambda a: np.sum(X[None], axis=0, out=a)), "out"),
    "t.numpy()": (lambda: X.numpy(), r"x\.detach\(\)\.numpy\(\)"),
    "qd.tensor(t)": (lambda: qd.tensor(X), r"x\.clone\(\)"),
    "qd.tensor([t, t])": (lambda: qd.tensor([S, S]), ARRAYS),
    "t.astype(int)": (lambda: X.astype(int), r"np\.floor\(x\)"),
}


@pytest.mark.parametrize("name", TRAPS)
def test_trap(name):
    act, spelling = TRAPS[name]
    with pytest.raises(TypeError, match=spelling):
        act()


@pytest.mark.parametrize(
    "act",
    [fill(put_element), fill(lambda a: a.fill(S)), lambda: np.fromiter([S, S], float)],
    ids=["n[i] = t", "n.fill(t)", "np.fromiter"],
)
def test_trap_that_numpy_wraps(act):
    """NumPy raises its own ValueError here, from ours."""
    with pytest.raises(ValueError, match="setting an array element") as caught:
        act()
    assert "np.zeros_like(x)" in str(caught.value.__cause__)


@pytest.mark.parametrize("kind", ["jvp", "vmap", "jet", "grad"])
def test_the_traps_hold_inside_every_transform(kind):
    def f(x):
        return math.sin(x)

    runs = {
        "jvp": lambda: qd.jvp(f, (1.0,), (1.0,)),
        "vmap": lambda: qd.vmap(f)(np.ones(2)),
        "jet": lambda: qd.jet(f, (1.0,), ([1.0],)),
        "grad": lambda: qd.grad(f)(1.0),
    }
    with pytest.raises(TypeError, match=r"carries a gradient|differs between the examples"):
        runs[kind]()


def test_a_trap_changes_nothing():
    array = np.zeros(2)
    with pytest.raises(TypeError):
        np.add(array, X, out=array)
    with pytest.raises(ValueError, match="setting"):
        array[0] = S
    close(array, [0.0, 0.0])


# `n += t` rebinds the name, which is right as long as no other name holds the array


def test_augmented_assignment_rebinds_a_plain_array():
    total = np.zeros(2)
    total += X
    assert isinstance(total, qd.Tensor)
    close(qd.grad(total.sum(), X)[0], [1.0, 1.0])


def test_augmented_assignment_in_a_loop():
    total = np.zeros(2)
    for k in range(3):
        total += X**k
    close(qd.grad(total.sum(), X)[0], [0 + 1 + 2.0, 0 + 1 + 4.0])


def test_augmented_assignment_to_an_attribute_and_to_an_item():
    class Holder:
        pass

    holder, table = Holder(), {}
    holder.total, table["total"] = np.zeros(2), np.zeros(2)
    holder.total += X
    table["total"] += X
    close(qd.grad((holder.total * table["total"]).sum(), X)[0], [2.0, 4.0])


@pytest.mark.parametrize("kind", ["grad", "jvp", "vmap", "jet"])
def test_augmented_assignment_in_every_transform(kind):
    def f(x):
        total = np.zeros(2)
        total += x * x
        return total.sum()

    x = np.array([1.0, 2.0])
    found = {
        "grad": lambda: qd.grad(f)(x),
        "jvp": lambda: [qd.jvp(f, (x,), (e,))[1] for e in np.eye(2)],
        "vmap": lambda: qd.vmap(qd.grad(f))(x[None])[0],
        "jet": lambda: [qd.jet(f, (x,), ([e],))[1][0] for e in np.eye(2)],
    }
    close(np.array(found[kind]()), [2.0, 4.0])


def test_augmented_assignment_keeps_the_dtype_of_the_array():
    total = np.zeros(2, np.float32)
    total += X
    assert total.dtype == np.float32


def test_augmented_assignment_of_another_name_for_the_array_is_refused():
    total = np.zeros(2)
    other = total
    with pytest.raises(TypeError, match=r"n = n \+ t, not n \+= t"):
        total += X
    close(other, [0.0, 0.0])


def test_augmented_assignment_to_an_argument_that_the_caller_holds_is_refused():
    def accumulate(total, x):
        total += x

    total = np.zeros(2)
    with pytest.raises(TypeError, match=r"n = n \+ t, not n \+= t"):
        accumulate(total, X)


def in_one_line(make):
    # fmt: off
    total = make(); total += X  # noqa: E702
    # fmt: on
    return total


def beside_a_choice(make):
    total = make()
    total += X if len(X) else 0.0
    return total


def in_a_cell(make):
    total = make()
    total += X
    return (lambda: total)()


def of_an_argument(make):
    def add(total):
        total += X
        return total

    return add(make())


@pytest.mark.parametrize("f", [in_one_line, beside_a_choice, in_a_cell, of_an_argument])
def test_names_are_counted_alike_wherever_a_name_stands(f):
    # CPython 3.14 and later lend the references of some variables, and count those of others
    kept = []

    def several():
        kept.append(np.zeros(2))
        return kept[-1]

    close(qd.grad(f(lambda: np.zeros(2)).sum(), X)[0], [1.0, 1.0])
    with pytest.raises(TypeError, match=r"n = n \+ t, not n \+= t"):
        f(several)


def test_augmented_assignment_to_an_argument_handed_down_is_refused():
    def add(total):
        total += X

    def hand_down(total):
        add(total)

    with pytest.raises(TypeError, match=r"n = n \+ t, not n \+= t"):
        hand_down(np.zeros(2))


def test_augmented_assignment_to_a_view_is_refused():
    table = np.zeros((2, 2))
    with pytest.raises(TypeError, match=r"n = n \+ t, not n \+= t"):
        table[0] += X


def test_augmented_assignment_of_another_dtype_is_numpys_error():
    total = np.zeros(2, int)
    with pytest.raises(TypeError, match="same_kind"):
        total += X


def test_augmented_assignment_of_a_larger_shape_is_numpys_error():
    total = np.zeros(1)
    with pytest.raises(ValueError, match="broadcast"):
        total += X


def test_augmented_assignment_of_a_tensor_without_gradient_writes_into_the_array():
    total = np.zeros(2)
    other = total
    total += qd.tensor([1.0, 2.0])
    close(other, [1.0, 2.0])


def test_out_of_a_constant_function_writes_into_the_array():
    total = np.zeros(2)
    np.floor(X, out=total)
    close(total, [1.0, 2.0])


@pytest.mark.parametrize(
    "plain", [np.asarray, np.asanyarray, np.ascontiguousarray, lambda t: np.asarray(t, float)]
)
def test_a_plain_array_of_a_tensor_is_the_users_own(plain):
    x, c = leaf([1.0, 2.0]), qd.tensor([3.0, 4.0])
    y = np.exp(x)
    z = (y * c).sum()
    plain(y.detach())[...] = plain(c)[...] = 0.0
    close(c, [3.0, 4.0])
    close(qd.grad(z, x)[0], [3.0, 4.0] * np.exp([1.0, 2.0]))


def test_a_hooks_gradient_as_a_plain_array():
    x = leaf([1.0, 2.0])
    x.register_hook(lambda g: np.asarray(g).fill(50.0))
    (x * 1).sum().backward()
    close(x.grad, [1.0, 1.0])


def test_without_a_copy_an_array_is_shared_for_reading():
    t = qd.tensor([1.0, 2.0])
    shared = np.asarray(t, copy=False)
    assert np.shares_memory(shared, t.numpy())
    with pytest.raises(ValueError, match="read-only"):
        shared[0] = 5.0
    with pytest.raises(ValueError, match="copy"):
        np.asarray(t, np.float32, copy=False)
