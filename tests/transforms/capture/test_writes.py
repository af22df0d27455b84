"""Arrays made by NumPy and filled with traced values, `+=`, `out=`, lists."""

# ruff: noqa: PERF401 (the functions under test are what users write)

import numpy as np
import pytest

from qiudao.core.errors import TraceError
from qiudao.transforms.capture import captured
from qiudao.transforms.capture.outcomes import CaptureError
from transforms.capture.running import agree, compiled


def test_preallocate_and_fill():
    def f(x):
        z = np.zeros(5)
        z[0] = x
        for i in range(1, 5):
            z[i] = 0.5 * z[i - 1] + x
        return z

    agree(f, 2.0)


@pytest.mark.parametrize(
    "make",
    [np.zeros, np.ones, np.empty, lambda n: np.full(n, 2.0)],
    ids=["zeros", "ones", "empty", "full"],
)
def test_every_constructor(make):
    def f(x):
        z = make(3)
        z[:] = 0.0
        z[1] = x
        return z * z

    agree(f, 2.0)


def test_slices_and_masks_and_tuples():
    def f(x):
        z = np.zeros((3, 4))
        z[1, 2] = x
        z[0] = np.array([x, 2 * x, 1.0, 0.0])
        z[:, 3] += x
        z[z > 4.0] = 1.0
        z[[0, 2], 1] = [x, 7.0]
        return z

    agree(f, 1.5)


def test_a_traced_index():
    table = np.arange(6.0) ** 2

    def f(i):
        z = np.zeros(6)
        z[i] = 1.0
        z[i + 1] += table[i]
        return z

    agree(f, 2, 0)


def test_filling_in_a_loop_with_a_traced_bound():
    def f(x, n):
        z = np.zeros(6)
        for i in range(n):
            z[i] = x * i
        return z

    agree(f, (2.0, 4), (2.0, 0))


def test_filling_in_a_branch():
    def f(x):
        z = np.zeros(3)
        if x > 0:
            z[0] = x
        else:
            z[1] = 1.0
        return z

    agree(f, 2.0, -2.0)


def test_a_known_write_in_a_branch_is_not_done_on_the_other_path():
    def f(x):
        z = np.zeros(3)
        if x > 0:
            z[0] = 5.0
        return z

    agree(f, 2.0, -2.0)


def test_adding_in_place():
    def f(x):
        z = np.zeros(3)
        z += x
        z -= 1.0
        z *= x
        return z

    agree(f, 2.0)


def test_a_number_does_not_change_in_place():
    def f(x):
        y = x
        x += 1.0
        return x, y

    agree(f, 2.0)


def test_out():
    def f(x):
        z = np.empty(3)
        np.multiply(np.arange(3.0), x, out=z)
        np.add(z, 1.0, out=z)
        return z

    agree(f, 2.0)


def test_lists_become_arrays():
    def f(x):
        rows = []
        for i in range(3):
            rows.append([x * i, 1.0])
        return np.array(rows), np.asarray((x, 2)), np.array([x, 1.5], dtype=np.float32)

    agree(f, 2.0)


def test_other_names_see_a_write_into_a_traced_array():
    def f(x):
        z = x * 1.0
        w, tail = z, z[1:]
        if x[0] > 0:
            z[1] = 5.0
        return w, tail, z

    agree(f, np.array([1.0, 2.0, 3.0]), np.array([-1.0, 2.0, 3.0]))


def test_writing_through_a_view_in_a_branch():
    def f(x):
        z = x * 1.0
        tail = z[1:]
        if x[0] > 0:
            tail[0] = 5.0
        return z

    agree(f, np.array([1.0, 2.0, 3.0]), np.array([-1.0, 2.0, 3.0]))


def test_other_names_see_the_writes_of_a_loop():
    def f(x, n):
        z = x * 1.0
        w, tail, total = z, z[1:], 0.0
        for i in range(n):
            tail[0] = i + 1.0
            z[2] += i
            total = total + w[1]
            w += 1.0
        return z, w, tail, total

    agree(f, (np.zeros(3), 3), (np.ones(3), 0))


