"""Whose a file is and which counts: platforms' names, archives, encodings, duplicates; all others have a reason."""

import io
import json
import os
import zipfile
from pathlib import PurePosixPath

import pytest

from segtutor.grading import archives
from segtutor.grading.notebooks import NotReadable, parse, read_notebook
from segtutor.grading.submissions import Student, find_submissions, read_roster, whose
from tests.grading.handing_in import CHECKS, IOU, hand_in, notebook

ROSTER = (
    Student("u1", ("u1", "Anna Smith", "anna.smith@uni.example", "anna.smith")),
    Student("u2", ("u2", "José García", "jose@uni.example")),
    Student("u3", ("u3", "Anna Schmidt")),
)


@pytest.mark.parametrize(
    ("name", "student", "late"),
    [
        ("Anna Smith_123_assignsubmission_file_/03_fcn.ipynb", "Anna Smith (123)", False),
        ("03/Anna Smith_123_assignsubmission_file/work.ipynb", "Anna Smith (123)", False),
        ("Anna Smith_123_assignsubmission_file_03_fcn.ipynb", "Anna Smith (123)", False),
        ("smithanna_123_4567_03_fcn.ipynb", "smithanna", False),
        ("smithanna_LATE_123_4567_03_fcn-2.ipynb", "smithanna", True),
        ("Copy of 03_fcn - Anna Smith (2).ipynb", "Anna Smith", False),
        ("Anna Smith - 03_fcn.ipynb", "Anna Smith", False),
        ("anna_09_mask_classification.ipynb", "anna", False),
        ("anna_10_promptable.ipynb", "anna", False),
        ("Copy of 03_fcn (1).ipynb", "Copy of 03_fcn (1)", False),
        ("anna.ipynb", "anna", False),
    ],
)
def test_platforms_say_whose_a_file_is(name, student, late):
    assert whose(PurePosixPath(name), (), False)[:2] == (student, late)


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("Anna Smith_123_assignsubmission_file_/03_fcn.ipynb", "u1"),
        ("smithanna_123_4567_03_fcn.ipynb", "u1"),
        ("03_fcn_anna.smith@uni.example.ipynb", "u1"),
        ("jose garcia.ipynb", "u2"),
        ("GARCÍA, José/03.ipynb", "u2"),
        ("u3-final.ipynb", "u3"),
        ("anna.ipynb", "anna"),  # two of them: nobody guesses
        # what the learner wrote comes after what the platform wrote
        ("Jose Garcia_9_assignsubmission_file_/Anna Smith.ipynb", "u2"),
        ("Jose Garcia_9_assignsubmission_file_Anna Smith.ipynb", "u2"),
        ("garciajose_123_4567_Anna Smith.ipynb", "u2"),
        ("u2/draft/anna.smith.ipynb", "u2"),
    ],
)
def test_the_roster_comes_first(name, student):
    assert whose(PurePosixPath(name), ROSTER, False)[0] == student


def test_files_that_tell_nobody_are_not_taken_for_versions_of_one(tmp_path):
    for name in ("Copy of 03_fcn.ipynb", "Copy of 03_fcn (1).ipynb", "03_fcn.ipynb"):
        hand_in(tmp_path / "in" / name, "segtutor.check('3.1', f)")
    (tmp_path / "un").mkdir()
    found, left_out = find_submissions(tmp_path / "in", tmp_path / "un")
    assert len(found) == 3
    assert left_out == []


def test_folders_tell_if_each_has_one_notebook(tmp_path):
    for name in ("anna/03_fcn.ipynb", "ben/03_fcn.ipynb"):
        hand_in(tmp_path / "in" / name, "segtutor.check('3.1', f)")
    (tmp_path / "un").mkdir()
    found, left_out = find_submissions(tmp_path / "in", tmp_path / "un")
    assert [one.student for one in found] == ["anna", "ben"]
    assert left_out == []


