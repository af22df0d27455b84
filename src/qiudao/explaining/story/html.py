"""The story as one page: a table, the V of the limits as a picture, the chain, the corrections."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from html import escape
from importlib import resources

from .chain import Factor, Link, Product, Sum
from .picture import picture
from .text import HEADS, added, costs, derivative, slope_value
from .told import Told

FORWARD = "One value at a time, with its derivatives by what it was computed from."
BACKWARD = (
    "The adjoint of a value, written with a bar, is the derivative of the result by it: a sum with "
    "one term for each use."
)


def html(told: Told) -> str:
    """A page that needs no network; light or dark as the reader's system."""
    notes = "".join(f"<p class=note>{escape(sentence(n))}</p>" for n in told.notes)
    parts = [
        f"<h1>The derivative of <code>{escape(told.title)}</code></h1>",
        f"<p class=note>{escape(told.point)}</p>",
        f"<h2>The ways to it</h2>{table(told)}{notes}",
    ]
    if told.curve is not None:
        element = escape(told.names[told.curve.element])
        parts.append(
            f"<h2>The error of a limit by <code>{element}</code>, by its step</h2>"
            "<p>Too long a step, and the curve bends between its ends; too short, and the "
            "subtraction cancels the digits. A sweep has no step.</p>"
            f"<div class=wide>{picture(told.curve)}</div>"
        )
    parts += [
        f"<h2>The chain rule, forward</h2><p>{FORWARD}</p>",
        rows(link_row(link) for link in told.chain.links),
        f"<h2>The chain rule, backward</h2><p>{BACKWARD}</p>",
        rows(sum_row(s) for s in told.chain.sums),
    ]
    if told.corrections:
        items = "".join(
            f"<dt>Not so: {escape(c.error)}</dt><dd>{escape(c.truth)}</dd>"
            for c in told.corrections
        )
        parts.append(f"<h2>What is easily got wrong</h2><dl>{items}</dl>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(told.title)} · story</title><style>{style()}</style></head><body><main>"
        f"{''.join(parts)}</main></body></html>\n"
    )


@functools.cache
def style() -> str:
    """The page's style sheet."""
    return (resources.files(__package__) / "style.css").read_text(encoding="utf-8")


def sentence(note: str) -> str:
    """A note with a capital letter and a full stop."""
    return f"{note[:1].upper()}{note[1:]}."


def table(told: Told) -> str:
    """The ways with their values, errors and costs."""
    heads = "".join(f"<th scope=col>{t}</th>" for t in HEADS)
    body = "".join(
        f"<tr><th scope=row>{escape(r.way)}</th><td class=d>{escape(derivative(r, 3))}</td>"
        + "".join(
            f'<td class=n data-head="{head}">{escape(c)}</td>'
            for head, c in zip(HEADS[2:], costs(r), strict=True)
        )
        + "</tr>"
        for r in told.rows
    )
    return (
        "<div class=wide><table class=ways>"
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def rows(made: Iterable[str]) -> str:
    """Rows of the chain."""
    return f"<div class=wide><table class=chain><tbody>{''.join(made)}</tbody></table></div>"


def link_row(link: Link) -> str:
    """A value: its symbol, formula and number, the user's words, its slopes."""
    name = f"<th scope=row>{symbol(link.symbol)}</th>"
    value = f"<td class=n>{escape(link.value)}</td>"
    if link.many:
        told = f"{escape(link.words)} ({link.many:,} operations)"
        return f"<tr class=many>{name}<td>{told}</td>{value}<td></td></tr>"
    words = f"<div class=words>{escape(link.words)}</div>" if link.words else ""
    factors = "".join(factor(f) for f in link.factors)
    return f"<tr>{name}<td>{formula(link.text)}{words}</td>{value}<td>{factors}</td></tr>"


def factor(f: Factor) -> str:
    """A local derivative."""
    told = formula(f.text) if f.text else ""
    shown = " = ".join(p for p in (told, escape(f.number)) if p) or slope_value(f)
    return f"<div>{slope(f.of, f.by, f.use)} = {shown}</div>"


def sum_row(s: Sum) -> str:
    """An adjoint in symbols and in numbers."""
    products = " + ".join(product(p) for p in s.products)
    numbers = dict.fromkeys([added([p.value or "..." for p in s.products]), s.total])
    values = " = ".join(escape(v) for v in numbers if v)
    name = f"<th scope=row>{bar(s.symbol)}</th>"
    return f"<tr>{name}<td>{products}</td><td class=total>{values}</td></tr>"


def product(p: Product) -> str:
    """A term of an adjoint."""
    if p.through:
        many = f"{p.many} terms " if p.many > 1 else ""
        return f"({many}through {symbol(p.through)})"
    return "1" if p.reader is None else f"{bar(p.reader)}·{slope(p.reader, p.by, p.use)}"


def slope(of: str, by: str, use: int) -> str:
    """A partial derivative; which operand stands behind it."""
    which = f" <small>(use {use})</small>" if use else ""
    return f"∂{symbol(of)}/∂{symbol(by)}{which}"


def bar(name: str) -> str:
    """A symbol with a bar, which is read out as what it means."""
    return f'<span class=bar title="adjoint of {escape(name)}">{symbol(name)}</span>'


def symbol(name: str) -> str:
    """`v3` with its number as an index; other names as they are."""
    return re.sub(r"\b([vc])(\d+)\b", r"\1<sub>\2</sub>", escape(name))


def formula(text: str) -> str:
    """A formula with raised exponents, dots for products and indices."""
    shown = re.sub(r"\*\*(\([^()]*\)|-?[\w.]+)", lambda m: f"<sup>{m[1].strip('()')}</sup>",
                   symbol(text))  # fmt: skip
    return shown.replace("*", "·")
