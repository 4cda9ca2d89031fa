"""Variants of the course: right answers pass in each, a table of the answers of another one does not."""

import json
import os
import warnings

import numpy as np
import pytest

from segtutor import resources
from segtutor.exercises import seeds
from segtutor.exercises.catalog import exercises
from segtutor.exercises.checking import outcomes_of
from segtutor.exercises.comparison import difference
from segtutor.exercises.running import Clock, Outcome
from segtutor.exercises.variants import (
    SAME_FOR_ALL,
    _content,
    drawn_for,
    faults,
    hidden_cases,
    name_of,
    variant,
)
from segtutor.exercises.varied import notebook_of, same_for_all
from segtutor.grading.points import BY_HEART, PUBLIC_SHARE, grade
from segtutor.notebook_files import without_outputs

FUNCTIONS = [one.id for one in exercises().values() if not one.asks_for_values and one.id not in SAME_FOR_ALL]
VALUES = ["1.13", "2.13"]
LESSONS = list(dict.fromkeys(one.lesson for one in exercises().values()))
SLOW_VALUES = {"1.11", "8.5"}
"""Their data come out of a network."""


def test_the_courses_own_numbers_are_those_of_numpy():
    assert seeds.chosen() == ""
    np.testing.assert_array_equal(seeds.seeded(7).random(5), np.random.default_rng(7).random(5))


def test_declarations_draw_from_nothing_else():
    wrong_answers = {"split.py", "mean_field_mistakes.py"}
    for path in (resources.PACKAGE / "exercises").glob("lesson*/*.py"):
        assert ".default_rng(" not in path.read_text(encoding="utf-8") or path.name in wrong_answers, path


def test_another_variant_gives_other_numbers_and_all_is_as_before_afterwards():
    before = exercises()["1.2"]
    with drawn_for("one") as one, drawn_for("other") as other:
        first, second = one["1.2"].cases, other["1.2"].cases
    with drawn_for("one") as again:
        third = again["1.2"].cases
    assert [_content(case.arguments) for case in first] == [_content(case.arguments) for case in third]
    assert [_content(case.arguments) for case in first] != [_content(case.arguments) for case in second]
    assert exercises()["1.2"] is before
    assert seeds.chosen() == ""


def test_the_name_tells_nothing_of_the_secret():
    assert name_of("a secret of spring") == name_of(" a secret of spring ")
    assert name_of("a secret of spring") != name_of("a secret of autumn")
    assert len(name_of("x")) == 12
    with pytest.raises(ValueError, match="needs a secret"):
        name_of("  ")
    with pytest.raises(ValueError, match="'spring' is no variant"):
        variant("spring")


def right_answers(exercise):
    return (exercise.reference, *exercise.alternatives)


def passes(exercise, cases, answer):
    with np.errstate(all="ignore"):
        found = outcomes_of(exercise.prepared(answer), [case.arguments for case in cases], 5 * exercise.seconds)
        return [
            (case.name, outcome)
            for case, outcome in zip(cases, found, strict=True)
            if outcome.kind != "returned"
            or difference(outcome.value, exercise.wanted_for(case), exercise.tolerance) is not None
        ]


def wrong_in(number, lesson):
    """Right answers that fail in a variant, and those that its hidden cases reject."""
    secret = f"a class of {number}"
    hidden = hidden_cases(secret, lesson)
    with drawn_for(name_of(secret)) as others:
        found = []
        for one in others.values():
            if one.lesson != lesson or one.id in SAME_FOR_ALL | dict.fromkeys(SLOW_VALUES):
                continue
            if one.asks_for_values:
                given = one.given()
                values = [one.by_case(answer(*given)) for answer in right_answers(one)]
                found += [
                    (one.id, case.name)
                    for mine in values
                    for case, wanted in zip(one.cases, one.wanted, strict=True)
                    if difference(mine[case.name], wanted, one.tolerance) is not None
                ]
                continue
            assert len(hidden[one.id]) >= 2, one.id
            for answer in right_answers(one):
                found += [(one.id, answer, *what) for what in passes(one, (*one.cases, *hidden[one.id]), answer)]
    return found


