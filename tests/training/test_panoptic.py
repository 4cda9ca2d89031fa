"""Training on segments: what a batch is, what is learned, what is refused; and the three tasks from one pass."""

import pytest
import torch

from segtutor import models
from segtutor.datasets import Scenes
from segtutor.inference import evaluate_panoptic, find_masks, predict
from segtutor.labels import SCENES
from segtutor.models.mask_classification.losses import mask_classification_loss
from segtutor.models.mask_classification.matching import (
    LossSettings,
    Objects,
    match,
    merged_by_class,
    objects_of_segments,
)
from segtutor.training import TrainingConfig, fit_panoptic
from segtutor.training.panoptic import SegmentStream

MAP = torch.tensor([[1, 1, 0, 2], [3, 3, 0, 2]])
INFO = [
    {"id": 1, "category_id": 5, "isthing": 1},
    {"id": 2, "category_id": 5, "isthing": 1},
    {"id": 3, "category_id": 7, "isthing": 0},
]


def scenes(count=6, **options):
    return Scenes("train", size=(48, 64), count=count, target="panoptic", **options)


def test_segments_become_objects_and_zero_is_void():
    objects = objects_of_segments(MAP, INFO)
    assert objects.labels.tolist() == [5, 5, 7]
    assert objects.masks[1].tolist() == [[False, False, False, True]] * 2
    assert objects.void.tolist() == [[False, False, True, False]] * 2


def test_crowds_are_void():
    objects = objects_of_segments(MAP, [*INFO[:2], {**INFO[2], "iscrowd": 1}])
    assert objects.labels.tolist() == [5, 5]
    assert objects.void.tolist() == [[False, False, True, False], [True, True, True, False]]


def test_without_matching_a_query_answers_for_all_of_its_class():
    objects = merged_by_class(objects_of_segments(MAP, INFO))
    assert objects.labels.tolist() == [5, 7]
    assert objects.masks[0].tolist() == [[True, True, False, True], [False, False, False, True]]
    queries, found = match(torch.zeros(9, 9), torch.zeros(9, 2, 4), objects, LossSettings(fixed=True))
    assert queries.tolist() == [5, 7]
    assert found.tolist() == [0, 1]
    # Whatever the other queries say of these masks, the loss of the masks does not change.
    masks = torch.randn(1, 9, 2, 4)
    other = masks.clone()
    other[:, [0, 1, 2, 3, 4, 6, 8]] = 50.0
    losses = []
    for one in (masks, other):
        torch.manual_seed(0)
        output = {"classes": torch.zeros(1, 9, 9), "masks": one, "layers": []}
        losses.append(mask_classification_loss(output, [objects_of_segments(MAP, INFO)], LossSettings(fixed=True)))
    assert losses[0]["mask"] == losses[1]["mask"]
    with pytest.raises(ValueError, match="each of 21 classes needs a query, but queries=20 came"):
        models.create("mask2former_tiny", fixed=True)


def test_the_stream_mirrors_picture_and_segments_together():
    data = scenes(2)
    stream = SegmentStream(data, seed=0, flip=True)
    mirrored = 0
    for position in range(12):
        image, objects = stream[position]
        plain, target = data[stream.index_at(position)]
        expected = objects_of_segments(target["segments"], target["segments_info"])
        if not torch.equal(image, plain):
            mirrored += 1
            image, objects = image.flip(-1), Objects(objects.labels, objects.masks.flip(-1), objects.void.flip(-1))
        assert torch.equal(image, plain)
        assert torch.equal(objects.masks, expected.masks)
        assert torch.equal(objects.void, expected.void)
    assert 0 < mirrored < 12


def test_it_learns_and_three_tasks_come_from_one_pass(tmp_path):
    torch.manual_seed(0)
    data = scenes()
    network = models.create("mask2former_tiny", num_classes=len(SCENES), queries=12, weights="backbone")
    config = TrainingConfig(
        steps=20, batch_size=4, accumulate=2, learning_rate=1e-3, optimizer="adamw", checkpoint=tmp_path / "run.pt"
    )
    result = fit_panoptic(network, data, data, config)
    total = [sum(parts) for parts in zip(*result.losses.values(), strict=True)]
    assert set(result.losses) == {"classes", "mask", "dice"}
    assert sum(total[-5:]) < 0.9 * sum(total[:5])
    assert result.validations[-1].step == 20
    evaluation = evaluate_panoptic(network, data, progress=False)
    assert pytest.approx(result.validations[-1].PQ) == evaluation.scores.overall.PQ
    assert evaluation.images == 6
    assert 0 < evaluation.mean_iou <= 1
    again = fit_panoptic(network, data, data, config, resume=True)
    assert again.steps == 20

    image, _ = data[0]
    found = find_masks(network, image)
    assert found.masks.shape == (12, 48, 64)
    assert torch.equal(found.semantic(), predict(network, image))
    assert found.instances(things=SCENES.things)["masks"].shape[1:] == (48, 64)
    numbers, segments = found.panoptic(threshold=0.0, overlap=0.0)
    assert set(numbers.unique().tolist()) - {0} <= {one.id for one in segments}
    assert find_masks(network, image, size=(96, 128)).masks.shape == (12, 96, 128)


def test_what_does_not_fit_is_said():
    config = TrainingConfig(steps=1, batch_size=2)
    network = models.create("mask2former_tiny", num_classes=len(SCENES))
    with pytest.raises(ValueError, match="it is trained on whole pictures of one size: leave it out"):
        fit_panoptic(network, scenes(), None, TrainingConfig(steps=1, batch_size=2, crop=(32, 32)))
    with pytest.raises(ValueError, match="is no network of mask classification: create one, as mask2former_tiny"):
        fit_panoptic(models.create("deeplabv3_tiny", num_classes=len(SCENES)), scenes(), None, config)
    with pytest.raises(ValueError, match="create it with num_classes=33"):
        fit_panoptic(models.create("mask2former_tiny", num_classes=3), scenes(), None, config)
    with pytest.raises(ValueError, match='ask it for them, as Scenes\\(target="panoptic"\\) does'):
        fit_panoptic(network, Scenes("train", size=(48, 64), count=4), None, config)
