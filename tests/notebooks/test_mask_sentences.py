"""Sentences of lesson 09 against the recorded results, the committed run, and values that are computed here."""

import itertools
import json
import re

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from segtutor import models, resources
from segtutor.claims.experiments.mask_classification import READ
from segtutor.claims.masks import SCENE, STUFF
from segtutor.datasets import Scenes
from segtutor.inference import find_masks
from segtutor.labels import SCENES
from segtutor.models.mask_classification.matching import LossSettings
from tests.models.networks import on_meta
from tests.notebooks.lesson import mean, printed_by, seeds, verdicts, words_of

WORDS, PRINTED = words_of("09"), printed_by("09")


def count(network):
    """Parameters."""
    return sum(one.numel() for one in network.parameters())


NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
           "eleven", "twelve", "thirteen")  # fmt: skip


def test_what_masked_attention_brought_its_authors():
    """The differences that are told are those of the numbers that are told."""
    (ap,) = re.findall(r"is ([\d.]+ % without this masked attention and [\d.]+) % with it", WORDS)
    (pq,) = re.findall(r"with it, and the panoptic quality ([\d.]+ and [\d.]+)", WORDS)
    for said, words in ((ap, "{} points of mask mAP"), (pq, "{} of panoptic quality")):
        without, with_it = map(float, re.findall(r"\d+\.\d", said))
        assert words.format(f"{with_it - without:.1f}") in WORDS


def test_a_mask_from_a_vector_by_hand():
    query = torch.tensor([9.0, -4.0])
    products = [int(query @ torch.tensor(one)) for one in ([1.0, -1.0], [0.0, 1.0], [-1.0, -1.0])]
    assert f"the product is 9 + 4 = {products[0]}, and σ({products[0]}) is nearly 1" in WORDS
    assert (
        f"At the pixels of the meadow it is −{-products[1]}, and at the other sheep −9 + 4 = −{-products[2]}" in WORDS
    )


def test_how_many_queries_name_something():
    named, queries, segments = map(int, re.search(r"(\d+) of (\d+) queries .*; (\d+) segments", PRINTED).groups())
    assert f"all {queries} queries" in WORDS
    assert f"{NUMBERS[queries - named].capitalize()} of them say no object" in WORDS
    assert f"But {named} answers for {segments} segments are too many" in WORDS
    assert f"Here {queries - segments} of {queries} queries are unmatched" in WORDS
    assert f"{NUMBERS[segments].capitalize()} perfect pairs would cost −{2 * segments}" in WORDS
    assert f"{queries} queries x {segments} objects" in PRINTED


def test_the_network_was_trained_as_told():
    record = json.loads(resources.data("checkpoints", "mask2former_tiny.json").read_text(encoding="utf-8"))
    steps = int(re.search(r"--steps (\d+)", record["command"]).group(1))
    assert f"after only {steps:,} steps of training" in WORDS
    assert f"the one network had {steps:,} steps, on DeepLab's backbone, which stayed as it was" in WORDS
    assert "the backbone is that of deeplabv3_tiny, unchanged" in record["what"]


def test_the_assignment_of_three():
    costs = np.array([[1, 2, 6], [2, 7, 9], [5, 6, 8]])
    sums = sorted(sum(costs[row, column] for row, column in enumerate(way)) for way in itertools.permutations(range(3)))
    assert f"The best is 2 + 2 + 8 = {sums[0]}" in WORDS
    assert f"the sum is {costs[0, 0] + costs[2, 1] + costs[1, 2]}" in WORDS
    assert f"sum {sums[0]}" in PRINTED


def test_the_small_thing_that_was_missed():
    wanted = torch.zeros(100)
    wanted[:4] = 1
    mask = torch.full((100,), 0.02)
    dice = float(1 - (2 * (mask * wanted).sum() + 1) / (mask.sum() + wanted.sum() + 1))
    assert f"at {dice:.2f} it is close to its worst, 1" in WORDS
    assert f"cross entropy {F.binary_cross_entropy(mask, wanted):.3f}" in PRINTED


def test_points_and_weights_of_the_loss():
    settings = LossSettings()
    assert f"instead of at all pixels, {settings.points:,} for a large picture" in WORDS
    assert settings.important == 0.75
    assert "three quarters of them are taken where the mask is least sure" in WORDS
    assert (settings.classes, settings.mask, settings.dice) == (2, 5, 5)
    assert "with the weights 2, 5 and 5 of the costs" in WORDS
    assert "it counts a tenth" in WORDS
    assert settings.no_object == 0.1


@pytest.mark.parametrize("name", ["maskformer_resnet50", "mask2former_resnet50"])
def test_more_than_half_of_either_is_backbone(name):
    assert "More than half of either is backbone" in WORDS
    network = on_meta(name, num_classes=133)
    assert count(network.backbone) > count(network) / 2
    assert re.search(rf"{name} +{count(network):,} = backbone {count(network.backbone):,}", PRINTED)


