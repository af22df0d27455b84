"""`while` and `for` with ends that hang on traced values."""

# ruff: noqa: SIM108 (the functions under test are what users write)

import numpy as np
import pytest

from qiudao.compiling.tracing import trace
from qiudao.transforms.capture import captured
from transforms.capture.running import agree, compiled


def test_newton():
    def root(a):
        x, steps = 1.0, 0
        while abs(x * x - a) > 1e-12:
            x = 0.5 * (x + a / x)
            steps += 1
        return x, steps

    agree(root, 2.0, 9.0, 1.0)


def test_collatz():
    def f(n):
        k = 0
        while n != 1:
            if n % 2 == 0:
                n = n // 2
            else:
                n = 3 * n + 1
            k += 1
        return k

    agree(f, 27, 1, 6)


def test_bisection():
    def f(target):
        low, high = 0.0, 4.0
        while high - low > 1e-9:
            middle = 0.5 * (low + high)
            if middle * middle < target:
                low = middle
            else:
                high = middle
        return low

    agree(f, 2.0, 9.0)


def test_for_with_traced_bound():
    def f(x, n):
        total = 0.0
        for i in range(n):
            total += x * i
        return total

    agree(f, (1.5, 4), (1.5, 0), (2.0, 7))


def test_range_with_start_and_step():
    def f(a, b):
        total = 0
        for i in range(a, b, 3):
            total = total + i
        for i in range(b, a, -2):
            total = total + 10 * i
        return total

    agree(f, (1, 8), (8, 1), (2, 3))


def test_for_with_traced_bound_and_break():
    def f(x, n):
        total = 0.0
        for i in range(n):
            if total > 10:
                break
            if i == 2:
                continue
            total += x
        return total

    agree(f, (3.0, 100), (3.0, 2), (0.1, 9))


def test_a_known_range_with_a_break_knows_its_last_step():
    def f(x):
        total = 0.0
        for i in range(50):
            if total > 10:
                break
            if i == 2:
                continue
            total += x
        else:
            total = -1.0
        return total, i

    agree(f, 3.0, 0.01)


def test_return_from_a_loop():
    def f(x):
        for i in range(10):
            if x > 100:
                return x, i
            x = x * 2
        return -x, -1

    agree(f, 3.0, 0.001)


def test_nested_loops_with_break_return_and_else():
    def f(x, y):
        total = 0.0
        for i in range(5):
            for j in range(5):
                if i * j > y:
                    break
                if total > 50:
                    return total, i, j
                total += x
            else:
                total += 100
        return total, -1, -1

    agree(f, (1.0, 3.0), (20.0, 9.0), (1.0, 100.0), (0.1, -1.0))


def test_nested_loops_with_traced_bounds():
    def f(n, m):
        total = 0
        for i in range(n):
            for j in range(m):
                if j > i:
                    continue
                total += i * j
        return total

    agree(f, (4, 3), (0, 3), (3, 0))


def test_while_true():
    def f(x):
        while True:
            x = x * 2
            if x > 100:
                break
            if x < 1:
                continue
            x = x + 1
        return x

    agree(f, 3.0, 0.1)


def test_while_else():
    def f(x):
        k = 0
        while k < x:
            if k == 7:
                break
            k += 1
        else:
            k = -k
        return k

    agree(f, 3.0, 20.0)


def test_walrus_in_the_condition_of_a_loop():
    def f(x):
        count = 0
        while (x := x / 2) > 1:
            if x < 1.2:
                break
            count += 1
        return x, count

    agree(f, 100.0, 0.5, 9.0)


def test_for_over_an_array_with_break():
    def f(xs, limit):
        total = 0.0
        for x in xs:
            if total > limit:
                break
            total += x
        return total

    agree(f, (np.arange(5.0), 2.5), (np.arange(5.0), 100.0), (np.ones(5), -1.0))


def test_for_over_containers_with_break():
    weights = [(1, 2.0), (2, 3.0), (3, 5.0)]

    def f(x):
        total = 0.0
        for k, w in weights:
            if total > x:
                break
            total += k * w
        for i, w in enumerate(np.arange(3.0)):
            if w > x:
                break
            total += i
        return total

    agree(f, 1.0, 6.0, 100.0)


def test_for_over_values_of_different_types_with_break():
    def f(x):
        total = 0.0
        for part in (np.ones(2), np.ones(3), 2.0):
            if total > x:
                break
            total = total + np.sum(part)
        return total

    agree(f, 1.0, 4.0, 100.0)


def test_plain_loops_stay_loops_of_python():
    def f(x):
        for _ in range(3):
            x = np.sin(x)
        return x

    program = trace(captured(f))(1.0)
    assert [e.primitive.name for e in program.equations] == ["sin"] * 3