@pytest.mark.parametrize("lesson", LESSONS)
def test_right_answers_pass_in_a_variant(lesson):
    assert wrong_in(0, lesson) == []


def not_found_out(exercise, mistakes, cases, wanted):
    """Those of the wrong answers that are right in every case."""
    return [one for one in mistakes if not told_apart(exercise, one.answer, zip(cases, wanted, strict=True))]


def told_apart(exercise, answer, pairs):
    """Whether some case finds an answer wrong; the others are not tried."""
    clock, prepared = Clock(), exercise.prepared(answer)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for case, wanted in pairs:
            (outcome,) = outcomes_of(prepared, [case.arguments], 5 * exercise.seconds - clock.used)
            if outcome.kind != "returned" or difference(outcome.value, wanted, exercise.tolerance) is not None:
                return True
    return False


@pytest.mark.slow
def test_every_wrong_answer_fails_in_many_variants():
    """What a case finds wrong that no variant changes is wrong in all of them: the others are tried in each."""
    own = {one.id: one for one in exercises().values() if one.id not in SAME_FOR_ALL and one.given is None}
    with drawn_for("another one") as others:
        elsewhere = {name: {_content(case.arguments) for case in others[name].cases} for name in own}
    doubtful = {}
    for name, one in own.items():
        kept = [number for number, case in enumerate(one.cases) if _content(case.arguments) in elsewhere[name]]
        cases, wanted = [one.cases[number] for number in kept], [one.wanted[number] for number in kept]
        doubtful[name] = {mistake.name for mistake in not_found_out(one, one.mistakes, cases, wanted)}
    assert sum(map(len, doubtful.values())) > 50, "what only random numbers find is what this is about"
    passed = []
    for number in range(int(os.environ.get("SEGTUTOR_VARIANTS", "20"))):
        with drawn_for(name_of(f"a class of {number}")) as drawn:
            for name, mistakes in doubtful.items():
                one = drawn[name]
                asked = [mistake for mistake in one.mistakes if mistake.name in mistakes]
                passed += [(number, name, left.name) for left in not_found_out(one, asked, one.cases, one.wanted)]
    assert passed == []


FIXED = {one.id: {_content(case.arguments) for case in one.cases} for one in exercises().values()}


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, 21))
def test_right_answers_pass_with_the_numbers_of_twenty_variants(number):
    wrong = []
    with drawn_for(f"number {number}") as others:
        for exercise_id in FUNCTIONS:
            one = others[exercise_id]
            cases = [case for case in one.cases if _content(case.arguments) not in FIXED[exercise_id]]
            assert len(cases) >= 2, exercise_id
            for answer in one.alternatives:
                wrong += [(exercise_id, answer, *what) for what in passes(one, cases, answer)]
        for exercise_id in VALUES:
            one = others[exercise_id]
            made = [one.by_case(answer(*one.given())) for answer in one.alternatives]
            wrong += [
                (exercise_id, case.name)
                for mine in made
                for case, wanted in zip(one.cases, one.wanted, strict=True)
                if difference(mine[case.name], wanted, one.tolerance) is not None
            ]
    assert wrong == []


