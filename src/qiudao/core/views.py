"""Views: several names for one piece of memory, kept in step although a write makes a new value.

In NumPy `v = x[1:]` shares memory with `x`.  Values of ours never change, so a view remembers what
it views and how.  Writing into it rewrites the tracer at its root; reading it after the root has
moved on takes the view again.  Both walk the chain of views in a loop: a view of a view of a view
may be as deep as a program likes.

A tracer class has a slot `tied` for this, and a subclass for its views, with the same slots, whose
fields are those of the plain class seen through `follow`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .avals import Value
from .modes import modes, raised

if TYPE_CHECKING:
    from .primitive import Primitive


class Tie:
    """What a view follows.

    `base` is the tracer that was viewed and `how` the primitive that did it, `root` the end of
    that chain, and `seen` the state of the root that the view shows.  `recorded` is whether
    derivatives were on when the view was made.
    """

    __slots__ = ("base", "how", "recorded", "root", "seen")

    def __init__(self, base: Any, how: Primitive, root: Any, seen: Value, recorded: bool) -> None:
        self.base = base
        self.how = how
        self.root = root
        self.seen = seen
        self.recorded = recorded


class View:
    """Mixed into a tracer class to make the class of its views."""

    __slots__ = ()

    plain: ClassVar[type]  # the class of what is no view
    state: ClassVar[Callable[[Any], Value]]  # the field of a plain tracer that every write changes
    fields: ClassVar[tuple[str, ...]]  # the fields that follow the root

    if TYPE_CHECKING:
        tied: Tie

    def overwrite(self, new: Value) -> None:
        """Rewrite the root so that this view shows `new`."""
        view: Any = self
        while isinstance(view, View):
            tied = view.tied
            new = tied.how.write(tied.base, new)
            view = tied.base
        view.overwrite(new)

    def renewed(self, fresh: Any) -> None:
        """Show what `fresh`, the view taken again, shows."""
        for name in self.fields:
            setattr(self, name, getattr(fresh, name))

    def let_go(self) -> None:
        """Follow no more: from here on this is a tracer of its own."""
        self.__class__ = self.plain


def follow(slot: Any, state: Any) -> Any:
    """A field of a view: the `slot` of the plain class, renewed if the root has moved on.

    `state` is the slot of the plain class that every write changes.
    """
    get, state_of = slot.__get__, state.__get__

    def read(self: Any) -> Any:
        tied = self.tied
        if state_of(tied.root) is not tied.seen:
            renew(self)
        return get(self)

    return property(read, slot.__set__)


def renew(view: Any) -> None:
    """Take a view again, and first those that it is a view of."""
    root = view.tied.root
    state = view.state(root)
    stale = [view]
    while isinstance(base := stale[-1].tied.base, View) and base.tied.seen is not state:
        stale.append(base)
    floor = modes.floor
    try:
        for each in reversed(stale):
            tied = each.tied
            modes.floor = min(floor, root.level) if tied.recorded else float("inf")
            fresh = tied.how(tied.base)
            tied.seen = state
            each.renewed(fresh)
    finally:
        modes.floor = floor


def tie(result: Any, base: Any, how: Primitive, kind: type[View]) -> Any:
    """Make `result` a view of `base`, of the class `kind`, where NumPy's arrays share memory."""
    owner = getattr(result.underlying(), "base", None)
    if owner is None:
        return result
    whole = base.underlying()
    if owner is not whole and owner is not whole.base:
        return result  # a copy after all, as `reshape` makes of what lies in another order
    if not result.shape and gives_number(how, base):
        return result
    if isinstance(base, View):
        root, recorded = base.tied.root, base.tied.recorded
    else:
        root, recorded = base, True
    if raised.count:
        recorded = recorded and base.level >= modes.floor
    result.tied = Tie(base, how, root, kind.state(root), recorded)
    result.__class__ = kind
    return result


def gives_number(how: Primitive, base: Any) -> bool:
    """Whether NumPy makes a number of this operand, which shares no memory: `x[0]` of a vector.

    In a batch it is an array all the same.
    """
    return isinstance(how.evaluate(np.broadcast_to(base.dtype.type(0), base.shape)), np.generic)
