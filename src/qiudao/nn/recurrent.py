"""Recurrent layers: a state that moves on with each step of a sequence, by `qd.scan`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..core.errors import ShapeError
from ..core.trees import flatten
from ..ops.logsums import logistic
from ..ops.networks.lstm import Lstm
from ..tape.tensor import Tensor
from ..transforms.control import scan
from .given import size
from .initial import Rng, generator
from .linear import AFFINE, uniform
from .module import Module
from .parts import shaped

LSTM_OPERATION = Lstm()


class Recurrent(Module):
    """A layer over (batch, time, inputs) that gives its states, (batch, time, hidden), and the
    last one.

    `initial` is the state to begin with, zeros unless given, (batch, hidden).  With `reverse` the
    steps go from the last to the first.  Weights are as in torch's cells, (gates * hidden, inputs)
    and (gates * hidden, hidden), uniform within ±1/√hidden at first and drawn from `rng`.  Several
    layers are a list of these.
    """

    settings = ("inputs", "hidden")
    gates: ClassVar[int]
    is_split: ClassVar[bool] = False  # whether the two biases do not only meet as a sum

    def __init__(
        self,
        inputs: int,
        hidden: int,
        *,
        bias: bool = True,
        reverse: bool = False,
        rng: Rng,
        dtype: Any = np.float64,
    ) -> None:
        name = type(self).__name__
        draws = generator(rng, name)
        self.inputs = inputs = size(name, "inputs", inputs)
        self.hidden = hidden = size(name, "hidden", hidden)
        self.reverse = reverse
        rows = self.gates * hidden
        self.weight_ih = uniform(draws, (rows, inputs), hidden, dtype)
        self.weight_hh = uniform(draws, (rows, hidden), hidden, dtype)
        self.bias_ih = uniform(draws, (rows,), hidden, dtype) if bias else None
        self.bias_hh = uniform(draws, (rows,), hidden, dtype) if bias else None

    def __call__(self, x: Any, initial: Any = None) -> tuple[Any, Any]:
        x = shaped(x)
        if x.ndim != 3 or x.shape[-1] != self.inputs:
            raise ShapeError(
                f"{type(self).__name__}: an input of shape {tuple(x.shape)} does not fit; it must "
                f"be (batch, time, {self.inputs})"
            )
        if initial is None:
            dtype = np.result_type(x.dtype, self.weight_ih.dtype)
            initial = self.start(np.zeros((x.shape[0], self.hidden), dtype))
        else:
            self.check_state(initial, (x.shape[0], self.hidden))
        by_time = np.swapaxes(x, 0, 1)
        found = self.at_once(by_time, initial)
        if found is not None:
            return found
        if self.bias_ih is None:
            from_inputs = by_time @ self.weight_ih.T
        else:
            bias = self.bias_ih if self.is_split else self.bias_ih + self.bias_hh
            from_inputs = AFFINE(by_time, self.weight_ih, bias)
        turned = self.weight_hh.T

        def step(state: Any, from_input: Any) -> tuple[Any, Any]:
            from_state = self.seen(state) @ turned
            if self.is_split and self.bias_hh is not None:
                from_state = from_state + self.bias_hh
            state = self.moved(state, from_input, from_state)
            return state, self.seen(state)

        last, states = scan(step, initial, from_inputs, reverse=self.reverse)
        return np.swapaxes(states, 0, 1), last

    def check_state(self, initial: Any, shape: tuple[int, ...]) -> None:
        """Refuse a state to begin with that is none of this layer's."""
        wanted, given = flatten(self.start(np.zeros(shape)))[0], flatten(initial)[0]
        shapes = [tuple(np.shape(x)) for x in given]
        if (type(initial) in (list, tuple) and len(wanted) == 1) or shapes != [shape] * len(wanted):
            what = f"a pair (h, c) of {shape}" if len(wanted) == 2 else f"{shape}"
            raise ShapeError(
                f"{type(self).__name__}: an initial state of shape {', '.join(map(str, shapes))} "
                f"does not fit; it must be {what}, (batch, hidden)"
            )

    def at_once(self, by_time: Any, initial: Any) -> tuple[Any, Any] | None:
        """The states and the last one by an operation of the whole sequence, or None."""
        return None

    def start(self, zeros: Any) -> Any:
        """The state to begin with."""
        return zeros

    def seen(self, state: Any) -> Any:
        """What of the state other layers see."""
        return state

    def moved(self, state: Any, from_input: Any, from_state: Any) -> Any:
        """The next state, from the products with the input and with what is seen of the state."""
        raise NotImplementedError

    def split(self, x: Any) -> list[Any]:
        """The share of each gate."""
        n = self.hidden
        return [x[..., k * n : (k + 1) * n] for k in range(self.gates)]


