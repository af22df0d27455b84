"""Attributes and elements of containers that branches and loops on traced values change."""

# ruff: noqa: SIM103, SIM108 (the functions under test are what users write)

from collections import defaultdict, deque
from dataclasses import dataclass

import numpy as np
import pytest

import qiudao as qd
from qiudao.transforms.capture.outcomes import CaptureError
from transforms.capture.running import agree, compiled

NUMBERS = 3.0, 0.3, -1.0, 0.9
NAMED = {"k": 1.0}
LISTED = [1.0, 2.0]


class Box:
    pass


class Oscillator:
    def __init__(self, x):
        self.x, self.t, self.h, self.turns = x, 0.0, 0.1, 0

    def step(self):
        if self.x > 0.5:
            self.h = self.h * 0.9
            self.x -= self.h * self.x
            self.turns += 1
        else:
            self.x += self.h
        self.t += self.h


class Field:
    def __init__(self, n, x):
        self.u, self.x, self.t, self.halved = np.zeros(n), x, 0.0, 0

    def fill(self):
        for i in range(len(self.u)):
            self.u[i] = np.sin(i + self.x)

    def step(self, dt):
        new = self.u + dt * (np.roll(self.u, 1) - self.u)
        if np.max(np.abs(new)) > 0.9:
            self.u = new * 0.5
            self.halved += 1
        else:
            self.u = new
        self.u[0] = self.x
        self.u[1:] *= 0.9
        self.t += dt


@dataclass
class Pair:
    a: float
    b: float


def by_steps(x):
    s = Oscillator(x)
    for _ in range(5):
        s.step()
    return s.x, s.t, s.h, s.turns


def until_a_time(x):
    s = Oscillator(x)
    while s.t < 0.35:
        s.step()
    return s.x, s.t, s.h, s.turns


def field(x):
    f = Field(5, x)
    f.fill()
    while f.t < 1.0:
        f.step(0.1 * (1 + abs(x)))
    return f.u, f.t, f.halved


def attribute_of_one_branch(x):
    box = Box()
    box.value = 1.0
    if x > 0.5:
        box.value = x * 3
    return box.value * x


def attribute_made_by_both(x):
    box = Box()
    if x > 0.5:
        box.value = x * 3
    else:
        box.value = x
    return box.value * x


def attribute_of_a_class(x):
    class Counter:
        n = 0

    if x > 0.5:
        Counter.n += 1
    Counter.n += 1
    return Counter.n * x


def attribute_with_a_slot(x):
    class Slotted:
        __slots__ = ("value",)

    s = Slotted()
    s.value = 1.0
    if x > 0.5:
        s.value = x
    return s.value * x


def attribute_by_its_name(x):
    box = Box()
    box.value = 1.0
    if x > 0.5:
        setattr(box, "value", 2 * x)  # noqa: B010
    return box.value


def attribute_of_an_attribute(x):
    box = Box()
    box.inner = Box()
    box.inner.value = 1.0
    if x > 0.5:
        box.inner.value += x
    return box.inner.value


def field_of_a_dataclass(x):
    pair = Pair(1.0, x)
    if pair.b > 0.5:
        pair.a = x * 2
    while pair.a < 3:
        pair.a += abs(pair.b) + 0.1
    return pair.a * x


def counted_before_a_break(x):
    box = Box()
    box.n, box.sums = 0, [0.0]
    for i in range(10):
        box.n += 1
        box.sums[0] += x * i
        if x * i > 2:
            break
    return box.n, box.sums[0]


def array_read_as_an_attribute(x):
    box = Box()
    box.held = np.arange(3.0) * x
    v = box.held
    total = 0.0
    if x > 0.5:
        v[0] = 5.0
        total = box.held[0] * x
    return total, v, box.held


def array_of_an_attribute(x):
    box = Box()
    box.held = np.ones(3) * x
    if x > 0.5:
        box.held += x
        box.held[1] *= 2
    return box.held


def global_dictionary(x):
    NAMED["k"] = 1.0
    if x > 0.5:
        NAMED["k"] = 2.0 * x
    while NAMED["k"] < 3:
        NAMED["k"] += 0.7
    return NAMED["k"] * x


def global_list(x):
    LISTED[0] = 1.0
    if x > 0.5:
        LISTED[0] = 2.0
    return LISTED[0] * x


def list_of_an_object(x):
    box = Box()
    box.held = [1.0, 2.0]
    if x > 0.5:
        box.held[0] = x
    return box.held[0]


def list_that_two_hold(x):
    inner = [1.0, 2.0]
    named = {"a": inner}
    if x > 0.5:
        named["a"][0] = x
    inner[1] = 3 * x
    k = 0
    while k < 3:
        inner[0] = inner[0] + 1
        k += 1
    return named["a"][0] * x + inner[0] + named["a"][1]


def other_containers(x):
    queue, totals = deque([1.0, 2.0]), defaultdict(float, a=1.0)
    if x > 0.5:
        queue[0] = x
        totals["a"] += x
    return queue[0] + totals["a"]


def changed_by_a_function(x):
    def double(d):
        d["a"] = x * d["a"]

    named = {"a": 1.0}
    if x > 0.5:
        double(named)
    return named["a"]


def made_in_the_branch(x):
    def g(v):
        box = Box()
        box.value, box.held = v, []
        box.held.append(v)
        box.held.append(2 * v)
        box.value *= 2
        named = {}
        named["q"] = box.value
        return box.value + box.held[1] + named["q"]

    if x > 0.5:
        y = g(x)
    else:
        y = -g(x * 2)
    k = 0
    while k < 3:
        y += g(y * 0.1)
        k += 1
    return y


