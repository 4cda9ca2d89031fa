"""ViT and DINOv2: counts, the transformers library's and torchvision's networks, the authors' names, registers."""

import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.vision_transformer import VisionTransformer as TorchvisionViT

from segtutor import models
from segtutor.models import vit
from segtutor.models.differences import as_markdown
from segtutor.models.vit import LinearSegmenter, Sizes, VisionTransformer
from tests.models.networks import on_meta, train_on, two_pictures

transformers = pytest.importorskip("transformers")

COUNTS = {  # of the encoders, without a class head
    "vit_small_16": 21_665_664,
    "vit_base_16": 85_798_656,
    "vit_large_16": 303_301_632,
    "dinov2_vits14": 22_056_576,
    "dinov2_vitb14": 86_580_480,
    "dinov2_vitl14": 304_368_640,
}


@pytest.mark.parametrize("name", COUNTS)
def test_parameter_counts(name):
    assert sum(parameter.numel() for parameter in on_meta(name).backbone.parameters()) == COUNTS[name]


def test_registers_are_four_tokens_more():
    encoder = on_meta("dinov2_vits14", registers=4).backbone
    assert sum(parameter.numel() for parameter in encoder.parameters()) == 22_058_112 == 22_056_576 + 4 * 384


def shaken(network):
    """Weights that matter: fresh ones are so small, and layer scales so near 0, that all features look alike."""
    for parameter in network.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.1)
    return network.eval()


SMALL = Sizes(48, 3, 4, 14, 5, layer_scale=1e-5, mask_token=True)


