"""What came back from a submission's run, and in a few words how it went."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from segtutor.exercises.running import Outcome
from segtutor.grading.room import Limits


@dataclass
class Run:
    """What came back.

    Attributes:
        outcomes: Of each exercise's cases, public ones first.
        failed: Numbers of cells that raised an error.
        slow: Numbers of cells that took too long.
        ended: Numbers of cells in which the process ended.
        borrowed: Exercises whose answer asked for the course's own.
        lent: How often cells called the course's answer to an exercise, behind a task that was open.
        fixed: Exercises whose values count as they were when the course's own were handed out.
        given_up: Whether the time of the whole notebook was over.
        trouble: What else went wrong.
    """

    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)
    slow: set[int] = field(default_factory=set)
    ended: set[int] = field(default_factory=set)
    borrowed: set[str] = field(default_factory=set)
    lent: Counter[str] = field(default_factory=Counter)
    fixed: set[str] = field(default_factory=set)
    given_up: bool = False
    trouble: str = ""

    def note(self, limits: Limits) -> str:
        """The run in a few words; empty if nothing was remarkable."""
        parts = [
            f"{_cells(self.failed)} failed" if self.failed else "",
            f"{_cells(self.slow)} took longer than {limits.seconds_per_cell:g} seconds" if self.slow else "",
            f"{_cells(self.ended)} ended the process" if self.ended else "",
            f"given up after {limits.seconds:g} seconds" if self.given_up else "",
            f"{', '.join(sorted(self.fixed))} as it was when `use` lent the course's values" if self.fixed else "",
            self.trouble,
        ]
        return "; ".join(part for part in parts if part)


def _cells(numbers: set[int]) -> str:
    return "1 cell" if len(numbers) == 1 else f"{len(numbers)} cells"
