from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from segtutor.inference import evaluate
from segtutor.labels import VOC2012, LabelSet
from tests.shared import shared_data

TWO = LabelSet("Two", ("dark", "bright"), ((0, 0, 0), (255, 255, 255)))


class Pictures:
    """Pairs of any sizes, with a label set."""

    def __init__(self, pairs, labels=TWO):
        self.pairs, self.labels = pairs, labels

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        return self.pairs[index]


class Threshold(nn.Module):
    """Class 1 where the picture is brighter than ImageNet's mean."""

    def __init__(self, num_classes: int = 2):
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.extra = num_classes - 2

    def forward(self, images):
        brightness = images.mean(1, keepdim=True)
        return torch.cat([-brightness, brightness, *[brightness * 0 - 99] * self.extra], dim=1)


def pair(bright: list[list[int]], target: list[list[int]]):
    image = torch.tensor(bright, dtype=torch.uint8) * 255
    return image.expand(3, *image.shape), torch.tensor(target)


def test_one_matrix_over_the_whole_set_by_hand():
    # First picture: 3 of 4 right. Second: all wrong. A void pixel counts nowhere.
    data = Pictures([pair([[1, 1], [0, 0]], [[1, 0], [0, 0]]), pair([[0, 1, 1]], [[1, 255, 0]])])
    result = evaluate(Threshold(), data, progress=False)
    assert result.confusion.matrix.tolist() == [[2, 2], [1, 1]]
    assert result.iou == {"dark": 2 / 5, "bright": 1 / 4}
    assert result.mean_iou == pytest.approx(0.325)
    assert result.pixel_accuracy == pytest.approx(0.5)
    assert (result.images, result.classes_counted) == (2, 2)
    # The mean of the pictures' own scores is another number: (2/3 + 1/2)/2 and 0.
    assert result.mean_iou != pytest.approx((7 / 12 + 0) / 2)


def test_absent_classes_are_not_counted_and_reported():
    three = LabelSet("Three", ("dark", "bright", "unseen"), ((0, 0, 0),) * 3)
    result = evaluate(Threshold(3), Pictures([pair([[1, 0]], [[1, 0]])], three), progress=False)
    assert result.mean_iou == 1.0
    assert np.isnan(result.iou["unseen"])
    assert "over 2 classes (1 absent, not counted)" in str(result)


def test_another_void_value_is_respected():
    eleven = LabelSet("Eleven", TWO.names, TWO.colors, ignore_index=11)
    result = evaluate(Threshold(), Pictures([pair([[1, 0, 1]], [[1, 0, 11]])], eleven), progress=False)
    assert result.confusion.matrix.tolist() == [[1, 0], [0, 1]]


def test_mode_and_running_statistics_are_left_alone_and_workers_change_nothing():
    data = Pictures([pair([[1, 0]], [[1, 0]]), pair([[1, 1]], [[1, 0]])])
    model = Threshold().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    alone = evaluate(model, data, progress=False)
    assert model.training
    assert model.norm.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    helped = evaluate(model, data, num_workers=1, progress=False)
    assert np.array_equal(alone.confusion.matrix, helped.confusion.matrix)


def test_what_does_not_fit_is_refused():
    good = pair([[1, 0]], [[1, 0]])
    with pytest.raises(ValueError, match="empty"):
        evaluate(Threshold(), Pictures([]))
    with pytest.raises(ValueError, match="3 classes, but Two has 2"):
        evaluate(Threshold(3), Pictures([good]), progress=False)
    with pytest.raises(ValueError, match=r"item 1: its picture is \(1, 2\)"):
        evaluate(Threshold(), Pictures([good, (good[0], good[1][:, :1])]), progress=False)
    with pytest.raises(ValueError, match="attribute labels"):
        evaluate(Threshold(), [good])


class Animals:
    """The validation pairs of PASCAL VOC that are at hand, as the files hold them."""

    labels = VOC2012

    def __init__(self, root):
        self.root = root
        self.names = (root / "ImageSets" / "Segmentation" / "val.txt").read_text().split()

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        name = self.names[index]
        image = Image.open(self.root / "JPEGImages" / f"{name}.jpg").convert("RGB")
        target = Image.open(self.root / "SegmentationClass" / f"{name}.png")
        return torch.from_numpy(np.array(image)).permute(2, 0, 1), torch.from_numpy(np.array(target))


@pytest.mark.slow
@pytest.mark.shared_data
def test_the_published_mobile_network_scores_as_an_independent_implementation_measured():
    from segtutor import models

    weights = shared_data("weights", "deeplabv3_mobilenet_v2_voc_f32.npz")
    data = Animals(next(shared_data("voc2012_animals").rglob("ImageSets")).parent)
    model = models.create("deeplabv3_mobilenet_v2", num_classes=21, weights=str(weights))
    result = evaluate(model, data, progress=False)
    seven = [result.iou[name] for name in ("background", "cat", "cow", "dog", "horse", "person", "sheep")]
    assert result.images == 384
    assert 100 * np.mean(seven) == pytest.approx(83.05, abs=0.3)
    assert 100 * result.pixel_accuracy == pytest.approx(95.05, abs=0.3)
