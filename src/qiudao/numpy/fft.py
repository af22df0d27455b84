"""`qiudao.numpy.fft`: `numpy.fft` with tensors for results."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.standard import check_device
from .names import of_module
from .results import tensors


def fftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of the `n` terms of a transform of samples `d` apart, in `dtype`.

    >>> from qiudao import numpy as xp
    >>> xp.fft.fftfreq(4)
    tensor([ 0.  ,  0.25, -0.5 , -0.25])
    """
    return _frequencies(np.fft.fftfreq(n, d), dtype, device)


def rfftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of the terms that `rfft` gives of `n` samples `d` apart, in `dtype`.

    >>> from qiudao import numpy as xp
    >>> xp.fft.rfftfreq(4)
    tensor([0.  , 0.25, 0.5 ])
    """
    return _frequencies(np.fft.rfftfreq(n, d), dtype, device)


def _frequencies(found: Any, dtype: Any, device: Any) -> Any:
    """Frequencies as a tensor."""
    check_device(device)
    return tensors(found if dtype is None else found.astype(dtype))


def __getattr__(name: str) -> Any:
    """A name of `numpy.fft`: a function of it gives tensors."""
    found = globals()[name] = of_module(np.fft, name, __name__)
    return found


def __dir__() -> list[str]:
    """What completion offers."""
    return list(np.fft.__all__)
