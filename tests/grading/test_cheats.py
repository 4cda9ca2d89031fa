"""Ways to points without work, and to a classmate's harm, tried one by one: none gains, none hurts."""

import os
import signal
import sys
import time

import numpy as np
import pytest

from segtutor.exercises.catalog import exercises, find
from segtutor.grading import folder as grading
from segtutor.grading.folder import Prepared, Settings
from segtutor.grading.lending import Lender
from segtutor.grading.points import BY_HEART, OWN_SOLUTION
from segtutor.grading.pool import done_by_processes
from segtutor.grading.room import JAIL, Limits
from segtutor.grading.transfer import decode, encode
from tests.grading.handing_in import IOU, PRECISION_RECALL, hand_in

resource = pytest.importorskip("resource", reason="POSIX has it")
POSIX = pytest.mark.skipif(os.name != "posix", reason="forks and signals are POSIX's")
THREE = {"1.1": 2, "1.6": 3, "1.13": exercises()["1.13"].points}
HIDDEN = (
    "import numpy as np\nfrom segtutor.exercises.exercise import Case\n"
    "CASES = {'1.1': [Case('one row', (np.ones((1, 9), bool), np.eye(1, 9, dtype=bool)), 1 / 9),\n"
    "                 Case('two of five', (np.arange(5)[None] < 4, np.arange(5)[None] >= 2))]}\n"
)
LENT = "import gc, os, sys, signal, segtutor\nimport numpy as np\nlent = segtutor.use('1.1', lambda a, b: 1)\n"
TELLS = (
    "    for one in gc.get_objects():\n        if type(one).__name__ == 'Submission':\n            one.probing = ''\n"
)
SOCKETS = (
    "def sockets():\n    for name in os.listdir('/proc/self/fd'):\n        try:\n"
    "            if os.readlink('/proc/self/fd/' + name).startswith('socket'):\n                yield int(name)\n"
    "        except OSError:\n            pass\n"
)
CHEATS = {
    # the course's own answer
    "says_that_nothing_is_tried": LENT + "def iou(a, b):\n" + TELLS + "    return lent(a.astype(int), b)",
    "asks_on_the_line_itself": (
        LENT + SOCKETS + "import json\nto = sys.modules['segtutor.' + 'grading.transfer']\ndef iou(a, b):\n"
        "    text = json.dumps({'borrows': '1.1', 'arguments': to.encode((a.astype(int), b))}) + chr(10)\n"
        "    for n in sockets():\n        os.write(n, text.encode())\n"
        "        return to.decode(json.loads(os.read(n, 1 << 20)))"
    ),
    "tables_what_it_finds_in_the_memory": (
        LENT + "decode = sys.modules['segtutor.' + 'grading.transfer'].decode\ntable = {}\n"
        "for one in gc.get_objects():\n    if isinstance(one, dict) and one.get('id') == '1.1':\n"
        "        for a, b in map(decode, one['arguments']):\n"
        "            table[a.tobytes(), b.tobytes()] = lent(a.astype(int), b)\n"
        "def iou(a, b):\n    return table.get((a.tobytes(), b.tobytes()), 0.0)"
    ),
    "keeps_the_inputs_for_a_second_start": (
        LENT + "import pathlib, pickle\nkept, table = pathlib.Path.home() / 'kept', {}\n"
        "if kept.exists():\n    for a, b in pickle.loads(kept.read_bytes()):\n"
        "        table[a.tobytes(), b.tobytes()] = lent(a.astype(int), b)\nseen = []\n"
        "def iou(a, b):\n    seen.append((a.copy(), b.copy()))\n    kept.write_bytes(pickle.dumps(seen))\n"
        "    if len(seen) > 15:\n        os.kill(os.getppid(), signal.SIGKILL)\n"
        "    return table.get((a.tobytes(), b.tobytes()), 0.0)"
    ),
    "copies_the_values": "import segtutor\nanswers = dict(segtutor.use('1.13', {'tp': 1}))",
    "copies_the_values_unasked": (
        "import segtutor, sys\nanswers = dict(sys.modules['segtutor.' + 'grading.stand_ins'].Asker.call('1.13', ()))"
    ),
    "reads_the_solutions": (
        "import pathlib, segtutor\ntexts = [path.read_text() for place in pathlib.Path(segtutor.__file__).parents[:4]\n"
        "         for path in place.rglob('*metrics*.ipynb')]\n"
        "exec(next(text for text in texts if 'def iou' in text))"
    ),
    "imports_under_another_name": (
        "import importlib.util, pathlib, segtutor\nplace = pathlib.Path(segtutor.__file__).parent / 'exercises'\n"
        "for path in place.rglob('iou.py'):\n    spec = importlib.util.spec_from_file_location('mine', path)\n"
        "    mine = importlib.util.module_from_spec(spec)\n    spec.loader.exec_module(mine)\n    iou = mine.iou"
    ),
    # results that claim to be right
    "is_equal_to_everything": (
        "class Any(float):\n    __eq__ = lambda s, o: True\n    __ne__ = lambda s, o: False\n"
        "    __sub__ = __rsub__ = lambda s, o: 0.0\n    __array__ = lambda s, *a, **k: None\n"
        "def iou(a, b):\n    return Any(7)"
    ),
    "is_an_array_when_asked": (
        "import numpy as np\nclass Array(np.ndarray):\n    def __array_ufunc__(self, *a, **k):\n        return True\n"
        "    def __array_function__(self, *a, **k):\n        return True\n"
        "def iou(a, b):\n    return np.zeros(()).view(Array)"
    ),
    "pickles_itself": (
        "class Evil:\n    def __reduce__(self):\n        return (print, ('unpickled',))\n"
        "def iou(a, b):\n    return Evil()"
    ),
    "changes_how_results_are_compared": (
        "import sys, numpy as np\nnp.isclose = np.allclose = np.array_equal = lambda *a, **k: True\n"
        "sys.modules['segtutor.' + 'exercises.comparison'].difference = lambda *a: None\n"
        "for name, module in list(sys.modules.items()):\n    if name.startswith('segtutor.'):\n"
        "        vars(module).update(difference=lambda *a: None)\ndef iou(a, b):\n    return 7.0"
    ),
    "says_that_it_passed": (
        "import json, os, sys\n" + SOCKETS + "for n in sockets():\n"
        "    os.write(n, json.dumps({'exercise': '1.1', 'outcomes': []}).encode() + b'\\n')\n"
        "def iou(a, b):\n    return 7.0"
    ),
}
"""Each would be worth the points of 1.1, or those of the values of 1.13."""
HARMS = {
    "fills_the_disk": (
        "import pathlib\nfor n in range(99):\n    pathlib.Path(f'{n}').write_bytes(bytes(4_000_000))\n"
        "import time\ntime.sleep(5)"
    ),
    "starts_without_end": (
        "import os, shutil, time\nsleep = shutil.which('sleep')\nfor _ in range(400):\n"
        "    os.posix_spawn(sleep, ['sleep', '30'], {})\ntime.sleep(5)"
    ),
    "asks_and_does_not_listen": (
        "import json, os, sys\n"
        + SOCKETS
        + "text = json.dumps({'borrows': '1.13', 'arguments': []}).encode() + b'\\n'\n"
        "for n in sockets():\n    for _ in range(100_000):\n        os.write(n, text)"
    ),
    "signals_to_everybody": "import os, signal\nfor n in (os.getppid(), 1, -1):\n    os.kill(n, signal.SIGKILL)",
    "outlives_its_session": (
        "import os, sys, atexit, threading\natexit.register(lambda: open('/tmp/outlived', 'w'))\n"
        "threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()\n"
        "if not os.fork():\n    os.setsid()\n    if os.fork():\n        os._exit(0)\n"
        "    os.execve(sys.executable, [sys.executable, '-c', 'import time; time.sleep(601)'], {})"
    ),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    base = tmp_path_factory.mktemp("class")
    for name, source in {**CHEATS, **HARMS}.items():
        hand_in(base / "in" / f"{name}.ipynb", source, *([IOU] if name in HARMS else []), PRECISION_RECALL)
    for number in range(2):
        hand_in(base / "in" / f"classmate{number}.ipynb", IOU, PRECISION_RECALL, f"# {number}")
    (base / "hidden").mkdir()
    (base / "hidden" / "more.py").write_text(HIDDEN)
    settings = Settings(("1",), base / "hidden", Limits(12, 90, 2 * 2**30, room_bytes=5 * 10**7, processes=99))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grading, "exercises", lambda: {name: exercises()[name] for name in THREE})
        with Prepared(base / "in", settings) as prepared:
            if prepared.house.in_force != JAIL:
                pytest.skip("this system makes no namespaces for users")
            return {row.student: row for row in prepared.rows()}


