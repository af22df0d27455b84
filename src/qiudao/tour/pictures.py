"""The pictures of the tour, drawn without a window."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from qiudao.tour.digits import SIDE
from qiudao.tour.study import StepError
from qiudao.tour.training import Epoch, ReadDigit

__all__ = ["draw_digits", "draw_limit_errors", "draw_training"]

INK, FAINT = "#22303c", "#8a97a3"
AMBER, BLUE, GREEN, RED = "#d98a00", "#1f77b4", "#1a8f5a", "#c8323c"
PAPER_TO_INK = LinearSegmentedColormap.from_list("paper to ink", ["white", INK])
EXACT = 2.0**-53  # half a unit in the last place: below this a float64 has no error to show


def draw_limit_errors(path: Path, errors: Sequence[StepError], sweep_error: float) -> None:
    """The V of a limit's error over its step, and the sweep's error, which has no step."""
    figure = new_figure(8.0, 4.6)
    axes = figure.add_subplot()
    steps = [e.step for e in errors]
    curves = (
        ("one-sided limit", [e.one_sided for e in errors], AMBER),
        ("two-sided limit", [e.two_sided for e in errors], BLUE),
    )
    for label, curve, colour in curves:
        axes.loglog(steps, np.maximum(curve, EXACT), color=colour, lw=1.8, label=label)
    label = "both sweeps" if sweep_error else "both sweeps: no error"
    axes.axhline(max(sweep_error, EXACT), color=GREEN, lw=2.2, label=label)
    axes.text(7e-1, 2e-6, "too long:\nthe curve bends", color=FAINT, ha="right", va="top")
    axes.text(1.5e-14, 1e-6, "too short:\nthe subtraction\ncancels digits", color=FAINT, va="top")
    axes.set_xlabel("step h")
    axes.set_ylabel("relative error of dF/dx")
    axes.set_ylim(EXACT / 4, 3)
    axes.legend(frameon=False, loc="upper center", ncols=3, bbox_to_anchor=(0.5, -0.16))
    finish(axes, "A limit must choose its step; a sweep has none")
    save(figure, path)


def draw_training(path: Path, epochs: Sequence[Epoch]) -> None:
    """The loss of every batch, and the share of digits read rightly after every epoch."""
    figure = new_figure(8.0, 5.6)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    numbers = [e.number for e in epochs]
    losses = np.concatenate([e.losses for e in epochs])
    where = np.arange(1, len(losses) + 1) / len(losses) * len(epochs)
    top.semilogy(where, losses, color=BLUE, lw=0.6, alpha=0.35, label="each batch")
    means = [float(np.mean(e.losses)) for e in epochs]
    top.semilogy(np.array(numbers) - 0.5, means, color=BLUE, lw=2.2, label="mean of an epoch")
    top.set_ylabel("cross-entropy loss")
    top.legend(frameon=False)
    finish(top, "Learning to read handwritten digits")

    bottom.plot(numbers, [e.train_accuracy for e in epochs], color=FAINT, lw=1.8, label="training")
    bottom.plot(numbers, [e.test_accuracy for e in epochs], color=GREEN, lw=2.2, label="held out")
    last = epochs[-1].test_accuracy
    bottom.annotate(
        f"{last:.1%}", (numbers[-1], last), (6, -1), textcoords="offset points",
        color=GREEN, va="top", weight="bold",
    )  # fmt: skip
    bottom.set_ylim(0.8, 1.005)
    bottom.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    bottom.set_xlabel("epoch")
    bottom.set_ylabel("read rightly")
    bottom.legend(frameon=False, loc="lower right")
    finish(bottom)
    save(figure, path)


def draw_digits(path: Path, digits: Sequence[ReadDigit], columns: int = 8) -> None:
    """Digits of the test set, each with what the network read, in red where that is wrong."""
    rows = -(-len(digits) // columns)
    figure = new_figure(1.15 * columns, 1.45 * rows + 0.5)
    wrong = sum(not d.right for d in digits)
    figure.suptitle(f"{len(digits)} held-out digits, the {wrong} misread ones first", color=INK)
    for place, digit in enumerate(digits):
        axes = figure.add_subplot(rows, columns, place + 1)
        axes.imshow(digit.image.reshape(SIDE, SIDE), cmap=PAPER_TO_INK, vmin=0, vmax=1)
        axes.set_xticks([])
        axes.set_yticks([])
        colour = GREEN if digit.right else RED
        for side in axes.spines.values():
            side.set(color=colour, linewidth=1.0 if digit.right else 2.0)
        meant = "" if digit.right else f", not {digit.label}"
        axes.set_title(f"{digit.reading}{meant}", color=colour, fontsize=12, weight="bold", pad=4)
        axes.set_xlabel(f"{digit.chance:.1%}", color=FAINT, fontsize=8, labelpad=3)
    save(figure, path)


def new_figure(width: float, height: float) -> Figure:
    """A figure of its own: pyplot, and with it the user's backend and settings, stays out."""
    figure = Figure(figsize=(width, height), dpi=150, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def finish(axes: Axes, title: str = "") -> None:
    """The look that all axes share."""
    axes.set_title(title, loc="left", color=INK, weight="bold", pad=10)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)
    axes.grid(visible=True, color="#e8ecef", lw=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=FAINT, which="both", labelcolor=INK, length=0)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)


def save(figure: Figure, path: Path) -> None:
    """Write a PNG file."""
    figure.savefig(path)
