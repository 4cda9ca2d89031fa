"""A class whose grading is killed in the middle, and again while new hidden cases are graded, loses nothing.

python -m tests.grading.test_interrupted 30      with so many submissions, as a story
"""

import csv
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.grading.handing_in import IOU, hand_in
from tests.grading.test_class import table_of_the_public_cases

ROOT = Path(__file__).parents[2]
CHECK = "import segtutor\nsegtutor.check('1.1', iou)"
WRONG_IN_ONE_HIDDEN_CASE = IOU.replace("    union", "    if a.shape == (1, 9):\n        return 0.5\n    union")
ROW = re.compile(r" *[\d.]+ of \d+  ")


def printed_example() -> str:
    """The hidden cases that the page for instructors shows, from the first line to the last."""
    page = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
    (found,) = (block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "CASES" in block)
    return found


def class_of(count: int, folder: Path) -> None:
    """So many submissions to assignment 1, every fifth of the same kind."""
    kinds = [
        (IOU, CHECK),
        (table_of_the_public_cases(), CHECK),
        (WRONG_IN_ONE_HIDDEN_CASE, CHECK),
        ("def iou(a, b):\n    ...", "import segtutor"),
        (IOU, CHECK, "raise SystemExit"),
    ]
    for number in range(count):
        hand_in(folder / f"{number:03d}.ipynb", *kinds[number % len(kinds)], f"# {number}")


def grade(base: Path, out: str, *more: str, killed_after: int | None = None) -> int:
    """Grade as a shell does; kill the grader after so many rows. How many rows it wrote that were not known before."""
    command = [sys.executable, "-m", "segtutor.cli", "grade", "submissions", "--assignment", "01", "--out", out, *more]
    record = base / out / "rows.jsonl"
    before = lines_of(record)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=base, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if ROW.match(line) and lines_of(record) - before == killed_after:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == (0 if killed_after is None else -signal.SIGKILL)
    return lines_of(record) - before


def lines_of(record: Path) -> int:
    return record.read_bytes().count(b"\n") if record.is_file() else 0


def table(base: Path, out: str) -> dict[str, tuple[str, ...]]:
    """What is in the table of grades, by student."""
    with (base / out / "grades.csv").open(newline="", encoding="utf-8") as file:
        return {row["student"]: tuple(row.values()) for row in csv.DictReader(file)}


def points(rows: dict[str, tuple[str, ...]]) -> dict[str, float]:
    return {name: float(row[3]) for name, row in rows.items()}


def files(base: Path, out: str) -> dict[str, str]:
    """All that a teacher and a class get, by name."""
    return {
        str(path.relative_to(base / out)): path.read_text(encoding="utf-8")
        for path in sorted((base / out).rglob("*"))
        if path.is_file() and path.name != "rows.jsonl"
    }


def story(base: Path, count: int) -> None:
    """Twice killed, and once undisturbed; says what it did."""
    class_of(count, base / "submissions")
    third = max(1, count // 3)
    assert grade(base, "killed", killed_after=third) == third
    assert not (base / "killed" / "grades.csv").exists()
    assert grade(base, "killed") == count - third
    first = table(base, "killed")
    print(f"killed after {third} of {count} rows, gone on: {len(first)} graded")

    (base / "private").mkdir()
    (base / "private" / "01.py").write_text(printed_example(), encoding="utf-8")
    hidden = ("--hidden", "private")
    assert grade(base, "killed", *hidden, killed_after=third) == third
    assert table(base, "killed") == first, "until all are graded anew the table is the one from before"
    with (base / "killed" / "rows.jsonl").open("a") as file:
        file.write('{"student": "cut o')  # as a full disk cuts off a line
    assert grade(base, "killed", *hidden) == count - third + 1
    again = table(base, "killed")
    print(f"with hidden cases killed after {third} of {count} rows, gone on: {len(again)} graded")
    assert grade(base, "killed", *hidden) == 0, "the row behind the line that was cut off is known, too"

    assert grade(base, "undisturbed", *hidden) == count
    assert files(base, "killed") == files(base, "undisturbed")
    before, after = points(first), points(again)
    assert len(before) == len(after) == count
    expected = {0: (2, 2), 1: (2, 0), 2: (2, None), 3: (0, 0), 4: (2, 2)}
    for number in range(count):
        was, now = expected[number % 5]
        name = f"{number:03d}"
        assert before[name] == was, name
        assert after[name] == now if now is not None else 0 < after[name] < was, name
    changed = sum(before[name] != after[name] for name in before)
    print(f"the same as an undisturbed run, byte for byte; {changed} of {count} lost points, all by hidden cases")


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kills the grader and looks for what it left in /proc")
def test_killed_twice_and_nothing_is_lost(tmp_path):
    story(tmp_path, 5)
    time.sleep(1)
    mine = str(tmp_path).encode()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            started_in = os.readlink(f"/proc/{pid}/cwd").encode()
        except OSError:
            continue
        assert int(pid) == os.getpid() or not started_in.startswith(mine)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        story(Path(folder), int(sys.argv[1]))
