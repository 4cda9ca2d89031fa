from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import nn

from segtutor import models
from segtutor.datasets import Scenes
from segtutor.inference import detect, evaluate_detector
from segtutor.inference.detect_scores import add_to_ground_truth, coco_detections, coco_ground_truth
from segtutor.labels import LabelSet

CLASSES = LabelSet(
    "Two", ("ground", "cat", "dog", "grass"), ((0, 0, 0), (9, 0, 0), (0, 9, 0), (0, 0, 9)), frozenset({1, 2})
)


def mask_of(height, width, x1, y1, x2, y2):
    mask = torch.zeros(height, width, dtype=torch.bool)
    mask[y1:y2, x1:x2] = True
    return mask


def target_of(*objects, size=(20, 30)):
    """Objects as (label, box); masks fill their boxes."""
    boxes = torch.tensor([box for _, box in objects], dtype=torch.float32).reshape(-1, 4)
    masks = [mask_of(*size, *box) for _, box in objects]
    return {
        "boxes": boxes,
        "labels": torch.tensor([label for label, _ in objects], dtype=torch.int64),
        "masks": torch.stack(masks) if masks else torch.zeros(0, *size, dtype=torch.bool),
    }


class Oracle(nn.Module):
    """A detector that finds what it was told, one picture after the other."""

    num_classes = 4

    def __init__(self, *found, with_masks=True):
        super().__init__()
        self.found, self.asked, self.modes = found, 0, []
        self.roi_heads = SimpleNamespace(mask_head=True if with_masks else None)

    def forward(self, images):
        answer = self.found[self.asked]
        self.asked += 1
        self.modes.append(self.training)
        assert images[0].dtype == torch.float32
        return [answer]


class Pictures:
    labels = CLASSES

    def __init__(self, *targets):
        self.targets = targets

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        return torch.zeros(3, 20, 30, dtype=torch.uint8), self.targets[index]


def scored(target, *scores):
    return {**target, "scores": torch.tensor(scores)}


def test_a_tiny_scene_as_coco_by_hand():
    truth = coco_ground_truth(CLASSES.names)
    target = target_of((2, [1, 2, 3, 5]), (1, [0, 0, 4, 1]), size=(6, 5)) | {"iscrowd": torch.tensor([0, 1])}
    add_to_ground_truth(truth, 0, (6, 5), target)
    add_to_ground_truth(truth, 1, (6, 5), target_of(size=(6, 5)))
    assert truth["categories"] == [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}, {"id": 3, "name": "grass"}]
    assert truth["images"] == [{"id": 0, "height": 6, "width": 5}, {"id": 1, "height": 6, "width": 5}]
    first, second = truth["annotations"]
    assert (first["id"], first["image_id"], first["category_id"], first["iscrowd"]) == (1, 0, 2, 0)
    assert (first["bbox"], first["area"]) == ([1.0, 2.0, 2.0, 3.0], 6)
    assert (second["id"], second["bbox"], second["area"], second["iscrowd"]) == (2, [0.0, 0.0, 4.0, 1.0], 4, 1)
    from segtutor.metrics import rle

    assert np.array_equal(rle.decode(first["segmentation"]), target["masks"][0].numpy())
    boxes_only = coco_ground_truth(CLASSES.names)
    add_to_ground_truth(boxes_only, 0, (6, 5), {key: target[key] for key in ("boxes", "labels")}, with_masks=False)
    assert boxes_only["annotations"][0]["area"] == 6.0
    assert "segmentation" not in boxes_only["annotations"][0]

    (record,) = coco_detections(7, scored(target_of((2, [1, 2, 3, 5]), size=(6, 5)), 0.5))
    assert record["bbox"] == [1.0, 2.0, 2.0, 3.0]
    assert (record["image_id"], record["category_id"], record["score"]) == (7, 2, 0.5)
    assert record["segmentation"] == first["segmentation"]
    assert coco_detections(7, scored(target_of(size=(6, 5)))) == []


def test_scores_by_hand():
    """One of two cats found; the dog found, and before it a dog where there is none: precision 1/2 at every recall."""
    cats, dogs = target_of((1, [0, 0, 10, 10]), (1, [15, 0, 25, 10])), target_of((2, [5, 5, 15, 15]))
    found = [
        scored(target_of((1, [0, 0, 10, 10])), 0.9),
        scored(target_of((2, [20, 0, 30, 10]), (2, [5, 5, 15, 15])), 0.8, 0.6),
        scored(target_of()),
    ]
    result = evaluate_detector(Oracle(*found), Pictures(cats, dogs, target_of()), progress=False)
    assert result.per_class["cat"]["AP50"] == pytest.approx(51 / 101)  # recall levels 0 to 0.5
    assert result.per_class["dog"]["AP50"] == pytest.approx(0.5)
    assert set(result.per_class) == {"cat", "dog"}  # nobody has shown grass
    assert result.masks["AP50"] == pytest.approx((51 / 101 + 0.5) / 2)
    assert result.boxes == pytest.approx(result.masks)
    assert (result.images, result.objects) == (3, 3)
    assert "cat             50.50   50.50   50.50" in str(result)
    assert "3 images, 3 objects" in str(result)


