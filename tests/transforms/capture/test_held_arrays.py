"""Names that may be one array or another, where others hold one of them too."""

# ruff: noqa: RET504, SIM102 (the functions under test are what users write)

import numpy as np
import pytest

import qiudao as qd
from qiudao.transforms.capture.outcomes import CaptureError
from transforms.capture.running import agree, compiled

LOW = np.array([0.2, 0.7, 0.1, 0.9])
RISING = np.arange(1.0, 5.0)
INPUTS = (LOW, 3.0), (LOW, 0.3), (RISING, 0.6), (RISING, -1.0)
TABLE = np.arange(4.0)


class Box:
    held = None


def change(a, t):
    if t > 0.4:
        a = a * 2
    a[0] = 0.5
    return a


def loops_over_what_it_binds(u, x):
    u = u * 1.0
    for e in u:
        if e > 0.5:
            u[1:] = x
            u = 2 * u
    return u


def loops_with_a_break(u, x):
    u = u * 1.0
    total = 0.0
    for e in u:
        total += e
        if e > 0.5:
            u = 2 * u
        u[-1] = x
        if total > 1.0:
            break
    return u, total


def enumerates(u, x):
    u = u * 1.0
    for i, e in enumerate(u):
        if e > 0.5:
            u = u * 2
        u[i] = x * e
    return u


def zips(u, x):
    u = u * 1.0
    v = u * 3
    for a, b in zip(u, v, strict=True):
        if a > 0.5:
            u = 2 * u
        u[-1] = x * b
    return u


def goes_backwards(u, x):
    u = u * 1.0
    for e in reversed(u):
        if e > 0.5:
            u = u * 2
        u[0] = x * e
    return u


def loops_long(u, x):
    u = np.concatenate([u] * 10)
    for e in u:
        if e > 0.5:
            u[1:] = x
            u = 2 * u
    return u


def loops_over_a_plain_array(u, x):
    z = np.arange(4.0)
    total = 0.0
    for e in z:
        total = total + e * x
        if total > 0.5:
            z = z * 2
        z[-1] = x
    return z, total


def chooses_in_an_expression(u, x):
    u = u * 1.0
    v = u * 2
    w = u if x > 0.5 else v
    w[0] = 3.0
    return u, v, w


def reads_what_was_chosen(u, x):
    u = u * 1.0
    v = u * 2
    w = u if x > 0.5 else v
    v[0] = 3.0
    return w


def chooses_in_a_function(u, x):
    def pick(a, b):
        if x > 0.5:
            return a
        return b

    u = u * 1.0
    v = u * 2
    w = pick(u, v)
    w[0] = 3.0
    return u, v


def writes_in_a_function(u, x):
    def put(a, b):
        if x > 0.5:
            a = b
        a[0] = 5.0
        return a

    u = u * 1.0
    v = u * 2
    return u, v, put(u, v)


def is_read_after_the_loop(u, x):
    u = u * 1.0
    w = u
    for i in range(3):
        if x > i:
            u = u * 2
        u[0] = 1.0
    return u, w


def becomes_another_in_a_loop(u, x):
    u = u * 1.0
    w = u * 2
    k = 0
    while k < 4 and np.sum(w) < 30:
        w[0] = 5.0
        if x > 0.5:
            w = u
        k += 1
    return u, w


def is_an_attribute(u, x):
    class Box:
        held = u * 1.0

    box = Box()
    box.held = u * 1.0
    v = box.held
    if x > 0.5:
        v = v * 2
    v[0] = 3.0
    return v, box.held


def is_a_global(u, x):
    v = TABLE
    if x > 0.5:
        v = v * 2
    v[0] = 1.0
    return v


def shows_a_plain_array(u, x):
    z = np.zeros(4)
    w = z
    if x > 0.5:
        w = 2 * u
    z[0] = 5.0
    return w


