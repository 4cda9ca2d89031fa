"""Bent pictures: maps go with them, labels are picked, and nothing bends without displacement."""

import pytest
import torch
from torchvision import tv_tensors

from segtutor.datasets.elastic import ElasticDeformation


def sample(height=24, width=30):
    ids = torch.arange(height * width).reshape(height, width)
    return tv_tensors.Image(ids[None].expand(3, -1, -1).float() / ids.numel()), tv_tensors.Mask(ids)


def test_no_deviation_changes_nothing():
    image, ids = sample()
    bent_image, bent_ids = ElasticDeformation(deviation=0)(image, ids)
    torch.testing.assert_close(bent_image, image, atol=1e-6, rtol=0)
    assert torch.equal(bent_ids, ids)


def test_by_hand_a_shift_of_two_columns_is_mirrored_at_the_border():
    bend = ElasticDeformation()
    rows, columns = torch.meshgrid(torch.arange(1.0), torch.arange(5.0), indexing="ij")
    params = {"rows": rows, "columns": columns + 2}
    assert bend.on_labels(torch.tensor([[0, 1, 2, 3, 4]]), 255, params).tolist() == [[2, 3, 4, 3, 2]]
    image = torch.tensor([[[0.0, 1, 2, 3, 4]]])
    torch.testing.assert_close(bend.on_image(image, params), torch.tensor([[[2.0, 3, 4, 3, 2]]]))


def test_picture_and_labels_bend_alike():
    """Rows and columns as colors say where each pixel came from; its label came from there, too."""
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    image = tv_tensors.Image(torch.stack([rows, columns, rows]) / 64)
    ids = tv_tensors.Mask((64 * rows + columns).long())
    torch.manual_seed(0)
    bent, labels = ElasticDeformation(deviation=3)(image, ids)
    assert not torch.equal(labels, ids)
    inside = torch.stack([labels // 64, labels % 64]).float()
    away = (64 * bent[:2].as_subclass(torch.Tensor) - inside.as_subclass(torch.Tensor)).abs()
    assert away[:, 8:-8, 8:-8].max() <= 0.51


def test_bytes_stay_bytes_and_the_seed_decides():
    image = tv_tensors.Image((torch.rand(3, 20, 20) * 255).to(torch.uint8))
    bend = ElasticDeformation()
    torch.manual_seed(1)
    first, second = bend(image), bend(image)
    torch.manual_seed(1)
    assert torch.equal(bend(image), first)
    assert not torch.equal(first, second)
    assert first.dtype == torch.uint8


def test_bad_input():
    with pytest.raises(ValueError, match="deviation is -1"):
        ElasticDeformation(deviation=-1)
    with pytest.raises(ValueError, match="grid is 1"):
        ElasticDeformation(grid=1)
    boxes = tv_tensors.BoundingBoxes(torch.zeros(1, 4), format="XYXY", canvas_size=(24, 30))
    with pytest.raises(ValueError, match="a bent box is no box"):
        ElasticDeformation()(sample()[0], {"boxes": boxes})
