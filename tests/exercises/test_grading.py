"""Grading a folder: right, half right, constant, empty, endless, forged, duplicated, renamed, deleted, broken."""

import csv
import io
import json

import nbformat
import numpy as np
import pytest

from segtutor import cli
from segtutor.exercises import grading
from segtutor.exercises.catalog import exercises
from segtutor.exercises.running import Outcome
from segtutor.exercises.transfer import decode, decode_outcome, encode, encode_outcome

IOU = """
import numpy as np
def iou(a, b):
    union = np.logical_or(a, b).sum()
    return np.logical_and(a, b).sum() / union if union else np.nan
"""
PRECISION_RECALL = """
import numpy as np
def precision_recall(scores, is_match, num_positives, threshold):
    kept = scores >= threshold
    with np.errstate(all="ignore"):
        return is_match[kept].sum() / kept.sum(), np.divide(is_match[kept].sum(), num_positives)
"""
SUBMISSIONS = {
    "right.ipynb": [IOU, PRECISION_RECALL],
    "half_right.ipynb": [IOU.replace("else np.nan", "else 0.0"), PRECISION_RECALL],
    "constant.ipynb": ["def iou(a, b):\n    return 0.0", "def precision_recall(*inputs):\n    return (0.0, 0.0)"],
    "empty.ipynb": ["def iou(a, b):\n    raise NotImplementedError"],
    "no_cells.ipynb": [],
    "endless_cell.ipynb": ["while True:\n    pass", IOU, "1 / 0", PRECISION_RECALL],
    "endless_answer.ipynb": ["def iou(a, b):\n    while True:\n        pass", PRECISION_RECALL],
    "Copy of right (1).ipynb": [IOU, IOU, PRECISION_RECALL, PRECISION_RECALL],
    "deleted_cell.ipynb": [IOU],
    "renamed_function.ipynb": [
        IOU.replace("def iou", "def my_own") + "import segtutor\nsegtutor.check('1.1', my_own)",
        PRECISION_RECALL,
    ],
    "used.ipynb": [
        "import segtutor\ndef iou(a, b):\n    raise NotImplementedError\niou = segtutor.use('1.1', iou)",
        PRECISION_RECALL + "import segtutor\nprecision_recall = segtutor.use('1.6', precision_recall)",
    ],
    "forged.ipynb": [
        "import json\n"
        "value = {'kind': 'returned', 'value': {'plain': 1}, 'error': '', 'message': '', 'line': '', 'position': 0}\n"
        "line = '0' * 32 + ' ' + json.dumps([value] * 10)\n"
        "print(line)\n"
        "def iou(a, b):\n"
        "    import sys\n"
        "    sys.__stdout__.write(line)\n"
        "    print(line)\n"
        "    return 'passed'\n"
        "import segtutor.exercises.comparison as comparison, segtutor.exercises.checking as checking\n"
        "comparison.difference = lambda *_: None\n"
        "checking.judge = lambda *_: True",
    ],
    "leaves.ipynb": [IOU, "def precision_recall(*inputs):\n    import os\n    os._exit(1)"],
    "group/nested.ipynb": [IOU, PRECISION_RECALL],
}
FULL, POINTS = 5.0, {"1.1": 2, "1.6": 3}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("submissions")
    for name, sources in SUBMISSIONS.items():
        write(folder / name, sources)
    (folder / "broken.ipynb").write_text("{ this is no notebook")
    (folder / ".ipynb_checkpoints").mkdir()
    write(folder / ".ipynb_checkpoints" / "right-checkpoint.ipynb", [IOU])
    hidden = tmp_path_factory.mktemp("hidden")
    (hidden / "more.py").write_text(
        "import numpy as np\nfrom segtutor.exercises.exercise import Case\n"
        "CASES = {'1.1': [Case('one row', (np.ones((1, 9), bool), np.eye(1, 9, dtype=bool)), 1 / 9)]}\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        two = {name: exercises()[name] for name in POINTS}
        patch.setattr(grading, "exercises", lambda: two)
        graded = list(grading.grade_folder(folder, hidden, ["1"], seconds_per_cell=30))
    return {row.submission: row for row in graded}


def write(path, sources):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    path.parent.mkdir(exist_ok=True)
    nbformat.write(notebook, path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("right.ipynb", FULL),
        ("half_right.ipynb", None),
        ("constant.ipynb", 0.0),
        ("empty.ipynb", 0.0),
        ("no_cells.ipynb", 0.0),
        ("endless_cell.ipynb", FULL),
        ("endless_answer.ipynb", 3.0),
        ("Copy of right (1).ipynb", FULL),
        ("deleted_cell.ipynb", 2.0),
        ("renamed_function.ipynb", FULL),
        ("used.ipynb", 3.0),
        ("forged.ipynb", 0.0),
        ("leaves.ipynb", 2.0),
        ("broken.ipynb", 0.0),
        ("group/nested.ipynb", FULL),
    ],
)
def test_points(rows, name, points):
    assert len(rows) == len(SUBMISSIONS) + 1
    row = rows[name]
    assert row.out_of == FULL
    if points is None:
        assert 3 < row.points < FULL
    else:
        assert row.points == points, row


