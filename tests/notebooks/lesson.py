"""A lesson as its tests read it: its words from the master, what its cells printed from the committed notebook."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat

from segtutor.claims import card, find, recorded

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def words_of(lesson: str) -> str:
    """Its prose and alt texts in one line, without comment signs, emphasis, and the marks of links."""
    (master,) = (NOTEBOOKS / "source").glob(f"{lesson}_*.py")
    lines = [re.sub(r"^# ?", "", line) for line in master.read_text(encoding="utf-8").splitlines() if line[:1] == "#"]
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(" ".join(lines).split()))
    return text.replace("**", "").replace("*", "")


def printed_by(lesson: str) -> str:
    """All that the committed run printed, and its cards and tables as plain text."""
    (notebook,) = NOTEBOOKS.glob(f"{lesson}_*.ipynb")
    said = []
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            said.append(output.get("text", ""))
            data = output.get("data", {})
            said.append(data.get("text/markdown", "") + re.sub(r"<[^>]+>", " ", data.get("text/html", "")))
    return "\n".join(said)


def mean(claim: str, variant: str, key: str = "mean_iou") -> float:
    """Of a recorded claim, in percent."""
    return 100 * recorded(find(claim)).mean_and_spread(variant, key)[0]


def seeds(claim: str, variant: str, key: str = "mean_iou") -> list[float]:
    """Of every seed, in percent."""
    return [100 * float(run[key]) for run in recorded(find(claim)).runs[variant]]


def verdicts(claim: str) -> dict[str, str]:
    """What was expected -> what came out."""
    return {expected: verdict for verdict, expected, _ in card(claim).verdicts()}
