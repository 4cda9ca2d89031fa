"""Mask R-CNN against torchvision's: state dict, detections, losses."""

import numpy as np
import pytest
import torch
from PIL import Image

from segtutor import models
from tests.models.mask_rcnn.peers import mask_iou, ours_like, pictures, rectangles, torchvision_peer
from tests.shared import shared_data

NAMES = ("maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2")


@pytest.fixture(scope="module", params=NAMES)
def pair(request):
    theirs = torchvision_peer(request.param)
    return request.param, theirs, *ours_like(request.param, theirs)


def assert_same_detections(theirs, ours, images):
    with torch.inference_mode():
        expected, got = theirs.eval()(images), ours.eval()(images)
    for a, b in zip(expected, got, strict=True):
        assert len(a["boxes"]) >= 5  # the comparison is not one of nothing
        assert torch.equal(a["labels"], b["labels"])
        torch.testing.assert_close(b["boxes"], a["boxes"], rtol=0, atol=1e-3)
        torch.testing.assert_close(b["scores"], a["scores"], rtol=0, atol=1e-5)
        assert b["masks"].dtype == torch.bool
        masks = a["masks"][:, 0] >= 0.5
        assert masks.any()
        assert b["masks"].shape == masks.shape
        assert min(mask_iou(x, y) for x, y in zip(masks, b["masks"], strict=True)) > 0.999


def test_every_array_of_torchvision_has_its_place(pair):
    _, theirs, ours, report = pair
    assert report.layout == "torchvision_maskrcnn"
    assert set(report.loaded) == set(theirs.state_dict()) == set(ours.state_dict())
    assert not report.dropped
    assert not report.untouched


def test_torchvisions_name_is_accepted_for_its_detectors(pair):
    """By the name under which semantic networks know it, and with the older names of files."""
    name, theirs, _, _ = pair
    state = theirs.state_dict()
    if name == "maskrcnn_resnet50_fpn":  # its older files count the convolutions of the mask head from 1
        old = {
            f"roi_heads.mask_head.{number - 1}.0.": f"roi_heads.mask_head.mask_fcn{number}." for number in range(1, 5)
        }
        for new, before in old.items():
            state = {key.replace(new, before): value for key, value in state.items()}
        assert state.keys() != theirs.state_dict().keys()
    model = models.create(name, num_classes=len(state["roi_heads.box_predictor.cls_score.bias"]))
    report = models.load_weights(model, state, layout="torchvision")
    assert not report.dropped
    assert not report.untouched
    for key, value in theirs.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key


def test_detections_are_torchvisions(pair):
    _, theirs, ours, _ = pair
    assert_same_detections(theirs, ours, pictures((128, 170), (90, 140)))  # a batch of two sizes, one is enlarged


@pytest.mark.shared_data
def test_detections_on_a_photograph_are_torchvisions(pair):
    name, theirs, ours, _ = pair
    if name != NAMES[0]:
        pytest.skip("one network is enough for photographs")
    path = sorted(shared_data("penn_fudan", "Images").glob("*.jpg"))[0]
    photograph = np.array(Image.open(path).convert("RGB"))
    assert_same_detections(theirs, ours, [torch.from_numpy(photograph).permute(2, 0, 1) / 255])


def test_losses_are_torchvisions_on_the_same_samples(pair):
    """The samplers draw the same random numbers in the same order; batch norm trains in both."""
    _, theirs, ours, _ = pair
    images = pictures((128, 160), (128, 160), (128, 160))
    targets = [
        rectangles((128, 160), [(10, 12, 70, 90), (60, 30, 120, 110)], [1, 3]),
        rectangles((128, 160), [(30, 40, 44, 52)], [5]),
        rectangles((128, 160), [], []),
    ]
    # Theirs draws one of its short sides, of which there is one, and so a random number more per image.
    theirs.transform.torch_choice = lambda sides: sides[0]
    before = {key: value.clone() for key, value in theirs.state_dict().items()}
    losses = []
    for network in (theirs, ours):
        torch.manual_seed(5)
        losses.append(network.train()(images, targets))
        network.load_state_dict(before)
        network.eval()
    assert set(losses[0]) == set(losses[1])
    for name, expected in losses[0].items():
        assert expected > 0
        torch.testing.assert_close(losses[1][name], expected, rtol=0, atol=1e-4)


