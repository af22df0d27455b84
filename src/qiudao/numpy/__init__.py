"""`qiudao.numpy`: NumPy's names with tensors for results, and a namespace of the array standard.

Plain `import numpy as np` is all that differentiating needs.  This namespace is for code that
works with any library's arrays: it asks an array for `__array_namespace__()`, and a tensor
answers with this module (https://data-apis.org/array-api, version 2024.12).  Whatever its
functions are given, the arrays they give back are tensors; gradients flow as through NumPy's.

>>> x = qd.tensor([1.0, 4.0], requires_grad=True)
>>> xp = x.__array_namespace__()
>>> (root,) = qd.grad(xp.sum(xp.sqrt(x)), x)
>>> root
tensor([0.5 , 0.25])
>>> xp.arange(3) < 2
tensor([ True,  True, False])
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ..core import dispatch as _dispatch
from ..core.standard import VERSIONS
from .clipping import clip
from .limits import finfo, iinfo
from .making import array, asarray, astype, from_dlpack
from .names import of_module as _of_module
from .ordering import argsort, sort

__array_api_version__ = VERSIONS[-1]

ndarray = _dispatch.Tracer  # what `isinstance` is asked about here
SUBMODULES = ("fft", "linalg", "special")

__all__ = [
    "argsort",
    "array",
    "asarray",
    "astype",
    "clip",
    "finfo",
    "from_dlpack",
    "iinfo",
    "isdtype",
    "ndarray",
    "sort",
]


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is one, or one of a kind: `"real floating"`, `"integral"`..."""
    return np.isdtype(np.dtype(dtype), kind)


def __array_namespace_info__() -> Any:  # noqa: N807 - the standard's name for it
    """What the standard asks about devices and dtypes: NumPy's answers."""
    return np.__array_namespace_info__()


def __getattr__(name: str) -> Any:
    """A submodule, or a name of NumPy's: a function of it gives tensors, all else is NumPy's."""
    if name in SUBMODULES:
        found: Any = importlib.import_module(f"{__name__}.{name}")
    else:
        found = _of_module(np, name, __name__)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """What completion offers: NumPy's public names, and those of this module."""
    return sorted({*np.__all__, *__all__, *SUBMODULES})
