"""Things that move over eight frames: one click in the first, and what is remembered of it in the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from segtutor.claims.claim import Claim, Expectation, Values, percent
from segtutor.claims.experiments.prompts.clicks import network
from segtutor.claims.masks import APART, SegmentPictures, segments
from segtutor.claims.sam_checkpoint import SIZE
from segtutor.inference import Prompter
from segtutor.inference.clicks import iou_of, middle
from segtutor.models.attention import size_of

FRAMES = 8
HIDDEN = (4, 5)
"""Frames in which something passes in front of the thing."""
SPEED = (5.0, 8.0)
"""Pixels from one frame to the next."""
AREA = (150, 2000)
"""Pixels of a thing that moves."""
SEQUENCES = 24
SHORT = 3
SEEN = 25
"""Fewer visible pixels, and there is nothing to find in a frame."""

Memory = Literal["none", "last mask", "first frame"]


@dataclass(frozen=True, eq=False)
class Moving:
    """A thing that moves through a picture that stands still.

    Attributes:
        frames: Of 3 x H x W uint8.
        masks: Where the thing is seen in each, H x W bool.
        label: Its class.
    """

    frames: tuple[Tensor, ...]
    masks: tuple[np.ndarray, ...]
    label: int


def cut(pictures: SegmentPictures, index: int, area: tuple[int, int]) -> tuple[Tensor, Tensor, int] | None:
    """A thing of a picture that has so many pixels and does not touch the border.

    Returns:
        Its pixels 3 x h x w, where it is in there, h x w bool, and its class; None if there is none.
    """
    image, target = pictures[index]
    for one in target["segments_info"]:
        own = target["segments"] == one["id"]
        rows, columns = own.any(1).nonzero()[:, 0], own.any(0).nonzero()[:, 0]
        if not one["isthing"] or not area[0] <= int(own.sum()) <= area[1]:
            continue
        top, bottom, left, right = (int(side) for side in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
        if top and left and bottom < own.shape[0] and right < own.shape[1]:
            return image[:, top:bottom, left:right], own[top:bottom, left:right], int(one["category_id"])
    return None


def paste(frame: Tensor, thing: Tensor, shape: Tensor, place: tuple[int, int]) -> np.ndarray:
    """Puts a thing into a frame, which is changed, its upper left corner at (x, y); where it is seen, H x W bool."""
    seen = torch.zeros(frame.shape[-2:], dtype=torch.bool)
    height, width = shape.shape
    (x, y), (H, W) = place, frame.shape[-2:]
    inside = (slice(max(y, 0), min(y + height, H)), slice(max(x, 0), min(x + width, W)))
    of_thing = (slice(max(-y, 0), min(H - y, height)), slice(max(-x, 0), min(W - x, width)))
    seen[inside] = shape[of_thing]
    frame[:, seen] = thing[(slice(None), *of_thing)][:, shape[of_thing]]
    return seen.numpy()


@lru_cache(maxsize=4)
def sequences(world: int, count: int) -> tuple[Moving, ...]:
    """Drawn from a world's scenes: a picture, a thing of the next one that moves, another that passes before it."""
    pictures = segments("test", 6 * count, APART, SIZE, world=20 + world)
    generator = np.random.default_rng(world)
    found: list[Moving] = []
    for index in range(0, len(pictures) - 2, 3):
        moving, passing = cut(pictures, index + 1, AREA), cut(pictures, index + 2, (AREA[0], 4 * AREA[1]))
        if moving is None or passing is None or len(found) == count:
            continue
        found.append(moved(pictures[index][0], moving, passing, generator))
    return tuple(found)


