"""Tensor: an array that records the operations applied to it.

One class serves the eager tape (level 0) and the reverse transforms (`vjp`, `grad`: a level of
their own).  A tensor is a handle: the value and its place in the graph (`node`).  Writing into it
moves the handle on to a new value; whoever read the old one keeps the old one.
"""

from __future__ import annotations

import operator
import sys
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from ..core.arriving import arrived, at_home, bare
from ..core.avals import Dtype, Shape, Value, describe, is_inexact
from ..core.complexes import check_real
from ..core.dispatch import (
    OneOperand,
    Tracer,
    TwoOperands,
    concrete,
    on_short_roads,
    overrides,
)
from ..core.errors import DtypeError, GradientError, ShapeError
from ..core.methods import ArrayMethods
from ..core.modes import TAPE, has_ended, modes, raised
from ..core.node import UNSET, Equation, Leaf, Node, next_number, place_of
from ..core.primitive import Primitive
from ..core.source import caller, users
from ..core.views import Tie, View, follow, tie
from ..ops.stopping import stop_gradient
from .cut import INFERENCE, Cut
from .hooks import Handle, add_hook
from .record import record

# The short roads of `fast.py`, by ufunc; filled by `operators.py`.
one_operand: OneOperand = {}
two_operands: TwoOperands = {}


def in_place(operation: Callable[[Any, Any], Any]) -> Any:
    """`x += v` and its kin: numbers within transforms are replaced, all else is written into."""

    def method(self: Tensor, other: Any) -> Any:
        if self.is_number():
            return at_users(operation(self, other), self, sys._getframe(1))
        self.refuse_leaf_write()
        return self._write_whole(at_users(operation(self, other), self, sys._getframe(1)))

    return method


def at_users(made: Any, old: Tensor, frame: FrameType) -> Any:
    """What an operator made for a method of ours, recorded or cut where the user called that."""
    if type(made) is Tensor:
        node = made.node
        if type(node) is Equation:
            if node is not old.node:
                node.code, node.offset = users(frame)
        elif made.cut is not None and made.cut is not old.cut:
            made.cut = Cut(made.cut.act, users(frame))
    return made


