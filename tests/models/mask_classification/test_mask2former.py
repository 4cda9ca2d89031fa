"""Mask2Former: the published counts, the transformers library's network, both sources' names, the parts by hand."""

import math

import pytest
import torch
from torch.nn import functional as F

from segtutor import models
from segtutor.inference import predict
from segtutor.models.attention import as_map, attend
from segtutor.models.differences import as_markdown
from segtutor.models.mask_classification import variants
from segtutor.models.mask_classification.deformable import DeformableAttention, centers
from segtutor.models.mask_classification.positions import sine_positions
from segtutor.models.mask_classification.query_decoder import where_to_look
from tests.models.mask_classification.peers import hubs_mask2former, in_authors_names
from tests.models.networks import on_meta

transformers = pytest.importorskip("transformers")


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(("classes", "wanted"), [(150, 44_041_367), (133, 44_036_998), (80, 44_023_377)])
def test_parameter_counts(classes, wanted):
    assert count(on_meta("mask2former_resnet50", num_classes=classes)) == wanted


def test_parameter_counts_of_the_parts():
    network = on_meta("mask2former_resnet50", num_classes=133)
    assert count(network.backbone) + count(network.pixel_decoder) == 29_543_936
    assert count(network.decoder.classes) == 257 * 134 == 34_438
    assert count(network.decoder) - 34_438 == 14_458_624


