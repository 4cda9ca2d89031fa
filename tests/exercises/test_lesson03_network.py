"""Exercises 3.10 and 3.11: a network that is trained and handed in as a file, and a table of published figures."""

import ast
import inspect
import json
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from segtutor import resources
from segtutor.exercises.catalog import exercises, find
from segtutor.exercises.checking import judge, use
from segtutor.exercises.comparison import Requirement, difference
from segtutor.exercises.exercise import GRADING
from segtutor.exercises.lesson03 import fcn8s, published
from segtutor.exercises.lesson03.fcn8s_questions import (
    WEIGHTS,
    Score,
    asked,
    draw,
    mean_iou,
    save,
    train_once,
    trained,
)
from segtutor.exercises.solutions import code_of
from segtutor.grading import folder

MASTER = Path(__file__).parents[2] / "notebooks" / "source" / "assignment_03_fcn.py"


def learners_answer():
    return fcn8s.build_fcn8s()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_courses_own_network_scores_what_its_record_says_and_well_above_the_bar():
    record = json.loads(resources.data("checkpoints", "assignment_fcn8s.json").read_text())
    network = trained(fcn8s.build_fcn8s)
    assert mean_iou(network, 16) == pytest.approx(record["mean_iou_of_16"], abs=0.003)
    assert (
        mean_iou(network, 16) > max(case.wanted.least for case in fcn8s.EXERCISE.cases if "learned" in case.name) + 0.1
    )
    assert resources.data("checkpoints", "assignment_fcn8s.safetensors").stat().st_size < 1_000_000


def test_the_held_out_scenes_are_no_training_scenes():
    learned = draw("train", 400).images
    assert not any((learned == one).flatten(1).all(1).any() for one in draw("test", 16).images)


def test_a_grade_draws_few_scenes_to_learn_from_and_all_to_score_on(monkeypatch):
    monkeypatch.setenv(GRADING, "on")
    draw.cache_clear()
    assert (len(draw("train", 400)), len(draw("test", 16))) == (8, 16)
    draw.cache_clear()


def test_a_score_is_reached_or_missed_with_words():
    targets = draw("test", 4).maps.numpy()
    bar = Score(4, 0.35)
    assert isinstance(bar, Requirement)
    assert difference(np.where(targets == 255, 0, targets), bar, 0.0) is None
    assert difference(torch.tensor(np.where(targets == 255, 0, targets)), bar, 0.0) is None
    assert "mean IoU" in difference(np.zeros_like(targets), bar, 0.0)
    assert "4 label maps are wanted" in difference(targets[:3], bar, 0.0)
    assert "4 label maps are wanted" in difference("text", bar, 0.0)
    assert "classes 0 to 32 are wanted" in difference(np.full_like(targets, 40), bar, 0.0)
    assert "35 %" in repr(bar)


def test_the_file_beside_the_notebook_is_what_is_scored(here):
    before = judge(find("3.10"), learners_answer, 0)
    assert (before.state, before.hint, before.named) == ("not yet", "missing", True)
    save(fcn8s.build_fcn8s(), here / WEIGHTS)
    low = judge(find("3.10"), learners_answer, 0)
    assert (low.hint, low.passed_cases) == ("score", 5)
    save(trained(fcn8s.build_fcn8s), here / WEIGHTS)
    assert judge(find("3.10"), learners_answer, 0)
    save(torch.nn.Linear(2, 3), here / WEIGHTS)
    other = judge(find("3.10"), learners_answer, 0)
    assert (other.hint, other.named) == ("file", True)


def test_a_file_that_is_no_file_of_weights_breaks_nothing(here):
    (here / WEIGHTS).write_bytes(b"\x80\x04cos\nsystem\n(S'echo'\ntR.")  # what unpickling would run
    report = judge(find("3.10"), learners_answer, 0)
    assert (report.state, report.passed_cases) == ("not yet", 5)


def test_training_happens_once(here, capsys):
    calls = []

    def train(network, pictures):
        calls.append(pictures)
        with torch.no_grad():
            next(network.parameters()).fill_(7)

    train_once(learners_answer, train, "pictures")
    assert calls == ["pictures"]
    assert "belongs to your notebook" in capsys.readouterr().out
    assert next(trained(learners_answer).parameters()).unique().tolist() == [7]
    train_once(learners_answer, train, "pictures")
    assert len(calls) == 1
    assert "nothing is trained" in capsys.readouterr().out
    save(torch.nn.Linear(2, 3), here / WEIGHTS)  # of another network
    train_once(learners_answer, train, "pictures")
    assert len(calls) == 2


@pytest.mark.parametrize("empty", ["build", "train"])
def test_nothing_is_trained_before_both_are_written(here, capsys, empty):
    def stub(*_):
        raise NotImplementedError

    train_once(stub if empty == "build" else learners_answer, stub, None)
    assert "Nothing is trained yet" in capsys.readouterr().out
    assert not (here / WEIGHTS).exists()


def test_a_grade_trains_nothing(here, capsys, monkeypatch):
    monkeypatch.setenv(GRADING, "on")
    train_once(learners_answer, lambda *_: pytest.fail("trained"), None)
    assert "a grade trains nothing" in capsys.readouterr().out
    assert not (here / WEIGHTS).exists()


