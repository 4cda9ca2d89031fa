"""``segtutor export``: what it writes and says."""

from __future__ import annotations

import importlib.util
import json

import pytest
import torch

from segtutor import models
from segtutor.cli import main
from segtutor.labels import SCENES


def segtutor(line: str) -> int:
    """The exit status of a command line."""
    return main(line.split())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_course_checkpoint_as_a_graph_of_pytorch(folder, capsys):
    assert segtutor("export deeplabv3_tiny --weights course --format torch") == 0
    said = capsys.readouterr().out
    assert f"logits: B x {len(SCENES)} x H x W" in said
    assert "minus (0.485, 0.456, 0.406)" in said
    notes = {"notes.json": ""}
    graph = torch.export.load("deeplabv3_tiny.pt2", extra_files=notes).module()
    assert json.loads(json.loads(notes["notes.json"])["classes"]) == list(SCENES.names)
    model, images = models.create("deeplabv3_tiny", weights="course").eval(), torch.rand(1, 3, 99, 80)
    with torch.no_grad():
        torch.testing.assert_close(graph(images), model(images)["out"], rtol=1e-4, atol=1e-4)


@pytest.mark.skipif(importlib.util.find_spec("onnxscript") is None, reason="the packages for ONNX are not here")
def test_onnx_is_the_usual_format_and_the_ending_names_it(folder, capsys):
    assert segtutor("export deeplabv3_tiny --num-classes 4 --option rates=1,2 --out net.onnx --pictures") == 0
    said = capsys.readouterr().out
    assert "random: nothing was learned" in said
    assert "RGB from 0 to 1\n" in said
    assert [path.name for path in folder.iterdir()] == ["net.onnx"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("deeplabv3_tinny", "did you mean 'deeplabv3_tiny'"),
        ("deeplabv3_tiny --out net.pt2 --format onnx", "ends in .onnx"),
        ("deeplabv3_tiny --out no/net.pt2", "there is no folder"),
        ("maskrcnn_tiny --format torch", "is a detector"),
        ("efficientnet_lite0 --format torch", "only semantic networks"),
        ("deeplabv3_tiny --weights gone.pt --format torch", "gone.pt"),
    ],
)
def test_mistakes_get_one_sentence(folder, capsys, line, message):
    assert segtutor(f"export {line}") == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not list(folder.iterdir())


def test_missing_packages_are_named(folder, capsys, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert segtutor("export deeplabv3_tiny") == 2
    assert "pip install onnx onnxscript onnxruntime" in capsys.readouterr().err
