"""SegFormer: counts of the paper, the transformers library's network, each source's names, and what makes it one."""

import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segtutor import models
from segtutor.models import segformer
from segtutor.models.differences import as_markdown
from segtutor.models.mix_transformer import EfficientAttention, MixTransformer
from tests.models.networks import on_meta, randomize_norms, train_on, two_pictures

transformers = pytest.importorskip("transformers")

# Parameters of the whole network for 150 classes, and of its encoder.
COUNTS = {
    "segformer_b0": (3_752_694, 3_319_392),
    "segformer_b1": (13_715_798, 13_151_424),
    "segformer_b2": (27_461_974, 24_196_288),
    "segformer_b3": (47_337_814, 44_072_128),
    "segformer_b4": (64_108_374, 60_842_688),
    "segformer_b5": (84_708_694, 81_443_008),
}


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", COUNTS)
def test_parameter_counts(name):
    network = on_meta(name, num_classes=150)
    assert (count(network), count(network.backbone)) == COUNTS[name]


def test_19_classes_and_the_hub_agree_on_the_small_one():
    assert count(on_meta("segformer_b0", num_classes=19)) == 3_719_027


def peer(num_classes=5):
    """The transformers library's B0, with norms that do something."""
    torch.manual_seed(0)
    config = transformers.SegformerConfig(num_labels=num_classes)
    network = transformers.SegformerForSemanticSegmentation(config).eval()
    randomize_norms(network)
    for module in network.modules():
        if isinstance(module, nn.LayerNorm):
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            module.weight.data.mul_(3)  # fresh ones are so small that the logits hardly depend on the picture
            if module.bias is not None:
                module.bias.data.normal_(0, 0.1)
    return network


def in_hub_names(state):
    """The names under which the hub stores the arrays: those of version 4 of the library."""
    names = {
        r"stages\.(\d)\.patch_embeddings\.(proj|layer_norm)": r"encoder.patch_embeddings.\1.\2",
        r"stages\.(\d)\.blocks\.(\d+)\.layernorm_before": r"encoder.block.\1.\2.layer_norm_1",
        r"stages\.(\d)\.blocks\.(\d+)\.layernorm_after": r"encoder.block.\1.\2.layer_norm_2",
        r"stages\.(\d)\.blocks\.(\d+)\.attention\.q_proj": r"encoder.block.\1.\2.attention.self.query",
        r"stages\.(\d)\.blocks\.(\d+)\.attention\.k_proj": r"encoder.block.\1.\2.attention.self.key",
        r"stages\.(\d)\.blocks\.(\d+)\.attention\.v_proj": r"encoder.block.\1.\2.attention.self.value",
        r"stages\.(\d)\.blocks\.(\d+)\.attention\.o_proj": r"encoder.block.\1.\2.attention.output.dense",
        r"stages\.(\d)\.blocks\.(\d+)\.attention\.sequence_reduction\.sequence_reduction": (
            r"encoder.block.\1.\2.attention.self.sr"
        ),
        r"stages\.(\d)\.blocks\.(\d+)\.attention\.sequence_reduction\.layer_norm": (
            r"encoder.block.\1.\2.attention.self.layer_norm"
        ),
        r"stages\.(\d)\.blocks\.(\d+)\.mlp\.fc(\d)": r"encoder.block.\1.\2.mlp.dense\3",
        r"stages\.(\d)\.blocks\.(\d+)\.mlp\.dwconv": r"encoder.block.\1.\2.mlp.dwconv",
        r"stages\.(\d)\.layer_norm": r"encoder.layer_norm.\1",
        r"linear_projections": "linear_c",
    }
    return {renamed(key, names): value for key, value in state.items()}


def renamed(key, names):
    for pattern, name in names.items():
        key, changes = re.subn(pattern, name, key)
        if changes:
            break
    return key


