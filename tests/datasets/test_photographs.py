"""The course's own label maps of photographs: all there, in the right place, and as exact as the page says."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import tv_tensors

from segtutor import datasets
from segtutor.datasets.photographs import agreement, draw, region_mask
from segtutor.labels import PHOTOGRAPHS, VOC2012

pytest.importorskip("skimage")
PAGE = Path(__file__).parents[2] / "docs" / "photographs.md"


def test_six_photographs_with_label_maps_of_their_size():
    photographs = datasets.Photographs()
    assert photographs.names == ["chelsea", "coffee", "astronaut", "rocket", "camera", "coins"]
    assert len(photographs.credits) == len(photographs) == 6
    for image, labels in photographs:
        assert isinstance(image, tv_tensors.Image)
        assert image.dtype == torch.uint8
        assert labels.shape == image.shape[-2:]
        known = set(range(len(PHOTOGRAPHS))) | {PHOTOGRAPHS.ignore_index}
        assert set(np.unique(labels)) <= known
        assert 0.004 < (labels == 255).float().mean() < 0.12, "a border, not a region"


@pytest.mark.parametrize(
    ("name", "row", "column", "label"),
    [
        ("chelsea", 150, 200, "cat"), ("chelsea", 60, 430, "background"), ("coffee", 150, 300, "cup"),
        ("coffee", 300, 250, "saucer"), ("coffee", 290, 365, "spoon"), ("coffee", 380, 560, "diningtable"),
        ("astronaut", 130, 220, "person"), ("astronaut", 450, 400, "helmet"), ("astronaut", 200, 400, "space shuttle"),
        ("rocket", 300, 322, "rocket"), ("rocket", 100, 320, "sky"), ("camera", 300, 100, "person"),
        ("camera", 400, 450, "grass"), ("camera", 160, 300, "camera"), ("coins", 54, 44, "coin"),
    ],
)  # fmt: skip
def test_what_stands_at_some_places(name, row, column, label):
    """Read off the pictures with a ruler, not off the polygons."""
    photographs = datasets.Photographs()
    _, labels = photographs[photographs.names.index(name)]
    assert PHOTOGRAPHS.names[int(labels[row, column])] == label


def test_voc_knows_only_some_of_it():
    found = set()
    for _, labels in datasets.Photographs(classes="voc"):
        found |= set(np.unique(labels).tolist())
    names = {VOC2012.names[number] for number in found if number != 255}
    assert names == {"background", "cat", "diningtable", "person"}


def test_instances_and_panoptic_segments():
    photographs = datasets.Photographs(target="instances")
    _, coins = photographs[5]
    assert len(coins["boxes"]) == 24
    assert {PHOTOGRAPHS.names[int(label)] for label in coins["labels"]} == {"coin"}
    for mask, (x0, y0, x1, y1) in zip(coins["masks"], coins["boxes"].tolist(), strict=True):
        rows, columns = np.nonzero(np.asarray(mask))
        assert (x0, y0, x1, y1) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    target = datasets.Photographs(target="panoptic")[1][1]
    ids, segments = target["segments"], target["segments_info"]
    assert set(np.unique(ids)) - {0} == {one["id"] for one in segments}
    assert {PHOTOGRAPHS.names[one["category_id"]] for one in segments} == {"diningtable", "cup", "saucer", "spoon"}
    assert sum(one["area"] for one in segments) == int((np.asarray(ids) > 0).sum())


def test_a_region_by_hand():
    square = region_mask({"polygon": [1, 1, 3, 1, 3, 4, 1, 4]}, 5, 5)
    wanted = np.zeros((5, 5), bool)
    wanted[1:4, 1:3] = True
    np.testing.assert_array_equal(square, wanted)
    entry = {"size": [9, 9], "regions": [{"class": "cat", "polygon": [0, 0, 9, 0, 9, 9, 0, 9]},
                                         {"class": "dog", "polygon": [3, 3, 6, 3, 6, 6, 3, 6]}]}  # fmt: skip
    labels, instances = draw(entry, border=1)
    assert labels[4, 4] == VOC2012.index("dog")
    assert instances[4, 4] == 2
    assert labels[0, 0] == VOC2012.index("cat"), "the picture's own edge is no outline"
    assert (labels == 255).sum() == 20, "a ring of one pixel on either side: 8 inside, 12 outside"


def test_two_passes_agree_as_well_as_the_page_says():
    rows = agreement()
    assert [row["photograph"] for row in rows if row["class"] == "coin"] == ["coins"]
    assert len(rows) == 20
    text = PAGE.read_text(encoding="utf-8")
    for row in rows:
        assert f"| {row['photograph']} | {row['class']} | {100 * row['iou']:.1f} |" in text
    thick = [row["iou"] for row in rows if row["class"] != "tripod"]
    assert min(thick) > 0.75
    assert np.mean(thick) > 0.93


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="boxes"):
        datasets.Photographs(target="boxes")
    with pytest.raises(ValueError, match="coco"):
        datasets.Photographs(classes="coco")


@pytest.mark.parametrize("target", ["semantic", "instances", "panoptic"])
def test_an_export_keeps_background_void_and_objects_whichever_target_is_asked_for(target, tmp_path):
    root = datasets.export(datasets.Photographs(target), tmp_path / "voc", layout="voc", count=2)
    _, labels = datasets.VOCSegmentation(root)[0]  # Chelsea: nothing in it but VOC's classes
    assert torch.equal(labels, datasets.Photographs(classes="voc")[0][1])
    _, objects = datasets.VOCSegmentation(root, target="instances")[1]
    assert [VOC2012.names[number] for number in objects["labels"]] == ["diningtable"]
