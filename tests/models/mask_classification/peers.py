"""The transformers library's networks, and their arrays under the authors' names: tools of the tests."""

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


def hubs_maskformer(transformers, num_classes=5):
    """On ResNet-50, with norms that do something."""
    torch.manual_seed(1)
    body = transformers.ResNetConfig(out_features=["stage1", "stage2", "stage3", "stage4"])
    config = transformers.MaskFormerConfig(backbone_config=body, num_labels=num_classes)
    network = transformers.MaskFormerForInstanceSegmentation(config).eval()
    randomize_norms(network)
    return network


def maskformer_in_authors_names(state):
    """The names of the authors' code, on Detectron2, where query, key and value are always fused."""
    arrays, renamed = dict(state), {}
    head, queries = "sem_seg_head.pixel_decoder", "sem_seg_head.predictor"
    for key in [key for key in arrays if "_attn.q_proj." in key]:
        layer, kind, array = re.search(r"layers\.(\d)\.(self|encoder)_attn\.q_proj\.(\w+)", key).groups()
        parts = [arrays.pop(key.replace("q_proj", f"{letter}_proj")) for letter in "qkv"]
        name = "self_attn" if kind == "self" else "multihead_attn"
        renamed[f"{queries}.transformer.decoder.layers.{layer}.{name}.in_proj_{array}"] = torch.cat(parts)
    for key, value in arrays.items():
        for pattern, name in [
            (r"model\.pixel_level_module\.encoder\.embedder\.embedder\.convolution", "backbone.stem.conv1"),
            (r"model\.pixel_level_module\.encoder\.embedder\.embedder\.normalization", "backbone.stem.conv1.norm"),
            (r"model\.pixel_level_module\.decoder\.mask_projection", f"{head}.mask_features"),
            (r"model\.pixel_level_module\.decoder\.fpn\.stem\.0", f"{head}.layer_4"),
            (r"model\.pixel_level_module\.decoder\.fpn\.stem\.1", f"{head}.layer_4.norm"),
            (r"model\.transformer_module\.queries_embedder", f"{queries}.query_embed"),
            (r"model\.transformer_module\.input_projection", f"{queries}.input_proj"),
            (r"model\.transformer_module\.decoder\.layernorm", f"{queries}.transformer.decoder.norm"),
            (r"model\.transformer_module\.decoder\.layers", f"{queries}.transformer.decoder.layers"),
            (r"class_predictor", f"{queries}.class_embed"),
            (r"mask_embedder\.(\d)\.0", rf"{queries}.mask_embed.layers.\1"),
            (r"\.self_attn_layer_norm", ".norm1"),
            (r"\.encoder_attn_layer_norm", ".norm2"),
            (r"\.final_layer_norm", ".norm3"),
            (r"\.self_attn\.o_proj", ".self_attn.out_proj"),
            (r"\.encoder_attn\.o_proj", ".multihead_attn.out_proj"),
            (r"\.mlp\.fc([12])", r".linear\1"),
        ]:  # fmt: skip
            key = re.sub(pattern, name, key)
        stage = re.fullmatch(r"model\.pixel_level_module\.decoder\.fpn\.layers\.(\d)\.(proj|block)\.([01])\.(\w+)", key)
        if stage:
            number, part, kind, array = stage.groups()
            key = f"{head}.{'adapter' if part == 'proj' else 'layer'}_{3 - int(number)}."
            key += f"norm.{array}" if kind == "1" else array
        block = re.fullmatch(r"model\.pixel_level_module\.encoder\.encoder\.stages\.(\d)\.layers\.(\d)\.(.+)", key)
        if block:
            part = re.sub(r"layer\.(\d)", lambda match: f"conv{int(match.group(1)) + 1}", block.group(3))
            part = part.replace(".convolution", "").replace("normalization", "norm")
            key = f"backbone.res{int(block.group(1)) + 2}.{block.group(2)}.{part}"
        renamed[key] = value
    return renamed


def hubs_eomt(transformers, num_classes=5, size=96):
    """EoMT-S with fewer queries, for pictures of ``size`` pixels, with scales and registers that do something."""
    torch.manual_seed(2)
    config = transformers.EomtConfig(
        hidden_size=384, num_hidden_layers=12, num_attention_heads=6, num_blocks=3, image_size=size, num_queries=7,
        num_labels=num_classes,
    )  # fmt: skip
    network = transformers.EomtForUniversalSegmentation(config).eval()
    for name, parameter in network.named_parameters():
        if "lambda1" in name or ("norm" in name and name.endswith("weight")):
            parameter.data.uniform_(0.5, 1.5)
        if "register_tokens" in name or ("norm" in name and name.endswith("bias")):
            parameter.data.normal_(0, 0.1)
    network.query.weight.data.mul_(0.1)
    return network


def eomt_in_authors_names(state):
    """The names of the authors' code, on timm's ViT, with fused query, key and value, under a trainer's prefix."""
    arrays, renamed = dict(state), {}
    for key in [key for key in arrays if ".q_proj." in key]:
        layer, array = re.search(r"layers\.(\d+)\.attention\.q_proj\.(\w+)", key).groups()
        parts = [arrays.pop(key.replace("q_proj", f"{letter}_proj")) for letter in "qkv"]
        renamed[f"encoder.backbone.blocks.{layer}.attn.qkv.{array}"] = torch.cat(parts)
    body = "encoder.backbone"
    for key, value in arrays.items():
        if key == "embeddings.position_embeddings.weight":
            key, value = f"{body}.pos_embed", value[None]
        for pattern, name in [
            (r"embeddings\.cls_token", f"{body}.cls_token"),
            (r"embeddings\.register_tokens", f"{body}.reg_token"),
            (r"embeddings\.patch_embeddings\.projection", f"{body}.patch_embed.proj"),
            (r"^layers\.", f"{body}.blocks."),
            (r"attention\.out_proj", "attn.proj"),
            (r"layer_scale([12])\.lambda1", r"ls\1.gamma"),
            (r"^layernorm\.", f"{body}.norm."),
            (r"^query\.", "q."),
            (r"class_predictor", "class_head"),
            (r"upscale_block\.block\.(\d)\.layernorm2d", r"upscale.\1.norm"),
            (r"upscale_block\.block", "upscale"),
            (r"mask_head\.fc1", "mask_head.0"),
            (r"mask_head\.fc2", "mask_head.2"),
            (r"mask_head\.fc3", "mask_head.4"),
        ]:  # fmt: skip
            key = re.sub(pattern, name, key)
        renamed[key] = value
    renamed["encoder.pixel_mean"] = renamed["encoder.pixel_std"] = torch.zeros(1, 3, 1, 1)
    return {f"network.{key}": value for key, value in renamed.items()}