def test_what_mask2former_adds_is_in_its_query_decoder():
    old, new = (on_meta(f"{name}_resnet50", num_classes=133) for name in ("maskformer", "mask2former"))
    assert "What Mask2Former adds is three more layers of the query decoder" in WORDS
    assert len(new.decoder.layers) - len(old.decoder.layers) == 3
    assert count(new.pixel_decoder) < count(old.pixel_decoder)


def test_pairs_at_stride_8():
    places = (1024 // 8) ** 2
    assert f"1,024 × 1,024 has {places:,} places and {places**2 / 1e6:.0f} million pairs" in WORDS


def test_what_is_read_of_the_scene():
    things, segments = map(int, re.search(r"(\d+) things with a score above 0.5, (\d+) segments", PRINTED).groups())
    found, there, matched = map(int, re.search(r"(\d+) segments found, (\d+) are there, (\d+) pairs", PRINTED).groups())
    assert segments == found
    rows = {
        name: (int(one), int(other), int(hits), float(quality))
        for name, one, other, hits, quality in re.findall(
            r"(\w+) +found (\d+), there (\d+), matched (\d+): PQ ([\d.]+)", PRINTED
        )
    }
    assert sum(row[0] for row in rows.values()) == found
    assert sum(row[1] for row in rows.values()) == there
    assert sum(row[2] for row in rows.values()) == matched
    horse, bird = rows["horse"], rows["bird"]
    assert f"has {NUMBERS[horse[0]]} horses for {NUMBERS[horse[1]]}" in WORDS
    assert "The boat, the person and all stuff match" in WORDS
    assert {name for name, row in rows.items() if row[2]} == set(rows) - {"horse", "bird"}
    assert bird[:2] == (0, 1)
    assert rows["boat"][2] == rows["person"][2] == 1
    assert things > rows["boat"][0] + rows["person"][0] + horse[0]  # more are sure than win their pixels


def test_one_mask_lies_over_three_horses():
    scene = {"size": (240, 320), "count": 60, "target": "panoptic", "crowd": 1.0, **dict(SCENE)}
    truth = Scenes("val", **scene)[34][1]
    image = Scenes("val", **{**scene, "size": (96, 128)})[34][0]
    network = models.create("mask2former_tiny", weights="course").eval()
    numbers, listed = find_masks(network, image, size=(240, 320)).panoptic(STUFF)
    found = [numbers == one.id for one in listed if SCENES.names[one.label] == "horse"]
    horses = [truth["segments"] == one["id"] for one in truth["segments_info"]
              if SCENES.names[one["category_id"]] == "horse"]  # fmt: skip
    scrap, large = sorted(found, key=lambda mask: int(mask.sum()))
    assert all((large & horse).sum() > 0.6 * horse.sum() for horse in horses)
    assert scrap.sum() < 0.1 * large.sum()
    assert "one of its masks lies over all three animals, and the other is a scrap" in WORDS


def test_one_network_against_two_on_thirty_scenes():
    rows = {
        name: tuple(map(float, numbers))
        for name, *numbers in re.findall(
            r"(one network|two networks|its label map, by regions) +([\d.]+)% +([\d.]+)% +([\d.]+)%", PRINTED
        )
    }
    one, two, regions = rows["one network"], rows["two networks"], rows["its label map, by regions"]
    assert (
        f"Two networks win, by {two[0]:.0f} to {one[0]:.0f} %: in things they are far ahead, in stuff the one" in WORDS
    )
    assert two[1] - one[1] > 15
    assert one[2] > two[2]
    assert "its masks do not even beat the regions of its own label map" in WORDS
    assert one[0] < regions[0]


def test_what_is_said_of_things_that_touch():
    claim = "masks.touching"
    assert list(verdicts(claim).values()) == ["undecided", "confirmed", "confirmed", "confirmed"]
    found = {
        (way, key): mean(claim, way, key) for way in ("masks", "regions") for key in ("touching", "alone", "usual")
    }
    assert f"Few, but some: {found['regions', 'touching']:.1f} %" in WORDS
    assert (
        f"Masks find {found['masks', 'touching']:.1f} % of what touches there, more with every set of scenes" in WORDS
    )
    ahead = zip(seeds(claim, "masks", "touching"), seeds(claim, "regions", "touching"), strict=True)
    assert all(one > other for one, other in ahead)
    assert f"regions find more, {found['regions', 'alone']:.1f} % against {found['masks', 'alone']:.1f}" in WORDS
    assert f"masks are better, by {found['masks', 'usual']:.1f} to {found['regions', 'usual']:.1f} % of PQ" in WORDS
    assert f"{READ} unseen scenes of each kind" in WORDS


def test_the_published_networks_in_the_figure():
    qualities = {"mask2former_resnet50": 51.9, "eomt_small": 44.7, "eomt_base": 50.6, "eomt_large": 56.0}
    names = ("Mask2Former R50 at", "EoMT small at", "base at", "large at")
    for words, (network, quality) in zip(names, qualities.items(), strict=True):
        assert f"{words} {count(on_meta(network, num_classes=133)) / 1e6:.0f} million and {quality}" in WORDS
    masked = {name: count(models.create("mask2former_tiny", num_classes=3, masked=name)) for name in (True, False)}
    assert "Not one weight is added" in WORDS
    assert masked[True] == masked[False]


def test_the_self_tests_answers():
    assert "In the label map with 0.6 of its mask; in the panoptic map not, at the authors' threshold of 0.8" in WORDS
    logits, wanted = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 3, 3])
    weights = torch.tensor([1, 1, 1, 0.1])
    once, twice = (F.cross_entropy(logits, wanted, factor * weights) for factor in (1, 2))
    assert "Nothing: the class loss is a weighted mean" in WORDS
    assert float(once) == pytest.approx(float(twice))


