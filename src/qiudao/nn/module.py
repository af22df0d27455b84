"""Module: a model as a tree of its attributes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ..core.avals import describe
from ..core.dispatch import Tracer
from ..core.errors import RuleError, TreeError
from ..core.trees import map_tree, register
from ..eager.making import tensor
from ..tape.tensor import Tensor
from .parts import Composite, Part, Role, Step, first_role, parts_of, put, put_together, take_apart
from .state import load, saved


class Module(Composite):
    """A model, or a layer of one: a class with attributes and a `__call__`.

    There is nothing to register.  A tensor among the attributes, or in lists, tuples and dicts
    there, is a parameter; a float array that is an attribute itself is a buffer, which is saved but
    not trained; modules may hold modules.  All else is a setting.

    A model serves both manners of working:

    - on the tape: `loss.backward()` fills `p.grad` for each of `model.parameters()`;
    - in transforms, as a pytree of its parameters and buffers: `qd.grad(loss)(model, x)` gives a
      model of gradients, `qd.vmap` maps over stacked models (`qd.nn.stack`), `qd.jit` takes models
      and returns them.  What a transformed function changes in a model it changes in a copy, so it
      returns the model if that is wanted.  `model.arrays()` has arrays for parameters, so that the
      tape does not record what a transform differentiates anyway.

    `training` says how layers such as dropout behave; `train()` and `eval()` set it everywhere.

    >>> class Line(qd.nn.Module):
    ...     def __init__(self):
    ...         self.slope = qd.nn.parameter(2.0)
    ...         self.offset = qd.nn.parameter(0.0)
    ...
    ...     def __call__(self, x):
    ...         return self.slope * x + self.offset
    >>> line = Line()
    >>> line(np.array([1.0, 3.0])).sum().backward()
    >>> [float(p.grad) for p in line.parameters()]
    [4.0, 2.0]
    >>> qd.grad(lambda line, x: line(x))(line.arrays(), 5.0)
    Line(slope: f64[], offset: f64[])
    """

    training: bool = True
    settings: ClassVar[tuple[str, ...]] = ()  # the attributes that `repr` shows

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        register(cls, take_apart, functools.partial(put_together, cls), Step)

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__.pop("_made", None)
        role = first_role(value)
        known = self._roles.get(name) if role is not None else None
        if role is None or known is None or is_new_parameter(value):
            kept = {k: r for k, r in self._roles.items() if k.partition(".")[0] != name}
            self.__dict__["_roles"] = kept if role is None else {**kept, name: role}
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        self.__dict__.pop("_made", None)
        object.__delattr__(self, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the model computes."""
        raise RuleError(
            f"nn: {type(self).__name__} does not say what it computes; give the class a __call__"
        )

    # Walking the tree

    def children(self) -> list[Module]:
        """The modules that are attributes of this one, or in containers there."""
        return [part.value for part in parts_of(self) if part.role == "module"]

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all below it, with dotted paths; the path of this one is `prefix`."""
        yield prefix, self
        for part in parts_of(self):
            if part.role == "module":
                yield from part.value.named_modules(dotted(prefix, part.name))

    def modules(self) -> list[Module]:
        """This module and all below it."""
        return [module for _, module in self.named_modules()]

    def named_parts(self, role: Role, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """The parameters or the buffers with dotted paths; one that is shared comes once."""
        seen: set[int] = set()
        for path, module in self.named_modules(prefix):
            for part in parts_of(module):
                if part.role == role and id(part.value) not in seen:
                    seen.add(id(part.value))
                    yield dotted(path, part.name), part.value

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """(path, parameter) for each parameter, as in `("layers.0.weight", ...)`."""
        return self.named_parts("parameter", prefix)

    def parameters(self) -> list[Any]:
        """What is trained; a tensor that several layers share comes once."""
        return [value for _, value in self.named_parameters()]

    def named_buffers(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """(path, buffer) for each buffer."""
        return self.named_parts("buffer", prefix)

    def buffers(self) -> list[Any]:
        """The arrays that are saved with the model and not trained."""
        return [value for _, value in self.named_buffers()]

    def count_parameters(self) -> int:
        """How many numbers are trained."""
        return sum(int(np.size(p)) for p in self.parameters())

    # Modes

    def train(self, mode: bool = True) -> Self:
        """Set `training` here and in all modules below."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set `training` to False here and in all modules below."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget the gradients collected so far."""
        for p in self.parameters():
            if isinstance(p, Tensor):
                p.zero_grad()

    def requires_grad_(self, wanted: bool = True) -> Self:
        """Start or stop recording on every parameter: False freezes the model.

        Parameters that are arrays become tensors.
        """
        for module in self.modules():
            for part in parts_of(module):
                if part.role != "parameter":
                    continue
                if isinstance(part.value, Tensor):
                    part.value.requires_grad_(wanted)
                else:
                    put(module, part.name, tensor(part.value, requires_grad=wanted))
        return self

    # Copies

    def arrays(self) -> Self:
        """A copy whose parameters are arrays: for the transforms, beside which no tape is wanted.

        >>> qd.nn.Linear(2, 1, rng=0).arrays().bias
        array([-0.64916147])
        """
        return self.mapped(lambda x: np.array(x.detach().numpy()) if is_tensor(x) else np.array(x))

    def tensors(self) -> Self:
        """A copy whose parameters are tensors that require grad: the way back from `arrays`."""
        return self.arrays().requires_grad_()

    def astype(self, dtype: Any) -> Self:
        """A copy with parameters and buffers of another float dtype."""

        def converted(x: Any) -> Any:
            if is_tensor(x):
                return tensor(x.detach(), dtype, requires_grad=x.requires_grad)
            return x.astype(dtype)

        return self.mapped(converted)

    def mapped(self, function: Callable[[Any], Any]) -> Self:
        """A copy with `function` applied to each parameter and buffer; one that is shared stays
        shared.
        """
        done: dict[int, Any] = {}

        def once(x: Any) -> Any:
            if id(x) not in done:
                done[id(x)] = function(x)
            return done[id(x)]

        made: Self = map_tree(once, self)
        return made

    # Saving

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """A copy of each parameter and buffer, by its dotted path.

        >>> {name: x.shape for name, x in qd.nn.Linear(3, 2, rng=0).state_dict().items()}
        {'weight': (2, 3), 'bias': (2,)}
        """
        return saved(self)

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """Take over the values of a `state_dict`, in this model's dtypes.

        Raises `TreeError` for missing and for unexpected names (unless `strict` is False) and
        `ShapeError` for shapes that differ, and then has changed nothing.
        """
        load(self, state, strict)

    def __repr__(self) -> str:
        shown = [f"{name}={getattr(self, name)!r}" for name in self.settings]
        parts = parts_of(self)
        shown += [shown_part(part) for part in parts]
        if not any(part.role == "module" for part in parts):
            return f"{type(self).__name__}({', '.join(shown)})"
        lines = ",\n".join(shown).replace("\n", "\n    ")
        return f"{type(self).__name__}(\n    {lines},\n)"


def is_tensor(x: Any) -> bool:
    """Whether a value is a tensor, which may have a gradient to be cut."""
    return isinstance(x, Tensor)


def is_new_parameter(value: Any) -> bool:
    """Whether a value was made to be trained, whatever was in its place before."""
    return isinstance(value, Tensor) and value.requires_grad and value.is_leaf


def dotted(prefix: str, name: str) -> str:
    """A path below a path."""
    return f"{prefix}.{name}" if prefix else name


def shown_part(part: Part) -> str:
    """A part for `repr`: its shape, or a whole module."""
    value = part.value
    if isinstance(value, np.ndarray | np.generic | Tracer):
        return f"{part.name}: {describe(value.shape, value.dtype)}"
    return f"{part.name}: {value!r}"


def parameter(data: Any, dtype: Any = None) -> Tensor:
    """A tensor to be trained: a copy of `data` that requires grad.

    >>> qd.nn.parameter([1.0, 2.0])
    tensor([1., 2.], requires_grad=True)
    """
    return tensor(data, dtype, requires_grad=True)


def stack(models: Any) -> Any:
    """Models of one structure as one, each array with a leading axis: an ensemble for `qd.vmap`.

    The result has arrays for parameters; `tensors()` makes it a model for the tape.

    >>> models = [qd.nn.Linear(2, 1, rng=seed) for seed in range(3)]
    >>> ensemble = qd.nn.stack(models)
    >>> ensemble
    Linear(inputs=2, outputs=1, weight: f64[3, 1, 2], bias: f64[3, 1])
    >>> qd.vmap(lambda model, x: model(x), in_axes=(0, None))(ensemble, np.ones(2)).shape
    (3, 1)
    """
    if not isinstance(models, list | tuple) or not all(isinstance(m, Module) for m in models):
        raise TreeError("stack: what is given is no list of modules; give stack([model, ...])")
    if not models:
        raise TreeError("stack: there are no models; give one at least")
    return map_tree(lambda *xs: np.stack(xs), *(model.arrays() for model in models))


def tree_map(function: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """`function` applied to each array of a model, and to those of `rest` in the same places.

    >>> model = qd.nn.Linear(2, 1, rng=0).arrays()
    >>> gradient = qd.grad(lambda model, x: np.sum(model(x)))(model, np.ones(2))
    >>> moved = qd.nn.tree_map(lambda p, g: p - 0.1 * g, model, gradient)
    >>> moved.bias - model.bias
    array([-0.1])
    """
    return map_tree(function, tree, *rest)
