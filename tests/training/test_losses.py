from __future__ import annotations

from math import log

import pytest
import torch
from torch.nn import functional as F

from segtutor.labels import LabelSet
from segtutor.training import balanced_class_weights, cross_entropy
from segtutor.training.losses import valid_weight


def test_the_mean_is_over_the_valid_pixels():
    logits = torch.zeros(1, 3, 2, 2)  # three equal classes: ln 3 per pixel
    labels = torch.tensor([[[1, 255], [255, 255]]])
    assert cross_entropy(logits, labels).item() == pytest.approx(log(3))


def test_only_void_is_zero_with_zero_gradient():
    logits = torch.randn(2, 3, 4, 4, requires_grad=True)
    labels = torch.full((2, 4, 4), 255)
    assert torch.isnan(F.cross_entropy(logits, labels, ignore_index=255))  # what it is for
    loss = cross_entropy(logits, labels)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


@pytest.mark.parametrize("weights", [None, torch.tensor([0.2, 1.0, 3.0, 0.7])])
@pytest.mark.parametrize("ignore_index", [255, 11, -1])
def test_equal_to_pytorchs_with_gradient(weights, ignore_index):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 4, 5, 6, generator=generator, requires_grad=True)
    labels = torch.randint(0, 4, (2, 5, 6), generator=generator)
    labels[0, :2] = ignore_index
    loss = cross_entropy(logits, labels, ignore_index, weights)
    peer = F.cross_entropy(logits, labels, weights, ignore_index=ignore_index)
    torch.testing.assert_close(loss, peer)
    gradients = (torch.autograd.grad(value, logits)[0] for value in (loss, peer))
    torch.testing.assert_close(*gradients)


def test_logits_are_resized_to_the_labels_never_the_labels_to_the_logits():
    logits = torch.randn(1, 2, 3, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.zeros(1, 12, 12, dtype=torch.int64)
    labels[0, 5, 7] = 1  # one pixel, which no label map of 3 x 3 would keep
    large = F.interpolate(logits, (12, 12), mode="bilinear", align_corners=False)
    torch.testing.assert_close(cross_entropy(logits, labels), F.cross_entropy(large, labels))


def test_half_precision_is_widened():
    logits = (100 * torch.randn(1, 2, 40, 40, generator=torch.Generator().manual_seed(0))).bfloat16()
    labels = torch.ones(1, 40, 40, dtype=torch.int64)
    loss = cross_entropy(logits, labels)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, F.cross_entropy(logits.float(), labels))


def test_parts_of_a_batch_add_up_to_the_whole():
    logits = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.randint(0, 3, (2, 4, 4), generator=torch.Generator().manual_seed(1))
    labels[0, 1:] = 255  # very different numbers of valid pixels
    valid = valid_weight(labels)
    parts = sum(cross_entropy(logits[i : i + 1], labels[i : i + 1], normalizer=valid) for i in range(2))
    torch.testing.assert_close(parts, cross_entropy(logits, labels))


def test_balanced_weights_by_hand():
    class Set:
        labels = LabelSet("Four", ("a", "b", "c", "d"), ((0, 0, 0),) * 4)

        def __len__(self):
            return 3

        def __getitem__(self, index):
            maps = ([[0, 0, 0], [0, 255, 255]], [[0, 0, 0], [0, 0, 0]], [[1, 1, 255], [255, 255, 2]])
            return None, torch.tensor(maps[index])

    # 10, 2 and 1 of 13 pixels; the mean weight of a pixel is 1.
    weights = torch.tensor(balanced_class_weights(Set()))
    assert weights[3] == 0
    torch.testing.assert_close(weights[1] / weights[0], torch.tensor(5.0).sqrt())
    torch.testing.assert_close(weights[2] / weights[0], torch.tensor(10.0).sqrt())
    torch.testing.assert_close((10 * weights[0] + 2 * weights[1] + weights[2]) / 13, torch.tensor(1.0))
    assert balanced_class_weights(Set(), samples=2) == (1.0, 0.0, 0.0, 0.0)


def test_what_does_not_fit_is_refused():
    logits = torch.zeros(1, 3, 2, 2)
    with pytest.raises(ValueError, match=r"labels hold \[7\], but the network has 3 classes"):
        cross_entropy(logits, torch.tensor([[[0, 7], [255, 1]]]))
    with pytest.raises(ValueError, match=r"labels hold \[-1\]"):
        cross_entropy(logits, torch.tensor([[[0, -1], [255, 1]]]))
    with pytest.raises(ValueError, match="the same B"):
        cross_entropy(logits, torch.zeros(2, 2, 2, dtype=torch.int64))