def moved(
    picture: Tensor,
    moving: tuple[Tensor, Tensor, int],
    passing: tuple[Tensor, Tensor, int],
    generator: np.random.Generator,
) -> Moving:
    """One sequence: on a straight line to a side, there hidden, and on."""
    thing, shape, label = moving
    (height, width), (H, W) = shape.shape, picture.shape[-2:]
    speed = generator.uniform(*SPEED) * generator.choice([-1, 1])
    path = abs(speed) * (FRAMES - 1)
    left = generator.uniform(0, max(W - width - path, 1)) + (path if speed < 0 else 0)
    top = generator.uniform(0, max(H - height, 1))
    drift = generator.uniform(-1, 1)
    frames, masks = [], []
    for number in range(FRAMES):
        frame = picture.clone()
        x, y = round(left + speed * number), round(top + drift * number)
        seen = paste(frame, thing, shape, (x, y))
        if number in HIDDEN:  # in the middle of the thing, and large enough to cover the most of it
            other, outline, _ = passing
            scale = 1.2 * max(height / outline.shape[0], width / outline.shape[1])
            size = [max(round(side * scale), 1) for side in outline.shape]
            other = F.interpolate(other[None].float(), size, mode="bilinear")[0].to(torch.uint8)
            outline = F.interpolate(outline[None, None].float(), size, mode="nearest")[0, 0] > 0
            seen = seen & ~paste(frame, other, outline, (x + (width - size[1]) // 2, y + (height - size[0]) // 2))
        frames.append(frame)
        masks.append(seen)
    return Moving(tuple(frames), tuple(masks), label)


class Following:
    """A click in the first frame, and a way to ask in the others.

    Args:
        memory: "none", the same click again; "last mask", a click in the middle of the last frame's mask; "first
            frame", a click where the frame looks most like what the first frame's mask covered.
    """

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def __call__(self, seed: int, short: bool) -> Values:
        """IoU in the first frame, before the thing is hidden, and after."""
        found = [self.follow(one) for one in sequences(seed, SHORT if short else SEQUENCES)]
        parts = {"first": slice(0, 1), "before": slice(1, HIDDEN[0]), "after": slice(HIDDEN[-1] + 1, None)}
        return {name: float(np.nanmean([one[part] for one in found])) for name, part in parts.items()}

    def follow(self, sequence: Moving) -> list[float]:
        """IoU in each frame; NaN where too little is seen of the thing."""
        click = middle(sequence.masks[0])
        remembered: Tensor | None = None
        values: list[float] = []
        for frame, truth in zip(sequence.frames, sequence.masks, strict=True):
            prompter = Prompter(network(), frame)
            if remembered is not None and self.memory == "first frame":
                click = most_alike(prompter.embedding[0], remembered)
            answer = prompter.ask([click])
            mask = answer.masks[answer.best].numpy()
            values.append(iou_of(mask, truth, np.ones_like(truth)) if truth.sum() >= SEEN else float("nan"))
            if remembered is None:
                remembered = mean_of(prompter.embedding[0], mask)
            if self.memory == "last mask" and mask.any():
                click = middle(mask)
        return values


def mean_of(embedding: Tensor, mask: np.ndarray) -> Tensor:
    """The mean of an embedding E x h x w under a mask H x W: E numbers."""
    share = F.adaptive_avg_pool2d(torch.from_numpy(mask)[None, None].float(), size_of(embedding))[0, 0]
    return (embedding * share).sum((1, 2)) / share.sum().clamp_min(1e-6)


def most_alike(embedding: Tensor, remembered: Tensor) -> tuple[int, int]:
    """(x, y) of the place whose surroundings are most like what is remembered, by the cosine."""
    # The finer map knows edges and colors, and nothing of what it is.
    embedding, remembered = (one[: network().mask_decoder.iou_token.shape[1]] for one in (embedding, remembered))
    alike = F.cosine_similarity(embedding, remembered[:, None, None], dim=0)
    alike = F.avg_pool2d(alike[None, None], 3, stride=1, padding=1, count_include_pad=False)[0, 0]
    row, column = divmod(int(alike.argmax()), alike.shape[1])
    stride = network().stride
    return stride * column + stride // 2, stride * row + stride // 2


_FOLLOWING: dict[str, Any] = {
    "no memory": Following("none"),
    "the last mask": Following("last mask"),
    "the first frame": Following("first frame"),
}

MEMORY = Claim(
    name="prompts.memory",
    title="A click that is to last for eight frames",
    sentence="A network that answers clicks forgets them with the picture; what follows a thing through a video is a "
    "memory, and after the thing was hidden only one that knows what it looked like.",
    source="Ravi et al. 2024 (SAM 2), §4",
    paper="SAM 2.1 large, a memory of the last six frames and of all that were clicked on: J&F 79.5 % on SA-V test",
    changes="where frames 2 to 8 are clicked on: where the first was; in the middle of the last frame's mask; where "
    "the embedding is most like the mean under the first frame's mask",
    same=f"the course's trained sam_tiny and the mask that it thinks best of; {SEQUENCES} sequences of {FRAMES} frames "
    f"of {SIZE[0]} x {SIZE[1]} for each seed, one true click in the first; a thing moves by {SPEED[0]:g} to "
    f"{SPEED[1]:g} pixels a frame, and in frames {HIDDEN[0] + 1} and {HIDDEN[1] + 1} another passes before it. SAM 2 "
    "has learned its memory; these are rules",
    variants=_FOLLOWING,
    measures=(
        percent("first", "IoU in the frame of the click"),
        percent("before", f"in frames 2 to {HIDDEN[0]}"),
        percent("after", f"in frames {HIDDEN[-1] + 2} to {FRAMES}, after it was hidden"),
    ),
    expectations=(
        Expectation("a memory of the last mask follows the thing", "before", "the last mask", "no memory"),
        Expectation("after it was hidden, what it looked like finds it better", "after", "the first frame",
                    "the last mask"),
        Expectation("and better than no memory", "after", "the first frame", "no memory"),
    ),
)  # fmt: skip
