"""What a check answers, as text and as HTML."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Literal

State = Literal["passed", "not yet", "empty", "unknown", "broken"]
HEADLINES = {
    "passed": "\u2713 passed",
    "not yet": "not yet",
    "empty": "still empty",
    "unknown": "no such exercise",
    "broken": "the check itself failed",
}
COLORS = {"passed": "#2a9d5c", "not yet": "#d1651b", "empty": "#7a7a7a", "unknown": "#7a7a7a", "broken": "#7a7a7a"}


@dataclass(frozen=True)
class Report:
    """Result of a check; true if the answer passed.

    Attributes:
        exercise: Id and title, "1.1 IoU of two masks".
        state: "passed", "not yet", "empty" (a stub), "unknown" (no such exercise), "broken" (a fault of the course).
        passed_cases: Cases that came out right.
        cases: All cases.
        message: What went wrong, in a sentence.
        details: Pairs of a word and a text about the failing case: its name, input, got, wanted, printed.
        hint: Name of the hint, as the exercise declares it; empty if there is none.
        hints: The hints shown.
    """

    exercise: str
    state: State
    passed_cases: int = 0
    cases: int = 0
    message: str = ""
    details: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    hints: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.state == "passed"

    @property
    def headline(self) -> str:
        """The exercise, its state and its score in one line."""
        score = f" ({self.passed_cases} of {self.cases} cases)" if self.cases and self.state != "empty" else ""
        return f"{self.exercise}: {HEADLINES[self.state]}{score}"

    def __repr__(self) -> str:
        lines = [self.headline]
        if self.message:
            lines.append(f"  {self.message}")
        width = max((len(word) for word, _ in self.details), default=0) + 2
        for word, text in self.details:
            block = text.split("\n")
            lines.append(f"  {word + ':':<{width}}{block[0]}")
            lines.extend(" " * (width + 2) + line for line in block[1:])
        lines.extend(f"  Hint {number}: {hint}" for number, hint in enumerate(self.hints, start=1))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cell = "style='text-align:left;vertical-align:top;padding:1px 10px 1px 0'"
        rows = "".join(
            f"<tr><td {cell}>{html.escape(word)}</td>"
            f"<td {cell}><pre style='margin:0;white-space:pre-wrap'>{html.escape(text)}</pre></td></tr>"
            for word, text in self.details
        )
        table = f"<table style='margin:4px 0'><tbody>{rows}</tbody></table>" if rows else ""
        message = f"<div>{html.escape(self.message)}</div>" if self.message else ""
        hints = "".join(
            f"<div><b>Hint {number}.</b> {html.escape(hint)}</div>" for number, hint in enumerate(self.hints, start=1)
        )
        return (
            f"<div style='border-left:4px solid {COLORS[self.state]};padding:4px 12px'>"
            f"<b>{html.escape(self.headline)}</b>{message}{table}{hints}</div>"
        )
