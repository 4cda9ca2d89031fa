"""A class with numbers of its own: hidden cases come from the secret, and who hands in another variant is told."""

import numpy as np
import pytest

from segtutor.cli import main
from segtutor.exercises import seeds
from segtutor.exercises.catalog import exercises
from segtutor.exercises.variants import drawn_for, name_of
from segtutor.grading import folder as grading
from segtutor.grading.folder import Prepared, Settings, other_variant
from segtutor.grading.points import BY_HEART
from tests.grading.handing_in import IOU, PRECISION_RECALL, hand_in

SECRET, TWO = "words of this year", {"1.1": 2, "1.6": 3}


def line(secret):
    return f'import segtutor\nsegtutor.variant("{name_of(secret)}")'


def table_of_the_public_cases():
    with drawn_for(name_of(SECRET)) as others:
        exercise = others["1.1"]
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
    folder = tmp_path_factory.mktemp("class") / "in"
    hand_in(folder / "right.ipynb", line(SECRET), IOU, PRECISION_RECALL)
    hand_in(folder / "by_heart.ipynb", line(SECRET), table_of_the_public_cases(), PRECISION_RECALL)
    hand_in(folder / "of_last_year.ipynb", line("words of last year"), IOU, PRECISION_RECALL)
    hand_in(folder / "without.ipynb", IOU, PRECISION_RECALL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grading, "exercises", lambda: {name: exercises()[name] for name in TWO})
        with Prepared(folder, Settings(("1",), variant=SECRET)) as prepared:
            return {row.student: row for row in prepared.rows()}


def test_right_answers_and_those_learned_by_heart(graded):
    assert (graded["right"].points, graded["right"].note) == (5.0, "")
    assert graded["by_heart"].points == 3.0
    assert graded["by_heart"].grades[0].reason == BY_HEART


def test_who_hands_in_another_variant_is_told(graded):
    name = name_of(SECRET)
    assert graded["of_last_year"].note == (
        f"handed in with the variant '{name_of('words of last year')}', graded with {name}"
    )
    assert graded["without"].note == f"handed in with the course's own numbers, graded with {name}"
    assert graded["without"].points == 5.0, "a right function is right with all numbers"


def test_a_variant_that_nobody_asked_for_is_told_too():
    cells = ["import segtutor\n# segtutor.variant('aaaaaaaaaaaa')\nsegtutor.variant('bbbbbbbbbbbb')"]
    assert (
        other_variant(cells, "")
        == "handed in with the variant 'bbbbbbbbbbbb', graded with the own numbers of the course"
    )
    assert other_variant(cells, "bbbbbbbbbbbb") == ""
    assert other_variant(["# segtutor.variant('bbbbbbbbbbbb')"], "") == ""


def test_values_follow_the_variant(tmp_path, monkeypatch):
    with drawn_for(name_of(SECRET)) as others:
        right = others["1.13"].reference(*others["1.13"].given())
    old = exercises()["1.13"].reference(*exercises()["1.13"].given())
    hand_in(tmp_path / "in" / "new.ipynb", line(SECRET), f"answers = {right!r}")
    hand_in(tmp_path / "in" / "old.ipynb", line(SECRET), f"answers = {old!r}")
    counted = (
        "from segtutor.exercises.lesson01 import drawn_segments\ntruth, _ = drawn_segments()\n"
        "import numpy as np\nseen = ''.join(truth.ravel())"
    )
    hand_in(tmp_path / "in" / "sees.ipynb", counted, "answers = {'tp': len(seen), 'fn': seen.count('A')}")
    monkeypatch.setattr(grading, "exercises", lambda: {"1.13": exercises()["1.13"]})
    with Prepared(tmp_path / "in", Settings(("1",), variant=SECRET)) as prepared:
        points = {row.student: row.points for row in prepared.rows()}
    assert points["new"] == exercises()["1.13"].points
    assert (
        points["old"] <= 0.7 * exercises()["1.13"].points
    )  # 27 % of the numbers of two variants are equal, on average
    assert seeds.chosen() == ""
    assert np.isfinite(points["sees"])


def test_release_writes_the_variant_and_says_what_stays(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("segtutor.exercises.variants.faults", lambda secret, lesson: [])
    assert main(["release", "--assignment", "04", "--to", str(tmp_path), "--untried", "--variant", SECRET]) == 0
    said = capsys.readouterr().out
    assert f"variant {name_of(SECRET)}" in said
    assert "4.11" in said
    assert "each learner declares an experiment of their own" in said
    assert f"--variant '{SECRET}' grades what comes back" in said
    assert name_of(SECRET) in (tmp_path / "04_pspnet.ipynb").read_text(encoding="utf-8")
    assert SECRET not in (tmp_path / "04_pspnet.ipynb").read_text(encoding="utf-8")


def test_words_that_make_no_good_variant_are_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("segtutor.exercises.variants.faults", lambda secret, lesson: ["4.1: a right answer fails: x"])
    assert main(["release", "--assignment", "04", "--to", str(tmp_path), "--untried", "--variant", SECRET]) == 2
    assert "take others: 4.1: a right answer fails" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
