"""What the tape keeps for the backward sweep, in a form of the user's choosing."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.arriving import lasting
from ..core.avals import Dtype, Shape, Value, describe
from ..core.errors import GradientError
from ..core.modes import TAPE, modes
from ..core.node import Equation, Held, Packed
from .hooks import check_callable
from .tensor import Tensor
from .watching import Watcher

NARROWER = {"d": np.float32, "D": np.complex64}


class saved_tensors_hooks(Watcher):
    """Within, every array that the tape keeps is kept as `pack(tensor)`, and `unpack` gives it back
    in the sweep, as an array or tensor of the same shape and dtype (else `GradientError`).

    The innermost of nested blocks packs.  Works for the tape and for `qd.grad(f)` alike.

    >>> with qd.graph.saved_tensors_hooks(lambda x: x.numpy().tolist(), np.array):
    ...     x = qd.tensor([1.0, 2.0], requires_grad=True)
    ...     y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 4.])
    """

    def __init__(self, pack: Callable[[Tensor], Any], unpack: Callable[[Any], Any]) -> None:
        check_callable("saved_tensors_hooks", pack, "a tensor")
        check_callable("saved_tensors_hooks", unpack, "what the first one returned")
        self.pack = pack
        self.unpack = unpack

    def __enter__(self) -> Any:
        for watcher in modes.watchers:
            if isinstance(watcher, disable_saved_tensors_hooks):
                raise GradientError(f"saved_tensors_hooks: {watcher.message}")
        return super().__enter__()

    def made(self, node: Equation) -> None:
        inner = [w for w in modes.watchers if isinstance(w, saved_tensors_hooks)][-1]
        if inner is self:
            pack_node(node, self.pack, self.unpack)


class disable_saved_tensors_hooks(Watcher):
    """Within, `saved_tensors_hooks` raises `GradientError` with this message."""

    def __init__(self, message: str) -> None:
        self.message = message


def pack_node(node: Equation, pack: Callable[[Tensor], Any], unpack: Callable[[Any], Any]) -> None:
    """Keep the arrays of an equation packed."""

    def packed(x: Value) -> Any:
        if type(x) is tuple:
            return tuple(map(packed, x))
        if not isinstance(x, np.ndarray | np.generic):
            return x
        shape, dtype = x.shape, x.dtype

        def unpacked(kept: Any, node: Equation) -> Value:
            return checked(unpack(kept), shape, dtype, node)

        return Held(pack(Tensor.make(x, None, TAPE)), unpacked)

    made = Packed(map(packed, node.operands))  # type: ignore[arg-type]
    made.out = packed(node.out)
    node.operands, node.out = made, None


def checked(answer: Any, shape: Shape, dtype: Dtype, node: Equation) -> Value:
    """What the user's `unpack` returned, which must be like what was packed."""
    value = answer.value if isinstance(answer, Tensor) else lasting(answer)
    if np.shape(value) != shape or value.dtype != dtype:
        raise GradientError(
            f"saved_tensors_hooks: unpack returned {describe(value.shape, value.dtype)} for the "
            f"{describe(shape, dtype)} that {node.primitive.name} at {node.line} kept; return what "
            "pack was given"
        )
    return value


class save_in_float32(saved_tensors_hooks):
    """Within, the tape keeps double precision in single precision: half the memory, and gradients
    good to about 7 digits.

    >>> with qd.graph.save_in_float32():
    ...     x = qd.tensor([1.0, 2.0], requires_grad=True)
    ...     y = (x * x).sum()
    """

    def __init__(self) -> None:
        super().__init__(narrowed, lambda kept: kept[0].astype(kept[1]))


def narrowed(x: Tensor) -> tuple[Value, Any]:
    """An array in single precision, and the dtype to go back to."""
    return x.value.astype(NARROWER.get(x.dtype.char, x.dtype)), x.dtype


class save_on_disk(saved_tensors_hooks):
    """Within, the tape keeps arrays of `least` bytes and more in files in `folder` (the system's
    folder for temporary files), which go away with the graph.

    >>> with qd.graph.save_on_disk(least=8):
    ...     x = qd.tensor([1.0, 2.0], requires_grad=True)
    ...     y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 4.])
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, least: int = 1 << 16) -> None:
        super().__init__(
            lambda x: File(x.value, folder) if x.value.nbytes >= least else x.value,
            lambda kept: kept.read() if isinstance(kept, File) else kept,
        )


class File:
    """An array in a file of its own."""

    __slots__ = ("__weakref__", "path")

    def __init__(self, array: Value, folder: Any) -> None:
        handle, self.path = tempfile.mkstemp(suffix=".npy", prefix="qiudao-", dir=folder)
        weakref.finalize(self, os.unlink, self.path)
        with os.fdopen(handle, "wb") as file:
            np.save(file, array)

    def read(self) -> Value:
        """The array again."""
        return np.load(self.path)[()]


class node_creation_hook(Watcher):
    """Within, `hook(node)` is called for every operation that this thread records, when its node is
    complete: to count it, to put notes into `node.metadata`, or to register hooks on it.

    >>> names = []
    >>> x = qd.tensor(2.0, requires_grad=True)
    >>> with qd.graph.node_creation_hook(lambda node: names.append(node.name())):
    ...     y = np.sin(x) * x
    >>> names
    ['sin', 'multiply']
    """

    def __init__(self, hook: Callable[[Equation], Any]) -> None:
        check_callable("node_creation_hook", hook, "a node")
        self.hook = hook

    def made(self, node: Equation) -> None:
        self.hook(node)
