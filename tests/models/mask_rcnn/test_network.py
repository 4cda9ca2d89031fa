"""The network as a whole, on its tiny form: losses, empty images, bad input, stages, options, learning."""

import dataclasses

import pytest
import torch
from torchvision.ops import box_iou

from segtutor import models
from segtutor.models.mask_rcnn import Settings
from segtutor.models.mask_rcnn.box_coding import encode_boxes
from segtutor.models.mask_rcnn.roi_heads import choose_detections, sample_regions
from segtutor.models.mask_rcnn.rpn import rpn_losses
from tests.models.mask_rcnn.peers import mask_iou, pictures, rectangles

SIZE = (64, 96)
LOSSES = {"loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg", "loss_mask"}


def tiny(seed=0, **options):
    torch.manual_seed(seed)
    return models.create("maskrcnn_tiny", num_classes=4, **options)


def one_object(box=(20, 10, 60, 50), label=1):
    return rectangles(SIZE, [box], [label])


def total(losses):
    assert all(loss.isfinite() for loss in losses.values())
    return sum(losses.values())


def test_all_five_losses_reach_every_weight():
    network = tiny()
    losses = network(pictures(SIZE, SIZE), [one_object(), one_object((5, 5, 30, 40), 3)])
    assert set(losses) == LOSSES
    total(losses).backward()
    assert not [name for name, weight in network.named_parameters() if weight.grad is None]


def test_images_without_objects_train_finitely():
    """No objects: nothing to draw or to move, but the proposals learn that there is nothing."""
    network = tiny()
    empty = rectangles(SIZE, [], [])
    losses = network(pictures(SIZE, SIZE), [empty, {**empty, "boxes": torch.zeros(0), "masks": torch.zeros(0)}])
    total(losses).backward()
    assert losses["loss_rpn_box_reg"] == losses["loss_box_reg"] == losses["loss_mask"] == 0
    assert losses["loss_objectness"] > 0
    assert losses["loss_classifier"] > 0
    assert network.rpn.head.cls_logits.weight.grad.abs().sum() > 0
    mixed = network(pictures(SIZE, SIZE), [one_object(), empty])
    assert total(mixed) > 0


def test_crowds_are_left_out():
    network = tiny()
    both = rectangles(SIZE, [(20, 10, 60, 50), (70, 20, 90, 60)], [1, 2])
    losses = []
    for target in (one_object(), {**both, "iscrowd": torch.tensor([0, 1])}):
        torch.manual_seed(0)
        losses.append(total(network(pictures(SIZE), [target])).item())
    assert losses[0] == pytest.approx(losses[1])


def with_value(key, value):
    return {**one_object(), key: value}


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (with_value("boxes", torch.tensor([[20.0, 10, 20, 50]])), r"image 1, box 0 .*x1 < x2.*leave such boxes out"),
        (with_value("boxes", torch.tensor([[60.0, 50, 20, 10]])), r"image 1, box 0 .*corners swapped"),
        (with_value("boxes", torch.tensor([[20.0, 10, 120, 50]])), r"image 1, box 0 .*outside of its image of 96 x 64"),
        (with_value("boxes", torch.tensor([[20.0, 10, float("nan"), 50]])), r"image 1, box 0 .*finite"),
        (with_value("boxes", torch.tensor([20.0, 10, 60, 50])), r"image 1: boxes must be 1 x 4"),
        (with_value("labels", torch.tensor([0])), r"image 1, box 0 .*0 is the background"),
        (with_value("labels", torch.tensor([4])), r"image 1, box 0 .*from 1 to 3, but 4 came"),
        (with_value("labels", torch.tensor([1.0])), r"image 1: labels must be G integers"),
        (with_value("masks", torch.zeros(2, *SIZE)), r"image 1: masks must be 1 x 64 x 96"),
        (with_value("masks", torch.zeros(1, *SIZE)), r"image 1, box 0 .*does not match it, 0 of the mask's 0 pixels"),
        (with_value("masks", one_object((70, 0, 90, 8))["masks"]), r"image 1, box 0 .*in the same order"),
        (with_value("masks", one_object()["masks"] * 255), r"image 1: masks must hold 0 and 1"),
        ({"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)}, r"image 1: .*no masks"),
        (None, r"image 1: its target must be a dict"),
    ],
)
def test_bad_targets_name_the_image_and_the_box(target, message):
    network = tiny()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        network(pictures(SIZE, SIZE), [one_object(), target])
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_bad_images_and_missing_targets_are_said():
    network = tiny()
    with pytest.raises(ValueError, match="2 images and NoneType came"):
        network(pictures(SIZE, SIZE))
    with pytest.raises(ValueError, match="list of at least one"):
        network([])
    with pytest.raises(ValueError, match=r"image 1 must be a tensor 3 x H x W, RGB, but shape \(1, 64, 96\)"):
        network.eval()([*pictures(SIZE), torch.zeros(1, *SIZE)])
    with pytest.raises(ValueError, match="divide by 255"):
        network([255 * pictures(SIZE)[0]])


