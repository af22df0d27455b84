"""`torch.utils.checkpoint`."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import qiudao as qd

from ...core.errors import GradientError

UNUSED = ("use_reentrant", "preserve_rng_state", "determinism_check", "debug", "early_stop")


def _checkpoint(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """`function(*args, **kwargs)`, keeping only the arguments for the backward sweep.

    torch's own options change nothing: both of its ways are one here, and the two runs must give
    the same results, which is looked to.  What is to be kept all the same is chosen by
    `qd.checkpoint(f, save=...)`, and not by a `context_fn`, which raises `GradientError`.
    """
    for option in UNUSED:
        kwargs.pop(option, None)
    if "context_fn" in kwargs:
        raise GradientError(
            "checkpoint: there are no contexts of its two runs, and context_fn= gives some; choose "
            "what is kept with qd.checkpoint(f, save=...)"
        )
    return qd.checkpoint(function)(*args, **kwargs)


checkpoint = SimpleNamespace(checkpoint=_checkpoint)
