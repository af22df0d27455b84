"""On plain values a captured function does what Python does, exceptions and all."""

# ruff: noqa: C416, F841, F842, RET505 (the functions under test are what users write)

import contextlib
import functools
import inspect
import math
import traceback

import numpy as np
import pytest

from qiudao.transforms.capture import captured

LIMIT = 10
counter = 0


def branches(x):
    if x > 3:
        return "big"
    elif x == 3:
        y = "three"
    else:
        y = "small"
    return y


def loops(n):
    found = []
    for i in range(n):
        if i % 7 == 6:
            break
        if i % 2:
            continue
        found.append(i)
    else:
        found.append("else")
    while found:
        if found.pop() == 2:
            break
    else:
        return "empty"
    return found


def nested_return(rows):
    for row in rows:
        for x in row:
            if x > LIMIT:
                return x
            if x < 0:
                break
        else:
            continue
        return "negative"
    return None


def unbound(x):
    if x:
        y = 1
    return y


def raises(x):
    try:
        if x == 0:
            raise KeyError(x)
        return 1 / (x - 1)
    except KeyError as error:
        return repr(error)
    except ZeroDivisionError:
        raise ValueError("one") from None
    finally:
        if x == 2:
            LIST.append(x)


LIST = []


def shortcuts(a, b):
    return a and b, a or b, not a, (a or b) and not (a and b), a if b else b, 0 < len(a + b) < 3


def defaults(a, b=2, *rest, c, d=4, **others):
    return a, b, rest, c, d, others


def generators(n):
    squares = (k * k for k in range(n) if k % 2)
    return list(squares), {k: v for k, v in zip("abc", range(n))}, [k for k in range(n)][::-1]


def walrus(n):
    found = []
    while (n := n - 1) > 0:
        found.append(n)
    if (m := len(found)) and m > 2:
        return m
    return [last := k for k in found], n


def scopes(n):
    total = 0

    def add(k):
        nonlocal total
        total += k
        return total

    fs = [lambda k=k: k * n for k in range(3)]
    for k in range(n):
        add(k)
    del k
    return total, [f() for f in fs], add.__name__


def globals_too(n):
    global counter
    counter += n
    if counter > 5:
        counter = 0
    return counter


def unpacking(values):
    a, *b, (c, d) = values
    a[0], a[1] = a[1], a[0]
    x = y = b
    y += [1]
    return a, b, c, d, x is y


def matching(x):
    match x:
        case {"kind": kind, **rest} if rest:
            return kind, rest
        case [1, *others]:
            return others
        case int() | float() as number:
            return number + 1
        case _:
            return None


def contexts(x):
    with contextlib.suppress(KeyError):
        if x:
            raise KeyError(x)
        return "quiet"
    return "suppressed"


def asserts(x):
    assert x > 0, f"{x} is not positive"
    return math.sqrt(x)


def recursive(n):
    return 1 if n < 2 else n * recursive(n - 1)


def arrays(n):
    z = np.zeros(n)
    z[0] = 1
    for i in range(1, n):
        z[i] = z[i - 1] * 2
    z[1:] += 1
    z[:, None][0] -= 1
    z @= np.eye(n)
    return z.tolist(), z[-1], z[::2].sum()


def attributes(x):
    class Box:
        size = x

        def grow(self):
            self.size += 1
            return self.size if self.size > 2 else -self.size

    box = Box()
    box.grow()
    box.size += 1
    return box.grow(), box.size


def comparisons(x):
    log = []

    def seen(v):
        log.append(v)
        return v

    return seen(0) < seen(x) <= seen(5) != seen(6), log, x in (1, 2), x is None, 1 < 2 == 2


def star(*args, **kwargs):
    return max(*args, **kwargs), print(*args, sep="", end="", file=None), dict(**kwargs)


def annotated(x: int) -> int:
    y: int = x
    z: list[int] = [1, 2]
    z[0]: int = 5
    w: int
    return y + z[0]


CASES = [
    (branches, [(1,), (3,), (5,), ("a",)]),
    (loops, [(0,), (3,), (9,), (None,)]),
    (nested_return, [([[1, 2], [11]],), ([[1, -1]],), ([],), (3,)]),
    (unbound, [(True,), (False,)]),
    (raises, [(0,), (1,), (2,), (3,)]),
    (shortcuts, [("", "a"), ("a", ""), ("", ""), ("a", "b"), (1, "b")]),
    (generators, [(3,), (0,)]),
    (walrus, [(1,), (2,), (9,)]),
    (scopes, [(3,), (0,)]),
    (globals_too, [(4,), (4,)]),
    (unpacking, [([[1, 2], 3, (4, 5)],), ([1, (2, 3)],)]),
    (matching, [({"kind": 1, "b": 2},), ([1, 2, 3],), (2.5,), ("a",), ({"kind": 1},)]),
    (contexts, [(0,), (1,)]),
    (asserts, [(4.0,), (-1.0,)]),
    (recursive, [(1,), (6,), ("a",)]),
    (arrays, [(3,), (0,)]),
    (attributes, [(1,), (7,)]),
    (comparisons, [(1,), (7,), (-1,)]),
    (star, [(1, 2), ()]),
    (annotated, [(3,)]),
]


