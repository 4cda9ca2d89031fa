"""SAM's parts: distances, windows, codes of places and the losses, by hand."""

import math

import pytest
import torch
from torch import nn

from segtutor.models.sam.image_encoder import FineMap, PyramidNeck
from segtutor.models.sam.losses import check_targets, mask_iou, mask_terms, prompt_losses
from segtutor.models.sam.mask_decoder import DecoderSizes, MaskDecoder
from segtutor.models.sam.prompt_encoder import BOTTOM_RIGHT, PADDING, TOP_LEFT, PromptEncoder
from segtutor.models.sam.two_way import TwoWayBlock
from segtutor.models.sam.window_attention import RelativeAttention, distances, from_windows, into_windows


def test_distances_by_hand():
    table = torch.tensor([[-2.0], [-1], [0], [1], [2]])
    assert distances(table, 3)[..., 0].tolist() == [[0, -1, -2], [1, 0, -1], [2, 1, 0]]
    # A table for three places, asked about two: five numbers become three, each in the middle of 5 / 3 of them.
    torch.testing.assert_close(distances(table, 2)[..., 0], torch.tensor([[0, -5 / 3], [5 / 3, 0]]))


def test_relative_attention_against_one_pair_of_places_at_a_time():
    torch.manual_seed(0)
    layer = RelativeAttention(6, heads=2, side=3)
    nn.init.normal_(layer.rows)
    nn.init.normal_(layer.columns)
    features = torch.randn(2, 6, 3, 3)
    tokens = features.flatten(2).transpose(1, 2)
    query, key, value = (one(tokens).unflatten(-1, (2, 3)) for one in (layer.query, layer.key, layer.value))
    logits = torch.zeros(2, 2, 9, 9)
    for i in range(9):
        for j in range(9):
            rows, columns = layer.rows[i // 3 - j // 3 + 2], layer.columns[i % 3 - j % 3 + 2]
            for head in range(2):
                asked = query[:, i, head]
                logits[:, head, i, j] = (asked * key[:, j, head]).sum(1) / math.sqrt(3) + asked @ rows + asked @ columns
    mixed = torch.einsum("bgij,bjgd->bigd", logits.softmax(-1), value).flatten(2)
    expected = layer.project(mixed).transpose(1, 2).unflatten(-1, (3, 3))
    torch.testing.assert_close(layer(features), expected)


def test_windows_are_filled_up_and_cut_again():
    features = torch.arange(1.0, 16).reshape(1, 1, 3, 5)
    windows = into_windows(features, 2)
    assert windows.shape == (6, 1, 2, 2)
    assert windows[0, 0].tolist() == [[1, 2], [6, 7]]
    assert windows[2, 0].tolist() == [[5, 0], [10, 0]]
    assert windows[5, 0].tolist() == [[15, 0], [0, 0]]
    assert torch.equal(from_windows(windows, (3, 5)), features)
    batch = torch.randn(2, 4, 7, 9)
    assert torch.equal(from_windows(into_windows(batch, 4), (7, 9)), batch)


def encoder(directions):
    torch.manual_seed(0)
    module = PromptEncoder(channels=2 * len(directions[0]), mask_channels=4)
    module.frequencies = torch.tensor(directions)
    return module


def test_a_click_is_half_a_pixel_inside_and_x_comes_first():
    """In 8 x 4 pixels, (1, 0) is the second one of the first row: x = 1.5 / 8, y = 0.5 / 4."""
    module = encoder([[1.0, 0.0], [0.0, 1.0]])
    x, y = 2 * math.pi * (2 * 1.5 / 8 - 1), 2 * math.pi * (2 * 0.5 / 4 - 1)
    expected = torch.tensor([math.sin(x), math.sin(y), math.cos(x), math.cos(y)])
    token = module((4, 8), torch.tensor([[[[1.0, 0.0]]]]), torch.ones(1, 1, 1), None)[0, 0]
    torch.testing.assert_close(token[0], expected + module.kinds[1][0])
    turned = module((4, 8), torch.tensor([[[[0.0, 1.0]]]]), torch.ones(1, 1, 1), None)[0, 0]
    assert (turned[0] - token[0]).abs().max() > 0.1


def test_a_click_on_a_place_has_its_code():
    """With one pixel per place, the click on a pixel and the map's code of it are the same."""
    module = encoder([[0.3, -0.7], [0.9, 0.2]])
    codes = module.grid((4, 8))
    for x, y in ((0, 0), (7, 3), (5, 1)):
        token = module((4, 8), torch.tensor([[[[float(x), float(y)]]]]), torch.ones(1, 1, 1), None)[0, 0, 0]
        torch.testing.assert_close(token - module.kinds[1][0], codes[0, :, y, x])


def test_the_padding_point_is_added_only_without_a_box():
    module = encoder([[1.0], [0.5]])
    points, labels, boxes = torch.ones(1, 1, 3, 2), torch.ones(1, 1, 3), torch.tensor([[[1.0, 1, 5, 3]]])
    alone, box = module((4, 8), points, labels, None), module((4, 8), None, None, boxes)
    both = module((4, 8), points, labels, boxes)
    assert alone.shape == (1, 1, 4, 2)
    assert torch.equal(alone[0, 0, 3], module.no_point[0])
    assert box.shape == (1, 1, 2, 2)
    assert both.shape == (1, 1, 5, 2)
    assert torch.equal(both[:, :, :3], alone[:, :, :3])
    assert torch.equal(both[:, :, 3:], box)
    assert module((4, 8), None, None, None) is None


def test_a_padded_point_forgets_where_it_is():
    module = encoder([[1.0], [0.5]])
    points = torch.tensor([[[[1.0, 2.0], [6.0, 3.0]]]])
    tokens = module.points((4, 8), points, torch.full((1, 1, 2), PADDING))
    assert torch.equal(tokens[0, 0, 0], module.no_point[0])
    assert torch.equal(tokens[0, 0, 1], module.no_point[0])


def test_a_box_is_its_two_corners():
    module = encoder([[1.0], [0.5]])
    tokens = module((4, 8), None, None, torch.tensor([[[1.0, 0, 6, 3]]]))
    corners = torch.tensor([[[[1.0, 0], [6, 3]]]])
    expected = module.points((4, 8), corners, torch.tensor([[[TOP_LEFT, BOTTOM_RIGHT]]]))
    assert torch.equal(tokens, expected)
    assert not torch.equal(tokens[0, 0, 0] - module.kinds[TOP_LEFT][0], tokens[0, 0, 1] - module.kinds[TOP_LEFT][0])


def test_without_a_mask_a_learned_vector_is_added_everywhere():
    module = encoder([[1.0, 2.0], [0.5, 1.0]])
    assert torch.equal(module.dense(None), module.no_mask[None, :, :, None, None])
    assert module.dense(torch.randn(2, 3, 8, 12)).shape == (2, 3, 4, 2, 3)


def test_the_first_block_replaces_its_tokens():
    torch.manual_seed(0)
    for first in (True, False):
        block = TwoWayBlock(8, heads=2, hidden=8, inner=4, first=first)
        for module in (block.attention, block.ask_map, block.ask_tokens):
            nn.init.zeros_(module.project.weight)
            nn.init.zeros_(module.project.bias)
        nn.init.zeros_(block.mlp[2].weight)
        nn.init.zeros_(block.mlp[2].bias)
        tokens, _ = block(torch.randn(1, 3, 8), torch.randn(1, 5, 8), torch.randn(1, 3, 8), torch.randn(1, 5, 8))
        assert (tokens.abs().max() == 0) == first  # attention gives zeros: they are the tokens, or added to them


def test_losses_by_hand():
    """Logits 0: probability 1/2 everywhere, so that entropy is ln 2, times (1/2)^2."""
    targets, known = torch.tensor([[[1, 1], [0, 0]]]), torch.ones(1, 2, 2)
    focal, dice = mask_terms(torch.zeros(1, 1, 2, 2), targets, known)
    assert focal.item() == pytest.approx(math.log(2) / 4)
    assert dice.item() == pytest.approx(1 - (2 * 1 + 1) / (2 + 2 + 1))
    # Void in the second row: one of two known pixels is the target.
    known = torch.tensor([[[1, 0], [1, 0]]])
    _, dice = mask_terms(torch.zeros(1, 1, 2, 2), targets, known)
    assert dice.item() == pytest.approx(1 - (2 * 0.5 + 1) / (1 + 1 + 1))


def test_only_the_best_mask_learns_and_all_learn_their_iou():
    targets, known = torch.tensor([[[1, 1, 0, 0]]]), torch.ones(1, 1, 4)
    masks = torch.tensor([[[[1.0, 1, -1, -1]], [[-1.0, -1, 1, 1]], [[1.0, 1, 1, 1]]]], requires_grad=True)
    iou = torch.tensor([[1.0, 0.0, 1.0]], requires_grad=True)
    losses = prompt_losses(masks, iou, targets, known)
    assert losses["iou"].item() == pytest.approx(0.5**2 / 3)  # their IoU are 1, 0 and 1/2
    sum(losses.values()).backward()
    assert (masks.grad.abs().sum((0, 2, 3)) > 0).tolist() == [True, False, False]
    assert (iou.grad != 0).tolist() == [[False, False, True]]


def test_a_pixel_is_inside_above_logit_0_not_above_one_half():
    logits = torch.tensor([[[[0.4, -0.1, 3.0, -3.0]]]])
    targets, known = torch.tensor([[[1, 0, 1, 0]]]), torch.ones(1, 1, 4)
    assert mask_iou(logits, targets, known).item() == 1
    assert mask_iou(logits - 0.5, targets, known).item() == 0.5  # what a threshold of one half would make of it


def test_masks_of_0_and_255_are_refused():
    logits = torch.full((1, 1, 20, 20), 2.0)
    target = torch.full((1, 20, 20), 255.0)
    entropy, _ = mask_terms(logits, target, torch.ones(1, 20, 20))
    assert not torch.isfinite(entropy).all() or entropy.abs().max() > 1e5  # nonsense, however it looks
    with pytest.raises(ValueError, match=r"from 255 to 255.*needs masks > 0"):
        prompt_losses(logits, torch.zeros(1, 1), target, torch.ones(1, 20, 20))
    assert check_targets(torch.ones(1, 2, 2, dtype=torch.bool)).dtype == torch.bool


def test_the_finer_map_is_unfolded_and_added_behind_the_first_enlargement():
    """Channel 4 c + 2 dy + dx of the folded map at a place is channel c at row 2 y + dy and column 2 x + dx."""
    torch.manual_seed(0)
    decoder = MaskDecoder(DecoderSizes(channels=8, heads=2, hidden=8, inner=8)).eval()
    coarse, dense, codes = torch.randn(1, 8, 3, 4), torch.zeros(1, 2, 8, 1, 1), torch.randn(1, 8, 3, 4)
    tokens, fine = torch.randn(1, 2, 3, 8), torch.randn(1, 8, 3, 4)
    with torch.no_grad():
        plain, _ = decoder(coarse, codes, tokens, dense)
        nothing, _ = decoder(torch.cat([coarse, torch.zeros_like(fine)], 1), codes, tokens, dense)
        torch.testing.assert_close(nothing, plain)
        seen = []
        decoder.upscale[1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        decoder(coarse, codes, tokens, dense)
        decoder(torch.cat([coarse, fine], 1), codes, tokens, dense)
    added = seen[1] - seen[0]  # 2 prompts x 2 x 6 x 8
    torch.testing.assert_close(added[0], added[1])
    for c, row, column in ((0, 0, 0), (1, 5, 2), (0, 4, 7)):
        expected = fine[0, 4 * c + 2 * (row % 2) + column % 2, row // 2, column // 2]
        torch.testing.assert_close(added[0, c, row, column], expected)


def test_a_pyramids_finer_map_begins_with_nothing_and_changes_nothing_else():
    maps = [torch.randn(2, 5, 8, 12), torch.randn(2, 6, 4, 6)]
    torch.manual_seed(0)
    plain = PyramidNeck((5, 6), 7, 8)
    torch.manual_seed(0)
    finer = PyramidNeck((5, 6), 7, 8, finer=True)
    out = finer(maps)
    torch.testing.assert_close(out[:, :8], plain(maps))
    assert not out[:, 8:].any()
    nn.init.normal_(finer.fine.tell.weight)
    told = nn.functional.pixel_shuffle(finer(maps)[:, 8:], 2)
    torch.testing.assert_close(told, finer.fine(maps[0], out[:, :8]))


def test_a_finer_map_looks_at_neighbors_and_at_the_embedding():
    torch.manual_seed(0)
    fine, finest, embedding = FineMap(5, 8, 2), torch.randn(1, 5, 8, 12), torch.randn(1, 8, 4, 6)
    assert not fine(finest, embedding).any()  # it begins with nothing
    nn.init.normal_(fine.tell.weight)
    before = fine(finest, embedding)
    assert before.shape == (1, 2, 8, 12)
    for map_, place, changed in ((finest, (3, 5), (2, 4, 4, 6)), (embedding, (2, 2), (2, 7, 2, 7))):
        map_[0, :, place[0], place[1]] += 1
        rows, columns = (fine(finest, embedding) - before).abs().sum((0, 1)).nonzero().unbind(1)
        # A pixel and its eight neighbors; a place is 2 x 2 pixels, spread over 4 x 4, and their neighbors.
        assert (rows.min(), rows.max(), columns.min(), columns.max()) == changed
        map_[0, :, place[0], place[1]] -= 1
