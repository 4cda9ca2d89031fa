"""U-Net: down to see much, up to say where, and at every level the map of the way down beside the map of the way up.

Ronneberger, Fischer, Brox: U-Net: Convolutional Networks for Biomedical Image Segmentation, 2015 (arXiv 1505.04597).

    images --> 2 x 3x3 ----------------------- crop, concat --> 2 x 3x3 --> 1x1 --> logits
                  | pool                            ^ 2x2 up
                  2 x 3x3 ----------- crop, concat --> 2 x 3x3
                     | pool                  ^ 2x2 up
                     ...   (four times)   ...

Every 3 x 3 convolution takes a pixel from each side, so 572 x 572 pixels give 388 x 388 logits (Fig. 1): 92 pixels on
each side are seen, but not labeled. To label a whole picture, it is mirrored there (§2, "overlap-tile").

Shapes: B images, C channels, K classes, H W picture, h w map.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.differences import Difference
from segtutor.models.inputs import Preprocessing, check_images
from segtutor.models.sizes import crop
from segtutor.models.upsampling import TransposedConvolution

Skip = Literal["concat", "sum", "none"]


class DoubleConvolution(nn.Sequential):
    """Two 3 x 3 convolutions with ReLU (Fig. 1, the blue arrows)."""

    def __init__(self, in_channels: int, channels: int, padding: int, norm: bool) -> None:
        layers: list[nn.Module] = []
        for width in (in_channels, channels):
            layers.append(nn.Conv2d(width, channels, 3, padding=padding))
            layers += [nn.BatchNorm2d(channels)] if norm else []
            layers.append(nn.ReLU())
        super().__init__(*layers)


class UNet(nn.Module):
    """The way down, the way up, and what joins them.

    Args:
        num_classes: K.
        widths: C of each level, the finest first.
        padded: Whether 3 x 3 convolutions pad with zeros, so that maps keep their size; the paper's do not.
        norm: Whether batch norm stands behind each of them; the paper has none.
        skip: How the map of the way down joins: "concat" as in the paper, "sum", or "none".
    """

    def __init__(self, num_classes: int, widths: tuple[int, ...], padded: bool, norm: bool, skip: Skip) -> None:
        super().__init__()
        if skip not in ("concat", "sum", "none"):
            raise ValueError(f"skip must be 'concat', 'sum' or 'none', but {skip!r} came")
        self.padded, self.skip, self.levels = padded, skip, len(widths)
        padding = int(padded)
        self.down = nn.ModuleList(
            DoubleConvolution(widths[level - 1] if level else 3, width, padding, norm)
            for level, width in enumerate(widths)
        )
        rising = list(zip(widths[:0:-1], widths[-2::-1], strict=True))  # (below, here), the deepest first
        self.rise = nn.ModuleList(TransposedConvolution(below, here, 2, stride=2) for below, here in rising)
        self.up = nn.ModuleList(
            DoubleConvolution(2 * here if skip == "concat" else here, here, padding, norm) for _, here in rising
        )
        self.dropout = nn.Dropout(0.5)  # "at the end of the contracting path" (§3.1)
        self.classifier = nn.Conv2d(widths[0], num_classes, 1)
        self.preprocessing = Preprocessing()
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")  # §3: standard deviation sqrt(2 / N)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Logits of every pixel; an unpadded network sees the picture mirrored beyond its borders.

        Args:
            images: B x 3 x H x W, as ``preprocessing`` makes them.

        Returns:
            "out": B x K x H x W.

        Raises:
            ValueError: If the images do not fit.
        """
        check_images(self, images, smallest=2 ** (self.levels - 1))
        H, W = images.shape[-2:]
        before, (height, width) = self.margin, self.input_size(H, W)
        sides = (before, width - W - before, before, height - H - before)
        # Zeros around the picture where convolutions bring zeros anyway; its mirror image where they bring nothing.
        images = F.pad(images, sides) if self.padded else mirrored(images, sides)
        return {"out": crop(self.valid(images), (H, W))}

    def valid(self, images: Tensor) -> Tensor:
        """What Fig. 1 shows: B x 3 x h x w to logits, smaller by ``margin`` on each side if the network is unpadded.

        Args:
            images: Of a size that `input_size` gives, so that every map that is pooled has even sides.
        """
        maps, features = [], images
        for level, block in enumerate(self.down):
            features = block(F.max_pool2d(features, 2) if level else features)
            maps.append(features)
        features = self.dropout(maps.pop())
        for rise, block, lost in zip(self.rise, self.up, self._lost(), strict=True):
            features = rise(features)
            # The middle of the map of the way down (Fig. 1, the gray arrows).
            skip = crop(maps.pop(), (features.shape[-2], features.shape[-1]), lost)
            if self.skip == "concat":
                features = torch.cat([skip, features], dim=1)
            elif self.skip == "sum":
                features = skip + features
            features = block(features)
        logits: Tensor = self.classifier(features)
        return logits

    @property
    def margin(self) -> int:
        """Pixels on each side that an unpadded network sees but does not label: 92 with five levels."""
        if self.padded:
            return 0
        # Two pixels a level and side on the way down and up, each worth 2^level of the picture; the deepest only once.
        return sum(2 * 2 * 2**level for level in range(self.levels - 1)) + 2 * 2 ** (self.levels - 1)

    def _lost(self) -> list[int]:
        """By how many pixels on each side the way up is smaller than the way down at its level, the deepest first."""
        lost, result = 0, []
        for number in range(self.levels - 1):
            # Two convolutions take 2 pixels on the way down, and two more on the way up, but not at the bottom.
            lost = 0 if self.padded else 2 * (lost + (4 if number else 2))
            result.append(lost)
        return result

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """The smallest size whose logits cover a picture, and whose maps can all be halved.

        >>> with torch.device("meta"):
        ...     network = unet()
        >>> network.input_size(388, 388)
        (572, 572)
        """
        unit, lost = 2 ** (self.levels - 1), 0 if self.padded else 4

        def fit(side: int) -> int:
            # At each level two convolutions take 4 pixels, and the rest must be even: the side is a multiple of the
            # unit, less 4.
            least = side + 2 * self.margin
            # As (-lost - least) % unit, but in numbers that are never below 0: exporters follow them.
            return least + (unit - 1) * (least + lost) % unit

        return fit(height), fit(width)

    @property
    def num_classes(self) -> int:
        """Number of classes K."""
        return self.classifier.out_channels

    def final_layers(self) -> tuple[str, ...]:
        """Name of the layer whose output is one channel per class."""
        return ("classifier",)


