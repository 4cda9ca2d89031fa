"""What a network expects of its input: how pixels become numbers, which sizes fit, and what is refused with a sentence.

Shapes: B images, 3 channels, H W input.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segtutor.models.sizes import larger

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
# Bytes minus 127, divided by 128, said for RGB in 0-1: EfficientNet-Lite.
LITE_MEAN = (127 / 255, 127 / 255, 127 / 255)
LITE_STD = (128 / 255, 128 / 255, 128 / 255)

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Preprocessing:
    """How an RGB image becomes the input of a network. It belongs to the weights: other weights, other numbers.

    A network that pads does so on the right and below, with the mean color (0 after normalization), and its prediction
    is cropped to the picture afterwards.

    Attributes:
        mean: Subtracted from each channel of an image in 0-1.
        std: Divides each channel after that.
        multiple: The padded height and width are ``multiple * k + remainder``; 1 pads nothing.
        remainder: See ``multiple``.
        smallest: Height and width are padded to at least this.
    """

    mean: Triple = IMAGENET_MEAN
    std: Triple = IMAGENET_STD
    multiple: int = 1
    remainder: int = 0
    smallest: int = 1

    def normalize(self, images: Tensor) -> Tensor:
        """Numbers for the network.

        Args:
            images: 3 x H x W or B x 3 x H x W, RGB; uint8 in 0-255 or floating point in 0-1.

        Returns:
            The same shape in floating point.

        Raises:
            ValueError: If the channels are not three, or the values are neither bytes nor in 0-1.
        """
        if images.ndim not in (3, 4) or images.shape[-3] != 3:
            raise ValueError(
                f"an image must be 3 x H x W or B x 3 x H x W, but {tuple(images.shape)} came; "
                "put the channels first, and convert gray or transparent pictures to RGB"
            )
        if images.dtype == torch.uint8:
            images = images.float() / 255
        elif not images.is_floating_point():
            raise ValueError(f"an image must be uint8 (0-255) or floating point (0-1), but {images.dtype} came")
        elif images.numel() and not (images.min() >= -1e-3 and images.max() <= 1 + 1e-3):
            raise ValueError(
                f"a floating-point image must lie in 0-1, but values from {images.min():.3g} to {images.max():.3g} "
                "came; divide by 255, or do not normalize twice"
            )
        mean = images.new_tensor(self.mean)[:, None, None]
        std = images.new_tensor(self.std)[:, None, None]
        return (images - mean) / std

    def padded_size(self, height: int, width: int) -> tuple[int, int]:
        """Smallest size that the network wants and that holds the picture.

        >>> Preprocessing(multiple=32, remainder=1).padded_size(33, 34)
        (33, 65)
        """

        def fit(side: int) -> int:
            side = larger(side, self.smallest)
            # As (remainder - side) % multiple, but in numbers that are never below 0: exporters follow them.
            return side + (self.remainder + (self.multiple - 1) * side) % self.multiple

        return fit(height), fit(width)

    def pad(self, normalized: Tensor) -> Tensor:
        """Grows normalized images (..., H, W) on the right and below to ``padded_size``, in the mean color."""
        height, width = normalized.shape[-2:]
        padded_height, padded_width = self.padded_size(height, width)
        return nn.functional.pad(normalized, (0, padded_width - width, 0, padded_height - height))


class PooledBatchNorm2d(nn.BatchNorm2d):
    """Batch norm of a map that was pooled to 1 x 1: one value per channel and image, so a batch of one has no variance.

    It computes what ``nn.BatchNorm2d`` does. Its type lets ``check_images`` refuse such a batch before anything runs.
    """


def check_images(model: nn.Module, images: Tensor, smallest: int, stride: int = 0) -> None:
    """Refuses what the network cannot take, before any layer has run.

    Args:
        model: The network, in training or evaluation mode.
        images: What came.
        smallest: Least height and width.
        stride: An image of at most this height and width leaves a deepest map of one pixel; 0 if none does.

    Raises:
        ValueError: With what came, what is allowed and what to do.
    """
    if not isinstance(images, Tensor):
        raise ValueError(f"images must be a torch tensor B x 3 x H x W, but a {type(images).__name__} came")
    if images.ndim != 4:
        hint = "; add the batch dimension with images[None]" if images.ndim == 3 else ""
        raise ValueError(f"images must be B x 3 x H x W, but {images.ndim} dimensions {tuple(images.shape)} came{hint}")
    batch, channels, height, width = images.shape
    if batch == 0:
        raise ValueError(f"images must hold at least one image, but {tuple(images.shape)} came")
    if channels != 3:
        hint = "; move the channels with images.permute(0, 3, 1, 2)" if width == 3 else "; convert the pictures to RGB"
        raise ValueError(f"images must have 3 channels, but {channels} came in {tuple(images.shape)}{hint}")
    if not images.is_floating_point():
        raise ValueError(
            f"images must be floating point, but {images.dtype} came; model.preprocessing.normalize(images) converts"
        )
    if min(height, width) < smallest:
        raise ValueError(
            f"images must be at least {smallest} x {smallest} pixels, but {height} x {width} came; pad or enlarge them"
        )
    if batch > 1 or not model.training:
        return
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d) and module.training]
    if any(isinstance(module, PooledBatchNorm2d) for module in norms):
        raise ValueError(
            "a batch of one image cannot train this network: its image pooling leaves one value per channel, and batch "
            "norm needs two; use a batch of two or more (drop_last=True in the loader), or call .eval() to predict"
        )
    if norms and max(height, width) <= stride:
        raise ValueError(
            f"a batch of one image of {height} x {width} pixels cannot train this network: its deepest map is one "
            "pixel, and batch norm needs two; use larger images or a batch of two or more (drop_last=True in the "
            "loader), or call .eval() to predict"
        )
