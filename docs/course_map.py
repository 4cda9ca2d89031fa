"""The map of the course: what builds on what, drawn from the lessons' own "what to know before".

The drawing is SVG inside the page, so that its boxes are links, its words are text, and its colors the page's.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

import overview
import teaching

ROOT = Path(__file__).resolve().parents[1]
LANES = {"00b": -1.0, "07": 1.0, "05": -1.0, "11": 1.0}
"""Where a box stands beside the middle; all others stand in it."""
WIDE, HIGH, ROW, LANE = 218, 46, 74, 246


def short() -> dict[str, str]:
    """What README and start page call each lesson, by its number."""
    start = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    return dict(found["name"].split(" ", 1) for found in overview.ROW.finditer(start))


def stems() -> dict[str, str]:
    """The name of each lesson's notebook, by its number."""
    paths = sorted((ROOT / "notebooks" / "source").glob("[0-9]*.py"))
    return {path.stem.split("_")[0]: path.stem for path in paths}


def before() -> dict[str, set[str]]:
    """For each lesson the lessons that its header asks for."""
    found = {}
    for number, stem in stems().items():
        front = teaching.front_matter((ROOT / "notebooks" / "source" / f"{stem}.py").read_text(encoding="utf-8"))
        asked = re.findall(r"\((\d\d[a-z]?)_\w+\.ipynb\)", " ".join(front["prerequisites"]))
        found[number] = set(asked)
    return found


def direct(asked: dict[str, set[str]]) -> dict[str, set[str]]:
    """The same without what follows: who needs 4, which needs 3, needs 3.

    >>> direct({"1": set(), "3": {"1"}, "4": {"1", "3"}})["4"]
    {'3'}
    """

    def all_before(number: str) -> set[str]:
        return asked[number] | {far for one in asked[number] for far in all_before(one)}

    return {number: {one for one in near if not any(one in all_before(other) for other in near)}
            for number, near in asked.items()}  # fmt: skip


def levels(asked: dict[str, set[str]]) -> dict[str, int]:
    """How many lessons lie before each, at most.

    >>> levels({"0": set(), "1": {"0"}, "5": {"0", "1"}})
    {'0': 0, '1': 1, '5': 2}
    """

    def level(number: str) -> int:
        return max((1 + level(one) for one in asked[number]), default=0)

    return {number: level(number) for number in asked}


def drawing() -> str:
    """The map as SVG."""
    asked = before()
    rows, known, names, titles = levels(asked), teaching.lessons(), stems(), short()
    width, height = 3 * LANE, (max(rows.values()) + 1) * ROW

    def corner(number: str) -> tuple[float, float]:
        return width / 2 + LANES.get(number, 0.0) * LANE - WIDE / 2, rows[number] * ROW + 8

    lines = []
    for number, near in direct(asked).items():
        for one in sorted(near):
            (x0, y0), (x1, y1) = corner(one), corner(number)
            x0, y0, x1 = x0 + WIDE / 2, y0 + HIGH, x1 + WIDE / 2
            lines.append(
                f'<path d="{path(x0, y0, x1, y1)}"/><polygon class="head" '
                f'points="{x1 - 5:.0f},{y1 - 8:.0f} {x1 + 5:.0f},{y1 - 8:.0f} {x1:.0f},{y1:.0f}"/>'
            )
    boxes = []
    for number, stem in names.items():
        x, y = corner(number)
        said = f"{spoken(number)} {titles[number]}"
        boxes.append(
            f'<a href="notebooks/{stem}.html"><rect x="{x:.0f}" y="{y:.0f}" width="{WIDE}" height="{HIGH}" rx="8"/>'
            f'<text x="{x + WIDE / 2:.0f}" y="{y + HIGH / 2 - 3:.0f}">{html.escape(said)}</text>'
            f'<text class="small" x="{x + WIDE / 2:.0f}" y="{y + HIGH / 2 + 15:.0f}">{known[number].minutes} minutes'
            "</text></a>"
        )
    return (
        f'<div class="course-map" tabindex="0" role="group" aria-label="Map of the course">'
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'xmlns="http://www.w3.org/2000/svg"><g class="edges">{"".join(lines)}</g>{"".join(boxes)}</svg></div>'
    )


def path(x0: float, y0: float, x1: float, y1: float) -> str:
    """The way from below a box to above another: down, and to the side only in the gap before the other's row.

    >>> path(100, 54, 100, 82)
    'M100 54 V76'
    >>> path(100, 54, 346, 156)
    'M100 54 V131 Q100 138 107 138 H339 Q346 138 346 145 V150'
    """
    if x0 == x1:
        return f"M{x0:.0f} {y0:.0f} V{y1 - 6:.0f}"
    gap, turn = y1 - 18, 7 if x1 > x0 else -7
    return (f"M{x0:.0f} {y0:.0f} V{gap - 7:.0f} Q{x0:.0f} {gap:.0f} {x0 + turn:.0f} {gap:.0f} "
            f"H{x1 - turn:.0f} Q{x1:.0f} {gap:.0f} {x1:.0f} {gap + 7:.0f} V{y1 - 6:.0f}")  # fmt: skip


def table() -> str:
    """The same in words: each lesson with what it builds on and how long it takes."""
    known, names = teaching.lessons(), stems()
    lines = ["| lesson | builds on | minutes |", "|---|---|---:|"]
    for number, near in direct(before()).items():
        links = ", ".join(f"[{spoken(one)}](notebooks/{names[one]}.ipynb)" for one in sorted(near)) or " "
        link = f"[{spoken(number)} {known[number].title}](notebooks/{names[number]}.ipynb)"
        lines.append(f"| {link} | {links} | {known[number].minutes} |")
    return "\n".join(lines)


def spoken(number: str) -> str:
    """The number as a reader says it: "3", "0b"."""
    return number[1:] if number.startswith("0") else number