class Tensor(ArrayMethods, Tracer):
    """An array that records what is done to it.  Make one with `qd.tensor`."""

    __slots__ = ("__weakref__", "cut", "level", "node", "tied", "value", "version")

    value: Value
    node: Node | None
    level: float
    version: int
    cut: Cut | None
    tied: Tie  # set on views only
    backward: Callable[..., None]  # set by `backward.py`, which needs this class
    kept_from = "grad, vjp, jacrev or a tape inside a transform"
    instead_of_keeping = (
        "return it from the function (has_aux=True), or keep x.detach(), a constant"
    )

    @staticmethod
    def make(value: Value, node: Node | None, level: float, cut: Cut | None = None) -> Tensor:
        """A tensor from its parts."""
        made = Tensor()
        made.value = value
        made.node = node
        made.level = level
        made.version = 0
        made.cut = cut
        return made

    def spawn(self, value: Value, node: Node | None, cut: Cut | None) -> Tensor:
        """A result on the same level as this tensor."""
        return Tensor.make(value, node, self.level, cut)

    # As a tracer

    __array_ufunc__ = on_short_roads(one_operand, two_operands)

    def process(self, primitive: Primitive, xs: tuple[Value, ...]) -> Value:
        if len(xs) == 1:
            return apply_one(primitive, self)
        values, parents, like = self.apart(xs)
        return record(primitive, values, parents, primitive(*values), like)

    def apart(self, xs: tuple[Value, ...]) -> tuple[list[Value], list[Node | None], Tensor]:
        """Operands as values below this level and as nodes of it, and the tensor to be like."""
        level = self.level
        values: list[Value] = []
        parents: list[Node | None] = []
        like = self
        for x in xs:
            if isinstance(x, Tensor) and x.level == level:
                values.append(x.value)
                parents.append(x.node)
                if x.cut is not None:
                    like = x
            else:
                values.append(x.snapshot() if isinstance(x, Tracer) else x)
                parents.append(None)
        return values, parents, like

    def concrete(self) -> Any:
        return concrete(self.value)

    def constant(self, value: Value) -> Tensor:
        return self.spawn(value, None, None)

    def parts(self) -> tuple[Value, ...]:
        return (self.value,)

    def underlying(self) -> Value:
        value = self.value
        return value.underlying() if isinstance(value, Tracer) else value

    def unwrapped(self) -> Value:
        return self.value if self.node is None and not self.in_transform else self

    def if_constant(self) -> Value | None:
        return self.value if self.node is None else None

    def snapshot(self) -> Tensor:
        return Tensor.make(self.value, self.node, self.level, self.cut)

    @property
    def shape(self) -> Shape:
        shape: Shape = self.value.shape
        return shape

    @property
    def dtype(self) -> Dtype:
        dtype: Dtype = self.value.dtype
        return dtype

    @property
    def in_transform(self) -> bool:
        """Whether this belongs to a transform; a tape inside one stands halfway to the next."""
        return self.level > TAPE and self.level.is_integer()

    def carries(self, later: bool = True) -> bool:
        return self.node is not None or super().carries(later)

    def is_recorded(self) -> bool:
        return self.node is not None or super().is_recorded()

    def refuse(self, act: str, instead: str) -> Any:
        if self.node is not None:
            super().refuse(act, instead)
        if isinstance(self.value, Tracer):
            self.value.refuse(act, instead)

    # Flags and gradients

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    def requires_grad_(self, wanted: bool = True) -> Tensor:
        """Start or stop recording.  Stopping a computed tensor cuts the graph here."""
        if wanted and self.node is None:
            if not is_inexact(self.dtype):
                raise DtypeError(
                    f"requires_grad: a derivative needs a float or complex dtype, and this is "
                    f"{describe(self.shape, self.dtype)}; convert first, x.astype(float)"
                )
            self.let_go()
            self.node = Leaf(self.shape, self.dtype)
            self.cut = None
        elif not wanted and self.node is not None:
            self.let_go()
            self.cut = Cut("requires_grad was set to False", caller())
            self.node = None
        return self

    @property
    def stop_gradient(self) -> bool:
        """Paddle's name for the negation of `requires_grad`."""
        return self.node is None

    @stop_gradient.setter
    def stop_gradient(self, stop: bool) -> None:
        self.requires_grad_(not stop)

    @property
    def is_leaf(self) -> bool:
        """Whether this tensor was given rather than computed by a recorded operation."""
        return self.node is None or isinstance(self.node, Leaf)

    @property
    def grad_fn(self) -> Node | None:
        """The equation that computed this tensor, or None for a leaf."""
        return None if self.is_leaf else place_of(self.node)[0]

    @property
    def edge(self) -> Node | None:
        """The value's place in the graph, which stays when the handle moves on."""
        return self.node

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` summed here: of a leaf, or after `retain_grad()`."""
        node = self.node
        if node is None:
            return None
        if node.notes is not None and (node.notes.grad is not None or node.notes.retains):
            found: Tensor | None = node.notes.grad
            return found
        if not isinstance(node, Leaf):
            warnings.warn(
                "grad: this tensor was computed, and only leaves keep their gradient; "
                "call y.retain_grad() before the sweep",
                stacklevel=2,
            )
        return None

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if self.node is None:
            if value is None:
                return
            raise GradientError(
                "grad: only a tensor that requires grad holds a gradient; "
                "make it with qd.tensor(x, requires_grad=True)"
            )
        if value is not None and np.shape(value) != self.shape:
            raise ShapeError(
                f"grad: a gradient of shape {np.shape(value)} does not fit a tensor of shape "
                f"{self.shape}; both must be equal"
            )
        if value is not None:
            given = arrived(value)
            check_real("grad: what is set", given, self)
            if not isinstance(given, Tensor):
                value = Tensor.make(given.astype(self.dtype), None, self.level)
        self.node.noted().grad = value

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    @property
    def grad_dtype(self) -> Dtype:
        """The dtype in which `backward` sums gradients into `.grad`: this tensor's, unless set."""
        notes = None if self.node is None else self.node.notes
        if notes is None or notes.grad_dtype is UNSET:
            return self.dtype
        chosen: Dtype = notes.grad_dtype
        return chosen

    @grad_dtype.setter
    def grad_dtype(self, dtype: Any) -> None:
        if not isinstance(self.node, Leaf):
            raise GradientError(
                "grad_dtype: this tensor is no leaf that requires grad, and only those collect "
                "gradients; set it on the parameter"
            )
        chosen = self.dtype if dtype is None else np.dtype(dtype)
        if not is_inexact(chosen) or (self.dtype.kind == "c") != (chosen.kind == "c"):
            raise DtypeError(
                f"grad_dtype: a gradient of {describe(self.shape, self.dtype)} cannot be kept as "
                f"{chosen}; use a float dtype (for a complex tensor a complex one)"
            )
        self.node.noted().grad_dtype = chosen

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradient collected so far, or set it to zeros."""
        if self.grad is not None:
            zeros = at_home(np.zeros(self.shape, self.grad_dtype), self)
            zeros = Tensor.make(zeros, None, self.level)
            self.grad = None if set_to_none else zeros

    def clear_grad(self, set_to_zero: bool = True) -> None:
        """Paddle's spelling of `zero_grad`, with its default."""
        self.zero_grad(set_to_none=not set_to_zero)

    clear_gradient = clear_grad

    def retain_grad(self) -> None:
        """Have `backward` keep the gradient of this computed tensor in `.grad`."""
        if self.node is None:
            raise GradientError(
                "retain_grad: this tensor does not require grad, so it gets no gradient; "
                "call requires_grad_() before computing from it"
            )
        self.node.noted().retains = not self.is_leaf

    retain_grads = retain_grad

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on a computed tensor."""
        return self.node is not None and self.node.retains

    def register_hook(self, hook: Callable[[Any], Any]) -> Handle:
        """Call `hook(gradient)` when a sweep has this tensor's whole gradient; a returned value
        replaces it.  Hooks run in the order of registration.  Returns a handle with `remove()`.
        """
        return add_hook(self, hook, post=False)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Any], Any]) -> Handle:
        """Call `hook(tensor)` after `backward` has added to this leaf's `.grad`."""
        return add_hook(self, hook, post=True)

    def is_inference(self) -> bool:
        """Whether this was computed from recorded tensors within `qd.inference_mode()`."""
        return self.cut is not None and self.cut.act == INFERENCE

    # Leaving the graph

    def detach(self) -> Tensor:
        """The same value as a constant: no gradient flows through the result."""
        cut = self.cut if self.node is None and self.cut is not None else Cut("detach()", caller())
        return self.spawn(stop_gradient(self.value), None, cut)

    def detach_(self) -> Tensor:
        """Cut this very tensor from the graph."""
        self.let_go()
        self.cut = Cut("detach_()", caller())
        self.node = None
        return self

    def numpy(self) -> Any:
        """The value as a read-only NumPy array that shares memory; a gradient must be cut first."""
        self.refuse("numpy()", "write x.detach().numpy()")
        value: Any = self.concrete()
        if isinstance(value, Tracer):  # of another library, which refuses
            return value.numpy()  # type: ignore[attr-defined]
        shared = np.asarray(value).view()
        shared.flags.writeable = False
        return shared

    def array(self) -> Any:
        """The value as the array that it is: of NumPy, as `numpy()` gives it, or of the library
        whose array this tensor was made from.  A gradient must be cut first.

        >>> qd.tensor([1.0, 2.0]).array()
        array([1., 2.])
        """
        self.refuse("array()", "write x.detach().array()")
        value = self.concrete()
        return bare(value) if isinstance(value, Tracer) else self.numpy()

    def clone(self) -> Tensor:
        """A copy that stays in the graph."""
        copied: Tensor = overrides[np.copy](self)
        return copied

    @property
    def _version(self) -> int:
        """How many times this handle was written to."""
        return self.version

    inplace_version = _version

    def __copy__(self) -> Tensor:
        return self.snapshot()

    def __deepcopy__(self, memo: Any) -> Tensor:
        if self.level > TAPE:
            return self.clone()
        self._refuse_computed("deepcopy")
        copied = restored(np.copy(self.value)[()], self.requires_grad)
        notes = self.node.notes if self.node is not None else None
        if copied.node is not None and notes is not None:
            copied.node.noted().grad_dtype = notes.grad_dtype
            copied.grad = None if self.grad is None else self.grad.detach()
        return copied

    def __reduce__(self) -> Any:
        self._refuse_computed("pickle")
        return restored, (self.value, self.requires_grad)

    def _refuse_computed(self, act: str) -> None:
        if self.level > TAPE or not self.is_leaf:
            raise GradientError(
                f"{act}: only a leaf can be copied with its flags; use x.clone(), which stays "
                "in the graph, or x.detach()"
            )

    def __repr__(self) -> str:
        flag = ", requires_grad=True" if self.node is not None else ""
        value: Any = self.printed()
        if value is None:
            return f"tensor({self.value!r}{flag})"
        if isinstance(value, Tracer):
            return f"tensor({value.text()}{flag})"  # type: ignore[attr-defined]
        text = np.array2string(np.asarray(value), separator=", ", prefix="tensor(")
        return f"tensor({text}{flag})"

    # Writing

    def __setitem__(self, index: Any, value: Any) -> None:
        if self.level > TAPE and has_ended(self.level):
            self.come_back()
        super().__setitem__(index, value)

    def come_back(self) -> None:
        """Be an array of the outer transform again, if it was one before an inner one wrote."""
        value = self.value
        while isinstance(value, Tensor) and has_ended(value.level):
            value = value.value
        if isinstance(value, Tensor):
            self.value, self.node, self.level = value.value, value.node, value.level

    def overwrite(self, new: Value) -> None:
        self.refuse_leaf_write()
        if isinstance(new, Tensor) and new.level > self.level:
            self.level = new.level  # written to by an inner gradient: moves on into it
        new = self.same_level(new)
        if self.level >= modes.floor:
            move_on(self.node, new.node)
            self.node = new.node
        self.value = new.value
        self.cut = new.cut
        self.version += 1

    def let_go(self) -> None:
        """Be a tensor of its own, and no view."""

    def refuse_leaf_write(self) -> None:
        """A leaf of the eager tape would lose its place in the graph, and its `.grad`."""
        if isinstance(self.node, Leaf) and self.level >= modes.floor and not self.in_transform:
            raise GradientError(
                f"setitem: this {describe(self.shape, self.dtype)} is a leaf that requires grad, "
                "and a recorded write would lose it; write under qd.no_grad() to update a "
                "parameter, or into a copy, y = np.copy(x)"
            )

    def _write_whole(self, new: Value) -> Tensor:
        """The end of `x += v`: NumPy's in-place rule keeps shape and dtype."""
        if np.shape(new) != self.shape:
            raise ShapeError(
                f"in-place operation: the result has shape {np.shape(new)} and does not fit the "
                f"target of shape {self.shape}; write x = x + v instead of x += v"
            )
        if new.dtype != self.dtype:
            if not np.can_cast(new.dtype, self.dtype, "same_kind"):
                raise DtypeError(
                    f"in-place operation: a {new.dtype} result cannot be kept in a {self.dtype} "
                    "tensor; write x = x + v instead of x += v"
                )
            new = new.astype(self.dtype)
        self.overwrite(new)
        return self

    __iadd__ = in_place(operator.add)
    __isub__ = in_place(operator.sub)
    __imul__ = in_place(operator.mul)
    __itruediv__ = in_place(operator.truediv)
    __ipow__ = in_place(operator.pow)

    def __imatmul__(self, other: Any) -> Tensor:
        self.refuse_leaf_write()
        return self._write_whole(at_users(self @ other, self, sys._getframe(1)))


def move_on(old: Node | None, new: Node | None) -> None:
    """Have the new value retain its gradient if the old one did, of a name that is written into."""
    if old is not None and new is not None and old.retains:
        old.noted().retains = False
        new.noted().retains = True


def off_tapes(y: Any, level: float) -> Any:
    """A value of a transform of this level, taken off the tapes that stand above it."""
    while isinstance(y, Tensor) and y.level > level:
        y = y.value
    return y


def restored(value: Any, requires_grad: bool) -> Tensor:
    """A leaf made from what `pickle` kept of one."""
    node = Leaf(value.shape, value.dtype) if requires_grad else None
    return Tensor.make(value, node, TAPE)


_slots = vars(Tensor)  # the descriptors, which a class attribute of that name would hide


class TensorView(View, Tensor):
    """A tensor whose NumPy value would share memory with another's."""

    __slots__ = ()

    plain = Tensor
    state = _slots["value"].__get__
    fields = ("value", "node", "level", "cut")

    value = follow(_slots["value"], _slots["value"])
    node = follow(_slots["node"], _slots["value"])
    level = follow(_slots["level"], _slots["value"])
    cut = follow(_slots["cut"], _slots["value"])

    @property
    def version(self) -> int:  # type: ignore[override]
        version: int = self.tied.root.version
        return version

    def renewed(self, fresh: Any) -> None:
        move_on(self.node, fresh.node)
        super().renewed(fresh)

    def come_back(self) -> None:
        self.tied.root.come_back()

    def refuse_leaf_write(self) -> None:
        self.tied.root.refuse_leaf_write()

    def overwrite(self, new: Value) -> None:
        unseen = not self.tied.recorded and self.level >= modes.floor
        if unseen and any(isinstance(t, Tensor) and t.node for t in (new, self.tied.root)):
            raise GradientError(
                "setitem: this view was made under qd.no_grad(), so it would not show the gradient "
                "of what is written through it; make the view outside of that block"
            )
        super().overwrite(new)


def apply_one(primitive: Primitive, x: Tensor) -> Value:
    """`process` for a primitive of one operand, which most are: without the lists."""
    value = x.value
    out = primitive(value) if isinstance(value, Tracer) else primitive.evaluate(value)
    node = x.node
    is_off = raised.count and x.level < modes.floor
    if node is None or is_off or primitive.is_constant or isinstance(out, tuple):
        result = record(primitive, (value,), (node,), out, x)
    else:
        result = Tensor()
        result.value = out
        result.level = x.level
        result.version = 0
        result.cut = None
        result.node = made = Equation()
        made.number = next_number()
        made.shape = out.shape
        made.dtype = out.dtype
        made.notes = None
        made.primitive = primitive
        made.parents = parents = (node,)
        made.operands = primitive.keep((value,), parents)
        made.out = out if primitive.keeps_out else None
        made.code, made.offset = users(sys._getframe(3))  # beyond `process` and the primitive
    return tie(result, x, primitive, TensorView) if primitive.is_view else result
