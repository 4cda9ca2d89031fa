"""RoIAlign, mask targets, mask loss, pasting: by hand, then as inverses of each other."""

from dataclasses import replace

import pytest
import torch
from torchvision.models.detection.roi_heads import paste_masks_in_image
from torchvision.ops import roi_pool

from segtutor.models.mask_rcnn import Settings
from segtutor.models.mask_rcnn.mask_head import mask_loss, mask_probabilities, mask_targets
from segtutor.models.mask_rcnn.paste import paste_masks
from segtutor.models.mask_rcnn.resizing import make_batch, resize_target
from segtutor.models.mask_rcnn.roi_pooling import pool_regions, round_to_positions
from segtutor.models.mask_rcnn.targets import Target
from tests.models.mask_rcnn.peers import mask_iou

RAMP = torch.arange(25, dtype=torch.float32).reshape(1, 1, 5, 5)
BOX = torch.tensor([[1.0, 1.0, 3.0, 3.0]])


def pooled(box, settings, features=RAMP, bins=2):
    return pool_regions([features], (1,), [box], bins, settings)[0][0, 0]


def test_roi_align_counts_from_the_centers_of_pixels():
    assert pooled(BOX, Settings()).tolist() == [[6, 7], [11, 12]]
    assert pooled(BOX, Settings(half_pixel=False)).tolist() == [[9, 10], [14, 15]]


@pytest.mark.parametrize("pooling", ["align", "pool", "round"])
def test_regions_are_pooled_from_maps_of_reduced_precision(pooling):
    features = torch.randn(1, 3, 20, 24).bfloat16()
    box, settings = torch.tensor([[10.3, 8.2, 50.9, 61.4]]), Settings(roi_pooling=pooling)
    reduced, _ = pool_regions([features], (4,), [box], 7, settings)
    full, _ = pool_regions([features.float()], (4,), [box], 7, settings)
    assert reduced.dtype == torch.bfloat16
    assert torch.allclose(reduced.float(), full, atol=0.05)


def test_a_shift_below_a_pixel_is_seen_by_roi_align_and_not_by_roi_pool():
    features = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    box = torch.tensor([[2.0, 2.0, 10.0, 10.0]])
    moved = box + 0.4
    assert torch.equal(*(pooled(b, Settings(roi_pooling="pool"), features, 4) for b in (box, moved)))
    before, after = (pooled(b, Settings(), features, 4) for b in (box, moved))
    assert (before - after).abs().max() > 0.05
    ramp = torch.arange(16.0).expand(1, 1, 16, 16)  # grows by 1 per pixel to the right
    torch.testing.assert_close(pooled(moved, Settings(), ramp, 4), pooled(box, Settings(), ramp, 4) + 0.4)


def test_the_control_reads_the_positions_that_roi_pool_keeps():
    # 7/4 and 9/4 both round to 2, 22/4 to 6, 31/4 to 8: columns 2 to 6, rows 2 to 8, the last ones included.
    box = torch.tensor([[7.0, 9.0, 22.0, 31.0]])
    assert round_to_positions(box, 4).tolist() == [[8, 8, 28, 36]]
    assert round_to_positions(torch.tensor([[7.0, 9.0, 7.5, 9.5]]), 4).tolist() == [[8, 8, 12, 12]]
    features = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    whole = features[0, 0, 2:9, 2:7]  # five columns and seven rows: one bin per position
    assert torch.equal(roi_pool(features, [box], (7, 5), 1 / 4)[0, 0], whole)
    kept = torch.tensor([[8.0, 8, 28, 36]])
    rounded, aligned = (
        pool_regions([features], (4,), [one], 3, Settings(roi_pooling=pooling))[0]
        for one, pooling in ((box, "round"), (kept, "align"))
    )
    assert torch.equal(rounded, aligned)


def test_each_region_is_pooled_from_its_level_and_image():
    maps = [torch.full((2, 1, size, size), float(level)) for level, size in enumerate((64, 32))]
    for features in maps:
        features[1] += 10
    small, large = [8.0, 8.0, 40.0, 40.0], [0.0, 0.0, 200.0, 200.0]
    boxes = [torch.tensor([large, small]), torch.tensor([small])]
    regions, levels = pool_regions(maps, (4, 8), boxes, 7, Settings())
    assert regions.mean(dim=(1, 2, 3)).tolist() == [1, 0, 10]
    assert [of_image.tolist() for of_image in levels] == [[1, 0], [0]]


