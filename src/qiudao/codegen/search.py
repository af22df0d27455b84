"""The search for an index that is out of bounds, once a loop nest has met one: what is reported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.avals import aval_of
from ..core.program import Atom
from .code import Buffer, Code
from .element import Lane
from .kernels.indexing import within
from .maps import Access, Pick, identity
from .nest import Nest
from .plan import Root


class Search(Nest):
    """Looks at all elements of the index array of a pick, and reports the first bad one."""

    def __init__(self, code: Code, pick: Pick, held: Callable[[Atom], Any]) -> None:
        array: Any = pick.atom
        root = Root(array, "region", aval_of(array).shape)
        root.source, root.to = array, identity(root.space)
        super().__init__(code, [root], held, lambda _: None)
        self.pick = pick

    def meets(self) -> bool:
        """All steps report to one place."""
        return True

    def store_access(self, root: Root) -> Access | None:
        """Something is done with each element."""
        return Access(0, (0,) * len(self.space))

    def put(self, root: Root, value: Lane, buffer: Buffer | None, found: Access) -> None:
        """Report an element that is no index."""
        given = self.scalars.register(self.scalars.cast(value, np.dtype(np.int64)))
        within(self.code, given, self.pick.size, self.pick.axis)
