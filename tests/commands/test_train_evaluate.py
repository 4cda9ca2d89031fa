from __future__ import annotations

import json
import shlex

import pytest
import torch

from segtutor import models
from segtutor.cli import main
from segtutor.labels import SCENES

SMALL = "--train-count 6 --val-count 3 --size 48x64 --steps 3 --batch-size 2 --device cpu"


def segtutor(line: str) -> int:
    """The exit status of a command line."""
    return main(shlex.split(line))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_recorded_command_makes_the_same_weights_and_evaluate_finds_the_recorded_score(folder, capsys):
    assert segtutor(f"train {SMALL} --seed 4 --warmup-steps 1 --out net.pt") == 0
    record = json.loads((folder / "net.json").read_text())
    assert record["labels"] == list(SCENES.names)
    assert (record["seed"], record["steps"], record["batch_size"], record["longest_side"]) == (4, 3, 2, 64)
    assert record["versions"]["torch"] == torch.__version__
    assert sorted(path.name for path in folder.iterdir()) == ["net.json", "net.pt"]

    (folder / "net.pt").rename(folder / "first.pt")
    program, _, line = record["command"].partition(" ")
    assert program == "segtutor"
    assert segtutor(line) == 0
    first, again = (torch.load(name, weights_only=True) for name in ("first.pt", "net.pt"))
    assert first["notes"]["mean_iou"] == again["notes"]["mean_iou"] == record["mean_iou"]
    for name, value in first["model"].items():
        assert torch.equal(value, again["model"][name]), name

    capsys.readouterr()
    assert segtutor("evaluate --weights net.pt --count 3 --size 48x64 --device cpu") == 0
    said = capsys.readouterr().out
    assert f"mean IoU {100 * record['mean_iou']:.2f} %" in said
    assert f"over {record['classes_counted']} classes" in said


def test_a_run_goes_on_from_its_checkpoint(folder):
    assert segtutor(f"train {SMALL} --out a.pt --checkpoint run.pt --resume") == 0
    assert segtutor(f"train {SMALL} --out b.pt --checkpoint run.pt --resume") == 0  # all steps are done
    one, other = (torch.load(name, weights_only=True)["model"] for name in ("a.pt", "b.pt"))
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_training_starts_from_weights_and_options(folder):
    assert segtutor(f"train {SMALL} --option output_stride=16 --option rates=1,2,3 --out a.pt") == 0
    assert models.create("deeplabv3_tiny", weights="a.pt").config.options == {"output_stride": 16, "rates": (1, 2, 3)}
    line = f"train {SMALL} --steps 1 --learning-rate 1e-12 --weights {folder}/a.pt --out b.pt"
    assert segtutor(f"{line} --head-factor 10 --loss 'cross_entropy + dice'") == 0
    one, other = (torch.load(name, weights_only=True)["model"] for name in ("a.pt", "b.pt"))
    weight = "backbone.stem.0.weight"
    torch.testing.assert_close(one[weight], other[weight], atol=1e-8, rtol=0)
    records = [json.loads((folder / name).read_text()) for name in ("a.json", "b.json")]
    assert records[0]["started_from"] is None
    assert records[1]["started_from"] == records[0]
    assert "--weights a.pt" in records[1]["command"]
    assert "--seed 0 " in records[1]["command"]
    assert "--head-factor 10.0 " in records[1]["command"]
    assert "--loss cross_entropy+dice " in records[1]["command"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"train {SMALL} --out net.h5", "end in .pt"),
        (f"train {SMALL} --out no/such/net.pt", "there is no folder"),
        (f"train {SMALL} --out net.pt --keep-best", "--keep-best chooses among the scores of --evaluate-every"),
        (f"train {SMALL} --out net.pt --data nowhere", "there is no folder nowhere"),
        (f"train {SMALL} --out net.pt --recipe nothing", "there is no recipe 'nothing'"),
        ("evaluate --weights backbone", "the layers that name the classes would be random"),
        (f"train {SMALL} --out net.pt --model hrnet", "there is no network 'hrnet'"),
        (f"train {SMALL} --out net.pt --learning-rate=-1", "learning_rate is -1.0"),
        (f"train {SMALL} --out net.pt --loss hinge", "loss is 'hinge'"),
        (f"train {SMALL} --out net.pt --learning-rate 1e30 --optimizer sgd", "at step"),
        ("evaluate --weights gone.pt", "gone.pt"),
        ("evaluate --weights voc.pt --count 1 --size 48x64", f"21 classes, but {SCENES.title} has {len(SCENES)}"),
    ],
)
def test_mistakes_get_one_sentence_and_leave_nothing(folder, capsys, line, message):
    if "voc.pt" in line:
        models.save_weights(models.create("deeplabv3_tiny", num_classes=21), "voc.pt")
    before = sorted(folder.iterdir())
    assert segtutor(line) == 2
    assert message in capsys.readouterr().err
    assert sorted(folder.iterdir()) == before


def test_a_run_goes_on_without_a_checkpoint_being_named_and_takes_more_steps(folder, capsys, monkeypatch):
    from segtutor import inference

    def broken(*_, **__):
        raise ValueError("picture 2 is broken")

    assert segtutor(f"train {SMALL} --out whole.pt") == 0
    monkeypatch.setattr(inference, "evaluate", broken)
    assert segtutor(f"train {SMALL} --out net.pt") == 2
    said = capsys.readouterr().err
    assert "picture 2 is broken" in said
    assert "the trained weights are in net.pt" in said
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    one, other = (torch.load(name, weights_only=True)["model"] for name in ("net.pt", "whole.pt"))
    assert all(torch.equal(value, other[name]) for name, value in one.items())
    assert segtutor(f"train {SMALL} --out net.pt --resume") == 0
    assert sorted(path.name for path in folder.iterdir()) == ["net.json", "net.pt", "whole.json", "whole.pt"]


def test_other_classes_other_formats_and_the_best_score(folder):
    models.save_weights(models.create("deeplabv3_tiny", num_classes=4), "four.pt")
    line = f"train {SMALL} --weights {folder}/four.pt --out net.safetensors --log log.csv"
    assert segtutor(line) == 2
    assert (
        segtutor(f"{line} --replace-head --evaluate-every 1 --keep-best --average 0.5 --batch-size 4 --accumulate 2")
        == 0
    )
    record = json.loads((folder / "net.json").read_text())
    model = models.create("deeplabv3_tiny", weights="net.safetensors")
    assert model.class_names == SCENES.names
    assert (folder / "log.csv").read_text().startswith("step,loss,learning_rate,mean_iou")
    from segtutor.datasets import Scenes
    from segtutor.inference import evaluate

    score = evaluate(model, Scenes("val", (48, 64), 3), progress=False)
    assert score.mean_iou == pytest.approx(record["mean_iou"], abs=1e-4)
    assert not list(folder.glob("net.*.pt"))


@pytest.mark.slow
def test_the_course_checkpoint_scores_what_its_record_says(capsys):
    from segtutor import resources
    from segtutor.datasets import Scenes
    from segtutor.inference import evaluate

    record = json.loads(resources.data("checkpoints", "deeplabv3_tiny.json").read_text())
    assert resources.data("checkpoints", "deeplabv3_tiny.pt").stat().st_size <= 8_000_000
    model = models.create("deeplabv3_tiny", weights="course")
    result = evaluate(model, Scenes("val", size=(128, 160), count=200), progress=False)
    assert result.mean_iou == pytest.approx(record["mean_iou"], abs=0.005)
    assert result.mean_iou >= 0.75
