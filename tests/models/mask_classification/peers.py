"""The transformers library's Mask2Former, and its arrays under the authors' names: tools of the tests."""

import re

import torch
from torch import nn

from tests.models.networks import randomize_norms


def hubs_mask2former(transformers, num_classes=5):
    """On ResNet-50, with norms that do something."""
    torch.manual_seed(0)
    body = transformers.ResNetConfig(out_features=["stage1", "stage2", "stage3", "stage4"])
    config = transformers.Mask2FormerConfig(backbone_config=body, num_labels=num_classes)
    network = transformers.Mask2FormerForUniversalSegmentation(config).eval()
    randomize_norms(network)
    for module in network.modules():
        if isinstance(module, (nn.LayerNorm, nn.GroupNorm)):
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
    for name, parameter in network.named_parameters():
        if "sampling_offsets" in name or "attention_weights" in name:
            parameter.data.add_(torch.randn_like(parameter) * 0.05)  # fresh ones look along the same ring everywhere
    return network


def in_authors_names(state):
    """The names of the authors' code, on Detectron2, where query, key and value are always fused."""
    arrays, renamed = dict(state), {}
    for key in [key for key in arrays if ".self_attn.q_proj." in key]:
        layer, array = re.search(r"layers\.(\d)\.self_attn\.q_proj\.(\w+)", key).groups()
        parts = [arrays.pop(key.replace("q_proj", f"{letter}_proj")) for letter in "qkv"]
        name = f"sem_seg_head.predictor.transformer_self_attention_layers.{layer}.self_attn.in_proj_{array}"
        renamed[name] = torch.cat(parts)
    head, queries = "sem_seg_head.pixel_decoder", "sem_seg_head.predictor"
    for key, value in arrays.items():
        for pattern, name in [
            (r"model\.pixel_level_module\.encoder\.embedder\.embedder\.convolution", "backbone.stem.conv1"),
            (r"model\.pixel_level_module\.encoder\.embedder\.embedder\.normalization", "backbone.stem.conv1.norm"),
            (r"model\.pixel_level_module\.decoder\.encoder", f"{head}.transformer.encoder"),
            (r"model\.pixel_level_module\.decoder\.level_embed", f"{head}.transformer.level_embed"),
            (r"model\.pixel_level_module\.decoder\.input_projections", f"{head}.input_proj"),
            (r"model\.pixel_level_module\.decoder\.mask_projection", f"{head}.mask_features"),
            (r"model\.pixel_level_module\.decoder\.(adapter_1|layer_1)\.0", rf"{head}.\1"),
            (r"model\.pixel_level_module\.decoder\.(adapter_1|layer_1)\.1", rf"{head}.\1.norm"),
            (r"model\.transformer_module\.queries_embedder", f"{queries}.query_embed"),
            (r"model\.transformer_module\.queries_features", f"{queries}.query_feat"),
            (r"model\.transformer_module\.level_embed", f"{queries}.level_embed"),
            (r"model\.transformer_module\.decoder\.layernorm", f"{queries}.decoder_norm"),
            (r"model\.transformer_module\.decoder\.mask_predictor\.\w+\.(\d)\.0", rf"{queries}.mask_embed.layers.\1"),
            (r"class_predictor", f"{queries}.class_embed"),
        ]:  # fmt: skip
            key = re.sub(pattern, name, key)
        block = re.fullmatch(r"model\.pixel_level_module\.encoder\.encoder\.stages\.(\d)\.layers\.(\d)\.(.+)", key)
        if block:
            part = re.sub(r"layer\.(\d)", lambda match: f"conv{int(match.group(1)) + 1}", block.group(3))
            part = part.replace(".convolution", "").replace("normalization", "norm")
            key = f"backbone.res{int(block.group(1)) + 2}.{block.group(2)}.{part}"
        if key.startswith(f"{head}.transformer.encoder"):
            key = key.replace("self_attn_layer_norm", "norm1").replace("final_layer_norm", "norm2")
            key = key.replace("fc1", "linear1").replace("fc2", "linear2")
        layer = re.fullmatch(r"model\.transformer_module\.decoder\.layers\.(\d)\.(.+)", key)
        if layer:
            number, part = layer.groups()
            kind, part = {
                "cross_attn.": ("cross_attention", part.replace("cross_attn.", "multihead_attn.")),
                "cross_attn_": ("cross_attention", part.replace("cross_attn_layer_norm", "norm")),
                "self_attn.": ("self_attention", part),
                "self_attn_": ("self_attention", part.replace("self_attn_layer_norm", "norm")),
                "fc1": ("ffn", part.replace("fc1", "linear1")),
                "fc2": ("ffn", part.replace("fc2", "linear2")),
                "final_": ("ffn", part.replace("final_layer_norm", "norm")),
            }[re.match(r"cross_attn[._]|self_attn[._]|fc[12]|final_", part).group()]
            key = f"{queries}.transformer_{kind}_layers.{number}.{part}"
        renamed[key] = value
    return renamed
