"""segtutor train and evaluate with a detector; what they do with semantic networks stands in test_train_evaluate."""

from __future__ import annotations

import json
import shlex

import pytest
import torch

from segtutor import models, resources
from segtutor.claims.detection import SCENE, objects
from segtutor.cli import main
from segtutor.datasets import Scenes
from segtutor.inference import evaluate_detector
from segtutor.labels import SCENES

SMALL = "--model maskrcnn_tiny --train-count 4 --val-count 3 --size 64x96 --steps 2 --batch-size 2 --device cpu"


def segtutor(line: str) -> int:
    """The exit status of a command line."""
    return main(shlex.split(line))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_recorded_command_makes_the_same_weights_and_evaluate_finds_the_recorded_score(folder, capsys):
    scene = "--scene scale_range=3 --scene crowd=0"
    assert segtutor(f"train {SMALL} {scene} --seed 4 --gradient-clip 5 --num-workers 1 --out net.pt") == 0
    record = json.loads((folder / "net.json").read_text())
    assert record["labels"] == list(SCENES.names)
    assert record["scored_on"] == "Scenes val, scale_range 3, crowd 0, 3 pictures, whole, one view"
    assert list(record["masks"]) == list(record["boxes"])
    assert len(record["masks"]) == 12
    assert record["objects"] > 0
    assert "mean_iou" not in record

    (folder / "net.pt").rename(folder / "first.pt")
    program, _, line = record["command"].partition(" ")
    assert program == "segtutor"
    assert "--scene scale_range=3 --scene crowd=0" in line
    assert segtutor(line) == 0  # without workers: the pictures are kept in memory
    first, again = (torch.load(name, weights_only=True) for name in ("first.pt", "net.pt"))
    assert first["notes"]["masks"] == again["notes"]["masks"] == record["masks"]
    for name, value in first["model"].items():
        assert torch.equal(value, again["model"][name]), name

    capsys.readouterr()
    line = f"evaluate --model maskrcnn_tiny --weights net.pt --count 3 --size 64x96 --device cpu {scene}"
    assert segtutor(line) == 0
    assert f"3 images, {record['objects']} objects" in capsys.readouterr().out


def test_training_starts_from_the_course_backbone(folder):
    assert segtutor(f"train {SMALL} --weights backbone --learning-rate 1e-12 --out net.pt") == 0
    model = models.create("maskrcnn_tiny", weights="net.pt")
    given = models.create("deeplabv3_tiny", weights="backbone").backbone.state_dict()
    for name, parameter in model.backbone.body.named_parameters():
        torch.testing.assert_close(parameter.data, given[name], rtol=0, atol=1e-8, msg=name)
    assert json.loads((folder / "net.json").read_text())["started_from"] == "backbone"


def test_training_starts_from_the_backbone_of_a_semantic_network(folder):
    semantic = models.create("deeplabv3_tiny", num_classes=33)
    models.save_weights(semantic, "semantic.pt")
    line = f"train {SMALL} --weights semantic.pt --layout segtutor_tiny_body --learning-rate 1e-12 --out net.pt"
    assert segtutor(line) == 0
    model = models.create("maskrcnn_tiny", weights="net.pt")
    for name, parameter in model.backbone.body.named_parameters():
        given = semantic.backbone.state_dict()[name]
        torch.testing.assert_close(parameter.data, given, rtol=0, atol=1e-8, msg=name)
    record = json.loads((folder / "net.json").read_text())
    assert record["started_from"] == "semantic.pt"
    assert "--weights semantic.pt --layout segtutor_tiny_body" in record["command"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"train {SMALL} --out net.pt --loss dice", "--loss is for semantic networks; maskrcnn_tiny is a detector"),
        (f"train {SMALL} --out net.pt --balance", "--balance is for semantic networks"),
        (f"train {SMALL} --out net.pt --crop 32x32", "--crop is for semantic networks"),
        (f"train {SMALL} --out net.pt --model maskrcnn_resnet50_fpn --weights backbone", "name ends in _tiny"),
        (f"train {SMALL} --out net.pt --layout segtutor_tiny_body", "give it with --weights FILE"),
        (f"train {SMALL} --out net.pt --scene fog=1", "--scene knows thin, scale_range"),
        (
            f"train {SMALL} --out net.pt --scene crowd=much",
            "--scene is NAME=NUMBER, as scale_range=6, not 'crowd=much'",
        ),
        (f"train {SMALL} --out net.pt --scene scale_range=0", "scale_range must be a number from 1 to 100"),
        ("evaluate --model maskrcnn_tiny --flip", "--flip is for semantic networks"),
        ("evaluate --model maskrcnn_tiny --window 64x64", "--window is for semantic networks"),
        ("evaluate --model maskrcnn_tiny --weights voc.pt --count 1", f"21 classes, but Scenes has {len(SCENES)}"),
    ],
)
def test_mistakes_get_one_sentence_and_leave_nothing(folder, capsys, line, message):
    if "voc.pt" in line:
        models.save_weights(models.create("maskrcnn_tiny", num_classes=21), "voc.pt")
    before = sorted(folder.iterdir())
    assert segtutor(line) == 2
    assert message in capsys.readouterr().err
    assert sorted(folder.iterdir()) == before


