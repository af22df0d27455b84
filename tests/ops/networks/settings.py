"""Shapes and settings of convolutions over one, two and three axes of space."""

from typing import Any, NamedTuple

import numpy as np


class Setting(NamedTuple):
    """A convolution: the shapes of its operands, and its keywords."""

    x: tuple[int, ...]
    kernel: tuple[int, ...]
    options: dict[str, Any]

    def draw(self, dtype: Any = np.float64) -> tuple[Any, Any]:
        rng = np.random.default_rng(len(self.x) + sum(self.kernel))
        return tuple(rng.normal(size=s).astype(dtype) for s in (self.x, self.kernel))

    def __str__(self) -> str:
        words = ",".join(f"{k}={v}" for k, v in self.options.items())
        return f"{self.x}-{self.kernel}-{words}".replace(" ", "")


SETTINGS = [
    Setting((2, 3, 8), (4, 3, 3), {}),
    Setting((2, 3, 9), (4, 3, 3), {"stride": 2, "padding": 1}),
    Setting((1, 4, 10), (6, 2, 3), {"dilation": 2, "groups": 2, "padding": 3}),
    Setting((2, 4, 7), (8, 1, 1), {"groups": 4, "stride": 3}),
    Setting((3, 2, 5), (2, 2, 5), {"padding": 4}),
    Setting((2, 1, 6, 7), (3, 1, 3, 3), {"padding": 1}),
    Setting((2, 3, 8, 9), (4, 3, 3, 2), {"stride": (2, 3), "padding": (1, 0)}),
    Setting((1, 4, 9, 8), (4, 2, 2, 3), {"dilation": (3, 2), "groups": 2, "padding": (2, 1)}),
    Setting((2, 6, 6, 6), (6, 1, 3, 3), {"groups": 6, "padding": 1, "stride": 2}),
    Setting((2, 3, 1, 6), (2, 3, 1, 6), {}),
    Setting((2, 2, 4, 5, 3), (3, 2, 2, 3, 2), {"padding": (1, 1, 0)}),
    Setting((1, 4, 5, 6, 5), (2, 2, 3, 2, 2), {"groups": 2, "stride": (2, 1, 2), "dilation": 2}),
]
