from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from segtutor import models
from segtutor.cli import main
from segtutor.inference import predict
from segtutor.labels import SCENES, VOC2012


def segtutor(line: str) -> int:
    """The exit status of a command line."""
    return main(line.split())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a picture and weights of a small network, as a user may have them; the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEGTUTOR_CACHE", str(tmp_path / "no cache"))
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("photo.png")
    torch.manual_seed(0)
    model = models.create("deeplabv3_tiny", num_classes=len(SCENES))
    earlier = {"steps": 8, "started_from": None}
    notes = {"data": "Scenes (7 pictures)", "steps": 4, "mean_iou": 0.5, "started_from": earlier}
    notes["labels"] = list(SCENES.names)
    models.save_weights(model, "net.pt", **notes)
    return tmp_path


def test_overlay_and_labels_are_those_of_predict(folder, capsys):
    status = segtutor("segment photo.png --weights net.pt --out o.png --labels-out l.png --opacity 0.5 --device cpu")
    assert status == 0
    model = models.create("deeplabv3_tiny", weights="net.pt")
    expected = predict(model, "photo.png").numpy()
    label_map = Image.open("l.png")
    assert label_map.mode == "P"
    assert np.array_equal(np.array(label_map), expected)
    assert np.array_equal(np.array(label_map.convert("RGB")), SCENES.palette[expected])
    photo, overlay = np.array(Image.open("photo.png")).astype(float), np.array(Image.open("o.png")).astype(float)
    tint = np.where(expected[..., None] == 0, photo, SCENES.palette[expected])  # background stays as it is
    assert np.abs(overlay - (photo + tint) / 2).max() <= 0.5

    said = capsys.readouterr().out
    assert "net.pt, trained on Scenes (7 pictures) for 12 steps (mean IoU 50.0 %)" in said
    assert "not photographs" in said
    shares = np.bincount(expected.ravel(), minlength=len(SCENES)) / expected.size
    largest = int(shares.argmax())
    assert f"{SCENES.names[largest]}" in said
    assert f"{100 * shares[largest]:5.1f} %" in said
    assert sorted(path.name for path in folder.iterdir()) == ["l.png", "net.pt", "o.png", "photo.png"]


def test_the_overlay_has_a_name_of_its_own_and_views_are_taken(folder):
    assert segtutor("segment photo.png --weights net.pt --scales 0.75,1 --flip --window 32x32 --overlap 0.5") == 0
    assert Image.open("photo_overlay.png").size == (60, 40)


def test_classes_get_the_names_that_stand_in_the_weights_whatever_their_number(folder, capsys):
    own = [f"my class {number}" for number in range(21)]
    cases = {VOC2012.title: VOC2012.names, SCENES.title: SCENES.names, "named in the weights": own, "not named": None}
    for title, names in cases.items():
        torch.manual_seed(0)
        notes = {"labels": names} if names else {}
        classes = len(names or own)
        models.save_weights(models.create("deeplabv3_tiny", num_classes=classes), "other.pt", **notes)
        assert segtutor("segment photo.png --weights other.pt") == 0
        said = capsys.readouterr().out
        assert f"{classes} classes ({title}" in said
        model = models.create("deeplabv3_tiny", weights="other.pt")
        largest = int(torch.bincount(predict(model, "photo.png").flatten()).argmax())
        assert f"  {names[largest] if names else f'class {largest}'} " in said
        assert ("does not say what they were trained on" in said) == (names is None)
        assert ("data that the file does not name" in said) == (names is not None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nowhere.jpg --weights net.pt", "there is no file nowhere.jpg"),
        ("net.pt --weights net.pt", "net.pt is not an image"),
        ("photo.png --weights gone.pt", "gone.pt"),
        ("photo.png --weights photo.png", "photo.png"),
        ("photo.png --model deeplabv3_tinny", "did you mean 'deeplabv3_tiny'"),
        ("photo.png --model deeplabv3_resnet50", "--weights torchvision"),
        ("photo.png --model deeplabv3_mobilenet_v2 --weights net.pt", "deeplabv3_tiny"),
        ("photo.png --weights net.pt --out photo.png", "is the picture itself"),
        ("photo.png --weights net.pt --out no/such/o.png", "there is no folder"),
        ("photo.png --weights net.pt --labels-out l.jpg", "must be a .png"),
        ("photo.png --weights net.pt --opacity 2", "--opacity is 2.0"),
        ("photo.png --weights net.pt --scales 0", "scales are"),
        ("photo.png --weights net.pt --device quantum", "device is 'quantum'"),
        ("photo.png --weights net.pt --option strides", "NAME=VALUE"),
    ],
)
def test_mistakes_get_one_sentence(folder, capsys, line, message):
    assert segtutor(f"segment {line}") == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert not list(folder.glob("*overlay*"))


@pytest.mark.parametrize("line", ["--scales a,b", "--window 32", "--window 0x3"])
def test_malformed_arguments_get_the_form(folder, capsys, line):
    with pytest.raises(SystemExit):
        segtutor(f"segment photo.png {line}")
    assert "as " in capsys.readouterr().err


@pytest.mark.parametrize("weights", ["imagenet", "backbone"])
def test_weights_of_a_backbone_are_no_file_and_segment_nothing(weights, tmp_path, capsys):
    picture = tmp_path / "picture.png"
    Image.new("RGB", (64, 64)).save(picture)
    assert main(["segment", str(picture), "--weights", weights]) != 0
    told = capsys.readouterr().err
    assert "would be random" in told
    assert "segtutor train" in told