def test_who_has_none_goes_on_with_the_courses_network(here, capsys):
    def build_fcn8s():
        raise NotImplementedError

    assert mean_iou(trained(use("3.10", build_fcn8s)), 4) > 0.3
    assert "not solved yet" in capsys.readouterr().out


def test_asking_leaves_the_random_numbers_and_the_gradients_of_the_notebook_alone():
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    asked(fcn8s.build_fcn8s, ("alike", 2, 64, 64))
    assert torch.equal(torch.rand(2), wanted)
    assert torch.is_grad_enabled()


def test_the_notebook_trains_as_the_course_did():
    jupytext = pytest.importorskip("jupytext")
    cells = jupytext.reads(MASTER.read_text(encoding="utf-8"), fmt="py:percent").cells
    (cell,) = [one.source for one in cells if one.cell_type == "code" and "def train_fcn8s" in one.source]
    ours = ast.parse(inspect.getsource(fcn8s.train_fcn8s)).body[0]
    assert [ast.dump(step) for step in ast.parse(cell).body[0].body] == [ast.dump(step) for step in ours.body]


def test_a_little_training_makes_the_loss_smaller():
    from segtutor.models import Preprocessing

    torch.manual_seed(0)
    network, pictures = fcn8s.build_fcn8s(), draw("train", 8)
    images, maps = Preprocessing().normalize(pictures.images), pictures.maps.long()

    def loss():
        with torch.no_grad():
            return torch.nn.functional.cross_entropy(network(images), maps, ignore_index=255).item()

    before = loss()
    source = inspect.getsource(fcn8s.train_fcn8s).replace("steps = 300", "steps = 12")
    names = dict(vars(fcn8s))
    exec(source, names)
    names["train_fcn8s"](network, pictures)
    assert loss() < 0.8 * before


SUBMISSION = """
import segtutor, torch
from torch import nn
from torch.nn import functional as F
from segtutor.exercises.lesson03.fcn8s_questions import train_once
{build}
def train_fcn8s(network, pictures):
    raise SystemExit("trained all the same")
train_once(build_fcn8s, train_fcn8s, None)
segtutor.check("3.10", build_fcn8s)
"""
OWN = code_of(find("3.10")).replace("def build_fcn8s():", "def build_fcn8s():\n    mine = True")
"""Not the published solution to the letter, which would earn nothing."""


def write(path, source):
    path.parent.mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), path)


@pytest.mark.slow
def test_a_grade_reads_the_file_and_trains_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "exercises", lambda: {"3.10": exercises()["3.10"]})
    for name in ("anna", "ben", "carl"):
        write(tmp_path / f"{name}.ipynb", SUBMISSION.format(build=OWN))
    save(trained(fcn8s.build_fcn8s), tmp_path / f"anna.{WEIGHTS}")
    save(fcn8s.build_fcn8s(), tmp_path / f"ben.{WEIGHTS}")
    with folder.Prepared(tmp_path, folder.Settings(("3",))) as prepared:
        rows = {row.submission: row for row in prepared.rows()}
    assert rows["anna.ipynb"].points == fcn8s.EXERCISE.points
    assert rows["anna.ipynb"].note == ""
    assert 0 < rows["ben.ipynb"].points == rows["carl.ipynb"].points < fcn8s.EXERCISE.points
    assert "learned" in rows["ben.ipynb"].grades[0].reason
    assert "FileNotFoundError" in rows["carl.ipynb"].grades[0].reason
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [f"anna.{WEIGHTS}", f"ben.{WEIGHTS}", "anna.ipynb", "ben.ipynb", "carl.ipynb"]
    )


def test_every_row_of_the_table_is_a_published_result():
    rows = json.loads(resources.data("published_results.json").read_text())["results"]
    sources = {"Long et al. 2015": "fcn_cvpr", "Shelhamer": "fcn_pami", "the authors": "fcn_release", "mmseg": "mmseg"}
    for one in published.TABLE:
        source = next(key for start, key in sources.items() if one.source.startswith(start))
        year, split = one.pictures.split(",")[0].removeprefix("VOC ").split()
        found = [row for row in rows if (row["source"], row["value"]) == (source, one.percent)]
        assert len(found) == 1, one
        assert (found[0]["dataset"], found[0]["split"]) == (f"PASCAL VOC {year}", split)
        assert found[0]["backbone"].replace("-", "") == one.backbone.split(",")[0].replace("-", "")
        assert (found[0]["test_time"] == "multi-scale and flip") == (one.test_time != "one scale")
        assert one.network.startswith("FCN, no skips") or found[0]["model"] == one.network


def test_the_rule_finds_each_pair_and_no_other():
    """By hand, for all 36 pairs: in how many of the columns do they differ?"""
    columns = ("backbone", "network", "training", "pictures", "test_time")
    alone = {}
    for first in published.TABLE:
        for second in published.TABLE:
            differ = [name for name in columns if getattr(first, name) != getattr(second, name)]
            if first.row < second.row and len(differ) == 1:
                alone.setdefault(differ[0], []).append(first.row + second.row)
    assert alone == {
        "network": ["AB", "AC", "BC", "EF"],
        "pictures": ["CD", "FG"],
        "training": ["AE", "CF", "DG"],
        "test_time": ["HI"],
    }
