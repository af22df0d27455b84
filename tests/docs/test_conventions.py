"""Every row of every table in docs/conventions.md, in forward and in reverse mode."""

from pathlib import Path

import numpy as np
import pytest

import qiudao as qd

PAGE = Path(__file__).parents[2] / "docs" / "conventions.md"


def rows():
    """(expression, point, expected, order) of each table row."""
    order = 1
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split(" | ")]
        if line.startswith("| f(x)"):
            order = 2 if "f''(x)" in line else 1
        elif line.startswith("| `"):
            yield pytest.param(
                *(c.strip("`") for c in cells[:3]), order, id=f"{cells[0]} at {cells[1]}"
            )


def derivatives(f, x, order):
    """The derivative of `f` at `x` by each mode."""
    if np.iscomplexobj(x):
        return [qd.grad(f)(x)]
    if order == 1:
        return [qd.jacfwd(f)(x), qd.jacrev(f)(x)]
    return [qd.jacfwd(qd.grad(f))(x), qd.jacrev(qd.grad(f))(x), qd.jacfwd(qd.jacfwd(f))(x)]


@pytest.mark.parametrize("expression, point, expected, order", list(rows()))
def test_row(expression, point, expected, order):
    names = {"np": np}
    x = eval(point, names)
    want = eval(expected, names)
    f = eval(f"lambda x: {expression}", names)
    with np.errstate(all="ignore"):
        for got in derivatives(f, x, order):
            np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-300)


def test_every_table_is_read():
    assert len(list(rows())) > 60
