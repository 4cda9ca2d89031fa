"""A class for each assignment, of right and wrong answers written by people: every grade is what the answers earn.

The answers are those of tests/exercises/blind. What each earns is known in advance: a right one all points, a wrong
one what its outcomes earn when they are computed here, without a room, a worker and a wire between. Every fourth
student has a cell of TROUBLE first, which changes no point; some take what they must not, forge messages, return
200 MB, or hand in what nobody can read. They hand in as people and platforms do (WAYS): archives in archives, other
encodings, names of Moodle, Canvas and Classroom, names that are no text, older versions beside the newest.
As a program it grades classes of any size: ``python -m tests.grading.test_simulated 60 3`` for assignment 3.
"""

from __future__ import annotations

import copy
import io
import os
import sys
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from segtutor.exercises.catalog import exercises
from segtutor.exercises.checking import outcomes_of
from segtutor.grading.class_report import tasks_of
from segtutor.grading.folder import Prepared, Settings
from segtutor.grading.points import grade, without_points
from segtutor.grading.room import Limits
from segtutor.grading.submissions import Student
from tests.exercises.test_blind import RIGHT, WRONG
from tests.grading.handing_in import hand_in, notebook

BLIND = Path(__file__).parents[1] / "exercises" / "blind"
LOAD = """
import importlib.abc, importlib.util, sys
class Sources(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    texts = {sources!r}
    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name.replace(".", "/") in self.texts else None
    def get_source(self, name):
        return self.texts[name.replace(".", "/")]
    def is_package(self, name):
        return any(other.startswith(name.replace(".", "/") + "/") for other in self.texts)
for name in Sources.texts:
    sys.modules.pop(name.replace("/", "."), None)
sys.meta_path.insert(0, Sources())
"""
PICK = """
from tests.exercises.blind import {module} as _blind
_found = _blind.{kind}["{exercise}"][{number}]
{name} = getattr(_found, "answer", None) or _found[1]
"""
LESSONS = list(dict.fromkeys(one.lesson for one in exercises().values()))
TROUBLE = {
    "fails": "1 / 0",
    "prints without end": "while True:\n    print('x' * 1_000_000)",
    "never ends": "while True:\n    pass",
    "ends the process": "import os\nos._exit(3)",
    "crashes": "import ctypes\nctypes.string_at(0)",
    "fills the memory": "a = []\nwhile True:\n    a.append(bytearray(1 << 28))",
    "leaves": "exit()",
    "no Python": "this is no (",
    "leaves a process": (
        "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'], "
        "start_new_session=True)"
    ),
    "writes where it must not": (
        "import segtutor, pathlib\npathlib.Path(segtutor.__file__).write_text('raise SystemExit')"
    ),
    "writes what IPython starts with": (
        "import os, pathlib\nfor base in {pathlib.Path.home() / '.ipython', pathlib.Path(os.environ['IPYTHONDIR'])}:\n"
        "    f = base / 'profile_default/startup/x.py'\n    f.parent.mkdir(parents=True, exist_ok=True)\n"
        "    f.write_text('raise SystemExit')"
    ),
    "writes to paths that it reads in /proc": (
        "import pathlib, re\nfor place in pathlib.Path('/proc').glob('[0-9]*'):\n"
        "    for name in ('cmdline', 'environ', 'maps', 'mountinfo'):\n        try:\n"
        "            text = (place / name).read_bytes().decode('utf-8', 'replace')\n"
        "        except OSError:\n            continue\n"
        "        for path in set(re.findall(r'/[\\w./-]*(?:segtutor|rooms|grade)[\\w./-]*', text)):\n"
        "            for target in (pathlib.Path(path), pathlib.Path(path) / '__init__.py'):\n"
        "                try:\n                    target.write_text('raise SystemExit')\n"
        "                except OSError:\n                    pass"
    ),
    "is killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "forges a result": (
        "import socket, json\nvalue = dict(array='AA==', dtype='S2000000000', shape=[1])\n"
        "one = dict(kind='returned', value=value, error='', message='', line='', position=0)\n"
        "text = json.dumps(dict(exercise='LESSON.1', outcomes=[one] * 9)).encode() + b'\\n'\n"
        "for n in range(3, 64):\n    try:\n        s = socket.socket(fileno=n)\n        s.sendall(text)\n"
        "        s.detach()\n    except OSError:\n        pass"
    ),
}
"""Cells that cost no point."""
TAKES = "from segtutor.exercises.catalog import find\nanswer = find('{lesson}.1').reference"
FORGES = (
    "import os\nfor name in os.listdir('/proc/self/fd'):\n    try:\n"
    "        if os.readlink('/proc/self/fd/' + name).startswith('socket'):\n"
    "            os.write(int(name), b'[' * 100_000 + b'\\n')\n    except OSError:\n        pass"
)
"""A line that no worker of ours sends: nothing that comes after it is believed."""
LARGE = "import numpy as np\ndef {name}(*inputs):\n    return np.zeros(25_000_000)"
UNREADABLE = (b"", b"{ no notebook", b"[1]", b"\x89PNG\r\n", b"[" * 200_000)
LIMITS = Limits(seconds_per_cell=3, seconds=300, memory=2 * 2**30)


