"""Results written into the arrays of donated arguments."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from ..codegen.build import Built, build
from ..codegen.sharing import may_share
from ..core.avals import Aval
from .compiled import Compiled, loops_of
from .executable import Executable


class Donations:
    """What becomes of the donated arrays of a compiled function, by their numbers."""

    def __init__(self, compiled: Compiled, donated: Sequence[int]) -> None:
        self.compiled = compiled
        self.donated = donated

    @functools.cached_property
    def built(self) -> Built | None:
        """The code that writes into donated arrays; None where it can write into none.

        A call that may have to be done again, with masks or with more room for the steps of a loop,
        must find its arguments as they were.
        """
        again = any(w.capacity for w in loops_of(self.compiled.program))
        if self.compiled.selects or again:
            return None
        executable = self.compiled.executable
        shared = pairs(executable, self.donated)
        return build(executable.program, shared=shared) if shared else None

    def __call__(self, arrays: Sequence[Any]) -> tuple[Any, ...] | None:
        """The results, some of them in these arrays; None where that cannot be."""
        return None if self.built is None else self.built.in_place(arrays)


def pairs(executable: Executable, donated: Sequence[int]) -> dict[int, int]:
    """The results that lie in donated inputs: each input has the first that fits and that may."""
    if executable.whole is None:
        return {}
    program, found = executable.program, dict[int, int]()
    for k in donated:
        type_ = Aval(program.avals[k].shape, program.avals[k].dtype)
        for j, result in enumerate(program.results):
            fits = type_.shape and Aval(result.shape, result.dtype) == type_ and j not in found
            if fits and may_share(program, k, j):
                found[j] = k
                break
    return found
