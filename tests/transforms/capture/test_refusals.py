"""What cannot be captured is refused at the user's line, with the reason and what to write."""

# ruff: noqa: C416, PERF402, RET503, SIM108 (the functions under test are what users write)

import inspect
import traceback

import numpy as np
import pytest

from qiudao.compiling.tracing import trace
from qiudao.core.errors import TraceError
from qiudao.transforms.capture import captured
from transforms.capture.running import compiled


def refused(f, *like):
    """The message of the refusal, which must carry the number of the line marked `# here`."""
    with pytest.raises(TraceError) as caught:
        compiled(f, *like)
    text = str(caught.value)
    lines, first = inspect.getsourcelines(f)
    (here,) = [first + k for k, line in enumerate(lines) if "# here" in line]
    assert f"test_refusals.py:{here}" in text
    return text


def test_dtypes_that_differ():
    def f(x):
        if x > 0:  # here
            y = np.float32(1.0)
        else:
            y = x
        return y

    text = refused(f, 1.0)
    assert "`y` is f32[] on one path and f64[] on the other" in text
    assert "qd.cond(" in text


def test_shapes_that_differ():
    def f(x):
        if x > 0:  # here
            y = np.ones(3)
        else:
            y = x
        return y

    assert "`y` is f64[3] on one path and f64[] on the other" in refused(f, 1.0)


def test_structures_that_differ():
    def f(x):
        y = None
        if x > 0:  # here
            y = x
        return y

    text = refused(f, 1.0)
    assert "`y` is f64[] on one path and None on the other" in text


def test_a_returned_value_that_differs():
    def f(x):
        if x > 0:  # here
            return x, x
        return x

    assert "the returned value is" in refused(f, 1.0)


def test_a_path_without_return():
    def f(x):
        if x > 0:  # here
            return x

    assert "the returned value is f64[] on one path and None on the other" in refused(f, 1.0)


def test_a_name_defined_on_one_path():
    def f(x):
        if x > 0:  # here
            y = x
        return y + 1

    text = refused(f, 1.0)
    assert "`y` is defined on one path of" in text


def test_a_name_defined_by_a_loop_that_may_take_no_step():
    def f(n):
        for i in range(n):  # here
            y = i
        return y + 1

    assert "`y` is defined only if the loop of" in refused(f, 3)


def test_a_raise_that_hangs_on_a_value():
    def f(x):
        if x < 0:
            raise ValueError("negative")  # here
        return x

    text = refused(f, 1.0)
    assert "cannot raise" in text


def test_a_raise_is_not_swallowed():
    def f(x):
        try:
            if x < 0:
                raise ValueError("negative")  # here
            y = x
        except Exception:
            y = 0.0
        return y

    assert "cannot raise" in refused(f, 1.0)


def test_a_jump_out_of_a_with():
    def f(x):
        with np.errstate(all="ignore"):
            if x > 0:  # here
                return x
        return -x

    assert "`with` or `try` block" in refused(f, 1.0)


def test_a_list_that_grows_in_a_structured_loop():
    def f(n):
        found = []
        for i in range(n):  # here
            found.append(i)
        return found

    text = refused(f, 3)
    assert "the list `found` changes in a loop" in text
    assert "qd.scan" in text


def test_a_list_changed_in_a_branch():
    def f(x):
        found = [x]
        if x > 0:  # here
            found.append(x)
        return found[0]

    assert "the list `found` changes its length or structure under a condition" in refused(f, 1.0)


def test_a_carry_that_changes_its_dtype():
    def f(n):
        while n > 1:  # here
            n = n / 2
        return n

    assert "`n` is i64[] before the loop and f64[] after a step" in refused(f, 3)


def test_a_carry_that_changes_its_shape():
    def f(x):
        y = x
        while np.sum(y) < 5:  # here
            y = np.append(y, x)
        return y

    assert "`y` is f64[] before the loop and f64[2] after a step" in refused(f, 3.0)


def test_an_array_of_two_names_that_a_loop_binds_and_writes():
    def f(x, n):
        z = x * 1.0
        w = z
        for i in range(n):  # here
            z[0] = i
            z = z * 2
        return z, w

    assert "`z` and `w` are one array before the loop" in refused(f, np.ones(3), 3)


def test_an_attribute_set_under_a_condition():
    class Box:
        @property
        def value(self):
            return 0.0

        @value.setter
        def value(self, new):
            raise AssertionError

    def f(x):
        box = Box()
        if x > 0:
            box.value = x  # here
        return box.value

    text = refused(f, 1.0)
    assert "the attribute `value` is set under a condition" in text
    assert "and Box has code of its own for setting it" in text


STATE = np.zeros(1)
COUNT = 0


def test_a_global_set_under_a_condition():
    def f(x):
        global COUNT
        if x > 0:
            COUNT = 1  # here
        return x

    assert "the global `COUNT` is set under a condition" in refused(f, 1.0)


def test_a_global_array_written_under_a_condition():
    def f(x):
        if x > 0:
            STATE[0] = 1.0  # here
        return x

    assert "`STATE` is written into under a condition" in refused(f, 1.0)


def test_recursion_that_a_traced_value_ends():
    def f(x):
        return x if x < 1 else f(x / 2)  # here

    assert "a function calls itself until a value says so" in refused(f, 8.0)


def test_a_list_with_a_traced_index():
    def f(i):
        return [1.0, 2.0][i]  # here

    assert "np.stack" in refused(f, 1)


def test_enumerating_an_unknown_range():
    def f(n):
        total = 0
        for i, j in enumerate(range(n)):  # here
            total = total + i * j
        return total

    assert "enumerate of a range whose length is not known" in refused(f, 3)


def test_a_comprehension_over_an_unknown_range():
    def f(n):
        return [i for i in range(n)]  # here

    assert "length is not known while tracing" in refused(f, 3)


def test_a_function_without_source():
    space = {}
    exec("def g(x):\n    return 1 if x > 0 else 2", space)
    g = space["g"]
    with pytest.raises(TraceError, match="g could not be captured: its source is not to be had"):
        compiled(lambda x: g(x), 1.0)


def test_the_traceback_shows_the_line_within_a_branch():
    def f(x):
        if x > 0:
            y = x
            y = y + np.ones(3) @ np.ones(4)  # there
        else:
            y = x
        return y

    with pytest.raises(ValueError, match="matmul") as caught:
        compiled(f, 1.0)
    lines = [s.line for s in traceback.extract_tb(caught.value.__traceback__)]
    assert any("# there" in line for line in lines)


def test_equations_carry_the_line_of_their_construct():
    def f(x):
        while x > 1:  # loop
            x = x / 2
            x = (
                x
                + 0.25
            )  # fmt: skip
        return x

    program = trace(captured(f))(8.0)
    (loop,) = [e for e in program.equations if e.primitive.name == "while"]
    assert "# loop" in str(loop.line)
    halving, adding = loop.primitive.body.equations
    assert (str(halving.line), adding.line.number) == (
        f"test_refusals.py:{loop.line.number + 1} (`x = x / 2`)",
        loop.line.number + 3,
    )
