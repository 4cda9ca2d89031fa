"""Rename tables of MaskFormer and Mask2Former: the authors' code (on Detectron2) and the transformers library."""

from __future__ import annotations

import re

from segtutor.models.inputs import IMAGENET_MEAN, IMAGENET_STD
from segtutor.models.layout_rules import Layout, Rule

_IMAGENET = (IMAGENET_MEAN, IMAGENET_STD)
_ARRAY = r"(weight|bias)"
_CROSS = tuple(rf"decoder.layers.\1.cross.{one}.\2" for one in ("query", "key", "value"))
_SELF = tuple(rf"decoder.layers.\1.attention.{one}.\2" for one in ("query", "key", "value"))
_LETTERS = {"q": "query", "k": "key", "v": "value"}
_DEFORMABLE = {
    "sampling_offsets": "offsets",
    "attention_weights": "weights",
    "value_proj": "value",
    "output_proj": "project",
}


def _deformable(match: re.Match[str]) -> str:
    layer, part, array = match.groups()
    return f"pixel_decoder.layers.{layer}.attention.{_DEFORMABLE[part]}.{array}"


def _letter(match: re.Match[str]) -> str:
    layer, letter, array = match.groups()
    return f"decoder.layers.{layer}.attention.{_LETTERS[letter]}.{array}"


def _detectron_block(match: re.Match[str]) -> str:
    """A residual block's array, whose stages Detectron2 counts from 2."""
    stage, block, part, array = match.groups()
    kind, array = ("bn", array.removeprefix("norm.")) if array.startswith("norm.") else ("conv", array)
    if part == "shortcut":
        return f"backbone.layer{int(stage) - 1}.{block}.downsample.{('conv', 'bn').index(kind)}.{array}"
    return f"backbone.layer{int(stage) - 1}.{block}.{kind}{part[-1]}.{array}"


def _hub_block(match: re.Match[str]) -> str:
    """A residual block's array, whose stages and layers the library counts from 0."""
    stage, block, part, kind, array = match.groups()
    number = ("convolution", "normalization").index(kind)
    if part == "shortcut":
        return f"backbone.layer{int(stage) + 1}.{block}.downsample.{number}.{array}"
    return f"backbone.layer{int(stage) + 1}.{block}.{('conv', 'bn')[number]}{int(part[-1]) + 1}.{array}"


def _pyramid(match: re.Match[str]) -> str:
    """An array of MaskFormer's pyramid, whose stages the authors count from the finest and we from the coarsest."""
    part, number, array = match.groups()
    stage, kind = 3 - int(number), "1" if array.startswith("norm.") else "0"
    array = array.removeprefix("norm.")
    if stage < 0:
        return f"pixel_decoder.stem.{kind}.{array}"
    return f"pixel_decoder.{ {'adapter': 'lateral', 'layer': 'output'}[part] }.{stage}.{kind}.{array}"


_BODY = r"model\.pixel_level_module\.encoder"
_PIXELS = r"model\.pixel_level_module\.decoder"
_QUERIES = r"model\.transformer_module"
_SEM = r"sem_seg_head\.pixel_decoder"
_PREDICTOR = r"sem_seg_head\.predictor"
_PIXEL_LAYER = rf"{_PIXELS}\.encoder\.layers\.(\d)"
_QUERY_LAYER = rf"{_QUERIES}\.decoder\.layers\.(\d)"
_SEM_LAYER = rf"{_SEM}\.transformer\.encoder\.layers\.(\d)"
_CROSSING = rf"{_PREDICTOR}\.transformer_cross_attention_layers\.(\d)"
_AMONG = rf"{_PREDICTOR}\.transformer_self_attention_layers\.(\d)"
_LINEAR = rf"{_PREDICTOR}\.transformer_ffn_layers\.(\d)"

_DETECTRON_BODY = (
    Rule(r"backbone\.stem\.conv1\.weight", "backbone.conv1.weight"),
    Rule(r"backbone\.stem\.conv1\.norm\.(.+)", r"backbone.bn1.\1"),
    Rule(r"backbone\.res(\d)\.(\d+)\.(conv\d|shortcut)\.(.+)", _detectron_block),
)
_HUB_BODY = (
    Rule(rf"{_BODY}\.embedder\.embedder\.convolution\.weight", "backbone.conv1.weight"),
    Rule(rf"{_BODY}\.embedder\.embedder\.normalization\.(.+)", r"backbone.bn1.\1"),
    Rule(
        rf"{_BODY}\.encoder\.stages\.(\d)\.layers\.(\d+)\.(layer\.\d|shortcut)\.(convolution|normalization)\.(.+)",
        _hub_block,
    ),
)
_STANDARD_LAYER = rf"{_PREDICTOR}\.transformer\.decoder\.layers\.(\d)"

