import hashlib
import importlib
import pickle
import re

import numpy as np
import pytest
import torch
import torchvision

from segtutor import models
from segtutor.claims.checkpoints import write
from segtutor.fetch import DownloadError
from segtutor.models import weights as weights_module
from segtutor.models.layouts import LAYOUTS
from segtutor.models.weight_files import round_to_half
from tests.fetch.server import Server, send

TINY = "deeplabv3_tiny"


def tiny(num_classes=3, seed=0, **options):
    torch.manual_seed(seed)
    return models.create(TINY, num_classes=num_classes, **options)


def same(network, state):
    return all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


@pytest.fixture
def state():
    return {key: value.clone() for key, value in tiny(seed=1).state_dict().items()}


def test_names_and_options_are_checked():
    with pytest.raises(ValueError, match=r"no network 'deeplabv3_resnet5'.*did you mean 'deeplabv3_resnet50'.*tiny"):
        models.create("deeplabv3_resnet5")
    with pytest.raises(ValueError, match=r"no option 'output_strides'.*did you mean 'output_stride'"):
        models.create(TINY, output_strides=8)
    with pytest.raises(ValueError, match="output_stride must be 4, 8 or 16, but 5 came"):
        models.create(TINY, output_stride=5)
    with pytest.raises(ValueError, match="first_block_rate must be"):
        models.create(TINY, first_block_rate="next")
    with pytest.raises(ValueError, match="one unit rate of at least 1 for each of the 3 blocks"):
        models.create("deeplabv3_resnet50", multi_grid=(1, 2))
    for count in (0, -1, 2.5, True):
        with pytest.raises(ValueError, match="num_classes must be a whole number"):
            models.create(TINY, num_classes=count)
    with pytest.raises(ValueError, match="'imagenet', 'torchvision', 'pip', 'course', 'backbone' or the path"):
        models.create(TINY, weights="coco")
    with pytest.raises(ValueError, match=f"no imagenet weights for {TINY}; there are for .*deeplabv3_mobilenet_v2"):
        models.create(TINY, weights="imagenet")
    assert models.create(TINY).num_classes == 21


