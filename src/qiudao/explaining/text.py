"""The graph for a terminal: a table of values in order, with the terms that a gradient sums."""

from __future__ import annotations

import functools
import importlib
import io
import operator
from typing import Any

import numpy as np

from ..core.errors import QiudaoError
from .graph import Graph, Use, Vertex
from .labels import brief, label_of, line_of, title_of
from .outline import Box, outline
from .places import Group
from .summary import number

MOST_TERMS = 6  # terms of one gradient that are written out


class MissingError(QiudaoError, ImportError):
    """An optional library that this output needs is not installed."""


def text(graph: Graph, width: int = 100, most: int = 60, colour: bool = False) -> str:
    """The table as text of at most `width` columns, with about `most` rows of values.

    `colour` adds a terminal's escape codes.  Raises `MissingError` where rich is not installed.
    """
    try:
        console_of = importlib.import_module("rich.console").Console
        table_of = importlib.import_module("rich.table").Table
        box_styles = importlib.import_module("rich.box")
        words = importlib.import_module("rich.text").Text
    except ModuleNotFoundError as error:
        raise MissingError(
            "explain: text needs the library rich, which is not installed; "
            "`pip install qiudao[cli]` brings it"
        ) from error
    table = table_of(
        box=box_styles.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False
    )
    table.add_column("value", overflow="fold", ratio=4)
    table.add_column("is", overflow="fold", ratio=3)
    table.add_column("gradient", style="green", overflow="fold", ratio=3)
    table.add_column("at", style="dim", no_wrap=True)
    above: list[Group] = []
    for box in outline(graph, most).boxes:
        path = (box.group.parent.path if box.group.parent else []) if box.group else path_of(box)
        for depth, group in enumerate(path):
            if depth >= len(above) or above[depth] is not group:
                place = "" if group.line is None else line_of(group.line)
                table.add_row(words(f"{'  ' * depth}{group.title}:", style="italic"), "", "", place)
        above = path
        for row in rows_of(box, "  " * len(path)):
            table.add_row(*(words(cell) for cell in row))
    console = console_of(
        file=io.StringIO(), width=width, force_terminal=colour, no_color=not colour, highlight=False
    )
    console.print(words(graph.title, style="bold"))
    console.print(table)
    for note in [*([costs(graph)] if graph.order else []), *graph.notes]:
        console.print(words(note, style="dim"))
    written: str = console.file.getvalue()
    return "\n".join(line.rstrip() for line in written.splitlines()) + "\n"


def path_of(box: Box) -> list[Group]:
    """The groups around a value."""
    return box.last.group.path if box.last.group is not None else []


def rows_of(box: Box, indent: str) -> list[tuple[str, str, str, str]]:
    """A value or a closed group, and below it the terms of its gradient, if there are several."""
    if box.group is not None:
        label = label_of(box)
        return [(f"{indent}▸ {label.title}", label.value, label.gradient, label.place)]
    v = box.last
    value = "" if v.value is None else brief(v.value)
    gradient = "" if v.gradient is None else brief(v.gradient)
    place = "" if v.line is None else line_of(v.line)
    rows = [(f"{indent}{title_of(v)}", value, gradient, place)]
    if len(v.terms) > 1:
        shown, rest = largest(v.terms)
        rows += [(f"{indent}  {reader_of(t.reader)}", "", f"+ {term(t.value)}", "") for t in shown]
        if rest:
            total = functools.reduce(operator.add, [t.value for t in rest])
            rows.append((f"{indent}  in {len(rest)} uses more", "", f"+ {brief(total)}", ""))
    return rows


def largest(terms: list[Use]) -> tuple[list[Use], list[Use]]:
    """The terms to write out, in the order of their uses, and those left to be summed."""
    if len(terms) <= MOST_TERMS or any(t.value is None for t in terms):
        return terms[:MOST_TERMS], []
    sizes = [float(np.abs(np.asarray(t.value)).max(initial=0)) for t in terms]
    order = sorted(range(len(terms)), key=lambda k: -sizes[k])
    chosen = sorted(order[: MOST_TERMS - 1])
    return [terms[k] for k in chosen], [terms[k] for k in sorted(order[MOST_TERMS - 1 :])]


def reader_of(reader: Vertex | None) -> str:
    """Through what a term came."""
    return "as a result" if reader is None else f"used in {reader.title}"


def term(value: Any) -> str:
    """One term of a gradient."""
    return "(of several results)" if value is None else brief(value)


def costs(graph: Graph) -> str:
    """Which way is the shorter one for this function, in sweeps and operations."""
    entries = sum(number_of_elements(v) for v in graph.inputs)
    results = sum(number_of_elements(v) for v in graph.outputs)
    pushed = sum(v.kind == "operation" and v.flows for v in graph.vertices)
    pulled = len(graph.order)
    return (
        f"the whole Jacobian takes {entries} forward sweep{'s' * (entries != 1)} of "
        f"{number(pushed)} operations, or {results} backward of {number(pulled)}"
    )


def number_of_elements(v: Vertex) -> int:
    """How many numbers a value holds."""
    count = 1
    for n in v.shape or ():
        count *= n
    return count