def test_known_writes_in_nested_branches():
    def f(x, y):
        z = np.zeros(3)
        if x > 0:
            if y > 0:
                z[0] = 1
            else:
                z[1] = y
            z[2] = 5
        return z

    agree(f, (1.0, 1.0), (1.0, -1.0), (-1.0, 1.0))


def test_elements_of_lists_and_dictionaries():
    def f(x, n):
        params = {"w": x, "b": [0.0, 1]}
        pair = [x, 0.0]
        same, other = params, pair
        for i in range(n):
            params["w"] = params["w"] * 0.5 + i
        if x > 1:
            params["w"] = -params["w"]
            pair[0] = 7.0
        while pair[0] > 3:
            pair[0] = pair[0] / 2
            pair[1] += 1
        return same["w"], same["b"], other

    agree(f, (1.0, 3), (2.0, 0))


def test_sorting_by_swaps():
    def f(x):
        a = x * 1.0
        n = len(a)
        for i in range(n):
            for j in range(n - 1 - i):
                if a[j] > a[j + 1]:
                    a[j], a[j + 1] = a[j + 1], a[j]
        return a

    agree(f, np.array([3.0, 1.0, 2.0, 5.0, 4.0]), np.arange(5.0))


def test_elements_of_tuples_of_targets():
    def f(x):
        z = np.zeros(3)
        z[0], z[2] = x, 2 * x
        z[0], z[2] = z[2], z[0]
        return z

    agree(f, 2.0)


def test_annotated_assignment():
    def f(x):
        z: np.ndarray = np.zeros(2)
        if x > 0:
            y: float = x
        else:
            y = 0.0
        z[0] = y
        return z

    agree(f, 2.0, -2.0)


def test_an_array_that_another_name_holds_is_refused():
    def f(x):
        z = np.zeros(3)
        w = z
        z[0] = x
        return z + w

    with pytest.raises(TraceError, match=r"`z\[0\] = x`\): .*other names hold too.*z\.copy\(\)"):
        compiled(f, 1.0)


def in_a_cell(x, keep):
    z = np.zeros(2)
    kept = keep(z)
    z[0] = x
    return (lambda: z * 1.0)(), kept


def beside_a_choice(x, keep, first=True):
    z = np.zeros(2)
    kept = keep(z)
    z[0 if first else 1] = x if first else -x
    return z, kept


def in_place_beside_a_choice(x, keep, first=True):
    z = np.zeros(2)
    kept = keep(z)
    z += x if first else -x
    return z, kept


def into_a_cell(x, keep):
    z = np.zeros(2)
    kept = keep(z)
    np.multiply(x, np.ones(2), out=z)
    return (lambda: z * 1.0)(), kept


def beside_a_choice_by_a_function(x, keep, first=True):
    z = np.zeros(2)
    kept = keep(z)
    np.put(z, 0 if first else 1, x)
    return z, kept


@pytest.mark.parametrize(
    "f",
    [
        in_a_cell, beside_a_choice, in_place_beside_a_choice, into_a_cell,
        beside_a_choice_by_a_function,
    ],
)  # fmt: skip
def test_names_are_counted_alike_wherever_a_name_stands(f):
    # CPython 3.14 and later lend the references of some variables, and count those of others
    agree(lambda x: f(x, lambda z: None)[0], 2.0)
    with pytest.raises(TraceError, match="other names hold too"):
        compiled(lambda x: f(x, lambda z: [z])[0], 2.0)


def test_an_array_of_an_object():
    class Box:
        pass

    def f(x):
        box = Box()
        box.z = np.zeros(3)
        box.z[0] = x
        if x > 1:
            box.z[1] += x
        return box.z

    agree(f, 1.0, 2.0)


def test_an_array_of_an_object_that_others_hold_is_refused():
    class Box:
        pass

    def f(x):
        box = Box()
        box.z = box.w = np.zeros(3)
        box.z[0] = x
        return box.z

    with pytest.raises(TraceError, match=r"plain array `box\.z`"):
        compiled(f, 1.0)


def test_an_argument_of_the_caller_is_refused():
    def fill(z, x):
        z[0] = x

    def f(x):
        z = np.zeros(3)
        fill(z, x)
        return z

    with pytest.raises(TraceError, match="other names hold too"):
        compiled(f, 1.0)