def test_a_batch_of_two_is_two_batches_of_one(pair):
    """Proposals are chosen per image and level, not from the batch."""
    name, _, ours, _ = pair
    if name != NAMES[0]:
        pytest.skip("the choice of proposals is the same code")
    images = pictures((128, 160), (128, 160), seed=2)
    together = ours.trace(images)
    for index, image in enumerate(images):
        alone = ours.trace([image])
        torch.testing.assert_close(
            together.proposals[index].boxes[:20], alone.proposals[0].boxes[:20], rtol=0, atol=1e-2
        )
        counts = torch.bincount(together.proposals_before_nms[index].levels)
        assert torch.equal(counts, torch.bincount(alone.proposals_before_nms[0].levels))


def test_older_names_are_accepted():
    with torch.device("meta"):
        state = models.create("maskrcnn_resnet50_fpn").state_dict()
        network = models.create("maskrcnn_resnet50_fpn")
    older = {}
    for key, value in state.items():
        for block in ("inner_blocks", "layer_blocks"):
            for index in range(4):
                key = key.replace(f"fpn.{block}.{index}.0.", f"fpn.{block}.{index}.")
        key = key.replace("rpn.head.conv.0.0.", "rpn.head.conv.")
        for index in range(4):
            key = key.replace(f"roi_heads.mask_head.{index}.0.", f"roi_heads.mask_head.mask_fcn{index + 1}.")
        older[key] = value
    assert "roi_heads.mask_head.mask_fcn4.bias" in older
    assert "rpn.head.conv.weight" in older
    assert "backbone.fpn.inner_blocks.3.bias" in older
    report = models.load_weights(network, older)
    assert set(report.loaded) == set(state)


def test_parameters_are_counted_as_torchvision_counts_them():
    with torch.device("meta"):
        first = models.create("maskrcnn_resnet50_fpn", num_classes=91)
        frozen = models.create("maskrcnn_resnet50_fpn", num_classes=91, norm="frozen")
        second = models.create("maskrcnn_resnet50_fpn_v2", num_classes=91)
        third = models.create("maskrcnn_resnext101_fpn", num_classes=91)
        tiny = models.create("maskrcnn_tiny")

    def count(network):
        return sum(parameter.numel() for parameter in network.parameters())

    assert count(first) == 44_454_513
    assert count(frozen) == 44_401_393
    assert count(second) == 46_359_409
    # A ResNeXt-101 32x8d without its classifier has 86 742 336, a ResNet-50 23 508 032; the rest is the same.
    assert count(third) == 44_454_513 - 23_508_032 + 86_742_336
    assert 4 * count(tiny) < 8e6


def test_published_weights_bring_their_options(monkeypatch, tmp_path):
    from segtutor.models import weights

    loaded = []
    monkeypatch.setattr(weights.WeightSource, "load_into", lambda self, *given: loaded.append(self))
    with torch.device("meta"):
        network = models.create("maskrcnn_resnet50_fpn", weights="torchvision")
        pretrained = models.create("maskrcnn_resnet50_fpn", num_classes=3, weights="imagenet")
    assert network.num_classes == 91
    assert network.settings.round_anchors
    assert network.backbone.body.bn1.eps == 0.0
    assert not network.backbone.body.layer1[0].conv1.weight.requires_grad
    assert network.backbone.body.layer2[0].conv1.weight.requires_grad
    assert pretrained.num_classes == 3
    assert not pretrained.settings.round_anchors
    assert [source.layout for source in loaded] == ["torchvision_maskrcnn", "torchvision_resnet_fpn"]