def test_masks_in_the_race():
    board = "results.leaderboard"
    masks, pixels = mean(board, "Mask2Former"), mean(board, "FCN-8s")
    said = f"have a mean IoU of {masks:.1f} %, those of FCN-8s, for three quarters of the operations, {pixels:.1f}"
    assert said in WORDS
    assert mean(board, "FCN-8s", "gflops") / mean(board, "Mask2Former", "gflops") == pytest.approx(0.75, abs=0.03)
    other, next_one = mean(board, "MaskFormer"), mean(board, "EoMT")
    assert f"MaskFormer has {other:.1f} % there, and EoMT, which comes next, {next_one:.1f}" in WORDS
    spans = [np.ptp(seeds(board, name)) for name in ("MaskFormer", "EoMT")]
    assert f"varies by {spans[0]:.1f} and {spans[1]:.1f} points" in WORDS


def test_things_by_masks_and_by_a_class_per_pixel():
    claim, pixels, truth = "masks.pixels", "a class per pixel, regions", "the true label map, regions"
    assert list(verdicts(claim).values()) == ["confirmed", "undecided", "reversed", "reversed"]
    early, late, touching, alone = (
        {variant: mean(claim, variant, key) for variant in ("masks", pixels)}
        for key in ("early_PQ_things", "late_PQ_things", "late_touching", "late_alone")
    )
    said = f"with every seed: its PQ of things is {early[pixels]:.1f} %, that of masks {early['masks']:.1f}"
    assert said in WORDS
    assert f"the other way round, by {late['masks']:.1f} to {late[pixels]:.1f}" in WORDS
    for key, ahead, behind in (("early_PQ_things", pixels, "masks"), ("late_PQ_things", "masks", pixels)):
        pairs = zip(seeds(claim, ahead, key), seeds(claim, behind, key), strict=True)
        assert all(one > other for one, other in pairs)
    assert f"things that touch, {touching['masks']:.1f} % against {touching[pixels]:.1f}" in WORDS
    assert f"they find fewer, {alone['masks']:.1f} against {alone[pixels]:.1f}" in WORDS
    assert "their label map is three points worse" in WORDS
    assert round(mean(claim, pixels, "late_mean_iou") - mean(claim, "masks", "late_mean_iou")) == 3
    assert f"They find {mean(claim, truth, 'late_touching'):.1f} % of what touches" in WORDS


def test_masks_against_a_class_per_pixel():
    claim = "masks.classes"
    few, some, every = (-mean(claim, f"{count} classes", "gain") for count in (8, 16, 33))
    assert f"{few:.1f} points with 8, {some:.1f} with 16, {every:.1f} with 33" in WORDS
    assert "The first two lines are reversed" in WORDS
    assert list(verdicts(claim).values()) == [
        "reversed", "reversed", "undecided", "undecided", "confirmed", "undecided", "reversed",
    ]  # fmt: skip
    fixed, matched = (mean(claim, variant, "masks") for variant in ("33 classes, fixed", "33 classes"))
    assert f"masks have {fixed:.1f} % instead of {matched:.1f} with all 33 classes" in WORDS
    gains = seeds(claim, "33 classes, fixed", "gain")
    assert f"with every seed, by {min(gains):.1f} to {max(gains):.1f} points" in WORDS
    losses = [mean(claim, f"33 classes{more}", "masks_loss") / 100 for more in ("", ", 1,200 steps")]
    assert f"it is {losses[0]:.1f} with 33 classes, and will be {losses[1]:.1f} after 1,200" in WORDS
    longer = [-mean(claim, f"{count} classes, 1,200 steps", "gain") for count in (33, 8)]
    said = f"masks are {longer[0]:.1f} points behind with 33 classes instead of {every:.1f}, and {longer[1]:.1f} with 8"
    assert said in WORDS
    assert f"with 8 instead of {few:.1f}. That is less with every seed" in WORDS
    for count in (8, 33):
        pairs = (seeds(claim, f"{count} classes{more}", "gain") for more in ("", ", 1,200 steps"))
        assert all(short < long for short, long in zip(*pairs, strict=True))
