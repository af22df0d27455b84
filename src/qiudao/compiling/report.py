"""What becomes of a traced program: each pass, the native code, the memory, what NumPy computes."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from ..core.program import Program, show
from .donating import pairs
from .executable import Executable, Segment, prepared


class Lowered:
    """The stages of a compilation; printed, it is the summary."""

    def __init__(self, program: Program, donated: Sequence[int] = ()) -> None:
        self.donated = donated  # inputs whose memory is given away
        self.program = program  # as traced
        self.passes: list[tuple[str, Program]] = []  # the program after each pass
        self.optimised = prepared(program, lambda name, made: self.passes.append((name, made)))

    @functools.cached_property
    def executable(self) -> Executable:
        """The compiled program."""
        return Executable(self.optimised)

    @property
    def fallbacks(self) -> list[str]:
        """The equations that NumPy computes, with their lines and the reasons."""
        return list(map(str, self.executable.fallbacks))

    @property
    def in_place(self) -> dict[int, int]:
        """The results that are written into donated inputs: result to input, by number."""
        return pairs(self.executable, self.donated)

    @property
    def llvm(self) -> str:
        """The text of the native code, as it is given to LLVM."""
        built = (s.built for s in self.executable.steps if isinstance(s, Segment))
        whole = self.executable.whole
        return "\n".join(b.module for b in ((whole,) if whole is not None else built))

    @property
    def arena(self) -> int:
        """Bytes of temporaries of a call."""
        built = [s.built for s in self.executable.steps if isinstance(s, Segment)]
        whole = self.executable.whole
        return max(
            (b.interface.arena for b in ((whole,) if whole is not None else built)), default=0
        )

    def __str__(self) -> str:
        counts = ", ".join(f"{name} {len(made.equations)}" for name, made in self.passes)
        fallbacks = self.fallbacks or ["nothing"]
        segments = sum(isinstance(s, Segment) for s in self.executable.steps) or 1
        places = ", ".join(f"result {j} in input {k}" for j, k in self.in_place.items())
        donated = [f"donated inputs: {places or 'none is used'}"] if self.donated else []
        return "\n".join(
            [
                show(self.optimised, lines=True),
                f"equations: traced {len(self.program.equations)}, {counts}",
                f"native segments: {segments}, temporaries: {self.arena} bytes",
                f"left to NumPy: {'; '.join(fallbacks)}",
                *donated,
            ]
        )
