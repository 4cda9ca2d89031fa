"""SAM by name: the paper's three, and one that trains on a processor."""

from __future__ import annotations

from torch import nn

from segtutor.models.differences import Difference
from segtutor.models.mask_rcnn.fpn import TinyBody
from segtutor.models.sam.image_encoder import EncoderSizes, ImageTransformer, Neck, PyramidNeck
from segtutor.models.sam.mask_decoder import DecoderSizes, MaskDecoder
from segtutor.models.sam.network import SegmentAnything
from segtutor.models.sam.two_way import TwoWayBlock

VIT_B = EncoderSizes(768, 12, 12, (2, 5, 8, 11))
VIT_L = EncoderSizes(1024, 24, 16, (5, 11, 17, 23))
VIT_H = EncoderSizes(1280, 32, 16, (7, 15, 23, 31))
TINY = DecoderSizes(channels=40, heads=4, hidden=80, inner=40, mask_channels=16)


class FrozenBody(TinyBody):
    """The course's small residual network, which learns nothing here: a few weights behind it are the checkpoint."""

    def __init__(self) -> None:
        super().__init__(frozen_stages=4)
        self.train()

    def train(self, mode: bool = True) -> FrozenBody:
        """Batch norm stays as it is, too."""
        return super().train(False)


def sam_vit_b(num_classes: int = 1) -> SegmentAnything:
    """SAM on ViT-B.

    Args:
        num_classes: 1: SAM finds masks and knows no classes.
    """
    return _sam(VIT_B, num_classes)


def sam_vit_l(num_classes: int = 1) -> SegmentAnything:
    """SAM on ViT-L; arguments as `sam_vit_b`."""
    return _sam(VIT_L, num_classes)


def sam_vit_h(num_classes: int = 1) -> SegmentAnything:
    """SAM on ViT-H; arguments as `sam_vit_b`."""
    return _sam(VIT_H, num_classes)


def sam_tiny(num_classes: int = 1, finer: bool = True) -> SegmentAnything:
    """SAM's prompt encoder and decoder, small, on the course's small residual network, which stays as it is.

    The embedding has stride 8, and so the masks half the height and width of the picture; a map of stride 4 joins it.

    Args:
        num_classes: 1: SAM finds masks and knows no classes.
        finer: With that map; SAM itself has none.
    """
    _no_classes(num_classes)
    body = FrozenBody()
    network = SegmentAnything(body, PyramidNeck(body.channels, 48, TINY.channels, finer), TINY, stride=8, side=None)
    look_at_the_click(network.mask_decoder)
    return network


def look_at_the_click(decoder: MaskDecoder, strength: float = 1.5) -> None:
    """Begins all attention between tokens and map with the same matrix for questions and answers, a random rotation.

    What has the same code of its place then asks for each other from the first step on. The authors had a million
    pictures to learn this from.

    Args:
        decoder: Changed in place.
        strength: Factor of the rotation.
    """
    layers = [decoder.transformer.ask_map]
    for block in decoder.transformer.modules():
        if isinstance(block, TwoWayBlock):
            layers += [block.ask_map, block.ask_tokens]
    for layer in layers:
        nn.init.orthogonal_(layer.query.weight, gain=strength)
        layer.key.load_state_dict(layer.query.state_dict())
        nn.init.zeros_(layer.query.bias)
        nn.init.zeros_(layer.key.bias)


def _sam(sizes: EncoderSizes, num_classes: int) -> SegmentAnything:
    _no_classes(num_classes)
    decoder = DecoderSizes()
    neck: nn.Module = Neck(sizes.channels, decoder.channels)
    return SegmentAnything(ImageTransformer(sizes), neck, decoder, sizes.patch, side=sizes.patch * sizes.grid)


def _no_classes(num_classes: int) -> None:
    if num_classes != 1:
        raise ValueError(f"SAM finds masks and knows no classes, but num_classes={num_classes!r} came: leave it out")


# Paper: arXiv 2304.02643. Reference: the authors' PyTorch code. torchvision has none. Ours: sam_vit_b.
DIFFERENCES = (
    Difference("first attention among the tokens", "added to the tokens", "replaces the tokens", "-",
               "replaces the tokens"),
    Difference("epsilon of the two-way blocks' norms", "none told", "1e-5", "-", "1e-5"),
    Difference("the same in the transformers library", "-", "1e-6, the last 1e-5", "-", "1e-5"),
    Difference("pictures of another size", "resized to 1024 x 1024", "longer side to 1024, padded", "-",
               "longer side to 1024, padded; other sizes by resized positions"),
    Difference("threshold of the masks", "none told", "logit 0", "-", "logit 0"),
    Difference("a click at (x, y)", "none told", "half a pixel added", "-", "half a pixel added"),
    Difference("random directions of the code of places", "random, fixed", "a buffer, not counted", "-",
               "a buffer, not counted"),
)  # fmt: skip
