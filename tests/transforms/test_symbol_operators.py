"""The short road of symbols records what the general way does, with the user's lines."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qiudao.compiling.tracing import trace
from qiudao.core.program import Program, check, show
from qiudao.transforms import symbol_operators
from qiudao.transforms.trace import Symbol, one_operand, two_operands

X = np.array([0.3, 0.7, 1.1])
OTHERS: list[Any] = [
    2, 2.5, 1j, True, np.float32(0.5), np.float64(0.5), np.int64(3), np.array(2.0), np.ones(3),
    np.ones((2, 1)), np.ones(3, np.float32), [1.0, 2.0, 3.0],
]  # fmt: skip
OPERATIONS = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, np.add, np.subtract,
    np.multiply, np.divide, np.power, np.maximum, np.minimum,
]  # fmt: skip


@pytest.fixture
def general(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Closes the short road."""

    def close() -> None:
        for name, _, _ in symbol_operators.BINARY:
            for prefix in "", "r", "i":
                monkeypatch.delattr(Symbol, f"__{prefix}{name}__")
        monkeypatch.delattr(Symbol, "__getitem__")
        monkeypatch.delattr(Symbol, "__setitem__")
        monkeypatch.delattr(Symbol, "__neg__")
        for roads in one_operand, two_operands:
            for ufunc in list(roads):
                monkeypatch.delitem(roads, ufunc)  # type: ignore[arg-type]

    return close


def test_the_short_road_records_what_the_general_way_does(general: Callable[[], None]) -> None:
    y = np.arange(1.0, 7.0, dtype=np.float32).reshape(2, 3)
    short = trace(everything)(X, y)
    general()
    long = trace(everything)(X, y)
    assert show(short) == show(long)
    assert len(short.equations) > 300


def everything(x: Any, y: Any) -> list[Any]:
    """Every operation of the short road, with every kind of operand."""
    results = []
    for f in OPERATIONS:
        for other in (*OTHERS, y, x[:1], x[0]):
            if isinstance(other, complex) and f in (np.maximum, np.minimum):
                continue
            results += [f(x, other), f(other, x)]
    z, m = np.zeros_like(x), np.zeros_like(y)
    z[0], z[-1], z[1], z[2] = x[0], 2.5, 3, y[0, 0]
    m[0], m[1], m[-1] = y[1], 2.5, x
    tail = z[1:]
    tail[0] = x[1]
    results += [z, m, tail]
    return [*results, -x, np.exp(x), np.square(y), x[0], x[-1], x[1:][0], y[0], x[np.int64(1)]]


def test_lines_are_the_users() -> None:
    def f(x: Any) -> Any:
        a = x * 2.0
        b = 2.0 - a
        c = np.sin(b)
        d = np.power(c, x)
        return -d[1]

    program = trace(f)(X)
    names = [e.line.text for e in program.equations]
    assert names == [
        "a = x * 2.0",
        "b = 2.0 - a",
        "c = np.sin(b)",
        "d = np.power(c, x)",
        "return -d[1]",
        "return -d[1]",
    ]


def test_in_place_operators_move_the_name_on() -> None:
    def f(x: Any) -> Any:
        y = x * 1.0
        v = y[1:]
        y += 2.0
        v *= x[0]
        y **= 2
        return y, v

    program = trace(f)(X)
    y = X + 2.0
    y[1:] *= X[0]
    y **= 2
    assert program_values(program, X) == [y.tolist(), y[1:].tolist()]


def test_in_place_operators_keep_the_dtype() -> None:
    def f(x: Any) -> Any:
        y = x.astype(np.float32)
        y += x
        return y

    program = trace(f)(X)
    expected = X.astype(np.float32)
    expected += X
    (found,) = program(X)
    assert found.dtype == np.float32
    assert found.tobytes() == expected.tobytes()


def test_a_constant_array_is_copied() -> None:
    other = np.ones(3)

    def f(x: Any) -> Any:
        y = x + other
        other[:] = 7.0
        return y

    assert program_values(trace(f)(X), X) == [(X + 1.0).tolist()]


def test_operands_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape mismatch"):
        trace(lambda x: x + x[1:])(X)
    with pytest.raises(IndexError):
        trace(lambda x: x[3])(X)
    with pytest.raises(IndexError):
        trace(lambda x: x.__setitem__(3, x[0]))(X)


def test_views_see_what_is_written_into_their_base() -> None:
    def f(x: Any) -> Any:
        z = np.zeros_like(x)
        tail = z[1:]
        z[1] = x[0] * 2.0
        return tail, z

    assert program_values(trace(f)(X), X) == [[0.6, 0.0], [0.0, 0.6, 0.0]]


def test_a_root_belongs_to_the_program() -> None:
    program = trace(lambda x: abs(x) * 2.0 + x * abs(x))(X)
    assert len(program.inputs) == 1
    assert program_values(program, X) == [(abs(X) * 2.0 + X * abs(X)).tolist()]


def program_values(program: Program, *xs: Any) -> list[Any]:
    """The results as lists."""
    check(program)
    return [np.asarray(y).tolist() for y in program(*xs)]
