"""How a promptable network is asked while it learns: what about a picture, where next, and what its answers cost.

Shapes: B pictures H x W, T prompts of each, N points of a prompt, R = B T.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from segtutor.models.sam import SegmentAnything
from segtutor.models.sam.losses import FOCAL_WEIGHT, prompt_losses
from segtutor.models.sam.network import at_input_size


@dataclass(frozen=True)
class PromptSettings:
    """How a promptable network is asked while it learns.

    Attributes:
        prompts: T, targets of each picture.
        rounds: Answers to each prompt, with one more click before each but the first.
        own_errors: Further clicks go where the last answer was wrong; False puts them anywhere.
        region: Share of targets that are all of a class instead of one object.
        box: Share of steps whose prompts begin with a box.
        several: A lone click is answered by several masks, of which the best learns; False trains the single one.
        smallest: Objects with fewer visible pixels are no targets.
        focal_weight: What focal loss counts against Dice loss. With the authors' 20 a fresh small network learns for
            some 150 steps that nothing is inside, before it looks at the click; with 2 for half as many.
    """

    prompts: int = 4
    rounds: int = 2
    own_errors: bool = True
    region: float = 0.5
    box: float = 0.2
    several: bool = True
    smallest: int = 40
    focal_weight: float = FOCAL_WEIGHT


@dataclass(frozen=True)
class Prompts:
    """What is asked about a picture.

    Attributes:
        targets: What is meant, T x H x W bool.
        known: Pixels that count, H x W bool.
        points: The first click on each, T x 2, (x, y).
        boxes: Around each, a little off, T x 4.
    """

    targets: Tensor
    known: Tensor
    points: Tensor
    boxes: Tensor


def draw_prompts(segments: Tensor, info: Iterable[Mapping[str, Any]], settings: PromptSettings) -> Prompts:
    """Targets, and a click on each, by Python's generator.

    An object is drawn, things three times as often as stuff; a click into it; and then whether it alone is meant, or
    all of its class.

    Args:
        segments: H x W numbers, 0 for void.
        info: Of each segment its "id", "category_id" and "isthing".
        settings: How many, and which.
    """
    numbers = segments.numpy()
    areas = np.bincount(numbers.ravel(), minlength=int(numbers.max()) + 1)
    there = [one for one in info if areas[one["id"]] >= settings.smallest] or list(info)
    weights = [3 if one["isthing"] else 1 for one in there]
    targets, points, boxes = [], [], []
    for one in random.choices(there, weights, k=settings.prompts):
        own = numbers == one["id"]
        rows, columns = np.nonzero(own)
        place = random.randrange(len(rows))
        points.append((float(columns[place]), float(rows[place])))
        if random.random() < settings.region:
            own = np.isin(numbers, [other["id"] for other in there if other["category_id"] == one["category_id"]])
        targets.append(own)
        boxes.append(shaken_box(own))
    return Prompts(
        torch.from_numpy(np.stack(targets)),
        segments != 0,
        torch.tensor(points),
        torch.tensor(boxes, dtype=torch.float32),
    )


def shaken_box(mask: np.ndarray) -> list[float]:
    """The box around a mask, each side moved by a tenth of its length at random, 20 pixels at most (SAM §A)."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    sides = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    spread = [0.1 * (sides[2] - sides[0]), 0.1 * (sides[3] - sides[1])] * 2
    limits = [mask.shape[1], mask.shape[0]] * 2
    moved = [side + min(max(random.gauss(0, s), -20), 20) for side, s in zip(sides, spread, strict=True)]
    return [float(min(max(side, 0), limit)) for side, limit in zip(moved, limits, strict=True)]


