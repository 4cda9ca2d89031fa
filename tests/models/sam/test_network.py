"""SAM: the published counts, the transformers library's network, both sources' names, and what users trip over."""

from dataclasses import replace

import pytest
import torch

from segtutor import models
from segtutor.models import sam
from segtutor.models.differences import as_markdown
from segtutor.models.layout_rules import rename
from segtutor.models.layouts import LAYOUTS
from segtutor.models.sam.mask_decoder import DecoderSizes
from segtutor.models.sam.network import at_input_size
from segtutor.models.sam.variants import VIT_B, VIT_H, VIT_L
from tests.models.networks import on_meta
from tests.models.sam.peers import hubs_sam, in_authors_names, small

transformers = pytest.importorskip("transformers")

COUNTS = {"sam_vit_b": 93_735_472, "sam_vit_l": 312_342_832, "sam_vit_h": 641_090_608}


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", COUNTS)
def test_parameter_counts(name):
    assert count(on_meta(name)) == COUNTS[name]


def test_parameter_counts_of_the_parts():
    network = on_meta("sam_vit_b")
    assert count(network.backbone) + count(network.neck) == 89_670_912
    assert count(network.prompt_encoder) == 6_220  # without the 256 random directions, which are not learned
    assert network.prompt_encoder.frequencies.numel() == 256
    assert count(network.mask_decoder) == 4_058_340


def test_shapes_alone_can_be_asked_for():
    network = on_meta("sam_vit_b").eval()
    with torch.device("meta"), torch.inference_mode():
        answer = network.answer(network.embed(torch.zeros(1, 3, 1024, 1024)), torch.zeros(1, 2, 1, 2))
    assert answer["masks"].shape == (1, 2, 3, 256, 256)


@pytest.mark.parametrize(("name", "sizes"), [("sam_vit_b", VIT_B), ("sam_vit_l", VIT_L), ("sam_vit_h", VIT_H)])
@pytest.mark.parametrize("layout", ["hub_sam", "sam"])
def test_every_key_of_the_published_files_has_a_place_of_its_shape(name, sizes, layout):
    """Both ways: nothing of theirs is left over, nothing of ours is missing."""
    with torch.device("meta"):
        theirs = hubs_sam(transformers, sizes, DecoderSizes()).state_dict()
    if layout == "sam":
        theirs = in_authors_names(theirs)
    renamed, dropped = rename(theirs, LAYOUTS[layout], layout)
    own = on_meta(name).state_dict()
    assert {key: value.shape for key, value in renamed.items()} == {key: value.shape for key, value in own.items()}
    assert dropped == (["prompt_encoder.shared_embedding.positional_embedding"] if layout == "hub_sam" else [])


def test_authors_names_are_the_ones_told():
    """A few of them as the authors' files have them, so that the tool cannot be wrong together with the table."""
    names = set(in_authors_names(hubs_sam(transformers).state_dict()))
    assert {
        "image_encoder.pos_embed",
        "image_encoder.patch_embed.proj.weight",
        "image_encoder.blocks.0.attn.rel_pos_h",
        "image_encoder.blocks.2.attn.qkv.bias",
        "image_encoder.blocks.1.mlp.lin2.weight",
        "image_encoder.neck.3.bias",
        "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
        "prompt_encoder.point_embeddings.3.weight",
        "prompt_encoder.not_a_point_embed.weight",
        "prompt_encoder.mask_downscaling.6.weight",
        "prompt_encoder.no_mask_embed.weight",
        "mask_decoder.transformer.layers.1.cross_attn_image_to_token.out_proj.bias",
        "mask_decoder.transformer.layers.0.norm4.weight",
        "mask_decoder.transformer.norm_final_attn.weight",
        "mask_decoder.iou_token.weight",
        "mask_decoder.mask_tokens.weight",
        "mask_decoder.output_upscaling.3.weight",
        "mask_decoder.output_hypernetworks_mlps.3.layers.2.weight",
        "mask_decoder.iou_prediction_head.layers.1.weight",
    } <= names


PROMPTS = ("points", "boxes", "both", "mask", "nothing")


