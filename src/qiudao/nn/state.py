"""What is saved of a model, and how it is put back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import ShapeError, TreeError
from ..tape.modes import no_grad
from ..tape.tensor import Tensor
from .parts import parts_of, put


def places(module: Any) -> Iterator[tuple[str, Any, str, Any]]:
    """(path, module, name in it, value) of all that is saved, shared tensors each time."""
    for path, each in module.named_modules():
        for part in parts_of(each):
            if part.role != "module":
                yield f"{path}.{part.name}" if path else part.name, each, part.name, part.value


def bare(x: Any) -> NDArray[Any]:
    """The value of a parameter or buffer."""
    return np.asarray(x.detach().numpy() if isinstance(x, Tensor) else x)


def saved(module: Any) -> dict[str, NDArray[Any]]:
    """A copy of each parameter and buffer, by its path."""
    return {path: np.array(bare(value)) for path, _, _, value in places(module)}


def load(module: Any, state: Mapping[str, Any], strict: bool) -> None:
    """Put saved values back; documented at `Module.load_state_dict`."""
    if not isinstance(state, Mapping):
        raise TreeError(
            f"load_state_dict: the state is a {type(state).__name__}; give a dict from paths to "
            "arrays, as state_dict() does"
        )
    found = {path: place for path, *place in places(module)}
    name = type(module).__name__
    missing = [path for path in found if path not in state]
    unexpected = [path for path in state if path not in found]
    if strict and (missing or unexpected):
        lacks = f"no {', '.join(missing)}" if missing else ""
        extra = f"{', '.join(unexpected)} that the model has not" if unexpected else ""
        both = " and ".join(filter(None, (lacks, extra)))
        raise TreeError(
            f"load_state_dict: the state for {name} has {both}; give a state of the same model, or "
            "strict=False to take what fits"
        )
    values = {path: np.asarray(bare(x)) for path, x in state.items() if path in found}
    for path, value in values.items():
        shape = np.shape(found[path][2])
        if value.shape != shape:
            raise ShapeError(
                f"load_state_dict: {path} has shape {value.shape} in the state and {shape} in "
                f"{name}; build the model with the sizes that were saved"
            )
    with no_grad():
        for path, value in values.items():
            owner, part, old = found[path]
            if isinstance(old, Tensor):
                old[...] = value
            else:
                put(owner, part, np.array(value, old.dtype))