@pytest.mark.parametrize("container", [None, "model", "state_dict", "model_state"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_containers_and_wrappers_are_taken_off(state, container, prefix):
    wrapped = {prefix + key: value for key, value in state.items()}
    network = tiny()
    report = models.load_weights(network, {container: wrapped, "epoch": 3} if container else wrapped)
    assert same(network, state)
    assert len(report.loaded) == len(state)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors", ".npz"])
def test_files_are_read(tmp_path, state, suffix):
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pt":
        torch.save(state, path)
    elif suffix == ".safetensors":
        pytest.importorskip("safetensors.torch").save_file(state, path)
    else:
        np.savez(path, **{key: value.numpy() for key, value in state.items()})
    assert same(models.create(TINY, num_classes=3, weights=path), state)


def test_counters_may_be_absent(state):
    network = tiny()
    models.load_weights(network, {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")})
    assert torch.equal(network.state_dict()["classifier.4.weight"], state["classifier.4.weight"])


def test_an_aux_head_in_the_file_is_dropped_and_told(state):
    full = tiny(seed=2, aux=True).state_dict()
    network = tiny()
    report = models.load_weights(network, full)
    assert same(network, full)
    assert set(report.dropped) == {key for key in full if key.startswith("aux_classifier.")}
    assert "not used from the file: aux_classifier" in str(report)
    with pytest.raises(ValueError, match=r"lacks aux_classifier.*create the network with aux=False"):
        models.load_weights(tiny(aux=True), state)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda s: s.pop("classifier.4.bias"), r"the file lacks classifier\.4\.bias"),
        (lambda s: s.update({"backbone.extra": torch.zeros(1)}), r"the network has no backbone\.extra"),
        (
            lambda s: s.update({"backbone.stem.0.weight": torch.zeros(32, 1, 3, 3)}),
            r"backbone\.stem\.0\.weight \(32, 1, 3, 3\) for \(32, 3, 3, 3\); it is another network",
        ),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_loaded(state, spoil, message):
    network = tiny()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    spoil(state)
    with pytest.raises(ValueError, match=message):
        models.load_weights(network, state)
    assert same(network, before)


def test_another_number_of_classes_needs_a_word(state):
    network = tiny(num_classes=7)
    head = network.state_dict()["classifier.4.weight"].clone()
    with pytest.raises(
        ValueError, match=r"classifier\.4\.weight \(3, 64, 1, 1\) for \(7, 64, 1, 1\).*replace_head=True"
    ):
        models.load_weights(network, state)
    report = models.load_weights(network, state, replace_head=True)
    assert report.dropped == report.untouched == ("classifier.4.bias", "classifier.4.weight")
    assert torch.equal(network.state_dict()["classifier.4.weight"], head)
    assert torch.equal(network.state_dict()["classifier.1.weight"], state["classifier.1.weight"])
    state["backbone.stem.0.weight"] = torch.zeros(1)
    with pytest.raises(ValueError, match="another network"):
        models.load_weights(network, state, replace_head=True)


class Harmful:
    def __reduce__(self):
        return (open, ("harm.txt", "w"))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_file_that_would_run_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"model": Harmful()}, tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(pickle.dumps(Harmful()))
    np.savez(tmp_path / "c.npz", x=np.array([Harmful()], dtype=object))
    for name in ("a.pt", "b.pt", "c.npz"):
        with pytest.raises(ValueError, match=r"run code|cannot be read"):
            models.load_weights(tiny(), tmp_path / name)
    assert not (tmp_path / "harm.txt").exists()


@pytest.mark.parametrize("suffix", [".pt", ".safetensors", ".npz"])
@pytest.mark.parametrize("content", [b"", b"\x80", b"<html>Not found</html>", None])
def test_a_damaged_file_is_said_to_be_one(tmp_path, state, suffix, content):
    path = tmp_path / f"weights{suffix}"
    if content is None:
        torch.save(state, path)
        content = path.read_bytes()[:5000]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(str(path))):
        models.load_weights(tiny(), path)


def test_a_missing_file_and_an_empty_dict_are_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file of weights"):
        models.load_weights(tiny(), tmp_path / "none.pt")
    with pytest.raises(ValueError, match="no state dict found"):
        models.load_weights(tiny(), {})
    with pytest.raises(ValueError, match="no layout fits keys such as a"):
        models.load_weights(tiny(), {"a": torch.zeros(1)})
    with pytest.raises(ValueError, match="no layout 'keras'"):
        models.load_weights(tiny(), {"a": torch.zeros(1)}, layout="keras")


def test_saved_weights_build_the_same_network_again(tmp_path):
    network = tiny(num_classes=4, output_stride=16)
    network.preprocessing = models.Preprocessing(mean=(0.1, 0.2, 0.3), std=(1.0, 1.0, 1.0))
    models.save_weights(network, tmp_path / "w.pt", seed=7)
    again = models.create(TINY, weights=tmp_path / "w.pt")
    assert same(again, network.state_dict())
    assert again.config == network.config
    assert again.output_stride == 16
    assert again.preprocessing == network.preprocessing
    assert [path.name for path in tmp_path.iterdir()] == ["w.pt"]
    with pytest.raises(ValueError, match="holds weights of deeplabv3_tiny, not of deeplabv3_resnet50"):
        models.create("deeplabv3_resnet50", weights=tmp_path / "w.pt")
    with pytest.raises(ValueError, match="number of classes differs"):
        models.create(TINY, num_classes=5, weights=tmp_path / "w.pt")


def test_half_of_the_bits_in_half_of_the_space(tmp_path):
    network = tiny()
    network.get_parameter("backbone.stem.0.weight").data[0, 0, 0, 0] = 1e6  # more than 16 bits hold
    before = {key: value.clone() for key, value in network.state_dict().items()}
    models.save_weights(network, tmp_path / "whole.pt")
    round_to_half(network)
    models.save_weights(network, tmp_path / "half.pt", half=True)
    sizes = [(tmp_path / name).stat().st_size for name in ("half.pt", "whole.pt")]
    assert 0.5 * sizes[1] < sizes[0] < 0.56 * sizes[1]  # names and counters stay as long as they were

    again = models.create(TINY, weights=tmp_path / "half.pt").state_dict()
    for key, value in network.state_dict().items():
        assert again[key].dtype == before[key].dtype, key
        assert torch.equal(again[key], value), key
        close = before[key].clamp(max=65504) if before[key].is_floating_point() else before[key]
        torch.testing.assert_close(value, close, rtol=2**-11, atol=1e-7, msg=key)


def test_saving_leaves_the_old_file_if_it_fails(tmp_path):
    path = tmp_path / "w.pt"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match=r"the note note is <function .*, of type function, which cannot be kept"):
        models.save_weights(tiny(), path, note=lambda: None)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["w.pt"]
    with pytest.raises(ValueError, match=r"models\.create built"):
        models.save_weights(torch.nn.Linear(1, 1), path)