def points(row):
    return {one.exercise: one.points for one in row.grades}


@pytest.mark.slow
@POSIX
@pytest.mark.parametrize("name", CHEATS)
def test_no_cheat_gains_a_point(graded, name):
    row = graded[name]
    assert points(row)["1.1"] == 0, row
    assert points(row)["1.13"] <= 0.2 * THREE["1.13"], row
    assert points(row)["1.6"] == 3, f"what is honest in it counts: {row}"


@pytest.mark.slow
@POSIX
def test_reasons_say_what_was_done(graded):
    said = {name: {one.exercise: one.reason for one in row.grades} for name, row in graded.items()}
    assert said["says_that_nothing_is_tried"]["1.1"] == said["asks_on_the_line_itself"]["1.1"] == OWN_SOLUTION
    assert said["tables_what_it_finds_in_the_memory"]["1.1"] == BY_HEART
    assert "ended its process" in said["keeps_the_inputs_for_a_second_start"]["1.1"]
    assert graded["copies_the_values"].note == "1.13 as it was when `use` lent the course's values"
    assert said["copies_the_values_unasked"]["1.13"] == "answers is missing or empty"
    assert graded["fills_the_disk"].note == graded["starts_without_end"].note == "1 cell ended the process"
    assert "asks and does not listen" in graded["asks_and_does_not_listen"].note


