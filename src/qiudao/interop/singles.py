"""Tensors as the libraries make them whose floats are single precision."""

from typing import Any

import qiudao as qd


def tensor_of(data: Any, dtype: Any) -> qd.Tensor:
    """A tensor with a copy of `data`; numbers that are not NumPy's become float32 (complex64)."""
    made = qd.tensor(data, dtype)
    if dtype is None and not hasattr(data, "dtype") and made.dtype.kind in "fc":
        made = qd.tensor(data, "float32" if made.dtype.kind == "f" else "complex64")
    return made