@pytest.mark.parametrize("names", [dict, in_authors_names])
def test_every_sources_names_give_the_peers_output(names):
    theirs = hubs_mask2former(transformers)
    ours = models.create("mask2former_resnet50", num_classes=5).eval()
    report = models.load_weights(ours, names(theirs.state_dict()))
    assert report.layout == ("hub_mask2former" if names is dict else "mask2former")
    assert not report.untouched
    assert set(report.dropped) == {"criterion.empty_weight"}
    for batch, size in [(2, (64, 96)), (1, (75, 133))]:
        images = torch.randn(batch, 3, *size)
        with torch.inference_mode():
            expected = theirs(pixel_values=images)
            got = ours(images)
        assert expected.masks_queries_logits.std() > 0.1
        torch.testing.assert_close(got["classes"], expected.class_queries_logits, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(got["masks"], expected.masks_queries_logits, atol=1e-4, rtol=1e-4)


def test_the_authors_names_are_the_ones_told():
    state = in_authors_names(hubs_mask2former(transformers).state_dict())
    shapes = {
        "backbone.stem.conv1.weight": (64, 3, 7, 7),
        "backbone.res2.0.shortcut.norm.running_var": (256,),
        "backbone.res5.2.conv3.weight": (2048, 512, 1, 1),
        "sem_seg_head.pixel_decoder.input_proj.0.0.weight": (256, 2048, 1, 1),
        "sem_seg_head.pixel_decoder.transformer.level_embed": (3, 256),
        "sem_seg_head.pixel_decoder.transformer.encoder.layers.5.self_attn.sampling_offsets.bias": (192,),
        "sem_seg_head.pixel_decoder.transformer.encoder.layers.0.linear1.weight": (1024, 256),
        "sem_seg_head.pixel_decoder.adapter_1.norm.weight": (256,),
        "sem_seg_head.pixel_decoder.layer_1.weight": (256, 256, 3, 3),
        "sem_seg_head.pixel_decoder.mask_features.bias": (256,),
        "sem_seg_head.predictor.query_feat.weight": (100, 256),
        "sem_seg_head.predictor.query_embed.weight": (100, 256),
        "sem_seg_head.predictor.transformer_cross_attention_layers.8.multihead_attn.in_proj_weight": (768, 256),
        "sem_seg_head.predictor.transformer_self_attention_layers.0.self_attn.in_proj_bias": (768,),
        "sem_seg_head.predictor.transformer_ffn_layers.4.linear2.weight": (256, 2048),
        "sem_seg_head.predictor.transformer_ffn_layers.4.norm.weight": (256,),
        "sem_seg_head.predictor.decoder_norm.weight": (256,),
        "sem_seg_head.predictor.class_embed.weight": (6, 256),
        "sem_seg_head.predictor.mask_embed.layers.2.weight": (256, 256),
    }
    assert {key: tuple(state[key].shape) for key in shapes} == shapes
    older = {key.replace("query_feat", "static_query"): value for key, value in state.items()}
    assert models.load_weights(models.create("mask2former_resnet50", num_classes=5), older).layout == "mask2former"


# --------------------------------------------------------------------------------------------------- the parts by hand


def test_positions_by_hand():
    """A map of one row and two columns, four channels: sine and cosine of the row, sine and cosine of the column."""
    code = sine_positions((1, 2), 4, torch.zeros(1))
    assert code.shape == (1, 2, 4)
    half, whole = math.pi, 2 * math.pi  # columns 1 of 2 and 2 of 2
    expected = [[math.sin(whole), 1, math.sin(half), math.cos(half)], [math.sin(whole), 1, math.sin(whole), 1]]
    torch.testing.assert_close(code[0], torch.tensor(expected), atol=1e-4, rtol=0)


def test_centers_of_two_maps():
    assert centers([(1, 2), (2, 1)], torch.zeros(1)).tolist() == [[0.25, 0.5], [0.75, 0.5], [0.5, 0.25], [0.5, 0.75]]


def test_deformable_attention_looks_where_its_offset_says():
    """One head, one place, an offset of two pixels to the right: every token takes the value two columns on."""
    layer = DeformableAttention(4, heads=1, levels=1, places=1)
    with torch.no_grad():
        layer.offsets.weight.zero_()
        layer.offsets.bias.copy_(torch.tensor([2.0, 0.0]))
        for linear in (layer.value, layer.project):
            linear.weight.copy_(torch.eye(4))
            linear.bias.zero_()
        tokens = torch.randn(1, 15, 4)
        found = as_map(layer(tokens, torch.zeros(1, 15, 4), [(3, 5)]), (3, 5))
    features = as_map(tokens, (3, 5))
    torch.testing.assert_close(found[..., :3], features[..., 2:], atol=1e-5, rtol=1e-5)
    assert found[..., 3:].abs().max() == 0  # beyond the border there is nothing


def test_a_query_looks_inside_its_mask_or_everywhere_if_that_is_empty():
    masks = torch.full((1, 2, 2, 2), -1.0)
    masks[0, 0, 0, 1] = 3.0
    assert where_to_look(masks, (2, 2)).tolist() == [[[False, True, False, False], [True] * 4]]


def test_without_the_rule_for_empty_masks_attention_is_not_a_number():
    query, key = torch.randn(1, 2, 8), torch.randn(1, 6, 8)
    empty = torch.full((1, 2, 2, 3), -1.0)
    nowhere = torch.zeros(1, 2, 6, dtype=torch.bool)
    assert attend(query, key, key, nowhere)[0].isnan().all()
    torch.testing.assert_close(attend(query, key, key, where_to_look(empty, (2, 3))), attend(query, key, key))


def test_masked_attention_costs_no_parameter():
    masked, open_ = (on_meta("mask2former_tiny", num_classes=5, masked=one) for one in (True, False))
    assert count(masked) == count(open_)


def test_training_output_has_every_layer_and_the_start():
    network = models.create("mask2former_tiny", num_classes=3)
    output = network(torch.randn(2, 3, 64, 80))
    assert len(output["layers"]) == 4  # before the first layer, and after each of four but the last
    assert output["classes"].shape == (2, 20, 4)
    assert output["masks"].shape == (2, 20, 16, 20)
    assert "out" not in output
    assert len(on_meta("mask2former_resnet50").decoder.layers) + 1 == 10  # terms of the loss


def test_predict_and_evaluate_take_it_as_any_semantic_network():
    torch.manual_seed(0)
    network = models.create("mask2former_tiny", num_classes=3).eval()
    picture = torch.rand(3, 61, 77)
    labels = predict(network, picture)
    assert labels.shape == (61, 77)
    with torch.inference_mode():
        output = network(network.preprocessing.normalize(picture)[None])
        large = F.interpolate(output["masks"], (61, 77), mode="bilinear")
        chances = torch.einsum("bqk,bqhw->bkhw", output["classes"].softmax(-1)[..., :3], large.sigmoid())
    assert torch.equal(labels, chances.argmax(1)[0])
    torch.testing.assert_close(output["out"].exp(), chances)


def test_the_smallest_picture_is_said():
    with pytest.raises(ValueError, match="at least 16 x 16 pixels, but 15 x 64 came"):
        models.create("mask2former_tiny").eval()(torch.zeros(1, 3, 15, 64))


def test_differences_hold():
    ours = {row.detail: row.ours for row in variants.DIFFERENCES}
    assert ours["loss terms"] == "9 layers and before the first"
    assert ours["void in the losses"] == "left out"  # test_mask_losses: what stands under void changes nothing
    assert as_markdown(variants.DIFFERENCES).startswith("| detail | paper |")
