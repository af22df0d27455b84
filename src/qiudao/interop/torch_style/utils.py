"""`torch.utils.checkpoint`."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import qiudao as qd


def _checkpoint(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """`function(*args, **kwargs)`, keeping only the arguments for the backward sweep."""
    kwargs.pop("use_reentrant", None)  # both of torch's ways are one here
    return qd.checkpoint(function)(*args, **kwargs)


checkpoint = SimpleNamespace(checkpoint=_checkpoint)