@pytest.mark.slow
def test_reasons(rows):
    said = {name: {one.exercise: one.reason for one in row.grades} for name, row in rows.items()}
    assert said["right.ipynb"] == {"1.1": "", "1.6": ""}
    assert said["half_right.ipynb"]["1.1"] == "14 of 15 cases; wrong result: both masks empty"
    assert "took too long" in said["endless_answer.ipynb"]["1.1"]
    assert said["deleted_cell.ipynb"]["1.6"] == "precision_recall is missing or empty"
    assert said["used.ipynb"]["1.1"] == "iou is missing or empty"
    assert "0 of 15 cases" in said["forged.ipynb"]["1.1"]
    assert said["leaves.ipynb"]["1.6"] == "no answer came back"
    assert rows["endless_cell.ipynb"].note == "1 cells failed; 1 cells took longer than 30 seconds"
    assert "not a notebook" in rows["broken.ipynb"].note


@pytest.mark.slow
def test_tables(rows):
    listed = list(rows.values())
    table = list(csv.DictReader(io.StringIO(grading.as_csv(listed))))
    assert [row["submission"] for row in table] == list(rows)
    assert float({row["submission"]: row for row in table}["right.ipynb"]["1.1"]) == 2.0
    content = json.loads(grading.as_json(listed))
    assert {row["submission"]: row["points"] for row in content} == {name: row.points for name, row in rows.items()}


@pytest.mark.slow
def test_command_writes_its_files_and_grades_again_alike(tmp_path, capsys):
    write(tmp_path / "in" / "one.ipynb", [IOU, "import segtutor\nsegtutor.check('1.1', iou)"])
    arguments = ["grade", str(tmp_path / "in"), "--out", str(tmp_path / "g.csv"), "--json", str(tmp_path / "g.json")]
    assert cli.main(arguments) == 0
    first = (tmp_path / "g.csv").read_text(), (tmp_path / "g.json").read_text()
    assert cli.main(arguments) == 0
    assert first == ((tmp_path / "g.csv").read_text(), (tmp_path / "g.json").read_text())
    (row,) = csv.DictReader(io.StringIO(first[0]))
    assert float(row["1.1"]) == 2.0
    assert float(row["1.2"]) == 0.0
    assert "1 submissions graded" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "nowhere is not a folder"),
        (["empty"], "holds no notebook"),
        (["in", "--hidden", "empty"], "holds no Python file"),
        (["in", "--hidden", "bad"], "must define CASES"),
        (["in", "--hidden", "crash"], "ZeroDivisionError"),
        (["in", "--hidden", "unknown"], "there is no exercise '7.7'"),
        (["in", "--lesson", "77"], "no exercises of lesson 77"),
        (["in", "--timeout", "0"], "--timeout must be positive"),
    ],
)
def test_command_explains_what_is_wrong(tmp_path, monkeypatch, capsys, arguments, says):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "in" / "one.ipynb", [IOU])
    (tmp_path / "empty").mkdir()
    for name, text in {
        "bad": "CASES = [1]",
        "crash": "1 / 0",
        "unknown": "from segtutor.exercises.exercise import Case\nCASES = {'7.7': [Case('x')]}",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "cases.py").write_text(text)
    assert cli.main(["grade", *arguments]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "grades.csv").exists()


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        0.5,
        float("inf"),
        "text",
        [1, (2, 3)],
        {"a": np.arange(3), 1: None},
        np.zeros((0, 4)),
        np.array([[True, False]]),
        np.array([np.nan, 1e300]),
        np.uint8(7),
    ],
)
def test_values_travel_as_json(value):
    back = decode(json.loads(json.dumps(encode(value))))
    np.testing.assert_equal(back, value)
    assert type(back) is type(value) or isinstance(value, np.generic)


def test_odd_values_travel_as_their_name_and_bad_ones_are_refused():
    assert decode(encode(object())) == "<object>"
    for content in ({}, {"pickle": "x"}, [], None, "x", {"array": [1]}):
        with pytest.raises(ValueError, match="not an encoded value"):
            decode(content)
        with pytest.raises(ValueError, match="not an encoded outcome"):
            decode_outcome(content)
    outcome = Outcome("raised", error="KeyError", message="x", line="line 3: y", position=1)
    assert decode_outcome(json.loads(json.dumps(encode_outcome(outcome)))) == outcome


def test_only_lines_with_the_nonce_count():
    outcome = encode_outcome(Outcome("returned", 1.0))
    right, forged = json.dumps([outcome]), json.dumps([outcome, outcome])
    outputs = [{"output_type": "stream", "text": f"0000 {forged}\n x abcd {forged}\nabcd {{\nabcd {right}\n"}]
    assert grading._outcomes(outputs, "abcd") == [Outcome("returned", 1.0)]
    assert grading._outcomes(outputs, "beef") is None


@pytest.mark.parametrize(
    "exercise", [one for one in exercises().values() if not one.asks_for_values], ids=lambda one: one.id
)
def test_a_constant_earns_nothing_and_the_reference_everything(exercise):
    for value in exercise.wanted:
        constant = [Outcome("returned", value)] * len(exercise.cases)
        assert grading._grade(exercise, (), constant).points == 0
    right = [Outcome("returned", value) for value in exercise.wanted]
    assert grading._grade(exercise, (), right).points == exercise.points


def test_a_file_name_is_no_formula():
    row = grading.Row("=cmd()|x.ipynb", (grading.Grade("1.1", 1.0, 2, "a"),))
    assert grading.as_csv([row]).splitlines()[1].startswith("'=cmd()")
