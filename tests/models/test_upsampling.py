import pytest
import torch
from torch.nn import functional as F

from segtutor.models.upsampling import (
    BilinearUpsampling,
    Grid,
    add_where_they_overlap,
    bilinear_kernel,
    pad_onto_grid,
)


def test_bilinear_kernel_by_hand():
    row = torch.tensor([0.25, 0.75, 0.75, 0.25])
    torch.testing.assert_close(bilinear_kernel(4), row[:, None] * row)
    row = torch.tensor([0.5, 1.0, 0.5])
    torch.testing.assert_close(bilinear_kernel(3), row[:, None] * row)
    assert bilinear_kernel(1).tolist() == [[1.0]]
    for size in (0, -2, 2.0, True):
        with pytest.raises(ValueError, match="whole number of at least 1"):
            bilinear_kernel(size)


@pytest.mark.parametrize(("factor", "size"), [(2, 4), (8, 16), (16, 32), (32, 64), (2, 3), (8, 15), (32, 63)])
def test_a_constant_stays_constant_away_from_the_border_and_classes_do_not_mix(factor, size):
    layer = BilinearUpsampling(3, factor, size)
    scores = torch.zeros(1, 3, 5, 6)
    scores[:, 1] = 2.5
    with torch.no_grad():
        upsampled = layer(scores)
    inside = upsampled[:, 1, size - 1 : 1 - size, size - 1 : 1 - size]
    assert inside.numel() > 0
    torch.testing.assert_close(inside, torch.full_like(inside, 2.5))
    assert not upsampled[:, [0, 2]].any()
    off_diagonal = ~torch.eye(3, dtype=torch.bool)
    assert not layer.weight[off_diagonal].any()


@pytest.mark.parametrize(("size", "align_corners"), [(2 * 8, False), (2 * 8 - 1, True)])
def test_it_is_bilinear_interpolation(size, align_corners):
    """Even filters: pixels of the map lie between the image's, as without aligned corners. Odd ones: on them."""
    scores = torch.randn(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    layer = BilinearUpsampling(3, 8, size)
    with torch.no_grad():
        upsampled = layer(scores)
    if align_corners:
        expected = F.interpolate(scores, (33, 49), mode="bilinear", align_corners=True)
        torch.testing.assert_close(upsampled[..., 7:40, 7:56], expected)
    else:
        expected = F.interpolate(scores, (40, 56), mode="bilinear", align_corners=False)
        # At the border the transposed convolution fades out, and resizing repeats the last value.
        torch.testing.assert_close(upsampled[..., 8:40, 8:56], expected[..., 4:36, 4:52])


def test_grids_by_hand():
    assert Grid().convolution(3, padding=1) == Grid()  # keeps the pixels where they are
    assert Grid().convolution(3, stride=2, padding=1) == Grid(2, 0)  # 0, 2, 4, ...
    assert Grid().convolution(2, stride=2) == Grid(2, 0.5)  # between 0 and 1
    assert Grid(2, 0.5).transposed(4, 2) == Grid(1, -1)
    assert Grid(1, -5).offset_of(Grid(1, -2)) == 3
    for other in (Grid(1, 0.5), Grid(2, 0)):
        with pytest.raises(ValueError, match="do not coincide"):
            Grid(1, 0).offset_of(other)


def test_two_maps_are_added_where_they_overlap():
    coarse, fine = torch.zeros(1, 1, 3, 3), torch.arange(36.0).reshape(1, 1, 6, 6)
    assert add_where_they_overlap(coarse, fine, 2)[0, 0].tolist() == [[14, 15, 16], [20, 21, 22], [26, 27, 28]]
    coarse = 100 * torch.arange(9.0).reshape(1, 1, 3, 3)
    assert add_where_they_overlap(coarse, fine, -1)[0, 0].tolist() == [[400, 501], [706, 807]]


def test_padding_onto_the_grid():
    images = torch.ones(1, 3, 64, 65)
    padded = pad_onto_grid(images, 32)
    assert padded.shape == (1, 3, 65, 65)
    assert padded.sum() == images.sum()
    assert pad_onto_grid(padded, 32).shape == padded.shape
    assert pad_onto_grid(torch.ones(1, 3, 66, 1), 8).shape == (1, 3, 73, 1)
