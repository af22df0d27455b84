"""Arrays that share memory, where what is written or which is read is not known while tracing."""

# ruff: noqa: RUF007, SIM108 (the functions under test are what users write)

import numpy as np
import pytest

from qiudao.transforms.capture.outcomes import CaptureError
from transforms.capture.running import agree, compiled

RISING = np.arange(1.0, 5.0)
LONG = np.arange(1.0, 41.0)
TABLE = np.array([[0.5, 2.0], [1.5, -1.0], [-0.5, 0.25]])


def test_a_loop_reads_what_its_steps_wrote():
    def f(u, x):
        u = u * 1.0
        total = 0.0
        for e in u:
            total += e
            u[1:] = e
            if total > x:
                break
        return u, total

    agree(f, (RISING, 7.0), (RISING, 0.5), (RISING, 100.0))


def test_so_do_zip_and_enumerate_and_reversed():
    def f(u, x):
        u = u * 1.0
        total = 0.0
        for i, (a, b) in enumerate(zip(u[:-1], reversed(u), strict=False)):
            u[i + 1] = a + 0.5 * b * x
            total += a
            if total > 9.0:
                break
        return u, total

    agree(f, (RISING, 0.7), (RISING, 3.0), (RISING, -1.0))


def test_and_long_loops_without_a_jump():
    def f(u, x):
        u = u * 1.0
        for i, (a, b) in enumerate(zip(u[:-1], u[1:], strict=True)):
            u[i + 1] = 0.3 * a + b * x
        return u

    agree(f, (LONG, 0.7), (LONG, -0.2))


@pytest.mark.parametrize("inner", ["index", "loop", "view"])
def test_rows_read_in_a_loop_are_views(inner):
    def by_index(table, x):
        table = table * 1.0
        i = 0
        while table[i, 0] < x:
            row = table[i]
            row[0] += 1.0
            row *= 1.1
            i = (i + 1) % 3
        return table

    def by_loop(table, x):
        table = table * 1.0
        for row in table:
            if row[0] > x:
                row[1] = x
            if row[1] < -0.5:
                break
        return table

    def by_view(table, x):
        table = table * 1.0
        for e in table[:, 0]:
            tail = table[::-1]
            tail[1:] = e
            if e > x:
                break
        return table

    agree({"index": by_index, "loop": by_loop, "view": by_view}[inner], (TABLE, 0.7), (TABLE, 3.0))


def test_a_row_read_at_an_unknown_index_follows_its_array():
    def f(table, i):
        table = table * 1.0
        row = table[i]
        row[0] = 7.0
        table[i, 1] = 3.0
        return table, row

    agree(f, (TABLE, np.int64(1)), (TABLE, np.int64(-1)))


def rows(x):
    z = np.zeros((3, 2))
    for i in range(3):
        row = z[i]
        row[0] = x * i
    return z


def loop_over_rows(x):
    z = np.zeros((3, 2))
    for row in z:
        row[0] = x
    return z


def transposed(x):
    z = np.zeros((3, 2))
    w = z.T
    w[0] = x
    return z


def loop_over_views(x):
    z = np.zeros((40, 2))
    for k in range(40):
        row = z[k]
        if x > k:
            row[0] = x
    return z


@pytest.mark.parametrize("f", [rows, loop_over_rows, transposed, loop_over_views])
def test_a_traced_value_in_a_view_of_a_plain_array_is_refused(f):
    with pytest.raises(CaptureError, match="written into a plain array that other names hold too"):
        compiled(f, 1.0)


def test_what_alone_shows_an_array_may_be_written_into():
    def f(x):
        z = np.zeros(6).reshape(2, 3)
        z[1] = x
        if x > 1.0:
            z[0, 0] = x
        return z

    agree(f, 0.5, 2.0)


def test_a_row_of_a_plain_array_at_an_unknown_index_is_not_written_into():
    def f(i, x):
        z = np.ones((3, 2))
        row = z[i]
        row[0] = x
        return row

    with pytest.raises(CaptureError, match="an element of a plain array, read at an index that is"):
        compiled(f, np.int64(1), 1.0)


def test_one_of_two_views_can_be_read():
    def f(u, x):
        u = u * 1.0
        w = u[1:] if x > 1 else u[:-1]
        if x > 2.0:
            v = u[::2]
        else:
            v = u[1::2]
        return np.sum(w) + v[0]

    agree(f, (RISING, 0.5), (RISING, 1.5), (RISING, 3.0))