def archive(*entries):
    """A zip file's bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, content in entries:
            file.writestr(name, content)
    return packed.getvalue()


def plainly(name, text):
    return {f"{name}.ipynb": text.encode()}


NO_TEXT = os.fsdecode(b"caf\xe9") if sys.platform.startswith("linux") else "café"
"""Where the system takes it, bytes that are no UTF-8."""
WAYS = (
    plainly,
    lambda name, text: {f"{name}.IPYNB": text.encode("utf-8-sig")},
    lambda name, text: {f"{name}/work.ipynb": text.encode("utf-16")},
    lambda name, text: {f"A Name_{name}_77_assignsubmission_file_/03_fcn.ipynb": text.encode()},
    lambda name, text: {f"{name}_LATE_12_345_03_fcn-1.ipynb": text.encode()},
    lambda name, text: {f"Copy of 03_fcn - {name} (1).ipynb": text.encode()},
    lambda name, text: {f"{name}.zip": archive(("__MACOSX/._a.ipynb", "x"), ("deep/er/a.ipynb", text))},
    lambda name, text: {f"all of {name}.zip": archive((f"{name}.zip", archive(("a.ipynb", text))))},
    lambda name, text: {f"{NO_TEXT} {name}.ipynb": text.encode()},
    lambda name, text: {f"{name}_12_300_a.ipynb": b'{"cells": []}', f"{name}_12_301_a-1.ipynb": text.encode()},
)
"""How a notebook is handed in: files by their names. Of the last one's two, the newer counts."""


def choices(lesson):
    """For each exercise that asks for a function, its answers: kind, module, number and the function itself."""
    import importlib

    found = {}
    for path in sorted(BLIND.glob("lesson*.py")):
        if "segtutor.exercises" in path.read_text(encoding="utf-8"):
            continue  # it borrows from the course, which a graded notebook cannot
        module = importlib.import_module(f"tests.exercises.blind.{path.stem}")
        for kind in ("RIGHT", "WRONG"):
            for exercise, answers in getattr(module, kind).items():
                if exercises()[exercise].lesson == lesson and not exercises()[exercise].asks_for_values:
                    for number, answer in enumerate(answers):
                        function = answer.answer if kind == "WRONG" else answer[1]
                        found.setdefault(exercise, []).append((kind, path.stem, number, function))
    return found


def sources():
    names = {"tests": "", "tests.exercises": ""}
    names["tests.exercises.blind"] = (BLIND / "__init__.py").read_text(encoding="utf-8")
    for path in sorted(BLIND.glob("*.py"), key=lambda one: (not one.stem.startswith(("answers", "later")), one.stem)):
        text = path.read_text(encoding="utf-8")
        if path.stem != "__init__" and "segtutor.exercises" not in text:
            names[f"tests.exercises.blind.{path.stem}"] = text
    return names


