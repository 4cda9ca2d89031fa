"""The analysis of real predictions: the course's network on scenes, and a published one on photographs."""

import numpy as np
import pytest

from segtutor import models
from segtutor.analysis import (
    ErrorSplit,
    IouByDistance,
    IouBySize,
    LabelModel,
    compare,
    confusion_flow,
    image_matrices,
    worst_images,
)
from segtutor.datasets import Scenes, VOCSegmentation
from segtutor.inference import predict
from segtutor.labels import SCENES
from segtutor.metrics import Calibration, area_under_risk, boundary_band, entropy, risk_coverage
from tests.shared import shared_data


@pytest.fixture(scope="module")
def scenes():
    """Twelve scenes, and what two of the course's networks make of them."""
    data = Scenes("test", size=(96, 128), count=12)
    scenes = [data.scene(index) for index in range(len(data))]
    found = {}
    for name in ("deeplabv3_tiny", "fcn8s_tiny"):
        network = models.create(name, weights="course")
        pairs = [predict(network, data[index][0], return_probabilities=True) for index in range(len(data))]
        found[name] = [(labels.numpy(), probabilities.numpy()) for labels, probabilities in pairs]
    return scenes, found


def test_the_split_of_errors_sums_to_all_of_them(scenes):
    scenes, found = scenes
    split = ErrorSplit(len(SCENES))
    for scene, (labels, _) in zip(scenes, found["deeplabv3_tiny"], strict=True):
        split.update(scene.labels, labels)
    matrix = split.confusion.matrix
    assert split.wrong == matrix.sum() - np.trace(matrix) > 1000
    shares = split.shares()
    assert sum(one for one, _ in shares.values()) == pytest.approx(1)
    assert sum(other for _, other in shares.values()) == pytest.approx(1)
    assert all(0.02 < value < 0.9 for pair in shares.values() for value in pair)  # all three ways occur


def test_errors_lie_near_label_changes_and_small_things_are_harder(scenes):
    scenes, found = scenes
    rings, sizes = IouByDistance(len(SCENES)), IouBySize(len(SCENES))
    for scene, (labels, _) in zip(scenes, found["deeplabv3_tiny"], strict=True):
        rings.update(scene.labels, labels)
        sizes.update(scene.labels, labels, scene.things)
    accuracy = [ring.pixel_accuracy() for ring in rings.rings]
    assert accuracy == sorted(accuracy)
    by_size = sizes.mean_iou()
    assert by_size["below 8"] < by_size["16-32"]


def test_pictures_flows_and_the_better_network(scenes):
    scenes, found = scenes
    targets = [scene.labels for scene in scenes]
    one, other = (image_matrices(targets, [labels for labels, _ in found[name]], len(SCENES)) for name in sorted(found))
    assert len(worst_images(one, 3)) == 3
    flows = confusion_flow(one.sum(axis=0), SCENES.names, 5)
    assert all(flow.true != flow.predicted for flow in flows)
    result = compare(one, other)
    assert result.low < result.value < result.high


def test_the_network_is_undecided_at_boundaries_and_its_confidence_sorts_its_errors(scenes):
    scenes, found = scenes
    calibration, near, away, sure, right = Calibration(len(SCENES)), [], [], [], []
    for scene, (labels, probabilities) in zip(scenes, found["deeplabv3_tiny"], strict=True):
        calibration.update(scene.labels, probabilities)
        valid, band = scene.labels != SCENES.ignore_index, boundary_band(scene.labels, 2)
        undecided = entropy(probabilities)
        near.append(undecided[valid & band])
        away.append(undecided[valid & ~band])
        sure.append(probabilities.max(axis=0)[valid])
        right.append((labels == scene.labels)[valid])
    assert np.concatenate(near).mean() > 2 * np.concatenate(away).mean()
    assert calibration.pixels == sum(part.size for part in sure)
    assert 0 < calibration.ece() < 0.1
    hits = np.concatenate(right)
    assert area_under_risk(*risk_coverage(np.concatenate(sure), hits)) < (1 - hits.mean()) / 3


def test_a_thing_that_was_given_another_class_is_the_first_suspect(scenes):
    scenes, found = scenes
    model = LabelModel(len(SCENES))
    answers = found["deeplabv3_tiny"]
    for scene, (_, probabilities) in zip(scenes, answers, strict=True):
        model.update(scene.labels, probabilities)
    tried = hit = 0
    for scene, (labels, probabilities) in zip(scenes, answers, strict=True):
        large = [thing for thing in scene.instances if thing.mask.sum() > 150 and thing.label != SCENES.index("sheep")]
        for thing in large:
            if (labels[thing.mask] == thing.label).mean() < 0.8:
                continue  # the network itself does not know it
            wrong = np.where(thing.mask & (scene.labels != 255), SCENES.index("sheep"), scene.labels)
            suspects = model.suspects(wrong, probabilities)
            tried += 1
            hit += bool(suspects) and (suspects[0].label, suspects[0].suggested) == (SCENES.index("sheep"), thing.label)
    assert tried > 5
    assert hit / tried > 0.8


@pytest.mark.shared_data
def test_photographs_with_a_published_network():
    root = next(shared_data("voc2012_animals").rglob("VOC2012")).parents[1]
    data = VOCSegmentation(root, image_set="val")
    network = models.create(
        "deeplabv3_mobilenet_v2", weights=shared_data("weights", "deeplabv3_mobilenet_v2_voc_f32.npz")
    )
    split = ErrorSplit(21)
    targets, found = [], []
    for index in range(6):
        image, target = data[index]
        targets.append(np.asarray(target))
        found.append(predict(network, image).numpy())
        split.update(targets[-1], found[-1])
    assert sum(one for one, _ in split.shares().values()) == pytest.approx(1)
    assert split.confusion.mean_iou() > 0.3
    assert worst_images(image_matrices(targets, found, 21), 1)[0][1] < 1