def test_the_twelve_numbers_are_the_official_evaluators(tmp_path):
    generator = np.random.default_rng(0)

    def some_objects(count):
        corners = generator.integers(0, 10, (count, 2))
        sizes = generator.integers(3, 10, (count, 2))
        return [
            (int(label), [int(x), int(y), int(x + w), int(y + h)])
            for label, (x, y), (w, h) in zip(generator.integers(1, 3, count), corners, sizes, strict=True)
        ]

    targets = [target_of(*some_objects(4)) for _ in range(12)]
    found = []
    for target in targets:
        shifted = [
            (int(label), [int(edge) + int(generator.integers(0, 2)) for edge in box])
            for label, box in zip(target["labels"], target["boxes"].tolist(), strict=True)
        ]
        found.append(scored(target_of(*shifted, *some_objects(2)), *generator.random(6).tolist()))
    ours = evaluate_detector(Oracle(*found), Pictures(*targets), progress=False)
    truth, results = coco_ground_truth(CLASSES.names), []
    for number, (target, of_image) in enumerate(zip(targets, found, strict=True)):
        add_to_ground_truth(truth, number + 1, (20, 30), target)
        results += coco_detections(number + 1, of_image)
    for kind, scores in (("bbox", ours.boxes), ("segm", ours.masks)):
        peer = COCO()
        peer.dataset = truth
        peer.createIndex()
        given = [{key: value for key, value in one.items() if kind == "bbox" or key != "bbox"} for one in results]
        evaluator = COCOeval(peer, peer.loadRes(given), kind)
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
        assert list(scores.values()) == pytest.approx(evaluator.stats.tolist(), abs=1e-12)
    assert 0.05 < ours.masks["AP"] < 0.95


def test_detections_have_the_size_of_the_picture_and_the_model_stays(tmp_path):
    torch.manual_seed(0)
    model = models.create("maskrcnn_tiny", num_classes=4)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    pixels = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    found = detect(model, pixels)
    count = len(found["labels"])
    assert count > 0
    assert found["boxes"].shape == (count, 4)
    assert (found["boxes"][:, 2] <= 53).all()
    assert (found["boxes"][:, 3] <= 37).all()
    assert (found["masks"].shape, found["masks"].dtype) == ((count, 37, 53), torch.bool)
    assert (found["scores"].diff() <= 0).all()
    assert not any(values.is_inference() or values.requires_grad for values in found.values())
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    model.eval()
    with torch.no_grad():
        (expected,) = model([torch.from_numpy(pixels).permute(2, 0, 1)])
    for name, values in expected.items():
        torch.testing.assert_close(found[name], values, msg=name)
    middle = float(found["scores"].median())
    sure = detect(model, pixels, score_threshold=middle)
    assert torch.equal(sure["scores"], found["scores"][found["scores"] >= middle])
    assert len(sure["masks"]) == len(sure["scores"]) < count
    assert "masks" not in detect(models.create("maskrcnn_tiny", mask_branch=False), pixels)


def test_an_untrained_network_on_scenes_scores_about_nothing():
    torch.manual_seed(0)
    model = models.create("maskrcnn_tiny", num_classes=33)
    result = evaluate_detector(model, Scenes("val", size=(64, 80), count=3, target="instances"), progress=False)
    assert 0 <= result.masks["AP50"] < 0.1
    assert result.images == 3
    assert {"person", "boat"} & set(result.per_class)
    assert model.training
    ranges = {"small": (0, 64), "large": (64, 1e9)}
    tiny = evaluate_detector(
        Oracle(scored(target_of((1, [0, 0, 5, 5])), 0.9)), Pictures(target_of((1, [0, 0, 5, 5]))),
        area_ranges=ranges, progress=False,
    )  # fmt: skip
    assert (tiny.masks["APsmall"], tiny.masks["APlarge"]) == (pytest.approx(1.0), -1.0)


def test_bad_input_is_named():
    model = models.create("maskrcnn_tiny", num_classes=4)
    with pytest.raises(ValueError, match="DeepLabV3 is no detector"):
        detect(models.create("deeplabv3_tiny"), np.zeros((32, 32, 3), np.uint8))
    with pytest.raises(ValueError, match="score_threshold must be from 0 to 1, but 50 came"):
        detect(model, np.zeros((32, 32, 3), np.uint8), score_threshold=50)
    with pytest.raises(ValueError, match="4 classes, but Scenes has 33"):
        evaluate_detector(model, Scenes(target="instances"))
    with pytest.raises(ValueError, match="does not say what its labels mean"):
        evaluate_detector(model, [1, 2])
    with pytest.raises(ValueError, match="is empty"):
        evaluate_detector(model, Pictures())
    boxes = {key: value for key, value in target_of((1, [0, 0, 5, 5])).items() if key != "masks"}
    with pytest.raises(ValueError, match="picture 0: its target must be a dict of boxes, labels, masks; there is no m"):
        evaluate_detector(Oracle(scored(target_of())), Pictures(boxes), progress=False)
    without = {key: value for key, value in scored(target_of((1, [0, 0, 5, 5])), 0.9).items() if key != "masks"}
    assert evaluate_detector(Oracle(without, with_masks=False), Pictures(boxes), progress=False).masks is None
    wrong = target_of((1, [0, 0, 5, 5])) | {"labels": torch.tensor([1, 2])}
    with pytest.raises(ValueError, match="1 boxes, 2 labels and 1 masks"):
        evaluate_detector(Oracle(scored(target_of())), Pictures(wrong), progress=False)
