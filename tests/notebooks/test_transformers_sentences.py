"""Sentences of lesson 08 against the recorded results, the committed run, and values that are computed here."""

import math
import re

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from segtutor import models
from segtutor.claims import find, recorded
from segtutor.datasets import Scenes
from segtutor.models.mix_transformer import EfficientAttention
from segtutor.plotting import effective_receptive_field, field_width
from segtutor.training import default_learning_rate
from tests.notebooks.lesson import mean, printed_by, seeds, verdicts, words_of

WORDS, PRINTED = words_of("08"), printed_by("08")
COUNTS = ("no", "one", "two", "three", "four", "five", "six")


def test_the_boat_by_hand():
    power = math.exp(2)
    water = power / (2 + 2 * power)
    assert f"1, 1, {power:.1f}, {power:.1f}, of sum {2 + 2 * power:.1f}" in WORDS
    assert f"Water gets {water:.2f} twice, sky and boat {0.5 - water:.2f} each" in WORDS
    assert f"its surroundings are {2 * water:.0%} wet".replace("%", " %") in WORDS
    assert f"wet {2 * water:.2f}, bright {0.5 - water:.2f}" in PRINTED
    arrows = f"Thick arrows labeled {water:.2f} lead from both waters to the boat, a thin one labeled {0.5 - water:.2f}"
    assert arrows in WORDS


