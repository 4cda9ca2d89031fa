"""A class in small: ways to be right, wrong, broken and hostile, each with the points that are known in advance."""

import csv
import io
import json
import os
import sys
import time

import pytest

from segtutor.exercises.catalog import exercises
from segtutor.grading import folder as grading
from segtutor.grading import tables
from segtutor.grading.folder import Prepared, Settings
from segtutor.grading.notebooks import Handed
from segtutor.grading.room import JAIL, Limits, can_jail, open_house
from segtutor.grading.submissions import Submission
from tests.grading.handing_in import CHECKS, IOU, PRECISION_RECALL, hand_in, notebook

FULL = 5.0
TWO = {"1.1": 2, "1.6": 3}
SUBMISSIONS = {
    # right, in other styles
    "right": ([IOU, PRECISION_RECALL], FULL),
    "in_one_line": (["import numpy as np\niou = lambda a, b: ((a > 0) & (b > 0)).sum() / n if (\n"
            "    n := ((a > 0) | (b > 0)).sum()) else np.nan",
                     PRECISION_RECALL], FULL),
    "renamed": ([IOU.replace("def iou", "def my_own") + "import segtutor\nsegtutor.check('1.1', my_own)",
                 PRECISION_RECALL], FULL),
    "in_other_order": ([PRECISION_RECALL, IOU], FULL),
    "written_twice": (["def iou(a, b):\n    return 0", IOU, IOU, PRECISION_RECALL, PRECISION_RECALL], FULL),
    "with_failing_cells": (["1 / 0", IOU, "raise SystemExit", PRECISION_RECALL, "nothing("], FULL),
    "with_magics": (["%matplotlib inline", IOU, "%%time\nx = 1", PRECISION_RECALL], FULL),
    "leaves_politely": ([IOU, PRECISION_RECALL, "exit()"], FULL),
    "endless_cell": (["while True:\n    pass", IOU, PRECISION_RECALL], FULL),
    "stubborn_cell": (["while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n"
                       "        pass", IOU, PRECISION_RECALL], FULL),
    "prints_without_end": (["while True:\n    print('x' * 1_000_000)", IOU, PRECISION_RECALL], FULL),
    "ends_the_process_in_a_cell": (["import os\nos._exit(0)", IOU, PRECISION_RECALL], FULL),
    "crashes_in_a_cell": (["import ctypes\nctypes.string_at(0)", IOU, PRECISION_RECALL], FULL),
    "fills_the_memory_in_a_cell": (["a = []\nwhile True:\n    a.append(bytearray(1 << 28))", IOU, PRECISION_RECALL],
                                   FULL),
    "reference_of_a_paper": (["class Paper:\n    reference = 1\nPaper.reference", IOU, PRECISION_RECALL], FULL),
    # wrong or not there
    "one_missing": ([IOU], 2.0),
    "empty_stub": (["def iou(a, b):\n    raise NotImplementedError"], 0.0),
    "no_cells": ([], 0.0),
    "constant": (["def iou(a, b):\n    return 0.0", "def precision_recall(*inputs):\n    return (0.0, 0.0)"], 0.0),
    "endless_answer": (["def iou(a, b):\n    while True:\n        pass", PRECISION_RECALL], 3.0),
    "large_answer": (["import numpy as np\ndef iou(a, b):\n    return np.zeros(25_000_000)", PRECISION_RECALL], 3.0),
    "many_answers": (["def iou(a, b):\n    return [[0] * 1000] * 100_000", PRECISION_RECALL], 3.0),
    "nested_answer": (["def iou(a, b):\n    x = []\n    for _ in range(9999):\n        x = [x]\n    return x",
                       PRECISION_RECALL], 3.0),
    "answer_exits": ([IOU, "def precision_recall(*inputs):\n    exit()"], 2.0),
    "answer_ends_the_process": (["def iou(a, b):\n    import os\n    os._exit(0)", PRECISION_RECALL], 3.0),
    "answer_crashes": (["def iou(a, b):\n    import ctypes\n    ctypes.string_at(0)", PRECISION_RECALL], 3.0),
    "answer_is_killed": (["def iou(a, b):\n    import os\n    os.kill(os.getpid(), 9)", PRECISION_RECALL], 3.0),
    "answer_fills_the_memory": (["def iou(a, b):\n    x = []\n    while True:\n        x.append(bytearray(1 << 28))",
                                 PRECISION_RECALL], 3.0),
    "borrows": (["import segtutor\ndef iou(a, b):\n    return 1\niou = segtutor.use('1.1', iou)",
                 PRECISION_RECALL], 3.0),
    "borrows_inside": (["import segtutor\nlent = segtutor.use('1.1', lambda a, b: 1)\ndef iou(a, b):\n"
                        "    return lent(a, b)", PRECISION_RECALL], 3.0),
    # hostile
    "learned_by_heart": ("table", 3.0),
    "takes_the_reference": (["from segtutor.exercises.catalog import find\niou = find('1.1').reference",
                             PRECISION_RECALL], 0.0),
    "forges_lines": (["import socket, json\nfor n in range(3, 64):\n    try:\n        s = socket.socket(fileno=n)\n"
                      "        s.sendall(b'[' * 100_000 + b'\\n')\n        s.detach()\n    except OSError:\n"
                      "        pass",
                      IOU, PRECISION_RECALL], 0.0),
    "forges_a_type": (["import socket, json\nv = {'array': [1], 'dtype': 'S2000000000', 'shape': [1]}\n"
                       "o = {'kind': 'returned', 'value': v, 'error': '', 'message': '', 'line': '', 'position': 0}\n"
                       "for n in range(3, 64):\n    try:\n        s = socket.socket(fileno=n)\n        s.sendall("
                       "json.dumps({'exercise': '1.1', 'outcomes': [o] * 15}).encode() + b'\\n')\n"
                       "        s.detach()\n    except OSError:\n        pass", IOU, PRECISION_RECALL], FULL),
    "writes_a_startup_file": (["import os, pathlib\nfor base in (pathlib.Path.home(), pathlib.Path(os.environ["
                               "'IPYTHONDIR'])):\n    f = base / '.ipython/profile_default/startup/x.py'\n"
                               "    f.parent.mkdir(parents=True, exist_ok=True)\n    f.write_text('raise SystemExit')\n"
                               "    g = base / 'profile_default/startup/x.py'\n"
                               "    g.parent.mkdir(parents=True, exist_ok=True)\n    g.write_text('raise SystemExit')",
                               IOU, PRECISION_RECALL], FULL),
    "edits_the_package": (["import segtutor, pathlib\nfor p in pathlib.Path(segtutor.__file__).parent.rglob('*.py'):\n"
                           "    try:\n        p.write_text('raise SystemExit')\n    except OSError:\n        pass",
                           IOU, PRECISION_RECALL], FULL),
    "leaves_a_process": (["import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; "
                          "time.sleep(600)'], start_new_session=True)", IOU, PRECISION_RECALL], FULL),
}  # fmt: skip
HIDDEN = (
    "import numpy as np\nfrom segtutor.exercises.exercise import Case\n"
    "CASES = {'1.1': [Case('one row', (np.ones((1, 9), bool), np.eye(1, 9, dtype=bool)), 1 / 9),\n"
    "                 Case('two of five', (np.arange(5)[None] < 4, np.arange(5)[None] >= 2))]}\n"
)


