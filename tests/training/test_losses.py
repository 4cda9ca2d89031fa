from __future__ import annotations

from math import log

import pytest
import torch
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss

from segtutor.labels import LabelSet
from segtutor.training import balanced_class_weights, cross_entropy, focal, median_frequency_weights, ohem
from segtutor.training.losses import valid_weight


def random_batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Logits 2 x 4 x 5 x 6 and labels, 12 of 60 void."""
    generator = torch.Generator().manual_seed(0)
    logits = (2 * torch.randn(2, 4, 5, 6, generator=generator)).requires_grad_()
    labels = torch.randint(0, 4, (2, 5, 6), generator=generator)
    labels[0, :2] = 255
    return logits, labels


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


class ThreeMaps:
    labels = LabelSet("Four", ("a", "b", "c", "d"), ((0, 0, 0),) * 4)

    def __len__(self):
        return 3

    def __getitem__(self, index):
        maps = ([[0, 0, 0], [0, 255, 255]], [[0, 0, 0], [0, 0, 0]], [[1, 1, 255], [255, 255, 2]])
        return None, torch.tensor(maps[index])


def test_balanced_weights_by_hand():
    # 10, 2 and 1 of 13 pixels; the mean weight of a pixel is 1.
    weights = torch.tensor(balanced_class_weights(ThreeMaps()))
    assert weights[3] == 0
    torch.testing.assert_close(weights[1] / weights[0], torch.tensor(5.0).sqrt())
    torch.testing.assert_close(weights[2] / weights[0], torch.tensor(10.0).sqrt())
    torch.testing.assert_close((10 * weights[0] + 2 * weights[1] + weights[2]) / 13, torch.tensor(1.0))
    assert balanced_class_weights(ThreeMaps(), samples=2) == (1.0, 0.0, 0.0, 0.0)


def test_median_frequency_weights_by_hand():
    # a is all of the 10 labeled pixels of the two maps that show it, b and c are 2 and 1 of the 3 of theirs.
    assert median_frequency_weights(ThreeMaps()) == pytest.approx((2 / 3, 1.0, 2.0, 0.0))
    assert median_frequency_weights(ThreeMaps(), samples=1) == (1.0, 0.0, 0.0, 0.0)


def test_median_frequency_weights_do_not_care_in_how_many_maps_a_class_is():
    class Doubled(ThreeMaps):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            return super().__getitem__(min(index, 2))  # the third map four times

    assert median_frequency_weights(Doubled()) == pytest.approx(median_frequency_weights(ThreeMaps()))


def test_weights_of_nothing_are_refused():
    class Void(ThreeMaps):
        def __getitem__(self, index):
            return None, torch.full((2, 2), 255)

    for weights in (balanced_class_weights, median_frequency_weights):
        with pytest.raises(ValueError, match="none of the first 2 label maps has a labeled pixel"):
            weights(Void(), samples=2)


def test_what_does_not_fit_is_refused():
    logits = torch.zeros(1, 3, 2, 2)
    with pytest.raises(ValueError, match=r"labels hold \[7\], but the network has 3 classes"):
        cross_entropy(logits, torch.tensor([[[0, 7], [255, 1]]]))
    with pytest.raises(ValueError, match=r"labels hold \[-1\]"):
        cross_entropy(logits, torch.tensor([[[0, -1], [255, 1]]]))
    with pytest.raises(ValueError, match="the same B"):
        cross_entropy(logits, torch.zeros(2, 2, 2, dtype=torch.int64))


def test_hard_pixels_by_hand():
    """Probabilities .9, .5, .2, .6 of the true class, and four void pixels: half of the *valid* ones are two."""
    true = torch.tensor([0.9, 0.5, 0.2, 0.6, 0.1, 0.1, 0.1, 0.1])
    logits = torch.stack([true, 1 - true]).log()[None, :, None]  # 1 x 2 x 1 x 8
    labels = torch.tensor([[[0, 0, 0, 0, 255, 255, 255, 255]]])
    assert ohem(logits, labels, keep=0.5).item() == pytest.approx(-(log(0.2) + log(0.5)) / 2)
    assert ohem(logits, labels, keep=0.51).item() == pytest.approx(-(log(0.2) + log(0.5) + log(0.6)) / 3)
    assert ohem(logits, labels).item() == pytest.approx(-log(0.2))  # a quarter
    assert ohem(logits, labels, keep=1e-9).item() == pytest.approx(-log(0.2))  # one at least
    weights = torch.tensor([2.0, 1.0])
    labels[0, 0, 1] = 1  # losses 2 * .105, .693, 2 * 1.609, 2 * .511
    expected = -2 * (log(0.2) + log(0.6)) / 4
    assert ohem(logits, labels, class_weights=weights, keep=0.5).item() == pytest.approx(expected)


@pytest.mark.parametrize("weights", [None, torch.tensor([0.2, 1.0, 3.0, 0.7])])
def test_keeping_all_pixels_or_gamma_0_is_cross_entropy_with_gradient(weights):
    logits, labels = random_batch()
    expected = cross_entropy(logits, labels, class_weights=weights)
    for loss in (
        ohem(logits, labels, class_weights=weights, keep=1),
        focal(logits, labels, class_weights=weights, gamma=0),
    ):
        torch.testing.assert_close(loss, expected)
        gradients = (torch.autograd.grad(value, logits, retain_graph=True)[0] for value in (loss, expected))
        torch.testing.assert_close(*gradients)


def test_a_focal_pixel_of_probability_09_counts_a_hundredth():
    """The example of Lin et al., §3.2: at gamma 2, 100 times less than in cross entropy."""
    logits = torch.tensor([[0.1, 0.9]]).log()[:, :, None, None]
    labels = torch.ones(1, 1, 1, dtype=torch.int64)
    assert focal(logits, labels).item() == pytest.approx(-log(0.9) / 100, rel=1e-5)


@pytest.mark.parametrize("gamma", [0.5, 2.0, 5.0])
def test_focal_loss_of_two_classes_is_torchvisions(gamma):
    generator = torch.Generator().manual_seed(0)
    scores = (3 * torch.randn(2, 5, 6, generator=generator)).requires_grad_()
    labels = torch.randint(0, 2, (2, 5, 6), generator=generator)
    logits = torch.stack([torch.zeros_like(scores), scores], dim=1)  # the sigmoid is a softmax with a zero
    alpha = 0.25
    ours = focal(logits, labels, 255, torch.tensor([1 - alpha, alpha]), torch.tensor(1.0), gamma)
    peer = sigmoid_focal_loss(scores, labels.float(), alpha, gamma, reduction="sum")
    torch.testing.assert_close(ours, peer)
    gradients = (torch.autograd.grad(value, scores)[0] for value in (ours, peer))
    torch.testing.assert_close(*gradients)


def test_the_focal_factor_does_not_see_the_class_weights():
    """Weight 2 for all classes doubles the sum; p from the weighted cross entropy would change its shape."""
    logits, labels = random_batch()
    pixels, twos = valid_weight(labels), torch.full((4,), 2.0)
    plain = focal(logits, labels)
    torch.testing.assert_close(focal(logits, labels, class_weights=twos, normalizer=pixels), 2 * plain)
    torch.testing.assert_close(focal(logits, labels, class_weights=twos), plain)  # the mean, by weight
    mistaken = F.cross_entropy(logits, labels, twos, ignore_index=255, reduction="none")
    mistaken = ((1 - (-mistaken).exp()) ** 2 * mistaken).sum() / pixels
    assert abs(mistaken - 2 * plain) > 0.1


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_a_pixel_that_is_wholly_right_or_wholly_wrong_has_finite_focal_gradients(gamma):
    logits = torch.tensor([[1e4, -1e4], [0.0, 0.0]]).T[None, :, None].contiguous().requires_grad_()  # 1 x 2 x 1 x 2
    for true in (0, 1):
        loss = focal(logits, torch.full((1, 1, 2), true), gamma=gamma)
        assert torch.isfinite(torch.autograd.grad(loss, logits)[0]).all()


def test_shares_and_exponents_out_of_range_are_refused():
    logits, labels = random_batch()
    for keep in (0, 1.01, float("nan")):
        with pytest.raises(ValueError, match="keep is"):
            ohem(logits, labels, keep=keep)
    for gamma in (-1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="gamma is"):
            focal(logits, labels, gamma=gamma)