def is_an_attribute_of_an_array_that_no_name_holds(u, x):
    class Box:
        pass

    box = Box()
    box.held = u * 1.0
    v = u * 1.25
    if v[1] * x > 0.4:
        if x > 0.5:
            v = box.held
    v += 1.5
    return v, box.held


def is_carried_by_a_loop(u, x):
    z = np.zeros(4)
    w = z
    while np.sum(z) < x:
        z = z + u
    z[0] = x
    return z, w


def twice_the_same(u, x):
    a, b, c = u * 1.0, u * 2, u * 3
    if x > 0.5:
        p, q = a, a
    else:
        p, q = b, c
    p[0] = 9.0
    return p, q


def goes_on_before_it_chooses(u, x):
    u, w = u * 1.0, u + 1.0
    for e in u:
        if x > 0.5:
            continue
        u = u if e > 2.0 else w
    u[1:] = w[:-1] * 0.5
    return u, w


def changes_what_was_chosen(u, x):
    u, w = u * 1.0, u + 1.0
    v = u if x > 2.0 else w
    return u, w, change(v, x)


def changes_a_view_of_a_plain_array(u, x):
    w = np.ones(4)
    return w, change(w[::-1], x)


def may_be_a_copy(u, x):
    v = np.zeros(4)
    box = Box()
    box.held = v
    if x > 1.0:
        v = v.copy()
    w = v if u[0] < x else v  # noqa: RUF034
    w[1] = x
    return v, box.held


def may_be_a_list_within(u, x):
    inner, m = [0.5, x], [1.0, x]
    if u[0] > 0.5:
        if x < 0.4:
            m = inner
    inner[0] = x
    return m[0] * x


@pytest.mark.parametrize(
    "f",
    [
        goes_on_before_it_chooses, changes_what_was_chosen, changes_a_view_of_a_plain_array,
        may_be_a_copy, may_be_a_list_within,
        loops_over_what_it_binds, loops_with_a_break, enumerates, zips, goes_backwards, loops_long,
        loops_over_a_plain_array, chooses_in_an_expression, reads_what_was_chosen,
        chooses_in_a_function, writes_in_a_function, is_read_after_the_loop,
        becomes_another_in_a_loop, is_an_attribute, is_a_global, shows_a_plain_array,
        is_an_attribute_of_an_array_that_no_name_holds, is_carried_by_a_loop, twice_the_same,
    ],
)  # fmt: skip
def test_what_may_be_one_of_two_is_not_written_into_where_others_show_it(f):
    with pytest.raises(CaptureError, match="shares memory with another array, and with which"):
        compiled(f, *INPUTS[0])


def accepts(u, x):
    def accept(old, new):
        if np.sum(new) > x:
            return new
        return old

    u = u + 0.0
    for k in range(3):
        new = u * 1.5 + k
        u = accept(u, new)
        u[0] = 7.0
    return u


def chooses_and_writes(u, x):
    for k in range(4):
        new = u - 0.1 * k * x
        u = new if np.sum(new) < np.sum(u) else u
        u[1] += x
    return u


def swaps(u, x):
    a, b, c = u * 1.0, u * 2, u * 3
    if x > 0.5:
        a, b, c = b, c, a
    a[0] = 9.0
    b[1] = x
    if x < 0.5:
        a, b = b, a
    a[2] = 7.0
    c[0] = x
    return a, b, c


def swaps_in_a_loop(u, x):
    a, b = u * 1.0, u * 2
    k = 0
    while k < 5:
        if a[0] * x < b[0]:
            a, b = b, a
        a[0] += 1.0
        b[1] -= x
        k += 1
        if np.sum(a) > 30:
            break
    return a, b


def changes_its_argument(u, x):
    def bounded(v):
        if x > 0.5:
            v = v * 2
        v[0] = 1.0
        return v

    u = u + 0.0
    u = bounded(u)
    return u


