"""A sweep inside another: in a tensor's hook, or in the backward of a `PyLayer`.

paddle keeps the state of `paddle.grad` once for the process, so a second one inside the first ends
it.  `backward` keeps none, and gives the same gradients to whoever listens; what it adds to the
`.grad` of leaves on its way is taken out again.
"""

from __future__ import annotations

import contextlib
import gc
import inspect
import sys
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

import paddle
from paddle import Tensor

from ...core.errors import GradientError
from .places import LEAF, node_of, place, walk

_CODE = inspect.unwrap(paddle.grad).__code__


def is_sweeping() -> bool:
    """Whether a `paddle.grad` has been entered and not left, in any thread."""
    return any(
        any(f.f_code is _CODE for f in outwards(top)) for top in sys._current_frames().values()
    )


def outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame and those that called it."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def swept_inside(
    starts: list[Tensor],
    wanted: list[Tensor],
    seeds: list[Tensor],
    create_graph: bool,
    constants: Sequence[Tensor],
) -> list[Tensor | None]:
    """The sweep by `backward`, which may run while a `paddle.grad` does."""
    if create_graph:
        raise GradientError(
            "grad: a paddle.grad is running already, and inside it paddle cannot record another "
            "sweep, create_graph=True; start the outer one with backward(), or differentiate "
            "after it"
        )
    leaves = {n: node for n, node in walk([node_of(y) for y in starts]) if node.name() == LEAF}
    known = [x for x in [*wanted, *constants, *parameters()] if x.is_leaf and not x.stop_gradient]
    strange = leaves.keys() - {node_of(x).node_ptr() for x in known}
    if strange:
        raise GradientError(
            f"grad: a paddle.grad is running already, and the sweep inside it would add to the "
            f".grad of {len(strange)} leaves that are neither inputs nor parameters; name all "
            "leaves as inputs, or start the outer sweep with backward()"
        )
    found: dict[Any, Tensor] = {}

    def listen(x: Tensor) -> Any:
        return x.register_hook(lambda ct: found.__setitem__(place(x), ct.detach().clone()))

    handles = [x.register_hook(paddle.zeros_like) for x in constants if not x.stop_gradient]
    handles += [listen(x) for x in wanted]
    try:
        with kept_grads(known):
            paddle.autograd.backward(starts, seeds, retain_graph=True)
    finally:
        for handle in handles:
            handle.remove()
    return [found.get(place(x)) for x in wanted]


def parameters() -> list[Tensor]:
    """Every parameter that is alive."""
    return [x for x in gc.get_objects() if isinstance(x, Tensor)]


@contextlib.contextmanager
def kept_grads(tensors: Sequence[Tensor]) -> Iterator[None]:
    """Within it `.grad` of these leaves may be added to; afterwards it is what it was."""
    kept = {
        place(x): (x, None if x.grad is None else x.grad.numpy().copy())
        for x in tensors
        if x.is_leaf and not x.stop_gradient
    }
    try:
        yield
    finally:
        for x, before in kept.values():
            if before is None:
                x.clear_gradient(False)
            else:
                x.grad.set_value(before)  # written into the tensor that others may hold
