"""Rename tables of the transformers' sources: SegFormer, ViT, DINOv2.

Ours has a layer each for query, key and value. A source that has fused them is split: the first rows are the query's
(of two parts the key's), then the key's, then the value's.
"""

from __future__ import annotations

import torch
from torch import Tensor

from segtutor.models.inputs import IMAGENET_MEAN, IMAGENET_STD
from segtutor.models.layout_rules import Layout, Rule
from segtutor.models.layouts_eomt import EOMT_LAYOUTS
from segtutor.models.layouts_mask_classification import MASK_CLASSIFICATION_LAYOUTS
from segtutor.models.layouts_sam import SAM_LAYOUTS

_IMAGENET = (IMAGENET_MEAN, IMAGENET_STD)
_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_ARRAY = r"(weight|bias)"
STAGES = 4
_QKV = ("query", "key", "value")


def _as_linear(weight: Tensor) -> Tensor:
    """A 1 x 1 convolution as the linear layer that it is."""
    return weight.flatten(1)


def _as_pointwise(weight: Tensor) -> Tensor:
    """A linear layer as the 1 x 1 convolution that it is."""
    return weight if weight.ndim == 1 else weight[:, :, None, None]


def _stages_backwards(weight: Tensor) -> Tensor:
    """Exchanges the order of four groups of input channels: the source concatenates the first stage first."""
    return torch.cat(weight.chunk(STAGES, dim=1)[::-1], dim=1)


def _separate(block: str, ours: str, array: str) -> list[Rule]:
    """A block whose layers are called q_proj, k_proj, v_proj; ``array`` is the group that tells weight or bias."""
    return [Rule(rf"{block}\.attention\.{one[0]}_proj\.{_ARRAY}", f"{ours}.{one}.{array}") for one in _QKV]


def _nvlabs(prefix: str) -> list[Rule]:
    """The authors' encoder, whose stages count from 1."""
    rules = []
    for ours in range(STAGES):
        theirs, stage = ours + 1, f"backbone.stages.{ours}"
        block = rf"{prefix}block{theirs}\.(\d+)"
        rules += [
            Rule(rf"{prefix}patch_embed{theirs}\.proj\.{_ARRAY}", rf"{stage}.embed.conv.\1"),
            Rule(rf"{prefix}patch_embed{theirs}\.norm\.{_ARRAY}", rf"{stage}.embed.norm.\1"),
            Rule(rf"{block}\.(norm[12])\.{_ARRAY}", rf"{stage}.blocks.\1.\2.\3"),
            Rule(rf"{block}\.attn\.q\.{_ARRAY}", rf"{stage}.blocks.\1.attention.query.\2"),
            Rule(
                rf"{block}\.attn\.kv\.{_ARRAY}",
                (rf"{stage}.blocks.\1.attention.key.\2", rf"{stage}.blocks.\1.attention.value.\2"),
            ),
            Rule(rf"{block}\.attn\.proj\.{_ARRAY}", rf"{stage}.blocks.\1.attention.project.\2"),
            Rule(rf"{block}\.attn\.sr\.{_ARRAY}", rf"{stage}.blocks.\1.attention.reduce.\2"),
            Rule(rf"{block}\.attn\.norm\.{_ARRAY}", rf"{stage}.blocks.\1.attention.reduce_norm.\2"),
            Rule(rf"{block}\.mlp\.fc1\.{_ARRAY}", rf"{stage}.blocks.\1.mlp.expand.\2"),
            Rule(rf"{block}\.mlp\.dwconv\.dwconv\.{_ARRAY}", rf"{stage}.blocks.\1.mlp.depthwise.\2"),
            Rule(rf"{block}\.mlp\.fc2\.{_ARRAY}", rf"{stage}.blocks.\1.mlp.contract.\2"),
            Rule(rf"{prefix}norm{theirs}\.{_ARRAY}", rf"{stage}.norm.\1"),
        ]
    return rules


