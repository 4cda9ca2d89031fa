"""``segtutor evaluate --split test``: the labeled part of a folder that is opened once, at the end."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from segtutor import models
from segtutor.cli import main
from segtutor.datasets import Scenes, check_folder, export
from segtutor.datasets.found import find_data, find_test

NAMES = ["ground", "box", "patch"]


@pytest.fixture
def park(tmp_path, monkeypatch):
    """Three pictures to learn from, two to choose on, two for the end, and a network of their classes."""
    monkeypatch.chdir(tmp_path)
    for part, count, values in (("train", 3, (0, 1, 2)), ("val", 2, (0, 1, 2)), ("test", 2, (0, 2))):
        for kind in ("images", "masks"):
            (tmp_path / "park" / part / kind).mkdir(parents=True)
        for number in range(count):
            generator = np.random.default_rng(10 * count + number + len(part))
            mask = np.kron(generator.choice(values, (5, 6)), np.ones((8, 8))).astype(np.uint8)
            picture = (mask[..., None] * 90 + generator.integers(0, 60, (*mask.shape, 3))).astype(np.uint8)
            Image.fromarray(picture).save(tmp_path / "park" / part / "images" / f"{part}{number}.png")
            Image.fromarray(mask).save(tmp_path / "park" / part / "masks" / f"{part}{number}.png")
    (tmp_path / "park" / "classes.txt").write_text("\n".join(NAMES) + "\n")
    torch.manual_seed(0)
    models.save_weights(models.create("deeplabv3_tiny", num_classes=3), "net.pt", labels=NAMES)
    return tmp_path / "park"


def scored(*options):
    return main(["evaluate", "--weights", "net.pt", "--device", "cpu", *options])


def test_the_test_part_is_scored_as_if_it_were_called_val(park, capsys):
    assert scored("--data", "park", "--split", "test", "--out", "report") == 0
    said = capsys.readouterr().out
    assert "park: images and masks; the part test: 2 to score on\n" in said
    assert "on 2 pictures of park (test)" in said
    shutil.copytree(park / "train", "other/train")
    shutil.copytree(park / "test", "other/val")
    shutil.copy(park / "classes.txt", "other")
    assert scored("--data", "other", "--out", "renamed") == 0
    assert scored("--data", "park", "--out", "val") == 0
    one, same, other = (json.loads((park.parent / name / "scores.json").read_text()) for name in
                        ("report", "renamed", "val"))  # fmt: skip
    assert one == same
    assert one != other
    assert "test0" in (park.parent / "report" / "pictures.csv").read_text()
    assert scored("--data", "park", "--split", "test", "--count", "1") == 0
    assert "on 1 pictures of park (test)" in capsys.readouterr().out


def test_without_a_table_the_classes_of_every_part_are_those_of_train(park):
    """The masks hold 0, 1 and 5; those of the test part, and here of val, only 0 and 5, which are classes 0 and 2."""
    (park / "classes.txt").unlink()
    for path in park.glob("*/masks/*.png"):
        values = np.array([0, 1, 5] if path.parents[1].name == "train" else [0, 5, 5], np.uint8)
        Image.fromarray(values[np.asarray(Image.open(path))]).save(path)
    found = find_data(park)
    for part in (found.val, find_test(park, found)):
        assert part.labels.names == found.train.labels.names
        assert {int(value) for _, mask in part for value in mask.unique()} == {0, 2}


def test_pictures_for_the_end_disturb_nothing_else(park, capsys):
    """Whoever has their labels only later trains and chooses as before."""
    shutil.rmtree(park / "test" / "masks")
    assert len(find_data(park).val) == 2
    assert scored("--data", "park") == 0
    assert scored("--data", "park", "--split", "test") == 2
    assert "park has no part test, pictures with masks as in train" in capsys.readouterr().err


def test_a_broken_picture_of_the_test_part_is_still_found(park):
    assert check_folder(park).ok
    Image.fromarray(np.full((40, 48), 9, np.uint8)).save(park / "test" / "masks" / "test0.png")
    assert not check_folder(park).ok


def test_camvid_has_one_and_others_say_that_they_have_none(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for part, value in (("train", 1), ("val", 1), ("test", 3)):
        (tmp_path / part).mkdir()
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / part / "a.png")
        Image.fromarray(np.full((8, 8), value, np.uint8)).save(tmp_path / part / "b.png")
        (tmp_path / f"{part}.txt").write_text(f"{part}/a.png {part}/b.png\n")
    assert find_test(tmp_path, find_data(tmp_path))[0][1].unique().tolist() == [3]
    parts = {part: Scenes(part, (48, 64), 2) for part in ("train", "val")}
    export(parts, tmp_path / "objects", "cityscapes")
    assert main(["evaluate", "--data", "objects", "--split", "test", "--weights", "net.pt", "--device", "cpu"]) == 2
    assert "was taken for Cityscapes, where no part called test has labels" in capsys.readouterr().err