def in_authors_names(state):
    """The names of the authors' code, where keys and values are fused and stages count from 1."""
    ours, arrays = {}, dict(in_hub_names(state))
    for key in [key for key in arrays if ".self.key." in key]:
        both = torch.cat([arrays.pop(key), arrays.pop(key.replace(".key.", ".value."))])
        arrays[key.replace(".self.key.", ".self.kv.")] = both
    for key, value in arrays.items():
        key = re.sub(
            r"segformer\.encoder\.(patch_embeddings|block|layer_norm)\.(\d)",
            lambda match: f"backbone.{match.group(1)}{int(match.group(2)) + 1}",
            key,
        )
        names = [
            ("patch_embeddings", "patch_embed"), ("layer_norm_", "norm"), (".self.query", ".q"), (".self.kv", ".kv"),
            (".self.sr", ".sr"), (".self.layer_norm", ".norm"), (".output.dense", ".proj"), ("dense", "fc"),
            (".layer_norm", ".norm"), (".attention", ".attn"), ("linear_fuse", "linear_fuse.conv"),
            ("batch_norm", "linear_fuse.bn"), ("decode_head.classifier", "decode_head.linear_pred"),
        ]  # fmt: skip
        for theirs, authors in names:
            key = key.replace(theirs, authors)
        key = re.sub(r"linear_c\.(\d)", lambda match: f"linear_c{int(match.group(1)) + 1}", key)
        ours[key] = value
    ours["decode_head.conv_seg.weight"] = torch.zeros(5, 256, 1, 1)  # in their files, though nothing reads it
    ours["decode_head.conv_seg.bias"] = torch.zeros(5)
    return ours


def test_authors_names_are_the_ones_told():
    """A few of them as the authors' files have them, so that the tool above cannot be wrong together with the table."""
    state = in_authors_names(peer().state_dict())
    shapes = {
        "backbone.patch_embed1.proj.weight": (32, 3, 7, 7),
        "backbone.block1.0.attn.q.weight": (32, 32),
        "backbone.block1.1.attn.kv.bias": (64,),
        "backbone.block2.0.attn.sr.weight": (64, 64, 4, 4),
        "backbone.block3.1.attn.norm.weight": (160,),
        "backbone.block4.1.mlp.dwconv.dwconv.weight": (1024, 1, 3, 3),
        "backbone.block4.1.mlp.fc2.weight": (256, 1024),
        "backbone.norm4.bias": (256,),
        "decode_head.linear_c4.proj.weight": (256, 256),
        "decode_head.linear_fuse.conv.weight": (256, 1024, 1, 1),
        "decode_head.linear_fuse.bn.running_var": (256,),
        "decode_head.linear_pred.weight": (5, 256, 1, 1),
    }
    assert {key: tuple(state[key].shape) for key in shapes} == shapes


LAYOUT_OF = {"hub5_segformer": dict, "hub_segformer": in_hub_names, "nvlabs_segformer": in_authors_names}


@pytest.mark.parametrize("layout", LAYOUT_OF)
def test_every_sources_names_give_the_peers_logits(layout):
    theirs = peer()
    ours = models.create("segformer_b0", num_classes=5).eval()
    report = models.load_weights(ours, LAYOUT_OF[layout](theirs.state_dict()))
    assert report.layout == layout
    assert not report.untouched
    for batch, size in [(1, (64, 96)), (2, (75, 133))]:
        images = torch.randn(batch, 3, *size)
        with torch.inference_mode():
            expected = theirs(pixel_values=images).logits
            small = ours._score(ours.backbone(images))
            assert expected.std() > 0.1
            torch.testing.assert_close(small, expected, atol=1e-5, rtol=1e-5)
            expected = F.interpolate(expected, size, mode="bilinear", align_corners=False)
            torch.testing.assert_close(ours(images)["out"], expected, atol=1e-5, rtol=1e-5)


def test_the_encoder_alone():
    state = {
        key.removeprefix("backbone."): value
        for key, value in in_authors_names(peer().state_dict()).items()
        if key.startswith("backbone.")
    }
    state |= {"head.weight": torch.zeros(1000, 256), "head.bias": torch.zeros(1000)}
    ours = models.create("segformer_b0")
    with pytest.raises(ValueError, match="pass layout='nvlabs_mit'"):
        models.load_weights(ours, state)
    report = models.load_weights(ours, state, "nvlabs_mit")
    assert set(report.dropped) == {"head.weight", "head.bias"}
    assert all(key.startswith("classifier.") for key in report.untouched)


# ------------------------------------------------------------------------------------- OpenMMLab's variant of the head


