"""The notebooks of this repository are what their masters give."""

from __future__ import annotations

from pathlib import Path

from notebooks.tools.check import check
from notebooks.tools.masters import Course


def test_the_committed_notebooks_are_in_order():
    findings = check(Course(Path(__file__).parents[2]))
    assert not findings, "\n".join(findings)