def table_of_the_public_cases():
    exercise = exercises()["1.1"]
    known = {
        f"{a.shape}{a.astype(int).tolist()}{b.astype(int).tolist()}": float(wanted)
        for (a, b), wanted in zip((case.arguments for case in exercise.cases), exercise.wanted, strict=True)
    }
    return (
        f"import numpy as np\nnan = np.nan\nTABLE = {known!r}\ndef iou(a, b):\n"
        "    return TABLE.get(f'{a.shape}{a.astype(int).tolist()}{b.astype(int).tolist()}', 0.0)"
    )


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    base = tmp_path_factory.mktemp("class")
    for name, (sources, _) in SUBMISSIONS.items():
        sources = [table_of_the_public_cases(), PRECISION_RECALL] if sources == "table" else sources
        hand_in(base / "in" / f"{name}.ipynb", *sources)
    (base / "in" / "broken.ipynb").write_text("{ this is no notebook")
    hand_in(base / "in" / ".ipynb_checkpoints" / "right-checkpoint.ipynb", IOU)
    (base / "hidden").mkdir()
    (base / "hidden" / "more.py").write_text(HIDDEN)
    settings = Settings(("1",), base / "hidden", Limits(seconds_per_cell=4, seconds=120, memory=2 * 2**30))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grading, "exercises", lambda: {name: exercises()[name] for name in TWO})
        with Prepared(base / "in", settings) as prepared:
            rows = {row.student: row for row in prepared.rows()}
            yield prepared, rows


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="what ends its own process is kept apart by fork, which POSIX has")
@pytest.mark.parametrize("name", SUBMISSIONS)
def test_points(graded, name):
    _, rows = graded
    row = rows[name]
    assert row.out_of == FULL
    assert row.points == SUBMISSIONS[name][1], row


