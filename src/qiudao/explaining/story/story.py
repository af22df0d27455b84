"""`qd.story`: limit against chained limits against the two sweeps, on the user's own function."""

from __future__ import annotations

import json
import os
import pathlib
import sys
from collections.abc import Callable
from html import escape
from typing import Any

from ...compiling.front import Jitted
from ...core.errors import GradientError
from ..graph import Graph, build, title_of
from ..labels import brief, clipped
from ..witness import Subject
from .chain import chain_of
from .corrections import corrections_of
from .curve import curve_of
from .function import Function
from .html import html
from .latex import latex
from .methods import measured
from .notes import notes_of
from .text import text
from .told import Told

FRAME = '<iframe srcdoc="{}" sandbox style="width: 100%; height: 640px; border: 0"></iframe>'


class Story:
    """The story of one derivative: as text, page, LaTeX or data."""

    def __init__(self, told: Told) -> None:
        self.told = told

    def text(self, width: int = 100, colour: bool = False) -> str:
        """For a terminal, at most `width` columns wide."""
        return text(self.told, width, colour)

    def html(self) -> str:
        """A page of its own, which needs no network."""
        return html(self.told)

    def latex(self) -> str:
        """A LaTeX document: the ways in a table, the chain rule in aligned equations."""
        return latex(self.told)

    def json(self) -> dict[str, Any]:
        """Plain data: the ways, the notes, the curve, the chain, the corrections."""
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
        if target.suffix.lower() not in makers:
            raise ValueError(
                f"story: {target.name} has an ending that no story has; use one of "
                f"{', '.join(makers)}"
            )
        target.write_text(makers[target.suffix.lower()](), encoding="utf-8")

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
    told = f.f if isinstance(f, Jitted) else f
    subject = Subject(told, args, kwargs)
    seen = subject.run()
    graph = build(seen, title_of(told))
    if graph.seed is None:
        raise GradientError(
            f"story: no result of {graph.title} depends on an input in a way that a derivative "
            "follows; ask qd.why"
        )
    function = Function(subject, graph)
    found = measured(function, seen)
    chain = chain_of(graph, outside=sys._getframe(1).f_code)
    return Story(
        Told(
            graph.title,
            point_of(graph),
            function.labels,
            found.rows,
            notes_of(function, graph, found),
            curve_of(function, found.exact, found.run),
            chain,
            corrections_of(found, function, graph, chain.names),
        )
    )


def point_of(graph: Graph) -> str:
    """Where the derivative is taken: `at x = 1.2`."""
    parts = [f"{v.title} = {brief(v.value)}" for v in graph.inputs[:4]]
    more = ", ..." if len(graph.inputs) > 4 else ""
    return clipped(f"at {', '.join(parts)}{more}", 160)