def written(u, x):
    if x > 1.0:
        w = u[1:]
    else:
        w = u[:-1]
    w[0] = x
    return u


def shown(u, x):
    u = u * 1.0
    if x > 1.0:
        w = u[1:]
    else:
        w = u[:-1]
    u[1] = 9.0
    return w


def carried(u, x):
    u = u * 1.0
    w = u[1:]
    while x < 3.0:
        u[0] = x
        x = x + w[0]
        w = u[:-1]
    return u


def either(u, x):
    v = u * 2.0
    u = u * 1.0
    w = u
    if x > 1.0:
        w = v
    w[0] = x
    return u, v


@pytest.mark.parametrize("f", [written, shown, carried, either])
def test_one_of_two_views_is_not_written_into_nor_what_it_shows(f):
    with pytest.raises(CaptureError, match="`w` shares memory with another array, and with which"):
        compiled(f, RISING, 1.0)


def test_an_array_that_nothing_else_holds_may_be_either_and_be_written_into():
    def f(u, x):
        v = u * 2.0
        if x > 1.0:
            v = u * 3.0
        for _ in range(3):
            new = 0.5 * v
            if new[0] > x:
                v = new
            v[1] += x
        return v

    agree(f, (RISING, 0.5), (RISING, 2.0))


def test_lists_and_dictionaries_keep_the_tuples_given_to_them():
    def f(x, y):
        held, named = [None, None], {}
        held[0] = (x, y)
        named["pair"] = [x, y]
        named["pair"].append(x * y)
        return held[0], named["pair"] * 2

    agree(f, (1.0, 2.0))


def test_an_array_that_a_step_makes_of_what_does_not_change_is_written_into():
    def f(u, x):
        total = 0.0
        while x < 3.0:
            near = u + 0.0
            near[1] *= 0.5
            near += 1.0
            x = x + near[1]
            if x > 2.0:
                far = np.sin(u)
                far[0] = 4.0
                total += far[0]
        return x, total

    agree(f, (RISING, 0.5), (RISING, 2.5), (RISING, 4.0))


def test_also_after_a_decision():
    def f(u, x):
        total = 0.0
        for _ in range(3):
            near = 1.0 - u
            x = x + 0.5
            if x > 2.0:
                continue
            near *= x
            if x > 1.0:
                near[0] = 7.0
            while near[1] < 9.0:
                near[1] += x
            total += np.sum(near)
        return total

    agree(f, (RISING, 0.0), (RISING, 1.0), (RISING, 4.0))


def test_part_of_a_plain_array_gets_a_traced_number_added():
    def f(x):
        z = np.ones(4)
        z[1:] += x
        z[::2] *= x
        if x > 1.0:
            z[:2] -= x
        return z

    agree(f, 0.5, 2.0)


def test_part_of_a_plain_array_gets_a_plain_number_in_a_branch():
    def f(x):
        z = np.ones(4)
        if x > 1.0:
            z[::2] += 2.0
        return z

    agree(f, 0.5, 2.0)


def test_a_plain_number_in_a_view_of_a_plain_array_in_a_branch_is_refused():
    def f(x):
        z = np.ones(4)
        if x > 1.0:
            w = z[1:]
            w[0] = 2.0
        return z

    def g(x):
        z = np.ones(4)
        if x > 1.0:
            w = z[1:]
            w += 2.0
        return z

    for each in (f, g):
        with pytest.raises(CaptureError, match="plain array that other names hold too"):
            compiled(each, 1.0)


def test_a_view_is_right_after_a_loop_that_was_tried_in_vain():
    def f(u, x):
        w = u[::1]
        if x > 0.0:
            for _ in range(33):
                x = x * 0.5
                w += w
        return x, w[0]

    agree(f, (1e-9 * RISING, 1.0), (RISING, -1.0))


def test_a_view_without_axes_is_written_into():
    def f(u, x):
        u = u * 1.0
        view, number = u[2, ...], u[1]
        view *= 2.0
        number *= 2.0
        if x > 1.0:
            view += x
        return u, number

    agree(f, (RISING, 0.5), (RISING, 2.0))