class RNN(Recurrent):
    """h ← tanh(W_ih x + b_ih + W_hh h + b_hh); see `Recurrent` for arguments and shapes.

    >>> states, last = qd.nn.RNN(3, 5, rng=0)(np.ones((2, 7, 3)))
    >>> states.shape, last.shape
    ((2, 7, 5), (2, 5))
    """

    gates = 1

    def moved(self, state: Any, from_input: Any, from_state: Any) -> Any:
        return np.tanh(from_input + from_state)


class GRU(Recurrent):
    """h ← (1 - z) n + z h with r, z = σ(...), n = tanh(W_in x + b_in + r (W_hn h + b_hn)).

    The gates lie in the weights in the order r, z, n, as in torch; see `Recurrent` for arguments
    and shapes.

    >>> states, last = qd.nn.GRU(3, 5, rng=0)(np.ones((2, 7, 3)))
    >>> states.shape, last.shape
    ((2, 7, 5), (2, 5))
    """

    gates = 3
    is_split = True

    def moved(self, state: Any, from_input: Any, from_state: Any) -> Any:
        n = self.hidden
        both = logistic(from_input[..., : 2 * n] + from_state[..., : 2 * n])
        reset, keep = both[..., :n], both[..., n:]
        new = np.tanh(from_input[..., 2 * n :] + reset * from_state[..., 2 * n :])
        return new + keep * (state - new)


class LSTM(Recurrent):
    """c ← f c + i g, h ← o tanh(c) with i, f, o = σ(...) and g = tanh(...).

    The state is the pair (h, c).  The gates lie in the weights in the order i, f, g, o, as in
    torch; see `Recurrent` for arguments and shapes.

    >>> states, (h, c) = qd.nn.LSTM(3, 5, rng=0)(np.ones((2, 7, 3)))
    >>> states.shape, h.shape, c.shape
    ((2, 7, 5), (2, 5), (2, 5))
    """

    gates = 4

    def start(self, zeros: Any) -> Any:
        return zeros, zeros

    def at_once(self, by_time: Any, initial: Any) -> tuple[Any, Any] | None:
        h, c = initial
        if not is_eager((by_time, h, c, self.weight_ih, self.weight_hh)) or not by_time.size:
            return None
        bias: Any = np.zeros(4 * self.hidden, by_time.dtype)
        if self.bias_ih is not None:
            bias = self.bias_ih + self.bias_hh
        given = by_time[::-1] if self.reverse else by_time
        states, memory, *_ = LSTM_OPERATION(given, h, c, self.weight_ih, self.weight_hh, bias)
        in_place = states[::-1] if self.reverse else states
        return np.swapaxes(in_place, 0, 1), (states[-1], memory[-1])

    def seen(self, state: Any) -> Any:
        return state[0]

    def moved(self, state: Any, from_input: Any, from_state: Any) -> Any:
        i, f, g, o = self.split(from_input + from_state)
        c = logistic(f) * state[1] + logistic(i) * np.tanh(g)
        return logistic(o) * np.tanh(c), c


def is_eager(operands: Sequence[Any]) -> bool:
    """Whether operands are real arrays or tensors with arrays inside, of one dtype.

    Programs keep the loop, which the compiler takes apart.
    """
    values = [x.value if isinstance(x, Tensor) else x for x in operands]
    dtype = values[0].dtype
    return dtype.kind == "f" and all(isinstance(x, np.ndarray) and x.dtype == dtype for x in values)
