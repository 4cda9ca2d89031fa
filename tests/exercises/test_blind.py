"""Answers written from the statements alone: every wrong one is rejected, every right one passes, hints fit.

As a program it prints the table, of all lessons or of some: ``python -m tests.exercises.test_blind 1 2.4``; with
``--each`` also what every wrong answer is told.
"""

import copy
import importlib
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from segtutor.exercises.catalog import exercises
from segtutor.exercises.checking import judge
from segtutor.exercises.comparison import difference
from segtutor.exercises.running import call

LESSONS = [
    importlib.import_module(f"tests.exercises.blind.{path.stem}")
    for path in sorted((Path(__file__).parent / "blind").glob("lesson*.py"))
]
EXERCISES = exercises()
WRONG = [(key, wrong) for lesson in LESSONS for key, answers in lesson.WRONG.items() for wrong in answers]
RIGHT = [(key, *right) for lesson in LESSONS for key, answers in lesson.RIGHT.items() for right in answers]
NAMES: dict[str, dict[str, tuple[str, ...]]] = {}
for lesson in LESSONS:
    for exercise_id, names in getattr(lesson, "NAMES", {}).items():
        for about, hints in names.items():
            NAMES.setdefault(exercise_id, {})[about] = (*NAMES.get(exercise_id, {}).get(about, ()), *hints)
GIVEN = {key: given for lesson in LESSONS for key, given in getattr(lesson, "GIVEN", {}).items()}
LEAST_NAMED, MOST_MISLED = 0.85, 0.03


@pytest.fixture(autouse=True)
def _made_up_data(monkeypatch):
    for key, given in GIVEN.items():
        monkeypatch.setitem(EXERCISES[key].__dict__, "given", given)
        EXERCISES[key].__dict__.pop("wanted", None)
    yield
    for key in GIVEN:
        EXERCISES[key].__dict__.pop("wanted", None)


def report_of(key, answer):
    exercise = EXERCISES[key]
    if exercise.asks_for_values:
        answer = answer(*exercise.given())
    return judge(exercise, answer, 1)


def judged(key, wrong, report):
    """Whether the hint names the mistake, is general, or misleads."""
    if report.hint in ("", "general"):
        return "general"
    fitting = NAMES.get(key, {}).get(wrong.about, ())
    return "names" if report.hint == wrong.about or report.hint in fitting else "misleads"


@pytest.mark.parametrize(("key", "wrong"), WRONG, ids=lambda one: getattr(one, "name", one))
def test_a_wrong_answer_is_wrong_and_rejected(key, wrong):
    exercise = EXERCISES[key]
    if not exercise.asks_for_values:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            wanted = exercise.prepared(exercise.reference)(*copy.deepcopy(wrong.shown_by))
        wanted = tuple(wanted) if isinstance(wanted, list) else wanted
        found = call(exercise.prepared(wrong.answer), wrong.shown_by, 5.0)
        assert found.kind != "returned" or difference(found.value, wanted, exercise.tolerance), "it is right there"
    report = report_of(key, wrong.answer)
    assert report.state == "not yet", report


@pytest.mark.parametrize(("key", "name", "answer"), RIGHT, ids=lambda one: one if isinstance(one, str) else "")
def test_a_right_answer_passes(key, name, answer):
    report = report_of(key, answer)
    assert report, report


@pytest.mark.parametrize("lesson", sorted({key.split(".")[0] for key, _ in WRONG}))
def test_the_hints_fit(lesson):
    told = [judged(key, one, report_of(key, one.answer)) for key, one in WRONG if key.split(".")[0] == lesson]
    assert told.count("names") >= LEAST_NAMED * len(told)
    assert told.count("misleads") <= MOST_MISLED * len(told)


def table(asked=(), each=False):
    """Rows of Markdown: per exercise and in all, how many are rejected and accepted, and what the hints are worth."""
    rows = ["| exercise | wrong | rejected | right | accepted | names | general | misleads |", "|" + " --- |" * 8]
    total = np.zeros(7, dtype=int)
    for key in sorted({one[0] for one in WRONG}, key=lambda key: tuple(map(int, key.split(".")))):
        if asked and key not in asked and key.split(".")[0] not in asked:
            continue
        told, passed = [], [bool(report_of(one, answer)) for one, _, answer in RIGHT if one == key]
        for one, wrong in WRONG:
            if one == key:
                report = report_of(key, wrong.answer)
                told.append("not rejected" if report else judged(key, wrong, report))
                if each:
                    print(f"{key} {told[-1]:12} {wrong.name} ({wrong.about}): {report.hint or report.message}")
        counts = [len(told), len(told) - told.count("not rejected"), len(passed), sum(passed)]
        counts += [told.count(word) for word in ("names", "general", "misleads")]
        total += counts
        rows.append(f"| {key} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join([*rows, "| all | " + " | ".join(map(str, total)) + " |"])


if __name__ == "__main__":
    for exercise_id, data in GIVEN.items():
        EXERCISES[exercise_id].__dict__["given"] = data
    arguments = [one for one in sys.argv[1:] if one != "--each"]
    print(table(arguments, each="--each" in sys.argv))
