"""Experiments of one's own are judged on the grader's side, from what came back, and are run by no grade."""

import json

import pytest

from segtutor.exercises.catalog import find
from segtutor.exercises.exercise import GRADING
from segtutor.exercises.experiment_run import run_experiment
from segtutor.exercises.lesson04.experiment import EXAMPLE, LABORATORY
from segtutor.exercises.running import Outcome
from segtutor.grading.room import Limits
from segtutor.grading.session import Session
from segtutor.grading.transfer import encode_outcome


@pytest.fixture(params=["4.11", "5.15", "6.15", "10.6", "11.8"])
def exercise(request):
    return find(request.param)


def heard(exercise, values):
    """What a session makes of values that came back, and whether all cases pass."""
    session = Session([], [exercise], {}, None, Limits())
    asked = session._asked(exercise)
    assert asked["around"] is None, "nothing is judged in the room"
    found = [
        encode_outcome(Outcome("empty") if values.get(key) is None else Outcome("returned", values[key]))
        for key in asked["keys"]
    ]
    return session._decoded(exercise.id, found), session._passes(exercise.id, found)


def test_a_right_answer_passes_as_in_the_notebook(exercise):
    outcomes, passes = heard(exercise, exercise.reference())
    assert passes
    assert len(outcomes) == len(exercise.cases)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"gain": -1.0}, ["gain"]),
        ({"verdict": "undecided", "least": 0.0}, ["verdict", "least"]),
        ({"doubt": None}, ["doubt"]),
    ],
)
def test_a_wrong_answer_loses_the_cases_that_it_is_wrong_in(exercise, change, wrong):
    outcomes, passes = heard(exercise, exercise.reference() | change)
    lost = [
        case.name
        for case, outcome, wanted in zip(exercise.cases, outcomes, exercise.wanted, strict=True)
        if outcome.kind != "returned" or outcome.value != wanted
    ]
    assert lost == wrong
    assert not passes


def test_without_a_record_nothing_is_earned(exercise):
    outcomes, passes = heard(exercise, {"declaration": {"changes": None}})
    assert not passes
    assert all(outcome.kind == "empty" for outcome in outcomes)


def test_a_grade_reads_the_record_and_runs_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(GRADING, "on")
    assert run_experiment(LABORATORY, EXAMPLE["declaration"]) is None
    assert "runs no experiment" in capsys.readouterr().out
    about = {"seconds": 1, "date": "2026-01-01", "versions": {"torch": "2"}}
    runs = {key: [{**run, "band_iou": 0.3, "thin": 0.2, "bollard_iou": 0.1} for run in EXAMPLE[key]]
            for key in ("first", "second")}  # fmt: skip
    (tmp_path / LABORATORY.file).write_text(json.dumps({**EXAMPLE, **runs, **about}), encoding="utf-8")
    assert run_experiment(LABORATORY, EXAMPLE["declaration"])["seeds"] == [0, 1, 2]
    assert run_experiment(LABORATORY, {**EXAMPLE["declaration"], "margin": 0.3}) is None
