"""What `qd.why` answers: findings, each a sentence with its place and what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ...core.source import Line
from ..labels import line_of


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say about the gradient of one value.

    `kind` is "healthy", "unused", "cut", "zero", "cancelled", "nan", "inf", "small", "large",
    "partly zero" or "partly cut"; `sentence` says what it is and `cure` what to do (empty where
    nothing is); `line` is the user's line that it comes from, where there is one.
    """

    value: str
    kind: str
    sentence: str
    cure: str = ""
    line: Line | None = None

    @property
    def is_healthy(self) -> bool:
        """Whether nothing is wrong here; one that is zero or cut in places is not wrong."""
        return self.kind in ("healthy", "partly zero", "partly cut")

    def __str__(self) -> str:
        text = "" if self.line is None or not self.line.text else f": {self.line.text}"
        place = "" if self.line is None else f" ({line_of(self.line)}{text})"
        cure = f"\n    {self.cure}" if self.cure else ""
        return f"{self.value}: {self.sentence}{place}{cure}"


class Answer:
    """The findings about the gradients of some values; printed, a few lines for each."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with any of them."""
        return all(f.is_healthy for f in self.findings)

    def of(self, value: str) -> list[Finding]:
        """The findings about the value of this name."""
        return [f for f in self.findings if f.value == value]

    def json(self) -> list[dict[str, Any]]:
        """Plain data: a dict for each finding, with the fields of `Finding`."""
        return [
            {**asdict(f), "line": None if f.line is None else f.line._asdict()}
            for f in self.findings
        ]

    def __repr__(self) -> str:
        return "\n".join(map(str, self.findings)) or "there are no inputs to ask about"