def mirrored(images: Tensor, sides: tuple[int, int, int, int]) -> Tensor:
    """The picture continued by its mirror image, again and again where it is small.

    Args:
        images: B x 3 x H x W, at least two pixels along each side.
        sides: Pixels to add on the left, right, top, bottom.
    """
    left, right, top, bottom = sides
    for axis, before, after in ((-2, top, bottom), (-1, left, right)):
        last = images.shape[axis] - 1
        # There and back again: 0, 1, ..., last, ..., 1, 0, 1, ...
        places = torch.arange(-before, last + 1 + after, device=images.device)
        places = places % torch.full_like(places, 2 * last)  # by a tensor: exporters have no remainder by a size
        images = images.index_select(axis, last - (places - last).abs())
    return images


def unet(num_classes: int = 21, *, skip: Skip = "concat") -> UNet:
    """U-Net as published: five levels of 64 to 1,024 channels, no padding, no batch norm.

    Args:
        num_classes: K.
        skip: How the map of the way down joins that of the way up: "concat", "sum" or "none".
    """
    return UNet(num_classes, (64, 128, 256, 512, 1024), padded=False, norm=False, skip=skip)


def unet_tiny(num_classes: int = 21, *, padded: bool = True, skip: Skip = "concat") -> UNet:
    """U-Net with four levels of 16 to 128 channels and batch norm: trains on a processor in minutes.

    Args:
        num_classes: K.
        padded: Whether 3 x 3 convolutions pad with zeros, so that maps keep their size.
        skip: How the map of the way down joins that of the way up: "concat", "sum" or "none".
    """
    return UNet(num_classes, (16, 32, 64, 128), padded=padded, norm=True, skip=skip)


# Paper: arXiv 1505.04597. Reference: the authors' Caffe network. torchvision has no U-Net. Ours: unet.
DIFFERENCES = (
    Difference("input channels", "1", "1", "-", "3: colors"),
    Difference("padding of the 3 x 3", "none", "none", "-", "none"),
    Difference("batch norm", "none", "none", "-", "none"),
    Difference("the 2 x 2 on the way up", "transposed convolution, half the channels", "the same", "-", "the same"),
    Difference("order of the concatenation", "way down, way up (Fig. 1)", "-", "-", "way down, way up"),
    Difference("beyond the border", "mirrored", "mirrored", "-", "mirrored"),
    Difference("dropout", "end of the way down", "0.5 on the two deepest levels", "-", "0.5 on the deepest"),
)
