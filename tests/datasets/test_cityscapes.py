import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torchvision import tv_tensors

from segtutor.datasets import Cityscapes
from segtutor.labels import CITYSCAPES, CITYSCAPES_IDS, CITYSCAPES_TRAIN_IDS


def one_picture(root: Path, instances: np.ndarray, split: str = "train", folder: str = "gtFine") -> Path:
    """A Cityscapes tree with one picture, from its instance ids."""
    picture = root / "leftImg8bit" / split / "ulm" / "ulm_000000_000019_leftImg8bit.png"
    labels = root / folder / split / "ulm" / f"ulm_000000_000019_{folder}_labelIds.png"
    for path in (picture, labels):
        path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", instances.shape[::-1], (90, 120, 30)).save(picture)
    ids = np.where(instances >= 1000, instances // 1000, instances).astype(np.uint8)
    Image.fromarray(ids).save(labels)
    Image.fromarray(instances.astype(np.uint16)).save(str(labels).replace("labelIds", "instanceIds"))
    return root


# road, two cars, a group of cars, a person, sky, out of roi, trailer
BY_HAND = np.array([[23, 23, 23, 3], [26000, 26000, 26001, 3], [26, 26, 24000, 30000], [7, 7, 7, 7]])


class TestByHand:
    def test_train_ids(self, tmp_path):
        _, target = Cityscapes(one_picture(tmp_path, BY_HAND))[0]
        assert isinstance(target, tv_tensors.Mask)
        assert target.tolist() == [[10, 10, 10, 255], [13, 13, 13, 255], [13, 13, 11, 255], [0, 0, 0, 0]]

    def test_all_ids(self, tmp_path):
        _, target = Cityscapes(one_picture(tmp_path, BY_HAND), ids="all")[0]
        assert target.tolist() == [[23, 23, 23, 3], [26, 26, 26, 3], [26, 26, 24, 30], [7, 7, 7, 7]]

    def test_instances(self, tmp_path):
        root = one_picture(tmp_path, BY_HAND)
        _, target = Cityscapes(root, target="instances")[0]
        assert target["labels"].tolist() == [11, 13, 13]
        assert target["boxes"].tolist() == [[2, 2, 3, 3], [0, 1, 2, 2], [2, 1, 3, 2]]
        _, everything = Cityscapes(root, target="instances", crowd=True, ids="all")[0]
        assert everything["labels"].tolist() == [26, 24, 26, 26, 30]
        assert everything["iscrowd"].tolist() == [1, 0, 0, 0, 0]

    def test_panoptic(self, tmp_path):
        _, target = Cityscapes(one_picture(tmp_path, BY_HAND), target="panoptic")[0]
        assert target["segments"].tolist() == [
            [23, 23, 23, 0], [26000, 26000, 26001, 0], [26, 26, 24000, 0], [7, 7, 7, 7],
        ]  # fmt: skip
        by_id = {item["id"]: item for item in target["segments_info"]}
        assert set(by_id) == {7, 23, 26, 24000, 26000, 26001}
        assert by_id[26]["iscrowd"] == 1
        assert [by_id[i]["iscrowd"] for i in (7, 23, 24000)] == [0, 0, 0]
        assert by_id[26000] == {
            "id": 26000, "category_id": 13, "isthing": 1, "area": 2, "bbox": [0, 1, 2, 1], "iscrowd": 0,
        }  # fmt: skip

    @pytest.mark.parametrize("split", ["train", "train_extra", "val"])
    def test_coarse(self, tmp_path, split):
        data = Cityscapes(one_picture(tmp_path, BY_HAND, split, "gtCoarse"), split=split, mode="coarse")
        assert data[0][1][3].tolist() == [0, 0, 0, 0]


class TestTables:
    def test_equal_torchvisions(self):
        theirs = [item for item in torchvision.datasets.Cityscapes.classes if item.id >= 0]
        assert [item.name for item in theirs] == list(CITYSCAPES_IDS.names)
        assert [item.color for item in theirs] == list(CITYSCAPES_IDS.colors)
        assert [item.train_id for item in theirs] == CITYSCAPES_TRAIN_IDS[: len(theirs)].tolist()
        assert {item.id for item in theirs if item.has_instances} == CITYSCAPES_IDS.things
        scored = sorted((item for item in theirs if item.train_id != 255), key=lambda item: item.train_id)
        assert [item.name for item in scored] == list(CITYSCAPES.names)
        assert [item.color for item in scored] == list(CITYSCAPES.colors)
        assert len(CITYSCAPES) == 19

    def test_ids_beyond_the_table_are_void(self):
        assert (CITYSCAPES_TRAIN_IDS[34:] == 255).all()
        with pytest.raises(ValueError, match="read-only"):
            CITYSCAPES_TRAIN_IDS[0] = 1


class TestFolder:
    def test_order_is_that_of_the_names(self, exported):
        data = Cityscapes(exported["cityscapes"])
        assert data.images == sorted(data.images)
        assert [Path(p).name.split("_")[:2] for p in data.images] == [
            Path(t[0]).name.split("_")[:2] for t in data.targets
        ]

    def test_what_a_file_browser_leaves_behind_is_no_picture(self, copy_of):
        root = copy_of("cityscapes")
        count = len(Cityscapes(root))
        next((root / "leftImg8bit/train").iterdir()).joinpath("Thumbs.db").write_text("")
        assert len(Cityscapes(root)) == count

    def test_pickles(self, exported):
        data = Cityscapes(exported["cityscapes"], target="panoptic")
        assert torch.equal(pickle.loads(pickle.dumps(data))[1][1]["segments"], data[1][1]["segments"])

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"split": "train_extra"}, "split must be one of train, val, test"),
            ({"split": "test", "mode": "coarse"}, "split must be one of train, train_extra, val"),
            ({"mode": "rough"}, "mode"),
            ({"target": "color"}, "target"),
            ({"ids": "trainId"}, "ids"),
        ],
    )
    def test_arguments(self, exported, arguments, message):
        with pytest.raises(ValueError, match=message):
            Cityscapes(exported["cityscapes"], **arguments)

    def test_missing_folders(self, exported, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"gtCoarse.train is missing"):
            Cityscapes(exported["cityscapes"], mode="coarse")
        with pytest.raises(FileNotFoundError, match="leftImg8bit"):
            Cityscapes(tmp_path)

    def test_missing_label_file(self, copy_of):
        data = Cityscapes(copy_of("cityscapes"))
        path = Path(data.targets[0][0])
        path.unlink()
        with pytest.raises(FileNotFoundError, match=f"{path.name} is missing"):
            data[0]

    def test_unknown_id_and_other_size(self, copy_of):
        data = Cityscapes(copy_of("cityscapes"))
        path = Path(data.targets[0][0])
        values = np.array(Image.open(path))
        Image.fromarray(values[:-1]).save(path)
        with pytest.raises(ValueError, match=rf"{path.name} is 63 x 80 pixels"):
            data[0]
        values[5, 6] = 34
        Image.fromarray(values).save(path)
        with pytest.raises(ValueError, match=rf"{path.name} holds the value 34 .*0\.\.\.33"):
            data[0]

    def test_empty_city_folders(self, tmp_path):
        for folder in ("leftImg8bit", "gtFine"):
            (tmp_path / folder / "val" / "bonn").mkdir(parents=True)
        with pytest.raises(ValueError, match="holds no picture"):
            Cityscapes(tmp_path, split="val")