def test_plain_writes_change_the_array_itself():
    z = np.zeros(3)

    def f(z):
        z[0] = 1.0
        z[1:] += 2.0
        np.add(z, 1.0, out=z)
        return z

    assert captured(f)(z) is z
    assert z.tolist() == [2.0, 3.0, 3.0]


def test_elements_under_an_unknown_mask_are_added_to():
    def wrap(angle, table):
        angle = angle * 1.0
        angle[angle > np.pi] -= 2 * np.pi
        angle[angle < -np.pi] += 2 * np.pi
        z = np.ones(3)
        z[angle > 0] *= angle[0]
        table = table.copy()
        table[table[:, 0] > angle[1]] *= 2.0
        if angle[2] > 0:
            z[z > 0.5] = 7.0
            z[z > 6.0] /= angle[2]
        return angle, z, table

    agree(
        wrap,
        (np.array([4.0, -4.0, 1.0]), np.array([[2.0, 1.0], [3.0, 4.0]])),
        (np.array([-4.0, 0.5, -1.0]), np.array([[0.0, 1.0], [3.0, 4.0]])),
    )


def test_elements_under_an_unknown_mask_have_no_values_of_their_own():
    def f(x, v):
        x = x * 1.0
        x[x > 0] += v
        return x

    with pytest.raises(TraceError, match="has as many elements as the mask has True"):
        compiled(f, np.ones(3), np.ones(3))

    def g(x):
        x = x + 0
        x[x > 0] += 0.5
        return x

    with pytest.raises(TraceError, match="has as many elements as the mask has True"):
        compiled(g, np.arange(3))


def test_methods_that_write_into_plain_arrays():
    def f(u, x):
        z = np.zeros(4)
        z.fill(x)
        z.put([1], u[0])
        w = np.array([3.0, 1.0, 2.0, 0.0])
        if x > 1.0:
            w.sort()
        else:
            w.fill(2.0)
        w[0] = x
        k = 0
        while k < 3 and w[0] < 9.0:
            z.fill(x + k)
            z.sort()
            v = np.zeros_like(u)
            v.fill(2.0)
            w = w * x + v
            k += 1
        return z, w

    agree(f, (np.arange(4.0), 2.0), (np.arange(4.0), 0.5))


def test_methods_of_that_name_of_other_objects():
    def f(u, x):
        held = [3.0, 1.0, 2.0]
        held.sort(reverse=True)
        first, _, _ = "a b".partition(" ")
        return held[0] * x if first == "a" else u

    agree(f, (np.arange(4.0), 2.0))


def test_a_plain_array_is_written_into_after_a_function_that_writes():
    def f(u, x):
        z = np.zeros(4)
        np.copyto(z, 1.0)
        z[0] = x
        z = np.zeros(4)
        np.copyto(z, u[0] * x, where=np.arange(4) > 1)
        w = np.zeros(4)
        np.sin(w, out=w)
        w[0] = x
        return z + u, w

    agree(f, (np.arange(4.0), 2.0))


def test_a_method_that_writes_into_an_array_of_several_names_is_refused():
    def f(u, x):
        z = np.zeros(4)
        w = z
        z.fill(x)
        return w + u

    def g(u, x):
        z = np.zeros(4)
        w = z
        np.copyto(z, x, where=np.arange(4) > 1)
        return w + u

    for each in (f, g):
        with pytest.raises(CaptureError, match="plain array that other names hold too"):
            compiled(each, np.arange(4.0), 2.0)


class Box:
    held = None


def fills(held, x):
    held.fill(2.0)


def sorts_a_part(held, x):
    held[1:].sort()


def puts(held, x):
    np.put(held, [1], 2.0)


def gives_the_place(held, x):
    np.sin(held, out=held)


@pytest.mark.parametrize("write", [fills, sorts_a_part, puts, gives_the_place])
def test_an_array_of_an_object_that_a_branch_writes_into_is_refused(write):
    def f(u, x):
        box = Box()
        box.held = u * 1.0
        if x > 0.0:
            write(box.held, x)
        return box.held

    with pytest.raises(TraceError, match="writes into an array that was made outside of it"):
        compiled(f, np.arange(4.0), 2.0)
