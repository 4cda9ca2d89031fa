import copy

import pytest
import torch
from torch.nn import functional as F

from segtutor.models.upsampling import (
    BilinearUpsampling,
    Grid,
    TransposedConvolution,
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


@pytest.fixture
def convolved(monkeypatch):
    """The types in which transposed convolutions have been computed."""
    types, compute = [], F.conv_transpose2d
    monkeypatch.setattr(
        F, "conv_transpose2d", lambda x, w, *rest: types.append((x.dtype, w.dtype)) or compute(x, w, *rest)
    )
    return types


@pytest.mark.parametrize(
    ("factor", "size"), [(2, 4), (2, 3), (8, 16), (8, 15), (16, 32), (32, 63), (32, 64), (3, 6), (3, 5), (2, 7)]
)
def test_two_passes_equal_the_transposed_convolution_and_so_do_their_gradients(factor, size, convolved):
    """In both precisions; a factor that is no power of two and a filter of neither usual size included."""
    layer, generator = BilinearUpsampling(3, factor, size), torch.Generator().manual_seed(0)
    scores = torch.randn(2, 3, 5, 7, generator=generator, requires_grad=True)
    rounded = 1e-7 if factor == 3 else 1e-13  # weights of 32 bits hold thirds only so far
    for kind, tolerance in ((torch.float32, 1e-6), (torch.float64, rounded)):
        layer.to(kind)
        ours = layer(scores.to(kind))
        assert not convolved
        theirs = torch.conv_transpose2d(scores.to(kind), layer.weight, stride=factor)
        assert ours.shape == theirs.shape
        assert (ours - theirs).abs().max() <= tolerance * theirs.abs().max()
        upstream = torch.randn(ours.shape, generator=generator, dtype=kind)
        (own,), (peer,) = (torch.autograd.grad(one, scores, upstream) for one in (ours, theirs))
        assert (own - peer).abs().max() <= 2e-6 * peer.abs().max()


def test_weights_that_are_not_bilinear_are_believed_however_they_came(convolved):
    scores = torch.randn(1, 2, 4, 5, generator=torch.Generator().manual_seed(0))
    other = torch.rand(2, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    expected = torch.conv_transpose2d(scores, other, stride=2)

    def loaded(layer):
        layer.load_state_dict({"weight": other})

    def assigned(layer):
        layer.load_state_dict({"weight": other.clone()}, assign=True)

    def written(layer):
        with torch.no_grad():
            layer.weight.copy_(other)

    def replaced(layer):
        layer.weight = torch.nn.Parameter(other.clone(), requires_grad=False)

    for change in (loaded, assigned, written, replaced):
        layer = copy.deepcopy(BilinearUpsampling(2, 2, 4))
        layer(scores)
        change(layer)
        layer.requires_grad_(False)
        torch.testing.assert_close(layer(scores), expected, msg=change.__name__)
        layer.reset_parameters()
        convolved.clear()
        layer(scores)
        assert not convolved, change.__name__


def test_weights_that_learn_are_convolved_and_get_their_gradient(convolved):
    layer = BilinearUpsampling(2, 2, 4, learned=True)
    layer(torch.ones(1, 2, 3, 3)).sum().backward()
    assert len(convolved) == 1
    assert layer.weight.grad[0, 1].sum() == 4 * 4 * 3 * 3  # also from one class to the other, where the weight is zero


@pytest.mark.parametrize("learned", [False, True])
def test_upsampling_is_exact_inside_autocast(learned, convolved):
    layer = BilinearUpsampling(2, 8, 15, learned)
    scores = torch.randn(1, 2, 3, 4, generator=torch.Generator().manual_seed(0))
    full = layer(scores)
    with torch.autocast("cpu", torch.bfloat16):
        inside = layer(scores)
        assert torch.is_autocast_enabled("cpu")
    assert inside.dtype == torch.float32
    assert torch.equal(inside, full)
    assert convolved == [(torch.float32, torch.float32)] * (2 * learned)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_a_layer_of_16_bits_computes_in_32_and_answers_in_16(kind, convolved):
    torch.manual_seed(0)
    layer = TransposedConvolution(3, 4, 2, stride=2).to(kind)
    features = torch.randn(2, 3, 5, 6).to(kind)
    answer = layer(features)
    assert answer.dtype == kind
    assert convolved == [(torch.float32, torch.float32)]
    wide = torch.conv_transpose2d(features.float(), layer.weight.float(), layer.bias.float(), stride=2)
    assert torch.equal(answer, wide.to(kind))


def test_a_transposed_convolution_in_full_precision_is_pytorchs():
    torch.manual_seed(0)
    layer = TransposedConvolution(3, 4, 3, stride=2, padding=1)
    peer = torch.nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1)
    peer.load_state_dict(layer.state_dict())
    features = torch.randn(2, 3, 5, 6)
    assert torch.equal(layer(features), peer(features))
    assert torch.equal(layer(features, [10, 12]), peer(features, [10, 12]))
    assert layer.double()(features).dtype == torch.float64
    assert TransposedConvolution(3, 4, 2, device="meta")(features.to("meta")).shape == (2, 4, 6, 7)


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
