"""What becomes of a traced program: each pass, the native code, the memory, what NumPy computes."""

from __future__ import annotations

import functools

from ..core.program import Program, show
from .executable import Executable, Segment, prepared


class Lowered:
    """The stages of a compilation; printed, it is the summary."""

    def __init__(self, program: Program) -> None:
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
        return max((b.arena for b in ((whole,) if whole is not None else built)), default=0)

    def __str__(self) -> str:
        counts = ", ".join(f"{name} {len(made.equations)}" for name, made in self.passes)
        fallbacks = self.fallbacks or ["nothing"]
        segments = sum(isinstance(s, Segment) for s in self.executable.steps) or 1
        return "\n".join(
            [
                show(self.optimised, lines=True),
                f"equations: traced {len(self.program.equations)}, {counts}",
                f"native segments: {segments}, temporaries: {self.arena} bytes",
                f"left to NumPy: {'; '.join(fallbacks)}",
            ]
        )