_NVLABS_HEAD = [
    *[
        Rule(rf"decode_head\.linear_c{stage + 1}\.proj\.{_ARRAY}", rf"classifier.projections.{stage}.\1", _as_pointwise)
        for stage in range(STAGES)
    ],
    Rule(r"decode_head\.linear_fuse\.conv\.weight", "classifier.fuse.0.weight"),
    Rule(r"decode_head\.linear_fuse\.bn\.(.+)", r"classifier.fuse.1.\1"),
    Rule(rf"decode_head\.linear_pred\.{_ARRAY}", r"classifier.predict.\1"),
    Rule(r"decode_head\.conv_seg\..+", None),  # in the file, but never used
]

# The transformers library's head, in all its versions.
_HUB_HEAD = (
    Rule(
        rf"decode_head\.linear_(?:c|projections)\.(\d)\.proj\.{_ARRAY}", r"classifier.projections.\1.\2", _as_pointwise
    ),
    Rule(r"decode_head\.linear_fuse\.weight", "classifier.fuse.0.weight"),
    Rule(r"decode_head\.batch_norm\.(.+)", r"classifier.fuse.1.\1"),
    Rule(rf"decode_head\.classifier\.{_ARRAY}", r"classifier.predict.\1"),
)
_HUB_STAGE = r"segformer\.encoder\.block\.(\d)\.(\d+)"
_HUB5_STAGE = r"segformer\.stages\.(\d)\.blocks\.(\d+)"
_BLOCK = r"backbone.stages.\1.blocks.\2"
_LIBRARY_STAGE = r"backbone\.layers\.(\d)\.1\.(\d+)"

