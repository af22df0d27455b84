"""What the Python array API standard asks of an array, for every tracer.

https://data-apis.org/array-api: the namespace of an array's functions, its device, and DLPack.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import DtypeError

CPU = "cpu"
LATER = "qiudao.numpy"  # the namespace, which stands above all that it is made from

VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")


class StandardMethods:
    """The methods of the array standard that NumPy's users do not know."""

    __slots__ = ()

    if TYPE_CHECKING:  # what the tracer beside it has

        def concrete(self) -> Any: ...
        def refuse(self, act: str, instead: str) -> Any: ...

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """The functions for this array, `qiudao.numpy`.  Raises `ValueError` for a version of
        the standard that it does not follow.
        """
        if api_version is not None and api_version not in VERSIONS:
            raise ValueError(
                f"__array_namespace__: version {api_version!r} of the array standard is not one "
                f"that qiudao follows; ask for one of {', '.join(VERSIONS)}"
            )
        return importlib.import_module(LATER)

    @property
    def device(self) -> str:
        """Where the values are: `"cpu"`."""
        return CPU

    def to_device(self, device: str, /, *, stream: Any = None) -> Any:
        """This array on the CPU, where it is."""
        check_device(device)
        if stream is not None:
            raise ValueError("to_device: the CPU has no streams; leave stream=None")
        return self

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: Any = None,
        copy: bool | None = None,
    ) -> Any:
        """The values for another library, as a copy: some write into what they are told is
        read-only, and a graph may have kept these values.  With `copy=False` they are shared,
        read-only.  A gradient must be cut first.
        """
        self.refuse("__dlpack__", "hand over x.detach(), or use qd.interop to pass gradients on")
        array = np.asarray(self.concrete())
        says_read_only = max_version is not None and max_version[0] >= 1
        if copy is not False:
            array = array.copy()
        elif says_read_only:
            array = array.view()
            array.flags.writeable = False
        else:
            raise BufferError(
                "__dlpack__: this tensor's memory must not be written to, which only DLPack 1.0 "
                "can say; ask for max_version=(1, 0) or leave copy=False out"
            )
        options = {"max_version": max_version, "dl_device": dl_device} if says_read_only else {}
        return array.__dlpack__(stream=stream, **options)

    def __dlpack_device__(self) -> tuple[int, int]:
        """DLPack's number for the CPU."""
        return (1, 0)


def check_device(device: Any) -> None:
    """Refuse any device but the CPU."""
    if device is not None and device != CPU:
        raise DtypeError(
            f"device: {device!r} is none that qiudao computes on; leave it out, or give {CPU!r}"
        )
