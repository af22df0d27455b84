"""The whole text of what the capture of plain Python refuses, each at the user's line."""

from types import SimpleNamespace

import numpy as np
import pytest

import qiudao as qd
from messages.raised import raised
from qiudao.transforms.capture import captured
from qiudao.transforms.capture.finishing import whole
from qiudao.transforms.capture.outcomes import BACK, FELL, CaptureError, Outcome

X = np.ones(3)
NUMBER = np.array(3.0)
COUNT = np.array(5)
VECTOR = np.array([1.0, 2.0, 3.0])


def unseen():
    """A function whose source is not to be had."""
    space = {}
    exec("def hidden(x):\n    return 1 if x > 0 else 2", space)
    return space["hidden"]


HIDDEN = unseen()


def hides(x):
    return HIDDEN(x)


def truth_of_several(x):
    return x if x > 0 else -x


def several_as_a_number(x):
    return float(x)


def range_to_a_float(x):
    total = 0.0
    for i in range(x):
        total = total + i
    return total


def recursive(x):
    return x if x < 1 else recursive(x / 2)


def grows_in_a_branch(x):
    found = [x]
    if x > 0:
        found.append(x)
    return found[0]


def jumps_out_of_a_block(x):
    with np.errstate(all="ignore"):
        if x > 0:
            return x
    return -x


def raises(x):
    if x < 0:
        raise ValueError("negative")
    return x


def asserts(x):
    assert x > 0, "positive"
    return x


def grows_in_a_loop(n):
    found = []
    for i in range(n):
        found.append(i)  # noqa: PERF402
    return found


def changes_dtype(n):
    while n > 1:
        n = n / 2
    return n


def nests(n):
    y = n
    while n > 1:
        n = n - 1
        y = (y, n)
    return y


def changes_a_word(n):
    y = "even"
    while n > 1:
        n = n - 1
        y = "odd" if y == "even" else "even"
    return y


def deletes(n):
    y = n
    while n > 1:
        n = n - y
        del y
    return n


def binds_and_writes(x, n):
    z = x * 1.0
    w = z
    for i in range(n):
        z[0] = i
        z = z * 2
    return z, w


def widens_step_after_step(n):
    a = b = c = d = e = f = g = h = i = j = k = 0
    while n > 1:
        a, b, c, d, e, f, g, h, i, j = b, c, d, e, f, g, h, i, j, k
        k = 0.5
        n = n - 1.0
    return a


class Box:
    """An object with attributes."""


BOX = Box()
BOX.z = np.zeros(2)
STATE = np.zeros(2)
TOTAL = 0


def sets_an_attribute(x):
    if x > 0:
        BOX.value = x
    return x


def sets_a_global(x):
    global TOTAL
    if x > 0:
        TOTAL = x
    return x


def writes_a_global(x):
    if x > 0:
        STATE[0] = 1.0
    return x


def writes_an_attribute(x):
    BOX.z[0] = x
    return x


def writes_an_attribute_in_a_branch(x):
    box = Box()
    box.z = box.w = x * STATE
    if x > 0:
        box.z[0] = 1.0
    return box.z


def writes_what_others_hold(x):
    z = np.zeros(2)
    w = [z]
    z[0] = x
    return w


def writes_into_one_of_two_views(x):
    w = x[1:] if x[0] > 0 else x[:-1]
    w[0] = 1.0
    return w, x


def writes_into_a_row(x):
    z = np.zeros((3, 2))
    row = z[int(x)]
    row[0] = x
    return row


def changes_nothing(x):
    while x > 0:
        pass
    return x


def writes_from_an_inner_transform(x):
    outer = x * STATE

    def g(y):
        z = outer
        z[0] = y
        return np.sum(z)

    return qd.grad(g)(x)


def enumerates(n):
    total = 0
    for i, j in enumerate(range(n)):
        total = total + i * j
    return total


def goes_through(n):
    return [i + 1 for i in range(n)]


def looks_up(i):
    return {0: 1.0, 1: 2.0}.get(i, 0.0)


def indexes(i):
    return [1.0, 2.0][i]


def comes_to_the_end():
    site = SimpleNamespace(line="file.py:1", in_function=True)
    return whole(site, Outcome(0, None, frozenset({BACK, FELL})))


def at(f, *args):
    return lambda: qd.trace(captured(f))(*args)