def test_half_of_the_bits_are_scored_as_they_are_written(folder, capsys):
    assert segtutor(f"train {SMALL} --option mask_threshold=0.4 --half --out net.pt") == 0
    stored = torch.load("net.pt", weights_only=True)
    assert {value.dtype for value in stored["model"].values()} == {torch.float16, torch.int64}
    record = json.loads((folder / "net.json").read_text())
    assert "--option mask_threshold=0.4" in record["command"]
    assert record["command"].count("--half") == 1
    model = models.create("maskrcnn_tiny", weights="net.pt")
    assert model.settings.mask_threshold == 0.4
    assert {value.dtype for value in model.parameters()} == {torch.float32}
    scenes = Scenes("val", count=3, size=(64, 96), target="instances")
    found = evaluate_detector(model, scenes, progress=False)
    assert {key: round(value, 4) for key, value in found.boxes.items()} == record["boxes"]


def test_the_network_of_five_minutes_keeps_its_promise():
    record = json.loads(resources.data("checkpoints", "maskrcnn_tiny_near.json").read_text())
    assert resources.data("checkpoints", "maskrcnn_tiny_near.pt").stat().st_size <= 8_000_000
    assert record["seconds"] <= 300
    assert record["masks"]["AP50"] >= 0.6
    assert record["scored_on"].endswith("200 pictures, whole, one view")


@pytest.mark.slow
def test_the_network_of_five_minutes_scores_what_its_record_says():
    record = json.loads(resources.data("checkpoints", "maskrcnn_tiny_near.json").read_text())
    words = record["command"].split()
    options = {
        words[at + 1].split("=")[0]: float(words[at + 1].split("=")[1])
        for at, word in enumerate(words)
        if word == "--scene"
    }
    height, width = map(int, words[words.index("--size") + 1].split("x"))
    model = models.create("maskrcnn_tiny", weights=resources.data("checkpoints", "maskrcnn_tiny_near.pt"))
    found = evaluate_detector(
        model, Scenes("val", count=200, size=(height, width), target="instances", **options), progress=False
    )
    assert found.masks["AP50"] == pytest.approx(record["masks"]["AP50"], abs=0.005)
    assert found.boxes["AP50"] == pytest.approx(record["boxes"]["AP50"], abs=0.005)


@pytest.mark.slow
def test_the_course_checkpoint_scores_what_its_record_says():
    record = json.loads(resources.data("checkpoints", "maskrcnn_tiny.json").read_text())
    assert resources.data("checkpoints", "maskrcnn_tiny.pt").stat().st_size <= 8_000_000
    words = record["command"].split()
    options = dict(words[at + 1].split("=") for at, word in enumerate(words) if word == "--scene")
    assert options == {name: str(value) for name, value in SCENE}
    model = models.create("maskrcnn_tiny", weights="course")
    found = evaluate_detector(model, objects("val", 200), progress=False)
    assert found.masks["AP50"] == pytest.approx(record["masks"]["AP50"], abs=0.005)
    assert found.boxes["AP50"] == pytest.approx(record["boxes"]["AP50"], abs=0.005)
