"""What a class could and could not: for each task the share that passed, and the mistakes by name, as one page."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from segtutor.exercises.catalog import find
from segtutor.exercises.markup import as_html
from segtutor.grading.conduct import Pair
from segtutor.grading.folder import Row
from segtutor.grading.submissions import LeftOut

MOST_PAIRS = 50
MOST_NAMES = 3
"""Of the mistakes that one hint is for."""
STYLE = """
:root { color-scheme: light dark; --ink: #222; --soft: #555; --paper: #fff; --line: #ddd; --frame: #888;
  --full: #0072b2; --part: #9ecae1 }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --soft: #b0b0b0; --paper: #16181c; --line: #3a3f47;
  --frame: #888; --full: #56b4e9; --part: #2c5f85 } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: var(--ink);
  background: var(--paper); overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line) }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td p { margin: 0 0 .4rem }
.narrow { display: none }
svg { vertical-align: middle }
.full { fill: var(--full) } .part { fill: var(--part) } .none { fill: none; stroke: var(--frame) }
pre { white-space: pre-wrap; border-left: 3px solid var(--line); padding-left: .8rem }
small { color: var(--soft) }
@media (max-width: 40rem) {
  table, tbody, tr, th, td, td.number { display: block; text-align: left; border: 0; padding: .1rem 0 }
  thead { display: none }
  tr { border-bottom: 1px solid var(--line); padding: .5rem 0 }
  .narrow { display: inline }
}
"""
NARROW = "<span class='narrow'> {}</span>"
"""What the head of a column says; on a telephone a table has no head."""


@dataclass(frozen=True)
class Task:
    """How a class did in one task.

    Attributes:
        exercise: Its id.
        title: Its title.
        handed_in: Submissions of its assignment.
        full: Those with all points.
        part: Those with some.
        empty: Those that left it empty.
        mistakes: Name of a typical mistake's hint, with the number of submissions that made it; most frequent first.
        other: Wrong answers that show no typical mistake.
    """

    exercise: str
    title: str
    handed_in: int
    full: int
    part: int
    empty: int
    mistakes: tuple[tuple[str, int], ...]
    other: int

    @property
    def sentences(self) -> list[tuple[str, str]]:
        """The mistakes in words: "9 of 40, like ...", and the hint that learners read."""
        exercise = find(self.exercise)
        found = []
        for hint, count in self.mistakes:
            if hint in exercise.hints:
                names = [one.name for one in exercise.mistakes if one.hint == hint][:MOST_NAMES]
                like = f", like {_either(names)}" if names else ""
                found.append((f"{count} of {self.handed_in}{like}", exercise.hints[hint].first))
        return found


def _either(names: Sequence[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    return " or ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))


def tasks_of(rows: Sequence[Row]) -> list[Task]:
    """Each task of the assignments that were handed in."""
    found = []
    by_task: dict[str, list[tuple[Row, int]]] = {}
    for row in rows:
        for number, one in enumerate(row.grades):
            if not one.exercise[:1].isdigit():  # points that a person gave
                continue
            by_task.setdefault(one.exercise, []).append((row, number))
    for exercise_id in sorted(by_task, key=lambda one: [int(part) for part in one.split(".")]):
        grades = [row.grades[number] for row, number in by_task[exercise_id]]
        wrong = [one for one in grades if one.points < one.out_of]
        empty = sum("is missing or empty" in one.reason for one in wrong)
        mistakes = Counter(one.mistake for one in wrong if one.mistake)
        found.append(
            Task(
                exercise_id,
                find(exercise_id).title,
                len(grades),
                len(grades) - len(wrong),
                sum(one.points > 0 for one in wrong),
                empty,
                tuple(mistakes.most_common()),
                len(wrong) - empty - mistakes.total(),
            )
        )
    return found


def page(rows: Sequence[Row], left_out: Sequence[LeftOut], pairs: Sequence[Pair], in_force: str = "") -> str:
    """The report as one HTML page without anything from elsewhere.

    Args:
        rows: All that was graded.
        left_out: All that was not.
        pairs: Submissions that have much in common.
        in_force: How far submissions were kept apart, in words.
    """
    lines = "".join(
        f"<tr><th scope='row'>{_text(task.exercise)} {_text(task.title)}</th><td>{_bar(task)}</td>"
        f"<td class='number'>{task.full} of {task.handed_in}{NARROW.format('have all points')}</td>"
        f"<td>{_mistakes(task)}</td></tr>"
        for task in tasks_of(rows)
    )
    reached = sorted(row.points / row.out_of for row in rows if row.out_of)
    middle = f"; half of them have at least {100 * reached[len(reached) // 2]:.0f} % of the points" if reached else ""
    sections = [
        f"<p>{len(rows)} submissions{middle}.</p>",
        *([f"<p><small>Each ran with {_text(in_force)}.</small></p>"] if in_force else []),
        f"<p><small>{_swatch('full')} all points {_swatch('part')} some points {_swatch('none')} none. Under each "
        "mistake stands the hint that learners read.</small></p>",
        "<table><thead><tr><th>Task</th><th>Share</th><th class='number'>All points</th><th>What went wrong</th></tr>"
        "</thead>"
        f"<tbody>{lines}</tbody></table>",
    ]
    if pairs:
        alike = "".join(
            f"<tr><td>{_text(pair.one)}</td><td>{_text(pair.other)}</td><td>{_text(', '.join(pair.exercises))}</td>"
            f"<td class='number'>{100 * pair.share:.0f} %</td></tr>"
            for pair in pairs[:MOST_PAIRS]
        )
        more = f"<p>{len(pairs) - MOST_PAIRS} further pairs are left out.</p>" if len(pairs) > MOST_PAIRS else ""
        sections.append(
            "<h2>Much in common</h2><p>Longer answers whose structure is nearly the same, whatever names stand in "
            "them. No point depends on it: two people may have learned together, or from the same page.</p>"
            "<table><thead><tr><th>One</th><th>Other</th><th>Tasks</th><th>In common</th></tr></thead>"
            f"<tbody>{alike}</tbody></table>{more}"
        )
    if left_out:
        files = "".join(f"<tr><td>{_text(one.name)}</td><td>{_text(one.reason)}</td></tr>" for one in left_out)
        sections.append(f"<h2>Not graded</h2><table><tbody>{files}</tbody></table>")
    return document("How the class did", "".join(sections))


def document(title: str, body: str) -> str:
    """A page with the house's plain style."""
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{_text(title)}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{STYLE}</style></head>"
        f"<body><h1>{_text(title)}</h1>{body}</body></html>\n"
    )


def _bar(task: Task) -> str:
    """The share of submissions with all and with some points, as a bar."""
    width = 160
    full, part = (round(width * count / task.handed_in) if task.handed_in else 0 for count in (task.full, task.part))
    label = f"{task.full} of {task.handed_in} with all points, {task.part} with some"
    return (
        f"<svg role='img' aria-label='{label}' width='{width}' height='16'>"
        f"<rect width='{full}' height='16' class='full'/>"
        f"<rect x='{full}' width='{part}' height='16' class='part'/>"
        f"<rect x='.5' y='.5' width='{width - 1}' height='15' class='none'/></svg>"
    )


def _swatch(kind: str) -> str:
    return f"<svg aria-hidden='true' width='16' height='12'><rect width='16' height='12' class='{kind}'/></svg>"


def _mistakes(task: Task) -> str:
    parts = [f"{_text(what)}<br><small>{as_html(hint)}</small>" for what, hint in task.sentences]
    if task.other:
        parts.append(f"{task.other} of {task.handed_in}: something else")
    if task.empty:
        parts.append(f"{task.empty} of {task.handed_in}: left empty")
    return "".join(f"<p>{part}</p>" for part in parts)


def _text(text: str) -> str:
    return html.escape(text)
