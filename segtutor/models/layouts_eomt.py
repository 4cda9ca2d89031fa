"""Rename tables of EoMT's sources: the authors' code, on timm's ViT, and the transformers library."""

from __future__ import annotations

from torch import Tensor

from segtutor.models.inputs import IMAGENET_MEAN, IMAGENET_STD
from segtutor.models.layout_rules import Layout, Rule

_IMAGENET = (IMAGENET_MEAN, IMAGENET_STD)
_ARRAY = r"(weight|bias)"
_QKV = ("query", "key", "value")
_BLOCK = r"backbone.blocks.\1"
_UPSCALE = {"conv1": 0, "conv2": 2, "norm": 3, "layernorm2d": 3}


def _batched(table: Tensor) -> Tensor:
    """An embedding's table, h w x C, as positions of a batch, 1 x h w x C."""
    return table[None]


EOMT_LAYOUTS: dict[str, Layout] = {
    "eomt": Layout(
        (
            Rule(r"encoder\.backbone\.cls_token", "backbone.class_token"),
            Rule(r"encoder\.backbone\.reg_token", "backbone.register_tokens"),
            Rule(r"encoder\.backbone\.pos_embed", "backbone.positions"),
            Rule(rf"encoder\.backbone\.patch_embed\.proj\.{_ARRAY}", r"backbone.patches.\1"),
            Rule(rf"encoder\.backbone\.blocks\.(\d+)\.(norm[12])\.{_ARRAY}", rf"{_BLOCK}.\2.\3"),
            Rule(
                rf"encoder\.backbone\.blocks\.(\d+)\.attn\.qkv\.{_ARRAY}",
                tuple(rf"{_BLOCK}.attention.{one}.\2" for one in _QKV),
            ),
            Rule(rf"encoder\.backbone\.blocks\.(\d+)\.attn\.proj\.{_ARRAY}", rf"{_BLOCK}.attention.project.\2"),
            Rule(r"encoder\.backbone\.blocks\.(\d+)\.ls([12])\.gamma", rf"{_BLOCK}.scale\2.gamma"),
            Rule(rf"encoder\.backbone\.blocks\.(\d+)\.mlp\.fc1\.{_ARRAY}", rf"{_BLOCK}.mlp.0.\2"),
            Rule(rf"encoder\.backbone\.blocks\.(\d+)\.mlp\.fc2\.{_ARRAY}", rf"{_BLOCK}.mlp.2.\2"),
            Rule(rf"encoder\.backbone\.norm\.{_ARRAY}", r"backbone.norm.\1"),
            Rule(r"encoder\.pixel_(?:mean|std)", None),
            Rule(r"q\.weight", "queries"),
            Rule(rf"class_head\.{_ARRAY}", r"classes.\1"),
            Rule(rf"mask_head\.([024])\.{_ARRAY}", r"mask.\1.\2"),
            *[
                Rule(rf"upscale\.(\d)\.{part}\.{_ARRAY}", rf"upscale.\1.{_UPSCALE[part]}.\2")
                for part in ("conv1", "conv2", "norm")
            ],
            Rule(r"attn_mask_probs", "mask_share"),
            Rule(r"criterion\.empty_weight", None),
        ),
        normalization=_IMAGENET,
    ),
    "hub_eomt": Layout(
        (
            Rule(r"embeddings\.cls_token", "backbone.class_token"),
            Rule(r"embeddings\.register_tokens", "backbone.register_tokens"),
            Rule(r"embeddings\.position_embeddings\.weight", "backbone.positions", _batched),
            Rule(rf"embeddings\.patch_embeddings\.projection\.{_ARRAY}", r"backbone.patches.\1"),
            Rule(rf"layers\.(\d+)\.(norm[12])\.{_ARRAY}", rf"{_BLOCK}.\2.\3"),
            *[
                Rule(rf"layers\.(\d+)\.attention\.{one[0]}_proj\.{_ARRAY}", rf"{_BLOCK}.attention.{one}.\2")
                for one in _QKV
            ],
            Rule(rf"layers\.(\d+)\.attention\.out_proj\.{_ARRAY}", rf"{_BLOCK}.attention.project.\2"),
            Rule(r"layers\.(\d+)\.layer_scale([12])\.lambda1", rf"{_BLOCK}.scale\2.gamma"),
            Rule(rf"layers\.(\d+)\.mlp\.fc1\.{_ARRAY}", rf"{_BLOCK}.mlp.0.\2"),
            Rule(rf"layers\.(\d+)\.mlp\.fc2\.{_ARRAY}", rf"{_BLOCK}.mlp.2.\2"),
            Rule(rf"layernorm\.{_ARRAY}", r"backbone.norm.\1"),
            Rule(r"query\.weight", "queries"),
            Rule(rf"class_predictor\.{_ARRAY}", r"classes.\1"),
            *[Rule(rf"mask_head\.fc{layer}\.{_ARRAY}", rf"mask.{2 * layer - 2}.\1") for layer in (1, 2, 3)],
            *[
                Rule(rf"upscale_block\.block\.(\d)\.{part}\.{_ARRAY}", rf"upscale.\1.{_UPSCALE[part]}.\2")
                for part in ("conv1", "conv2", "layernorm2d")
            ],
            Rule(r"attn_mask_probs", "mask_share"),
            Rule(r"criterion\.empty_weight", None),
        ),
        normalization=_IMAGENET,
    ),
}
