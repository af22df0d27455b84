"""Writes the table in docs/special.md from the rules: `python tests/docs/special_table.py`."""

from pathlib import Path

from qiudao.ops.special import families as families
from qiudao.ops.special import statements

PAGE = Path(__file__).parents[2] / "docs" / "special.md"
START, END = "<!-- table -->", "<!-- end of table -->"
NUMPYS = ("cbrt", "exp2", "expm1", "log1p")


def cell(operand, stated):
    """What is said of one operand."""
    if operand in stated.formulas:
        return f"{operand}: {stated.formulas[operand]}"
    if operand in stated.reasons:
        return f"{operand}: none, because {stated.reasons[operand]}"
    return "constant between its jumps"


def rows():
    """A line for each result of each function."""
    for (name, part), stated in sorted(statements.items()):
        several = stated.ufunc is not None and stated.ufunc.nout > 1
        label = f"{name}({', '.join(stated.operands)})" + (f"[{part}]" if several else "")
        cells = "; ".join(cell(operand, stated) for operand in stated.operands)
        yield f"| `{label}` | {cells.replace('|', chr(92) + '|')} |"
    for name in NUMPYS:
        yield f"| `{name}(x)` | as NumPy's |"


def table():
    """The whole table."""
    return "\n".join([START, "", "| function | derivative |", "|---|---|", *rows(), "", END])


def written(text):
    """The page with the table of today."""
    head, _, rest = text.partition(START)
    _, _, tail = rest.partition(END)
    return head + table() + tail


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