def test_a_loop_that_turns_puts_its_variables_back():
    def f(x):
        total, kept, z = 0.0, [0.0, 0.0], np.zeros(2)
        for _ in range(6):
            total += 1.0
            kept[0] = kept[0] + 1.0
            z[1] += 1.0
            if total > x:
                break
        for i in range(6):
            total += x
            kept[1] = kept[1] + i
            if total > 10:
                break
        return total, kept, z

    agree(f, 3.0, 0.5, 100.0)


def test_a_loop_with_a_break_is_one_loop_however_long():
    def f(x):
        for _ in range(100_000):
            x = x * 1.5
            if x > 10:
                break
        return x

    program = trace(captured(f))(1.0)
    assert "while" in {e.primitive.name for e in program.equations}
    assert len(program.equations) < 20


def test_arrays_carried_by_a_loop():
    def f(x, n):
        y = np.zeros(3)
        for i in range(n):
            y = y * 0.5 + x
            y[i % 3] += i
        return y

    agree(f, (np.arange(3.0), 4), (np.ones(3), 0))


def test_containers_carried_by_a_loop():
    def f(x, n):
        state = {"a": x, "pair": (0.0, 1)}
        for _ in range(n):
            a, (b, k) = state["a"], state["pair"]
            state = {"a": a * 2, "pair": (b + a, k + 1)}
        return state

    agree(f, (1.5, 4), (1.5, 0))


def test_a_loop_inside_a_branch_inside_a_loop():
    def f(x, n):
        for i in range(n):
            if x > i:
                k = 0
                while k < i:
                    x = x + 0.5
                    k += 1
            else:
                x = x + 2
        return x

    agree(f, (1.0, 5), (-3.0, 3), (1.0, 0))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_of_python_widen_no_dtype(dtype):
    def f(x, n):
        total, count = 0, 300
        for _ in range(n):
            total += x
            count += 1
        return total, count

    total, count = compiled(f, dtype(1.5), 3)(dtype(1.5), 3)
    want = f(dtype(1.5), 3)
    assert (total.dtype, count.dtype) == (want[0].dtype, np.int64)
    assert (total, count) == want


def test_functions_defined_in_a_step():
    def f(x):
        for _ in range(9):

            def grow(t):
                return t * 2 if t < 3 else t + 1

            again = lambda t: grow(t) + 1
            x = again(x)
            if x > 20:
                break
        return x

    agree(f, 1.0, 0.1)


def test_a_known_number_of_steps_is_a_scan():
    def f(x):
        for _ in range(1000):
            if x > 2:
                continue
            x = x * 1.01
        return x

    program = trace(captured(f))(1.0)
    names = [e.primitive.name for e in program.equations]
    assert names.count("scan") == 1
    assert "while" not in names
    agree(f, 1.0, 5.0)


def test_swap_and_fibonacci():
    def f(n):
        a, b = 0, 1
        while n > 0:
            a, b = b, a + b
            n -= 1
        return a

    agree(f, 10, 0)


def test_two_loops_one_after_the_other():
    def f(x):
        k = 0
        while x > 1:
            x = x / 2
            k += 1
        while k > 0:
            x = x + 1
            k -= 1
        return x

    agree(f, 20.0, 0.5)


def test_return_in_a_while_loop_after_a_value_of_another_kind():
    def f(x):
        while x < 10:
            x = x + 1
            if x > 5.5:
                return np.stack([x, 2 * x])
        return np.stack([x, x])

    agree(f, 0.0, 5.0, 20.0)


def test_a_number_that_takes_its_dtype_under_a_condition():
    """It is a number of Python's in the step too: what is added to it decides."""

    def below(x):
        total, count, t = 0, 0, x
        while t > 0.1:
            if t > 0.5:
                total += t
                count += 1
            elif t > 0.3:
                total = total * 2 - 1
            t = t * 0.7
        return total, count

    agree(below, 3.0, 0.9)
    agree(below, np.float32(3.0), np.float32(0.9))

    def reset(x, n):
        total = 0
        for i in range(n):
            if x > i:
                total = 0
            if x * i > 2:
                total = total + x
            else:
                total -= 1
        return total

    agree(reset, (0.7, np.int64(9)), (1.5, np.int64(3)))

    def nested(x):
        total, t = [0, 0], x
        while t > 0.1:
            k = 0
            while k < 4:
                if t > 0.3 * k:
                    if t > 1:
                        total[0] = total[0] + t
                    else:
                        total[1] -= 2
                k += 1
            t = t * 0.7
        return total

    agree(nested, 3.0, 2.0)


def test_a_number_that_takes_its_dtype_on_one_of_several_paths():
    def f(i, x):
        total = 0
        for k in range(3):
            if i in (0, 2):
                total += x[i] * k
            elif i not in {4}:
                total -= 1
        return total + 0.0

    x = np.linspace(1.0, 2.0, 5)
    agree(f, *((i, x) for i in range(5)))


def test_a_number_that_meets_no_other_stays_whole():
    def count(x):
        n, t = 0, x
        while t > 0.1:
            if t > 1:
                n += 1
            t = t * np.float32(0.8)
        return n

    agree(count, np.float32(3.0), np.float32(0.5))