@pytest.mark.slow
def test_reasons_and_notes(graded):
    prepared, rows = graded
    said = {name: {one.exercise: one.reason for one in row.grades} for name, row in rows.items()}
    assert rows.keys() == SUBMISSIONS.keys()
    assert said["right"] == {"1.1": "", "1.6": ""}
    assert "took too long" in said["endless_answer"]["1.1"]
    assert "ended its process" in said["answer_ends_the_process"]["1.1"]
    assert said["borrows"]["1.1"].startswith("2 of 16 cases right; wrong result")  # the learner's own, a constant
    assert said["borrows_inside"]["1.1"] == "the answer is the course's own solution"
    assert said["learned_by_heart"]["1.1"] == "right only in the public cases, in none of the hidden ones"
    assert "imports find" in rows["takes_the_reference"].note
    assert rows["with_failing_cells"].note == "3 cells failed"
    assert rows["endless_cell"].note == rows["stubborn_cell"].note == "1 cell took longer than 4 seconds"
    assert rows["ends_the_process_in_a_cell"].note == "1 cell ended the process"
    assert "no answer" in rows["forges_lines"].note
    assert [(one.name, one.reason[:14]) for one in prepared.left_out] == [("broken.ipynb", "not a notebook")]


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")
def test_nothing_still_runs(graded):
    time.sleep(0.2)
    command_lines = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                command_lines.append(file.read())
        except OSError:
            continue
    assert not [line for line in command_lines if b"time.sleep(600)" in line or b"segtutor.grading.worker" in line]


@pytest.mark.slow
def test_tables(graded):
    _, rows = graded
    listed = list(rows.values())
    table = list(csv.DictReader(io.StringIO(tables.as_csv(listed))))
    assert [row["student"] for row in table] == sorted(rows)
    assert float({row["student"]: row for row in table}["right"]["1.1"]) == 2.0
    content = json.loads(tables.as_json(listed))
    assert {row["student"]: row["points"] for row in content} == {name: row.points for name, row in rows.items()}