def in_library_names(network):
    """Our network's arrays under OpenMMLab's names, written down here a second time."""
    arrays, theirs = dict(network.state_dict()), {}
    for key in [key for key in arrays if ".attention.query." in key]:
        parts = [arrays.pop(key.replace("query", part)) for part in ("query", "key", "value")]
        theirs[
            re.sub(
                r".*stages\.(\d)\.blocks\.(\d+)\.attention\.query\.", r"backbone.layers.\1.1.\2.attn.attn.in_proj_", key
            )
        ] = torch.cat(parts)
    for key, value in arrays.items():
        key = re.sub(r"stages\.(\d)\.embed\.conv", r"layers.\1.0.projection", key)
        key = re.sub(r"stages\.(\d)\.embed\.norm", r"layers.\1.0.norm", key)
        key = re.sub(r"stages\.(\d)\.blocks\.(\d+)", r"layers.\1.1.\2", key)
        key = re.sub(r"stages\.(\d)\.norm", r"layers.\1.2", key)
        for ours, name in [
            ("attention.project", "attn.attn.out_proj"), ("attention.reduce_norm", "attn.norm"),
            ("attention.reduce", "attn.sr"), ("mlp.expand", "ffn.layers.0"), ("mlp.depthwise", "ffn.layers.1"),
            ("mlp.contract", "ffn.layers.4"), ("classifier.predict", "decode_head.conv_seg"),
            ("classifier.fuse.0", "decode_head.fusion_conv.conv"), ("classifier.fuse.1", "decode_head.fusion_conv.bn"),
        ]:  # fmt: skip
            key = key.replace(ours, name)
        key = re.sub(r"classifier\.projections\.(\d)\.0", r"decode_head.convs.\1.conv", key)
        key = re.sub(r"classifier\.projections\.(\d)\.1", r"decode_head.convs.\1.bn", key)
        if re.search(r"ffn\.layers\.[04]\.weight", key):
            value = value[:, :, None, None]
        theirs[key] = value
    fused = theirs["decode_head.fusion_conv.conv.weight"]
    theirs["decode_head.fusion_conv.conv.weight"] = torch.cat(fused.split(256, dim=1)[::-1], dim=1)
    return theirs


