"""`qd.story`: limit against chained limits against the two sweeps, on the user's own function."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np

from ...core.errors import GradientError
from ..graph import Graph, build, element_label, title_of
from ..labels import brief, clipped
from ..witness import Subject
from .chain import chain_of
from .corrections import corrections_of
from .curve import curve_of
from .html import html
from .latex import latex
from .methods import MOST, Function, rows_of
from .text import text
from .told import Told

FRAME = '<iframe srcdoc="{}" sandbox style="width: 100%; height: 640px; border: 0"></iframe>'


class Story:
    """The story of one derivative: as text, page, LaTeX or data."""

    def __init__(self, told: Told) -> None:
        self.told = told

    def text(self, width: int = 100, colour: bool = False) -> str:
        """For a terminal, `width` columns wide; needs rich."""
        return text(self.told, width, colour)

    def html(self) -> str:
        """A page of its own, which needs no network."""
        return html(self.told)

    def latex(self) -> str:
        """A LaTeX document with the chain rule, forward and backward."""
        return latex(self.told)

    def json(self) -> dict[str, Any]:
        """Plain data: the ways, the curve, the corrections."""
        return self.told.json()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file of the kind that its ending says: .html, .tex, .txt or .json."""
        target = pathlib.Path(path)
        makers: dict[str, Callable[[], str]] = {
            ".html": self.html,
            ".tex": self.latex,
            ".txt": self.text,
            ".json": lambda: json.dumps(self.json()),
        }
        if target.suffix not in makers:
            raise ValueError(
                f"story: {target.name} has an ending that no story has; use one of "
                f"{', '.join(makers)}"
            )
        target.write_text(makers[target.suffix](), encoding="utf-8")

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"Story({self.told.title})"

    def _repr_html_(self) -> str:
        """The page in a frame, for notebooks."""
        return FRAME.format(escape(self.html(), quote=True))


def story(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Story:
    """The derivative of `f` at these arguments, found in four ways that are held side by side.

    One-sided and two-sided limits of the whole function, limits of each operation chained by the
    chain rule, forward sweeps (one for each element of the inputs) and one reverse sweep: with
    values, errors against the exact derivative, evaluations of `f`, operations and time.  Then the
    error of the limits as the step shrinks, the chain rule in symbols and numbers, and what is
    easily got wrong, with this function's numbers.  A result that is an array is summed.

    Raises what `f` raises; `GradientError` where no result depends on an input.

    >>> import qiudao as qd
    >>> ways = {w["way"]: w for w in qd.story(lambda x: np.sin(x) * x, 1.2).json()["ways"]}
    >>> ways["reverse sweep"]["evaluations"], ways["limit, one-sided"]["evaluations"]
    (1, 2)
    >>> ways["limit, one-sided"]["error"] > 1e-10 > ways["forward sweeps"]["error"]
    True
    """
    subject = Subject(f, args, kwargs)
    graph = build(subject.run(), title_of(f))
    if graph.seed is None:
        raise GradientError(
            f"story: no result of {graph.title} depends on an input in a way that a derivative "
            "follows; ask qd.why"
        )
    rows = rows_of(subject, graph)
    names = names_of(graph)
    exact = rows[-1].gradient
    curve = None
    if exact is not None and exact.size <= MOST:
        curve = curve_of(Function(subject, graph), exact)
    told = Told(
        graph.title,
        point_of(graph),
        names,
        rows,
        curve,
        chain_of(graph),
        corrections_of(rows, graph, names),
    )
    return Story(told)


def names_of(graph: Graph) -> list[str]:
    """The name of each element of the inputs."""
    return [
        element_label(v.title, index) for v in graph.inputs for index in np.ndindex(v.shape or ())
    ]


def point_of(graph: Graph) -> str:
    """Where the derivative is taken: `at x = 1.2`."""
    parts = [f"{v.title} = {brief(v.value)}" for v in graph.inputs[:4]]
    more = ", ..." if len(graph.inputs) > 4 else ""
    return clipped(f"at {', '.join(parts)}{more}", 160)