SPY = """
import os, pathlib
found = []
for place in {places!r}:
    try:
        found += [str(path) for path in pathlib.Path(place).rglob('*')]
    except OSError:
        pass
for target in {targets!r}:
    try:
        open(target, 'w').close()
        found.append('written: ' + target)
    except OSError:
        pass
import socket
try:
    socket.create_connection(('127.0.0.1', {port}), timeout=2)
    found.append('connected')
except OSError:
    pass
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
with open('/proc/self/status') as file:
    found += [line for line in file if line.startswith(('CapEff', 'CapPrm')) and int(line.split()[1], 16)]
found += ['unmounted: ' + place for place in {places!r} if libc.umount2(place.encode(), 2) == 0]
sockets = [n for n in os.listdir('/proc/self/fd') if os.path.islink('/proc/self/fd/' + n)
           and os.readlink('/proc/self/fd/' + n).startswith('socket')]
found += ['more than one line: ' + str(sockets)] if len(sockets) > 1 else []
others = [p for p in os.listdir('/proc') if p.isdigit() and int(p) not in (1, os.getpid())]
def iou(a, b):
    raise ValueError(repr((found, len(others))))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="namespaces are Linux's")
def test_a_jailed_submission_sees_and_writes_nothing_of_others(tmp_path, monkeypatch):
    with open_house(jailed=False) as house:
        if not can_jail(house):
            pytest.skip("this system makes no namespaces for users")
    import socket

    import segtutor

    hand_in(tmp_path / "in" / "classmate.ipynb", IOU)
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "more.py").write_text(HIDDEN)
    package = os.path.dirname(segtutor.__file__)
    with socket.create_server(("127.0.0.1", 0)) as server:
        spy = SPY.format(
            places=[str(tmp_path / "in"), str(tmp_path / "hidden"), f"{package}/exercises", f"{package}/../notebooks"],
            targets=[str(tmp_path / "x"), f"{package}/x.py", "/tmp/x", os.path.expanduser("~/x")],
            port=server.getsockname()[1],
        )
        hand_in(tmp_path / "in" / "spy.ipynb", spy)
        monkeypatch.setattr(grading, "exercises", lambda: {"1.1": exercises()["1.1"]})
        seen = {}
        monkeypatch.setattr(grading, "grade", lambda exercise, further, outcomes: seen.setdefault("spy", outcomes))
        monkeypatch.setattr(grading, "Row", lambda *parts, **named: parts)
        with Prepared(tmp_path / "in", Settings(("1",), tmp_path / "hidden")) as prepared:
            assert prepared.house.in_force == JAIL
            (spy,) = [one for one in prepared.submissions if one.student == "spy"]
            grading.grade_one(spy, 1, "", prepared.house, prepared.settings)
    found, others = eval(seen["spy"][0].message, {"__builtins__": {}})
    assert found == []
    assert others <= 1  # its own worker, where the answer is tried in a fork


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="namespaces are Linux's")
def test_submissions_fork_from_a_process_that_none_of_them_has_changed(tmp_path, monkeypatch):
    """One that changes all it can reach, and one that ends its group, cost the next one nothing."""
    spoils = (
        "import numpy, os, segtutor\nnumpy.logical_or = numpy.logical_and\nos.environ['X'] = 'spoiled'\n"
        "segtutor.__file__ = 'nowhere'"
    )
    ends = "import os, signal\nos.killpg(0, signal.SIGKILL)"
    honest = IOU + "\nimport os\nassert 'X' not in os.environ"
    hand_in(tmp_path / "in" / "a.ipynb", spoils, IOU)
    hand_in(tmp_path / "in" / "b.ipynb", ends, IOU)
    hand_in(tmp_path / "in" / "c.ipynb", honest)
    monkeypatch.setattr(grading, "exercises", lambda: {"1.1": exercises()["1.1"]})
    with Prepared(tmp_path / "in", Settings(("1",))) as prepared:
        if prepared.house.in_force != JAIL:
            pytest.skip("this system makes no namespaces for users")
        rows = {row.student: row for row in prepared.rows()}
        from segtutor.grading.room import warm_process

        process = warm_process(prepared.house)
        process._process.kill()
        process._process.wait()
        again = {row.student: row for row in prepared.rows()}
    assert rows["a"].points < 2
    assert (rows["c"].points, rows["c"].note) == (2.0, "")
    assert rows["b"].points == again["b"].points == 2.0
    assert again["c"].points == 2.0, "a new process takes the place of one that has ended"


def test_grading_again_gives_the_same_points(tmp_path, monkeypatch):
    hand_in(tmp_path / "in" / "a.ipynb", IOU.replace("else np.nan", "else 0.0"), CHECKS)
    monkeypatch.setattr(grading, "exercises", lambda: {name: exercises()[name] for name in TWO})
    with Prepared(tmp_path / "in", Settings()) as prepared:
        points = {row.points for _ in range(50) for row in prepared.rows()}
    assert len(points) == 1
    assert 0 < points.pop() < 2


@pytest.mark.slow
def test_without_a_jail_and_by_a_port_the_points_are_the_same(tmp_path, monkeypatch):
    from segtutor.grading import session

    hand_in(tmp_path / "in" / "a.ipynb", IOU, PRECISION_RECALL)
    hand_in(tmp_path / "in" / "b.ipynb", *SUBMISSIONS["leaves_a_process"][0])
    monkeypatch.setattr(grading, "exercises", lambda: {name: exercises()[name] for name in TWO})
    monkeypatch.setattr(session, "BY_SOCKET", False)
    with Prepared(tmp_path / "in", Settings(("1",), jailed=False)) as prepared:
        assert "limits" in prepared.house.in_force
        rows = [grading.grade_one(one, 1, "", prepared.house, prepared.settings) for one in prepared.submissions]
        assert [row.points for row in rows] == [FULL, FULL]
    test_nothing_still_runs(None)


@pytest.mark.slow
def test_several_at_a_time_and_what_is_known_is_not_run_again(tmp_path):
    for name in ("a", "b", "c"):
        hand_in(tmp_path / "in" / f"{name}.ipynb", IOU, CHECKS, f"# {name}")
    with Prepared(tmp_path / "in", Settings(jobs=2)) as prepared:
        rows = list(prepared.rows())
    assert sorted(row.student for row in rows) == ["a", "b", "c"]
    assert {row.points for row in rows} == {2.0}
    (tmp_path / "in" / "d.ipynb").write_text(notebook(IOU, CHECKS, "# a"))
    known = {row.key: row for row in rows}
    with Prepared(tmp_path / "in", Settings(), known=known) as prepared:
        for one in prepared.submissions:
            assert grading.key_of(one, prepared.settings) in known
        again = {row.student: row.points for row in prepared.rows()}
    assert again == {"a": 2.0, "b": 2.0, "c": 2.0, "d": 2.0}


def test_new_hidden_cases_change_the_key_of_their_assignment_alone(tmp_path):
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "more.py").write_text(HIDDEN)
    submissions = [Submission("a", "a", tmp_path, lesson, Handed((IOU,), (), ())) for lesson in ("1", "3")]
    before = [grading.key_of(one, Settings()) for one in submissions]
    after = [grading.key_of(one, Settings(hidden=hidden)) for one in submissions]
    assert before[0] != after[0]
    assert before[1] == after[1]
    (hidden / "more.py").write_text(HIDDEN + "# changed\n")
    assert grading.key_of(submissions[0], Settings(hidden=hidden)) != after[0]


def test_a_hidden_case_that_the_reference_cannot_answer_is_refused_before_the_class(tmp_path):
    from segtutor.grading.hidden import load_hidden_cases

    (tmp_path / "more.py").write_text(
        "from segtutor.exercises.exercise import Case\nCASES = {'1.1': [Case('odd', (1,))]}\n"
    )
    with pytest.raises(ValueError, match=r"'odd' of 1\.1 has 1 arguments; iou takes 2: a, b"):
        load_hidden_cases(tmp_path)
    (tmp_path / "more.py").write_text(
        "from segtutor.exercises.exercise import Case\nCASES = {'1.1': [Case('odd', ('x', None))]}\n"
    )
    with pytest.raises(ValueError, match="the reference cannot answer case 'odd'"):
        load_hidden_cases(tmp_path)


def test_a_name_is_no_formula():
    row = grading.Row("=cmd()|x", "+x.ipynb", "1", (grading.Grade("1.1", 1.0, 2, "@a"),))
    line = tables.as_csv([row]).splitlines()[1]
    assert line.startswith("'=cmd()|x,'+x.ipynb,")
