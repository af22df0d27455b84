"""`qd.explain`: a computation and its gradient, to look at."""

from __future__ import annotations

import functools
import html
import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

from ..compiling.front import Jitted
from ..core.errors import GradientError
from ..tape.tensor import Tensor
from .as_json import as_json
from .compiled import stages_of
from .dot import dot
from .graph import Graph, build, title_of
from .page.html import page
from .questions.contributions import Contributions, of_name
from .svg import svg
from .tape import read_tape
from .text import text
from .witness import observe

# A notebook's own styles and scripts stay out of the page, and the page's out of the notebook.
FRAME = (
    '<iframe srcdoc="{}" sandbox="allow-scripts allow-downloads" '
    'style="width: 100%; height: 640px; border: 0"></iframe>'
)


class Explained:
    """A computation with everything that differentiation did: `graph` has it as objects.

    Of a compiled function, `stages` has its program: "traced", after each pass by the pass's name,
    and "kernels", where each fused loop and each call is a group.
    """

    def __init__(
        self, graph: Graph, stages: Callable[[], dict[str, Explained]] = dict[str, "Explained"]
    ) -> None:
        self.graph = graph
        self._make_stages = stages

    @functools.cached_property
    def stages(self) -> dict[str, Explained]:
        """The stages of the compilation; none where nothing was compiled."""
        return self._make_stages()

    def json(self) -> dict[str, Any]:
        """Lists, dicts, strings and numbers, as `docs/explain-json.md` describes them."""
        return as_json(self.graph)

    def contributions(self, name: str) -> Contributions:
        """The terms of the gradient of the first value with this name, or this expression.

        Raises `GradientError` where there is none, or no gradient arrives at it.

        >>> import qiudao as qd
        >>> [float(t.term) for t in qd.explain(lambda x: x * x + x, 3.0).contributions("x").terms]
        [1.0, 3.0, 3.0]
        """
        return of_name(self.graph, name)

    def html(self) -> str:
        """A page to play, search and unfold: one file, which needs no network."""
        return page(self.json())

    def _repr_html_(self) -> str:
        """The page in a frame of its own, for notebooks."""
        return FRAME.format(html.escape(self.html(), quote=True))

    def svg(self, most: int = 40) -> str:
        """A still picture: an SVG document of about `most` boxes, the rest in closed groups."""
        return svg(self.graph, most)

    def dot(self, most: int = 200) -> str:
        """The graph in Graphviz's language."""
        return dot(self.graph, most)

    def text(self, width: int = 100, most: int = 60, colour: bool = False) -> str:
        """A table for a terminal, `width` columns wide, of about `most` values; needs rich."""
        return text(self.graph, width, most, colour)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file of the kind that its ending says: .html, .svg, .dot, .txt or .json."""
        target = pathlib.Path(path)
        makers: dict[str, Callable[[], str]] = {
            ".html": self.html,
            ".svg": self.svg,
            ".dot": self.dot,
            ".txt": self.text,
            ".json": lambda: json.dumps(self.json()),
        }
        if target.suffix.lower() not in makers:
            raise ValueError(
                f"explain: {target.name} has an ending that no picture has; use one of "
                f"{', '.join(makers)}"
            )
        target.write_text(makers[target.suffix.lower()](), encoding="utf-8")

    def __repr__(self) -> str:
        made = sum(v.kind == "operation" for v in self.graph.vertices)
        return f"Explained({self.graph.title}: {made} operations)"


def explain(f: Callable[..., Any] | Tensor, /, *args: Any, **kwargs: Any) -> Explained:
    """What a computation does and how its gradient comes about, to look at.

    `explain(f, *args, **kwargs)` runs `f` once on its real values and keeps all of it: every value,
    every term of every gradient, the user's expressions and lines.  Float and complex arguments are
    inputs, in any containers.  `explain(t, name=tensor, ...)` reads the tape behind a tensor; the
    keywords give names to tensors.  Of a function made by `qd.jit`, `stages` shows what the
    compiler made of it.  The gradient is that of the first result that has one, of the sum of its
    elements where it is an array.

    Raises what `f` raises; `GradientError` for a tensor with no graph, and inside a transform;
    `TypeError` for what is neither a function nor a tensor.

    >>> import qiudao as qd
    >>> shown = qd.explain(lambda x: x * x + x, 3.0)
    >>> shown.graph.inputs[0].gradient
    np.float64(7.0)
    >>> [float(use.value) for use in shown.graph.inputs[0].terms]
    [1.0, 3.0, 3.0]
    """
    if isinstance(f, Tensor):
        if args:
            raise GradientError(
                f"explain: a tensor takes no arguments, and {len(args)} came; give tensors names "
                "as keywords, explain(loss, w=w)"
            )
        seen, notes = read_tape([f], kwargs)
        return Explained(build(seen, "the tape behind a tensor", notes))
    if not callable(f):
        raise TypeError(
            f"explain: {type(f).__name__} {f!r} is neither a function nor a tensor; pass the "
            "function and its arguments, explain(f, x)"
        )
    if isinstance(f, Jitted):
        jitted = f

        def stages() -> dict[str, Explained]:
            return {k: Explained(g) for k, g in stages_of(jitted, args, kwargs).items()}

        return Explained(build(observe(f, args, kwargs), title_of(f)), stages)
    return Explained(build(observe(f, args, kwargs), title_of(f)))
