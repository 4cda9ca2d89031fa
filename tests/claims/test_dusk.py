"""A real dusk: which frames are learned, looked at and scored, without the training."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from segtutor import models
from segtutor.claims.experiments.world import dusk
from segtutor.claims.experiments.world.dusk import AtDusk, DriveRecipe, Frames, read, road_windows
from segtutor.datasets import CamVid
from segtutor.labels import CAMVID
from tests.shared import shared_data

ROAD = CAMVID.names.index("Road")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Frames of every drive, whose gray tells which: 10 by day, 20 at dusk, 30 of another street."""
    shades = {"0006R0": 10, "0016E5": 11, "0001TP": 20, "Seq05VD": 30}
    for split, of_split in (("train", ("0006R0", "0001TP", "0016E5")), ("test", ("0001TP", "Seq05VD"))):
        lines = []
        for drive in of_split:
            for number in range(4):
                name = f"{drive}_{number}.png"
                for kind, value in (("images", shades[drive]), ("labels", ROAD)):
                    path = tmp_path / "camvid" / kind / split / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    shape = (90, 120, 3) if kind == "images" else (90, 120)
                    Image.fromarray(np.full(shape, value, np.uint8)).save(path)
                lines.append(f"images/{split}/{name} labels/{split}/{name}")
        (tmp_path / "camvid" / f"{split}.txt").write_text("\n".join(lines))
    monkeypatch.setenv("SEGTUTOR_DATA", str(tmp_path))
    dusk.drives.cache_clear()
    yield tmp_path
    dusk.drives.cache_clear()


def shades(frames):
    return sorted(set(frames.images.flatten(1).float().mean(1).tolist()))


def test_nothing_of_the_dusk_is_learned_and_nothing_that_is_scored_is_looked_at(root):
    found = dusk.drives()
    assert shades(found.learned) == [10, 11]
    assert (shades(found.unlabeled["dusk"]), shades(found.scored["dusk"])) == ([20], [20])
    assert (shades(found.unlabeled["day"]), shades(found.scored["day"])) == ([30], [30])
    sizes = [len(one) for one in (found.learned, *found.unlabeled.values(), *found.scored.values())]
    assert sizes == [8, 2, 4, 2, 4]
    assert found.learned.images.shape[1:] == (3, *dusk.SIZE)
    assert found.learned.maps.unique().tolist() == [ROAD]


def test_without_camvid_it_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGTUTOR_DATA", str(tmp_path))
    dusk.drives.cache_clear()
    with pytest.raises(FileNotFoundError, match=r"there is no CamVid at .*name the folder above it by SEGTUTOR_DATA"):
        dusk.drives()


def test_windows_show_the_most_road():
    maps = torch.zeros(1, *dusk.SIZE, dtype=torch.int64)
    maps[:, 100:140, 60:120] = ROAD
    images = (maps == ROAD)[:, None].repeat(1, 3, 1, 1).to(torch.uint8)
    windows = road_windows(Frames(images, maps))
    assert windows.shape == (1, 3, *dusk.WINDOW)
    assert windows.float().mean() == 1


@pytest.mark.parametrize(("statistics", "changes"),
                         [("training", False), ("frames", True), ("4 frames", True), ("road", True)])  # fmt: skip
def test_only_statistics_change(root, statistics, changes):
    torch.manual_seed(0)
    network = models.create("deeplabv3_mobilenet_v2", num_classes=len(CAMVID)).eval()
    changed = AtDusk(DriveRecipe(), statistics).prepared(network, "dusk")
    for name, value in network.named_parameters():
        assert torch.equal(value, changed.get_parameter(name))
    old, new = ([one.running_mean for one in model.modules() if isinstance(one, nn.BatchNorm2d)]
                for model in (network, changed))  # fmt: skip
    assert any(not torch.equal(a, b) for a, b in zip(old, new, strict=True)) == changes


def test_a_run_gives_what_the_claim_measures(root, monkeypatch):
    torch.manual_seed(0)
    network = models.create("deeplabv3_mobilenet_v2", num_classes=len(CAMVID)).eval()
    monkeypatch.setattr(dusk, "trained", lambda recipe, seed: network)
    values = AtDusk(DriveRecipe(), "training")(0, short=True)
    assert {measure.key for measure in dusk.DUSK_CLAIM.measures} <= set(values)
    assert all(0 <= values[f"{light}_{key}"] <= 1 for light in ("day", "dusk") for key in ("mean_iou", "ece"))


def test_the_real_drives():
    root = shared_data("camvid")
    train, test = CamVid(root, "train"), CamVid(root, "test")
    names = [[picture.name.partition("_")[0] for picture, _ in dataset.pairs] for dataset in (train, test)]
    assert len(names[0]) - names[0].count(dusk.DUSK) == DriveRecipe().train_count
    assert names[1].count(dusk.DUSK) == DriveRecipe().val_count
    assert names[0].count(dusk.DUSK) == 62
    assert divmod(names[1].count(dusk.OTHER_STREET), 2) == (85, 1)  # 85 earlier frames, 86 later ones
    light = [float(read(one, (drive,)).images.float().mean()) for one, drive in
             ((test, dusk.DUSK), (test, dusk.OTHER_STREET))]  # fmt: skip
    assert light[0] < 0.8 * light[1]