MESSAGES = {
    # what Python itself would say
    "the truth of several": (
        at(truth_of_several, X),
        ValueError,
        "The truth value of an array with more than one element is ambiguous. Use a.any() or "
        "a.all()",
    ),
    "several as one number": (
        at(several_as_a_number, X),
        TypeError,
        "only length-1 arrays can be converted to Python scalars",
    ),
    "a range to a float": (
        at(range_to_a_float, NUMBER),
        TypeError,
        "'float64' object cannot be interpreted as an integer",
    ),
    # decisions
    "recursion": (
        at(recursive, NUMBER),
        CaptureError,
        "capture: file.py:N (`return x if x < 1 else recursive(x / 2)`): a function calls itself "
        "until a value says so that is not known while tracing; write the recursion as a loop",
    ),
    "a list that grows in a branch": (
        at(grows_in_a_branch, NUMBER),
        CaptureError,
        "capture: file.py:N (`if x > 0:`): the list `found` changes its length or structure under "
        "a condition that is not known while tracing; make a new one in each branch, or write into "
        "an array",
    ),
    "a jump out of a block": (
        at(jumps_out_of_a_block, NUMBER),
        CaptureError,
        "capture: file.py:N (`if x > 0:`): a value that is not known while tracing decides whether "
        "control jumps out of a `with` or `try` block, and code follows the block; move the "
        "decision out of the block, or choose values with np.where",
    ),
    "an assertion": (
        at(asserts, NUMBER),
        CaptureError,
        'capture: file.py:N (`assert x > 0, "positive"`): whether this assertion holds is decided '
        "by a value that is not known while tracing, and a traced program cannot raise; check the "
        "values before the traced function, or return a flag beside the result",
    ),
    "a raise": (
        at(raises, NUMBER),
        CaptureError,
        'capture: file.py:N (`raise ValueError("negative")`): whether this raises is decided by a '
        "value that is not known while tracing, and a traced program cannot raise; check the "
        "values before the traced function, or return a flag beside the result",
    ),
    "a path that comes to the end": (
        comes_to_the_end,
        CaptureError,
        "capture: file.py:N: one path returns a value and another comes to the end of the "
        "function, and which is taken is not known while tracing; return a value on every path",
    ),
    # loops
    "a list that grows in a loop": (
        at(grows_in_a_loop, COUNT),
        CaptureError,
        "capture: file.py:N (`for i in range(n):`): the list `found` changes in a loop whose "
        "number of steps is not known while tracing; write into an array made before the loop, or "
        "use qd.scan, which stacks values",
    ),
    "another dtype": (
        at(changes_dtype, COUNT),
        CaptureError,
        "capture: file.py:N (`while n > 1:`): `n` is i64[] before the loop and f64[] after a step, "
        "and the number of steps is not known while tracing; start it with the shape and dtype "
        "that it has later, as in qd.while_loop(cond, body, init)",
    ),
    "another structure": (
        at(nests, COUNT),
        CaptureError,
        "capture: file.py:N (`while n > 1:`): `y` is i64[] before the loop and the nest (*, *) "
        "after a step, and the number of steps is not known while tracing; let it keep its "
        "structure, as in qd.while_loop(cond, body, init)",
    ),
    "another word": (
        at(changes_a_word, COUNT),
        CaptureError,
        "capture: file.py:N (`while n > 1:`): `y` is str 'even' before the loop and str 'odd' "
        "after a step, and the number of steps is not known while tracing; start it with a value "
        "of the same shape and dtype",
    ),
    "a name that is deleted": (
        at(deletes, COUNT),
        CaptureError,
        "capture: file.py:N (`while n > 1:`): `y` is deleted in the loop; keep it",
    ),
    "one array of two names": (
        at(binds_and_writes, X, COUNT),
        CaptureError,
        "capture: file.py:N (`for i in range(n):`): `z` and `w` are one array before the loop, and "
        "the loop both binds `z` and writes into it; let them be two, z = z.copy()",
    ),
    "types that change with every step": (
        at(widens_step_after_step, NUMBER),
        CaptureError,
        "capture: file.py:N (`while n > 1:`): the types of what the loop carries change with every "
        "step; start it with values of the type that they keep",
    ),
    "enumerate": (
        at(enumerates, COUNT),
        CaptureError,
        "capture: file.py:N (`for i, j in enumerate(range(n)):`): enumerate of a range whose "
        "length is not known while tracing; loop over the range itself: for i in range(n)",
    ),
    "a comprehension": (
        at(goes_through, COUNT),
        CaptureError,
        "capture: file.py:N (`return [i + 1 for i in range(n)]`): this goes through a "
        "range whose length is not known while tracing; loop over it with `for i in range(n):`, or "
        "use a known length and a mask",
    ),
    # reads and writes
    "an index into a list": (
        at(indexes, COUNT),
        CaptureError,
        "capture: file.py:N (`return [1.0, 2.0][i]`): a list is indexed by a value that is not "
        "known while tracing; make it an array, np.stack(...), whose elements can be read by a "
        "traced index",
    ),
    "a key of a dictionary": (
        at(looks_up, COUNT),
        CaptureError,
        "capture: file.py:N (`return {0: 1.0, 1: 2.0}.get(i, 0.0)`): a dict is looked up by a "
        "value that is not known while tracing; put its values into an array, which can be read by "
        "a traced index, or choose with np.select or qd.switch",
    ),
    "an attribute that is set": (
        at(sets_an_attribute, NUMBER),
        CaptureError,
        "capture: file.py:N (`BOX.value = x`): the attribute `value` is set under a condition that "
        "is not known while tracing; keep it in a variable of the function, or return the new "
        "value",
    ),
    "a global that is set": (
        at(sets_a_global, NUMBER),
        CaptureError,
        "capture: file.py:N (`TOTAL = x`): the global `TOTAL` is set under a condition that is not "
        "known while tracing; keep it in a variable of the function, or return the new value",
    ),
    "a global that is written into": (
        at(writes_a_global, NUMBER),
        CaptureError,
        "capture: file.py:N (`STATE[0] = 1.0`): `STATE` is written into under a condition that is "
        "not known while tracing; write into a variable of the function, or return the new value",
    ),
    "a plain array of an object": (
        at(writes_an_attribute, NUMBER),
        CaptureError,
        "capture: file.py:N (`BOX.z[0] = x`): a traced value is written into the plain array "
        "`BOX.z`, which is no variable of the function; write into an array made in the function "
        "by np.zeros, or return the new value",
    ),
    "a traced array of an object": (
        at(writes_an_attribute_in_a_branch, NUMBER),
        CaptureError,
        "capture: file.py:N (`box.z[0] = 1.0`): an array is written into under a condition that is "
        "not known while tracing, and it is not one of the function's variables; give it a name in "
        "the function, or return the new value",
    ),
    "a plain array that others hold": (
        at(writes_what_others_hold, NUMBER),
        CaptureError,
        "capture: file.py:N (`z[0] = x`): a traced value is written into a plain array that other "
        "names hold too; make the array from a traced one, np.zeros_like(x), or copy it first, "
        "z = z.copy()",
    ),
    "a value of an inner transform": (
        lambda: qd.jit(writes_from_an_inner_transform)(NUMBER),
        CaptureError,
        "capture: file.py:N (`z[0] = y`): a value of an inner transform is written into an array "
        "that other names hold too; make the array inside, np.zeros_like(value)",
    ),
    "one of two views that is written into": (
        at(writes_into_one_of_two_views, VECTOR),
        CaptureError,
        "capture: file.py:N (`w = x[1:] if x[0] > 0 else x[:-1]`): what is chosen shares memory "
        "with another array, and with which is not known while tracing, so neither may be written "
        "into while the other is used; make copies, u[1:].copy()",
    ),
    "a row of a plain array at an unknown index": (
        at(writes_into_a_row, NUMBER),
        CaptureError,
        "capture: an element of a plain array, read at an index that is not known while tracing, "
        "is written into; write into the array itself, z[i, j] = v",
    ),
    "a loop that changes nothing": (
        at(changes_nothing, NUMBER),
        CaptureError,
        "capture: file.py:N (`while x > 0:`): the loop changes nothing that is read later, so it "
        "would not end; let the step change what the condition reads",
    ),
    # functions
    "a function without source": (
        at(hides, NUMBER),
        CaptureError,
        "trace: the value of this bool[] is not known while tracing, and <string>:2 asks for it; "
        "choose values with np.where(condition, a, b), branches with qd.cond(condition, f, g, x), "
        "and loop with qd.while_loop, qd.fori_loop or qd.scan.  hidden could not be captured: its "
        "source is not to be had",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name):
    act, error, text = MESSAGES[name]
    kind, found = raised(act)
    assert issubclass(kind, error)
    assert found == text
