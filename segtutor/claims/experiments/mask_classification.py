"""The claims of lesson 9: masked attention, matching, what masks do where things touch, a rule that no paper tells."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from segtutor import models
from segtutor.claims.claim import Claim, Expectation, Measure, Values, percent
from segtutor.claims.class_counts import COUNTS, ClassCount
from segtutor.claims.class_counts import SIZE as MERGED_SIZE
from segtutor.claims.mask_training import BASE, KINDS, LENGTHS, LONG, MaskRecipe, PerfectClasses
from segtutor.claims.mask_training import SIZE as TRAINED_SIZE
from segtutor.claims.masks import APART, CROWDED, USUAL, score_masks, segments
from segtutor.claims.per_pixel import PerfectRegions, PixelRecipe
from segtutor.labels import SCENES
from segtutor.models.attention import Attention, as_tokens, attend, size_of
from segtutor.models.mask_classification.positions import sine_positions
from segtutor.models.mask_classification.query_decoder import where_to_look

READ = 200
"""Scenes of each kind on which the trained network is read."""


@lru_cache(maxsize=16)
def both_readings(world: int, crowd: float, count: int) -> dict[str, float]:
    """Scores of the course's trained network on scenes of one world, see ``score_masks``."""
    model = models.create("mask2former_tiny", weights="course").eval()
    return score_masks(model, segments("test", count, crowd, world=world, border=0.0))