def test_one_class_besides_the_background_is_enough():
    torch.manual_seed(0)
    network = models.create("maskrcnn_tiny", num_classes=2)
    assert total(network(pictures(SIZE), [one_object()])) > 0


def test_bytes_and_fractions_are_the_same_image():
    network = tiny().eval()
    byte = (pictures(SIZE)[0] * 255).to(torch.uint8)
    a, b = (network.trace([image]).objectness[0] for image in (byte, byte.float() / 255))
    torch.testing.assert_close(a, b)


def test_no_gradient_flows_through_the_coordinates_of_proposals():
    network = tiny()
    losses = network(pictures(SIZE), [one_object()])
    (losses["loss_classifier"] + losses["loss_box_reg"] + losses["loss_mask"]).backward()
    assert network.rpn.head.bbox_pred.weight.grad is None
    assert network.rpn.head.cls_logits.weight.grad is None


def test_every_stage_is_open_to_view():
    network = tiny()
    network.settings = dataclasses.replace(network.settings, score_threshold=0.0, detections_per_image=7)
    images = pictures(SIZE, (50, 80))
    stages = network.trace(images)
    assert network.training  # as it was
    assert stages.images.shape == (2, 3, 64, 96)
    assert stages.image_sizes == [SIZE, (50, 80)]
    assert list(stages.features) == ["P2", "P3", "P4", "P5"]
    assert [tuple(level.shape) for level in stages.features.values()] == [
        (2, 64, 16, 24),
        (2, 64, 8, 12),
        (2, 64, 4, 6),
        (2, 64, 2, 3),
    ]
    assert [len(anchors) for anchors in stages.anchors] == [3 * 16 * 24, 3 * 8 * 12, 3 * 4 * 6, 3 * 2 * 3]
    assert [tuple(logits.shape) for logits in stages.objectness] == [(2, len(anchors)) for anchors in stages.anchors]
    assert [tuple(offsets.shape) for offsets in stages.anchor_offsets] == [(2, len(a), 4) for a in stages.anchors]
    for image, size in enumerate(stages.image_sizes):
        before, after = stages.proposals_before_nms[image], stages.proposals[image]
        R = len(after.boxes)
        assert 0 < R < len(before.boxes)
        assert after.scores.tolist() == sorted(after.scores.tolist(), reverse=True)
        for level in after.levels.unique():
            same = after.boxes[after.levels == level]
            assert (box_iou(same, same) - torch.eye(len(same))).max() <= 0.7
        assert after.boxes.min() >= 0
        assert after.boxes[:, 2].max() <= size[1]
        assert after.boxes[:, 3].max() <= size[0]
        assert stages.roi_levels[image].shape == (R,)
        assert stages.class_scores[image].shape == (R, 4)
        torch.testing.assert_close(stages.class_scores[image].sum(dim=1), torch.ones(R))
        assert stages.refined_boxes[image].shape == (R, 4, 4)
        assert stages.mask_probabilities[image].shape == (7, 28, 28)
        assert stages.mask_levels[image].shape == (7,)
        detection = stages.detections[image]
        assert detection["masks"].shape == (7, *size)
        assert set(detection["labels"].tolist()) <= {1, 2, 3}
    with torch.no_grad():
        again = network.eval()(images)
    assert all(torch.equal(again[i][key], stages.detections[i][key]) for i in range(2) for key in again[i])


