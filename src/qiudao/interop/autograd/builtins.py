"""Containers and type tests that see through tracers.

Containers of tracers are ordinary ones here, so `list`, `tuple` and `dict` are Python's own.
"""

from __future__ import annotations

import builtins
from typing import Any

from .registered import plain

__all__ = ["DictBox", "SequenceBox", "dict", "isinstance", "list", "tuple", "type"]

dict = builtins.dict
list = builtins.list
tuple: Any = builtins.tuple
DictBox = builtins.dict
SequenceBox: Any = builtins.tuple


def isinstance(x: Any, kinds: Any) -> bool:
    """Whether the plain value of `x` is an instance of `kinds`.

    >>> from qiudao.interop.autograd.builtins import isinstance
    >>> seen = []
    >>> _ = qd.grad(lambda x: seen.append(isinstance(x, np.ndarray)) or np.sum(x))(np.ones(2))
    >>> seen
    [True]
    """
    return builtins.isinstance(plain(x), kinds)


def type(x: Any) -> Any:
    """The type of the plain value of `x`."""
    return builtins.type(plain(x))
