"""The tables of the tour. They fit a terminal 80 columns wide."""

from collections.abc import Sequence

import numpy as np
from rich import box
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.segment import Segments
from rich.table import Table
from rich.text import Text

from qiudao.tour.digits import SIDE, FloatArray
from qiudao.tour.reuse import Term
from qiudao.tour.study import Answer, Cost, StepError, Sweeps
from qiudao.tour.training import ReadDigit, SlopeCheck

__all__ = [
    "DIGIT_WIDTH",
    "costs_table",
    "digits_table",
    "print_whole",
    "slope_table",
    "steps_table",
    "sweeps_table",
    "terms_table",
    "training_bar",
    "ways_table",
]

COLOURS = {"limit": "yellow", "forward": "cyan", "reverse": "green"}
DIGITS_OF_FLOAT64 = 16
INK = " ░▒▓█"
GAP = 3
WIDEST = 1000  # what no table comes to
DIGIT_WIDTH = 2 * SIDE + GAP  # a pixel is two letters wide, as a letter is narrow


def ways_table(answers: Sequence[Answer]) -> Table:
    """A derivative by limits and by sweeps."""
    table = plain_table("", "value", "rel. error", "evaluations", "runs")
    for answer in answers:
        exact = answer.error == 0
        table.add_row(
            Text(answer.way, style=colour_of(answer.way)),
            f"{answer.value:,.0f}" if exact else f"{answer.value:,.13g}",
            Text("none", style="bold green") if exact else f"{answer.error:.1e}",
            str(answer.evaluations),
            Text(answer.direction, style="dim"),
        )
    return left_aligned(table, 4)


def sweeps_table(sweeps: Sweeps, names: Sequence[str]) -> Table:
    """What each sweep carries, with an arrow that points where it goes."""
    table = plain_table("", *names)
    rows = (
        ("value", sweeps.values, "default"),
        ("forward ⟶", sweeps.forward, COLOURS["forward"]),
        ("reverse ⟵", sweeps.reverse, COLOURS["reverse"]),
    )
    for label, numbers, colour in rows:
        table.add_row(Text(label, style=colour), *(f"{n:,.0f}" for n in numbers))
    return table


def steps_table(errors: Sequence[StepError]) -> Table:
    """How many digits of a limit are right at each step, and of a sweep, which has no step."""
    table = plain_table("step", "right digits, one-sided limit", "two-sided limit")
    for error in errors:
        table.add_row(f"{error.step:.0e}", digits_bar(error.one_sided), digits_bar(error.two_sided))
    table.add_row(Text("none", style="green"), digits_bar(0.0), Text("either sweep", style="dim"))
    return left_aligned(table, 1, 2)


def digits_bar(error: float) -> Text:
    """A block for each decimal digit that is right."""
    if error == 0:
        return Text(f" all {'█' * DIGITS_OF_FLOAT64}", style=COLOURS["reverse"])
    right = float(np.clip(-np.log10(error), 0, DIGITS_OF_FLOAT64))
    return Text(f"{right:4.1f} {'█' * round(right)}", style=COLOURS["limit"])


def costs_table(rows: Sequence[Sequence[Cost]]) -> Table:
    """How often a function is evaluated for its whole gradient, and the time that takes."""
    table = plain_table("inputs n", "limits", "forward sweeps", "reverse sweep")
    for costs in rows:
        evaluations = [
            Text.assemble(
                (f"{cost.evaluations:,}", f"bold {colour_of(cost.way)}"),
                (f"{duration(cost.seconds):>10}", "dim"),
            )
            for cost in costs
        ]
        table.add_row(f"{costs[0].inputs:,}", *evaluations)
    return table


def terms_table(terms: Sequence[Term], total: Term) -> Table:
    """The terms of a gradient, and their sum."""
    table = plain_table("y reaches the result through", "dZ/dy", "dF/dy")
    for term in terms:
        table.add_row(term.use, f"{term.slope:+,.0f}", f"{term.gradient:+,.0f}")
    table.add_section()
    slope, gradient = sum(t.slope for t in terms), sum(t.gradient for t in terms)
    table.add_row("sum of the three", f"{slope:,.0f}", f"{gradient:,.0f}", style="bold")
    table.add_row(
        "one sweep over all", f"{total.slope:,.0f}", f"{total.gradient:,.0f}", style="bold green"
    )
    return left_aligned(table, 0)


def slope_table(check: SlopeCheck) -> Table:
    """The slope of the loss along one direction, three ways."""
    table = plain_table("", "slope of the loss", "evaluations for a gradient")
    for way, slope, runs in (
        ("two-sided limit", check.limit, 2 * check.weights),
        ("forward sweep", check.forward, check.weights),
        ("reverse sweep", check.reverse, 1),
    ):
        table.add_row(Text(way, style=colour_of(way)), f"{slope:.12f}", f"{runs:,}")
    return left_aligned(table, 0)


def print_whole(console: Console, table: RenderableType) -> None:
    """Print a table with all its numbers: a narrower terminal breaks its lines."""
    wide = console.options.update(max_width=WIDEST)
    needed = Measurement.get(console, wide, table).maximum
    options = console.options.update(max_width=max(console.width, needed))
    console.print(Segments(console.render(table, options)), end="", crop=False)


def training_bar(console: Console) -> Progress:
    """A bar with room for what there is to say of the last epoch."""
    return Progress(
        TextColumn("  {task.description}"),
        BarColumn(bar_width=24, complete_style="cyan", finished_style="green"),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}"),
        console=console,
    )


def digits_table(digits: Sequence[ReadDigit]) -> Table:
    """Some digits as blocks of ink, with what the network reads under each."""
    table = Table.grid(padding=(0, GAP, 0, 0))
    table.add_row(*(Text(ink(digit.image)) for digit in digits))
    table.add_row(*(reading(digit) for digit in digits))
    return table


def ink(image: FloatArray) -> str:
    """An image in letters, two for each pixel."""
    levels = np.rint(image.reshape(SIDE, SIDE) * (len(INK) - 1)).astype(int)
    return "\n".join("".join(2 * INK[level] for level in row) for row in levels)


def reading(digit: ReadDigit) -> Text:
    """`a 4, 99.8% sure`, and what was meant where that is wrong."""
    text = f"reads {digit.reading}  {digit.chance:.1%}"
    if digit.right:
        return Text(text, style="green")
    return Text(f"{text}\nmeant {digit.label}", style="bold red")


def plain_table(*headers: str) -> Table:
    """A table with a line under its heading; numbers stand at the right."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    for header in headers:
        table.add_column(header, justify="right", no_wrap=True)
    table.columns[0].justify = "left"
    return table


def left_aligned(table: Table, *columns: int) -> Table:
    """The same table, with words in some of its columns."""
    for column in columns:
        table.columns[column].justify = "left"
    return table


def colour_of(way: str) -> str:
    """The colour of a way to differentiate, the same in every table."""
    return next((colour for word, colour in COLOURS.items() if word in way), "default")


def duration(seconds: float) -> str:
    """A time in the unit that suits it."""
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"