def prompt(kind, batch, side=160):
    """A prompt as ours and as the peer take it."""
    generator = torch.Generator().manual_seed(3)
    points = torch.rand(batch, 3, 2, 2, generator=generator) * side
    labels = torch.randint(0, 2, (batch, 3, 2), generator=generator)
    labels[0, 0, 1] = -1  # a prompt with fewer points
    boxes = torch.rand(batch, 3, 4, generator=generator) * side
    masks = torch.randn(batch, 1, side // 4, side // 4, generator=generator)
    ours = {
        "points": {"points": points, "labels": labels}, "boxes": {"boxes": boxes},
        "both": {"points": points, "labels": labels, "boxes": boxes},
        "mask": {"points": points[:, :1], "labels": labels[:, :1], "masks": masks}, "nothing": {},
    }  # fmt: skip
    return ours[kind], {f"input_{name}": value for name, value in ours[kind].items()}


@pytest.mark.parametrize("kind", PROMPTS)
@pytest.mark.parametrize("batch", [1, 2])
def test_agrees_with_the_transformers_library(kind, batch):
    theirs, ours = hubs_sam(transformers), small()
    models.load_weights(ours, theirs.state_dict())
    images = torch.randn(batch, 3, 160, 160)
    mine, peers = prompt(kind, batch)
    for several in (True, False):
        with torch.inference_mode():
            expected = theirs(pixel_values=images, multimask_output=several, **peers)
            got = ours(images, several=several, **mine)
        assert expected.pred_masks.std() > 0.1
        assert expected.iou_scores.abs().max() > 0.05
        torch.testing.assert_close(got["masks"], expected.pred_masks, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(got["iou"], expected.iou_scores, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("names", [dict, in_authors_names])
def test_every_sources_names_give_the_peers_output(names):
    theirs, ours = hubs_sam(transformers), small()
    report = models.load_weights(ours, names(theirs.state_dict()))
    assert report.layout == ("hub_sam" if names is dict else "sam")
    assert not report.untouched
    images = torch.randn(1, 3, 160, 160)
    mine, peers = prompt("both", 1)
    with torch.inference_mode():
        expected = theirs(pixel_values=images, **peers)
        torch.testing.assert_close(ours(images, **mine)["masks"], expected.pred_masks, atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_all_of_vit_b_agrees_with_the_transformers_library():
    """All layers of B, its tables for pictures of 256 pixels: 16 x 16 patches, so that windows of 14 are filled up."""
    sizes = replace(VIT_B, grid=16)
    theirs = hubs_sam(transformers, sizes, DecoderSizes())
    ours = models.create("sam_vit_b").eval()
    ours.backbone = sam.image_encoder.ImageTransformer(sizes).eval()
    models.load_weights(ours, theirs.state_dict())
    images = torch.randn(1, 3, 256, 256)
    mine, peers = prompt("points", 1, side=256)
    with torch.inference_mode():
        expected, got = theirs(pixel_values=images, **peers), ours(images, **mine)
    assert expected.pred_masks.std() > 0.1
    torch.testing.assert_close(got["masks"], expected.pred_masks, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(got["iou"], expected.iou_scores, atol=1e-4, rtol=1e-4)


def test_the_first_mask_is_the_single_answer_and_the_others_the_three():
    """Masks and predicted IoU are cut alike."""
    torch.manual_seed(0)
    network = small()
    embedding = network.embed(torch.randn(1, 3, 160, 160))
    tokens = network.prompt_encoder((160, 160), torch.full((1, 1, 1, 2), 30.0), torch.ones(1, 1, 1), None)
    codes, dense = network.prompt_encoder.grid((10, 10)), network.prompt_encoder.dense(None)
    masks, iou = network.mask_decoder(embedding, codes, tokens, dense)
    points = torch.full((1, 1, 1, 2), 30.0)
    one, three = network.answer(embedding, points, several=False), network.answer(embedding, points)
    assert torch.equal(one["masks"], masks[:, :, :1])
    assert torch.equal(one["iou"], iou[:, :, :1])
    assert torch.equal(three["masks"], masks[:, :, 1:])
    assert torch.equal(three["iou"], iou[:, :, 1:])
    assert (masks[0, 0, 0] - masks[0, 0, 1:]).abs().amax((1, 2)).min() > 1e-3


def test_prompts_of_a_picture_do_not_see_each_other():
    torch.manual_seed(0)
    network = small()
    images, points = torch.randn(1, 3, 160, 160), torch.tensor([[[[20.0, 30]], [[100.0, 50]]]])
    with torch.inference_mode():
        both = network(images, points)["masks"]
        for number in range(2):
            alone = network(images, points[:, number : number + 1])["masks"]
            torch.testing.assert_close(both[:, number], alone[:, 0], atol=1e-5, rtol=1e-4)


def test_other_sizes_than_it_was_trained_on():
    network = small()
    with torch.inference_mode():
        output = network(torch.randn(1, 3, 96, 128), torch.tensor([[[[20.0, 30]]]]))
    assert output["masks"].shape == (1, 1, 3, 24, 32)
    assert at_input_size(output["masks"], network.stride).shape == (1, 1, 3, 96, 128)


def test_tiny_gives_masks_of_half_the_pictures_size_and_learns_behind_its_backbone_only():
    network = models.create("sam_tiny")
    assert network.training
    assert not any(module.training for module in network.backbone.modules())
    assert not any(parameter.requires_grad for parameter in network.backbone.parameters())
    torch.nn.init.normal_(network.neck.fine.tell.weight)  # it begins with nothing, through which nothing learns
    output = network(torch.rand(2, 3, 48, 64), torch.tensor([[[[20.0, 30]]]] * 2))
    assert output["masks"].shape == (2, 1, 3, 24, 32)
    output["masks"].square().mean().backward()
    learns = {name for name, one in network.named_parameters() if one.grad is not None and one.grad.abs().sum() > 0}
    assert {name for name, _ in network.neck.named_parameters()} == {
        name.removeprefix("neck.") for name in learns if name.startswith("neck.")
    }
    # A click learns nothing about other prompts, about the single answer or about predicted IoU.
    assert {name for name in learns if name.startswith("prompt_encoder.")} == {
        "prompt_encoder.kinds.1", "prompt_encoder.no_point", "prompt_encoder.no_mask"
    }  # fmt: skip
    assert not any(name.startswith(("mask_decoder.iou.", "mask_decoder.vectors.0.")) for name in learns)
    assert all(f"mask_decoder.vectors.{number}.4.weight" in learns for number in (1, 2, 3))


def test_a_fresh_tiny_ones_click_looks_at_its_own_place():
    torch.manual_seed(0)
    network = models.create("sam_tiny")
    codes = network.prompt_encoder.grid((6, 8))[0].flatten(1).T
    transformer = network.mask_decoder.transformer
    blocks = transformer.blocks
    for layer in (*(one.ask_map for one in blocks), *(one.ask_tokens for one in blocks), transformer.ask_map):
        assert ((layer.query(codes) @ layer.key(codes).T).argmax(1) == torch.arange(48)).all()
        assert layer.query.weight is not layer.key.weight  # they part when they learn
    assert not torch.equal(blocks[0].attention.query.weight, blocks[0].attention.key.weight)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": torch.zeros(1, 2)}, r"points must be 1 images x prompts x points x 2, \(x, y\), but \(1, 2\) came"),
        (
            {"points": torch.zeros(1, 1, 1, 2), "labels": torch.ones(1, 1)},
            r"one for each point, \(1, 1, 1\), but \(1, 1\)",
        ),
        ({"labels": torch.ones(1, 1, 1)}, r"one for each point, None, but \(1, 1, 1\) came"),
        ({"points": torch.zeros(1, 1, 1, 2), "labels": torch.full((1, 1, 1), 2)}, r"but \[2\] came; give the corners"),
        ({"boxes": torch.zeros(1, 4)}, r"boxes must be 1 images x prompts x 4, but \(1, 4\) came"),
        (
            {"masks": torch.zeros(1, 1, 160, 160)},
            r"x 40 x 40, logits as the network gives them, but \(1, 1, 160, 160\)",
        ),
        (
            {"points": torch.zeros(1, 2, 1, 2), "boxes": torch.zeros(1, 1, 4)},
            r"as many prompts, but there are \[1, 2\]",
        ),
    ],
)
def test_wrong_prompts_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        small()(torch.zeros(1, 3, 160, 160), **change)


def test_wrong_pictures_and_classes_are_named():
    with pytest.raises(ValueError, match="multiples of 16 pixels high and wide, but 150 x 160 came: pad them"):
        small()(torch.zeros(1, 3, 150, 160))
    with pytest.raises(ValueError, match="knows no classes, but num_classes=21 came"):
        models.create("sam_vit_b", num_classes=21)


def test_differences_hold():
    ours = {row.detail: row.ours for row in sam.DIFFERENCES}
    network = on_meta("sam_vit_b")
    block = network.mask_decoder.transformer.blocks[0]
    assert ours["epsilon of the two-way blocks' norms"] == f"{block.norm1.eps:.0e}".replace("e-05", "e-5")
    assert ours["random directions of the code of places"].startswith("a buffer")
    assert "frequencies" in dict(network.prompt_encoder.named_buffers())
    assert block.first
    assert not network.mask_decoder.transformer.blocks[1].first
    assert "1024" in ours["pictures of another size"]
    assert network.side == 1024
    assert as_markdown(sam.DIFFERENCES).count("\n") == 1 + len(sam.DIFFERENCES)
