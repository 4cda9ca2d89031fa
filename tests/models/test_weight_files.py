"""Files of weights as other programs write them, and as we do: read again, in its own format, or refused at once."""

from __future__ import annotations

import argparse
import datetime
import os
import pathlib
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from segtutor import models
from segtutor.labels import LabelSet
from segtutor.models import torch_files, weight_files
from segtutor.models.inputs import Preprocessing
from segtutor.models.wrappers import inner

TINY = "deeplabv3_tiny"
HALF = Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def tiny(num_classes=3, seed=0, **options):
    torch.manual_seed(seed)
    return models.create(TINY, num_classes=num_classes, **options)


@pytest.fixture
def source():
    return tiny(seed=1)


def same(network, other):
    return all(torch.equal(value, other.state_dict()[key]) for key, value in network.state_dict().items())


def prefixed(state, prefix):
    return {prefix + key: value for key, value in state.items()}


CONTAINERS = {
    "tutorial": lambda s: {"epoch": 1, "model_state_dict": s, "optimizer_state_dict": {"state": {0: {"step": s}}}},
    "net": lambda s: {"net": s, "acc": 0.5},
    "any name": lambda s: {"my_unet": s, "loss": 0.5},
    "nested": lambda s: {"checkpoint": {"state_dict": s, "epoch": 3}},
    "model and its average": lambda s: {"model_ema": {k: v + 1 for k, v in s.items()}, "model": s},
    "lightning": lambda s: {"state_dict": prefixed(s, "model."), "hyper_parameters": {"lr": 0.1}},
    "lightning, a loss beside": lambda s: {
        "state_dict": {**prefixed(s, "segmenter.net."), "criterion.weight": torch.ones(3)}
    },
    "compiled, distributed": lambda s: prefixed(s, "_orig_mod.module."),
    "distributed, compiled": lambda s: prefixed(s, "module._orig_mod."),
    "distributed twice": lambda s: prefixed(s, "module.module."),
    "compiled inside": lambda s: prefixed(s, "model._orig_mod."),
    "averaged": lambda s: {"n_averaged": torch.tensor(3), **prefixed(s, "module.")},
    "arrays": lambda s: {"model": {key: value.numpy() for key, value in s.items()}},
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_what_training_programs_wrap_around_a_network_is_taken_off(source, name):
    network = tiny()
    report = models.load_weights(network, CONTAINERS[name](source.state_dict()))
    assert same(network, source)
    assert len(report.loaded) == len(source.state_dict())
    assert ("criterion.weight" in report.dropped) == ("loss beside" in name)
    assert ("model_ema" in report.dropped) == ("average" in name.split())


def test_several_networks_in_one_file_are_named_not_guessed(source):
    state = source.state_dict()
    with pytest.raises(ValueError, match="several state dicts, under left, right"):
        models.load_weights(tiny(), {"left": state, "right": state})
    with pytest.raises(ValueError, match="no state dict found in a dict with epoch"):
        models.load_weights(tiny(), {"epoch": 3})


@pytest.mark.parametrize(
    "beside",
    [
        {"best_score": np.float64(0.77), "cur_itrs": np.int64(3)},
        {"args": argparse.Namespace(lr=0.1, data_path="x", output_dir=pathlib.Path("out"), weights=None)},
        {
            "confusion": np.arange(4).reshape(2, 2),
            "lr": np.float32(0.1),
            "name": np.str_("run"),
            "done": np.bool_(True),
        },
    ],
)
def test_numbers_arguments_and_paths_beside_weights_do_not_hinder(tmp_path, source, beside):
    torch.save({"model_state": source.state_dict(), **beside}, tmp_path / "w.pth")
    network = tiny()
    models.load_weights(network, tmp_path / "w.pth")
    assert same(network, source)


def test_a_file_of_numpy_before_2_names_its_modules_otherwise(tmp_path, source):
    new, old = tmp_path / "new.pth", tmp_path / "old.pth"
    torch.save({"model": source.state_dict(), "best": np.float64(0.5)}, new)
    with zipfile.ZipFile(new) as whole, zipfile.ZipFile(old, "w") as copy:
        for name in whole.namelist():
            copy.writestr(name, whole.read(name).replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
        assert b"numpy.core.multiarray" in copy.read("new/data.pkl")
    network = tiny()
    models.load_weights(network, old)
    assert same(network, source)


class Runs:
    """What a file of an attacker holds."""

    def __reduce__(self):
        return os.system, ("echo broken > broken.txt",)


def test_everything_else_is_refused_by_name_and_runs_nothing(tmp_path, source, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"model": source.state_dict(), "evil": Runs()}, "evil.pth")
    torch.save(source, "whole.pth")
    for name, culprit in (("evil.pth", r"system"), ("whole.pth", r"segtutor\.models")):
        with pytest.raises(ValueError, match=rf"{name} is not a plain file.*{culprit}.*run code.*state_dict"):
            models.load_weights(tiny(), name)
    assert not pathlib.Path("broken.txt").exists()


@pytest.mark.parametrize("ending", [".pt", ".pth", ".safetensors", ".npz"])
def test_every_ending_is_written_in_its_own_format_and_builds_the_network_again(tmp_path, ending):
    path = tmp_path / f"net{ending}"
    network = tiny(output_stride=16, rates=(1, 2, 3))
    network.preprocessing = HALF
    names = ["ground", "cat", "dog"]
    models.save_weights(network, path, labels=names, seed=3)
    if ending == ".safetensors":
        from safetensors.torch import load_file

        assert load_file(path).keys() == network.state_dict().keys()
    elif ending == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            assert set(arrays) - {"segtutor"} == network.state_dict().keys()
    else:
        assert torch.load(path, weights_only=True)["notes"]["seed"] == 3
    again = models.create(TINY, weights=path)
    assert same(again, network)
    assert (again.config, again.preprocessing) == (network.config, HALF)
    assert again.class_names == tuple(names)
    assert weight_files.read_weights(path).notes["seed"] == 3
    half = tmp_path / f"half{ending}"
    models.save_weights(network, half, half=True)
    assert half.stat().st_size < 0.6 * path.stat().st_size
    models.load_weights(tiny(output_stride=16, rates=(1, 2, 3)), half)


def test_an_unknown_ending_and_a_missing_folder_are_said_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match=r"end in \.pt, .*'net\.h5' came"):
        models.save_weights(tiny(), tmp_path / "net.h5")
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*missing to write net\.pt in"):
        models.save_weights(tiny(), tmp_path / "missing" / "net.pt")
    (tmp_path / "folder.pt").mkdir()
    with pytest.raises(ValueError, match=r"folder\.pt is a folder"):
        models.save_weights(tiny(), tmp_path / "folder.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.pt"]


