"""Three tasks from one output: by hand, and against the transformers library's post-processing."""

from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from segtutor.models.mask_classification.outputs import instances, panoptic, semantic_scores


def sure(label, classes=3):
    """Logits of a query that is almost certain; label = classes is "no object"."""
    return 20 * F.one_hot(torch.tensor(label), classes + 1).float()


def half(left, size=(4, 6)):
    """A mask of the left or the right half."""
    mask = torch.full(size, -20.0)
    mask[:, : size[1] // 2] = 20.0
    return mask if left else -mask


def test_no_object_is_left_out_and_masks_of_a_class_are_added():
    classes = torch.log(torch.tensor([[[0.5, 0.2, 0.3], [0.1, 0.1, 0.8]]]))
    masks = torch.stack([half(True), half(False)])[None]
    scores = semantic_scores(classes, masks)
    assert scores[0, :, 0, 0].tolist() == pytest.approx([0.5, 0.2], abs=1e-6)
    assert scores[0, :, 0, 5].tolist() == pytest.approx([0.1, 0.1], abs=1e-6)
    assert int(scores.argmax(1)[0, 0, 5]) == 0  # the right half, although its query says "no object" first


def test_instances_score_is_class_times_mean_of_the_mask():
    classes = torch.log(torch.tensor([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1]]))
    masks = torch.stack([half(True) * 0.05, half(False)])  # probability 0.731 inside, and 1
    found = instances(classes, masks)
    inside = float(torch.tensor(1.0).sigmoid())
    assert found["scores"].tolist() == pytest.approx([0.7, 0.6 * inside, 0.3 * inside, 0.2], abs=1e-4)
    assert found["labels"].tolist() == [1, 0, 1, 0]
    assert found["masks"][0].tolist() == (half(False) > 0).tolist()
    assert instances(classes, masks, things=[1])["labels"].tolist() == [1, 1]


def test_panoptic_by_hand():
    classes = torch.stack([sure(0), sure(1), sure(0), sure(3)])  # two of class 0, one of class 1, one "no object"
    top = torch.full((4, 6), -20.0)
    top[0, :] = 10.0
    masks = torch.stack([half(True), half(False), top, half(True)])
    result, segments = panoptic(classes, masks)
    # The halves win everywhere; the strip on top wins nothing, and "no object" does not compete.
    assert result.tolist() == [[1, 1, 1, 2, 2, 2]] * 4
    assert [(one.id, one.label) for one in segments] == [(1, 0), (2, 1)]
    unsure = torch.stack([sure(0) * 0.05, sure(1)])  # the first does not reach 0.8
    result, segments = panoptic(unsure, masks[:2])
    assert result.tolist() == [[0, 0, 0, 1, 1, 1]] * 4
    assert [one.label for one in segments] == [1]


def test_stuff_of_one_class_is_one_segment_and_things_are_not():
    classes, masks = torch.stack([sure(2), sure(2)]), torch.stack([half(True), half(False)])
    result, segments = panoptic(classes, masks, stuff=[2])
    assert (result == 1).all()
    assert len(segments) == 1
    assert len(panoptic(classes, masks)[1]) == 2


def test_nothing_sure_is_an_empty_map():
    result, segments = panoptic(torch.zeros(2, 4), torch.zeros(2, 3, 3))
    assert not result.any()
    assert segments == []


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_the_transformers_librarys_post_processing(seed):
    hub = pytest.importorskip("transformers")
    processor = hub.Mask2FormerImageProcessor()
    generator = torch.Generator().manual_seed(seed)
    classes = 6 * torch.randn(1, 8, 5, generator=generator)
    rough = 8 * torch.randn(1, 8, 4, 4, generator=generator)
    masks = F.interpolate(rough, (384, 384), mode="bilinear")  # the size to which the library resizes before all else
    output = SimpleNamespace(class_queries_logits=classes, masks_queries_logits=masks)
    semantic = processor.post_process_semantic_segmentation(output)[0]
    assert torch.equal(semantic_scores(classes, masks).argmax(1)[0], semantic)
    theirs = processor.post_process_panoptic_segmentation(output, threshold=0.8, label_ids_to_fuse={0, 1})[0]
    result, segments = panoptic(classes[0], masks[0], stuff=[0, 1])
    assert [one.label for one in segments] == [one["label_id"] for one in theirs["segments_info"]]
    theirs_map = theirs["segmentation"]
    numbers = {one["id"]: number for number, one in enumerate(theirs["segments_info"], start=1)}
    renumbered = torch.zeros_like(result)
    for theirs_id, number in numbers.items():
        renumbered[theirs_map == theirs_id] = number
    # The library also gives away pixels that a query wins with less than one half; the authors' code does not.
    assert torch.equal(result[result > 0], renumbered[result > 0])
    chances, labels = classes[0].softmax(-1).max(-1)
    kept = (labels != 4) & (chances > 0.8)
    best = (chances[kept, None, None] * masks[0, kept].sigmoid()).argmax(0)
    own = masks[0, kept].sigmoid().gather(0, best[None])[0]
    assert (own[(result == 0) & (renumbered > 0)] < 0.5).all()
