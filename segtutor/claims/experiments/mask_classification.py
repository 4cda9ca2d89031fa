"""The claims of lesson 9: masked attention, matching, what masks do that label maps cannot, and a rule nobody tells."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from segtutor import models
from segtutor.claims.claim import Claim, Expectation, Values, percent
from segtutor.claims.masks import CROWDED, SIZE, THRESHOLD, MaskRecipe, segments
from segtutor.labels import SCENES
from segtutor.models.attention import Attention, as_tokens, attend, size_of
from segtutor.models.mask_classification.positions import sine_positions
from segtutor.models.mask_classification.query_decoder import where_to_look

QUERIES = (("queries", len(SCENES)),)
"""As many as classes, because a query per class is one of the variants."""
MATCHED = MaskRecipe(QUERIES)
PER_CLASS = MaskRecipe((*QUERIES, ("fixed", True)))
SAME = (
    f"data ({MATCHED.train_count} scenes of {SIZE[0]} x {SIZE[1]} with near things), order, batch 8, AdamW, poly "
    f"schedule, {MATCHED.steps} steps; mask2former_tiny with {len(SCENES)} queries on the backbone of the course's "
    f"DeepLab v3, which does not learn; scored on {MATCHED.val_count} unseen scenes, least class probability "
    f"{THRESHOLD}"
)
PQ = percent("PQ", "PQ")
THINGS = percent("PQ_things", "PQ of things")
MEAN_IOU = percent("mean_iou", "mean IoU")

ATTENTION = Claim(
    name="masks.attention",
    title="Looking only inside one's own mask",
    sentence="A query that attends only inside its last mask learns faster and better than one that attends to the "
    "whole map.",
    source="Cheng et al. 2022 (Mask2Former), §3.2.1 and Table 4a",
    paper="COCO, ResNet-50, 50 epochs: AP 37.8 without masked attention, 43.7 with it; PQ 47.1 and 51.9",
    changes="where a query may look: at the whole map, or inside its last mask; not one parameter more",
    same=SAME,
    variants={
        "the whole map": MaskRecipe((*QUERIES, ("masked", False))),
        "its last mask": MATCHED,
    },
    measures=(THINGS, percent("halfway_PQ_things", "the same after half of the steps"), PQ, MEAN_IOU),
    expectations=(
        Expectation("masked attention tells things apart better", "PQ_things", "its last mask", "the whole map"),
        Expectation("it is ahead after half of the steps", "halfway_PQ_things", "its last mask", "the whole map"),
        Expectation("label maps get better, too", "mean_iou", "its last mask", "the whole map"),
    ),
)

MATCHING = Claim(
    name="masks.matching",
    title="Queries that find their objects, or one query per class",
    sentence="For semantic segmentation it hardly matters whether queries are matched with objects or query k stands "
    "for class k; for instances it does.",
    source="Cheng et al. 2021 (MaskFormer), §4.4 and Table 4b",
    paper="ADE20K val, ResNet-50: mean IoU 43.7 with fixed matching, 44.2 with bipartite; no things counted",
    changes="what a query is trained for: the object it is matched with, or all of its class",
    same=SAME,
    variants={"a query per class": PER_CLASS, "matched": MATCHED},
    measures=(MEAN_IOU, THINGS, percent("PQ_stuff", "PQ of stuff"), PQ),
    expectations=(
        Expectation("matching costs less than three points of mean IoU", "mean_iou", "matched", "a query per class",
                    margin=-0.03),
        Expectation("and tells things apart", "PQ_things", "matched", "a query per class"),
    ),
)  # fmt: skip

TOUCHING = Claim(
    name="masks.touching",
    title="Things that touch",
    sentence="A label map has no border between two things of one class: connected regions take those that touch for "
    "one, masks do not.",
    source="follows from the definitions; Kirillov et al. 2019 (Panoptic Segmentation), §3",
    paper="no number: what is measured is how much it matters",
    changes="how things are read: as masks, or as connected regions of a label map, of the same network or of one "
    "trained for label maps",
    same=SAME + f"; three kinds of scenes, no companions, as in training, and {CROWDED:g} times as many; one training "
    "for the first two",
    variants={
        "regions, a query per class": MaskRecipe(PER_CLASS.options, reading="components"),
        "regions, matched": MaskRecipe(QUERIES, reading="components"),
        "masks": MATCHED,
    },
    measures=(
        percent("apart_PQ_things", "PQ of things, none touches"),
        THINGS,
        percent("crowded_PQ_things", "PQ of things in crowds"),
        MEAN_IOU,
    ),
    expectations=(
        Expectation("in crowds masks beat the regions of a network for label maps", "crowded_PQ_things", "masks",
                    "regions, a query per class"),
        Expectation("in crowds they beat the regions of their own label map", "crowded_PQ_things", "masks",
                    "regions, matched"),
        Expectation("where nothing touches, regions are as good", "apart_PQ_things", "regions, matched", "masks"),
    ),
)  # fmt: skip


class EmptyMasks:
    """The first masked attention of a fresh network, by the formula: how much of its answer is a number.

    Args:
        rule: A query whose mask is empty sees the whole map.
    """

    def __init__(self, rule: bool) -> None:
        self.rule = rule

    def __call__(self, seed: int, short: bool) -> Values:
        """Shares of queries with an empty mask, and with an answer that is not a number."""
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
        return {
            "empty": float((~inside.any(dim=2)).float().mean()),
            "no_number": float(answer.isnan().any(dim=2).float().mean()),
        }


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
    same="the first masked attention of a fresh mask2former_tiny with 100 queries, by the formula; four scenes",
    variants={"without the rule": EmptyMasks(False), "with the rule": EmptyMasks(True)},
    measures=(
        percent("empty", "queries whose mask is empty"),
        percent("no_number", "queries whose answer is no number"),
    ),
    expectations=(
        Expectation("with the rule every answer is a number", "no_number", "with the rule", 1e-9, False),
        Expectation("without it some are not", "no_number", "without the rule", 1e-9),
    ),
)

CLAIMS = (ATTENTION, MATCHING, TOUCHING, EMPTY)
