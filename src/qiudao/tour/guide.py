"""Takes the tour: computes each stop, prints it, and saves its pictures."""

import time
from pathlib import Path

import numpy as np
from rich.console import Console, RenderableType
from rich.padding import Padding

import qiudao as qd
from qiudao.tour import pictures, screen
from qiudao.tour.digits import load_digits, split
from qiudao.tour.network import initial_weights
from qiudao.tour.reuse import gradient_at_once, terms
from qiudao.tour.study import (
    CHAIN,
    CHAIN_EXACT,
    POLYNOMIAL_EXACT,
    START,
    compare_ways,
    cost_of_gradient,
    errors_by_step,
    sweep_both_ways,
)
from qiudao.tour.training import EPOCHS, Epoch, check_slope, read, train

__all__ = ["take_tour"]

SEED = 0
HELD_OUT = 0.2
SHOWN_STEPS = [10.0**-k for k in range(1, 15)]
DRAWN_STEPS = list(np.logspace(0, -14, 113))
SHOWN_INPUTS = (1, 10, 100, 1000)
DRAWN_DIGITS = 32


def take_tour(console: Console, folder: Path) -> None:
    """Take all three stops. The folder must exist; pictures of an earlier tour are replaced."""
    begin = time.perf_counter()
    Guide(console, folder).walk()
    console.print(
        f"\n  [bold]{time.perf_counter() - begin:.1f} s.[/] The pictures are in "
        f"[bold cyan]{folder}[/]: " + ", ".join(sorted(p.name for p in folder.glob("*.png")))
    )


class Guide:
    """Knows the console and the folder, and what is said at each stop."""

    def __init__(self, console: Console, folder: Path) -> None:
        self.console = console
        self.folder = folder

    def walk(self) -> None:
        """The three stops in order."""
        self.one_derivative()
        self.one_value_three_uses()
        self.one_network()

    def heading(self, text: str) -> None:
        """The name of a stop."""
        self.console.print()
        self.console.rule(f"[bold]{text}[/]", align="left", style="cyan")

    def say(self, text: str) -> None:
        """A paragraph."""
        self.console.print(Padding(text, (1, 2, 0, 2)))

    def show(self, thing: RenderableType) -> None:
        """A table."""
        self.console.print(Padding(thing, (1, 0, 0, 2)))
