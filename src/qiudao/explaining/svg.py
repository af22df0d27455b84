"""The graph as a picture: SVG that follows the reader's light or dark, with no script."""

from __future__ import annotations

from xml.sax.saxutils import escape

from .graph import Graph
from .labels import Label, clipped, label_of, slope_label
from .layout import Point, arrange
from .outline import Box, Outline, outline

LETTER, ROW, PAD = 7.25, 17.0, 10.0  # of the 12-pixel monospace face; rows; inside a box
WIDEST = 40  # letters in a row
MARGIN = 20.0
HEAD = 58.0
SVG = "http://www.w3.org/2000/svg"

STYLE = """
  svg { color-scheme: light dark; --paper: #fdfdfc; --ink: #1d2530; --soft: #667380;
        --rule: #a9b3bd; --box: #ffffff; --edge: #c5cdd5; --given: #eaf1f8; --slope: #9a4a12;
        --fold: #f3f1ea; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #14181d; --ink: #e4e8ec; --soft: #93a0ad; --rule: #5d6975; --box: #1c2229;
          --edge: #3d4853; --given: #1d2a38; --slope: #eda56b; --fold: #26241e; }
  }
  text { font: 12px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
         fill: var(--ink); white-space: pre; }
  .head { font-size: 14px; font-weight: 600; }
  .title { font-weight: 600; }
  .soft { fill: var(--soft); }
  .slope { fill: var(--slope); }
  .place { font-size: 10.5px; fill: var(--soft); }
  .paper, .under { fill: var(--paper); }
  .way { fill: none; stroke: var(--rule); stroke-width: 1.2; }
  .tip { fill: var(--rule); }
  .box { fill: var(--box); stroke: var(--edge); }
  .given { fill: var(--given); }
  .result { stroke: var(--ink); stroke-width: 1.6; }
  .fold { fill: var(--fold); stroke-dasharray: 4 3; }
"""


def svg(graph: Graph, most: int = 40) -> str:
    """The graph as an SVG document of about `most` boxes; the rest is in closed groups."""
    shown = outline(graph, most)
    labels = [label_of(box) for box in shown.boxes]
    rows = [rows_of(label) for label in labels]
    sizes = [
        (max(len(text) for text, _ in r) * LETTER + 2 * PAD, len(r) * ROW + PAD + 4) for r in rows
    ]
    place = {box: k for k, box in enumerate(shown.boxes)}
    joins = [(place[e.source], place[e.target]) for e in shown.edges]
    joins = [(min(pair), max(pair)) for pair in joins]
    layout = arrange(sizes, joins)
    head = heading(graph, shown)
    width = max(layout.width, max(len(t) for t in head) * LETTER * 1.17) + 2 * MARGIN
    height = layout.height + HEAD + 2 * MARGIN
    inset = (width - layout.width) / 2
    extent = f'width="{width:.0f}" height="{height:.0f}"'
    parts = [
        f'<svg xmlns="{SVG}" viewBox="0 0 {width:.0f} {height:.0f}" {extent} role="img">',
        f"<title>{escape(graph.title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" {extent}/>',
        f'<text class="head" x="{MARGIN}" y="{MARGIN + 12}">{escape(head[0])}</text>',
        f'<text class="soft" x="{MARGIN}" y="{MARGIN + 32}">{escape(head[1])}</text>',
        f'<g transform="translate({inset:.1f} {HEAD + MARGIN:.1f})">',
    ]
    parts += [way(points) for points in layout.ways]
    parts += [
        mark(points, slope_label(edge))
        for points, edge in zip(layout.ways, shown.edges, strict=True)
    ]
    for box, middle, size, row, label in zip(
        shown.boxes, layout.middles, sizes, rows, labels, strict=True
    ):
        parts.append(drawn(box, middle, size, row, label))
    return "\n".join([*parts, "</g>", "</svg>", ""])


def heading(graph: Graph, shown: Outline) -> tuple[str, str]:
    """The title, and a line that says what is seen."""
    made = sum(v.kind == "operation" for v in graph.vertices)
    text = f"{made} operation{'s' * (made != 1)}"
    if graph.seed is not None:
        seed = graph.seed
        whose = seed.title if seed.name or seed.expression else "the result"
        whose = whose if graph.seed_index is not None else f"the sum of {whose}"
        text += f"; below each value, its gradient: how fast {clipped(whose, 40)} grows with it"
    if shown.folded:
        text += f"; {shown.folded} values are in closed groups"
    return clipped(graph.title, 90), text


def rows_of(label: Label) -> list[tuple[str, str]]:
    """The rows of a box with their classes."""
    rows = [(clipped(label.title, WIDEST), "title")]
    if label.value and label.value != label.title:
        rows.append((clipped(label.value, WIDEST), ""))
    if label.gradient:
        rows.append((clipped(f"∂ {label.gradient}", WIDEST), "slope"))
    if label.place:
        rows.append((label.place, "place"))
    return rows


def drawn(box: Box, middle: Point, size: Point, rows: list[tuple[str, str]], label: Label) -> str:
    """One box."""
    (x, y), (w, h) = middle, size
    kinds = ["box"]
    if box.group is not None:
        kinds.append("fold")
    elif box.last.kind == "input":
        kinds.append("given")
    if box.group is None and box.last.output is not None:
        kinds.append("result")
    left, top = x - w / 2, y - h / 2
    texts = [
        f'<text class="{kind}" x="{left + PAD:.1f}" y="{top + PAD + 8 + k * ROW:.1f}">'
        f"{escape(text)}</text>"
        for k, (text, kind) in enumerate(rows)
    ]
    tip = escape("\n".join(part for part in label if part))
    return (
        f'<g><title>{tip}</title><rect class="{" ".join(kinds)}" x="{left:.1f}" y="{top:.1f}" '
        f'width="{w:.1f}" height="{h:.1f}" rx="4"/>{"".join(texts)}</g>'
    )


def way(points: list[Point]) -> str:
    """An edge, bent softly from layer to layer, with a tip."""
    (x, y), (end_x, end_y) = points[0], points[-1]
    path = [f"M{x:.1f} {y:.1f}"]
    stops = [*points[1:-1], (end_x, end_y - 5)]
    for stop_x, stop_y in stops:
        bend = (stop_y - y) / 2
        path.append(
            f"C{x:.1f} {y + bend:.1f} {stop_x:.1f} {stop_y - bend:.1f} {stop_x:.1f} {stop_y:.1f}"
        )
        x, y = stop_x, stop_y
    tip = f"M{end_x:.1f} {end_y:.1f}l-3.5 -7h7z"
    return f'<path class="way" d="{" ".join(path)}"/><path class="tip" d="{tip}"/>'


def mark(points: list[Point], text: str) -> str:
    """The local derivative, beside the end of its edge."""
    if not text:
        return ""
    (x0, y0), (x1, y1) = points[-2:]
    x, y = x0 + (x1 - x0) * 0.62, y0 + (y1 - y0) * 0.62
    w = len(text) * 6.4 + 6
    under = f'x="{x - w / 2:.1f}" y="{y - 8:.1f}" width="{w:.1f}" height="15"'
    where = f'x="{x:.1f}" y="{y + 3:.1f}" text-anchor="middle"'
    return f'<rect class="under" {under}/><text class="place" {where}>{escape(text)}</text>'
