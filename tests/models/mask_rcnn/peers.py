"""torchvision's Mask R-CNN with random weights that give detections, and pictures for it."""

import dataclasses

import torch
import torchvision

from segtutor import models

CLASSES = 6
SIDES = {"min_size": 128, "max_size": 256}
FEW = {"post_nms_test": 60, "detections_per_image": 12, "post_nms_train": 60, "roi_samples": 32}


def torchvision_peer(name, seed=0):
    """A small number of proposals and detections, batch norms that are not the identity, scores that differ."""
    torch.manual_seed(seed)
    network = getattr(torchvision.models.detection, name)(
        weights=None,
        weights_backbone=None,
        num_classes=CLASSES,
        rpn_post_nms_top_n_test=FEW["post_nms_test"],
        rpn_post_nms_top_n_train=FEW["post_nms_train"],
        box_batch_size_per_image=FEW["roi_samples"],
        box_detections_per_img=FEW["detections_per_image"],
        **SIDES,
    )
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.0)
            module.bias.data.normal_(0, 0.1)
    network.rpn.head.cls_logits.weight.data.mul_(10)
    network.rpn.head.bbox_pred.weight.data.mul_(3)
    network.roi_heads.box_predictor.cls_score.weight.data.mul_(6)
    network.roi_heads.mask_predictor.mask_fcn_logits.weight.data.mul_(3)
    return network.eval()


def ours_like(name, theirs, **options):
    """Our network with its weights and sizes."""
    ours = models.create(
        name,
        num_classes=CLASSES,
        compat="torchvision",
        short_side=SIDES["min_size"],
        long_side=SIDES["max_size"],
        **options,
    )
    ours.settings = dataclasses.replace(ours.settings, **FEW)
    report = models.load_weights(ours, theirs.state_dict())
    return ours.eval(), report


def pictures(*sizes, seed=1):
    """Colored clouds in 0-1."""
    generator = torch.Generator().manual_seed(seed)
    coarse = [torch.rand(1, 3, 9, 12, generator=generator) for _ in sizes]
    return [
        torch.nn.functional.interpolate(cloud, size=size, mode="bicubic")[0].clamp(0, 1)
        for cloud, size in zip(coarse, sizes, strict=True)
    ]


def rectangles(size, boxes, labels):
    """A target with the boxes as masks."""
    masks = torch.zeros(len(boxes), *size, dtype=torch.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes, strict=True):
        mask[y1:y2, x1:x2] = 1
    return {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor(labels, dtype=torch.int64),
        "masks": masks,
    }


def mask_iou(a, b):
    union = (a | b).sum().item()
    return (a & b).sum().item() / union if union else 1.0
