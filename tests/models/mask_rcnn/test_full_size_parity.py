"""Mask R-CNN against torchvision's at the size that is published, 800/1333 pixels and 91 classes, on photographs.

The weights are random, but set so that a trained network's ranges appear: normalized maps, scores between the threshold
and 1, masks of both signs.
"""

import dataclasses

import pytest
import torch
import torchvision
from torch import nn

from segtutor import models
from segtutor.datasets import CocoInstances
from segtutor.models.mask_rcnn.resizing import resized_size
from tests.models.mask_rcnn.peers import mask_iou
from tests.shared import shared_data

pytestmark = [pytest.mark.slow, pytest.mark.shared_data]

# The long side limits the first. The second gives the body's deepest map an odd size both ways, 29 x 25. The third
# becomes 799 pixels high, not 800, because 334 * (800 / 334) is a little less than 800.
PANORAMA, PORTRAIT, ROUNDED = "000000079841.jpg", "000000318219.jpg", "000000412151.jpg"
RESIZED = {PANORAMA: (443, 1333), PORTRAIT: (920, 800), ROUNDED: (799, 1197)}

# A pass takes 5 to 11 seconds of one core, so each network sees some of them.
PHOTOGRAPHS_OF = {"maskrcnn_resnet50_fpn": (PORTRAIT, ROUNDED), "maskrcnn_resnet50_fpn_v2": (PANORAMA,)}


@pytest.fixture(scope="module")
def photographs():
    """Name to image and target; labels are COCO's ids up to 90."""
    data = CocoInstances(shared_data("coco"), "train2017", ids="coco")
    names = [entry["file_name"] for entry in data.file.images]
    photographs = {}
    for name in RESIZED:
        image, target = data[names.index(name)]
        plain = {key: target[key].as_subclass(torch.Tensor) for key in ("boxes", "labels", "masks")}
        photographs[name] = (image.as_subclass(torch.Tensor) / 255, plain)
    return photographs


def spread(layer, std):
    """At its next call, scales the layer so that each of its channels has mean 0 and this deviation there."""

    def rescale(layer, _, output):
        handle.remove()
        others = [dim for dim in range(output.ndim) if dim != 1]
        mean, factor = output.mean(others, keepdim=True), std / output.std(others, keepdim=True)
        layer.weight.mul_(factor.reshape(-1, *[1] * (layer.weight.ndim - 1)))
        layer.bias.sub_(mean.flatten()).mul_(factor.flatten())
        return (output - mean) * factor

    handle = layer.register_forward_hook(rescale)


def torchvision_network(name, images):
    """With weights whose outputs have the ranges of a trained network on small copies of the images."""
    torch.manual_seed(0)
    network = getattr(torchvision.models.detection, name)(weights=None, weights_backbone=None).eval()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.train()
        norm.momentum = 1.0  # the statistics of the one batch that follows
    heads = network.roi_heads
    spread(network.rpn.head.cls_logits, 2.0)
    spread(network.rpn.head.bbox_pred, 0.3)
    spread(heads.box_predictor.cls_score, 2.0)
    spread(heads.box_predictor.bbox_pred, 1.0)
    spread(heads.mask_predictor.mask_fcn_logits, 4.0)
    sizes, proposals, detections = network.transform.min_size, network.rpn._post_nms_top_n, heads.detections_per_img
    network.transform.min_size, network.rpn._post_nms_top_n, heads.detections_per_img = (192,), {"testing": 100}, 10
    with torch.no_grad():
        network(images)
    network.transform.min_size, network.rpn._post_nms_top_n, heads.detections_per_img = sizes, proposals, detections
    for norm in norms:
        norm.momentum = 0.1
    return network.eval()


@pytest.fixture(scope="module", params=sorted(PHOTOGRAPHS_OF))
def pair(request, photographs):
    theirs = torchvision_network(request.param, [image for image, _ in photographs.values()])
    ours = models.create(request.param, num_classes=91, compat="torchvision")
    models.load_weights(ours, theirs.state_dict())
    return request.param, theirs, ours.eval()


def test_detections_on_photographs_are_torchvisions(pair, photographs):
    name, theirs, ours = pair
    for photograph in PHOTOGRAPHS_OF[name]:
        image, _ = photographs[photograph]
        assert resized_size(*image.shape[-2:], ours.settings) == RESIZED[photograph]
        with torch.inference_mode():
            (expected,), (got,) = theirs([image]), ours([image])
        masks = expected["masks"][:, 0] >= 0.5
        # The comparison is one of many detections of many classes in a certain order, not of ties.
        assert len(masks) == 100
        assert len(expected["labels"].unique()) >= 10
        assert expected["scores"].diff().max() < 0
        assert torch.equal(got["labels"], expected["labels"])
        torch.testing.assert_close(got["boxes"], expected["boxes"], rtol=0, atol=1e-3)
        torch.testing.assert_close(got["scores"], expected["scores"], rtol=0, atol=1e-5)
        assert masks.flatten(1).any(dim=1).sum() >= 90  # hardly one is empty
        assert got["masks"].shape == masks.shape
        assert min(mask_iou(a, b) for a, b in zip(masks, got["masks"], strict=True)) > 0.999


def test_losses_on_a_photograph_and_its_objects_are_torchvisions(pair, photographs):
    """On the same samples: every proposal is one. Batch norm trains in both.

    Proposals of equal score stand in any order in torchvision's, which sorts them by a method that is not stable. A
    random choice of them would not be the same one, unlike in the small pictures.
    """
    _, theirs, ours = pair
    theirs.rpn._post_nms_top_n["training"] = 1000
    theirs.roi_heads.fg_bg_sampler.batch_size_per_image = 1500
    ours.settings = dataclasses.replace(ours.settings, post_nms_train=1000, roi_samples=1500)
    image, target = photographs[PANORAMA]
    # Theirs draws one of its short sides, of which there is one, and so a random number more.
    theirs.transform.torch_choice = lambda sides: sides[0]
    before = {key: value.clone() for key, value in theirs.state_dict().items()}
    losses = []
    for network in (theirs, ours):
        torch.manual_seed(5)
        # With gradients, as in training: ours then pools from small maps by other operations.
        losses.append({key: loss.detach() for key, loss in network.train()([image], [dict(target)]).items()})
        network.load_state_dict(before)
        network.eval()
    assert set(losses[0]) == set(losses[1])
    for name, expected in losses[0].items():
        assert expected > 0
        torch.testing.assert_close(losses[1][name], expected, rtol=0, atol=1e-4)
