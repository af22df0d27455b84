"""What all optimisers of the tape share: parameter groups, their state, and stepping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from ..core.errors import GradientError, ShapeError
from ..tape.modes import enable_grad
from ..tape.tensor import Tensor
from .formulas import Moved
from .options import checked
from .packs import ALONE, Pack, State

__all__ = ["Optimizer"]

Group = dict[str, Any]
Closure = Callable[[], Any]


class Optimizer:
    """Base of the optimisers: moves leaves along the gradients that `backward` left in `.grad`.

    `params` is an iterable of leaves, of (name, leaf) pairs, or of dicts, each a group with a list
    under `params` and options of its own.  A subclass has a formula (see `formulas.py`) and its
    defaults; `step` applies it.  The values that a recorded graph holds are never overwritten.
    """

    formula: ClassVar[Callable[..., Moved]]
    buffers: ClassVar[Callable[..., tuple[str, ...]]]

    def __init__(self, params: Iterable[Any], defaults: Mapping[str, Any]) -> None:
        self.defaults = dict(defaults)
        self.param_groups: list[Group] = []
        self._states: dict[int, State] = {}  # by the parameter's identity
        self._packs: list[tuple[list[int], list[Pack]]] = []
        if isinstance(params, Mapping) or not isinstance(params, Iterable):
            raise GradientError(
                f"{self.name}: the parameters are {type(params).__name__}; pass a list of them, "
                "such as model.parameters(), or a list of groups"
            )
        given: list[Any] = [params] if isinstance(params, Tensor) else list(params)
        if not given:
            raise GradientError(
                f"{self.name}: there are no parameters to move; pass model.parameters()"
            )
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    @property
    def name(self) -> str:
        """The optimiser, as messages call it."""
        return type(self).__name__

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Move more parameters, with options of their own where `group` has them."""
        if not isinstance(group, Mapping):
            raise GradientError(
                f"{self.name}: a group is a {type(group).__name__}; give a dict with a list of its "
                "parameters under 'params'"
            )
        if "params" not in group:
            raise GradientError(
                f"{self.name}: a group has {', '.join(map(repr, group)) or 'nothing'} and no "
                "'params'; give it a list of its parameters under that name"
            )
        listed = group["params"]
        if not isinstance(listed, Iterable):
            raise GradientError(
                f"{self.name}: 'params' of a group is a {type(listed).__name__}; give a list"
            )
        listed = [listed] if isinstance(listed, Tensor) else list(listed)
        params = [x[1] if isinstance(x, tuple) else x for x in listed]
        known = {id(p) for each in self.param_groups for p in each["params"]}
        for p in params:
            if not isinstance(p, Tensor) or not p.is_leaf:
                what = "a computed tensor" if isinstance(p, Tensor) else f"a {type(p).__name__}"
                raise GradientError(
                    f"{self.name}: a parameter is {what}, and only leaves can be moved; make it "
                    "with qd.tensor(x, requires_grad=True)"
                )
            if id(p) in known:
                raise GradientError(
                    f"{self.name}: a parameter of shape {p.shape} is listed twice, and would be "
                    "moved twice a step; list each once"
                )
            known.add(id(p))
        made = {**self.defaults, **group, "params": params}
        checked(self.name, made)
        if callable(made["lr"]):
            raise GradientError(
                f"{self.name}: lr is a function, and the optimisers of the tape take a number; "
                "give one, and step a scheduler of qd.optim.lr_scheduler"
            )
        self.param_groups.append(made)
        self._packs.append(([], []))

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                p.zero_grad(set_to_none)

    def step(self, closure: Closure | None = None) -> Any:
        """Move each parameter that has a gradient.

        A `closure` is called first, recording; it should zero the gradients, compute the loss, call
        `backward` and return the loss, which is the result.
        """
        loss = None
        if closure is not None:
            self.check_closure(closure)
            with enable_grad():
                loss = closure()
        formula = type(self).formula
        for k, group in enumerate(self.param_groups):
            options = {name: group[name] for name in self.defaults}
            options["lr"] = float(options["lr"])
            slopes = {id(p): g.value for p in group["params"] if (g := p.grad) is not None}
            for pack in self.packs(k, slopes):
                t = pack.states[0]["step"] + 1
                pack.step(formula, [slopes[id(p)] for p in pack.params], t, options)
        return loss

    def check_closure(self, closure: Any) -> None:
        """Refuse what is no function."""
        if not callable(closure):
            raise GradientError(
                f"{self.name}: step() was given a {type(closure).__name__}, and takes a function "
                "that computes the loss and calls backward, or nothing"
            )

    def packs(self, k: int, slopes: Mapping[int, Any]) -> list[Pack]:
        """The parameters of a group that have gradients, by those that move together."""
        key = list(slopes)
        known, packs = self._packs[k]
        if key != known:
            group = self.param_groups[k]
            buffers = type(self).buffers(group)
            together: dict[Any, list[Tensor]] = {}
            for p in group["params"]:
                if id(p) in slopes:
                    state = self._states.setdefault(id(p), {"step": 0})
                    for name in buffers:
                        state.setdefault(name, np.zeros(p.shape, p.dtype))
                    kind = (p.dtype, state["step"], id(p) if p.size >= ALONE else 0)
                    together.setdefault(kind, []).append(p)
            packs = [
                Pack(params, [self._states[id(p)] for p in params], buffers)
                for params in together.values()
            ]
            self._packs[k] = (key, packs)
        return packs

    @property
    def state(self) -> list[State]:
        """What is remembered of each parameter, in the order of the groups."""
        return [self._states.get(id(p), {}) for g in self.param_groups for p in g["params"]]

    def state_dict(self) -> dict[str, Any]:
        """A copy of the state and of the groups' options, laid out as torch does.

        `{"state": {0: {"step": ...}, ...}, "param_groups": [{"lr": ..., "params": [0, ...]}]}`;
        parameters are numbered in the order of the groups.  `qd.save` writes it to a file.
        """
        groups, count = [], 0
        for group in self.param_groups:
            size = len(group["params"])
            groups.append({**group, "params": list(range(count, count + size))})
            count += size
        return {
            "state": {k: copied(s) for k, s in enumerate(self.state) if s},
            "param_groups": groups,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave, of this optimiser or one of the same parameters."""
        try:
            groups, saved_states = state_dict["param_groups"], state_dict["state"].items()
            sizes = [len(g["params"]) for g in groups]
        except (AttributeError, KeyError, TypeError) as error:
            raise GradientError(
                f"load_state_dict: the state is not that of an optimiser ({error!r}); give what "
                "state_dict() gave"
            ) from error
        own = [len(g["params"]) for g in self.param_groups]
        if sizes != own:
            raise GradientError(
                f"load_state_dict: the state is of groups of {sizes} parameters, and this "
                f"optimiser has groups of {own}; make it with the same parameters first"
            )
        params = [p for g in self.param_groups for p in g["params"]]
        states: dict[int, State] = {}
        for k, saved in saved_states:
            if str(k) not in map(str, range(len(params))):
                raise GradientError(
                    f"load_state_dict: the state has a parameter {k!r}, and this optimiser "
                    f"{len(params)} of them; load the state of the same network"
                )
            p = params[int(k)]
            for name, value in saved.items():
                if name != "step" and value is not None and np.shape(value) != p.shape:
                    raise ShapeError(
                        f"load_state_dict: {name} of parameter {k} has shape {np.shape(value)}, "
                        f"and the parameter {p.shape}; load the state of the same network"
                    )
            found: State = {
                name: int(value) if name == "step" else np.asarray(value).astype(p.dtype)
                for name, value in saved.items()
                if value is not None
            }
            states[id(p)] = {"step": 1, **found}  # torch's SGD does not count
        for group, saved in zip(self.param_groups, groups):
            group.update({name: value for name, value in saved.items() if name != "params"})
        self._states = states
        self._packs = [([], []) for _ in self.param_groups]

    # Copied and pickled, what is remembered goes by the order of the parameters: the copies are
    # other objects.

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_states": [copied(s) for s in self.state], "_packs": []}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        vars(self).update(kept)
        params = [p for g in self.param_groups for p in g["params"]]
        self._states = {id(p): s for p, s in zip(params, kept["_states"], strict=True) if s}
        self._packs = [([], []) for _ in self.param_groups]

    def __repr__(self) -> str:
        shown = [
            "\n".join(f"    {k}: {v}" for k, v in sorted(group.items()) if k != "params")
            for group in self.param_groups
        ]
        listed = "\n".join(f"  group {k}\n{text}" for k, text in enumerate(shown))
        return f"{self.name}(\n{listed}\n)"


def copied(state: State) -> State:
    """A state of its own, and not views of what the next step writes."""
    return {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in state.items()}
