"""Rename tables of SAM's sources: the authors' code and the transformers library."""

from __future__ import annotations

from segtutor.models.inputs import IMAGENET_MEAN, IMAGENET_STD
from segtutor.models.layout_rules import Layout, Rule

_IMAGENET = (IMAGENET_MEAN, IMAGENET_STD)
_ARRAY = r"(weight|bias)"
_QKV = tuple(rf"backbone.blocks.\1.attention.{one}.\2" for one in ("query", "key", "value"))
_LETTERS = {"q": "query", "k": "key", "v": "value", "out": "project"}
_ASKING = {
    "self_attn": "attention", "cross_attn_token_to_image": "ask_map", "cross_attn_image_to_token": "ask_tokens"
}  # fmt: skip
_OURS = "mask_decoder.transformer"
_BLOCK = rf"{_OURS}.blocks.\1"


def _attentions(theirs: str) -> list[Rule]:
    """The two-way transformer, which both sources name alike but for norms."""
    layer = rf"{theirs}\.layers\.(\d)"
    rules = []
    for letter, one in _LETTERS.items():
        rules += [
            Rule(rf"{layer}\.{attention}\.{letter}_proj\.{_ARRAY}", rf"{_BLOCK}.{ours}.{one}.\2")
            for attention, ours in _ASKING.items()
        ]
        rules.append(
            Rule(rf"{theirs}\.final_attn_token_to_image\.{letter}_proj\.{_ARRAY}", rf"{_OURS}.ask_map.{one}.\1")
        )
    return [
        *rules,
        Rule(rf"{layer}\.(?:layer_)?(norm[1-4])\.{_ARRAY}", rf"{_BLOCK}.\2.\3"),
        Rule(rf"{layer}\.mlp\.lin1\.{_ARRAY}", rf"{_BLOCK}.mlp.0.\2"),
        Rule(rf"{layer}\.mlp\.lin2\.{_ARRAY}", rf"{_BLOCK}.mlp.2.\2"),
        Rule(rf"{theirs}\.(?:norm_final_attn|layer_norm_final_attn)\.{_ARRAY}", rf"{_OURS}.norm.\1"),
    ]


_TOKENS = (
    Rule(r"prompt_encoder\.(?:point_embeddings|point_embed)\.(\d)\.weight", r"prompt_encoder.kinds.\1"),
    Rule(r"prompt_encoder\.not_a_point_embed\.weight", "prompt_encoder.no_point"),
    Rule(r"prompt_encoder\.no_mask_embed\.weight", "prompt_encoder.no_mask"),
    Rule(r"mask_decoder\.(iou_token|mask_tokens)\.weight", r"mask_decoder.\1"),
    *_attentions(r"mask_decoder\.transformer"),
)
_VECTORS, _IOU = r"mask_decoder\.output_hypernetworks_mlps\.(\d)", r"mask_decoder\.iou_prediction_head"
_HUB_LINEAR = {"proj_in": 0, r"layers\.0": 2, "proj_out": 4}
_HUB_MASK = {"conv1": 0, "layer_norm1": 1, "conv2": 3, "layer_norm2": 4, "conv3": 6}