def hand_in_class(folder, lesson, size):
    """Notebooks of a class; what each student's answers earn, by student and exercise."""
    offered, earned = choices(lesson), {}
    texts = {name.replace(".", "/"): text for name, text in sources().items()}
    for number, content in enumerate(UNREADABLE):
        (folder / f"broken{number}").mkdir(parents=True)
        (folder / f"broken{number}" / "a.ipynb").write_bytes(content)
    for student in range(size):
        trouble = list(TROUBLE.values())[student // 4 % len(TROUBLE)] if student % 4 == 0 else "x = 1"
        cells, mine = [trouble.replace("LESSON", lesson)], {}
        cells.append(LOAD.format(sources=texts))
        for place, (exercise_id, answers) in enumerate(offered.items()):
            kind, module, number, function = answers[(student * 7 + place * 3) % len(answers)]
            exercise = exercises()[exercise_id]
            cells.append(PICK.format(module=module, kind=kind, exercise=exercise_id, number=number, name=exercise.name))
            mine[exercise_id] = what_it_earns(exercise, function)
        name = f"student{student:02d}"
        if student % 20 == 9:
            exercise = exercises()[next(iter(offered))]
            cells.append(LARGE.format(name=exercise.name))
            mine[exercise.id] = what_it_earns(exercise, lambda *inputs: "an array of 200 MB")
        if student % 20 == 14:
            cells.append(FORGES)
            mine = {one: without_points(exercises()[one], "no answer came back") for one in mine}
        if student % 20 == 19:
            cells.append(TAKES.format(lesson=lesson))
            mine = {one: without_points(exercises()[one], "takes the solution") for one in mine}
        earned[name] = mine
        text = notebook(*cells, f"import segtutor\nsegtutor.check('{lesson}.1', None)")
        for file, content in WAYS[student % len(WAYS)](name, text).items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    other = next(one for one in LESSONS if one != lesson)
    hand_in(folder / "another.ipynb", f"import segtutor\nsegtutor.check('{other}.1', None)")
    return earned


def what_it_earns(exercise, answer):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        arguments = [copy.deepcopy(case.arguments) for case in exercise.cases]
        return grade(exercise, (), outcomes_of(exercise.prepared(answer), arguments, exercise.seconds))


def compare(folder, lesson, size, jobs):
    """Pairs of what was given and what was earned that differ, and the rows."""
    earned = hand_in_class(folder, lesson, size)
    roster = [Student(name, (name,)) for name in earned]
    with Prepared(folder, Settings((lesson,), limits=LIMITS, jobs=jobs), roster) as prepared:
        rows = list(prepared.rows())
    reasons = Counter(one.reason.split(":")[0] for one in prepared.left_out)
    older = sum(number for reason, number in reasons.items() if "handed in a newer one" in reason)
    assert older == sum(len(WAYS[student % len(WAYS)]("", "")) == 2 for student in range(size))
    assert reasons[f"it belongs to assignment {LESSONS[0] if lesson != LESSONS[0] else LESSONS[1]}; asked for"] == 1
    assert len(prepared.left_out) == len(UNREADABLE) + older + 1
    assert {row.student for row in rows} == set(earned)
    differ = [
        (row.student, one.exercise, one.points, earned[row.student][one.exercise].points, one.reason)
        for row in rows
        for one in row.grades
        if one.exercise in earned[row.student] and one.points != earned[row.student][one.exercise].points
    ]
    return differ, rows, earned


def test_there_are_answers_for_most_tasks():
    assert len(RIGHT) > 100
    assert len(WRONG) > 500
    for lesson in LESSONS:
        asked = [one for one in exercises().values() if one.lesson == lesson and not one.asks_for_values]
        assert len(choices(lesson)) >= 0.6 * len(asked), lesson


@pytest.mark.slow
@pytest.mark.parametrize("lesson", LESSONS)
def test_every_grade_of_a_class_is_what_the_answers_earn(tmp_path, lesson):
    differ, rows, earned = compare(tmp_path / "in", lesson, 4, 1)
    assert differ == []
    assert unnamed(rows, earned) == []


def unnamed(rows, earned):
    """The tasks of which the report of the class does not say what was planted."""
    found = []
    for task in tasks_of(rows):
        if task.exercise in next(iter(earned.values())):
            mine = [one[task.exercise] for one in earned.values()]
            full = sum(one.points == one.out_of for one in mine)
            named = Counter(one.mistake for one in mine if one.mistake and one.points < one.out_of)
            if task.full != full or dict(task.mistakes) != named:
                found.append((task.exercise, task.full, full, task.mistakes, named))
    return found


if __name__ == "__main__":
    import tempfile
    import time

    size, lessons = int(sys.argv[1]), sys.argv[2:] or LESSONS
    for lesson in lessons:
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            differ, rows, earned = compare(Path(folder) / "in", lesson, size, 2)
            right = sum(one.points == one.out_of for row in rows for one in row.grades)
            given = sum(len(row.grades) for row in rows)
            print(f"assignment {lesson}: {size} students, {right} of {given} answers with all points, "
                  f"{len(differ)} other grades than earned, {len(unnamed(rows, earned))} tasks whose mistakes are not "
                  f"named, {time.monotonic() - started:.0f} s", flush=True)  # fmt: skip
            print(*differ[:5], *unnamed(rows, earned)[:5], sep="\n")
