"""1,797 handwritten digits of 8 x 8 pixels, by E. Alpaydin and C. Kaynak (see data/digits.txt)."""

import math
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLASSES", "Digits", "PIXELS", "SIDE", "load_digits", "split"]

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

SIDE = 8
PIXELS = SIDE * SIDE
CLASSES = 10
MOST_INK = 16


@dataclass(frozen=True)
class Digits:
    """Images, a row of 64 pixels from 0 (paper) to 1 (ink) each, and the digit that was meant."""

    images: FloatArray
    labels: IntArray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, places: IntArray) -> "Digits":
        """The digits at `places`."""
        return Digits(self.images[places], self.labels[places])


def load_digits() -> Digits:
    """The whole set, from the file that comes with qiudao."""
    with (
        as_file(files("qiudao.tour") / "data" / "digits.npz") as path,
        np.load(path) as arrays,
    ):
        images = arrays["images"].reshape(-1, PIXELS) / MOST_INK
        return Digits(images, arrays["labels"].astype(np.int64))


def split(digits: Digits, held_out: float, rng: np.random.Generator) -> tuple[Digits, Digits]:
    """Shuffle, and set a part aside that training never sees.

    The file does not say who wrote which digit, so a writer may appear in both parts.
    """
    order = rng.permutation(len(digits))
    cut = math.ceil(len(digits) * held_out)
    return digits.take(order[cut:]), digits.take(order[:cut])