@pytest.mark.parametrize(
    ("name", "classifier", "layout"),
    [
        ("deeplabv3_resnet50", "resnet50", "torchvision_resnet"),
        ("deeplabv3_mobilenet_v2", "mobilenet_v2", "torchvision_mobilenet_v2"),
        ("deeplabv3_mobilenet_v3_large", "mobilenet_v3_large", "torchvision_mobilenet_v3_large"),
    ],
)
def test_a_classifiers_weights_fill_the_backbone_alone(name, classifier, layout):
    theirs = getattr(torchvision.models, classifier)(weights=None).state_dict()
    network = models.create(name, num_classes=2)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(ValueError, match=f"weights of a classifier.*{layout}"):
        models.load_weights(network, theirs)
    report = models.load_weights(network, theirs, layout=layout)
    after = network.state_dict()
    backbone = [key for key in after if key.startswith("backbone.")]
    assert list(report.loaded) == sorted(backbone)
    assert len(report.loaded) + len(report.dropped) == len(theirs)
    prefix = "" if classifier == "resnet50" else "features."
    assert all(torch.equal(after[key], theirs[prefix + key.removeprefix("backbone.")]) for key in backbone)
    assert all(torch.equal(after[key], before[key]) for key in report.untouched)
    assert network.preprocessing == models.Preprocessing()


def tflite(state):
    """Our state under the short names, made by plain replacement: the table's inverse, written independently."""
    names = [
        ("backbone.", "f."), ("classifier.0.convs.0.", "aspp0."), ("classifier.0.convs.1.1.", "pool.0."),
        ("classifier.0.convs.1.2.", "pool.1."), ("classifier.0.project.", "proj."), ("classifier.1.", "cls."),
    ]  # fmt: skip
    renamed = {}
    for key, value in state.items():
        ours, short = next(pair for pair in names if key.startswith(pair[0]))
        renamed[short + key.removeprefix(ours)] = value
    weight = renamed["proj.0.weight"]
    renamed["proj.0.weight"] = torch.cat([weight[:, 256:], weight[:, :256]], dim=1)
    return renamed


def test_the_tflite_table_is_the_inverse_of_the_renaming():
    source = models.create("deeplabv3_mobilenet_v2", num_classes=2)
    network = models.create("deeplabv3_mobilenet_v2", num_classes=2)
    report = models.load_weights(network, tflite(source.state_dict()))
    assert report.layout == "tflite_mobilenet_v2"
    assert same(network, source.state_dict())


def test_published_weights_are_those_of_torchvisions_records():
    table = weights_module.published_weights()
    assert {entry["kind"] for entry in table} == {"imagenet", "torchvision"}
    for entry in table:
        peer = entry["models"][0] if entry["kind"] == "torchvision" else entry["name"].split()[0]
        (record,) = [w for w in torchvision.models.get_model_weights(peer) if w.url == entry["url"]]
        assert entry["parameters"] == record.meta["num_params"]
        assert entry["sha256_prefix"] == record.url.rsplit("-", 1)[1].removesuffix(".pth")
        assert entry["bytes"] == pytest.approx(record.meta["_file_size"] * 2**20, abs=1100)
        scores = next(iter(record.meta["_metrics"].values()))
        assert next(iter(entry["metric"].values())) == next(iter(scores.values()))
        assert entry["layout"] in LAYOUTS


