"""Takes the tour: computes each stop, prints it, and saves its pictures."""

import time
from pathlib import Path

import numpy as np
from rich.console import Console, RenderableType
from rich.markup import escape
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
    STEP,
    chain,
    compare_ways,
    cost_of_gradient,
    errors_by_step,
    sweep_both_ways,
)
from qiudao.tour.training import EPOCHS, Epoch, ReadDigit, check_slope, read, train

__all__ = ["take_tour"]

SEED = 0
HELD_OUT = 0.2
PRINTED_STEPS = [10.0**-k for k in range(1, 15)]
DRAWN_STEPS = np.logspace(0, -14, 113).tolist()
INPUTS = (1, 10, 100, 1000)
DRAWN_DIGITS = 32


def take_tour(folder: Path, console: Console | None = None) -> None:
    """Take all three stops. The folder must exist; pictures of an earlier tour are replaced."""
    begin = time.perf_counter()
    guide = Guide(console or Console(highlight=False), folder)
    guide.explained_graph()
    guide.one_derivative()
    guide.one_value_three_uses()
    guide.one_network()
    seconds = time.perf_counter() - begin
    guide.heading(f"Done in {seconds:.1f} s")
    where = escape(str(folder))
    guide.say(f"The pictures are in [cyan]{where}[/]: {', '.join(guide.saved)}.")


class Guide:
    """What is said and shown at each stop."""

    def __init__(self, console: Console, folder: Path) -> None:
        self.console = console
        self.folder = folder
        self.saved: list[str] = []

    def explained_graph(self) -> None:
        """The page of the first stop's chain, and where it is."""
        path = self.file("chain.html")
        qd.explain(chain, START).save(path)
        self.console.print(
            f"The chain of the first stop, to play step by step in a browser: "
            f"[cyan]{escape(str(path))}[/]"
        )

    def one_derivative(self) -> None:
        """One derivative four ways, and what each of them costs."""
        self.heading("1  One derivative, four ways")
        self.say(
            "The slope of [b]3x² - 4x + 5[/] at x = 3. By hand: 6x - 4 = [b]14[/]. "
            f"The limits take the step h = {STEP:.0e}."
        )
        self.show(screen.ways_table(compare_ways(CHAIN[:1], START, POLYNOMIAL_EXACT)))
        self.say(
            "A chain of three functions, [b]F(Z(Y(x)))[/], again at x = 3:\n\n"
            "  Y(x) = 3x² - 4x + 5     Z(y) = y² - 4y     F(z) = z⁴ - 5\n\n"
            "By hand: 4·320³ · 36 · 14 = [b]66,060,288,000[/]."
        )
        answers = compare_ways(CHAIN, START, CHAIN_EXACT)
        self.show(screen.ways_table(answers))
        self.say(
            "Both sweeps multiply the same three slopes, from opposite ends. The forward sweep "
            "starts with dx/dx = 1 and finds dY/dx, dZ/dx, dF/dx; the reverse sweep starts with "
            "dF/dF = 1 and finds dF/dZ, dF/dY, dF/dx:"
        )
        self.show(screen.sweeps_table(sweep_both_ways(CHAIN, START), ("x", "Y", "Z", "F")))
        self.say(
            "A limit must choose its step. Too long, and the curve bends; too short, and the "
            "subtraction cancels the digits. A sweep takes no step."
        )
        self.show(screen.steps_table(errors_by_step(CHAIN, START, CHAIN_EXACT, PRINTED_STEPS)))
        drawn = errors_by_step(CHAIN, START, CHAIN_EXACT, DRAWN_STEPS)
        pictures.draw_limit_errors(self.file("limits.png"), drawn, answers[-1].error)
        self.say(
            "Many inputs, one output, f = log Σ exp(sin xᵢ). A limit or a forward sweep asks "
            "what [b]one[/] input does to every output; the reverse sweep asks what every input "
            "does to [b]one[/] output. How often f is evaluated for its whole gradient:"
        )
        self.show(screen.costs_table([cost_of_gradient(inputs) for inputs in INPUTS]))

    def one_value_three_uses(self) -> None:
        """A value used three times: its gradient is the sum over its uses."""
        self.heading("2  One value, three uses")
        self.say(
            "In that chain, Z = y·y - 4·y uses y = 20 three times. Each use is a road from y to "
            "the result; below, one is swept at a time and the other two are detached."
        )
        self.show(screen.terms_table(terms(), gradient_at_once()))

    def one_network(self) -> None:
        """A network that learns to read digits."""
        self.heading("3  A network that reads digits")
        rng = np.random.default_rng(SEED)
        training, test = split(load_digits(), HELD_OUT, rng)
        start = initial_weights(rng)
        count = sum(w.size for w in start)
        self.say(
            f"{len(training):,} handwritten digits to learn from, {len(test)} held out, "
            f"{count:,} weights. First, is the gradient right? The slope of the loss along one "
            f"random direction through all weights, and what the whole gradient would cost:"
        )
        self.show(screen.slope_table(check_slope(start, training, rng)))
        self.console.print()

        weights = [qd.tensor(w, requires_grad=True) for w in start]
        epochs: list[Epoch] = []
        with screen.training_bar(self.console) as bar:
            task = bar.add_task("training", total=EPOCHS, state="")
            for epoch in train(weights, training, test, rng):
                epochs.append(epoch)
                loss, right = np.mean(epoch.losses), epoch.test_accuracy
                bar.update(task, advance=1, state=f"loss {loss:.3f}  held out {right:.1%}")
        readings = read(test, [w.detach().numpy() for w in weights])
        well = [r for r in readings if r.right]
        wrong = [r for r in readings if not r.right]
        self.say(
            f"[b green]{epochs[-1].test_accuracy:.1%}[/] of the held-out digits are read rightly, "
            f"{len(wrong)} of {len(test)} are not:"
        )
        room = self.console.width // screen.DIGIT_WIDTH
        self.show(screen.digits_table(one_of_each(well)[: room - 1] + wrong[:1]))
        pictures.draw_training(self.file("training.png"), epochs)
        pictures.draw_digits(self.file("digits.png"), (wrong + well)[:DRAWN_DIGITS])

    def heading(self, text: str) -> None:
        """The name of a stop."""
        self.console.print()
        self.console.rule(f"[bold]{text}[/]", align="left", style="cyan")

    def say(self, text: str) -> None:
        """A paragraph; `[b]...[/]` marks what matters."""
        self.console.print(Padding(text, (1, 2, 0, 2)))

    def show(self, thing: RenderableType) -> None:
        """A table, set in from the margin."""
        screen.print_whole(self.console, Padding(thing, (1, 0, 0, 2), expand=False))

    def file(self, name: str) -> Path:
        """A file of the folder, remembered for the last line of the tour."""
        self.saved.append(name)
        return self.folder / name


def one_of_each(readings: list[ReadDigit]) -> list[ReadDigit]:
    """The first 0, the first 1 and so on, in the order they come."""
    first: dict[int, ReadDigit] = {}
    for reading in readings:
        first.setdefault(reading.label, reading)
    return list(first.values())