def test_tokens_and_numbers_of_a_patch():
    assert "Twelve rows of sixteen make 192 tokens" in WORDS
    assert (192 // 16, 256 // 16, 192 * 256 // 16**2) == (12, 16, 192)
    assert f"writes the {3 * 16 * 16} numbers of a patch in a row" in WORDS
    assert "(1, 192, 768) -> tokens (1, 192, 384)" in PRINTED


def test_the_loss_fell_as_told():
    first, last = map(float, re.search(r"loss ([\d.]+) at first, ([\d.]+) at the end", PRINTED).groups())
    assert "The loss has fallen to about a quarter" in WORDS
    assert 0.2 < last / first < 0.3


def width_of(network, layer):
    images = torch.stack([models.Preprocessing().normalize(Scenes("val", (97, 129), 8)[n][0]) for n in range(8)])
    return field_width(effective_receptive_field(network, images, (3, 4), layer=layer), 0.5)


def test_what_networks_without_the_lessons_training_see():
    """The trained SegFormer's field takes half a minute of training and is left to the lesson."""
    torch.manual_seed(0)
    models.create("segformer_tiny", num_classes=33)
    fresh = models.create("segformer_tiny", num_classes=33)
    assert f"half of its gradient comes from a square of {width_of(fresh, 'backbone[stage3]'):.0f} pixels" in WORDS
    resnet = models.create("pspnet_tiny", weights="backbone", output_stride=16)
    assert f"hardly more than the ResNet's {width_of(resnet, 'backbone[out]'):.0f}" in WORDS


def test_table_and_convolutions_have_the_same_number_of_weights():
    runs = recorded(find("transformers.positions")).runs
    table, convolutions, neither = (
        int(runs[one][0]["parameters"]) for one in ("table of positions", "Mix-FFN", "neither")
    )
    assert table == convolutions
    assert f"the same number of weights to the last one, {table - neither:,}" in WORDS


def test_positions_are_told_as_the_card_has_them():
    def points(better, worse, key):
        return mean("transformers.positions", better, key) - mean("transformers.positions", worse, key)

    windows, whole = (COUNTS[round(points("Mix-FFN", "table of positions", key))] for key in ("windows", "whole"))
    assert f"Mix-FFN is the better network, by windows by {windows} points and on whole scenes by {whole}" in WORDS
    said = verdicts("transformers.positions")
    assert said["Mix-FFN is better by windows."] == said["Mix-FFN is better on whole scenes."] == "confirmed"
    assert said["The table loses on whole scenes."] == "undecided"
    assert said["From windows to whole scenes, Mix-FFN loses less, or gains more."] == "undecided"
    assert said["A table is better than nothing."] == "undecided"
    lost = -mean("transformers.positions", "table of positions", "gain")
    assert f"The table loses {COUNTS[round(lost)]} points on whole scenes in the mean" in WORDS
    assert "the control, which has nothing to interpolate, loses as much in the mean" in WORDS
    assert -mean("transformers.positions", "neither", "gain") == pytest.approx(lost, abs=0.3)
    gains = seeds("transformers.positions", "Mix-FFN", "gain")
    assert f"it gained {sum(gains) / 3:.1f} points, give or take one" in WORDS
    assert 0.5 < (max(gains) - min(gains)) / 2 < 1.5


def test_the_dots_are_described_as_they_are():
    def span(variant, key):
        values = seeds("transformers.positions", variant, key)
        return f"{min(values):.1f} to {max(values):.1f}"

    by = [span(one, "windows") for one in ("Mix-FFN", "table of positions", "neither")]
    whole = [span(one, "whole") for one in ("Mix-FFN", "table of positions", "neither")]
    assert f"by windows: Mix-FFN {by[0]} percent, table of positions {by[1]}, neither {by[2]}." in WORDS
    assert f"Of whole scenes: Mix-FFN {whole[0]}, table {whole[1]}, neither {whole[2]}." in WORDS


def test_pairs_of_a_picture():
    tokens = (512 // 4) ** 2
    assert f"a picture of 512 × 512 has {tokens:,} tokens" in WORDS
    assert f"{tokens**2 / 1e6:.0f} million pairs, more than a gigabyte" in WORDS
    assert 1e9 < 4 * tokens**2 < 1.1e9
    assert "patches of 16 pixels, 256 times fewer pairs" in WORDS
    assert (16 // 4) ** 4 == 256
    assert f"{64 * 64:,} tokens ask, and only {(64 // 8) ** 2} answer" in WORDS


def operations(reduction, side):
    with torch.device("meta"):
        layer, tokens = EfficientAttention(32, 1, reduction), torch.zeros(1, (side // 4) ** 2, 32)
        with FlopCounterMode(display=False) as counter:
            layer(tokens, layer.context(tokens, (side // 4, side // 4)))
    return counter.get_total_flops() / 1e9


def test_operations_of_attention():
    counts = [operations(reduction, 1024) for reduction in (1, 2, 4, 8)]
    whole, two, four, eight = (f"{one:.1f}" for one in counts)
    assert f"end at {whole} without a reduction, {two} at R = 2, {four} at R = 4 and {eight} at R = 8" in WORDS
    assert f"takes {counts[3]:.0f} billion operations instead of {counts[0]:.0f}" in WORDS
    assert "Without a reduction the line climbs by a factor of sixteen from one size to the next" in WORDS
    assert operations(1, 1024) / operations(1, 512) == pytest.approx(16, rel=0.02)


def test_features_as_neighbors():
    found = dict(re.findall(r"(ImageNet|random|colors) +mean IoU (\d+)%; the ten draws", PRINTED))
    assert (
        f"ImageNet's, with {found['ImageNet']} % mean IoU, and random features are worst, with {found['random']} %"
        in (WORDS)
    )
    assert f"the plain colors do better, with {found['colors']} %" in WORDS
    assert int(found["random"]) < int(found["colors"]) < int(found["ImageNet"])


def test_the_probe_of_sixteen_scenes():
    found = dict(re.findall(r"(random|ImageNet) +mean IoU ([\d.]+)% after sixteen", PRINTED))
    assert f"has {found['random']} % on random features and {found['ImageNet']} % on ImageNet's" in WORDS
    assert "More than twenty" in WORDS
    assert float(found["ImageNet"]) - float(found["random"]) > 20


def test_frozen_features_are_told_as_the_card_has_them():
    assert set(verdicts("transformers.frozen").values()) == {"confirmed"}
    assert len(verdicts("transformers.frozen")) == 3
    assert "The card is sure of all three" in WORDS
    assert "sixteen labeled scenes are worth more than twice as much as three hundred with random ones" in WORDS
    assert mean("transformers.frozen", "ImageNet, 16 scenes") > 2 * mean("transformers.frozen", "random, 300 scenes")


def test_the_self_tests_answers():
    third = math.exp(math.log(2))
    assert [1 / (2 + third), third / (2 + third)] == [0.25, 0.5]
    assert "weights ¼, ¼, ½" in WORDS
    few, many = (224 // 16) ** 2, (224 // 8) ** 2
    assert (
        f"14² = {few} and 28² = {many} tokens: {many // few} times as many, {(many // few) ** 2} times as many pairs"
        in (WORDS)
    )
    tokens = 64 * 64
    asked = (64 // 4) ** 2
    assert (
        f"{tokens:,} tokens ask 16 × 16 = {asked}: {tokens * asked:,} numbers instead of {tokens**2 / 1e6:.1f} million"
        in (WORDS)
    )


def test_the_default_rate_and_the_batch():
    sixteen, eight = (default_learning_rate("adamw", size) for size in (16, 8))
    assert f"falls with the batch, from {sixteen} at sixteen to {eight:.4f} at eight" in WORDS


def test_the_transformers_in_the_race():
    board = "results.leaderboard"
    rows = find(board).variants
    costs = {name: mean(board, name, "gflops") for name in rows}
    assert min(costs, key=costs.get) == "SegFormer"
    segformer, vit, bare = (mean(board, name) for name in ("SegFormer", "ViT", "backbone alone"))
    assert f"SegFormer has {segformer:.1f} % for the fewest operations of all, and the plain ViT" in WORDS
    assert f"the plain ViT of this lesson {vit:.1f} %" in WORDS
    assert f"The bare convolutional backbone has {bare:.1f}" in WORDS
