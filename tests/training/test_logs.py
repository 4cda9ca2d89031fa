from __future__ import annotations

import csv
import importlib.util
import sys
import types

import pytest

from segtutor.training import fit
from segtutor.training.logs import Board, write_log
from tests.training.test_loop import Blobs, config, network


def test_the_table_has_a_line_per_step_and_scores_where_there_were_some(tmp_path):
    path = tmp_path / "log.csv"
    write_log(path, {"loss": [3.0, 2.5], "learning_rate": [0.1, 0.05]}, [{"step": 2, "mean_iou": 0.25}])
    with path.open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["step", "loss", "learning_rate", "mean_iou"], ["1", "3.0", "0.1", ""], ["2", "2.5", "0.05", "0.25"]
        ]  # fmt: skip


def test_tensorboard_is_told_each_step_once_also_by_a_resumed_run(tmp_path, monkeypatch):
    """A stand-in for the package, which is no dependency, notes what it is told."""
    told, folders = [], []

    class SummaryWriter:
        def __init__(self, folder):
            folders.append(folder)

        def add_scalar(self, name, value, step):
            told.append((name, step, value))

        def flush(self):
            pass

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True if name == "tensorboard" else real(name))
    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    settings = config(log=tmp_path / "runs.csv", checkpoint=tmp_path / "run.pt", evaluate_every=4)
    with pytest.raises(KeyboardInterrupt):
        fit(network(), Blobs(interrupt_at=22), Blobs(2), settings)
    first = len(told)
    result = fit(network(), Blobs(), Blobs(2), settings, resume=True)
    assert 0 < first < len(told)
    assert [(step, value) for name, step, value in told if name == "train/loss"] == list(enumerate(result.losses, 1))
    scores = {step: value for name, step, value in told if name == "val/mean_iou"}
    assert scores == {one.step: one.mean_iou for one in result.validations}
    assert set(folders) == {str(tmp_path / "runs")}


def test_without_tensorboard_nothing_is_made(tmp_path, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "tensorboard" else real(name))
    Board(tmp_path / "log.csv", 0).tell({"loss": [1.0]}, [])
    assert list(tmp_path.iterdir()) == []