def test_ones_fill_their_box_exactly():
    ones, box = torch.ones(1, 28, 28), torch.tensor([[10.0, 10.0, 20.0, 20.0]])
    whole = paste_masks(ones, box, (40, 40))[0]
    assert whole.sum() == 100
    assert whole[10:20, 10:20].all()
    assert paste_masks(ones, box, (40, 40), legacy=True).sum() == 144
    half = paste_masks(ones, torch.tensor([[10.3, 10.6, 20.3, 20.6]]), (40, 40))[0]
    assert half[11:21, 10:20].sum() == half.sum() == 100  # pixels whose center is inside
    beyond = paste_masks(ones, torch.tensor([[-5.0, 35.0, 5.0, 50.0]]), (40, 40))[0]
    assert beyond[35:, :5].all()
    assert beyond.sum() == 25
    assert paste_masks(ones[:0], box[:0], (40, 30)).shape == (0, 40, 30)
    with pytest.raises(ValueError, match="R x M x M"):
        paste_masks(ones[None], box, (40, 40))


def test_legacy_pasting_is_torchvisions():
    generator = torch.Generator().manual_seed(0)
    masks = torch.rand(20, 28, 28, generator=generator)
    corners = torch.rand(20, 2, generator=generator) * 50  # torchvision's own pasting fails wholly outside
    boxes = torch.cat([corners, corners + 1 + torch.rand(20, 2, generator=generator) * 60], dim=1)
    theirs = paste_masks_in_image(masks[:, None], boxes, (60, 80))[:, 0] >= 0.5
    assert torch.equal(paste_masks(masks, boxes, (60, 80), legacy=True), theirs)


def disc(radius, size=64):
    y, x = torch.meshgrid(torch.arange(size) + 0.5, torch.arange(size) + 0.5, indexing="ij")
    return (x - 31.7) ** 2 + (y - 30.4) ** 2 <= radius**2


def test_pasting_is_the_inverse_of_cropping():
    settings = Settings(binary_mask_targets=False)
    for radius in range(6, 21):
        mask = disc(radius)
        rows, columns = torch.where(mask)
        box = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).float()[None]
        crop = mask_targets(mask[None], box, torch.tensor([0]), 28, settings)
        assert mask_iou(paste_masks(crop, box, (64, 64))[0], mask) >= 0.98


def test_the_target_is_what_the_proposal_sees():
    mask = torch.zeros(2, 56, 56)
    mask[1, 14:42, 14:42] = 1
    proposal = torch.tensor(
        [[14.0, 14.0, 42.0, 42.0], [28.0, 14.0, 56.0, 42.0]]
    )  # the object's box, and half beside it
    whole, half = mask_targets(mask, proposal, torch.tensor([1, 1]), 28, Settings())
    assert whole.all()
    assert half[:, :14].all()
    assert not half[:, 14:].any()
    assert half.unique().tolist() == [0, 1]


def test_only_the_mask_of_the_class_learns():
    logits = torch.zeros(2, 4, 3, 3, requires_grad=True)
    targets = torch.ones(2, 3, 3)
    loss = mask_loss(logits, targets, torch.tensor([2, 3]), Settings())
    assert loss.item() == pytest.approx(0.6931, abs=1e-4)  # ln 2
    loss.backward()
    touched = logits.grad.abs().sum(dim=(2, 3)) > 0
    assert touched.tolist() == [[False, False, True, False], [False, False, False, True]]


def test_a_softmax_lets_the_classes_compete():
    settings = replace(Settings(), mask_activation="softmax")
    logits = torch.zeros(1, 4, 2, 2, requires_grad=True)
    loss = mask_loss(logits, torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]), torch.tensor([2]), settings)
    assert loss.item() == pytest.approx(1.3863, abs=1e-4)  # ln 4
    loss.backward()
    assert (logits.grad.abs().sum(dim=(2, 3)) > 0).all()
    assert mask_probabilities(logits, torch.tensor([2]), settings).unique().tolist() == [0.25]
    assert mask_probabilities(logits[:, :1], torch.tensor([2]), Settings()).unique().tolist() == [0.5]


def test_no_region_is_no_loss():
    logits = torch.zeros(0, 4, 28, 28, requires_grad=True)
    loss = mask_loss(logits, torch.zeros(0, 28, 28), torch.zeros(0, dtype=torch.int64), Settings())
    assert loss == 0
    loss.backward()


def test_resized_masks_stay_masks_and_images_are_padded_with_the_mean():
    mask = torch.zeros(1, 30, 40, dtype=torch.bool)
    mask[0, 5:20, 10:30] = True
    target = Target(torch.tensor([[10.0, 5.0, 30.0, 20.0]]), torch.tensor([1]), mask)
    resized = resize_target(target, (30, 40), (60, 80))
    assert resized.masks.dtype == torch.bool
    assert resized.masks.sum() == 4 * mask.sum()
    assert resized.boxes.tolist() == [[20, 10, 60, 40]]
    batch, sizes = make_batch([torch.ones(3, 30, 40), torch.ones(3, 20, 50)], Settings(short_side=None))
    assert batch.shape == (2, 3, 32, 64)
    assert sizes == [(30, 40), (20, 50)]
    assert batch[0].sum() == 3 * 30 * 40
