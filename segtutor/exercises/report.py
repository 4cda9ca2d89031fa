"""What a check answers, as text and as HTML, and how an answer gets before the learner's eyes."""

from __future__ import annotations

import html
import re
import sys
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from segtutor.exercises.markup import as_html, as_text

State = Literal["passed", "not yet", "empty", "unknown", "broken"]
HEADLINES = {
    "passed": "\u2713 passed",
    "not yet": "not yet",
    "empty": "still empty",
    "unknown": "no such exercise",
    "broken": "the check itself failed",
}
LABELS = {True: ("What went wrong", "How to repair it"), False: ("Worth a look", "One step further")}
"""How the two hints of a check are called: where a mistake was recognized, and where none was."""
COLORS = {"passed": "#2a9d5c", "not yet": "#d1651b", "empty": "#7a7a7a", "unknown": "#7a7a7a", "broken": "#7a7a7a"}


class Displayed:
    """What `shown` displays at once, and what a cell that ends with it does not display a second time."""

    def _repr_html_(self) -> str:
        raise NotImplementedError

    def _ipython_display_(self) -> None:
        """Show it, unless `shown` did so in this very cell: its last line would show it again."""
        if _already_shown.get(id(self)) != _cell_number():
            _display(self)


Shown = TypeVar("Shown", bound=Displayed)


@dataclass(frozen=True)
class Report(Displayed):
    """Result of a check; true if the answer passed.

    Attributes:
        exercise: Id and title, "1.1 IoU of two masks".
        state: "passed", "not yet", "empty" (a stub), "unknown" (no such exercise), "broken" (a fault of the course).
        passed_cases: Cases that came out right.
        cases: All cases.
        message: What went wrong, in a sentence.
        details: Pairs of a word and a text about the failing case: its name, input, got, wanted, printed.
        hint: Name of the hint, as the exercise declares it; empty if there is none.
        hints: The hints shown, as the exercise declares them.
        named: Whether the hints name a mistake that was recognized; else they only say where to look.
    """

    exercise: str
    state: State
    passed_cases: int = 0
    cases: int = 0
    message: str = ""
    details: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    hints: tuple[str, ...] = ()
    named: bool = False

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
        lines.extend(f"  {label}: {as_text(hint)}" for label, hint in zip(LABELS[self.named], self.hints, strict=False))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cell = "style='text-align:left;vertical-align:top;padding:1px 10px 1px 0'"
        plain = "margin:0;white-space:pre-wrap;background:none"  # JupyterLab stripes rows, and its <pre> is opaque
        rows = "".join(
            f"<tr style='background:none'><td {cell}>{html.escape(word)}</td>"
            f"<td {cell}><pre style='{plain}'>{html.escape(text)}</pre></td></tr>"
            for word, text in self.details
        )
        table = f"<table style='margin:4px 0'><tbody>{rows}</tbody></table>" if rows else ""
        message = html.escape(self.message)
        message = re.sub(r", (line \d+): (.+)$", r"<br>\1: <code>\2</code>", message)  # the line that raised an error
        message = f"<div>{message}</div>" if message else ""
        hints = "".join(
            f"<div><b>{label}:</b> {as_html(hint)}</div>"
            for label, hint in zip(LABELS[self.named], self.hints, strict=False)
        )
        return (
            f"<div style='border-left:4px solid {COLORS[self.state]};padding:4px 12px'>"
            f"<b>{html.escape(self.headline)}</b>{message}{table}{hints}</div>"
        )


_already_shown: dict[int, int | None] = {}
"""Number of the cell in which an answer was shown, by its identity; only the present cell's are kept."""


def shown(answer: Shown) -> Shown:
    """Show an answer at once, wherever in a cell the call stands, and give it back.

    A notebook displays it; a script prints it. An interactive Python without IPython echoes what comes back by itself.
    """
    if _shell() is not None:
        _already_shown.clear()
        _already_shown[id(answer)] = _cell_number()
        _display(answer)
    elif not hasattr(sys, "ps1"):
        print(answer)
    return answer


def _shell() -> Any:
    """IPython's shell if the code runs in one; IPython itself is never imported here."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _cell_number() -> int | None:
    shell = _shell()
    return None if shell is None else shell.execution_count


def _display(answer: Displayed) -> None:
    from IPython.display import display

    display({"text/plain": repr(answer), "text/html": answer._repr_html_()}, raw=True)
