"""The third hint is a solution: shown after a warning, noted, and right; the two before it are none."""

import ast
import itertools
import json
import re

import numpy as np
import pytest

import segtutor
from segtutor.exercises import record
from segtutor.exercises.catalog import exercises
from segtutor.exercises.checking import judge
from segtutor.exercises.later import F, ndimage, nn, torch
from segtutor.exercises.lesson01.iou import iou
from segtutor.exercises.solutions import code_of

ALL = list(exercises().values())
FUNCTIONS = [one for one in ALL if not one.asks_for_values]


def wrong(a, b):
    return 0.5


def test_the_first_call_warns_and_notes_nothing(progress_file):
    shown = segtutor.solution("1.1")
    assert shown.code == ""
    assert 'segtutor.solution("1.1", sure=True)' in repr(shown)
    assert "It counts as used" in shown._repr_html_()
    assert "return" not in repr(shown)
    assert not progress_file.exists()


def test_a_solution_is_noted_and_the_progress_says_so(progress_file, monkeypatch):
    assert "union = np.logical_or(a, b).sum()" in segtutor.solution("1.1", sure=True).code
    monkeypatch.setattr(record, "_in_memory", {})  # what a new process has
    board = segtutor.progress(1)
    assert (board.lines[0][0], board.lines[0][4]) == (record.OPEN_MARK, "not tried, solution seen")
    assert board.seen == 1
    assert board.summary.endswith("; solution seen for 1")
    assert segtutor.progress("").lines[0][4] == "0 passed, solution seen for 1"
    assert "solution seen" in board._repr_html_()
    assert "solution seen" not in repr(segtutor.progress(2))
    assert json.loads(progress_file.read_text())["exercises"]["1.1"]["seen"] is True


def test_it_stays_noted_whatever_comes_after():
    segtutor.check("1.1", wrong)
    segtutor.solution("1.1", sure=True)
    assert segtutor.progress(1).lines[0][4] == "best 2 of 14 cases, tried once, solution seen"
    segtutor.check("1.1", iou)
    assert re.fullmatch(r"passed, [-0-9 :]+, solution seen", segtutor.progress(1).lines[0][4])
    assert segtutor.progress(1).points == 2, "points are those of the check"


def test_who_has_seen_it_is_not_warned_again():
    segtutor.solution("1.1", sure=True)
    assert segtutor.solution("1.1").code


def test_who_has_passed_compares_freely(progress_file):
    segtutor.check("1.1", iou)
    before = progress_file.read_text()
    assert segtutor.solution("1.1").code
    assert progress_file.read_text() == before
    assert segtutor.progress(1).seen == 0


def test_a_record_of_the_first_version_is_read(progress_file):
    segtutor.check("1.1", iou)
    content = json.loads(progress_file.read_text())
    del content["exercises"]["1.1"]["seen"]
    progress_file.write_text(json.dumps(content))
    assert segtutor.progress(1).passed == 1
    assert segtutor.progress(1).seen == 0


def test_without_a_place_to_write_memory_remembers(monkeypatch):
    monkeypatch.setenv("SEGTUTOR_PROGRESS", "off")
    segtutor.solution("1.1", sure=True)
    assert segtutor.progress(1).seen == 1


def test_no_such_task():
    with pytest.raises(ValueError, match=r"there is no exercise '9\.9'; there are 1\.1"):
        segtutor.solution("9.9")


def test_a_script_prints_it_once(capsys):
    segtutor.solution("1.1", sure=True)
    assert capsys.readouterr().out.count("union = ") == 1


@pytest.mark.parametrize("exercise", FUNCTIONS, ids=lambda one: one.id)
def test_what_is_shown_passes(exercise):
    """In a notebook the earlier functions of the assignment are there; here they are those of the declarations."""
    names = {one.name: one.reference for one in FUNCTIONS if one.lesson == exercise.lesson}
    names |= {"np": np, "torch": torch, "nn": nn, "F": F, "itertools": itertools, "ndimage": ndimage}
    exec(code_of(exercise), names)
    vars(names[exercise.name]).update(vars(exercise.reference))  # such as where a network's weights are
    report = judge(exercise, names[exercise.name], 0)
    assert report, report


@pytest.mark.parametrize("exercise", ALL, ids=lambda one: one.id)
def test_no_hint_above_the_task_holds_code(exercise):
    general = exercise.hints["general"]
    for hint in (general.first, general.second):
        assert not re.search(r"\s[-+*/]?=\s|\w\[|\w\.\w+\(", hint), hint
    steps = [ast.unparse(node) for node in ast.walk(ast.parse(code_of(exercise))) if isinstance(node, ast.expr)]
    taken = [step for step in steps if len(step) > 20 and step in general.first + general.second]
    assert taken == []


@pytest.mark.parametrize("exercise", ALL, ids=lambda one: one.id)
def test_the_text_above_a_task_says_how_to_get_its_solution(exercise):
    assert f'segtutor.solution("{exercise.id}")' in exercise.markdown.partition("Show me a solution")[2]
