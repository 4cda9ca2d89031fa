import pickle

import numpy as np
import pytest
import torch
from PIL import Image

from segtutor.datasets import CamVid
from segtutor.labels import CAMVID
from tests.shared import shared_data


@pytest.fixture
def camvid(tmp_path):
    """Two frames in SegNet's folders, with SegNet's absolute paths in the list."""
    lines = []
    for number in range(2):
        name = f"0001TP_{6690 + number:06d}.png"
        for folder in ("train", "trainannot"):
            (tmp_path / folder).mkdir(exist_ok=True)
        Image.new("RGB", (4, 3), (number, 2, 3)).save(tmp_path / "train" / name)
        Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).save(tmp_path / "trainannot" / name)
        lines.append(f"/SegNet/CamVid/train/{name} /SegNet/CamVid/trainannot/{name}")
    (tmp_path / "train.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


class TestCamVid:
    def test_void_is_255(self, camvid):
        data = CamVid(camvid)
        image, target = data[1]
        assert len(data) == 2
        assert image[:, 0, 0].tolist() == [1, 2, 3]
        assert target.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 255]]
        assert torch.equal(pickle.loads(pickle.dumps(data))[1][1], target)

    def test_relative_paths(self, camvid):
        path = camvid / "train.txt"
        path.write_text(path.read_text().replace("/SegNet/CamVid/", ""))
        assert CamVid(camvid)[0][1].shape == (3, 4)

    def test_classes(self):
        assert CAMVID.names == (
            "Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Fence", "Car", "Pedestrian",
            "Bicyclist",
        )  # fmt: skip
        assert CAMVID.colors[3] == (128, 64, 128)

    def test_bad_lists(self, camvid):
        with pytest.raises(FileNotFoundError, match=r"val\.txt is missing"):
            CamVid(camvid, "val")
        with pytest.raises(ValueError, match="split must be one of train, val, test"):
            CamVid(camvid, "trainval")
        (camvid / "val.txt").write_text("a.png\n")
        with pytest.raises(ValueError, match=r"val\.txt, line 1: .*'a.png'"):
            CamVid(camvid, "val")
        (camvid / "test.txt").write_text("\n")
        with pytest.raises(ValueError, match=r"test\.txt lists no frame"):
            CamVid(camvid, "test")

    def test_bad_files(self, camvid):
        path = camvid / "trainannot/0001TP_006690.png"
        Image.fromarray(np.full((3, 4), 12, dtype=np.uint8)).save(path)
        with pytest.raises(ValueError, match=rf"{path.name} holds the value 12, but CamVid has 0\.\.\.10, and 11"):
            CamVid(camvid)[0]
        path.unlink()
        with pytest.raises(FileNotFoundError, match=path.name):
            CamVid(camvid)[0]


@pytest.mark.shared_data
class TestRealFiles:
    def test_counts_classes_and_void(self):
        root = shared_data("camvid")
        sets = {split: CamVid(root, split) for split in ("train", "val", "test")}
        assert {split: len(data) for split, data in sets.items()} == {"train": 367, "val": 101, "test": 233}
        counts = torch.zeros(256, dtype=torch.int64)
        for index in range(0, 367, 20):
            image, target = sets["train"][index]
            assert image.shape == (3, 360, 480)
            counts += torch.bincount(target.flatten(), minlength=256)
        assert counts[11:255].sum() == 0
        assert 0.01 < counts[255] / counts.sum() < 0.1
        assert counts[[0, 1, 3]].sum() / counts[:11].sum() > 0.6, "sky, building and road fill most of a street"

    def test_classes_are_those_of_the_file(self):
        names = shared_data("camvid", "classes.txt").read_text().split()
        assert tuple(names[:11]) == CAMVID.names

    def test_val_is_one_sequence_that_train_shares(self):
        """The leak that lesson 02 shows."""
        root = shared_data("camvid")
        sequences = {
            split: {pair[0].name.split("_")[0] for pair in CamVid(root, split).pairs} for split in ("train", "val")
        }
        assert len(sequences["val"]) == 1
        assert sequences["val"] <= sequences["train"]