MASK_CLASSIFICATION_LAYOUTS: dict[str, Layout] = {
    "maskformer": Layout(
        (
            *_DETECTRON_BODY,
            Rule(rf"{_SEM}\.(adapter|layer)_(\d)\.(weight|norm\.weight|norm\.bias)", _pyramid),
            Rule(rf"{_SEM}\.mask_features\.{_ARRAY}", r"pixel_decoder.embed.\1"),
            Rule(rf"{_PREDICTOR}\.query_embed\.weight", "decoder.places"),
            Rule(rf"{_PREDICTOR}\.input_proj\.{_ARRAY}", r"decoder.input.\1"),
            Rule(rf"{_STANDARD_LAYER}\.self_attn\.in_proj_{_ARRAY}", _SELF),
            Rule(rf"{_STANDARD_LAYER}\.self_attn\.out_proj\.{_ARRAY}", r"decoder.layers.\1.attention.project.\2"),
            Rule(rf"{_STANDARD_LAYER}\.multihead_attn\.in_proj_{_ARRAY}", _CROSS),
            Rule(rf"{_STANDARD_LAYER}\.multihead_attn\.out_proj\.{_ARRAY}", r"decoder.layers.\1.cross.project.\2"),
            Rule(rf"{_STANDARD_LAYER}\.linear1\.{_ARRAY}", r"decoder.layers.\1.expand.\2"),
            Rule(rf"{_STANDARD_LAYER}\.linear2\.{_ARRAY}", r"decoder.layers.\1.contract.\2"),
            Rule(rf"{_STANDARD_LAYER}\.(norm[123])\.{_ARRAY}", r"decoder.layers.\1.\2.\3"),
            Rule(rf"{_PREDICTOR}\.transformer\.decoder\.norm\.{_ARRAY}", r"decoder.norm.\1"),
            Rule(rf"{_PREDICTOR}\.class_embed\.{_ARRAY}", r"decoder.classes.\1"),
            *[
                Rule(rf"{_PREDICTOR}\.mask_embed\.layers\.{layer}\.{_ARRAY}", rf"decoder.mask.{2 * layer}.\1")
                for layer in range(3)
            ],
            Rule(r"criterion\.empty_weight", None),
        ),
        normalization=_IMAGENET,
    ),
    # Names of the hub's files, and those of a network in memory since version 5 of the library.
    "hub_maskformer": Layout(
        (
            *_HUB_BODY,
            Rule(rf"{_PIXELS}\.fpn\.stem\.([01])\.{_ARRAY}", r"pixel_decoder.stem.\1.\2"),
            Rule(rf"{_PIXELS}\.fpn\.layers\.(\d)\.proj\.([01])\.{_ARRAY}", r"pixel_decoder.lateral.\1.\2.\3"),
            Rule(rf"{_PIXELS}\.fpn\.layers\.(\d)\.block\.([01])\.{_ARRAY}", r"pixel_decoder.output.\1.\2.\3"),
            Rule(rf"{_PIXELS}\.mask_projection\.{_ARRAY}", r"pixel_decoder.embed.\1"),
            Rule(rf"{_QUERIES}\.queries_embedder\.weight", "decoder.places"),
            Rule(rf"{_QUERIES}\.input_projection\.{_ARRAY}", r"decoder.input.\1"),
            Rule(rf"{_QUERY_LAYER}\.self_attn\.([qkv])_proj\.{_ARRAY}", _letter),
            Rule(rf"{_QUERY_LAYER}\.self_attn\.o(?:ut)?_proj\.{_ARRAY}", r"decoder.layers.\1.attention.project.\2"),
            *[
                Rule(rf"{_QUERY_LAYER}\.encoder_attn\.{letter}_proj\.{_ARRAY}", rf"decoder.layers.\1.cross.{one}.\2")
                for letter, one in _LETTERS.items()
            ],
            Rule(rf"{_QUERY_LAYER}\.encoder_attn\.o(?:ut)?_proj\.{_ARRAY}", r"decoder.layers.\1.cross.project.\2"),
            Rule(rf"{_QUERY_LAYER}\.self_attn_layer_norm\.{_ARRAY}", r"decoder.layers.\1.norm1.\2"),
            Rule(rf"{_QUERY_LAYER}\.encoder_attn_layer_norm\.{_ARRAY}", r"decoder.layers.\1.norm2.\2"),
            Rule(rf"{_QUERY_LAYER}\.(?:mlp\.)?fc1\.{_ARRAY}", r"decoder.layers.\1.expand.\2"),
            Rule(rf"{_QUERY_LAYER}\.(?:mlp\.)?fc2\.{_ARRAY}", r"decoder.layers.\1.contract.\2"),
            Rule(rf"{_QUERY_LAYER}\.final_layer_norm\.{_ARRAY}", r"decoder.layers.\1.norm3.\2"),
            Rule(rf"{_QUERIES}\.decoder\.layernorm\.{_ARRAY}", r"decoder.norm.\1"),
            *[Rule(rf"mask_embedder\.{layer}\.0\.{_ARRAY}", rf"decoder.mask.{2 * layer}.\1") for layer in range(3)],
            Rule(rf"class_predictor\.{_ARRAY}", r"decoder.classes.\1"),
            Rule(r"criterion\.empty_weight", None),
        ),
        normalization=_IMAGENET,
    ),
    "mask2former": Layout(
        (
            *_DETECTRON_BODY,
            Rule(rf"{_SEM}\.input_proj\.(\d)\.([01])\.{_ARRAY}", r"pixel_decoder.projections.\1.\2.\3"),
            Rule(rf"{_SEM}\.transformer\.level_embed", "pixel_decoder.level_codes"),
            Rule(
                rf"{_SEM_LAYER}\.self_attn\.({'|'.join(_DEFORMABLE)})\.{_ARRAY}",
                _deformable,
            ),
            Rule(rf"{_SEM_LAYER}\.(norm[12])\.{_ARRAY}", r"pixel_decoder.layers.\1.\2.\3"),
            Rule(rf"{_SEM_LAYER}\.linear1\.{_ARRAY}", r"pixel_decoder.layers.\1.expand.\2"),
            Rule(
                rf"{_SEM_LAYER}\.linear2\.{_ARRAY}",
                r"pixel_decoder.layers.\1.contract.\2",
            ),
            Rule(rf"{_SEM}\.adapter_1\.weight", "pixel_decoder.lateral.0.weight"),
            Rule(rf"{_SEM}\.adapter_1\.norm\.{_ARRAY}", r"pixel_decoder.lateral.1.\1"),
            Rule(rf"{_SEM}\.layer_1\.weight", "pixel_decoder.output.0.weight"),
            Rule(rf"{_SEM}\.layer_1\.norm\.{_ARRAY}", r"pixel_decoder.output.1.\1"),
            Rule(rf"{_SEM}\.mask_features\.{_ARRAY}", r"pixel_decoder.embed.\1"),
            Rule(
                rf"{_PREDICTOR}\.(?:query_feat|static_query)\.weight", "decoder.features"
            ),  # the second in older files
            Rule(rf"{_PREDICTOR}\.query_embed\.weight", "decoder.places"),
            Rule(rf"{_PREDICTOR}\.level_embed\.weight", "decoder.level_codes"),
            Rule(rf"{_CROSSING}\.multihead_attn\.in_proj_{_ARRAY}", _CROSS),
            Rule(
                rf"{_CROSSING}\.multihead_attn\.out_proj\.{_ARRAY}",
                r"decoder.layers.\1.cross.project.\2",
            ),
            Rule(
                rf"{_CROSSING}\.norm\.{_ARRAY}",
                r"decoder.layers.\1.norm1.\2",
            ),
            Rule(rf"{_AMONG}\.self_attn\.in_proj_{_ARRAY}", _SELF),
            Rule(
                rf"{_AMONG}\.self_attn\.out_proj\.{_ARRAY}",
                r"decoder.layers.\1.attention.project.\2",
            ),
            Rule(rf"{_AMONG}\.norm\.{_ARRAY}", r"decoder.layers.\1.norm2.\2"),
            Rule(rf"{_LINEAR}\.linear1\.{_ARRAY}", r"decoder.layers.\1.expand.\2"),
            Rule(rf"{_LINEAR}\.linear2\.{_ARRAY}", r"decoder.layers.\1.contract.\2"),
            Rule(rf"{_LINEAR}\.norm\.{_ARRAY}", r"decoder.layers.\1.norm3.\2"),
            Rule(rf"{_PREDICTOR}\.decoder_norm\.{_ARRAY}", r"decoder.norm.\1"),
            Rule(rf"{_PREDICTOR}\.class_embed\.{_ARRAY}", r"decoder.classes.\1"),
            *[
                Rule(rf"{_PREDICTOR}\.mask_embed\.layers\.{layer}\.{_ARRAY}", rf"decoder.mask.{2 * layer}.\1")
                for layer in range(3)
            ],
            Rule(r"criterion\.empty_weight", None),
        ),
        normalization=_IMAGENET,
    ),
    "hub_mask2former": Layout(
        (
            *_HUB_BODY,
            Rule(rf"{_PIXELS}\.input_projections\.(\d)\.([01])\.{_ARRAY}", r"pixel_decoder.projections.\1.\2.\3"),
            Rule(rf"{_PIXELS}\.level_embed", "pixel_decoder.level_codes"),
            Rule(rf"{_PIXEL_LAYER}\.self_attn\.({'|'.join(_DEFORMABLE)})\.{_ARRAY}", _deformable),
            Rule(
                rf"{_PIXEL_LAYER}\.self_attn_layer_norm\.{_ARRAY}",
                r"pixel_decoder.layers.\1.norm1.\2",
            ),
            Rule(rf"{_PIXEL_LAYER}\.final_layer_norm\.{_ARRAY}", r"pixel_decoder.layers.\1.norm2.\2"),
            Rule(rf"{_PIXEL_LAYER}\.fc1\.{_ARRAY}", r"pixel_decoder.layers.\1.expand.\2"),
            Rule(rf"{_PIXEL_LAYER}\.fc2\.{_ARRAY}", r"pixel_decoder.layers.\1.contract.\2"),
            Rule(rf"{_PIXELS}\.adapter_1\.([01])\.{_ARRAY}", r"pixel_decoder.lateral.\1.\2"),
            Rule(rf"{_PIXELS}\.layer_1\.([01])\.{_ARRAY}", r"pixel_decoder.output.\1.\2"),
            Rule(rf"{_PIXELS}\.mask_projection\.{_ARRAY}", r"pixel_decoder.embed.\1"),
            Rule(rf"{_QUERIES}\.queries_features\.weight", "decoder.features"),
            Rule(rf"{_QUERIES}\.queries_embedder\.weight", "decoder.places"),
            Rule(rf"{_QUERIES}\.level_embed\.weight", "decoder.level_codes"),
            Rule(rf"{_QUERY_LAYER}\.cross_attn\.in_proj_{_ARRAY}", _CROSS),
            Rule(
                rf"{_QUERY_LAYER}\.cross_attn\.out_proj\.{_ARRAY}",
                r"decoder.layers.\1.cross.project.\2",
            ),
            Rule(rf"{_QUERY_LAYER}\.cross_attn_layer_norm\.{_ARRAY}", r"decoder.layers.\1.norm1.\2"),
            Rule(rf"{_QUERY_LAYER}\.self_attn\.([qkv])_proj\.{_ARRAY}", _letter),
            Rule(
                rf"{_QUERY_LAYER}\.self_attn\.out_proj\.{_ARRAY}",
                r"decoder.layers.\1.attention.project.\2",
            ),
            Rule(rf"{_QUERY_LAYER}\.self_attn_layer_norm\.{_ARRAY}", r"decoder.layers.\1.norm2.\2"),
            Rule(rf"{_QUERY_LAYER}\.fc1\.{_ARRAY}", r"decoder.layers.\1.expand.\2"),
            Rule(rf"{_QUERY_LAYER}\.fc2\.{_ARRAY}", r"decoder.layers.\1.contract.\2"),
            Rule(rf"{_QUERY_LAYER}\.final_layer_norm\.{_ARRAY}", r"decoder.layers.\1.norm3.\2"),
            Rule(rf"{_QUERIES}\.decoder\.layernorm\.{_ARRAY}", r"decoder.norm.\1"),
            *[
                Rule(
                    rf"{_QUERIES}\.decoder\.mask_predictor\.mask_embedder\.{layer}\.0\.{_ARRAY}",
                    rf"decoder.mask.{2 * layer}.\1",
                )
                for layer in range(3)
            ],
            Rule(rf"class_predictor\.{_ARRAY}", r"decoder.classes.\1"),
            Rule(r"criterion\.empty_weight", None),
        ),
        normalization=_IMAGENET,
    ),
}