def test_openmmlabs_head_first_stage_first():
    torch.manual_seed(0)
    source = models.create("segformer_b0", num_classes=5, decoder="mmseg").eval()
    randomize_norms(source)
    state = in_library_names(source)
    ours = models.create("segformer_b0", num_classes=5, decoder="mmseg").eval()
    report = models.load_weights(ours, state)
    assert (report.layout, report.untouched) == ("mmseg_segformer", ())
    images = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        maps = ours.backbone(images).values()
        levels = []
        for number, features in enumerate(maps):
            name = f"decode_head.convs.{number}"
            norm = [state[f"{name}.bn.{array}"] for array in ("running_mean", "running_var", "weight", "bias")]
            level = F.batch_norm(F.conv2d(features, state[f"{name}.conv.weight"]), *norm).relu()
            levels.append(F.interpolate(level, (16, 24), mode="bilinear"))
        name = "decode_head.fusion_conv"
        norm = [state[f"{name}.bn.{array}"] for array in ("running_mean", "running_var", "weight", "bias")]
        fused = F.batch_norm(F.conv2d(torch.cat(levels, 1), state[f"{name}.conv.weight"]), *norm).relu()
        expected = F.conv2d(fused, state["decode_head.conv_seg.weight"], state["decode_head.conv_seg.bias"])
        torch.testing.assert_close(ours._score(ours.backbone(images)), expected, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(ours(images)["out"], source(images)["out"])


def test_the_other_head_is_named():
    state = in_library_names(models.create("segformer_b0", num_classes=5, decoder="mmseg"))
    with pytest.raises(ValueError, match="create the network with decoder='mmseg'"):
        models.load_weights(models.create("segformer_b0", num_classes=5), state)
    with pytest.raises(ValueError, match="decoder must be 'paper' or 'mmseg', but 'mlp' came"):
        models.create("segformer_b0", decoder="mlp")


# ------------------------------------------------------------------------------------------------- what makes it one


def test_keys_and_values_are_fewer_than_queries():
    layer = EfficientAttention(32, 1, reduction=8)
    tokens = torch.randn(1, 16 * 24, 32)
    assert layer.context(tokens, (16, 24)).shape == (1, 2 * 3, 32)
    assert layer.weights(tokens, layer.context(tokens, (16, 24))).shape == (1, 1, 384, 6)
    assert EfficientAttention(32, 1, reduction=1).context(tokens, (16, 24)) is tokens


def test_both_ways_to_know_places_have_the_same_number_of_parameters():
    depthwise, table = (on_meta("segformer_tiny", num_classes=24, position=one) for one in ("mix-ffn", "table"))
    assert count(depthwise) == count(table) == 785_496
    convolutions = [module for module in depthwise.modules() if isinstance(module, nn.Conv2d) and module.groups > 1]
    assert sum(count(module) for module in convolutions) == 17_920


def test_without_depthwise_convolution_and_table_the_encoder_is_blind_to_places():
    """A block sees a set of tokens: exchange two patches of the picture, and their features are exchanged."""
    torch.manual_seed(0)
    encoder = models.create("segformer_tiny", position="table", train_size=(16, 16)).backbone.eval()
    stage = encoder.stages[2]  # its attention reduces nothing
    tokens = torch.randn(1, 12, 128)
    order = torch.randperm(12)
    with torch.no_grad():
        one = stage.blocks[0](tokens, (3, 4))[:, order]
        torch.testing.assert_close(stage.blocks[0](tokens[:, order], (3, 4)), one)
        with_depthwise = models.create("segformer_tiny").backbone.eval().stages[2].blocks[0]
        one, other = with_depthwise(tokens, (3, 4))[:, order], with_depthwise(tokens[:, order], (3, 4))
    assert (one - other).abs().max() > 1e-3


def test_a_table_is_resized_for_other_pictures():
    network = models.create("segformer_tiny", position="table", num_classes=4).eval()
    assert [tuple(stage.positions.table.shape[2:]) for stage in network.backbone.stages] == [(16, 20), (8, 10), (4, 5)]
    with torch.inference_mode():
        assert network(torch.randn(1, 3, 130, 170))["out"].shape == (1, 4, 130, 170)


def test_strides_and_odd_sizes():
    encoder = on_meta("segformer_b0").backbone
    maps = encoder(torch.zeros(1, 3, 100, 132, device="meta"))
    assert {name: tuple(one.shape[1:]) for name, one in maps.items()} == {
        "stage1": (32, 25, 33),
        "stage2": (64, 13, 17),
        "stage3": (160, 7, 9),
        "stage4": (256, 4, 5),
    }


def test_stochastic_depth_grows_to_a_tenth_and_sleeps_in_evaluation():
    encoder = MixTransformer(segformer.B0)
    drops = [block.drop.p for stage in encoder.stages for block in stage.blocks]
    assert drops == pytest.approx([0.1 * number / 7 for number in range(8)])
    encoder.eval()
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(encoder(images)["stage4"], encoder(images)["stage4"])


def test_training_reaches_every_parameter_and_learns_a_picture():
    torch.manual_seed(0)
    network = models.create("segformer_tiny", num_classes=3)
    images, labels = two_pictures()
    train_on(network, images, labels, 40, 1e-3)
    with torch.inference_mode():
        found = network.eval()(images)["out"].argmax(1)
    assert (found == labels).float().mean() > 0.95


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match="at least 32 x 32 pixels, but 31 x 64 came"):
        models.create("segformer_b0").eval()(torch.zeros(1, 3, 31, 64))
    with pytest.raises(ValueError, match="position must be 'mix-ffn' or 'table', but 'sine' came"):
        models.create("segformer_tiny", position="sine")


def test_other_classes_replace_the_last_layer_alone(tmp_path):
    network = models.create("segformer_tiny", num_classes=5)
    models.save_weights(network, tmp_path / "five.pt")
    other = models.create("segformer_tiny", num_classes=3, weights=tmp_path / "five.pt", replace_head=True)
    assert other.num_classes == 3
    assert torch.equal(other.classifier.fuse[0].weight, network.classifier.fuse[0].weight)


def test_differences_hold():
    network, ours = on_meta("segformer_b0"), {row.detail: row.ours for row in segformer.DIFFERENCES}
    in_blocks = {one.eps for stage in network.backbone.stages for one in (stage.norm, stage.blocks[0].norm1)}
    of_patches = {stage.embed.norm.eps for stage in network.backbone.stages}
    of_patches |= {stage.blocks[0].attention.reduce_norm.eps for stage in network.backbone.stages[:3]}
    assert in_blocks == {float(ours["epsilon of the norms in blocks and stages"])}
    assert of_patches == {float(ours["epsilon of the patches' and reductions' norms"])}
    assert network.classifier.dropout.p == 0.1
    assert isinstance(network.classifier.dropout, nn.Dropout2d)
    assert as_markdown(segformer.DIFFERENCES).startswith("| detail | paper |")
