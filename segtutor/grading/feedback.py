"""What one learner gets back: each task with its points, the first public case that fails, and a hint.

It shows nothing of the hidden cases, neither inputs nor results, and no wanted result of any case: learners see those
of the public cases where they belong, in the notebook.
"""

from __future__ import annotations

import hashlib
import html
import re

from segtutor.exercises.catalog import find
from segtutor.exercises.markup import as_html
from segtutor.grading.class_report import NARROW, document
from segtutor.grading.folder import Row
from segtutor.grading.points import Grade

POINTS = NARROW.format("points")


def page(row: Row) -> str:
    """A learner's page."""
    tasks = "".join(_task(one) for one in row.grades)
    late = "<p>Marked as late by the platform.</p>" if row.late else ""
    note = f"<p>About the run from top to bottom: {html.escape(row.note)}.</p>" if row.note else ""
    body = (
        f"<p><b>{row.points:g} of {row.out_of} points</b> for {html.escape(row.submission)}</p>{late}{note}"
        "<table><thead><tr><th>Task</th><th class='number'>Points</th><th>What to look at</th></tr></thead>"
        f"<tbody>{tasks}</tbody></table>"
        "<p><small>Points are for the cases that are right beyond those that one and the same result would pass."
        "</small></p>"
    )
    return document(f"Assignment {row.lesson}: {row.student}", body)


def _task(one: Grade) -> str:
    if not one.exercise[:1].isdigit():  # points that a person gave
        return (
            f"<tr><th scope='row'>In your own words</th><td class='number'>{one.points:g} of {one.out_of}{POINTS}</td>"
            f"<td>{html.escape(one.reason)}</td></tr>"
        )
    exercise = find(one.exercise)
    parts = []
    if one.points < one.out_of:
        parts.append(html.escape(one.reason.removesuffix(f": {one.case}") if one.case else one.reason))
        if one.case:
            parts.append(f"The first case that fails: <i>{html.escape(one.case)}</i>.")
        hint = exercise.hints.get(one.mistake) if one.mistake else None
        if hint is not None:
            parts.append(as_html(hint.first))
        elif one.case:
            parts.append(f'<code>segtutor.check("{one.exercise}", {html.escape(exercise.name)})</code> shows more.')
    return (
        f"<tr><th scope='row'>{html.escape(one.exercise)} {html.escape(exercise.title)}</th>"
        f"<td class='number'>{one.points:g} of {one.out_of}{POINTS}</td>"
        f"<td>{'<br>'.join(parts) or 'all right'}</td></tr>"
    )


def file_name(row: Row) -> str:
    """A name that every file system holds, and that two learners never share.

    >>> file_name(Row("Anna/../x", "a.ipynb", "1", ()))
    '01_Anna_x_b895dc.html'
    """
    plain = re.sub(r"[^A-Za-z0-9]+", "_", row.student).strip("_")[:60]
    return f"{int(row.lesson):02d}_{plain}_{hashlib.sha256(row.student.encode()).hexdigest()[:6]}.html"
