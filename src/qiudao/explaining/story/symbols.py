"""Symbols as LaTeX: values, numbers, and the user's own names."""

from __future__ import annotations

import re
import unicodedata

SPECIAL = {
    "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}",
    "<": r"\textless{}", ">": r"\textgreater{}", '"': "''", "|": r"\textbar{}",
    "…": r"\ldots{}", "−": "--",
}  # fmt: skip
NUMBER = re.compile(r"(-?[\d.]+)(?:e(-?)\+?(\d+))?")


def latex_name(name: str) -> str:
    r"""`v_{3}` for v3, a number as it is, one letter in italics, other names as text."""
    if re.fullmatch(r"[vc]\d+", name):
        return f"{name[0]}_{{{name[1:]}}}"
    if NUMBER.fullmatch(name):
        return latex_number(name)
    if re.fullmatch("[a-zA-Z]", name):
        return name
    found = re.fullmatch(r"([a-zA-Z])\[([\d, ]+)\]", name)
    if found is not None:
        return f"{found[1]}_{{{found[2]}}}"
    greek = greek_letter(name)
    return greek if greek is not None else rf"\text{{{words(name)}}}"


def latex_number(text: str) -> str:
    """A number, its power of ten set as one; anything else as words."""
    found = NUMBER.fullmatch(text)
    if found is None:
        return rf"\text{{{words(text)}}}" if text else ""
    return rf"{found[1]}\cdot 10^{{{found[2]}{found[3]}}}" if found[3] else text


def greek_letter(letter: str) -> str | None:
    r"""`\theta` for θ."""
    name = unicodedata.name(letter, "") if len(letter) == 1 else ""
    found = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (?:FINAL )?(\w+)", name)
    if found is None:
        return None
    spelled = {"LAMDA": "lambda", "OMICRON": "o"}.get(found[2], found[2].lower())
    capitals = ("gamma", "delta", "theta", "lambda", "xi", "pi", "sigma", "upsilon", "phi", "psi",
                "omega")  # fmt: skip
    if found[1] == "SMALL":
        return "o" if spelled == "o" else rf"\{spelled}"
    return (
        rf"\{spelled.capitalize()}" if spelled in capitals else rf"\mathrm{{{spelled[0].upper()}}}"
    )


def words(text: str) -> str:
    """A text with LaTeX's own letters escaped, and Greek ones set as mathematics."""
    return "".join(
        SPECIAL.get(c) or (rf"\ensuremath{{{g}}}" if (g := greek_letter(c)) else c) for c in text
    )
