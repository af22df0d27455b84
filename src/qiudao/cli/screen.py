"""What `qiudao grad` and `qiudao check` print. The only file of the two that needs rich."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

__all__ = ["show_answer", "show_verdict"]


def show_answer(
    text: str,
    point: Mapping[str, NDArray[Any]],
    value: float,
    partials: Mapping[str, NDArray[Any]],
) -> None:
    """Print the value of an expression and each of its partial derivatives."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    table.add_column("")
    table.add_column("value")
    table.add_column("at", style="dim")
    table.add_row(Text("f"), Text(plain(value), style="bold"), "")
    for name, partial in partials.items():
        table.add_row(
            Text(f"df/d{name}"),
            Text(plain(partial), style="bold green"),
            Text(f"{name} = {plain(point[name])}"),
        )
    console = Console(highlight=False)
    console.print(Text.assemble(("f = ", "dim"), (text, "cyan")))
    console.print(table)
    if not (np.isfinite(value) and all(np.isfinite(p).all() for p in partials.values())):
        console.print("Not finite: the point lies on a pole, or outside of the domain.")


def show_verdict(
    spelling: str,
    right: bool,
    reason: str,
    point: Mapping[str, NDArray[Any]],
    roles: Mapping[str, str],
) -> None:
    """Print whether the gradient of a function is right, and what part each argument had."""
    console = Console(highlight=False)
    mark = Text("right", style="bold green") if right else Text("WRONG", style="bold red")
    console.print(Text.assemble("gradient of ", (spelling, "cyan"), ": ", mark))
    for name, array in point.items():
        console.print(
            Text(f"  {name}  {array.dtype} {list(array.shape)}  {roles[name]}", style="dim")
        )
    if reason:
        console.print(Padding(Text(reason), (1, 2, 0, 2)))


def plain(value: float | NDArray[Any]) -> str:
    """A number or an array, to 12 digits, without trailing zeros."""
    array = np.asarray(value)
    return np.array2string(array, separator=", ", threshold=40, formatter={"float_kind": digits})


def digits(number: np.floating[Any]) -> str:
    """A float to 12 digits: 14, 0.333333333333, 1e-08."""
    return f"{number:.12g}"