def changes_after_a_loop(u, x):
    total = 0.0
    for e in u:
        if e > 0.5:
            u = u * 2
        total += u[0] * x
        if total > 1.0:
            break
    u[0] = 4.0
    return total, u


def relaxes(u, x):
    def relaxed(start):
        v = start
        k = 0
        while k < 3 and np.sum(v) < 40:
            v = v * 1.5
            v[0] = x
            k += 1
        return v

    return relaxed(u * 1.0), u


def is_bound_to_the_attribute_too(u, x):
    class Box:
        pass

    box = Box()
    box.held = u * 1.0
    v = box.held
    if x > 0.5:
        v = v * 2
    box.held = v
    v[0] = 3.0
    return v, box.held


def views(u, x):
    w = u[1:] if x > 0.5 else u[:-1]
    w[0] = x
    return w


def is_set_to_what_it_holds(u, x):
    v = u * 2.0
    box = Box()
    box.held = v
    if x > 0.0:
        if x < 0.5:
            box.held = v
        else:
            v[2] = x
    return v, box.held


@pytest.mark.parametrize(
    "f",
    [
        is_set_to_what_it_holds, accepts, chooses_and_writes, swaps, swaps_in_a_loop,
        changes_its_argument, changes_after_a_loop, relaxes, is_bound_to_the_attribute_too, views,
    ],
)  # fmt: skip
def test_but_where_no_other_shows_it(f):
    agree(f, *INPUTS)


def has_two_names_since_a_branch(u, x):
    a, b = u * 1.0, u * 2.0
    if x > 0.5:
        a = u * x
        b = a
    a[0] = 9.0
    return a, b


def is_in_a_list_since_a_branch(u, x):
    a, held = u * 1.0, [u * 2.0]
    if x > 0.5:
        a = u * x
        held[0] = a
    a[0] = 9.0
    return a, held[0]


def shows_a_part_since_a_branch(u, x):
    if x > 0.5:
        a = u * x
        b = a[1:]
    else:
        a = u - x
        b = u[1:]
    a[1] = 9.0
    return a, b


def shows_a_part_of_what_a_branch_chose(u, x):
    a, b = u * 1.0, u[1:] * 2.0
    if x < 2.0:
        c = u * x if x > 0.5 else u * 2.0
        if u[0] > 0.5:
            a = c
            b = c[1:]
    a[1] = 9.0
    return a, b


def is_given_twice(u, x):
    def both():
        if x > 0.5:
            a = u * x
            return a, a
        return u * 1.0, u * 2.0

    a, b = both()
    a[0] = 9.0
    return a, b


def has_two_names_since_a_step(u, x):
    a, b = u * 1.0, u * 2.0
    while np.sum(a) < 9.0:
        a = a * 2.0
        b = a
    a[0] = x
    return a, b


def has_two_names_within_the_loop(u, x):
    a, b, k = u * 1.0, u * 2.0, 0
    while k < 3 and x > 0:
        a[0] += 1.0
        if k == 0:
            a = a * x
            b = a[::-1]
        k += 1
    return a, b


def is_plain_and_has_two_names_since_a_step(u, x):
    a, b, k = np.zeros(4), np.zeros(4), 0
    while k < x:
        a = np.ones(4)
        b = a
        k += 1
    a[0] = x
    return a, b


def becomes_a_plain_array_in_a_loop(u, x):
    z, a, k = np.zeros(4), np.ones(4), 0
    while k < x:
        a = z
        k += 1
    a[0] = x
    return a, z


def has_two_names_by_the_step_that_ends_the_loop(u, x):
    for e in u:
        a = u * e
        b = a
        if e > x:
            break
    a[0] = 9.0
    return a, b


def is_a_view_that_one_path_copies(u, x):
    o = u * 1.0
    a = o[::-1]
    if x > 0.5:
        a = a.copy()
    a[0] = 9.0
    return o