def test_anchor_targets_are_decoded_by_the_loss():
    """A network that predicts exactly what is wanted has no box loss."""
    network = tiny()
    stages = network.trace(pictures(SIZE))
    box = torch.tensor([[20.0, 10, 60, 50]])
    settings = dataclasses.replace(Settings(), rpn_samples=10000)
    wrong = rpn_losses(stages, [box], settings)
    stages.anchor_offsets = [encode_boxes(box.expand(len(a), 4), a)[None] for a in stages.anchors]
    stages.objectness = [20 * (2 * (box_iou(box, a) >= 0.3).float() - 1) for a in stages.anchors]
    right = rpn_losses(stages, [box], settings)
    assert wrong["loss_rpn_box_reg"] > 1e-4  # a sum over the few anchors of the object, divided by all the sampled
    assert right["loss_rpn_box_reg"] < 1e-8
    assert right["loss_objectness"] < wrong["loss_objectness"]


def test_objects_are_proposals_too_and_labels_follow_them():
    boxes, labels = torch.tensor([[20.0, 10, 60, 50], [70, 20, 90, 60]]), torch.tensor([2, 3])
    proposals = torch.tensor([[21.0, 11, 60, 50], [0, 0, 5, 5]])
    samples = sample_regions(proposals, boxes, labels, Settings(roi_positive_fraction=1.0))
    assert torch.equal(samples.boxes, torch.cat([proposals, boxes]))
    assert samples.labels.tolist() == [2, 0, 2, 3]
    assert samples.objects[samples.labels > 0].tolist() == [0, 0, 1]


def test_detections_are_suppressed_within_their_class_only():
    boxes = torch.tensor([[0.0, 0, 20, 20], [0, 0, 20, 19]])[:, None].expand(2, 3, 4)
    scores = torch.tensor([[0.1, 0.6, 0.3], [0.2, 0.5, 0.3]])
    found, labels, kept = choose_detections(boxes, scores, Settings())
    assert labels.tolist() == [1, 2]
    assert kept.tolist() == pytest.approx([0.6, 0.3])
    assert len(found) == 2
    none = choose_detections(boxes, scores, Settings(score_threshold=0.9))
    assert [len(part) for part in none] == [0, 0, 0]


def test_without_detections_there_are_empty_masks_of_the_images_size():
    network = tiny().eval()
    network.settings = dataclasses.replace(network.settings, score_threshold=0.999)
    with torch.no_grad():
        (detection,) = network(pictures(SIZE))
    assert detection["boxes"].shape == (0, 4)
    assert detection["masks"].shape == (0, *SIZE)


@pytest.mark.parametrize(
    ("options", "masks"),
    [
        ({"fpn": False}, 4),
        ({"mask_branch": False}, 0),
        ({"class_agnostic_masks": True}, 1),
        ({"mask_activation": "softmax"}, 4),
        ({"roi_pooling": "pool"}, 4),
        ({"fpn": False, "map_stride": 32, "roi_pooling": "round"}, 4),
    ],
)
def test_options_of_the_claims(options, masks):
    network = tiny(**options)
    losses = network(pictures(SIZE), [one_object()])
    total(losses).backward()
    assert set(losses) == (LOSSES if masks else LOSSES - {"loss_mask"})
    if masks:
        assert network.roi_heads.mask_predictor.mask_fcn_logits.out_channels == masks
    network.settings = dataclasses.replace(network.settings, score_threshold=0.0)
    stages = network.trace(pictures(SIZE))
    assert ("masks" in stages.detections[0]) == (masks > 0)
    assert len(stages.features) == (4 if options.get("fpn", True) else 1)


