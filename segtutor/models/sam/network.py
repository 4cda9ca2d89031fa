"""Segment Anything: a picture and a prompt in, three masks and how good they seem out.

    images --> backbone --> neck --> embedding --+
                                                 +--> mask decoder --> masks, predicted IoU
    points, boxes, masks --> prompt encoder -----+

The left half runs once for a picture, the right half once for a click.

Shapes: B images, H W input, T prompts of each, N points of a prompt, E channels of the embedding h x w, m masks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.inputs import Preprocessing, check_images
from segtutor.models.sam.mask_decoder import SEVERAL, SINGLE, DecoderSizes, MaskDecoder
from segtutor.models.sam.prompt_encoder import NEGATIVE, PADDING, POSITIVE, PromptEncoder


class SegmentAnything(nn.Module):
    """The whole network.

    Args:
        backbone: Maps images to what the neck takes.
        neck: Makes the embedding, B x E x h x w.
        sizes: Of prompt encoder and mask decoder.
        stride: Pixels of the input along one place of the embedding.
        side: The longer side of the pictures that it was trained on, to which others are resized; None takes them as
            they are.

    Attributes:
        preprocessing: What it expects of an image.
    """

    def __init__(
        self, backbone: nn.Module, neck: nn.Module, sizes: DecoderSizes, stride: int, side: int | None
    ) -> None:
        super().__init__()
        self.stride, self.side = stride, side
        self.preprocessing = Preprocessing()
        self.backbone = backbone
        self.neck = neck
        self.prompt_encoder = PromptEncoder(sizes.channels, sizes.mask_channels)
        self.mask_decoder = MaskDecoder(sizes)

    def forward(
        self,
        images: Tensor,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        boxes: Tensor | None = None,
        masks: Tensor | None = None,
        several: bool = True,
    ) -> dict[str, Tensor]:
        """Masks for prompts.

        Args:
            images: B x 3 x H x W, as ``preprocessing`` makes them; H and W multiples of ``stride``.
            points: See `answer`.
            labels: See `answer`.
            boxes: See `answer`.
            masks: See `answer`.
            several: See `answer`.

        Returns:
            See `answer`.

        Raises:
            ValueError: If images or prompts do not fit.
        """
        return self.answer(self.embed(images), points, labels, boxes, masks, several)

    def embed(self, images: Tensor) -> Tensor:
        """What all prompts share: B x 3 x H x W to B x E x h x w.

        Raises:
            ValueError: If the images do not fit.
        """
        check_images(self, images, smallest=self.stride)
        height, width = images.shape[-2:]
        if height % self.stride or width % self.stride:
            raise ValueError(
                f"images must be multiples of {self.stride} pixels high and wide, but {height} x {width} came: pad "
                "them, or let segtutor.inference.Prompter do it"
            )
        return self.neck(self.backbone(images))

    def answer(
        self,
        embedding: Tensor,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        boxes: Tensor | None = None,
        masks: Tensor | None = None,
        several: bool = True,
    ) -> dict[str, Tensor]:
        """Masks for prompts on pictures that were embedded before.

        Args:
            embedding: B x E x h x w.
            points: B x T x N x 2, (x, y) in pixels of the network's input, whole numbers at the pixels' centers.
            labels: B x T x N: 1 this, 0 not this, -1 no point; 1 for all points if left out.
            boxes: B x T x 4, x0 y0 x1 y1, in the same pixels.
            masks: B x T x 4h x 4w, logits as the network gives them, 0 or below outside.
            several: Three answers, as one point needs them; False gives the single one.

        Returns:
            "masks": logits B x T x m x 4h x 4w, above 0 inside; "iou": what each one's IoU with what was meant is
            predicted to be, B x T x m.

        Raises:
            ValueError: If the prompts do not fit.
        """
        points, labels = self._check(embedding, points, labels, boxes, masks)
        size = (embedding.shape[-2], embedding.shape[-1])
        pixels = (size[0] * self.stride, size[1] * self.stride)
        tokens = self.prompt_encoder(pixels, points, labels, boxes)
        dense = self.prompt_encoder.dense(masks)
        found, iou = self.mask_decoder(embedding, self.prompt_encoder.grid(size), tokens, dense)
        # Both are cut alike: the predicted IoU of a mask stands where the mask stands.
        chosen = SEVERAL if several else SINGLE
        return {"masks": found[:, :, chosen], "iou": iou[:, :, chosen]}

    def _check(
        self,
        embedding: Tensor,
        points: Tensor | None,
        labels: Tensor | None,
        boxes: Tensor | None,
        masks: Tensor | None,
    ) -> tuple[Tensor | None, Tensor | None]:
        B = embedding.shape[0]
        if points is not None and (points.ndim != 4 or points.shape[-1] != 2 or len(points) != B):
            raise ValueError(
                f"points must be {B} images x prompts x points x 2, (x, y), but {tuple(points.shape)} came: one click "
                "(x, y) on one image is torch.tensor([[[[x, y]]]])"
            )
        if labels is not None and (points is None or labels.shape != points.shape[:3]):
            shape = None if points is None else tuple(points.shape[:3])
            raise ValueError(f"labels must be one for each point, {shape}, but {tuple(labels.shape)} came")
        if points is not None and labels is None:
            labels = torch.full(points.shape[:3], POSITIVE, device=points.device)
        if labels is not None and not _are_known(labels):
            raise ValueError(
                f"labels must be {POSITIVE} (this), {NEGATIVE} (not this) or {PADDING} (no point), but "
                f"{labels.unique().tolist()} came; give the corners of a box as boxes"
            )
        if boxes is not None and (boxes.ndim != 3 or boxes.shape[-1] != 4 or len(boxes) != B):
            raise ValueError(f"boxes must be {B} images x prompts x 4, but {tuple(boxes.shape)} came")
        wanted = tuple(4 * side for side in embedding.shape[-2:])
        if masks is not None and (masks.ndim != 4 or len(masks) != B or tuple(masks.shape[-2:]) != wanted):
            raise ValueError(
                f"masks must be {B} images x prompts x {wanted[0]} x {wanted[1]}, logits as the network gives them, "
                f"but {tuple(masks.shape)} came"
            )
        counts = {len(one[0]) for one in (points, boxes, masks) if one is not None}
        if len(counts) > 1:
            raise ValueError(f"points, boxes and masks must be as many prompts, but there are {sorted(counts)}")
        return points, labels


def _are_known(labels: Tensor) -> bool:
    """Whether all labels say something; on the meta device, which knows shapes only, there is nothing to look at."""
    return labels.is_meta or bool(torch.isin(labels, labels.new_tensor([POSITIVE, NEGATIVE, PADDING])).all())


def at_input_size(masks: Tensor, stride: int) -> Tensor:
    """Logits B x T x m x 4h x 4w at the size of the network's input: B x T x m x H x W."""
    factor = stride // 4
    large = F.interpolate(masks.flatten(0, 1), scale_factor=float(factor), mode="bilinear", align_corners=False)
    return large.unflatten(0, masks.shape[:2])
