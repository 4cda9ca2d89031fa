"""The claims about the trained sam_tiny: which mask it chooses, and how many clicks it takes beside GrabCut."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from segtutor import models
from segtutor.claims.claim import Claim, Expectation, Measure, Values, percent
from segtutor.claims.masks import USUAL, segments
from segtutor.claims.prompt_training import meanings
from segtutor.claims.sam_checkpoint import SIZE
from segtutor.classical import grab_cut
from segtutor.inference import Prompter
from segtutor.inference.clicks import ambiguous_clicks, clear_clicks, click_by_click, clicks_until, iou_of, next_click

PICTURES = 60
"""Scenes of each seed; another seed, another world."""
SHORT = 8

Choice = Literal["head", "random", "same", "oracle"]


@lru_cache(maxsize=1)
def network() -> Any:
    """The course's sam_tiny."""
    return models.create("sam_tiny", weights="course").eval()


@lru_cache(maxsize=4)
def answers(world: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The three answers to one click on every thing of a world's scenes.

    Returns:
        IoU with the thing, or where it is ambiguous with the meaning that fits better, N x 3; IoU as the network
        predicts it, N x 3; whether the click is ambiguous, N.
    """
    pictures = segments("test", count, USUAL, SIZE, world=world)
    clicks = sorted([*clear_clicks(pictures), *ambiguous_clicks(pictures)], key=lambda one: one.index)
    real, predicted = [], []
    prompter, last = None, -1
    for click in clicks:
        if click.index != last:
            prompter, last = Prompter(network(), pictures[click.index][0]), click.index
        assert prompter is not None
        answer = prompter.ask([click.point])
        meant = meanings(pictures, click)
        real.append([max(iou_of(mask, *one) for one in meant) for mask in answer.masks.numpy()])
        predicted.append(answer.iou.numpy())
    return np.array(real), np.array(predicted), np.array([bool(one.others) for one in clicks])


class Choosing:
    """The course's network answers a click with three masks, and one of them is taken.

    Args:
        choice: "head", the one whose predicted IoU is highest; "random"; "same", always the one of the three that is
            best on average; "oracle", the best.
    """

    def __init__(self, choice: Choice) -> None:
        self.choice = choice

    def __call__(self, seed: int, short: bool) -> Values:
        """IoU of the mask that is taken, and how often it is the best."""
        real, predicted, doubtful = answers(seed, SHORT if short else PICTURES)
        if self.choice == "random":
            taken, hits = real.mean(axis=1), np.full(len(real), 1 / real.shape[1])
        else:
            same = np.full(len(real), real.mean(axis=0).argmax())
            chosen = {"head": predicted.argmax(axis=1), "same": same, "oracle": real.argmax(axis=1)}[self.choice]
            taken, hits = np.take_along_axis(real, chosen[:, None], axis=1)[:, 0], chosen == real.argmax(axis=1)
        return {
            "clear": float(taken[~doubtful].mean()),
            "ambiguous": float(taken[doubtful].mean()),
            "best": float(hits.mean()),
        }


IOU_HEAD = Claim(
    name="prompts.iou_head",
    title="Which of three masks to show",
    sentence="The network says of each mask how good it is, and who takes the one that it thinks best of loses little "
    "against the best.",
    source="Kirillov et al. 2023 (SAM), §3 and §7.1, figure 9",
    paper="23 data sets, one click: the chosen mask is better than RITM's on 16 of them, the best of the three on all",
    changes="which of the three masks is taken: one at random, always the same, the one of highest predicted IoU, the "
    "best",
    same=f"the course's trained sam_tiny and its three answers to one click in the middle of every thing of {PICTURES} "
    "unseen scenes; an ambiguous click may mean the thing or all of its class, whichever fits better; another seed, "
    "another world",
    variants={
        "at random": Choosing("random"),
        "always the same": Choosing("same"),
        "the IoU head's": Choosing("head"),
        "the best": Choosing("oracle"),
    },
    measures=(
        percent("clear", "clear clicks: IoU"),
        percent("ambiguous", "ambiguous clicks: IoU"),
        percent("best", "it is the best of the three"),
    ),
    expectations=(
        Expectation("the head chooses better than chance", "clear", "the IoU head's", "at random"),
        Expectation("better than who takes always the same", "clear", "the IoU head's", "always the same"),
        Expectation("on ambiguous clicks, too", "ambiguous", "the IoU head's", "always the same"),
        Expectation("on clear clicks it loses less than five points against the best", "clear", "the IoU head's",
                    "the best", margin=-0.05),
    ),
)  # fmt: skip

TRIES = 10
"""Clicks after which a thing is given up; it then counts as so many."""
THINGS = 10
"""Clear things of each seed that are clicked on."""
PASSES = 3
"""Of GrabCut for each answer: later ones change little, and a person waits."""
RADIUS = 2
"""Of the spot that a click marks for GrabCut, in pixels."""
AROUND = 4
"""Pixels between a thing and the box that a person draws."""


class Clicking:
    """One way to get a mask out of clicks, the next one always in the middle of the largest error.

    Args:
        way: "sam_tiny"; "clicks", GrabCut with spots around the clicks as seeds; "box", GrabCut in a box, which counts
            as two clicks, with clicks from the third on.
    """

    def __init__(self, way: Literal["sam_tiny", "clicks", "box"]) -> None:
        self.way = way

    def __call__(self, seed: int, short: bool) -> Values:
        """IoU after some clicks, clicks to 85 %, and what the first and the last click cost."""
        pictures, steps = segments("test", SHORT if short else PICTURES, USUAL, SIZE, world=seed), 3 if short else TRIES
        values, first, later = [], [], []
        for click in clear_clicks(pictures)[: 4 if short else THINGS]:
            image, (mask, known) = pictures[click.index][0], meanings(pictures, click)[0]
            found, seconds = self._clicked(image, mask, known, steps)
            values.append(found + found[-1:] * (TRIES - len(found)))
            first.append(seconds[0])
            later += seconds[1:]
        means = np.mean(values, axis=0)
        return {
            **{f"after_{count}": float(means[count - 1]) for count in (1, 2, 3, 5, 10)},
            "clicks": float(np.mean([clicks_until(one) or TRIES for one in values])),
            "reached": float(np.mean([clicks_until(one) is not None for one in values])),
            "ms_first": 1000 * float(np.median(first)),
            "ms_later": 1000 * float(np.median(later)) if later else float("nan"),
        }

    def _clicked(self, image: Any, mask: np.ndarray, known: np.ndarray, steps: int) -> tuple[list[float], list[float]]:
        """IoU after each click, and the seconds of the processor that each answer took, from the picture on."""
        started = time.process_time()
        if self.way == "sam_tiny":
            prompter = Prompter(network(), image)

            def answer(points: Sequence[tuple[int, int]], labels: Sequence[int]) -> np.ndarray:
                found = prompter.ask(points, labels)
                return np.asarray(found.masks[found.best])
        else:
            pixels = image.permute(1, 2, 0).numpy()
            allowed = inside_the_border(mask.shape) if self.way == "clicks" else boxed(mask)

            def answer(points: Sequence[tuple[int, int]], labels: Sequence[int]) -> np.ndarray:
                return grabbed(pixels, allowed, points, labels)

        seconds: list[float] = []

        def timed(points: Sequence[tuple[int, int]], labels: Sequence[int]) -> np.ndarray:
            start = time.process_time() if seconds else started
            found = answer(points, labels)
            seconds.append(time.process_time() - start)
            return found

        if self.way != "box":
            return click_by_click(timed, mask, known, steps), seconds
        # Two corners are two clicks: after the first there is no box yet, after the second what GrabCut makes of it.
        found = timed([], [])
        values = [0.0, iou_of(found, mask, known)]
        clicks: list[tuple[tuple[int, int], int]] = []
        while len(values) < steps and (further := next_click(found, mask, known)) is not None:
            clicks.append(further)
            found = timed([point for point, _ in clicks], [label for _, label in clicks])
            values.append(iou_of(found, mask, known))
        return values, seconds


def inside_the_border(shape: tuple[int, ...]) -> np.ndarray:
    """Where GrabCut looks without a box, H x W bool: everywhere but at the border, as it needs some background."""
    return np.pad(np.ones((shape[0] - 2, shape[1] - 2), dtype=bool), 1)


def boxed(mask: np.ndarray) -> np.ndarray:
    """The box that a person draws around a mask, H x W bool; a thing as large as the picture leaves its border."""
    allowed = np.zeros(mask.shape, dtype=bool)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = max(rows[0] - AROUND, 0), max(columns[0] - AROUND, 0)
    allowed[top : rows[-1] + 1 + AROUND, left : columns[-1] + 1 + AROUND] = True
    return inside_the_border(mask.shape) if allowed.all() else allowed


def grabbed(
    image: np.ndarray, allowed: np.ndarray, points: Sequence[tuple[int, int]], labels: Sequence[int]
) -> np.ndarray:
    """GrabCut whose seeds are spots around clicks; a pixel near several belongs to the nearest.

    Args:
        image: H x W x 3.
        allowed: Where the object may lie, H x W bool.
        points: (x, y).
        labels: 1 this, 0 not this.

    Returns:
        H x W bool.
    """
    if not points:
        return grab_cut(image, allowed, passes=PASSES).mask
    y, x = np.indices(allowed.shape)
    distances = np.stack([np.hypot(x - one[0], y - one[1]) for one in points])
    near, kind = distances.min(axis=0) <= RADIUS, np.asarray(labels)[distances.argmin(axis=0)]
    inside, outside = near & (kind == 1), near & (kind == 0)
    allowed = (allowed | inside) & ~outside
    return grab_cut(image, allowed, inside if inside.any() else None, PASSES).mask


_CLICKS: dict[str, Any] = {
    "GrabCut, clicks": Clicking("clicks"),
    "GrabCut, box and clicks": Clicking("box"),
    "sam_tiny": Clicking("sam_tiny"),
}

CLICKS = Claim(
    name="prompts.clicks",
    title="Clicks to 85 % IoU",
    sentence="A network that has learned what things look like needs fewer clicks than one that knows only the colors "
    "of this picture, and the clicks after the first cost next to nothing.",
    source="Kirillov et al. 2023 (SAM), §7.1 and §3, Efficiency; Rother et al. 2004 (GrabCut)",
    paper="one click: above RITM on 16 of 23 data sets; a prompt is answered in about 50 ms on a processor once the "
    "picture is embedded",
    changes="what answers: GrabCut with spots around the clicks as seeds, GrabCut in a box (which counts as two "
    "clicks) with clicks from the third on, or the course's trained sam_tiny",
    same=f"{THINGS} things of each seed, each the only one of its class in its picture, on unseen scenes of "
    f"{SIZE[0]} x {SIZE[1]}; each click in the middle of the largest error; given up after {TRIES}, which counts as "
    f"{TRIES}; milliseconds of one core, the median. sam_tiny's masks are half as fine as the picture, and in training "
    "it had two clicks at most",
    variants=_CLICKS,
    measures=(
        percent("after_1", "IoU after 1 click"),
        percent("after_2", "after 2"),
        percent("after_3", "after 3"),
        percent("after_10", "after 10"),
        Measure("clicks", "clicks to 85 %"),
        percent("reached", "things that reach 85 %"),
        Measure("ms_first", "first answer, ms"),
        Measure("ms_later", "a later one, ms"),
    ),
    expectations=(
        Expectation("sam_tiny needs fewer clicks than GrabCut with clicks", "clicks", "sam_tiny", "GrabCut, clicks",
                    higher=False),
        Expectation("and fewer than GrabCut with a box", "clicks", "sam_tiny", "GrabCut, box and clicks", higher=False),
        Expectation("a later click costs less than 50 ms", "ms_later", "sam_tiny", 50.0, higher=False),
        Expectation("and less than with GrabCut", "ms_later", "sam_tiny", "GrabCut, clicks", higher=False),
    ),
)  # fmt: skip