def next_clicks(masks: Tensor, targets: Tensor, known: Tensor, anywhere: bool = False) -> tuple[Tensor, Tensor]:
    """One more click on each mask, drawn from the pixels where it is wrong; from all that count if there are none.

    Args:
        masks: Logits R x H x W.
        targets: R x H x W bool.
        known: R x H x W bool.
        anywhere: Do not look where it is wrong.

    Returns:
        Points R x 2, (x, y), and labels R: 1 where the target is, 0 elsewhere.
    """
    wrong = ((masks > 0) != targets) & known
    right = ~wrong.flatten(1).any(1)
    allowed = torch.where(right[:, None, None] | torch.full_like(right, anywhere)[:, None, None], known, wrong)
    # The n-th pixel that is allowed, by counting: a tenth of what torch.multinomial takes.
    counted = allowed.flatten(1).cumsum(1, dtype=torch.int32)
    wanted = (torch.rand(len(counted), 1, device=counted.device) * counted[:, -1:]).int()
    chosen = torch.searchsorted(counted, wanted, right=True)[:, 0].clamp_max(counted.shape[1] - 1)
    width = masks.shape[-1]
    points = torch.stack([chosen % width, chosen // width], dim=1).float()
    return points, targets.flatten(1).gather(1, chosen[:, None])[:, 0].long()


def losses_of_prompts(
    network: SegmentAnything, images: Tensor, prompts: Prompts, settings: PromptSettings
) -> dict[str, Tensor]:
    """Asks, answers, asks again.

    Args:
        network: In training mode.
        images: B x 3 x H x W, normalized.
        prompts: Of all pictures: targets B x T x H x W, known B x H x W, points B x T x 2, boxes B x T x 4.
        settings: How it is asked.

    Returns:
        "focal", "dice" and "iou", means over prompts and rounds.
    """
    embedding = network.embed(images)
    B, T = prompts.points.shape[:2]
    targets = prompts.targets.flatten(0, 1)
    known = prompts.known[:, None].expand(-1, T, -1, -1).flatten(0, 1)
    boxes = prompts.boxes if torch.rand(()) < settings.box else None
    points = prompts.points[:, :, None] if boxes is None else None
    labels = None if points is None else torch.ones(points.shape[:3], dtype=torch.int64, device=points.device)
    masks = None
    total: dict[str, Tensor] = {}
    for number in range(settings.rounds):
        # differs: a box, which leaves little doubt, is answered by the single mask from the beginning.
        several = settings.several and number == 0 and boxes is None
        output = network.answer(embedding, points, labels, boxes, masks, several)
        small, iou = output["masks"].float(), output["iou"]
        # Every second row and column says what all say, in a quarter of the time; each step takes others.
        row, column = (int(torch.randint(2, ())) for _ in range(2))
        some = (..., slice(row, None, 2), slice(column, None, 2))
        logits = every_second(small, network.stride // 4, row, column).flatten(0, 1)
        losses = prompt_losses(logits, iou.flatten(0, 1), targets[some], known[some], settings.focal_weight)
        for name, value in losses.items():
            total[name] = total.get(name, 0) + value / settings.rounds
        if number + 1 == settings.rounds:
            break
        best = iou.detach().argmax(-1)[..., None, None, None]  # B x T x 1 x 1 x 1
        chosen = small.detach().take_along_dim(best, 2)
        large = at_input_size(chosen, network.stride).flatten(0, 2)
        click, kind = next_clicks(large, targets, known, not settings.own_errors)
        click, kind = click.view(B, T, 1, 2), kind.view(B, T, 1)
        points = click if points is None else torch.cat([points, click], dim=2)
        labels = kind if labels is None else torch.cat([labels, kind], dim=2)
        # In half of the steps the last answer is a prompt, too: with and without it, clicks must be understood.
        masks = chosen[:, :, 0] if torch.rand(()) < 0.5 else None
    return total


def every_second(masks: Tensor, factor: int, row: int, column: int) -> Tensor:
    """What ``at_input_size`` gives, but only every second row and column of it, at less than half the cost.

    Args:
        masks: Logits ... x h x w.
        factor: By how much the input is larger.
        row: The first row, 0 or 1.
        column: The first column, 0 or 1.

    Returns:
        ... x factor h / 2 x factor w / 2.
    """
    for dimension, first in ((-2, row), (-1, column)):
        size = masks.shape[dimension]
        places = (torch.arange(first, factor * size, 2, device=masks.device) + 0.5) / factor - 0.5
        places = places.clamp(0, size - 1)
        before = places.long()
        after = (before + 1).clamp_max(size - 1)
        share = (places - before).to(masks.dtype)
        share = share[:, None] if dimension == -2 else share
        masks = masks.index_select(dimension, before) * (1 - share) + masks.index_select(dimension, after) * share
    return masks
