"""Certificates: written from notebooks, verified by running them again, and found out where they promise too much."""

from __future__ import annotations

import json

import pytest

from segtutor.cli import main
from segtutor.grading import certificate
from segtutor.grading.certificate import Answers, collect, compare, digest_of, read, run_answers
from tests.grading.handing_in import CHECKS, IOU, hand_in, notebook


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEGTUTOR_PROGRESS", str(tmp_path / "progress.json"))
    return tmp_path


def content_of(page):
    return json.loads(page.partition(certificate._BEGIN)[2].partition(certificate._END)[0])


def resealed(page, change):
    """The page with other contents and a seal that fits."""
    content = content_of(page)
    content.pop("seal")
    change(content)
    content["seal"] = digest_of(content)
    before, _, rest = page.partition(certificate._BEGIN)
    held = json.dumps(content).replace("<", "\\u003c")
    return f"{before}{certificate._BEGIN}{held}{certificate._END}{rest.partition(certificate._END)[2]}"


@pytest.mark.slow
def test_written_verified_and_found_out(here, capsys):
    hand_in(here / "work" / "assignments" / "01_metrics.ipynb", IOU, CHECKS)
    assert main(["progress", "--certificate", "Ada <b>", "--notebooks", "work", "--out", "ada.html"]) == 0
    page = (here / "ada.html").read_text(encoding="utf-8")
    content = content_of(page)
    assert content["points"]["1.1"][0] == content["points"]["1.1"][1] > 0
    assert content["points"]["1.2"][0] == 0
    assert "Ada &lt;b&gt;" in page
    assert "<b>, " not in page
    assert certificate.PROVES_NOT.split(".")[0] in page
    assert main(["verify", "ada.html"]) == 0
    assert "verified: run again" in capsys.readouterr().out

    # More points than the answers earn, with a seal that fits: running them tells.
    (here / "ada.html").write_text(resealed(page, lambda one: one["points"].update({"1.2": [2, 2]})), encoding="utf-8")
    assert main(["verify", "ada.html"]) == 1
    said = capsys.readouterr().out
    assert "NOT verified" in said
    assert "1.2: 2 of 2 points are stated, 0 came out" in said


def test_a_changed_file_and_what_is_no_certificate_are_refused(here, capsys):
    answers = [Answers("1", ("x = 1",))]
    page = certificate.write("Ada", answers, [], 0)
    path = here / "ada.html"
    path.write_text(page, encoding="utf-8")
    assert read(path).answers == tuple(answers)
    for one, other in (('"x = 1"', '"x = 2"'), ('"name": "Ada"', '"name": "Bob"')):
        assert one in page
        path.write_text(page.replace(one, other), encoding="utf-8")
        assert main(["verify", "ada.html"]) == 2
        assert "seal" in capsys.readouterr().err
    for broken in ("", "<html>", page.replace('"format": 1', '"format": 9'), page[: len(page) // 2]):
        path.write_text(broken, encoding="utf-8")
        with pytest.raises(ValueError, match=r"no certificate|format 9|seal"):
            read(path)
    # A seal that fits cannot make other answers pass for those that were hashed.
    path.write_text(resealed(page, lambda one: one["answers"][0].update(cells=["x = 3"])), encoding="utf-8")
    with pytest.raises(ValueError, match="seal"):
        read(path)


def test_files_and_odd_letters_come_back(here):
    answers = [Answers("3", ("print('</script><b>ä')",), {"net.pt": bytes(range(256))})]
    (here / "a.html").write_text(certificate.write("  Łucja \n Ω ", answers, [], 2), encoding="utf-8")
    found = read(here / "a.html")
    assert found.answers == tuple(answers)
    assert found.name == "Łucja Ω"


def test_the_notebook_that_was_changed_last_counts(here):
    import os

    old = hand_in(here / "assignments" / "01_metrics.ipynb", "old = 1", CHECKS)
    new = hand_in(here / "assignments" / "01_metrics-Copy1.ipynb", "new = 1", CHECKS)
    hand_in(here / "solutions" / "01_metrics.ipynb", "solution = 1", CHECKS)
    hand_in(here / ".ipynb_checkpoints" / "01_metrics.ipynb", "saved = 1", CHECKS)
    (here / "broken.ipynb").write_text("{", encoding="utf-8")
    (here / "plain.ipynb").write_text(notebook("x = 1"), encoding="utf-8")
    os.utime(old, (1, 1))
    os.utime(new, (2, 2))
    assert [(one.lesson, one.cells[0]) for one in collect(here)] == [("1", "new = 1")]
    os.utime(old, (3, 3))
    assert collect(here)[0].cells[0] == "old = 1"


def test_nothing_to_certify(here, capsys):
    (here / "empty").mkdir()
    assert main(["progress", "--certificate", "Ada", "--notebooks", "empty"]) == 2
    assert "--notebooks" in capsys.readouterr().err
    assert main(["progress", "--certificate", " "]) == 2
    assert main(["progress", "--certificate", "Ada", "--notebooks", "nowhere"]) == 2
    assert not (here / "certificate.html").exists()


def test_progress_without_a_certificate_is_the_board(here, capsys):
    assert main(["progress"]) == 0
    assert "0 of " in capsys.readouterr().out
    assert main(["progress", "1"]) == 0
    assert "1.1" in capsys.readouterr().out
    assert main(["progress", "77"]) == 2


@pytest.mark.slow
def test_answers_of_two_assignments_are_two_rows(here):
    rows = run_answers([Answers("2", ("import segtutor",)), Answers("1", (IOU, CHECKS))])
    assert [row.lesson for row in rows] == ["1", "2"]
    stated = certificate.Certificate("A", "", {}, {"1.1": (2.0, 2), "99.1": (1.0, 1)}, ())
    problems = compare(stated, rows)
    assert problems == ["99.1: 1 of 1 points are stated, but no answer holds this task"]