def test_whatever_notes_are_accepted_can_be_read_again(tmp_path):
    path = tmp_path / "net.pt"
    labels = LabelSet("Three", ("a", "b", "c"), ((0, 0, 0),) * 3, frozenset({1}))
    notes = {
        "rate": np.float32(0.5), "steps": np.int64(7), "curve": np.arange(3), "loss": torch.tensor(2.0),
        "folder": pathlib.Path("runs"), "day": datetime.date(2026, 1, 2), "tags": {"b", "a"}, "labels": labels,
        "args": argparse.Namespace(lr=1), "size": torch.Size([2, 3]), "device": None,
    }  # fmt: skip
    models.save_weights(tiny(), path, **notes)
    read = torch.load(path, weights_only=True)["notes"]
    assert read["rate"] == 0.5
    assert (read["steps"], read["curve"], read["loss"], read["size"]) == (7, [0, 1, 2], 2.0, (2, 3))
    assert (read["folder"], read["day"], read["tags"], read["args"]) == ("runs", "2026-01-02", ["a", "b"], {"lr": 1})
    assert models.create(TINY, weights=path).class_names == ("a", "b", "c")
    for value in (tiny(), print, object(), {"deep": [lambda: 1]}):
        with pytest.raises(ValueError, match=r"the note what.* cannot be kept in a file"):
            models.save_weights(tiny(), tmp_path / "other.pt", what=value)
    assert [file.name for file in tmp_path.iterdir()] == ["net.pt"]