class Reading:
    """One trained network, the course's, read in one of two ways; the seed says which scenes it sees.

    Args:
        prefix: Of the keys in ``score_masks``: ``""`` for masks, ``"components_"`` for regions of the label map.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def __call__(self, seed: int, short: bool) -> Values:
        """PQ of things where none has companions, as in training, and in crowds; of the crowds what was found."""
        crowds = {"apart": APART, "usual": USUAL, "crowded": CROWDED}
        found = {name: both_readings(seed, crowd, 8 if short else READ) for name, crowd in crowds.items()}
        return {name: scores[f"{self.prefix}PQ_things"] for name, scores in found.items()} | {
            name: found["crowded"][f"{self.prefix}{name}"] for name in ("touching", "alone")
        }


TOUCHING = Claim(
    name="masks.touching",
    title="Things that touch",
    sentence="A label map has no border between two things of one class: connected regions take those that touch for "
    "one, masks do not.",
    source="follows from the definitions; Kirillov et al. 2019 (Panoptic Segmentation), §3",
    paper="no number: what is measured is how much it matters",
    changes="how the output is read: as masks, or as connected regions of the label map that it gives",
    same=f"one trained network, the course's mask2former_tiny, and its output; {READ} unseen scenes per seed and kind: "
    f"with no companions of things, as many as in training, and {CROWDED:g} times as many. No void parts what touches",
    variants={"regions": Reading("components_"), "masks": Reading("")},
    measures=(
        percent("apart", "PQ of things, no companions"),
        percent("usual", "as in training"),
        percent("crowded", "in crowds"),
        percent("touching", "found in crowds, of the things that touch another one of their class"),
        percent("alone", "of the others"),
    ),
    expectations=(
        Expectation("in crowds masks are better", "crowded", "masks", "regions"),
        Expectation("with the usual number, too", "usual", "masks", "regions"),
        Expectation("without companions, regions lose less than two points", "apart", "regions", "masks", margin=-0.02),
        Expectation("(added with a longer trained network) of what touches, masks find more", "touching", "masks",
                    "regions"),
    ),
)  # fmt: skip


def _same(recipe: MaskRecipe, scenes: str) -> str:
    """What the variants of a claim on such trainings have in common."""
    early, late = recipe.lengths
    return (
        f"mask2former_tiny with {len(SCENES)} queries, the frozen backbone of the course's DeepLab v3, number of "
        f"weights, data ({recipe.train_count:,} scenes of {' and '.join(KINDS)}, "
        f"{TRAINED_SIZE[0]} x {TRAINED_SIZE[1]}, {scenes}), order, batch 8, AdamW; one training, scored after "
        f"{early:,} and {late:,} steps on {recipe.val_count} new scenes; scored is a running average of the weights"
    )


_SAME = _same(BASE, "near things")

MASKED = Claim(
    name="masks.masked_attention",
    title="What masked attention brings",
    sentence="A query that sees only its last mask learns sooner and ends better than one that sees the whole map.",
    source="Cheng et al. 2022 (Mask2Former), §3.2.1 and Table 4",
    paper="COCO, ResNet-50: without masked attention 5.9 points of mask AP less and 4.8 of PQ; ADE20K 1.7 of mean IoU",
    changes="where the cross attention of a query may look: at its last mask, or everywhere",
    same=_SAME,
    variants={"whole map": MaskRecipe(masked=False), "last mask": BASE},
    measures=(
        *(percent(f"{when}_{key}", f"{title} after {steps} steps")
          for key, title in (("PQ_things", "PQ of things"), ("PQ", "PQ"), ("mean_iou", "mean IoU"))
          for when, steps in zip(("early", "late"), LENGTHS, strict=True)),
        *(Measure(f"{when}_loss", f"training loss after {steps} steps")
          for when, steps in zip(("early", "late"), LENGTHS, strict=True)),
    ),
    expectations=(
        Expectation("masked attention is ahead early", "early_PQ_things", "last mask", "whole map"),
        Expectation("and at the end", "late_PQ_things", "last mask", "whole map"),
        Expectation("the label map gains, too", "late_mean_iou", "last mask", "whole map"),
        Expectation("(added after the first came out) by PQ of things and stuff, which the paper gives, it is ahead at "
                    "the end", "late_PQ", "last mask", "whole map"),
    ),
)  # fmt: skip

MATCHING = Claim(
    name="masks.matching",
    title="Matched queries, or one for each class",
    sentence="Queries that are matched with objects tell things apart; a fixed query for each class gives as good a "
    "label map, and no instances.",
    source="Cheng et al. 2021 (MaskFormer), §4.4 and Table 4",
    paper="ADE20K val, ResNet-50, mean IoU: 43.7 % with fixed queries, 44.2 with matching",
    changes="which query answers for an object: the one that fits best, or that of its class. The last row is no "
    "network: all things of a class as one mask, and otherwise the truth",
    same=_SAME,
    variants={"fixed": MaskRecipe(fixed=True), "matched": BASE, "one perfect mask per class": PerfectClasses()},
    measures=(
        percent("early_PQ", f"PQ after {LENGTHS[0]} steps"),
        percent("late_mean_iou", f"mean IoU after {LENGTHS[1]} steps"),
        percent("late_PQ_things", "PQ of things"),
        percent("late_PQ_stuff", "PQ of stuff"),
        percent("late_components_PQ_things", "PQ of things by regions"),
    ),
    expectations=(
        Expectation("the label maps are as good: fixed queries lose less than two points", "late_mean_iou", "fixed",
                    "matched", margin=-0.02),
        Expectation("matched queries tell things apart", "late_PQ_things", "matched", "fixed"),
        Expectation("(added after the others came out) what one mask per class cannot tell apart is not what limits "
                    "them yet: matched queries are 20 points below its best", "late_PQ_things",
                    "one perfect mask per class", "matched", margin=0.2),
    ),
)  # fmt: skip


class EmptyMasks:
    """The first masked attention of fresh networks, by the formula: how much of its answers are numbers.

    Args:
        rule: A query whose mask is empty sees the whole map.
    """

    def __init__(self, rule: bool) -> None:
        self.rule = rule

    def __call__(self, seed: int, short: bool) -> Values:
        """Shares of queries with an empty mask, and with an answer that is no number."""
        found = [self._of_network(5 * seed + number) for number in range(5)]
        empty, broken = (torch.cat(parts) for parts in zip(*found, strict=True))
        return {
            "empty": float(empty.float().mean()),
            "no_number": float(broken.float().mean()),
            "of_empty": float(broken[empty].float().mean()),
        }

    def _of_network(self, seed: int) -> tuple[Tensor, Tensor]:
        """For each query on each scene, whether its mask is empty and its answer no number: 4 x 100 of both."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model: Any = models.create("mask2former_tiny", num_classes=len(SCENES), queries=100, weights="backbone")
        model.eval()
        images = torch.stack(segments("val", 4, CROWDED).images)
        with torch.inference_mode():
            maps, pixels = model.pixel_decoder(model.backbone(model.preprocessing.normalize(images)))
            queries = model.decoder.features.expand(len(images), -1, -1)
            masks = model.decoder.predict(queries, pixels)[1]
            size = size_of(maps[0])
            inside = F.interpolate(masks, size, mode="bilinear", align_corners=False).flatten(2) >= 0
            allowed = where_to_look(masks, size) if self.rule else inside
            answer = _by_formula(model.decoder.layers[0].cross, queries + model.decoder.places, maps[0], allowed)
        return ~inside.any(dim=2), answer.isnan().any(dim=2)


def _by_formula(attention: Attention, queries: Tensor, features: Tensor, allowed: Tensor) -> Tensor:
    """Attention written out, of one head: B x Q x D."""
    tokens = as_tokens(features)
    context = tokens + sine_positions(size_of(features), features.shape[1], features)
    return attend(attention.query(queries), attention.key(context), attention.value(tokens), allowed)[0]


EMPTY = Claim(
    name="masks.empty",
    title="A query whose mask is empty",
    sentence="The paper masks attention and does not say what happens where nothing is left; without the rule of its "
    "code, the answer is no number.",
    source="the authors' code of Mask2Former; facebookresearch/Mask2Former issue 125",
    paper="no number: the code has the rule, the paper does not",
    changes="whether a query with an empty mask may look everywhere",
    same="the first masked attention of a fresh mask2former_tiny with 100 queries, by the formula; five networks per "
    "seed, four scenes",
    variants={"without the rule": EmptyMasks(False), "with the rule": EmptyMasks(True)},
    measures=(
        percent("empty", "queries whose mask is empty"),
        percent("no_number", "queries whose answer is no number"),
        percent("of_empty", "of those with an empty mask"),
    ),
    expectations=(
        Expectation("with the rule every answer is a number", "no_number", "with the rule", 1e-9, False),
        Expectation("without it, every empty mask gives none", "of_empty", "without the rule", 0.999),
    ),
)

