import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat

from segtutor.datasets import PascalContext
from segtutor.labels import PASCAL_CONTEXT_59, PASCAL_CONTEXT_60, PASCAL_CONTEXT_459
from tests.shared import shared_data


def one_picture(root: Path, label_map: np.ndarray, lists: str = "Main") -> Path:
    """The authors' own form: VOC 2010, and a folder of .mat files."""
    base = root / "VOCdevkit" / "VOC2010"
    for folder in ("JPEGImages", f"ImageSets/{lists}", "trainval"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", label_map.shape[::-1]).save(base / "JPEGImages/2008_000002.jpg")
    savemat(base / "trainval/2008_000002.mat", {"LabelMap": label_map})
    (base / f"ImageSets/{lists}/train.txt").write_text("2008_000002\n")
    return root


# sky, table, bedclothes, cloth, unlabeled, accordion (not among the 59)
BY_HAND = np.array([[360, 397, 19], [PASCAL_CONTEXT_459.index("cloth") + 1, 0, 1]], dtype=np.uint16)


class TestByHand:
    def test_59_by_the_names_that_differ(self, tmp_path):
        _, target = PascalContext(one_picture(tmp_path, BY_HAND))[0]
        names = [PASCAL_CONTEXT_59.names[n] if n < 59 else n for n in target.flatten().tolist()]
        assert names == ["sky", "diningtable", "bedcloth", "clothes", 255, 255]

    def test_60(self, tmp_path):
        data = PascalContext(one_picture(tmp_path, BY_HAND), num_classes=60)
        assert data[0][1].tolist() == [[50, 11, 52], [28, 0, 0]]

    def test_459(self, tmp_path):
        data = PascalContext(one_picture(tmp_path, BY_HAND), num_classes=459)
        assert data[0][1].tolist() == [[359, 396, 18], [int(BY_HAND[1, 0]) - 1, 459, 0]]
        assert data.labels.names[359] == "sky"

    def test_its_own_lists_go_before_those_of_voc(self, tmp_path):
        root = one_picture(tmp_path, BY_HAND)
        lists = root / "VOCdevkit/VOC2010/ImageSets"
        (lists / "SegmentationContext").mkdir()
        (lists / "SegmentationContext/train.txt").write_text("2008_000002\n2008_000007\n")
        assert len(PascalContext(root)) == 2

    def test_the_folder_trainval_beside_the_devkit(self, tmp_path):
        root = one_picture(tmp_path, BY_HAND)
        (root / "VOCdevkit/VOC2010/trainval").rename(root / "trainval")
        assert PascalContext(root)[0][1].shape == (2, 3)


class TestTables:
    def test_counts(self):
        assert [len(labels) for labels in (PASCAL_CONTEXT_59, PASCAL_CONTEXT_60, PASCAL_CONTEXT_459)] == [59, 60, 459]
        assert PASCAL_CONTEXT_59.names[0] == "aeroplane"
        assert PASCAL_CONTEXT_59.names[-1] == "wood"
        assert PASCAL_CONTEXT_459.names[0] == "accordion"
        assert PASCAL_CONTEXT_459.names[-1] == "wool"
        assert len(set(PASCAL_CONTEXT_459.colors)) == 459
        assert PASCAL_CONTEXT_459.palette.shape == (460, 3)

    @pytest.mark.shared_data
    def test_names_are_those_of_the_lists(self):
        def names(path):
            return tuple(line.split(": ")[1].strip() for line in path.read_text().splitlines() if line.strip())

        assert names(shared_data("lists", "pascal_context_59.txt")) == PASCAL_CONTEXT_60.names
        assert names(shared_data("lists", "pascal_context_459.txt")) == PASCAL_CONTEXT_459.names


class TestFolder:
    def test_auto_takes_pngs_where_they_do(self, exported):
        sources = {n: PascalContext(exported["pascal_context"], num_classes=n).source for n in (59, 60, 459)}
        assert sources == {59: "png", 60: "png", 459: "mat"}

    def test_pickles(self, exported):
        data = PascalContext(exported["pascal_context"], image_set="val")
        assert torch.equal(pickle.loads(pickle.dumps(data))[1][1], data[1][1])

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"num_classes": 400}, "59, 60 .* or 459, but it is 400"),
            ({"num_classes": 459, "source": "png"}, r"\.mat files"),
            ({"source": "json"}, "source"),
            ({"image_set": "test"}, "image_set"),
        ],
    )
    def test_arguments(self, exported, arguments, message):
        with pytest.raises(ValueError, match=message):
            PascalContext(exported["pascal_context"], **arguments)

    def test_missing(self, tmp_path, copy_of):
        with pytest.raises(FileNotFoundError, match="VOC2010 is missing"):
            PascalContext(tmp_path)
        root = copy_of("pascal_context")
        path = sorted(root.glob("**/*.mat"))[0]
        path.unlink()
        with pytest.raises(FileNotFoundError, match=f"{path.name} is missing"):
            PascalContext(root, source="mat")[0]

    def test_damaged_mat(self, copy_of):
        path = sorted((root := copy_of("pascal_context")).glob("**/*.mat"))[0]
        data = PascalContext(root, source="mat")
        path.write_bytes(path.read_bytes()[:200])
        with pytest.raises(ValueError, match=rf"{path.name} cannot be read as a MATLAB file"):
            data[0]
        savemat(path, {"labels": np.zeros((64, 80))})
        with pytest.raises(ValueError, match=rf"{path.name} has no array LabelMap, only labels"):
            data[0]
        savemat(path, {"LabelMap": np.full((64, 80), 460)})
        with pytest.raises(ValueError, match=rf"{path.name} holds the value 460"):
            data[0]
        savemat(path, {"LabelMap": np.full((64, 81), 4)})
        with pytest.raises(ValueError, match=rf"{path.name} is 64 x 81"):
            data[0]

    def test_without_scipy(self, exported, monkeypatch):
        monkeypatch.setitem(sys.modules, "scipy.io", None)
        assert PascalContext(exported["pascal_context"])[0][1].shape == (64, 80)
        with pytest.raises(ImportError, match=r"needs SciPy .*source='png'"):
            PascalContext(exported["pascal_context"], source="mat")[0]