SAM_LAYOUTS: dict[str, Layout] = {
    "sam": Layout(
        (
            Rule(r"image_encoder\.pos_embed", "backbone.positions"),
            Rule(rf"image_encoder\.patch_embed\.proj\.{_ARRAY}", r"backbone.patches.\1"),
            Rule(rf"image_encoder\.blocks\.(\d+)\.(norm[12])\.{_ARRAY}", r"backbone.blocks.\1.\2.\3"),
            Rule(rf"image_encoder\.blocks\.(\d+)\.attn\.qkv\.{_ARRAY}", _QKV),
            Rule(rf"image_encoder\.blocks\.(\d+)\.attn\.proj\.{_ARRAY}", r"backbone.blocks.\1.attention.project.\2"),
            Rule(r"image_encoder\.blocks\.(\d+)\.attn\.rel_pos_h", r"backbone.blocks.\1.attention.rows"),
            Rule(r"image_encoder\.blocks\.(\d+)\.attn\.rel_pos_w", r"backbone.blocks.\1.attention.columns"),
            Rule(rf"image_encoder\.blocks\.(\d+)\.mlp\.lin1\.{_ARRAY}", r"backbone.blocks.\1.mlp.0.\2"),
            Rule(rf"image_encoder\.blocks\.(\d+)\.mlp\.lin2\.{_ARRAY}", r"backbone.blocks.\1.mlp.2.\2"),
            Rule(rf"image_encoder\.neck\.([0-3])\.{_ARRAY}", r"neck.\1.\2"),
            Rule(r"prompt_encoder\.pe_layer\.positional_encoding_gaussian_matrix", "prompt_encoder.frequencies"),
            Rule(rf"prompt_encoder\.mask_downscaling\.([01346])\.{_ARRAY}", r"prompt_encoder.mask.\1.\2"),
            *_TOKENS,
            Rule(rf"mask_decoder\.output_upscaling\.([013])\.{_ARRAY}", r"mask_decoder.upscale.\1.\2"),
            *[
                rule
                for layer in range(3)
                for rule in (
                    Rule(rf"{_VECTORS}\.layers\.{layer}\.{_ARRAY}", rf"mask_decoder.vectors.\1.{2 * layer}.\2"),
                    Rule(rf"{_IOU}\.layers\.{layer}\.{_ARRAY}", rf"mask_decoder.iou.{2 * layer}.\1"),
                )
            ],
        ),
        normalization=_IMAGENET,
    ),
    "hub_sam": Layout(
        (
            Rule(r"vision_encoder\.pos_embed", "backbone.positions"),
            Rule(rf"vision_encoder\.patch_embed\.projection\.{_ARRAY}", r"backbone.patches.\1"),
            Rule(rf"vision_encoder\.layers\.(\d+)\.layer_(norm[12])\.{_ARRAY}", r"backbone.blocks.\1.\2.\3"),
            Rule(rf"vision_encoder\.layers\.(\d+)\.attn\.qkv\.{_ARRAY}", _QKV),
            Rule(rf"vision_encoder\.layers\.(\d+)\.attn\.proj\.{_ARRAY}", r"backbone.blocks.\1.attention.project.\2"),
            Rule(r"vision_encoder\.layers\.(\d+)\.attn\.rel_pos_h", r"backbone.blocks.\1.attention.rows"),
            Rule(r"vision_encoder\.layers\.(\d+)\.attn\.rel_pos_w", r"backbone.blocks.\1.attention.columns"),
            Rule(rf"vision_encoder\.layers\.(\d+)\.mlp\.lin1\.{_ARRAY}", r"backbone.blocks.\1.mlp.0.\2"),
            Rule(rf"vision_encoder\.layers\.(\d+)\.mlp\.lin2\.{_ARRAY}", r"backbone.blocks.\1.mlp.2.\2"),
            Rule(r"vision_encoder\.neck\.conv1\.weight", "neck.0.weight"),
            Rule(rf"vision_encoder\.neck\.layer_norm1\.{_ARRAY}", r"neck.1.\1"),
            Rule(r"vision_encoder\.neck\.conv2\.weight", "neck.2.weight"),
            Rule(rf"vision_encoder\.neck\.layer_norm2\.{_ARRAY}", r"neck.3.\1"),
            Rule(r"shared_image_embedding\.positional_embedding", "prompt_encoder.frequencies"),
            Rule(r"prompt_encoder\.shared_embedding\.positional_embedding", None),  # the same once more
            *[
                Rule(rf"prompt_encoder\.mask_embed\.{theirs}\.{_ARRAY}", rf"prompt_encoder.mask.{ours}.\1")
                for theirs, ours in _HUB_MASK.items()
            ],
            *_TOKENS,
            Rule(rf"mask_decoder\.upscale_conv1\.{_ARRAY}", r"mask_decoder.upscale.0.\1"),
            Rule(rf"mask_decoder\.upscale_layer_norm\.{_ARRAY}", r"mask_decoder.upscale.1.\1"),
            Rule(rf"mask_decoder\.upscale_conv2\.{_ARRAY}", r"mask_decoder.upscale.3.\1"),
            *[
                rule
                for theirs, ours in _HUB_LINEAR.items()
                for rule in (
                    Rule(rf"{_VECTORS}\.{theirs}\.{_ARRAY}", rf"mask_decoder.vectors.\1.{ours}.\2"),
                    Rule(rf"{_IOU}\.{theirs}\.{_ARRAY}", rf"mask_decoder.iou.{ours}.\1"),
                )
            ],
        ),
        normalization=_IMAGENET,
    ),
}