def test_published_weights_are_fetched_checked_and_kept(tmp_path, monkeypatch, capsys):
    torch.manual_seed(3)
    peer = torchvision.models.segmentation.deeplabv3_mobilenet_v3_large(
        weights=None, weights_backbone=None, aux_loss=True
    ).state_dict()
    torch.save(peer, tmp_path / "file")
    body = (tmp_path / "file").read_bytes()
    monkeypatch.setenv("SEGTUTOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(importlib.import_module("segtutor.fetch.download"), "FIRST_WAIT", 0.01)
    name = "deeplabv3_mobilenet_v3_large"

    def publish(url, prefix):
        entry = {"kind": "torchvision", "models": [name], "layout": "torchvision", "url": url, "sha256_prefix": prefix}
        entry |= {"name": "network", "bytes": len(body), "license": "free", "source": "here"}
        monkeypatch.setattr(weights_module, "published_weights", lambda: [entry])

    with Server(lambda handler, start: send(handler, body)) as server:
        publish(server.url, "0" * 8)
        with pytest.raises(DownloadError, match="expected 00000000"):
            models.create(name, weights="torchvision")
        assert not (tmp_path / "cache" / "weights" / "weights.bin").exists()
        publish(server.url, hashlib.sha256(body).hexdigest()[:8])
        assert same(models.create(name, weights="torchvision"), peer)
        told = capsys.readouterr().out
        assert f"network: {len(body) / 1e6:.0f} MB from 127.0.0.1" in told  # before the first byte
        assert "license: free" in told
        requests = len(server.ranges)
        assert same(models.create(name, weights="torchvision", aux=True), peer)
        assert len(server.ranges) == requests  # the second came from the cache
        assert capsys.readouterr().out == ""
        tuned = models.create(name, num_classes=5)
        report = models.load_weights(tuned, "torchvision", replace_head=True)
        assert "classifier.4.weight" in report.untouched


def test_the_courses_checkpoint_is_found_by_name(tmp_path, monkeypatch):
    (tmp_path / "checkpoints").mkdir()
    monkeypatch.setattr(weights_module.resources, "folder", lambda name: tmp_path)
    with pytest.raises(ValueError, match="no checkpoint of deeplabv3_tiny; it has none"):
        models.create(TINY, weights="course")
    network = tiny(num_classes=6)
    models.save_weights(network, tmp_path / "checkpoints" / f"{TINY}.pt")
    assert same(models.create(TINY, weights="course"), network.state_dict())
    with pytest.raises(ValueError, match="no checkpoint of deeplabv3_resnet50; it has deeplabv3_tiny"):
        models.create("deeplabv3_resnet50", weights="course")


def test_a_checkpoint_without_a_backbone_stands_on_the_one_of_another(tmp_path, monkeypatch):
    (tmp_path / "checkpoints").mkdir()
    monkeypatch.setattr(weights_module.resources, "folder", lambda name: tmp_path)
    below = tiny(num_classes=6)
    models.save_weights(below, tmp_path / "checkpoints" / f"{TINY}.pt")
    with pytest.raises(ValueError, match="no checkpoint of mask2former_tiny; it has deeplabv3_tiny"):
        models.create("mask2former_tiny", weights="course")
    network = models.create("mask2former_tiny", num_classes=4, queries=5)
    write(network, tmp_path / "checkpoints" / "mask2former_tiny.safetensors")
    loaded = models.create("mask2former_tiny", weights="course")
    assert loaded.config.num_classes == 4
    assert loaded.config.options == {"queries": 5}
    assert same(loaded.backbone, below.backbone.state_dict())
    for key, value in network.decoder.state_dict().items():
        assert torch.equal(loaded.decoder.state_dict()[key], value.half().float()), key


def test_sams_checkpoint_stands_on_the_same_backbone(tmp_path, monkeypatch):
    (tmp_path / "checkpoints").mkdir()
    monkeypatch.setattr(weights_module.resources, "folder", lambda name: tmp_path)
    below = tiny(num_classes=6)
    models.save_weights(below, tmp_path / "checkpoints" / f"{TINY}.pt")
    network = models.create("sam_tiny")
    file = tmp_path / "checkpoints" / "sam_tiny.safetensors"
    write(network, file)
    assert file.stat().st_size < 320_000
    loaded = models.create("sam_tiny", weights="course")
    assert same(loaded.backbone, below.backbone.state_dict())
    for part in ("neck", "prompt_encoder", "mask_decoder"):
        for key, value in getattr(network, part).state_dict().items():
            assert torch.equal(getattr(loaded, part).state_dict()[key], value.half().float()), key
