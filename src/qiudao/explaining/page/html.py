"""Writes the page: its parts are the files beside this one, put together with the graph's JSON."""

from __future__ import annotations

import functools
import html
import json
from importlib import resources
from typing import Any

# In this order: each file uses names of those before it when it is loaded.
SCRIPTS = (
    "model", "folding", "steps", "layout", "edges", "heat", "drawing", "view", "costs", "inspector",
    "outline", "search", "player", "saving", "main",
)  # fmt: skip


def page(graph: dict[str, Any]) -> str:
    """The page for a graph in the form of docs/explain-json.md.

    All is in the one file, the layout library dagre (MIT licence) included; it asks for nothing
    from the network, and its security policy forbids that it does.
    """
    title = html.escape(f"{graph['title']} · qiudao")
    parts = {
        "title": title,
        "style": part("style.css"),
        "data": embedded(graph),
        "dagre": f"/*! {part('vendor/dagre.LICENSE')} */\n{library()}",
        "script": f'"use strict";\n(() => {{\n{script()}\n}})();',
    }
    text, *rest = part("page.html").split("{{")
    made = [text]
    for piece in rest:  # one pass, so that nothing within a part is taken for a place
        name, _, after = piece.partition("}}")
        made += [parts[name], after]
    return "".join(made)


@functools.cache
def part(name: str) -> str:
    """A file of the page."""
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def library() -> str:
    """The layout library, without the pointer to a source map that does not come along."""
    return part("vendor/dagre.min.js").partition("//# sourceMappingURL")[0]


def script() -> str:
    """The page's own program."""
    return "\n".join(part(f"js/{name}.js") for name in SCRIPTS)


def embedded(graph: dict[str, Any]) -> str:
    """The graph as JSON that no HTML parser can take for anything else."""
    text = json.dumps(graph, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
