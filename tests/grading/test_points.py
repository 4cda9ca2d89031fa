"""Points are for work: guessing, learning by heart and dying earn nothing, half right earns half."""

import numpy as np
import pytest

from segtutor.exercises.catalog import exercises, find
from segtutor.exercises.exercise import Case
from segtutor.exercises.running import Outcome
from segtutor.grading.points import BY_HEART, BY_HEART_AND_GUESSED, PUBLIC_SHARE, grade

IOU = find("1.1")
FURTHER = (
    Case("one row", (np.ones((1, 9), bool), np.eye(1, 9, dtype=bool)), 1 / 9),
    Case("two of five", (np.arange(5)[None] < 4, np.arange(5)[None] >= 2), 0.4),
)


def returned(values):
    return [Outcome("returned", value) for value in values]


@pytest.mark.parametrize(
    "exercise", [one for one in exercises().values() if not one.asks_for_values], ids=lambda one: one.id
)
def test_a_constant_earns_nothing_and_the_reference_everything(exercise):
    for value in exercise.wanted:
        assert grade(exercise, (), returned([value] * len(exercise.cases))).points == 0
    assert grade(exercise, (), returned(exercise.wanted)).points == exercise.points


def test_a_table_of_the_public_cases_earns_nothing_where_there_are_hidden_ones():
    found = grade(IOU, FURTHER, returned([*IOU.wanted, 0.0, 0.0]))
    assert (found.points, found.reason) == (0.0, BY_HEART)


def test_a_table_and_a_guess_for_all_else_earn_nothing():
    found = grade(IOU, FURTHER, returned([*IOU.wanted, 0.4, 0.4]))
    assert (found.points, found.reason) == (0.0, BY_HEART_AND_GUESSED)
    same = (FURTHER[0], FURTHER[0])
    assert grade(IOU, same, returned([*IOU.wanted, 1 / 9, 1 / 9])).points == IOU.points


def test_hidden_cases_have_their_own_weight():
    # Of two hidden cases with different results a constant passes one: one right of two is worth nothing beyond it.
    assert grade(IOU, FURTHER, returned([*IOU.wanted, 1 / 9, 0.0])).points == pytest.approx(PUBLIC_SHARE * IOU.points)
    assert grade(IOU, FURTHER, returned([*IOU.wanted, 1 / 9, 0.4])).points == IOU.points
    spoiled = [*IOU.wanted]
    spoiled[0] = -1.0
    found = grade(IOU, FURTHER, returned([*spoiled, 1 / 9, 0.4]))
    assert (1 - PUBLIC_SHARE) * IOU.points < found.points < IOU.points


def test_reasons_name_no_hidden_case_and_no_wanted_result():
    found = grade(IOU, FURTHER, returned([*IOU.wanted, 1 / 9, 7.0]))
    assert found.reason == f"{len(IOU.cases) + 1} of {len(IOU.cases) + 2} cases right; wrong result: a hidden case"
    assert "two of five" not in repr(found)
    assert "0.4" not in repr(found)


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (Outcome("raised", error="KeyError"), "KeyError"),
        (Outcome("raised", error="the hidden inputs are 3 and 4"), "an error of its own"),
        (Outcome("slow"), "took too long"),
        (Outcome("died"), "ended its process"),
        (Outcome("changed", 1.0), "changes its input"),
        (Outcome("returned", "0.5"), "wrong result"),
    ],
)
def test_what_became_of_an_answer(outcome, says):
    found = grade(IOU, (), [outcome] * len(IOU.cases))
    assert found.points == 0
    assert says in found.reason
    assert found.case == IOU.cases[0].name


def test_nothing_came_back():
    assert grade(IOU, (), None).reason == grade(IOU, (), returned([1.0])).reason == "no answer came back"
    assert grade(IOU, (), [Outcome("empty")] * len(IOU.cases)).reason == "iou is missing or empty"


@pytest.mark.parametrize("exercise_id", ["1.1", "1.6", "2.1", "4.1"])
def test_a_typical_mistake_is_named(exercise_id):
    exercise = find(exercise_id)
    named = 0
    for mistake in exercise.mistakes:
        answer = exercise.prepared(mistake.answer)
        with np.errstate(all="ignore"):
            outcomes = []
            for case in exercise.cases:
                try:
                    outcomes.append(Outcome("returned", answer(*case.arguments)))
                except Exception as error:
                    outcomes.append(Outcome("raised", error=type(error).__name__))
        named += grade(exercise, (), outcomes).mistake == mistake.hint
    assert named >= len(exercise.mistakes) - 1