_SEGFORMER = {
    "nvlabs_segformer": Layout((*_nvlabs(r"backbone\."), *_NVLABS_HEAD), normalization=_IMAGENET),
    # Their encoder after ImageNet, alone.
    "nvlabs_mit": Layout((*_nvlabs(""), Rule(r"head\..+", None)), "backbone.", _IMAGENET),
    # The names under which the hub's files are stored.
    "hub_segformer": Layout(
        (
            Rule(rf"segformer\.encoder\.patch_embeddings\.(\d)\.proj\.{_ARRAY}", r"backbone.stages.\1.embed.conv.\2"),
            Rule(
                rf"segformer\.encoder\.patch_embeddings\.(\d)\.layer_norm\.{_ARRAY}",
                r"backbone.stages.\1.embed.norm.\2",
            ),
            Rule(rf"{_HUB_STAGE}\.layer_norm_([12])\.{_ARRAY}", rf"{_BLOCK}.norm\3.\4"),
            Rule(rf"{_HUB_STAGE}\.attention\.self\.(query|key|value)\.{_ARRAY}", rf"{_BLOCK}.attention.\3.\4"),
            Rule(rf"{_HUB_STAGE}\.attention\.self\.sr\.{_ARRAY}", rf"{_BLOCK}.attention.reduce.\3"),
            Rule(rf"{_HUB_STAGE}\.attention\.self\.layer_norm\.{_ARRAY}", rf"{_BLOCK}.attention.reduce_norm.\3"),
            Rule(rf"{_HUB_STAGE}\.attention\.output\.dense\.{_ARRAY}", rf"{_BLOCK}.attention.project.\3"),
            Rule(rf"{_HUB_STAGE}\.mlp\.dense1\.{_ARRAY}", rf"{_BLOCK}.mlp.expand.\3"),
            Rule(rf"{_HUB_STAGE}\.mlp\.dwconv\.dwconv\.{_ARRAY}", rf"{_BLOCK}.mlp.depthwise.\3"),
            Rule(rf"{_HUB_STAGE}\.mlp\.dense2\.{_ARRAY}", rf"{_BLOCK}.mlp.contract.\3"),
            Rule(rf"segformer\.encoder\.layer_norm\.(\d)\.{_ARRAY}", r"backbone.stages.\1.norm.\2"),
            *_HUB_HEAD,
        ),
        normalization=_IMAGENET,
    ),
    # The names of a network in memory since version 5 of the library.
    "hub5_segformer": Layout(
        (
            Rule(rf"segformer\.stages\.(\d)\.patch_embeddings\.proj\.{_ARRAY}", r"backbone.stages.\1.embed.conv.\2"),
            Rule(
                rf"segformer\.stages\.(\d)\.patch_embeddings\.layer_norm\.{_ARRAY}",
                r"backbone.stages.\1.embed.norm.\2",
            ),
            Rule(rf"{_HUB5_STAGE}\.layernorm_before\.{_ARRAY}", rf"{_BLOCK}.norm1.\3"),
            Rule(rf"{_HUB5_STAGE}\.layernorm_after\.{_ARRAY}", rf"{_BLOCK}.norm2.\3"),
            *[
                Rule(rf"{_HUB5_STAGE}\.attention\.{one[0]}_proj\.{_ARRAY}", rf"{_BLOCK}.attention.{one}.\3")
                for one in _QKV
            ],
            Rule(rf"{_HUB5_STAGE}\.attention\.o_proj\.{_ARRAY}", rf"{_BLOCK}.attention.project.\3"),
            Rule(
                rf"{_HUB5_STAGE}\.attention\.sequence_reduction\.sequence_reduction\.{_ARRAY}",
                rf"{_BLOCK}.attention.reduce.\3",
            ),
            Rule(
                rf"{_HUB5_STAGE}\.attention\.sequence_reduction\.layer_norm\.{_ARRAY}",
                rf"{_BLOCK}.attention.reduce_norm.\3",
            ),
            Rule(rf"{_HUB5_STAGE}\.mlp\.fc1\.{_ARRAY}", rf"{_BLOCK}.mlp.expand.\3"),
            Rule(rf"{_HUB5_STAGE}\.mlp\.dwconv\.dwconv\.{_ARRAY}", rf"{_BLOCK}.mlp.depthwise.\3"),
            Rule(rf"{_HUB5_STAGE}\.mlp\.fc2\.{_ARRAY}", rf"{_BLOCK}.mlp.contract.\3"),
            Rule(rf"segformer\.stages\.(\d)\.layer_norm\.{_ARRAY}", r"backbone.stages.\1.norm.\2"),
            *_HUB_HEAD,
        ),
        normalization=_IMAGENET,
    ),
    # OpenMMLab's library: attention by nn.MultiheadAttention, Mix-FFN by 1 x 1 convolutions, a head with batch norms.
    "mmseg_segformer": Layout(
        (
            Rule(rf"backbone\.layers\.(\d)\.0\.projection\.{_ARRAY}", r"backbone.stages.\1.embed.conv.\2"),
            Rule(rf"backbone\.layers\.(\d)\.0\.norm\.{_ARRAY}", r"backbone.stages.\1.embed.norm.\2"),
            Rule(rf"{_LIBRARY_STAGE}\.(norm[12])\.{_ARRAY}", rf"{_BLOCK}.\3.\4"),
            Rule(
                rf"{_LIBRARY_STAGE}\.attn\.attn\.in_proj_{_ARRAY}",
                tuple(rf"{_BLOCK}.attention.{one}.\3" for one in _QKV),
            ),
            Rule(rf"{_LIBRARY_STAGE}\.attn\.attn\.out_proj\.{_ARRAY}", rf"{_BLOCK}.attention.project.\3"),
            Rule(rf"{_LIBRARY_STAGE}\.attn\.sr\.{_ARRAY}", rf"{_BLOCK}.attention.reduce.\3"),
            Rule(rf"{_LIBRARY_STAGE}\.attn\.norm\.{_ARRAY}", rf"{_BLOCK}.attention.reduce_norm.\3"),
            Rule(rf"{_LIBRARY_STAGE}\.ffn\.layers\.0\.weight", rf"{_BLOCK}.mlp.expand.weight", _as_linear),
            Rule(rf"{_LIBRARY_STAGE}\.ffn\.layers\.0\.bias", rf"{_BLOCK}.mlp.expand.bias"),
            Rule(rf"{_LIBRARY_STAGE}\.ffn\.layers\.1\.{_ARRAY}", rf"{_BLOCK}.mlp.depthwise.\3"),
            Rule(rf"{_LIBRARY_STAGE}\.ffn\.layers\.4\.weight", rf"{_BLOCK}.mlp.contract.weight", _as_linear),
            Rule(rf"{_LIBRARY_STAGE}\.ffn\.layers\.4\.bias", rf"{_BLOCK}.mlp.contract.bias"),
            Rule(rf"backbone\.layers\.(\d)\.2\.{_ARRAY}", r"backbone.stages.\1.norm.\2"),
            Rule(r"decode_head\.convs\.(\d)\.conv\.weight", r"classifier.projections.\1.0.weight"),
            Rule(r"decode_head\.convs\.(\d)\.bn\.(.+)", r"classifier.projections.\1.1.\2"),
            Rule(r"decode_head\.fusion_conv\.conv\.weight", "classifier.fuse.0.weight", _stages_backwards),
            Rule(r"decode_head\.fusion_conv\.bn\.(.+)", r"classifier.fuse.1.\1"),
            Rule(rf"decode_head\.conv_seg\.{_ARRAY}", r"classifier.predict.\1"),
        ),
        normalization=_IMAGENET,
    ),
}