def variable_around(x):
    n = 0

    def square(v):
        nonlocal n
        n += 1
        return v * v

    y = abs(x) + 1.1
    while y < 100:
        y = square(y)
    return y * n


def list_bound_anew_in_the_other_branch(x):
    held = [1.0, 2.0]
    other = held
    if x > 0.5:
        held[0] = x
    else:
        held = [5.0, x]
    return held, other


def methods_of_a_class_within(x):
    class Halving:
        def __init__(self):
            self.y, self.k = x, 0

        def is_small(self):
            self.k += 1
            self.y = self.y * 0.5 + 0.1
            if self.y < 0.3:
                return True
            return False

    s = Halving()
    for _ in range(8):
        if s.is_small():
            break
    return s.y, s.k


def loop_without_end(x):
    n = 0.0
    while True:
        n += 1
        if n * abs(x) > 2 or n > 6:
            return n * x


def makes_a_list_in_a_branch(x):
    values = [x, 1.0]
    if x > 0.5:
        x = x + 1
    else:
        values = [x * 2, 2.0]
        values[0] = x * 3
    return values[0] * x, values[1] * x


def makes_a_list_in_a_choice(x):
    values, shown = [x, 1.0], [x, 2.0]
    if x < 2.0:
        if x > 0.5:
            x = x * 2
        else:
            values = [1.5, 2.0]
        shown = values
        values[0] = x * 3
    return values[0] * x, shown[0] * x


PROGRAMS = [
    makes_a_list_in_a_branch, makes_a_list_in_a_choice,
    by_steps, until_a_time, field, attribute_of_one_branch, attribute_made_by_both,
    attribute_of_a_class, attribute_with_a_slot, attribute_by_its_name, attribute_of_an_attribute,
    field_of_a_dataclass, counted_before_a_break, array_read_as_an_attribute,
    array_of_an_attribute, global_dictionary, global_list, list_of_an_object, list_that_two_hold,
    other_containers, changed_by_a_function, made_in_the_branch, variable_around,
    list_bound_anew_in_the_other_branch, methods_of_a_class_within, loop_without_end,
]  # fmt: skip


@pytest.mark.parametrize("f", PROGRAMS)
def test_as_python_has_them(f):
    agree(f, *NUMBERS)


@pytest.mark.parametrize("f", [by_steps, until_a_time, field, list_that_two_hold])
def test_their_gradient(f):
    def total(x):
        found = f(x)
        return sum(np.sum(y) for y in found) if isinstance(found, tuple) else found

    for x in (0.31, 2.7):
        found = qd.jit(qd.grad(total))(x)
        assert found == pytest.approx((total(x + 1e-6) - total(x - 1e-6)) / 2e-6, rel=1e-5)


def grows_a_global(x):
    if x > 0.5:
        LISTED.append(x)
    return x


def grows_a_set(x):
    found = set()
    if x > 0.5:
        found.add(1)
    return x * len(found)


def deletes(x):
    named = {"a": x, "b": 1.0}
    if x > 0.5:
        del named["b"]
    return named["a"]


@pytest.mark.parametrize("f", [grows_a_global, grows_a_set, deletes])
def test_a_container_that_changes_its_length_is_refused(f):
    with pytest.raises(CaptureError, match="changes its length or structure under a condition"):
        compiled(f, 1.0)
    assert LISTED[1:] == [2.0]


def one_of_two_lists(x):
    first, second = [1.0, 2.0], [x, 3.0]
    held = first
    if x > 0.5:
        held = second
    held[0] = 9.0
    return first, second, held


def one_of_two_lists_that_is_shown(x):
    first = [1.0, 2.0]
    held = first
    if x > 0.5:
        held = [x, 3.0]
    first.reverse()
    return held


def a_list_bound_anew_in_a_loop(x):
    held = first = [x, 1.0]
    for k in range(3):
        first[0] = x * k
        if x > k:
            continue
        held = [x, 2.0]
    return held


def one_of_several_lists(x):
    held = first = [1.0, 2.0]
    for k in range(3):
        if x > k:
            held = [x, 3.0]
    held[0] = 9.0
    return first, held


@pytest.mark.parametrize(
    "f",
    [
        one_of_two_lists,
        one_of_two_lists_that_is_shown,
        one_of_several_lists,
        a_list_bound_anew_in_a_loop,
    ],
)
def test_a_list_that_may_be_one_of_two_is_not_changed(f):
    with pytest.raises(CaptureError, match="`held` shares memory with another"):
        compiled(f, 1.0)


def missing(x):
    box = Box()
    if x > 0.5:
        box.value = x
    return box.value * 2


def guarded(x):
    if x > 0.5:
        y = 2 * x
    z = 0.0
    if x > 0.5:
        z = y
    return z


def returned(x):
    if x > 0.5:
        y = 2 * x
    if x > 0.5:
        return y
    return x


def formatted(x):
    if x > 0.5:
        y = 2
    return x * len(f"{y}")


def printed(x):
    if x > 0.5:
        y = 2
    return x * len(str(y))


@pytest.mark.parametrize("f", [missing, guarded, returned, formatted, printed])
def test_what_one_path_does_not_define_is_named(f):
    with pytest.raises(CaptureError, match=r"`(y|box\.value)` is defined on one path of .*if x"):
        qd.jit(f)(1.0)