def test_what_was_written_is_read_back_before_it_takes_its_name(tmp_path, monkeypatch):
    path = tmp_path / "net.pt"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="could be written, but not read again"):
        torch_files.write_torch({"device": torch.nn.ReLU()}, path)

    real = torch.save

    def flips_a_bit(content, file):
        real(content, file)
        file.seek(-5000, 2)
        byte = file.read(1)
        file.seek(-5000, 2)
        file.write(bytes([byte[0] ^ 1]))

    monkeypatch.setattr(torch, "save", flips_a_bit)
    monkeypatch.setattr(torch_files, "open", lambda path, mode: open(path, "wb+"), raising=False)  # noqa: SIM115
    with pytest.raises(OSError, match="came back changed"):
        torch_files.write_torch({"a": torch.rand(5000)}, path)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["net.pt"]


def test_normalization_stays_with_names_of_our_own_and_the_report_says_so(tmp_path):
    name = "deeplabv3_mobilenet_v2"
    network, other = models.create(name, 3), models.create(name, 3)
    assert network.preprocessing.mean == (0.5, 0.5, 0.5)
    for source in (network.state_dict(), {"model": network.state_dict()}, prefixed(network.state_dict(), "module.")):
        report = models.load_weights(other, source)
        assert other.preprocessing == network.preprocessing
        assert "does not say how pictures were normalized: the network goes on subtracting 0.5, 0.5, 0.5" in str(report)
    models.load_weights(other, network.state_dict(), layout="torchvision")  # asked for by name
    assert other.preprocessing.mean == (0.485, 0.456, 0.406)


@pytest.mark.parametrize(
    "wrap",
    [nn.DataParallel, torch.optim.swa_utils.AveragedModel, lambda m: torch.compile(m, backend="eager")],
    ids=["parallel", "averaged", "compiled"],
)
def test_a_wrapped_network_is_loaded_and_saved_as_itself(tmp_path, source, wrap):
    network = tiny()
    wrapped = wrap(network)
    models.load_weights(wrapped, source.state_dict())
    inside = inner(wrapped)
    assert same(inside, source)
    inside.preprocessing = HALF
    models.save_weights(wrapped, tmp_path / "net.pt")
    again = models.create(TINY, weights=tmp_path / "net.pt")
    assert same(again, source)
    assert again.preprocessing == HALF


def test_fine_tuning_to_other_classes_follows_the_advice(tmp_path, source):
    path = tmp_path / "net.pt"
    models.save_weights(source, path, labels=["a", "b", "c"])
    with pytest.raises(ValueError, match=r"replace_head=True.*--replace-head"):
        models.create(TINY, num_classes=2, weights=path)
    network = models.create(TINY, num_classes=2, weights=path, replace_head=True)
    assert network.num_classes == 2
    assert getattr(network, "class_names", None) is None
    assert torch.equal(network.backbone.stem[0].weight, source.backbone.stem[0].weight)
    assert models.create(TINY, weights=path, replace_head=True).num_classes == 3
    detector = models.create("maskrcnn_tiny", num_classes=4)
    models.save_weights(detector, tmp_path / "detector.pt")
    assert models.create("maskrcnn_tiny", 2, tmp_path / "detector.pt", replace_head=True).num_classes == 2


def test_the_advice_to_name_a_layout_is_taken_by_create_too(tmp_path):
    import torchvision

    path = tmp_path / "resnet.pth"
    classifier = torchvision.models.resnet50(weights=None)
    torch.save(classifier.state_dict(), path)
    with pytest.raises(ValueError, match=r"layout='torchvision_resnet'"):
        models.create("deeplabv3_resnet50", weights=path)
    network = models.create("deeplabv3_resnet50", weights=path, layout="torchvision_resnet")
    assert torch.equal(network.backbone.conv1.weight, classifier.conv1.weight)
    with pytest.raises(ValueError, match="give it with weights=FILE"):
        models.create(TINY, layout="torchvision_resnet")


def test_numbers_of_numpy_count_as_numbers(tmp_path):
    network = models.create(TINY, np.int64(2), output_stride=np.int32(16), rates=np.array([1, 2, 3]).tolist())
    assert type(network.config.num_classes) is int
    models.save_weights(network, tmp_path / "net.pt")
    assert models.create(TINY, weights=tmp_path / "net.pt").num_classes == 2
