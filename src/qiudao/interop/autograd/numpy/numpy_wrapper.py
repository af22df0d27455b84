"""The names of `autograd.numpy.numpy_wrapper` that other libraries import."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from ..registered import primitive
from . import __getattr__ as __getattr__
from .making import array, metadata

__all__ = ["array", "metadata", "wrap_namespace"]


def wrap_namespace(old: Mapping[str, Any], new: MutableMapping[str, Any]) -> None:
    """Put the functions of one namespace into another, each made a `primitive` without rules."""
    for name, found in old.items():
        if callable(found) and not isinstance(found, type):
            new[name] = primitive(found)
        elif isinstance(found, float | int | type | None):
            new[name] = found