def test_archives_in_archives_with_all_that_hides_in_them(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    inner = tmp_path / "inner.zip"
    with zipfile.ZipFile(inner, "w") as packed:
        packed.writestr("work.ipynb", notebook(IOU, CHECKS))
    with zipfile.ZipFile(folder / "all.zip", "w") as packed:
        packed.writestr("Anna_1_assignsubmission_file_/01.IPYNB", notebook(IOU, CHECKS))
        packed.write(inner, "Ben_2_assignsubmission_file_/ben.zip")
        packed.writestr("__MACOSX/._01.ipynb", "x")
        packed.writestr("../../escaped.ipynb", notebook(CHECKS))
        packed.writestr("Cleo_3_assignsubmission_file_/report.docx", "x")
    (folder / "broken.zip").write_bytes(b"PK\x03\x04 no archive")
    (tmp_path / "un").mkdir()
    found, left_out = find_submissions(folder, tmp_path / "un")
    assert {one.student for one in found} == {"Anna (1)", "Ben (2)", "all"}  # a folder of its own
    assert not (tmp_path / "escaped.ipynb").exists()
    assert not (tmp_path.parent / "escaped.ipynb").exists()
    assert {one.name: one.reason.split(":")[0] for one in left_out} == {
        "broken.zip": "not an archive that can be unpacked",
        "all/Cleo_3_assignsubmission_file_/report.docx": "not a notebook",
    }


def test_an_archive_that_grows_without_end_is_left_out_and_the_others_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST_UNPACKED", 1_000_000)
    folder = tmp_path / "in"
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("zeros.ipynb", bytes(400_000))
    hand_in(folder / "anna.ipynb", IOU, CHECKS)
    with zipfile.ZipFile(folder / "bomb.zip", "w") as packed:
        for number in range(9):
            packed.writestr(f"{number}.zip", inner.getvalue())
    with zipfile.ZipFile(folder / "flat.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("zeros.ipynb", bytes(1_000_001))
    (tmp_path / "un").mkdir()
    found, left_out = find_submissions(folder, tmp_path / "un")
    assert [one.student for one in found] == ["anna"]
    assert sum(path.stat().st_size for path in (tmp_path / "un").rglob("*.ipynb")) <= 1_000_000
    reasons = {one.name: one.reason for one in left_out}
    assert "unpacked it has more than" in reasons["flat.zip"]
    assert sum("unpacked it has more than" in one for one in reasons.values()) == 8  # flat.zip and seven in bomb.zip


def test_damaged_archives_stop_nobody(tmp_path):
    folder = tmp_path / "in"
    hand_in(folder / "anna.ipynb", IOU, CHECKS)
    for kind in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        path = folder / f"damaged{kind}.zip"
        with zipfile.ZipFile(path, "w", kind) as packed:
            packed.writestr("a.ipynb", notebook(IOU, CHECKS) * 9)
        raw = bytearray(path.read_bytes())
        raw[60:90] = bytes(30)
        path.write_bytes(raw)
    (tmp_path / "un").mkdir()
    found, left_out = find_submissions(folder, tmp_path / "un")
    assert [one.student for one in found if one.student == "anna"] == ["anna"]
    assert sum("not an archive that can be unpacked" in one.reason for one in left_out) == 3


def test_the_newest_counts_and_the_others_are_named(tmp_path):
    folder = tmp_path / "in"
    for version, name in enumerate(("anna.ipynb", "anna (1).ipynb", "Copy of anna.ipynb")):
        os.utime(hand_in(folder / name, IOU, CHECKS), (1000 + version, 1000 + version))
    hand_in(folder / "smithanna_1_77_w.ipynb", IOU, CHECKS)
    hand_in(folder / "smithanna_1_78_w-1.ipynb", IOU, CHECKS)
    (tmp_path / "un").mkdir()
    found, left_out = find_submissions(folder, tmp_path / "un")
    assert [one.name for one in found] == ["Copy of anna.ipynb", "smithanna_1_78_w-1.ipynb"]
    assert len(left_out) == 3
    assert all("handed in a newer one" in one.reason for one in left_out)


def test_several_assignments_each_out_of_its_own(tmp_path):
    folder = tmp_path / "in"
    hand_in(folder / "a1.ipynb", "segtutor.check('1.1', f)")
    hand_in(folder / "a3.ipynb", "segtutor.use('3.2', f)\nsegtutor.check('3.1', g)\nsegtutor.check('1.1', h)")
    hand_in(folder / "assignment_04_pspnet.ipynb", "1 + 1")
    hand_in(folder / "notes.ipynb", "1 + 1")
    (tmp_path / "un").mkdir()
    found, left_out = find_submissions(folder, tmp_path / "un")
    assert {one.name: one.lesson for one in found} == {
        "a1.ipynb": "1", "a3.ipynb": "3", "assignment_04_pspnet.ipynb": "4",
    }  # fmt: skip
    assert "names no" in left_out[0].reason or "tells no assignment" in left_out[0].reason
    (tmp_path / "un2").mkdir()
    found, left_out = find_submissions(folder, tmp_path / "un2", lessons=("3",))
    assert [one.name for one in found] == ["a3.ipynb", "notes.ipynb"]
    assert {one.reason for one in left_out} == {
        "it belongs to assignment 1; asked for: 3",
        "it belongs to assignment 4; asked for: 3",
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings(tmp_path, encoding):
    path = tmp_path / "a.ipynb"
    path.write_bytes(notebook("name = 'é'").replace("\\u00e9", "é").encode(encoding))
    assert read_notebook(path).cells == ("name = 'é'",)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"{", "not a notebook"),
        (b"[" * 200_000, "nested too deeply"),
        (b"[1]", "this is a list"),
        (b"{}", "no list of cells"),
        (b"\x89PNG\r\n", "not a notebook"),
        (b"\xff\xfe\x00", "not a notebook"),
    ],
)
def test_what_is_no_notebook_says_why(tmp_path, raw, says):
    (tmp_path / "a.ipynb").write_bytes(raw)
    with pytest.raises(NotReadable, match=says):
        read_notebook(tmp_path / "a.ipynb")