_FEW, _SOME, _ALL = (f"{count} classes" for count in COUNTS)
_FIXED = f"{_ALL}, fixed"
_MORE_STEPS = 1200
_FEW_LONGER, _ALL_LONGER = (f"{name}, {_MORE_STEPS:,} steps" for name in (_FEW, _ALL))
_COUNTED = ClassCount(COUNTS[0])

CLASSES = Claim(
    name="masks.classes",
    title="Masks or a class per pixel, by the number of classes",
    sentence="What mask classification gains over a class per pixel grows with the number of classes.",
    source="Cheng et al. 2021 (MaskFormer), §4.3 and Table 2",
    paper="ResNet-50, mean IoU above a class per pixel by the same network: Cityscapes (19 classes) 0.0 points, ADE20K "
    "(150) 2.6, COCO-Stuff-10K (171) 2.9, ADE20K-Full (847) 3.5",
    changes="how one network is trained: to give masks with classes, or a class per pixel, its queries being the "
    "classes' scores; and how many classes the 33 of Scenes are merged to. Gains are taken seed by seed. In the row "
    "“fixed” the masks' queries are not matched with objects: each answers for one class; the last two rows had "
    f"{_MORE_STEPS:,} steps",
    same="maskformer_tiny with a query for each class, number of weights, start (the course's pretrained backbone), "
    f"data ({_COUNTED.train_count:,} scenes of {MERGED_SIZE[0]} x {MERGED_SIZE[1]}), order, batch 8, AdamW, poly "
    f"schedule, {_COUNTED.steps} steps, no class weights; {_COUNTED.val_count} new scenes",
    variants={
        **{name: ClassCount(count) for name, count in zip((_FEW, _SOME, _ALL), COUNTS, strict=True)},
        _FIXED: ClassCount(COUNTS[-1], fixed=True),
        _FEW_LONGER: ClassCount(COUNTS[0], steps=_MORE_STEPS),
        _ALL_LONGER: ClassCount(COUNTS[-1], steps=_MORE_STEPS),
    },
    measures=(
        percent("pixels", "mean IoU of a class per pixel"),
        percent("masks", "of masks"),
        Measure("gain", "gain of masks, points", 100.0),
        Measure("pixels_loss", "training loss of a class per pixel", digits=2),
        Measure("masks_loss", "of masks", digits=2),
    ),
    expectations=(
        Expectation("with all classes masks are better", "gain", _ALL, 0.0),
        Expectation("they gain more with all classes than with the fewest", "gain", _ALL, _FEW),
        Expectation("and more than with half as many", "gain", _ALL, _SOME),
        Expectation("(added after these came out) where nothing has to be matched, masks are better with all classes",
                    "gain", _FIXED, 0.0),
        Expectation("(added, too) and better than where they are matched", "masks", _FIXED, _ALL),
        Expectation("(added last) trained longer, they lose less with all classes", "gain", _ALL_LONGER, _ALL),
        Expectation("and as little as with the fewest", "gain", _ALL_LONGER, _FEW_LONGER, margin=-0.01),
    ),
)  # fmt: skip

_MASKS, _REGIONS, _TRUTH = "masks", "a class per pixel, regions", "the true label map, regions"

PIXELS = Claim(
    name="masks.pixels",
    title="Things by masks, or as regions of a label map that is all a network learns",
    sentence="A label map has no border between two things of one class that touch: masks tell them apart.",
    source="Kirillov et al. 2019 (Panoptic Segmentation), §3; a class per pixel by the same decoder: Cheng et al. 2021 "
    "(MaskFormer), §4.1",
    paper="no number for the same decoder: what is measured is how much it matters",
    changes="what one network learns, and how its things are read: masks, by matching; or a class per pixel, its "
    "queries being the classes' scores, whose things are the connected regions. The last row is no network: the "
    "regions of the true label map",
    same=_same(LONG, "near things; half of them touch another one of their class, without void between"),
    variants={_REGIONS: PixelRecipe(LONG), _MASKS: LONG, _TRUTH: PerfectRegions()},
    measures=(
        *(percent(f"{when}_{key}", f"{title} after {steps:,} steps")
          for key, title in (("mean_iou", "mean IoU"), ("PQ_things", "PQ of things"))
          for when, steps in zip(("early", "late"), LONG.lengths, strict=True)),
        percent("late_touching", "things found that touch another one of their class"),
        percent("late_alone", "others found"),
    ),
    expectations=(
        Expectation("masks find things better", "late_PQ_things", _MASKS, _REGIONS),
        Expectation("more of those that touch", "late_touching", _MASKS, _REGIONS),
        Expectation("of the others not two points less", "late_alone", _MASKS, _REGIONS, margin=-0.02),
        Expectation("the label map is as good: it loses less than two points", "late_mean_iou", _MASKS, _REGIONS,
                    margin=-0.02),
    ),
)  # fmt: skip

CLAIMS = (MASKED, MATCHING, TOUCHING, EMPTY, CLASSES, PIXELS)