def by_heart(known, cases):
    """What a table of other cases gives: what it knows, else its first result."""
    table = {_content(case.arguments): wanted for case, wanted in zip(*known, strict=True)}
    return [Outcome("returned", table.get(_content(case.arguments), known[1][0])) for case in cases]


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_table_of_the_answers_of_another_variant_fails(lesson):
    """It knows the public cases that are the same for all, and of the hidden ones no more than a constant."""
    with drawn_for(name_of("the class of last year")) as last_year:
        tables = {one.id: (one.cases, one.wanted) for one in last_year.values() if one.id in FUNCTIONS}
    hidden = hidden_cases("the class of this year", lesson)
    with drawn_for(name_of("the class of this year")) as this_year:
        for one in this_year.values():
            if one.lesson == lesson and one.id in FUNCTIONS:
                outcomes = by_heart(tables[one.id], (*one.cases, *hidden[one.id]))
                earned = grade(one, hidden[one.id], outcomes)
                right = [
                    difference(o.value, w, one.tolerance) is None
                    for o, w in zip(outcomes[len(one.cases) :], [case.wanted for case in hidden[one.id]], strict=True)
                ]
                assert earned.points <= (PUBLIC_SHARE if any(right) else 0) * one.points, (one.id, earned)


def test_a_table_of_the_class_s_own_public_cases_earns_nothing():
    hidden = hidden_cases("a secret", "1")
    with drawn_for(name_of("a secret")) as others:
        one = others["1.2"]
        outcomes = by_heart((one.cases, one.wanted), (*one.cases, *hidden["1.2"]))
        assert grade(one, hidden["1.2"], outcomes).reason == BY_HEART


@pytest.mark.parametrize("exercise_id", VALUES)
def test_values_of_another_variant_are_wrong(exercise_id):
    with drawn_for("one") as one:
        values = one[exercise_id].reference(*one[exercise_id].given())
    with drawn_for("other") as other:
        exercise = other[exercise_id]
        outcomes = [Outcome("returned", values[case.name]) for case in exercise.cases]
        assert grade(exercise, (), outcomes).points < 0.6 * exercise.points


def test_every_task_varies_or_says_why_not():
    for lesson in LESSONS:
        told = {task.split()[0] for task, _ in same_for_all(lesson)}
        drawn = hidden_cases("a secret", lesson)
        for one in exercises().values():
            if one.lesson == lesson and not one.asks_for_values:
                assert (one.id in told) != (one.id in drawn), one.id


def test_a_variant_in_which_a_right_answer_fails_is_found(monkeypatch):
    monkeypatch.setattr("segtutor.exercises.variants.SAME_FOR_ALL", dict.fromkeys(exercises().keys() - {"3.2"}))
    assert faults("a secret", "3") == []
    monkeypatch.setattr(
        "segtutor.exercises.variants.hidden_cases",
        lambda secret, lesson: {"3.2": (type(exercises()["3.2"].cases[0])("odd", (9, 3, 2, 1), 7),)},
    )
    assert next(one.split(":")[:2] for one in faults("a secret", "3")) == ["3.2", " a right answer fails"]


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_notebook_of_a_variant_takes_its_numbers_first(lesson):
    (path,) = (resources.folder("notebooks") / "assignments").glob(f"{int(lesson):02d}_*.ipynb")
    before = json.loads(without_outputs(path))["cells"]
    after = json.loads(notebook_of(without_outputs(path), "a secret", lesson))["cells"]
    lines = "\n".join("".join(cell["source"]) for cell in after if cell["cell_type"] == "code").splitlines()
    taking = lines.index(f'segtutor.variant("{name_of("a secret")}")  # the numbers of your class')
    assert lines.index("import segtutor") < taking
    assert not [line for line in lines[:taking] if "segtutor.exercises" in line]
    text = "\n".join("".join(cell["source"]) for cell in after)
    with drawn_for(name_of("a secret")) as others:
        for one in others.values():
            if one.lesson == lesson:
                assert one.statement.strip() in text, one.id
                assert f"✓ passed ({len(one.cases)} of {len(one.cases)} cases)" in text, one.id
    assert len(before) == len(after)


def test_a_notebook_without_the_course_has_no_variant():
    with pytest.raises(ValueError, match="'import segtutor', after which a variant begins"):
        notebook_of(b'{"cells": [{"cell_type": "code", "source": ["x = 1"]}]}', "a secret", "1")
