"""What ``segtutor segment`` takes, and where results go: never over those of another picture."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from segtutor import models
from segtutor.cli import main
from segtutor.commands import pictures
from segtutor.datasets.opening import ORIENTATION
from segtutor.inference import detect, predict
from segtutor.labels import SCENES


def segtutor(line: str) -> int:
    """The exit status of a command line."""
    return main(line.split())


def color(name, value, size=(60, 40)):
    pixels = np.random.default_rng(value).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(name)
    return pixels


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Pictures and weights of a small network in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEGTUTOR_CACHE", str(tmp_path / "no cache"))
    torch.manual_seed(0)
    models.save_weights(models.create("deeplabv3_tiny", num_classes=4), "net.pt", labels=["a", "b", "c", "d"])
    (tmp_path / "sub").mkdir()
    color("a.jpg", 1)
    color("sub/a.png", 2)
    color("sub/b.png", 3)
    return tmp_path


def there(folder, pattern="**/*"):
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob(pattern) if path.is_file())


def test_two_pictures_of_one_name_have_two_results_in_one_run_and_in_two(folder, capsys):
    assert segtutor("segment a.jpg sub/a.png --weights net.pt") == 0
    assert there(folder, "*.png") == ["a_2_overlay.png", "a_overlay.png"]
    before = [(folder / name).read_bytes() for name in ("a_overlay.png", "a_2_overlay.png")]
    assert before[0] != before[1]
    assert segtutor("segment sub/a.png --weights net.pt") == 0  # its own result is written again, and no other
    assert [(folder / name).read_bytes() for name in ("a_overlay.png", "a_2_overlay.png")] == before
    assert there(folder, "*.png") == ["a_2_overlay.png", "a_overlay.png"]
    color("b_overlay.png", 9)  # somebody's own file
    own = (folder / "b_overlay.png").read_bytes()
    assert segtutor("segment sub/b.png --weights net.pt") == 0
    assert (folder / "b_overlay.png").read_bytes() == own
    assert (folder / "b_2_overlay.png").exists()


@pytest.mark.parametrize("words", ["sub", "sub/*.png", "sub/?.png sub/a.png", "./sub/a.png sub/b.png"])
def test_folders_and_wildcards_are_their_pictures_each_once_and_results_are_none(folder, words, capsys):
    line = f"segment {words} --weights net.pt --out sub --labels-out maps/of/them"
    assert segtutor(line) == 0
    assert segtutor(line) == 0
    assert "2 pictures done" in capsys.readouterr().out
    assert there(folder, "sub/*") == ["sub/a.png", "sub/a_overlay.png", "sub/b.png", "sub/b_overlay.png"]
    assert there(folder, "maps/of/them/*") == ["maps/of/them/a_labels.png", "maps/of/them/b_labels.png"]
    expected = predict(models.create("deeplabv3_tiny", weights="net.pt"), "sub/b.png").numpy()
    assert np.array_equal(np.array(Image.open("maps/of/them/b_labels.png")), expected)


def test_one_broken_file_does_not_stop_the_others(folder, capsys):
    (folder / "sub" / "0.png").write_bytes(b"no picture")
    assert segtutor("segment sub --weights net.pt --out results") == 2
    said = capsys.readouterr()
    assert "0.png is not an image" in said.err
    assert "2 pictures done, 1 files failed" in said.out
    assert there(folder, "results/*") == ["results/a_overlay.png", "results/b_overlay.png"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("https://example.com/a.jpg", "is an address"),
        ("x.heic", "pip install pillow-heif"),
        ("clip.mp4", "pip install av"),
        ("a.jpg --out o.foo", "nobody knows the ending '.foo'"),
        ("a.jpg sub/a.png --out o.png", "there are several pictures: name a folder"),
        ("sub/*.tif", "no picture has a name like"),
        ("empty", "holds no picture"),
        ("a.jpg --scales inf", "scales are"),
        ("a.jpg --scales inf --model u2netp", "scales are"),
        ("a.jpg --device mps", "finds no Apple GPU"),
        ("a.jpg --score 1.5", "--score is 1.5"),
    ],
)
def test_mistakes_get_one_sentence_before_the_work(folder, capsys, monkeypatch, line, message):
    (folder / "x.heic").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 99)
    (folder / "clip.mp4").write_bytes(b"\0" * 99)
    (folder / "empty").mkdir()
    for name in ("pillow_heif", "av", "cv2"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(models, "create", None)  # no network is made
    before = there(folder)
    assert segtutor(f"segment {line}" + ("" if "--model" in line else " --weights net.pt")) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert there(folder) == before


def test_an_animation_is_its_frames(folder, capsys):
    frames = [Image.fromarray(np.full((40, 60, 3), value, dtype=np.uint8)) for value in (0, 90, 250, 30)]
    frames[0].save("moving.gif", save_all=True, append_images=frames[1:], duration=100)
    assert segtutor("segment moving.gif --weights net.pt --opacity 0 --every 2") == 0
    assert there(folder, "moving_frames/*") == [
        "moving_frames/moving_00001_overlay.png", "moving_frames/moving_00003_overlay.png",
    ]  # fmt: skip
    third = np.array(Image.open("moving_frames/moving_00003_overlay.png"))
    assert np.abs(third.astype(int) - 250).max() <= 1
    assert "2 pictures done" in capsys.readouterr().out


@pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="PyAV is not here")
def test_a_video_is_its_frames(folder):
    import av

    with av.open("clip.mp4", "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height = 64, 48
        for value in (20, 120, 220):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), value, np.uint8), format="rgb24")
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    grays = [picture.image.mean() for picture in pictures.read_pictures(folder / "clip.mp4")]
    assert np.abs(np.array(grays) - [20, 120, 220]).max() < 6
    assert segtutor("segment clip.mp4 --weights net.pt --out shown --every 3") == 0
    assert there(folder, "shown/**/*") == ["shown/clip_frames/clip_00001_overlay.png"]
    (folder / "broken.mp4").write_bytes(b"nothing of a video")
    with pytest.raises(ValueError, match="cannot be read as a video"):
        list(pictures.read_pictures(folder / "broken.mp4"))


@pytest.mark.skipif(importlib.util.find_spec("cv2") is None, reason="OpenCV is not here")
def test_a_video_is_read_by_opencv_where_there_is_no_pyav(folder, monkeypatch):
    import cv2

    monkeypatch.setitem(sys.modules, "av", None)
    video = cv2.VideoWriter("clip.avi", cv2.VideoWriter_fourcc(*"MJPG"), 5, (64, 48))
    if not video.isOpened():
        pytest.skip("this OpenCV writes no videos")
    for value in (20, 120, 220):
        video.write(np.full((48, 64, 3), (0, 0, value), np.uint8))  # red, in OpenCV's order of channels
    video.release()
    frames = [picture.image for picture in pictures.read_pictures(folder / "clip.avi")]
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3
    means = np.array([frame.mean(axis=(0, 1)) for frame in frames])
    assert np.abs(means - [[20, 0, 0], [120, 0, 0], [220, 0, 0]]).max() < 8
    (folder / "broken.avi").write_bytes(b"nothing of a video")
    with pytest.raises(ValueError, match="cannot be read as a video"):
        list(pictures.read_pictures(folder / "broken.avi"))


@pytest.mark.skipif(importlib.util.find_spec("pillow_heif") is None, reason="pillow-heif is not here")
def test_a_telephones_photograph_is_read_and_turned(folder):
    import pillow_heif

    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:, 32:] = 200  # the right half is light
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # shown turned to the right: the light half comes to lie below
    heif = pillow_heif.from_pillow(Image.fromarray(pixels))
    heif.save("photo.heic", quality=90, exif=exif.tobytes())
    assert segtutor("segment photo.heic --weights net.pt --opacity 0 --out shown.png") == 0
    shown = np.array(Image.open("shown.png").convert("L")).astype(int)
    assert shown.shape == (64, 48)
    assert np.abs(shown[:28] - 0).max() < 12
    assert np.abs(shown[36:] - 200).max() < 12


def test_a_large_picture_is_shown_small_and_its_results_are_large(folder, capsys):
    color("large.png", 5, size=(300, 200))
    model = models.create("deeplabv3_tiny", weights="net.pt")
    for option, scale in (("--size 150", 0.5), ("--size original", 1.0), ("--size 600", 1.0)):
        assert segtutor(f"segment large.png --weights net.pt --labels-out l.png {option}") == 0
        said = capsys.readouterr().out
        assert ("the network sees it at 150 x 100 (--size says otherwise)" in said) == (scale < 1)
        assert np.array_equal(np.array(Image.open("l.png")), predict(model, "large.png", scales=scale).numpy())


def test_without_a_size_it_is_about_that_of_training(folder, capsys):
    color("large.png", 5, size=(300, 200))
    models.save_weights(models.create("deeplabv3_tiny", num_classes=2), "small.pt", longest_side=100)
    for weights, told in (("small.pt", "sees it at 100 x 67"), ("course", "sees it at 160 x 107")):
        assert segtutor(f"segment large.png --weights {weights}") == 0
        assert told in capsys.readouterr().out
    assert segtutor("segment large.png --weights small.pt --window 64x64") == 0
    assert "sees it" not in capsys.readouterr().out


def test_a_detector_draws_instances(folder, capsys):
    torch.manual_seed(0)
    model = models.create("maskrcnn_tiny", num_classes=len(SCENES), weights="course")
    from segtutor.datasets import Scenes

    image, _ = Scenes("val", size=(192, 240), count=1, target="instances")[0]
    Image.fromarray(image.permute(1, 2, 0).numpy()).save("scene.png")
    line = "segment scene.png --model maskrcnn_tiny --weights course --size original --labels-out l.png --score 0.3"
    assert segtutor(line) == 0
    said = capsys.readouterr().out
    found = detect(model, "scene.png", score_threshold=0.3)
    assert len(found["scores"])
    for label, score, mask in zip(found["labels"], found["scores"], found["masks"], strict=True):
        assert f"  {model.class_names[int(label)]}" in said
        assert f"  {float(score):.2f}  from (" in said
        assert mask.any()
    numbers = np.array(Image.open("l.png"))
    assert np.array_equal(numbers == 1, found["masks"][0].numpy())  # the first lies on top
    assert np.array_equal(numbers > 0, found["masks"].any(dim=0).numpy())
    assert not np.array_equal(np.array(Image.open("scene_overlay.png")), image.permute(1, 2, 0).numpy())
    assert segtutor(f"{line} --flip") == 2
    assert "maskrcnn_tiny is a detector" in capsys.readouterr().err


def test_a_bare_file_needs_its_number_of_classes(folder, capsys):
    torch.save(models.create("deeplabv3_tiny", num_classes=5).state_dict(), "bare.pt")
    assert segtutor("segment a.jpg --weights bare.pt") == 2
    assert "--num-classes" in capsys.readouterr().err
    assert segtutor("segment a.jpg --weights bare.pt --num-classes 5") == 0
    assert "5 classes" in capsys.readouterr().out