@pytest.mark.parametrize(("stride", "name"), [(16, "C4"), (32, "C5")])
def test_the_one_map_has_its_stride(stride, name):
    network = tiny(fpn=False, map_stride=stride)
    for side in (64, 96, 160):
        (features,) = network.trace(pictures((side, 2 * side))).features.values()
        assert features.shape[-2:] == (side // stride, 2 * side // stride)
    assert network.backbone.strides == (stride,)
    assert list(network.trace(pictures(SIZE)).features) == [name]


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="single map has stride 16 or 32, but 8 came"):
        tiny(fpn=False, map_stride=8)
    with pytest.raises(ValueError, match="softmax needs a mask per class"):
        tiny(class_agnostic_masks=True, mask_activation="softmax")
    with pytest.raises(ValueError, match="compat must be 'paper' or 'torchvision'"):
        models.create("maskrcnn_resnet50_fpn", compat="detectron")
    with pytest.raises(ValueError, match="norm must be 'batch' or 'frozen'"):
        models.create("maskrcnn_resnet50_fpn", norm="group")
    with torch.device("meta"), pytest.raises(ValueError, match="frozen_stages must be from 0 to 5"):
        models.create("maskrcnn_resnet50_fpn", frozen_stages=6)
    with pytest.raises(ValueError, match="frozen_stages must be from 0 to 4, but 5 came"):
        tiny(frozen_stages=5)
    for threshold in (0, 1.0, float("nan")):
        with pytest.raises(ValueError, match="mask_threshold must lie between 0 and 1"):
            tiny(mask_threshold=threshold)


def test_a_lower_mask_threshold_takes_more_pixels():
    image = pictures(SIZE)
    strict, generous = (tiny(mask_threshold=threshold).eval() for threshold in (0.5, 0.4))
    with torch.no_grad():
        (few,), (many,) = strict(image), generous(image)
    assert torch.equal(few["boxes"], many["boxes"])
    assert not (few["masks"] & ~many["masks"]).any()
    assert few["masks"].sum() < many["masks"].sum()


@pytest.mark.parametrize(("stages", "first_to_learn"), [(0, "stem"), (1, "layer1"), (2, "layer2"), (4, None)])
def test_frozen_stages_of_the_small_body(stages, first_to_learn):
    body = tiny(frozen_stages=stages).backbone.body
    learning = [name for name, part in body.named_children() if all(item.requires_grad for item in part.parameters())]
    frozen = [name for name, part in body.named_children() if not any(p.requires_grad for p in part.parameters())]
    assert frozen == ["stem", "layer1", "layer2", "layer3"][:stages]
    assert learning[:1] == [first_to_learn] * (first_to_learn is not None)
    assert len(frozen) + len(learning) == 4


def test_a_semantic_networks_body_and_saved_weights_load(tmp_path):
    semantic = models.create("deeplabv3_tiny", num_classes=5)
    network = tiny()
    report = models.load_weights(network, semantic.state_dict(), layout="segtutor_tiny_body")
    assert torch.equal(network.backbone.body.layer3[1].conv2.weight, semantic.backbone.layer3[1].conv2.weight)
    assert all(key.startswith("backbone.body.") for key in report.loaded)
    models.save_weights(network, tmp_path / "w.pt")
    again = models.create("maskrcnn_tiny", weights=tmp_path / "w.pt")
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in again.state_dict().items())
    other = models.create("maskrcnn_tiny", num_classes=7)
    with pytest.raises(ValueError, match="replace_head=True"):
        models.load_weights(other, tmp_path / "w.pt")
    report = models.load_weights(other, tmp_path / "w.pt", replace_head=True)
    assert {key.rpartition(".")[0] for key in report.untouched} == set(other.final_layers())


def test_the_network_learns_one_picture():
    """Overfitting: found, named and drawn, after some steps on a single picture."""
    image = torch.full((3, *SIZE), 0.2)
    image[0, 10:50, 20:60] = 0.9
    image[2, 30:56, 70:90] = 0.8
    target = rectangles(SIZE, [(20, 10, 60, 50), (70, 30, 90, 56)], [1, 2])
    network = tiny()
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    for _ in range(90):
        loss = total(network([image, image.flip(-1)], [target, flipped(target)]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        (found,) = network.eval()([image])
    for box, label, mask in zip(target["boxes"], target["labels"], target["masks"] > 0, strict=True):
        best = box_iou(box[None], found["boxes"])[0].argmax()
        assert found["labels"][best] == label
        assert found["scores"][best] > 0.5
        assert mask_iou(found["masks"][best], mask) > 0.85


def flipped(target):
    x1, y1, x2, y2 = target["boxes"].unbind(dim=1)
    boxes = torch.stack([SIZE[1] - x2, y1, SIZE[1] - x1, y2], dim=1)
    return {**target, "boxes": boxes, "masks": target["masks"].flip(-1)}
