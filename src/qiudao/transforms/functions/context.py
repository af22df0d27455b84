"""What a `qd.Function` hands from its forward rule to its derivative rules: `ctx`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...core.dispatch import Tracer
from ...core.trees import flatten
from ..results import apart


class Context:
    """The first argument of `forward`, `backward` and `jvp`.

    Anything may be set on it as an attribute.  Arrays belong in `save_for_backward`; arrays that
    are attributes are followed by second derivatives all the same.
    """

    needs_input_grad: tuple[bool, ...]

    def __init__(self, needs: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs
        self._saved: tuple[Any, ...] = ()
        self._saved_ahead: tuple[Any, ...] | None = None
        self._dirty: list[Any] = []
        self._constant: list[Any] = []
        self._materialize = True
        self._ahead = False

    def save_for_backward(self, *values: Any) -> None:
        """Keep these (arrays, tensors, or trees of them) for `backward`: `ctx.saved_tensors`."""
        self._saved = values

    def save_for_forward(self, *values: Any) -> None:
        """Keep these for `jvp`; without it `jvp` finds what `save_for_backward` kept."""
        self._saved_ahead = values

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What was saved.

        In a sweep that is itself recorded (`create_graph=True`) inputs and outputs among it are
        tensors with their place in the graph, so that second derivatives see them.
        """
        if self._ahead and self._saved_ahead is not None:
            return self._saved_ahead
        return self._saved

    def saved_tensor(self) -> tuple[Any, ...]:
        """Paddle's spelling of `saved_tensors`."""
        return self.saved_tensors

    def mark_not_inplace(self, *inputs: Any) -> None:
        """Paddle's, without effect: a result never shares memory with an input."""

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Say that these results are constants; their cotangents are zero."""
        self._constant.extend(outputs)

    def mark_dirty(self, *inputs: Any) -> None:
        """Say that these inputs were written to and are returned: the caller's change too."""
        self._dirty.extend(inputs)

    def set_materialize_grads(self, value: bool) -> None:
        """Whether missing cotangents and tangents arrive as zeros (the default) or as None."""
        self._materialize = bool(value)

    # For the call that this belongs to

    def kept(self) -> list[Any]:
        """Every array, or number of NumPy's, that was saved or set as an attribute."""
        leaves, _ = flatten(
            [*self._saved, *(self._saved_ahead or ()), *self._attributes().values()]
        )
        return [x for x in leaves if isinstance(x, Tracer | np.ndarray | np.generic)]

    def _attributes(self) -> dict[str, Any]:
        hidden = "needs_input_grad"
        return {k: v for k, v in vars(self).items() if k[0] != "_" and k != hidden}

    def moved(self, instead: Mapping[int, Any]) -> Context:
        """This with other values in place of some, which are known by their `id`."""

        def swap(x: Any) -> Any:
            return instead.get(id(x), x)

        made = Context(self.needs_input_grad)
        made.__dict__.update(mapped(swap, self._attributes()))
        made._saved = tuple(mapped(swap, list(self._saved)))
        if self._saved_ahead is not None:
            made._saved_ahead = tuple(mapped(swap, list(self._saved_ahead)))
        made._materialize = self._materialize
        return made

    def asking(self, needs: tuple[bool, ...], *, ahead: bool = False) -> Context:
        """This for one call of a derivative rule, which may ask for fewer gradients.

        The rule may write into the arrays that it finds: a later call has its own.
        """
        made = copy.copy(self)
        made.__dict__.update((k, apart(x)) for k, x in self._attributes().items())
        made._saved = tuple(mapped(apart, list(self._saved)))
        if self._saved_ahead is not None:
            made._saved_ahead = tuple(mapped(apart, list(self._saved_ahead)))
        made.needs_input_grad = needs
        made._ahead = ahead
        return made


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """`function` applied to each leaf of a tree, whatever it is."""
    leaves, structure = flatten(tree)
    return structure.build([function(x) for x in leaves])
