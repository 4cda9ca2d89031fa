"""RoIAlign by products of matrices: by hand, then against torchvision's kernel, forward and backward."""

import pytest
import torch
from torchvision.ops import roi_align

from segtutor.models.mask_rcnn import Settings
from segtutor.models.mask_rcnn import roi_pooling as module
from segtutor.models.mask_rcnn.roi_pooling import align_by_matrices, interpolation_weights, pool_regions


def test_the_weights_of_a_side_by_hand():
    # One bin from 0 to 2: samples at 0.5 and 1.5, each between two positions, half and half.
    weights = interpolation_weights(torch.tensor([0.0]), torch.tensor([2.0]), 4, 1, at_least_one=False)
    assert weights.tolist() == [[[0.25, 0.5, 0.25, 0.0]]]
    # Beyond the border the outer position counts, up to one position; further outside there is nothing.
    outside = interpolation_weights(torch.tensor([-2.0]), torch.tensor([0.0]), 4, 1, at_least_one=False)
    assert outside.tolist() == [[[0.5, 0.0, 0.0, 0.0]]]  # of the samples at -1.5 and -0.5 the second
    short = [interpolation_weights(torch.tensor([1.0]), torch.tensor([1.2]), 4, 1, longer) for longer in (False, True)]
    torch.testing.assert_close(short[0], torch.tensor([[[0.0, 0.9, 0.1, 0.0]]]))
    torch.testing.assert_close(short[1], torch.tensor([[[0.0, 0.5, 0.5, 0.0]]]))


@pytest.mark.parametrize("half_pixel", [True, False])
@pytest.mark.parametrize("bins", [7, 14])
def test_values_and_gradients_are_those_of_torchvision(half_pixel, bins):
    torch.manual_seed(0)
    features = torch.randn(3, 5, 12, 17, requires_grad=True)
    corner = torch.rand(60, 2) * torch.tensor([68.0, 48.0]) - 6
    sides = torch.rand(60, 2) * 60 * torch.rand(60, 1)
    images = torch.randint(0, 2, (60, 1)).float()  # no region in the third image
    regions = torch.cat([images, corner, corner + sides], dim=1)
    ours = align_by_matrices(features, regions, bins, 0.25, half_pixel)
    peer = roi_align(features, regions, bins, 0.25, 2, aligned=half_pixel)
    torch.testing.assert_close(ours, peer, rtol=1e-4, atol=2e-5)
    above = torch.randn_like(ours)
    gradients = [torch.autograd.grad(crops, features, above)[0] for crops in (ours, peer)]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)
    assert align_by_matrices(features, regions[:0], bins, 0.25, half_pixel).shape == (0, 5, bins, bins)


def test_both_ways_give_the_same_and_large_maps_keep_the_kernel(monkeypatch):
    calls = []

    def counted(*arguments):
        calls.append(arguments[2])
        return align_by_matrices(*arguments)

    monkeypatch.setattr(module, "align_by_matrices", counted)
    features = torch.randn(1, 2, 16, 16, requires_grad=True)
    boxes = [torch.tensor([[3.0, 4.0, 40.0, 50.0]])]
    small, _ = pool_regions([features], (4,), boxes, 7, Settings())
    assert calls == [7]
    evaluated, _ = pool_regions([features.detach()], (4,), boxes, 7, Settings())
    monkeypatch.setattr(module, "SMALL_MAP", 255)
    large, _ = pool_regions([features], (4,), boxes, 7, Settings())
    assert calls == [7]
    torch.testing.assert_close(small, evaluated, rtol=1e-4, atol=1e-5)
    assert torch.equal(evaluated, large)
