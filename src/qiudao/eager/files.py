"""Saving nested containers of arrays in files, by safetensors.

The arrays lie in the file under their paths (`encoder.0.weight`), so that other libraries find
them; how they are nested, and what is no array, is in the file's metadata as JSON.  Nothing in a
file is code: loading an unknown file is safe.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.arriving import check_class
from ..core.dispatch import Tracer
from ..core.errors import DtypeError, GradientError, TreeError
from ..tape.tensor import Tensor

__all__ = ["load", "save"]

Array = NDArray[Any]
ML_DTYPES = "ml_dtypes"
KEY = "qiudao"  # of our entry in the metadata
PLAIN = (bool, int, float, str, type(None))
NATIVE = {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"}


def save(path: str | os.PathLike[str], tree: Any) -> None:
    """Write a nested container of arrays, such as a `state_dict`, to a safetensors file.

    Containers are dicts (with keys of text or whole numbers), lists and tuples; leaves are tensors,
    arrays of numbers (those of ml_dtypes too), dates or text, numbers, text and None.  A model is
    saved as its `model.state_dict()`.  Raises `TreeError` for anything else, `DtypeError` for
    object arrays, and `GradientError` where the safetensors library is missing.

    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
    >>> qd.save(path, {"layers": [np.zeros(2), np.ones(3)], "epoch": 7})
    >>> qd.load(path)
    {'layers': [array([0., 0.]), array([1., 1., 1.])], 'epoch': 7}
    """
    check_path("save", path)
    arrays: dict[str, Array] = {}
    dtypes: dict[str, str] = {}
    structure = described(tree, "", arrays, dtypes)
    about = json.dumps({"structure": structure, "dtypes": dtypes})
    files = library("save")
    with named("save", "cannot be written", path):
        files.save_file(arrays, path, {KEY: about})


def load(path: str | os.PathLike[str]) -> Any:
    """What `save` wrote: the same nested container, with NumPy arrays for arrays and tensors.

    A safetensors file of another library gives a dict of its arrays by name.  Raises
    `GradientError` where the safetensors library is missing, and for a file of another kind; an
    example is at `qd.save`.
    """
    check_path("load", path)
    files = library("load")
    opens = importlib.import_module("safetensors").safe_open
    with named("load", "is no safetensors file", path):
        with opens(path, framework="np") as opened:
            metadata = opened.metadata() or {}
        arrays = files.load_file(path)
    if KEY not in metadata:
        return arrays
    kept = json.loads(metadata[KEY])
    for name, dtype in kept["dtypes"].items():
        arrays[name] = restored(arrays[name], dtype)
    return rebuilt(kept["structure"], arrays)


def check_path(act: str, path: Any) -> None:
    """Refuse what is no path, such as the tree, which torch takes first."""
    if not isinstance(path, str | bytes | os.PathLike):
        raise DtypeError(
            f"{act}: the path is a {type(path).__name__}; give save(path, tree) and load(path), "
            "the path as text"
        )


@contextmanager
def named(act: str, what: str, path: Any) -> Iterator[None]:
    """The library's own errors with the file that they are about."""
    try:
        yield
    except importlib.import_module("safetensors").SafetensorError as error:
        raise GradientError(
            f"{act}: {os.fspath(path)} {what} ({error}); give another path"
        ) from error


def library(act: str) -> Any:
    """The library that writes and reads the files."""
    try:
        return importlib.import_module("safetensors.numpy")
    except ImportError as error:
        raise GradientError(
            f"{act}: the library safetensors is not installed; `pip install qiudao[io]` brings it"
        ) from error


def described(tree: Any, path: str, arrays: dict[str, Array], dtypes: dict[str, str]) -> Any:
    """The structure of a tree as JSON has it; its arrays are put into `arrays` by path."""
    if isinstance(tree, Mapping):
        items = []
        for key, value in tree.items():
            if type(key) not in (str, int):
                raise TreeError(
                    f"save: {path or 'the tree'} has the key {key!r}, and keys must be text or "
                    "whole numbers; rename it"
                )
            items.append([key, described(value, below(path, key), arrays, dtypes)])
        return {"dict": items}
    if type(tree) in (list, tuple):
        kind = type(tree).__name__
        return {kind: [described(x, below(path, k), arrays, dtypes) for k, x in enumerate(tree)]}
    if type(tree) in PLAIN:
        return {"value": tree}
    if not isinstance(tree, Tracer | np.ndarray | np.generic):
        raise TreeError(
            f"save: {path or 'the tree'} is a {type(tree).__name__}, and files keep dicts, lists, "
            "tuples, arrays, numbers and text; save the state_dict() of a model or optimiser"
        )
    name = path or "value"
    if name in arrays:
        raise TreeError(
            f"save: two arrays have the path {name}, for one key holds the dot of another's path; "
            "rename it"
        )
    arrays[name] = stored(tree, name, dtypes)
    return {"array": name}


def below(path: str, key: str | int) -> str:
    """The path of an entry."""
    return f"{path}.{key}" if path else str(key)


def stored(x: Any, name: str, dtypes: dict[str, str]) -> Array:
    """An array as the file keeps it: dtypes that the format has not are kept as their bytes."""
    check_class(x)
    value = np.asarray(x.detach().numpy() if isinstance(x, Tensor) else x)
    if value.dtype.hasobject:
        raise DtypeError(
            f"save: {name} is an array of Python objects, which a file cannot keep; convert it to "
            "numbers or text"
        )
    # A shape of () holds; np.ascontiguousarray would make it (1,).
    value = np.array(value, value.dtype, order="C")
    if value.dtype.str[1:] in NATIVE and value.dtype.isnative:
        return value
    added = value.dtype.type.__module__ == ML_DTYPES
    dtypes[name] = value.dtype.name if added else value.dtype.str
    if value.dtype.kind == "V" and not added:
        raise DtypeError(
            f"save: {name} has dtype {value.dtype}, and files keep plain numbers, dates and text; "
            "save its fields one by one"
        )
    return np.frombuffer(value.tobytes(), np.uint8).reshape(*value.shape, value.dtype.itemsize)


def restored(x: Array, name: str) -> Array:
    """An array from its bytes and the name of its dtype."""
    try:
        dtype = np.dtype(name)
    except TypeError:  # importing the library makes its dtypes known
        dtype = np.dtype(getattr(importlib.import_module(ML_DTYPES), name))
    return np.frombuffer(x.tobytes(), dtype).reshape(x.shape[:-1]).copy()


def rebuilt(structure: Any, arrays: Mapping[str, Array]) -> Any:
    """The tree of a structure."""
    ((kind, content),) = structure.items()
    if kind == "dict":
        return {key: rebuilt(value, arrays) for key, value in content}
    if kind == "array":
        return arrays[content]
    if kind == "value":
        return content
    entries = [rebuilt(value, arrays) for value in content]
    return entries if kind == "list" else tuple(entries)