def result(f, args):
    """What a call gives or raises, with the lines of the traceback within this file."""
    global counter
    counter = 0
    try:
        return "gives", f(*args)
    except Exception as error:
        lines = [
            (s.lineno, s.name) for s in traceback.extract_tb(error.__traceback__)
            if s.filename == __file__ and s.name != "result"
        ]  # fmt: skip
        message = str(error).partition("\n")[0]  # pytest adds lines of its own to an assert
        return "raises", type(error), message, lines, repr(error.__cause__)


def fresh(args):
    """The arguments, with lists of their own."""
    return [[list(v) if isinstance(v, list) else v for v in a]
            if isinstance(a, list) else a for a in args]  # fmt: skip


@pytest.mark.parametrize(
    "f, args", [pytest.param(f, a, id=f"{f.__name__}{k}") for f, all_args in CASES
                for k, a in enumerate(all_args)]
)  # fmt: skip
def test_same_as_python(f, args):
    assert result(captured(f), fresh(args)) == result(f, fresh(args))


def test_it_is_rewritten():
    assert captured(branches).__code__ is not branches.__code__


def test_arguments_and_defaults():
    f = captured(defaults)
    assert f(1, c=3) == defaults(1, c=3)
    assert f(1, 5, 6, 7, c=3, d=8, e=9) == defaults(1, 5, 6, 7, c=3, d=8, e=9)
    assert inspect.signature(f) == inspect.signature(defaults)
    with pytest.raises(TypeError, match=r"defaults\(\) missing 1 required keyword-only argument"):
        f(1)


def test_names_and_documents_are_kept():
    def f(x: int) -> int:
        """A document."""
        return x

    f.mark = 1
    g = captured(f)
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__annotations__", "mark"):
        assert getattr(g, name) == getattr(f, name)
    assert g.__globals__ is f.__globals__


def test_closures_share_their_cells():
    n = 1

    def f():
        return n

    def grow():
        nonlocal n
        n += 1

    g, more = captured(f), captured(grow)
    assert g.__closure__[g.__code__.co_freevars.index("n")] is f.__closure__[0]
    more()
    assert (f(), g()) == (2, 2)


class Account:
    """A class with private names, properties and inheritance."""

    __rate = 2

    def __init__(self, balance):
        self.balance = balance

    def grow(self, times):
        for _ in range(times):
            if self.balance > 100:
                break
            self.balance *= self.__rate
        return self.__private()

    def __private(self):
        return self.balance

    @classmethod
    def make(cls, x):
        return cls(x) if x > 0 else cls(0)

    @staticmethod
    def fee(x):
        return 1 if x > 10 else 2


class Savings(Account):
    """A class whose methods use super()."""

    def grow(self, times):
        if times < 0:
            return None
        return super().grow(times) + (lambda: super(Savings, self).fee(1))()


def test_methods():
    assert captured(Account(3).grow)(20) == Account(3).grow(20) == 192
    assert captured(Savings(3).grow)(20) == Savings(3).grow(20)
    assert captured(Account.make)(-1).balance == 0
    assert captured(Account.fee)(11) == 1
    assert captured(Savings.grow)(Savings(3), -1) is None


def test_callable_objects_and_partials():
    class Scale:
        def __call__(self, x, k):
            return x * k if x > 0 else 0

    assert captured(Scale())(2, 3) == 6
    assert captured(functools.partial(Scale(), k=3))(2) == 6
    assert captured(functools.partial(branches))(5) == "big"


def test_decorated_functions():
    def twice(f):
        @functools.wraps(f)
        def called(*args):
            return f(*args), f(*args)

        return called

    @twice
    def f(x):
        return 1 if x > 0 else -1

    assert captured(f)(3) == (1, 1)
    assert captured(f).__name__ == "f"


def test_several_lambdas_on_one_line():
    f, g = (lambda x: 1 if x else 2), (lambda x: 3 if x else 4)
    assert (captured(f)(0), captured(g)(0), captured(f)(1), captured(g)(1)) == (2, 4, 1, 3)


def test_what_has_no_source_is_called_as_it_is():
    space = {}
    exec("def f(x):\n    return 1 if x > 0 else 2", space)
    assert captured(space["f"])(3) == 1
    assert captured(math.sqrt)(4.0) == 2.0
    assert captured(dict)(a=1) == {"a": 1}


def test_generator_functions_are_left_alone():
    def numbers(n):
        for k in range(n):
            if k % 2:
                yield k

    assert captured(numbers) is numbers
    assert captured(lambda n: list(numbers(n)))(6) == [1, 3, 5]