def is_a_view_of_what_is_written_into(u, x):
    o = u * 1.0
    a = o[::-1]
    if x > 0.5:
        a = a * 2.0
    o[0] = 9.0
    return a, o


@pytest.mark.parametrize(
    "f",
    [
        is_a_view_that_one_path_copies, is_a_view_of_what_is_written_into,
        has_two_names_since_a_branch, is_in_a_list_since_a_branch, shows_a_part_since_a_branch,
        shows_a_part_of_what_a_branch_chose, is_given_twice, has_two_names_since_a_step,
        has_two_names_within_the_loop, is_plain_and_has_two_names_since_a_step,
        becomes_a_plain_array_in_a_loop, has_two_names_by_the_step_that_ends_the_loop,
    ],
)  # fmt: skip
def test_what_a_piece_made_is_not_written_into_where_two_names_may_show_it(f):
    with pytest.raises(CaptureError, match="shares memory with another array, and with which"):
        compiled(f, *INPUTS[0])


def has_two_names_on_both_paths(u, x):
    if x > 0.5:
        a = u * x
        b = a
    else:
        b = u - x
        a = b
    a[0] = 9.0
    return a, b


def is_given_twice_on_both_paths(u, x):
    def both():
        a = u * x
        if x > 0.5:
            return a, a
        b = u - x
        return b, b

    a, b = both()
    a[0] = 9.0
    return a, b


def has_another_name_that_is_read_no_more(u, x):
    a, b = u * 1.0, u * 2.0
    while np.sum(a) < 9.0:
        a = a * 2.0
        b = a
    c = a + b
    b = u * x
    a[0] = 9.0
    return a, b, c


def is_the_best_of_a_loop(u, x):
    best, k = u * 1.0, 0
    while k < 4:
        new = u * (k - x)
        if np.sum(new) > np.sum(best):
            best = new
        k += 1
    best[0] = 7.0
    return best


def is_shown_and_read_only(u, x):
    a, b = u * 1.0, u * 2.0
    while np.sum(a) < 9.0:
        a = a * 2.0
        b = a[::-1]
    if x > 0.5:
        a = b * x
        b = a[::-1]
    return a, b


def has_two_names_by_a_long_loop(u, x):
    a, b = u * 1.0, u * 2.0
    for _ in range(40):
        a = a * x
        b = a
    a[0] = 9.0
    return a, b


def is_made_anew_of_what_does_not_change(u, x):
    a, k = u * 1.0, 0
    while k < x:
        a = u * 2.0
        k += 1
    a[0] = 9.0
    return a


def is_made_anew_and_written_into(u, x):
    a, b, k = u * 1.0, u * 2.0, 0
    while k < x:
        b = np.zeros_like(u)
        b[1:] = a[1:] * x
        a = np.zeros_like(u)
        k += 1
    return a, b


def is_a_view_of_what_no_other_shows(u, x):
    a = (u * 1.0)[::-1]
    if x > 0.5:
        a = a.copy()
    a[0] = 9.0
    return a


@pytest.mark.parametrize(
    "f",
    [
        is_a_view_of_what_no_other_shows, has_two_names_on_both_paths, is_given_twice_on_both_paths,
        has_another_name_that_is_read_no_more, is_the_best_of_a_loop, is_shown_and_read_only,
        has_two_names_by_a_long_loop, is_made_anew_of_what_does_not_change,
        is_made_anew_and_written_into,
    ],
)  # fmt: skip
def test_but_it_is_where_that_is_one_or_no_other_is_read(f):
    agree(f, *INPUTS)


def test_the_gradient_of_arrays_that_change_places():
    def f(x):
        return sum(np.sum(y * y) for y in swaps_in_a_loop(LOW, x))

    for x in (0.3, 1.7):
        found = qd.jit(qd.grad(f))(x)
        assert found == pytest.approx((f(x + 1e-6) - f(x - 1e-6)) / 2e-6, rel=1e-6)
