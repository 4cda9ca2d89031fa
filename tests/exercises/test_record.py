"""Progress: kept across sessions, safe against damage, without a place to write."""

import json
import sys
from pathlib import Path

import pytest

import segtutor
from segtutor.exercises import record
from segtutor.exercises.catalog import exercises
from segtutor.exercises.lesson01.iou import iou


def wrong(a, b):
    return 0.5


def test_nothing_done_yet():
    board = segtutor.progress()
    assert "0 of" in repr(board)
    assert len(board.lines) == len({one.lesson for one in exercises().values()}), "one line per lesson"
    board = segtutor.progress("all")
    assert len(board.lines) == len(exercises())
    assert "not tried" in repr(board)
    assert "1.10" in board._repr_html_()


def test_one_assignment_has_a_line_per_task():
    for three in (3, "3", "03"):
        board = segtutor.progress(three)
        assert [number for _, number, *_ in board.lines] == [one for one in exercises() if one.startswith("3.")]
        assert board.summary.startswith("Assignment 03: 0 of")
    assert "2.13" not in repr(segtutor.progress(3))
    with pytest.raises(ValueError, match="no exercises of lesson 99; there are 1, 2"):
        segtutor.progress(99)


def test_after_a_check_the_present_assignment_is_shown():
    segtutor.check("2.5", lambda *_: 0)
    assert {number.split(".")[0] for _, number, *_ in segtutor.progress().lines} == {"2"}
    segtutor.check("1.1", iou)
    board = segtutor.progress()
    assert {number.split(".")[0] for _, number, *_ in board.lines} == {"1"}
    assert board.passed == 1


def test_a_lesson_in_one_line():
    segtutor.check("1.1", iou)
    first, second, *_ = record.Board(record.load(), "").lines
    assert (first[0], first[1], first[4]) == (record.TRIED_MARK, "01", "1 passed")
    assert second[0] == record.OPEN_MARK


def test_survives_a_restart(progress_file, monkeypatch):
    segtutor.check("1.1", wrong)
    segtutor.check("1.1", iou)
    segtutor.check("1.2", lambda target, prediction, num_classes, ignore_index: 0)
    monkeypatch.setattr(record, "_in_memory", {})  # what a new process has
    board = segtutor.progress()
    assert board.passed == 1
    assert board.points == 2
    assert "best 0 of 12 cases, tried once" in repr(board)
    assert json.loads(progress_file.read_text())["exercises"]["1.1"]["passed"] is True
    assert [one.name for one in progress_file.parent.iterdir()] == ["progress.json"]  # no temporary file is left


def test_once_passed_stays_passed():
    segtutor.check("1.1", iou)
    segtutor.check("1.1", wrong)
    assert segtutor.progress().passed == 1


def test_empty_answers_are_no_try(progress_file):
    segtutor.check("1.1", None)
    assert not progress_file.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"exercises": {"1.1": {}}}', '{"exercises": 3}', "\x00\xff"])
def test_damaged_file_is_set_aside(progress_file, content):
    progress_file.parent.mkdir(parents=True)
    progress_file.write_text(content, encoding="utf-8")
    assert segtutor.progress().passed == 0
    assert segtutor.check("1.1", iou)
    assert segtutor.progress().passed == 1
    (aside,) = progress_file.parent.glob("progress.json.unreadable-*")
    assert aside.read_text(encoding="utf-8") == content


def test_two_notebooks_at_once_do_not_erase_each_other(progress_file, monkeypatch):
    segtutor.check("1.1", iou)
    content = json.loads(progress_file.read_text())
    content["exercises"]["1.2"] = content["exercises"]["1.1"]
    progress_file.write_text(json.dumps(content))  # the other notebook
    segtutor.check("1.1", iou)
    assert segtutor.progress().passed == 2


def test_without_a_place_to_write_memory_serves(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for place in ("off", str(tmp_path / "file" / "progress.json")):
        monkeypatch.setattr(record, "_in_memory", {})
        monkeypatch.setenv("SEGTUTOR_PROGRESS", place)
        segtutor.check("1.1", wrong)
        assert len(segtutor.check("1.1", wrong).hints) == 2
        segtutor.check("1.1", iou)
        assert segtutor.progress().passed == 1


def test_default_places(monkeypatch, tmp_path):
    monkeypatch.delenv("SEGTUTOR_PROGRESS")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(sys, "platform", "linux")
    assert record.path() == tmp_path / "data" / "segtutor" / "progress.json"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert record.path() == tmp_path / "Library" / "Application Support" / "segtutor" / "progress.json"
    monkeypatch.setitem(sys.modules, "google.colab", object())
    assert record.path() == Path("/content/.segtutor/progress.json")