def hubs_dinov2(registers):
    torch.manual_seed(0)
    options = {"hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4, "image_size": 70, "patch_size": 14}
    if registers:
        config = transformers.Dinov2WithRegistersConfig(**options, num_register_tokens=registers)
        return shaken(transformers.Dinov2WithRegistersModel(config))
    return shaken(transformers.Dinov2Model(transformers.Dinov2Config(**options)))


def in_hub_names(state):
    """The names under which the hub stores the arrays: those of version 4 of the library."""
    names = {r"\.attention\.([qkv])_proj": ".attention.attention.", r"\.attention\.o_proj": ".attention.output.dense"}
    letters = {"q": "query", "k": "key", "v": "value"}
    renamed = {}
    for key, value in state.items():
        found = re.search(r"\.attention\.([qkv])_proj", key)
        for pattern, name in names.items():
            key = re.sub(pattern, name + (letters[found.group(1)] if found and name.endswith(".") else ""), key)
        renamed[key] = value
    return renamed


def in_authors_names(state):
    """The names of the authors' code, with query, key and value fused."""
    arrays, renamed = dict(state), {}
    for key in [key for key in arrays if ".attention.q_proj." in key]:
        parts = [arrays.pop(key.replace("q_proj", f"{letter}_proj")) for letter in "qkv"]
        name = re.sub(r"encoder\.layer\.(\d+)\.attention\.q_proj", r"blocks.\1.attn.qkv", key)
        renamed[name] = torch.cat(parts)
    for key, value in arrays.items():
        key = re.sub(r"encoder\.layer\.(\d+)", r"blocks.\1", key)
        for theirs, authors in [
            ("embeddings.patch_embeddings.projection", "patch_embed.proj"), ("embeddings.cls_token", "cls_token"),
            ("embeddings.position_embeddings", "pos_embed"), ("embeddings.", ""), ("attention.o_proj", "attn.proj"),
            ("layer_scale1.lambda1", "ls1.gamma"), ("layer_scale2.lambda1", "ls2.gamma"), ("layernorm", "norm"),
        ]:  # fmt: skip
            key = key.replace(theirs, authors)
        renamed[key] = value
    return renamed


def into_ours(sizes, state, layout, layers=None):
    network = LinearSegmenter(sizes, 3, layers, frozen=True).eval()
    network.config = models.ModelConfig("dinov2_vits14", 3, {})
    report = models.load_weights(network, state, layout)
    assert all(key.startswith("classifier.") for key in report.untouched)
    return network.backbone


@pytest.mark.parametrize("names", [dict, in_hub_names, in_authors_names])
@pytest.mark.parametrize("registers", [0, 4])
def test_dinov2_gives_the_peers_features(registers, names):
    theirs = hubs_dinov2(registers)
    layout = "dinov2" if names is in_authors_names else "hub_dinov2"
    sizes = Sizes(48, 3, 4, 14, 5, 1e-5, registers, True)
    ours = into_ours(sizes, names(theirs.state_dict()), layout)
    for batch, size in [(2, (70, 70)), (1, (42, 98))]:
        images = torch.randn(batch, 3, *size)
        with torch.inference_mode():
            expected = theirs(pixel_values=images).last_hidden_state
            got = ours(images)
        assert expected.std() > 0.1
        height, width = size[0] // 14, size[1] // 14
        torch.testing.assert_close(got["class"], expected[:, 0], atol=1e-5, rtol=1e-5)
        patches = expected[:, 1 + registers :].transpose(1, 2).unflatten(2, (height, width))
        torch.testing.assert_close(got["out"], patches, atol=1e-5, rtol=1e-5)


def test_the_authors_fused_names_are_the_ones_told():
    state = in_authors_names(hubs_dinov2(4).state_dict())
    shapes = {
        "cls_token": (1, 1, 48),
        "pos_embed": (1, 26, 48),
        "mask_token": (1, 48),
        "register_tokens": (1, 4, 48),
        "patch_embed.proj.weight": (48, 3, 14, 14),
        "blocks.2.attn.qkv.weight": (144, 48),
        "blocks.0.ls2.gamma": (48,),
        "blocks.1.mlp.fc1.bias": (192,),
        "norm.weight": (48,),
    }
    assert {key: tuple(state[key].shape) for key in shapes} == shapes


def test_several_layers_side_by_side_each_after_the_final_norm():
    theirs = hubs_dinov2(0)
    ours = into_ours(SMALL, theirs.state_dict(), "hub_dinov2", layers=(1, 3))
    images = torch.randn(1, 3, 70, 70)
    with torch.inference_mode():
        states = theirs(pixel_values=images, output_hidden_states=True).hidden_states
        expected = [theirs.layernorm(states[layer])[:, 1:].transpose(1, 2).unflatten(2, (5, 5)) for layer in (1, 3)]
        torch.testing.assert_close(ours(images)["out"], torch.cat(expected, dim=1), atol=1e-5, rtol=1e-5)


def test_a_vit_gives_torchvisions_and_the_hubs_features():
    torch.manual_seed(0)
    sizes = Sizes(48, 2, 4, 16, 4)
    theirs = shaken(TorchvisionViT(64, 16, num_layers=2, num_heads=4, hidden_dim=48, mlp_dim=192))
    images = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        tokens = torch.cat([theirs.class_token.expand(2, -1, -1), theirs._process_input(images)], dim=1)
        expected = theirs.encoder(tokens)
        got = into_ours(sizes, theirs.state_dict(), "torchvision_vit")(images)
    torch.testing.assert_close(got["class"], expected[:, 0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(got["out"].flatten(2).transpose(1, 2), expected[:, 1:], atol=1e-5, rtol=1e-5)

    config = transformers.ViTConfig(
        hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=192, image_size=64,
        layer_norm_eps=1e-6,
    )  # fmt: skip
    hub = shaken(transformers.ViTModel(config))
    ours = into_ours(sizes, hub.state_dict(), "hub_vit")
    images = torch.randn(1, 3, 48, 96)
    with torch.inference_mode():
        expected = hub(pixel_values=images, interpolate_pos_encoding=True).last_hidden_state
        torch.testing.assert_close(
            ours(images)["out"].flatten(2).transpose(1, 2), expected[:, 1:], atol=1e-5, rtol=1e-5
        )


def test_attention_maps_are_those_that_the_blocks_use():
    torch.manual_seed(0)
    encoder = shaken(VisionTransformer(SMALL))
    images = torch.randn(1, 3, 28, 42)
    with torch.inference_mode():
        weights = encoder.attention_maps(images, layer=2)
        tokens, _ = encoder.embed(images)
        tokens = encoder.blocks[0](tokens)
        block = encoder.blocks[1]
        normed = block.norm1(tokens)
        mixed = (weights @ block.attention._split(block.attention.value(normed))).transpose(1, 2).flatten(2)
        torch.testing.assert_close(block.attention.project(mixed), block.attention(normed), atol=1e-5, rtol=1e-5)
    assert weights.shape == (1, 4, 7, 7)
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 4, 7))


def test_logits_at_the_pictures_size_whatever_it_is():
    network = models.create("vit_tiny", num_classes=4).eval()
    with torch.inference_mode():
        assert network(torch.randn(2, 3, 61, 77))["out"].shape == (2, 4, 61, 77)
        picture = torch.randn(1, 3, 61, 77)
        padded = F.pad(picture, (0, 3, 0, 3))
        torch.testing.assert_close(network(picture)["out"], network(padded)["out"][..., :61, :77])
    with pytest.raises(ValueError, match="at least 8 x 8 pixels, but 7 x 20 came"):
        network(torch.zeros(1, 3, 7, 20))
    with pytest.raises(ValueError, match=r"images must be B x 3 x H x W, but 3 dimensions"):
        network(torch.zeros(3, 20, 20))


def test_a_frozen_encoder_trains_its_linear_layer_alone():
    network = on_meta("dinov2_vits14", num_classes=4)
    assert {name for name, one in network.named_parameters() if one.requires_grad} == {
        "classifier.0.weight", "classifier.0.bias", "classifier.1.weight", "classifier.1.bias",
    }  # fmt: skip
    assert all(one.requires_grad for one in on_meta("vit_small_16").parameters())


def test_training_reaches_every_parameter_and_learns_a_picture():
    torch.manual_seed(0)
    network = models.create("vit_tiny", num_classes=3)
    images, labels = two_pictures()
    train_on(network, images, labels, 40, 1e-3)
    with torch.inference_mode():
        found = network.eval()(images)["out"].argmax(1)
    assert (found == labels).float().mean() > 0.95


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match=r"layers must be numbers of blocks from 1 to 6, but \(0, 6\) came"):
        models.create("vit_tiny", layers=(0, 6))
    with pytest.raises(ValueError, match="registers must be 0 or 4, as in the published weights, but 3 came"):
        models.create("dinov2_vits14", registers=3)


def test_differences_hold():
    ours = {row.detail: row.ours for row in vit.DIFFERENCES}
    network = on_meta("dinov2_vits14")
    assert network.backbone.norm.eps == float(ours["epsilon of the norms"])
    assert isinstance(network.classifier[0], nn.BatchNorm2d)
    assert as_markdown(vit.DIFFERENCES).startswith("| detail | paper |")
