"""What the lessons say about recorded results is what the results say: the numbers of the sentences are read from them.

Each entry has a sentence of a lesson with gaps, and how its numbers come from the results. Whoever makes an experiment
again and gets another number learns here which sentence to write again.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from segtutor.claims import find, recorded

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "notebooks" / "source"
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def text_of(lesson: str) -> str:
    """A lesson's prose in one line, without the marks of links."""
    lines = [line[1:] for line in (SOURCE / f"{lesson}.py").read_text(encoding="utf-8").splitlines() if line[:1] == "#"]
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(" ".join(lines).split()))


def mean(claim: str, variant: str, key: str = "mean_iou") -> float:
    """In percent."""
    return 100 * recorded(find(claim)).mean_and_spread(variant, key)[0]


def rounded(*values: float, digits: int = 0) -> tuple[str, ...]:
    """As a lesson writes them."""
    return tuple(f"{value:.{digits}f}" for value in values)


def gap(claim: str, better: str, worse: str, key: str = "mean_iou") -> float:
    """Of the means, in points."""
    return mean(claim, better, key) - mean(claim, worse, key)


def halving() -> int:
    """Whole points of mean IoU that each halving of PSPNet's stride brings at least."""
    return int(min(gap("pspnet.dilation", "stride 8", "stride 16"), gap("pspnet.dilation", "stride 4", "stride 8")))


def crf_gains() -> tuple[float, float]:
    """The least and the most that the CRF gains, in points of mean IoU."""
    gains = [mean("deeplab.crf", variant, "mean_iou_gain") for variant in find("deeplab.crf").variants]
    return min(gains), max(gains)


def options(checkpoint: str, *names: str) -> tuple[str, ...]:
    """What the command of a checkpoint gave for these options."""
    command = json.loads((ROOT / "data" / "checkpoints" / f"{checkpoint}.json").read_text())["command"].split()
    return tuple(f"{int(command[command.index(name) + 1]):,}" for name in names)