_FUSED = tuple(rf"backbone.blocks.\1.attention.{one}.\2" for one in _QKV)
_VIT_BLOCK = r"backbone.blocks.\1"
_HUB_VIT_STEM = (
    Rule(r"(?:(?:dinov2|vit)\.)?embeddings\.cls_token", "backbone.class_token"),
    Rule(r"(?:(?:dinov2|vit)\.)?embeddings\.register_tokens", "backbone.register_tokens"),
    Rule(r"(?:(?:dinov2|vit)\.)?embeddings\.position_embeddings", "backbone.positions"),
    Rule(rf"(?:(?:dinov2|vit)\.)?embeddings\.patch_embeddings\.projection\.{_ARRAY}", r"backbone.patches.\1"),
    Rule(rf"(?:(?:dinov2|vit)\.)?layernorm\.{_ARRAY}", r"backbone.norm.\1"),
    Rule(r"(?:vit\.)?pooler\..+", None),
    Rule(r"classifier\..+", None),
)
_HUB_DINO = r"(?:dinov2\.)?encoder\.layer\.(\d+)"
_HUB_VIT = r"(?:vit\.)?(?:encoder\.layer|layers)\.(\d+)"

_VISION_TRANSFORMERS = {
    # The authors' names, which are timm's for a ViT.
    "dinov2": Layout(
        (
            Rule(r"cls_token", "backbone.class_token"),
            Rule(r"(mask_token|register_tokens)", r"backbone.\1"),
            Rule(r"pos_embed", "backbone.positions"),
            Rule(rf"patch_embed\.proj\.{_ARRAY}", r"backbone.patches.\1"),
            Rule(rf"blocks\.(?:\d+\.)?(\d+)\.(norm[12])\.{_ARRAY}", rf"{_VIT_BLOCK}.\2.\3"),
            Rule(rf"blocks\.(?:\d+\.)?(\d+)\.attn\.qkv\.{_ARRAY}", _FUSED),
            Rule(rf"blocks\.(?:\d+\.)?(\d+)\.attn\.proj\.{_ARRAY}", rf"{_VIT_BLOCK}.attention.project.\2"),
            Rule(r"blocks\.(?:\d+\.)?(\d+)\.ls([12])\.gamma", rf"{_VIT_BLOCK}.scale\2.gamma"),
            Rule(rf"blocks\.(?:\d+\.)?(\d+)\.mlp\.fc1\.{_ARRAY}", rf"{_VIT_BLOCK}.mlp.0.\2"),
            Rule(rf"blocks\.(?:\d+\.)?(\d+)\.mlp\.fc2\.{_ARRAY}", rf"{_VIT_BLOCK}.mlp.2.\2"),
            Rule(rf"norm\.{_ARRAY}", r"backbone.norm.\1"),
            Rule(r"head\..+", None),
        ),
        "backbone.",
        _IMAGENET,
    ),
    # The hub's DINOv2, with and without registers, under the names of its files and of a network in memory.
    "hub_dinov2": Layout(
        (
            *_HUB_VIT_STEM,
            Rule(r"(?:dinov2\.)?embeddings\.mask_token", "backbone.mask_token"),
            Rule(rf"{_HUB_DINO}\.(norm[12])\.{_ARRAY}", rf"{_VIT_BLOCK}.\2.\3"),
            Rule(rf"{_HUB_DINO}\.attention\.attention\.(query|key|value)\.{_ARRAY}", rf"{_VIT_BLOCK}.attention.\2.\3"),
            Rule(rf"{_HUB_DINO}\.attention\.output\.dense\.{_ARRAY}", rf"{_VIT_BLOCK}.attention.project.\2"),
            *[
                Rule(rf"{_HUB_DINO}\.attention\.{one[0]}_proj\.{_ARRAY}", rf"{_VIT_BLOCK}.attention.{one}.\2")
                for one in _QKV
            ],
            Rule(rf"{_HUB_DINO}\.attention\.o_proj\.{_ARRAY}", rf"{_VIT_BLOCK}.attention.project.\2"),
            Rule(rf"{_HUB_DINO}\.layer_scale([12])\.lambda1", rf"{_VIT_BLOCK}.scale\2.gamma"),
            Rule(rf"{_HUB_DINO}\.mlp\.fc1\.{_ARRAY}", rf"{_VIT_BLOCK}.mlp.0.\2"),
            Rule(rf"{_HUB_DINO}\.mlp\.fc2\.{_ARRAY}", rf"{_VIT_BLOCK}.mlp.2.\2"),
        ),
        "backbone.",
        _IMAGENET,
    ),
    "hub_vit": Layout(
        (
            *_HUB_VIT_STEM,
            Rule(r"(?:vit\.)?embeddings\.mask_token", None),
            Rule(rf"{_HUB_VIT}\.layernorm_before\.{_ARRAY}", rf"{_VIT_BLOCK}.norm1.\2"),
            Rule(rf"{_HUB_VIT}\.layernorm_after\.{_ARRAY}", rf"{_VIT_BLOCK}.norm2.\2"),
            Rule(rf"{_HUB_VIT}\.attention\.attention\.(query|key|value)\.{_ARRAY}", rf"{_VIT_BLOCK}.attention.\2.\3"),
            *[
                Rule(rf"{_HUB_VIT}\.attention\.{one[0]}_proj\.{_ARRAY}", rf"{_VIT_BLOCK}.attention.{one}.\2")
                for one in _QKV
            ],
            Rule(rf"{_HUB_VIT}\.attention\.(?:output\.dense|o_proj)\.{_ARRAY}", rf"{_VIT_BLOCK}.attention.project.\2"),
            Rule(rf"{_HUB_VIT}\.(?:intermediate\.dense|mlp\.fc1)\.{_ARRAY}", rf"{_VIT_BLOCK}.mlp.0.\2"),
            Rule(rf"{_HUB_VIT}\.(?:output\.dense|mlp\.fc2)\.{_ARRAY}", rf"{_VIT_BLOCK}.mlp.2.\2"),
        ),
        "backbone.",
        _HALF,
    ),
    "torchvision_vit": Layout(
        (
            Rule(r"class_token", "backbone.class_token"),
            Rule(r"encoder\.pos_embedding", "backbone.positions"),
            Rule(rf"conv_proj\.{_ARRAY}", r"backbone.patches.\1"),
            Rule(rf"encoder\.layers\.encoder_layer_(\d+)\.ln_([12])\.{_ARRAY}", rf"{_VIT_BLOCK}.norm\2.\3"),
            Rule(rf"encoder\.layers\.encoder_layer_(\d+)\.self_attention\.in_proj_{_ARRAY}", _FUSED),
            Rule(
                rf"encoder\.layers\.encoder_layer_(\d+)\.self_attention\.out_proj\.{_ARRAY}",
                rf"{_VIT_BLOCK}.attention.project.\2",
            ),
            Rule(rf"encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:0|linear_1)\.{_ARRAY}", rf"{_VIT_BLOCK}.mlp.0.\2"),
            Rule(rf"encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:3|linear_2)\.{_ARRAY}", rf"{_VIT_BLOCK}.mlp.2.\2"),
            Rule(rf"encoder\.ln\.{_ARRAY}", r"backbone.norm.\1"),
            Rule(r"heads\..+", None),
        ),
        "backbone.",
        _IMAGENET,
    ),
}

TRANSFORMER_LAYOUTS: dict[str, Layout] = {
    **_SEGFORMER,
    **_VISION_TRANSFORMERS,
    **MASK_CLASSIFICATION_LAYOUTS,
    **EOMT_LAYOUTS,
    **SAM_LAYOUTS,
}
