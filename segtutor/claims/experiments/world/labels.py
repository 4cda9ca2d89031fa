"""What labels are worth: wrong ones, those that a network asks for, and those that it gives itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn
from torchvision.transforms import v2

from segtutor.analysis import LabelModel
from segtutor.claims import one_layer
from segtutor.claims.claim import Claim, Expectation, Values, percent
from segtutor.claims.measures import MEAN_IOU
from segtutor.claims.one_layer import BATCH, RATE, STEPS, TRAIN, VAL, learn, maps, mean_iou, pictures, probabilities_of
from segtutor.labels import SCENES
from segtutor.metrics.calibration import entropy
from segtutor.training.schedules import polynomial

SMALLEST = 16
"""Regions of fewer pixels keep their label, and are not looked at."""
_CORNERS = np.ones((3, 3), dtype=bool)
_SHORT = 60  # pictures and steps of the short versions


def spoiled(labels: np.ndarray, share: float, random: np.random.Generator) -> tuple[np.ndarray, list[np.ndarray]]:
    """A label map in which some regions bear the name of another class, and the masks of these.

    Args:
        labels: H x W.
        share: Chance of each connected region of at least ``SMALLEST`` pixels.
        random: Where the numbers come from.
    """
    wrong, masks = labels.copy(), []
    for label in np.unique(labels[labels != SCENES.ignore_index]).tolist():
        regions, count = ndimage.label(labels == label, _CORNERS)
        for number in range(1, count + 1):
            region = regions == number
            if region.sum() >= SMALLEST and random.random() < share:
                wrong[region] = (label + random.integers(1, len(SCENES))) % len(SCENES)
                masks.append(region)
    return wrong, masks


@dataclass(frozen=True)
class WrongLabels:
    """Learning from labels of which some are wrong, and finding these.

    Attributes:
        share: Of the regions, that are labeled as another class.
    """

    share: float

    def __call__(self, seed: int, short: bool) -> Values:
        """Mean IoU, and of the suspects which share is wrong indeed, and of the wrong ones which share is suspected."""
        count, steps, val = (_SHORT, _SHORT, 20) if short else (TRAIN, STEPS, VAL)
        random = np.random.default_rng([seed, 11])
        pairs = [spoiled(one, self.share, random) for one in pictures("train", count).maps.numpy()]
        labels = torch.from_numpy(np.stack([wrong for wrong, _ in pairs]))
        values = {"mean_iou": mean_iou(learn(maps("train", count), labels, seed, steps), val)}
        planted, suspected, hit = sum(len(masks) for _, masks in pairs), 0, 0
        for half in (0, 1):  # who learned from a label repeats it, so each half is looked at by the other's network
            layer = learn(maps("train", count)[1 - half :: 2], labels[1 - half :: 2], seed, steps)
            bars, looked = LabelModel(len(SCENES)), range(half, count, 2)
            given = {index: probabilities_of(layer, maps("train", count)[index]).double().numpy() for index in looked}
            for index in looked:
                bars.update(pairs[index][0], given[index])
            for index in looked:
                found = bars.suspects(pairs[index][0], given[index], smallest=SMALLEST)
                suspected += len(found)
                boxes = [_box(mask) for mask in pairs[index][1]]
                hit += sum(one.box in boxes for one in found)
        nothing = float("nan")
        values |= {"precision": hit / suspected if suspected and planted else nothing,
                   "recall": hit / planted if planted else nothing}  # fmt: skip
        return values


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = ndimage.find_objects(mask.astype(np.int64))[0]
    return int(columns.start), int(rows.start), int(columns.stop), int(rows.stop)


@dataclass(frozen=True)
class Asking:
    """Three rounds of labels: some pictures, then those that somebody chooses.

    Attributes:
        by: Who chooses: nobody ("random"), or the network, which asks for the pictures with the largest mean entropy.
        each: Pictures that are labeled in a round.
        rounds: How many.
    """

    by: Literal["random", "entropy"]
    each: int = 12
    rounds: int = 3

    def __call__(self, seed: int, short: bool) -> Values:
        """Mean IoU after the last round, and how many classes are labeled by then."""
        count, steps, val = (_SHORT, _SHORT, 20) if short else (TRAIN, STEPS, VAL)
        labels, features = pictures("train", count).maps, maps("train", count)
        order = np.random.default_rng([seed, 12]).permutation(count).tolist()
        chosen = order[: self.each]
        for _ in range(self.rounds - 1):
            left = [index for index in order if index not in chosen]
            if self.by == "entropy":
                layer = learn(features[chosen], labels[chosen], seed, steps)
                doubt = {index: entropy(probabilities_of(layer, features[index])).mean() for index in left}
                left.sort(key=lambda index: -doubt[index])
            chosen = chosen + left[: self.each]
        seen = set(np.unique(labels[chosen]).tolist()) - {SCENES.ignore_index}
        return {"mean_iou": mean_iou(learn(features[chosen], labels[chosen], seed, steps), val),
                "classes": float(len(seen))}  # fmt: skip


@lru_cache(maxsize=1)
def changed_maps(count: int) -> Tensor:
    """The maps of the training scenes after their colors were shaken and a square was hidden: "strong" views."""
    shake = v2.Compose([v2.ColorJitter(0.4, 0.4, 0.4, 0.1), v2.RandomErasing(p=1.0, scale=(0.05, 0.2), value=128)])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(13)
        return one_layer.maps_of(torch.stack([shake(image) for image in pictures("train", count).images]))


@dataclass(frozen=True)
class OwnAnswers:
    """Thirty labeled pictures, and many without labels, of which a network's own sure answers are learned (FixMatch).

    Attributes:
        learned: Of the sure answers: "none", "sure", all of them, or "right", those that are right, which only somebody
            who has the labels can tell.
        changes: Whether they are learned on the changed view, as FixMatch does, or on the very picture they were given
            to.
        labeled: Pictures with labels.
        bar: Probability from which on an answer is sure.
    """

    learned: Literal["none", "sure", "right"]
    changes: bool = True
    labeled: int = 30
    bar: float = 0.95

    def __call__(self, seed: int, short: bool) -> Values:
        """Mean IoU; of the pixels without labels, the share that is sure, and of these the share that is wrong."""
        count, steps, val = (_SHORT, _SHORT, 20) if short else (TRAIN, 2 * STEPS, VAL)
        order = np.random.default_rng([seed, 14]).permutation(count)
        has, lacks = order[: self.labeled], order[self.labeled :]
        layer = self.fit(has, lacks, seed, steps, count)
        sure = wrong = 0
        for index in lacks:
            confidence, answer = probabilities_of(layer, maps("train", count)[index]).max(dim=0)
            truth = pictures("train", count).maps[index].long()
            is_sure = (confidence >= self.bar) & (truth != SCENES.ignore_index)
            sure += int(is_sure.sum())
            wrong += int((is_sure & (answer != truth)).sum())
        pixels = int((pictures("train", count).maps[lacks] != SCENES.ignore_index).sum())
        return {"mean_iou": mean_iou(layer, val), "sure": sure / pixels, "wrong": wrong / max(1, sure)}

    def fit(self, has: np.ndarray, lacks: np.ndarray, seed: int, steps: int, count: int) -> nn.Module:
        """The layer; all variants see the same labeled pictures in the same order."""
        plain, changed, labels = maps("train", count), changed_maps(count), pictures("train", count).maps
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            layer = one_layer.new_layer(plain.shape[1])
            optimizer = torch.optim.AdamW(layer.parameters(), lr=RATE, weight_decay=1e-4)
            for step in range(steps):
                for group in optimizer.param_groups:
                    group["lr"] = RATE * polynomial(step, steps)
                known, unknown = (one[torch.randint(len(one), (BATCH,))] for one in (has, lacks))
                loss = one_layer.loss_of(layer, plain[known], labels[known])
                if self.learned != "none":
                    view = changed if self.changes else plain
                    loss = loss + self.own_loss(layer, plain[unknown], view[unknown], labels[unknown])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return layer.eval()

    def own_loss(self, layer: nn.Module, plain: Tensor, view: Tensor, truth: Tensor) -> Tensor:
        """The view is to say what the plain picture says surely; a mean over all pixels, sure or not."""
        layer.eval()
        with torch.no_grad():
            confidence, answer = one_layer.logits_of(layer, plain).softmax(dim=1).max(dim=1)
        layer.train()
        kept = confidence >= self.bar
        if self.learned == "right":
            kept &= answer == truth.long()
        share = kept.float().mean()
        if not share > 0:
            return share
        answers: Any = torch.where(kept, answer, SCENES.ignore_index)
        return one_layer.loss_of(layer, view, answers) * share


_LAYER = f"one layer on the course's backbone; batch {BATCH}, AdamW, poly schedule"

NOISE = Claim(
    name="world.label_noise",
    title="Labels that are wrong",
    sentence="A network learns in spite of many wrong labels, and points at them where it did not learn them.",
    source="Northcutt et al. 2021 (Confident learning), §3; Rolnick et al. 2017 (Deep learning is robust to massive "
    "label noise)",
    paper="ImageNet's validation labels: about 6 % wrong; MNIST with 20 wrong labels for each right one: above 90 %",
    changes="which share of the training's regions is labeled as another class, drawn at random",
    same=f"{TRAIN} scenes, {_LAYER}, {STEPS} steps; scored on {VAL} new scenes with right labels. Suspects in either "
    "half of the training scenes are named by a layer that learned from the other half",
    variants={"all right": WrongLabels(0.0), "20 % wrong": WrongLabels(0.2), "40 % wrong": WrongLabels(0.4)},
    measures=(
        MEAN_IOU,
        percent("precision", "suspects that are wrong"),
        percent("recall", "wrong ones suspected"),
    ),
    expectations=(
        Expectation("a fifth of wrong labels costs less than five points", "mean_iou", "20 % wrong", "all right",
                    margin=-0.05),
        Expectation("two fifths cost more", "mean_iou", "20 % wrong", "40 % wrong"),
        Expectation("of the regions that are suspected, most are wrong", "precision", "20 % wrong", 0.5),
    ),
)  # fmt: skip

ACTIVE = Claim(
    name="world.active",
    title="Which pictures to label next",
    sentence="A network learns more from labels of the pictures that it is least sure of than from those of others.",
    source="Settles 2009 (Active learning literature survey), §3.1",
    paper="a survey; no single number",
    changes="which pictures are labeled in the second and third round: any, or those of the largest mean entropy",
    same=f"12 of {TRAIN} scenes, 12 more in each of two rounds, {_LAYER}, {STEPS} steps from the start in each round; "
    f"scored on {VAL} new scenes",
    variants={"any": Asking("random"), "the least sure": Asking("entropy")},
    measures=(MEAN_IOU,),
    expectations=(Expectation("asking for the least sure pays", "mean_iou", "the least sure", "any"),),
)

OWN = Claim(
    name="world.own_answers",
    title="A network that teaches itself",
    sentence="Where labels are few, a network's own sure answers to pictures without labels are worth learning.",
    source="Sohn et al. 2020 (FixMatch), §2",
    paper="CIFAR-10, classification, 4 labeled pictures per class: 88.6 % accuracy",
    changes="what is learned of 270 pictures without labels: nothing, the sure answers (from 95 % on), or the right "
    "ones of these; and whether on pictures that were changed, as in the paper, or on the same pictures",
    same=f"30 labeled scenes and their order, {_LAYER}, {2 * STEPS} steps; scored on {VAL} new scenes",
    variants={"labels only": OwnAnswers("none"), "sure answers, too": OwnAnswers("sure"),
              "of these the right ones": OwnAnswers("right"),
              "sure answers, same pictures": OwnAnswers("sure", changes=False)},
    measures=(MEAN_IOU, percent("sure", "pixels that are sure"), percent("wrong", "of these wrong")),
    expectations=(
        Expectation("own answers help", "mean_iou", "sure answers, too", "labels only"),
        Expectation("without the wrong ones they help more", "mean_iou", "of these the right ones",
                    "sure answers, too"),
        Expectation("(added after these came out) on the same pictures, not changed ones, own answers do less harm",
                    "mean_iou", "sure answers, same pictures", "sure answers, too"),
    ),
)  # fmt: skip