PYRAMID, NEAR = "pspnet.pyramid", "near-sighted, "
SENTENCES: list[tuple[str, str, Callable[[], tuple[str, ...]]]] = [
    ("00_start_here", "and Mask2Former, the newest of the five, {} steps on {};",
     lambda: options("mask2former_tiny", "--steps", "--count")),
    ("02_data_sets", "with the weights their accuracy is {} % on average, against {} % without",
     lambda: rounded(mean("data.class_weights", "median frequency", "rare_accuracy"),
                     mean("data.class_weights", "all pixels alike", "rare_accuracy"))),
    ("03_fcn", "the step from 32s to 8s is {} points here", lambda: rounded(gap("fcn.skips", "FCN-8s", "FCN-32s"))),
    ("03_fcn", "the network with a frozen backbone keeps {} % of the full score",
     lambda: rounded(100 * mean("fcn.end_to_end", "backbone frozen") / mean("fcn.end_to_end", "all layers"))),
    ("03_fcn", "It is, by {} points.",
     lambda: rounded(gap("fcn.pretraining", "pretrained", "random"), digits=1)),
    ("03_fcn", "The network of the two cards that scores {} %",
     lambda: rounded(mean("fcn.pretraining", "pretrained"))),
    ("04_pspnet", "as for somebody who guesses: {} %",
     lambda: rounded(mean(PYRAMID, NEAR + "no levels", "bollard_iou"))),
    ("04_pspnet", "The pyramid lifts them to {} %. It is not the weights: with the same weights and nothing averaged "
     "it is {} % again.",
     lambda: rounded(mean(PYRAMID, NEAR + "bins 1, 2, 3, 6", "bollard_iou"),
                     mean(PYRAMID, NEAR + "levels not pooled", "bollard_iou"))),
    ("04_pspnet", "*Bin 1 alone* brings nearly all of it, {} %, and *bin 6 alone* nearly nothing, {} %.",
     lambda: rounded(mean(PYRAMID, NEAR + "bin 1", "bollard_iou"), mean(PYRAMID, NEAR + "bin 6", "bollard_iou"))),
    ("04_pspnet", "Over all classes the near-sighted network gains {} points.",
     lambda: (WORDS[round(gap(PYRAMID, NEAR + "bins 1, 2, 3, 6", NEAR + "no levels"))],)),
    ("04_pspnet", "tells the bollards apart by itself: {} % without any level",
     lambda: rounded(mean(PYRAMID, "far-sighted, no levels", "bollard_iou"))),
    ("04_pspnet", "Every halving of the stride brings more than {} points of mean IoU", lambda: (WORDS[halving()],)),
    ("04_pspnet", "Each halving of the stride brought more than {} points", lambda: (WORDS[halving()],)),
    ("06a_deeplab_v2", "The CRF helps every network, by {} to {} points over all pixels.",
     lambda: rounded(*crf_gains())),
    ("06a_deeplab_v2", "Of {} points {} are left.",
     lambda: rounded(*(mean("deeplab.crf_noise", one, "mean_iou_gain") for one in ("as drawn", "noise 20")), digits=1)),
    ("06a_deeplab_v2", "With noise, blur and shadow together {} points are left",
     lambda: rounded(mean("deeplab.crf_noise", "all: 20, 1 px, 30 %", "mean_iou_gain"), digits=1)),
    ("06b_deeplab_v3", "Confirmed: {} % without, {} % with.",
     lambda: rounded(*(mean("deeplab.batch_norm", one) for one in ("without", "with")), digits=1)),
    ("06b_deeplab_v3", "The decoder helps, confirmed: {} % without it, {} % with it.",
     lambda: rounded(*(mean("deeplab.decoder", one) for one in ("no decoder", "48 channels")), digits=1)),
    ("06b_deeplab_v3", "Far from outlines it brings {} points on average",
     lambda: rounded(gap("deeplab.decoder", "48 channels", "no decoder", "beyond"), digits=1)),
    ("06b_deeplab_v3", "mean IoU falls from {} to {} %, with every seed",
     lambda: rounded(*(mean("deeplab.separable", one) for one in ("full", "separable")), digits=1)),
    ("06b_deeplab_v3", "With {} %, the bare backbone at stride 4 comes first",
     lambda: rounded(max(mean("results.leaderboard", row) for row in find("results.leaderboard").variants), digits=1)),
    ("05_mask_rcnn", "A hundred proposals contain {} % of the objects, a little less than the 80 % that we had "
     "expected of them; a thousand contain {} %.",
     lambda: rounded(mean("maskrcnn.proposals", "NMS at 0.7", "recall_100"),
                     mean("maskrcnn.proposals", "NMS at 0.7", "recall_1000"))),
    ("05_mask_rcnn", "without any, AP50 falls by a third, from {} % to {} %",
     lambda: rounded(mean("maskrcnn.nms", "NMS at 0.5", "mask_AP50"), mean("maskrcnn.nms", "NMS at 1.0", "mask_AP50"))),
    ("05_mask_rcnn", "RoIPool gives {} different answers on average",
     lambda: rounded(mean("maskrcnn.quantization", "RoIPool", "answers") / 100, digits=1)),
    ("05_mask_rcnn", "it is off by up to {} pixels, two positions",
     lambda: rounded(mean("maskrcnn.quantization", "RoIPool", "error") / 100)),
    ("05_mask_rcnn", "{} points of mask AP here, 5.5 there",
     lambda: rounded(gap("maskrcnn.sigmoid", "sigmoid", "softmax", "mask_AP"), digits=1)),
    ("05_mask_rcnn", "box AP is {} % with the softmax, {} % with a sigmoid per class, and {} % with one mask",
     lambda: rounded(mean("maskrcnn.sigmoid", "softmax", "box_AP"), mean("maskrcnn.sigmoid", "sigmoid", "box_AP"),
                     mean("maskrcnn.agnostic", "one mask", "box_AP"), digits=1)),
    ("05_mask_rcnn", "At stride 16 the masks go from {} to {} %, at stride 32 from {} to {} %",
     lambda: rounded(*(mean("maskrcnn.one_map", f"{way}, stride {stride}", "mask_AP") for stride in (16, 32)
                       for way in ("RoIPool", "RoIAlign")), digits=1)),
    ("05_mask_rcnn", "with the region rounded and means taken, {} % are left",
     lambda: rounded(mean("maskrcnn.one_map", "rounded region, stride 32", "mask_AP"), digits=1)),
    ("08_transformers", "behind two stages of the ResNet their IoU is {} %, behind two stages of the transformer, with "
     "fewer weights, {}.",
     lambda: rounded(mean("transformers.decoder", "ResNet, 2 stages", "bollard_iou"),
                     mean("transformers.decoder", "transformer, 2 stages", "bollard_iou"), digits=1)),
    ("08_transformers", "lifts it to {}.",
     lambda: rounded(mean("transformers.decoder", "ResNet, 3 stages", "bollard_iou"), digits=1)),
    ("08_transformers", "lies in a square of {} pixels, no more than the ResNet's {}",
     lambda: rounded(mean("transformers.decoder", "transformer, 2 stages", "effective") / 100,
                     mean("transformers.decoder", "ResNet, 2 stages", "effective") / 100)),
    ("08_transformers", "the transformer is behind, with {} against {} %",
     lambda: rounded(mean("transformers.decoder", "transformer, 2 stages"),
                     mean("transformers.decoder", "ResNet, 2 stages"), digits=1)),
    ("08_transformers", "block 13 is worth {} %, the last one, block 17, only {}, and early blocks still less",
     lambda: rounded(*(mean("transformers.probe", f"block {block}, stride 16") for block in (13, 17)), digits=1)),
    ("08_transformers", "All four together have {} %",
     lambda: rounded(mean("transformers.probe", "all four"), digits=1)),
    ("08_transformers", "the batch norm brings {} points, with every seed",
     lambda: rounded(gap("transformers.probe", "all four", "all four, no batch norm"), digits=1)),
    ("09_mask_classification", "PQ is {} % with it and {} without",
     lambda: rounded(*(mean("masks.masked_attention", one, "late_PQ") for one in ("last mask", "whole map")),
                     digits=1)),
    ("09_mask_classification", "in every seed: {} % against {}.",
     lambda: rounded(*(mean("masks.matching", one, "late_PQ_things") for one in ("fixed", "matched")), digits=1)),
    ("09_mask_classification", "a mistake and cannot count has {} %",
     lambda: rounded(mean("masks.matching", "one perfect mask per class", "late_PQ_things"), digits=1)),
    ("09_mask_classification", "after 150 steps PQ is {} % with fixed queries and {} with matched ones",
     lambda: rounded(*(mean("masks.matching", one, "early_PQ") for one in ("fixed", "matched")), digits=1)),
    ("09_mask_classification", "{} % of the masks are empty",
     lambda: rounded(mean("masks.empty", "with the rule", "empty"), digits=1)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("lesson", "sentence", "numbers"), SENTENCES, ids=[f"{one[0][:2]} {one[1][:40]}" for one in SENTENCES]
)
def test_the_numbers_of_a_sentence_are_those_of_the_results(lesson, sentence, numbers):
    said = sentence.format(*numbers())
    assert said in text_of(lesson), f"the results say: {said}"


def test_what_lesson_9_says_of_seeds_and_verdicts():
    def gains(claim: str, better: str, worse: str, key: str) -> list[float]:
        runs = recorded(find(claim)).runs
        return [100 * (one[key] - other[key]) for one, other in zip(runs[better], runs[worse], strict=True)]

    def verdicts(claim: str) -> list[str]:
        return [one.verdict(recorded(find(claim)).runs) for one in find(claim).expectations]

    masked = "masks.masked_attention", "last mask", "whole map"
    assert min(gains(*masked, "late_PQ")) > 2  # "every seed gains two points or more"
    for key in ("late_PQ_things", "late_mean_iou"):
        assert min(gains(*masked, key)) > 0, key  # "every seed gains, too"
    assert sum(gain > 0 for gain in gains(*masked, "early_PQ")) == 1  # "one seed of three is ahead"
    assert abs(sum(gains(*masked, "early_PQ")) / 3) < 0.5  # "both are level"
    assert verdicts(masked[0]) == ["undecided", "undecided", "undecided", "confirmed"]
    assert min(gains("masks.matching", "fixed", "matched", "late_PQ_things")) > 0  # "in every seed"
    assert verdicts("masks.matching") == ["confirmed", "reversed", "confirmed"]
