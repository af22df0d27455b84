"""The draws that calls of NumPy's functions are made of: arrays, axes, masks, options."""

import numpy as np
from hypothesis import strategies as st

SHAPES = [(3,), (1,), (2, 3), (3, 1), (2, 2, 3), (), (4,), (1, 3), (3, 3)]
DTYPES = ["f8", "f8", "f8", "f4", "i8", "c16", "?"]


class Draws:
    """One call's worth of random arguments, which hypothesis can shrink."""

    def __init__(self, data):
        self.data = data
        self.rng = np.random.default_rng(data.draw(st.integers(0, 999), label="seed"))

    def pick(self, *options):
        """One of these; the first is the simplest."""
        return self.data.draw(st.sampled_from(options))

    def flag(self):
        """True or False."""
        return self.data.draw(st.booleans())

    def values(self, shape, dtype, low=-2.0, high=2.0):
        """Numbers of a shape and dtype, no two alike and none near a kink of the usual kind."""
        kind = np.dtype(dtype).kind
        if kind == "?" or kind == "b":
            return self.rng.random(shape) > 0.4
        if kind in "iu":
            return self.rng.integers(max(int(low), -3), int(high) + 3, shape).astype(dtype)
        made = self.rng.uniform(low, high, shape)
        if kind == "c":
            made = made + 1j * self.rng.uniform(low, high, shape)
        return np.asarray(made, dtype)

    def array(self, *shapes, dtypes=DTYPES, low=-2.0, high=2.0):
        """An array of one of the shapes (none given: any)."""
        return self.values(self.pick(*(shapes or SHAPES)), self.pick(*dtypes), low, high)

    def real(self, *shapes, **options):
        """An array of floats or integers."""
        return self.array(*shapes, dtypes=["f8", "f8", "f4", "i8"], **options)

    def floats(self, *shapes, **options):
        """An array of doubles."""
        return self.array(*shapes, dtypes=["f8"], **options)

    def axis(self, ndim, tuples=True, none=True):
        """An axis argument, sometimes one that does not exist."""
        options = [*range(ndim), -1, *([None] if none else []), *([ndim] if self.flag() else [])]
        if tuples and ndim > 1:
            options += [(0, 1), (-1, 0), (0,), ()]
        return self.pick(*options)

    def mask(self, shape):
        """Booleans that broadcast to a shape."""
        return self.rng.random(self.pick(shape, shape[-1:])) > 0.3

    def options(self, **choices):
        """Each keyword with a draw, or left out; a draw is a function of none."""
        return {name: draw() for name, draw in choices.items() if self.pick(False, True)}