def test_odd_cells_are_read_as_far_as_they_are_cells():
    cells = [None, 3, {"cell_type": "code"}, {"cell_type": "code", "source": ["a", 1, "b"]}, {"source": "text"}]
    assert parse(json.dumps({"cells": cells}).encode())["cells"] == cells


def test_format_three_is_read(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"worksheets": [{"cells": [{"cell_type": "code", "input": "x = 1"}]}]}))
    assert read_notebook(path).cells == ("x = 1",)


def test_a_name_that_is_no_text_and_a_link(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    name = os.fsencode(folder) + b"/caf\xe9.ipynb"
    try:
        with open(name, "w") as file:
            file.write(notebook(IOU, CHECKS))
    except OSError:
        pytest.skip("this file system holds only names that are text")
    (folder / "link.ipynb").symlink_to("/etc/passwd")
    (tmp_path / "un").mkdir()
    found, left_out = find_submissions(folder, tmp_path / "un")
    assert [(one.student, one.name) for one in found] == [("caf\\xe9", "caf\\xe9.ipynb")]
    assert [one.reason for one in left_out] == ["a link: what it points to was not handed in"]


def test_files_beside_a_notebook(tmp_path):
    wanted = ("w.safetensors",)
    for name in ("own/work.ipynb", "many/anna.ipynb", "many/ben.ipynb", "smithanna_1_77_w.ipynb", "x.ipynb"):
        hand_in(tmp_path / "in" / name, "segtutor.check('3.1', f)")
    for name in ("own/w.safetensors", "many/w.safetensors", "many/anna.w.safetensors",
                 "smithanna_1_78_w-1.safetensors"):  # fmt: skip
        (tmp_path / "in" / name).write_bytes(name.encode())
    (tmp_path / "un").mkdir()
    found, left_out = find_submissions(tmp_path / "in", tmp_path / "un", wanted_files=wanted)
    files = {one.name: [path.name for path in one.files.values()] for one in found}
    assert files == {
        "own/work.ipynb": ["w.safetensors"],
        "many/anna.ipynb": ["anna.w.safetensors"],
        "many/ben.ipynb": [],
        "smithanna_1_77_w.ipynb": ["smithanna_1_78_w-1.safetensors"],
        "x.ipynb": [],
    }
    assert left_out == []


def test_the_roster_is_read_and_refused(tmp_path):
    path = tmp_path / "class.csv"
    path.write_bytes("\ufeffID;Name;Email\r\nu1;Anna Smith;anna@uni.example\r\n;;\r\n".encode())
    (one,) = read_roster(path)
    assert one == Student("u1", ("u1", "Anna Smith", "anna@uni.example", "anna"))
    path.write_text("name,group\nAnna,1\n")
    with pytest.raises(ValueError, match="columns name, group; one must be called id or student"):
        read_roster(path)
    path.write_text("id\nu1\nu1\n")
    with pytest.raises(ValueError, match="'u1' stands twice"):
        read_roster(path)
