"""Fourier transforms."""

from __future__ import annotations

from ....ops import fourier
from ..code import Code, call
from ..table import Phrase, spells


def named(p: Phrase) -> dict[str, object]:
    """The arguments that are not NumPy's own."""
    q = p.primitive
    words: dict[str, object] = {}
    if len(q.axes) > 1:
        words["axes"] = q.axes
    elif q.axes != (-1,):
        words["axis"] = q.axes[0]
    if q.norm != "backward":
        words["norm"] = repr(q.norm)
    return words


@spells(fourier.Fft)
def fft(p: Phrase) -> Code:
    """`np.fft.fft(x)`, and its kin over several axes."""
    name = "ifft" if p.primitive.inverse else "fft"
    several = "n" if len(p.primitive.axes) > 1 else ""
    return call(f"np.fft.{name}{several}", p.codes[0], **named(p))


@spells(fourier.Rfft)
def rfft(p: Phrase) -> Code:
    """`np.fft.rfft(x)`."""
    return call("np.fft.rfft", p.codes[0], **named(p))


@spells(fourier.Irfft)
def irfft(p: Phrase) -> Code:
    """`np.fft.irfft(x, n)`."""
    return call("np.fft.irfft", p.codes[0], str(p.primitive.n), **named(p))
