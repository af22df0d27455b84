"""The graph for a terminal: a table of values in order, with the terms that a gradient sums."""

from __future__ import annotations

import functools
import importlib
import io
import operator
from typing import Any, NamedTuple

import numpy as np

from ..core.errors import QiudaoError
from .graph import Graph, Use, Vertex
from .labels import brief, label_of, line_of, title_of
from .outline import Box, outline
from .places import Group
from .summary import counted

NARROW = 60  # columns, below which the table has none
NARROWEST = 20  # columns that are taken in any case
MOST_TERMS = 6  # terms of one gradient that are written out


class MissingError(QiudaoError, ImportError):
    """An optional library that this output needs is not installed."""


class Row(NamedTuple):
    """A line of the table: how deep it stands, and what it says; a group only has a title."""

    depth: int
    title: str
    value: str = ""
    gradient: str = ""
    place: str = ""
    is_group: bool = False


def text(graph: Graph, width: int = 100, most: int = 60, colour: bool = False) -> str:
    """The table as text of at most `width` columns, with about `most` rows of values.

    Where there is no room for columns, each value has lines of its own.  `colour` adds a terminal's
    escape codes.  Raises `MissingError` where rich is not installed.
    """
    try:
        console_of = importlib.import_module("rich.console").Console
        padding = importlib.import_module("rich.padding").Padding
        words = importlib.import_module("rich.text").Text
    except ModuleNotFoundError as error:
        raise MissingError(
            "explain: text needs the library rich, which is not installed; "
            "`pip install qiudao[cli]` brings it"
        ) from error
    width = max(width, NARROWEST)
    console = console_of(
        file=io.StringIO(), width=width, force_terminal=colour, no_color=not colour, highlight=False
    )
    console.print(words(graph.title, style="bold"))
    rows = rows_of(graph, most)
    if width < NARROW:
        for row in rows:
            for line, style, depth in narrow(row):
                console.print(padding(words(line, style=style), (0, 0, 0, 2 * depth)))
    else:
        console.print(table(rows))
    for note in [*([costs(graph)] if graph.order else []), *graph.notes]:
        console.print(words(note, style="dim"))
    written: str = console.file.getvalue()
    return "\n".join(line.rstrip() for line in written.splitlines()) + "\n"


def table(rows: list[Row]) -> Any:
    """The rows in columns."""
    box_styles = importlib.import_module("rich.box")
    padding = importlib.import_module("rich.padding").Padding
    words = importlib.import_module("rich.text").Text
    made = importlib.import_module("rich.table").Table(
        box=box_styles.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False
    )
    made.add_column("value", overflow="fold", ratio=4)
    made.add_column("is", overflow="fold", ratio=3)
    made.add_column("gradient", style="green", overflow="fold", ratio=3)
    made.add_column("at", style="dim", no_wrap=True)
    for row in rows:
        title = words(row.title, style="italic" if row.is_group else "")
        indented = padding(title, (0, 0, 0, 2 * row.depth))  # on each line, where there are several
        made.add_row(indented, *map(words, (row.value, row.gradient, row.place)))
    return made


def narrow(row: Row) -> list[tuple[str, str, int]]:
    """The lines of a row where there is no room for columns: text, style, depth."""
    title = f"{row.title}  {row.place}" if row.place else row.title
    lines = [(title, "italic" if row.is_group else "", row.depth)]
    if row.value:
        lines.append((f"is {row.value}", "", row.depth + 2))
    if row.gradient:
        lines.append((row.gradient if row.gradient.startswith(("+ ", "- ")) else
                      f"gradient {row.gradient}", "green", row.depth + 2))  # fmt: skip
    return lines


def rows_of(graph: Graph, most: int) -> list[Row]:
    """The values in order, below the groups that they are in."""
    rows: list[Row] = []
    above: list[Group] = []
    for box in outline(graph, most).boxes:
        path = (box.group.parent.path if box.group.parent else []) if box.group else path_of(box)
        for depth, group in enumerate(path):
            if depth >= len(above) or above[depth] is not group:
                place = "" if group.line is None else line_of(group.line)
                rows.append(Row(depth, f"{group.title}:", place=place, is_group=True))
        above = path
        rows += rows_of_box(box, len(path))
    return rows


def path_of(box: Box) -> list[Group]:
    """The groups around a value."""
    return box.last.group.path if box.last.group is not None else []


def rows_of_box(box: Box, depth: int) -> list[Row]:
    """A value or a closed group, and below it the terms of its gradient, if there are several."""
    if box.group is not None:
        label = label_of(box)
        return [Row(depth, f"▸ {label.title}", label.value, label.gradient, label.place)]
    v = box.last
    value = "" if v.value is None else brief(v.value)
    gradient = "" if v.gradient is None else brief(v.gradient)
    place = "" if v.line is None else line_of(v.line)
    rows = [Row(depth, title_of(v), value, gradient, place)]
    if len(v.terms) > 1:
        shown, rest = largest(v.terms)
        rows += [Row(depth + 1, reader_of(t.reader), "", signed(term(t.value))) for t in shown]
        if rest:
            total = functools.reduce(operator.add, [t.value for t in rest])
            rows.append(Row(depth + 1, f"in {len(rest)} uses more", "", signed(brief(total))))
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


def signed(text: str) -> str:
    """A term as it is added: `+ 3`, `- 3`."""
    return f"- {text[1:]}" if text.startswith("-") else f"+ {text}"


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
        f"the whole Jacobian takes {counted(entries, 'forward sweep')} of "
        f"{counted(pushed, 'operation')}, or {results:,} backward of {pulled:,}"
    )


def number_of_elements(v: Vertex) -> int:
    """How many numbers a value holds."""
    count = 1
    for n in v.shape or ():
        count *= n
    return count