@pytest.mark.slow
@POSIX
@pytest.mark.parametrize("name", ["classmate0", "classmate1", *(name for name in HARMS if not name.startswith("asks"))])
def test_nobody_is_hurt(graded, name):
    assert {**points(graded[name]), "1.13": 0} == {"1.1": 2.0, "1.6": 3.0, "1.13": 0}, graded[name]


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")
def test_nothing_outlives_its_session(graded):
    time.sleep(0.2)
    lines = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                lines.append(file.read())
        except OSError:
            continue
    assert not [line for line in lines if b"time.sleep(601)" in line]


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="namespaces are Linux's")
def test_the_grades_of_others_and_the_list_of_the_class_are_not_seen(tmp_path, monkeypatch):
    for name in ("grades/feedback/a.html", "class.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("of others")
    spy = (
        f"import pathlib\nseen = [path.read_text() for path in pathlib.Path({str(tmp_path)!r}).rglob('*.*')\n"
        "        if path.is_file() and path.suffix != '.ipynb']\n"
        "def iou(a, b):\n    union = (a | b).sum()\n    return (a & b).sum() / union if union and 'of others' in seen "
        "else 0.5\n"
    )
    hand_in(tmp_path / "in" / "spy.ipynb", spy)
    monkeypatch.setattr(grading, "exercises", lambda: {"1.1": exercises()["1.1"]})
    found = {}
    for private in ((), (tmp_path / "grades", tmp_path / "class.csv")):
        with Prepared(tmp_path / "in", Settings(("1",), private=private)) as prepared:
            if prepared.house.in_force != JAIL:
                pytest.skip("this system makes no namespaces for users")
            (row,) = prepared.rows()
            found[len(private)] = row.points
    assert found[0] > 0, "the spy finds what is not hidden"
    assert found[2] == 0


@POSIX
def test_the_course_lends_nothing_that_is_too_large_or_takes_too_long():
    lender = Lender(memory=200 * 2**20)
    a, b = np.eye(4, dtype=bool), np.ones((4, 4), bool)
    try:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert decode(lender.lend("1.1", encode((a, b)))) == 0.25
        weight = find("3.5")
        large = tuple(20_000 for _ in weight.parameters)
        assert lender.lend("3.5", encode(large)) is None
        assert lender.lend("1.1", {"other": "nothing"}) is None
        os.kill(lender._pid, signal.SIGKILL)
        assert lender.lend("1.1", encode((a, b))) is None, "it is gone"
        assert decode(lender.lend("1.1", encode((a, b)))) == 0.25, "and there is a new one"
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 2**10
    finally:
        lender.end()


def test_who_ends_the_graders_process_costs_no_other_a_result():
    jobs = [(abs, (-number,)) for number in range(6)]
    jobs.insert(2, (os._exit, (3,)))
    jobs.append((int, ("x",)))
    found = {number: (result, why) for number, result, why in done_by_processes(jobs, 2)}
    assert found[2] == (None, "its process ended, twice")
    assert found[7][0] is None
    assert found[7][1].startswith("ValueError: invalid literal")
    rest = [number for number in range(8) if number not in (2, 7)]
    assert [found[number] for number in rest] == [(abs(jobs[number][1][0]), "") for number in rest]


@pytest.mark.slow
@POSIX
def test_without_a_jail_a_signal_to_the_grader_costs_nobody_else_a_point(tmp_path):
    hand_in(
        tmp_path / "in" / "a.ipynb", "import os\nos.kill(os.getppid(), 9)", "import segtutor\nsegtutor.check('1.1', 0)"
    )
    hand_in(tmp_path / "in" / "b.ipynb", IOU, "import segtutor\nsegtutor.check('1.1', iou)")
    with Prepared(tmp_path / "in", Settings(("1",), jailed=False)) as prepared:
        rows = {row.student: row for row in prepared.rows()}
    assert rows["a"].points == 0
    assert "the grader stopped: its process ended, twice" in rows["a"].note
    assert rows["b"].grades[0].points == 2.0
    assert rows["b"].note == ""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux finds orphans")
def test_without_a_jail_nothing_outlives_its_session_either(tmp_path):
    """What detaches itself, with nothing in its environment, and one that ends its grader besides."""
    detached = HARMS["outlives_its_session"]
    check = "import segtutor\nsegtutor.check('1.1', iou)"
    hand_in(tmp_path / "in" / "a.ipynb", detached, IOU, check)
    hand_in(
        tmp_path / "in" / "b.ipynb", f"{detached}\nimport time\ntime.sleep(1)\nos.kill(os.getppid(), 9)", IOU, check
    )
    hand_in(tmp_path / "in" / "c.ipynb", IOU, check)
    with Prepared(tmp_path / "in", Settings(("1",), jailed=False)) as prepared:
        assert prepared.house.in_force.endswith("whatever it starts ends with it")
        rows = {row.student: row.grades[0].points for row in prepared.rows()}
    assert rows == {"a": 2.0, "b": 0.0, "c": 2.0}
    test_nothing_outlives_its_session(None)
