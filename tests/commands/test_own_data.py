"""From a folder of one's own pictures to a trained network, by the commands alone."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from segtutor import models
from segtutor.cli import main
from segtutor.datasets import Scenes, export
from segtutor.datasets.found import ObjectsAsLabels, find_data

RUN = ["--steps", "2", "--batch-size", "2", "--device", "cpu"]


def draw(folder, count=6, values=(0, 1, 2)):
    """Pictures of two rectangles on ground, of two sizes, and their masks."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    (folder / "classes.txt").write_text("ground\nbox\npatch\n")
    for number in range(count):
        generator = np.random.default_rng(number)
        height, width = (80, 96) if number % 2 else (72, 100)
        mask = np.full((height, width), values[0], np.uint8)
        mask[10:40, 20:60], mask[50:70, 30:50] = values[1], values[2]
        picture = generator.integers(0, 40, (height, width, 3), dtype=np.uint8)
        picture[..., 0] += 80 * (mask == values[1]).astype(np.uint8)
        picture[..., 2] += 80 * (mask == values[2]).astype(np.uint8)
        Image.fromarray(picture).save(folder / "images" / f"p{number}.png")
        Image.fromarray(mask).save(folder / "masks" / f"p{number}.png")
    return folder


def test_a_folder_is_trained_on_scored_and_its_classes_are_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "photos")
    assert main(["train", "--data", "photos", "--out", "net.pt", *RUN]) == 0
    said = capsys.readouterr().out
    assert "images and masks; all pictures, a fifth set aside" in said
    assert "5 to learn from, 1 to score on" in said
    assert said.index("  box ") < said.index("mean IoU")  # the classes come first
    record = json.loads((tmp_path / "net.json").read_text())
    assert record["labels"] == ["ground", "box", "patch"]
    assert record["data"] == "photos (images and masks, 5 pictures)"
    assert "--crop 64x96" in record["command"]
    assert main(["evaluate", "--data", "photos", "--weights", "net.pt", "--device", "cpu"]) == 0
    assert f"mean IoU {100 * record['mean_iou']:.2f} %" in capsys.readouterr().out
    assert main(["segment", "photos/images/p0.png", "--weights", "net.pt", "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "3 classes (named in the weights)" in said
    assert "trained on photos (images and masks, 5 pictures) for 2 steps" in said


def test_masks_without_foreground_are_refused_before_the_training(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "photos", values=(0, 0, 0))
    assert main(["train", "--data", "photos", "--out", "net.pt", *RUN]) == 2
    assert "hold only 'ground', so that there is nothing to learn" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@pytest.mark.parametrize(
    ("layout", "name"),
    [("voc", "VOC"), ("coco", "COCO"), ("cityscapes", "Cityscapes"), ("pascal_context", "PASCAL-Context")],
)
def test_every_layout_is_found(tmp_path, layout, name):
    root = export({"train": Scenes("train", (48, 64), 4), "val": Scenes("val", (48, 64), 2)}, tmp_path / "data", layout)
    found = find_data(root)
    assert found.layout == name
    assert (len(found.train), len(found.val)) == (4, 2)
    image, labels = found.train[0]
    assert image.shape[-2:] == labels.shape[-2:] == (48, 64)
    known = set(range(len(found.train.labels))) | {found.train.labels.ignore_index}
    assert set(torch.unique(labels).tolist()) <= known
    if layout == "pascal_context":
        with pytest.raises(ValueError, match="no single objects"):
            find_data(root, "instances")
    else:
        assert {"boxes", "masks"} <= set(find_data(root, "instances").train[0][1])


def test_splits_of_a_folder_and_one_without_numbers_like_another(tmp_path):
    draw(tmp_path / "train")
    draw(tmp_path / "val", 2)
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
        for split in ("train", "val"):
            (tmp_path / split / name).rename(tmp_path / name / split)
    (tmp_path / "train" / "classes.txt").rename(tmp_path / "classes.txt")
    found = find_data(tmp_path)
    assert (len(found.train), len(found.val), found.split) == (6, 2, "the folders train and val")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        find_data(tmp_path / "nowhere")


def test_of_two_objects_on_a_pixel_the_smaller_one_is_seen():
    class Objects:
        labels = Scenes("val", (48, 64), 1).labels

        def __len__(self):
            return 1

        def __getitem__(self, index):
            masks = torch.zeros(2, 6, 6, dtype=torch.uint8)
            masks[0, 2:4, 2:4] = 1
            masks[1, 1:6, 1:6] = 1
            return torch.zeros(3, 6, 6), {"labels": torch.tensor([3, 4]), "masks": masks}

    labels = ObjectsAsLabels(Objects())[0][1]
    assert labels[0].tolist() == [0] * 6
    assert labels[1:, 1:].unique().tolist() == [3, 4]
    assert labels[2:4, 2:4].unique().tolist() == [3]


def test_a_full_disk_is_found_before_the_first_step(tmp_path):
    draw(tmp_path / "photos")
    command = [sys.executable, "-m", "segtutor.cli", "train", "--data", "photos", "--out", "net.pt", *RUN]

    def small_files_only():
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    ended = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        preexec_fn=small_files_only,
    )
    assert ended.returncode == 2, ended.stderr
    assert "net.pt cannot be written (File too large)" in ended.stderr
    assert "nothing has been begun" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_a_place_that_cannot_be_written_is_said_first(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "photos")
    (tmp_path / "taken.pt").mkdir()
    line = ["train", "--data", "photos", *RUN]
    assert main([*line, "--out", "taken.pt"]) == 2
    assert "taken.pt is a folder" in capsys.readouterr().err
    assert main([*line, "--out", "gone/net.pt"]) == 2
    said = capsys.readouterr()
    assert "there is no folder" in said.err
    assert said.out == ""


def test_names_that_the_console_has_no_letters_for_end_nothing(tmp_path):
    torch.manual_seed(0)
    models.save_weights(models.create("deeplabv3_tiny", 3), tmp_path / "net.pt", labels=["Grund", "猫", "犬"])
    Image.new("RGB", (40, 40), (200, 10, 10)).save(tmp_path / "猫.png")
    environment = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252", "PYTHONPATH": os.getcwd()}
    command = [sys.executable, "-m", "segtutor.cli", "segment", "猫.png", "--weights", "net.pt", "--device", "cpu"]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "猫_overlay.png").exists()
    assert b"\\u732b_overlay.png" in ended.stdout
