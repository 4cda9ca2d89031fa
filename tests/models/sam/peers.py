"""The transformers library's SAM, and its arrays under the authors' names: tools of the tests."""

import re

import torch

from segtutor.models.sam.image_encoder import EncoderSizes, ImageTransformer, Neck
from segtutor.models.sam.mask_decoder import DecoderSizes
from segtutor.models.sam.network import SegmentAnything

SMALL = EncoderSizes(channels=48, depth=3, heads=4, whole=(1,), window=4, grid=10)
SMALL_DECODER = DecoderSizes(channels=64, hidden=96, inner=32)


def small():
    """Ours with few channels; 10 x 10 patches are no multiple of windows of 4."""
    return SegmentAnything(ImageTransformer(SMALL), Neck(48, 64), SMALL_DECODER, stride=16, side=160).eval()


def hubs_sam(transformers, encoder=SMALL, decoder=SMALL_DECODER):
    """With these sizes, arrays that all do something, and the epsilon of the authors' norms."""
    torch.manual_seed(0)
    side = encoder.patch * encoder.grid
    vision = {
        "hidden_size": encoder.channels, "num_hidden_layers": encoder.depth, "num_attention_heads": encoder.heads,
        "image_size": side, "window_size": encoder.window, "global_attn_indexes": list(encoder.whole),
        "output_channels": decoder.channels, "num_pos_feats": decoder.channels // 2,
    }  # fmt: skip
    prompts = {"hidden_size": decoder.channels, "image_size": side}
    masks = {
        "hidden_size": decoder.channels, "mlp_dim": decoder.hidden, "iou_head_hidden_dim": decoder.channels
    }  # fmt: skip
    config = transformers.SamConfig(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=masks)
    network = transformers.SamModel(config).eval()
    for name, parameter in network.named_parameters():
        if "norm" in name and name.endswith("weight"):
            parameter.data.uniform_(0.5, 1.5)
        elif "positional_embedding" in name:
            parameter.data.normal_()
        elif parameter.ndim == 1 or "pos_embed" in name or "rel_pos" in name:
            parameter.data.normal_(0, 0.1)
        elif "point_embed" in name or "_embed.weight" in name or "iou_token" in name or "mask_tokens" in name:
            parameter.data.normal_()
        else:
            parameter.data.normal_(0, parameter[0].numel() ** -0.5)
    for layer in network.mask_decoder.transformer.layers:
        for norm in (layer.layer_norm1, layer.layer_norm2, layer.layer_norm3, layer.layer_norm4):
            norm.eps = 1e-5  # the authors'; the library's is 1e-6
    return network


def in_authors_names(state):
    """The names of the authors' code."""
    renamed = {}
    for key, value in state.items():
        for pattern, name in [
            (r"^vision_encoder\.neck\.conv1", "image_encoder.neck.0"),
            (r"^vision_encoder\.neck\.layer_norm1", "image_encoder.neck.1"),
            (r"^vision_encoder\.neck\.conv2", "image_encoder.neck.2"),
            (r"^vision_encoder\.neck\.layer_norm2", "image_encoder.neck.3"),
            (r"^vision_encoder\.patch_embed\.projection", "image_encoder.patch_embed.proj"),
            (r"^vision_encoder\.layers\.(\d+)\.layer_norm", r"image_encoder.blocks.\1.norm"),
            (r"^vision_encoder\.layers", "image_encoder.blocks"),
            (r"^vision_encoder", "image_encoder"),
            (r"^shared_image_embedding\.positional_embedding",
             "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"),
            (r"^prompt_encoder\.point_embed", "prompt_encoder.point_embeddings"),
            (r"^prompt_encoder\.mask_embed\.conv1", "prompt_encoder.mask_downscaling.0"),
            (r"^prompt_encoder\.mask_embed\.layer_norm1", "prompt_encoder.mask_downscaling.1"),
            (r"^prompt_encoder\.mask_embed\.conv2", "prompt_encoder.mask_downscaling.3"),
            (r"^prompt_encoder\.mask_embed\.layer_norm2", "prompt_encoder.mask_downscaling.4"),
            (r"^prompt_encoder\.mask_embed\.conv3", "prompt_encoder.mask_downscaling.6"),
            (r"transformer\.layers\.(\d)\.layer_norm", r"transformer.layers.\1.norm"),
            (r"layer_norm_final_attn", "norm_final_attn"),
            (r"upscale_conv1", "output_upscaling.0"),
            (r"upscale_layer_norm", "output_upscaling.1"),
            (r"upscale_conv2", "output_upscaling.3"),
            (r"(mlps\.\d|iou_prediction_head)\.layers\.0", r"\1.layers.1"),
            (r"\.proj_in\.", ".layers.0."),
            (r"\.proj_out\.", ".layers.2."),
        ]:  # fmt: skip
            key = re.sub(pattern, name, key)
        if key != "prompt_encoder.shared_embedding.positional_embedding":
            renamed[key] = value
    return renamed
