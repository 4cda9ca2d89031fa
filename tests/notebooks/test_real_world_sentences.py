"""Sentences of lesson 11 against the recorded results and the committed run."""

import re

import pytest

from segtutor.claims import find, recorded
from tests.notebooks.lesson import mean, printed_by, seeds, verdicts, words_of

WORDS, PRINTED = words_of("11"), printed_by("11")
SHIFT = "world.batch_norm"


def percentages(start):
    """The percentages of the first printed line that begins so."""
    line = re.search(rf"^{re.escape(start)}.*$", PRINTED, re.MULTILINE)[0]
    return [float(one) for one in re.findall(r"(-?[\d.]+) ?%", line)]


def test_new_statistics():
    night, fog = (
        [mean(SHIFT, variant, f"{weather}_mean_iou") for variant in ("of the training", "64 pictures")]
        for weather in ("night", "fog")
    )
    assert f"At night the mean IoU rises from {night[0]:.1f} to {night[1]:.1f} %" in WORDS
    assert f"and in fog from {fog[0]:.1f} to {fog[1]:.1f} %" in WORDS
    day = mean(SHIFT, "of the training", "clean_mean_iou")
    assert f"By day it was {day:.1f}." in WORDS
    beaches, each = (mean(SHIFT, one, "clean_mean_iou") for one in ("64 beaches only", "each picture its own"))
    assert f"that costs {day - beaches:.0f} points" in WORDS
    assert f"it costs {day - each:.0f}: a meadow" in WORDS
    assert set(verdicts(SHIFT).values()) <= {"confirmed", "undecided"}


def test_a_real_dusk():
    claim = "world.dusk"
    before, after, road = (
        mean(claim, one, "dusk_mean_iou")
        for one in ("of the training", "earlier frames of the drive", "windows of road only")
    )
    assert f"from {before:.1f} to {after:.1f} % with the earlier frames, and to {road:.1f} with road alone" in WORDS
    day = [mean(claim, one, "day_mean_iou") for one in ("of the training", "earlier frames of the drive")]
    assert f"it falls from {day[0]:.1f} to {day[1]:.1f}." in WORDS
    assert list(verdicts(claim).values()) == ["reversed"] * 3 + ["confirmed"]


def test_what_the_run_says_of_day_and_night():
    by_day, sure_by_day = percentages("day    mean IoU")
    at_night, sure_at_night = percentages("night  mean IoU")
    assert 55 < by_day < 60  # "nearly 60 %", "A mean IoU of 58 %"
    assert at_night < 2  # "Next to nothing."
    assert sure_at_night > sure_by_day  # "even higher at night than by day"
    for before, after in re.findall(r"mean IoU +([\d.]+)% -> +([\d.]+)%", PRINTED):
        assert float(before) + by_day / 2 < float(after) < by_day  # "Most of it."


def test_who_stays_silent():
    for name, share in (("day ", 0.6), ("night, new statistics", 0.5)):  # "two thirds", "more than half"
        line = next(one for one in PRINTED.splitlines() if one.startswith(name) and "of the surest" in one)
        every, kept = (float(one) for one in re.findall(r"([\d.]+)% of", line))
        assert share < 1 - 0.8 * kept / every < share + 0.1, line


def test_several_networks_or_dropout():
    claim, variants = "world.ensemble", ("3 networks", "dropout, 3 passes", "one network")
    three, dropout, one = (mean(claim, variant, "clean_nll") / 100 for variant in variants)
    assert f"their cross entropy is {three:.3f}, that of dropout {dropout:.3f}, hardly less than the {one:.3f}" in WORDS
    ece = [mean(claim, variant, "clean_ece") for variant in variants]
    assert f"The ECE goes the other way, {ece[0]:.1f} % against {ece[1]:.1f}, which is reversed" in WORDS
    assert all(run["clean_over"] < 0 for run in recorded(find(claim)).runs["one network"])  # "too modest already"
    cooled = [mean(claim, variant, "cooled_nll") / 100 for variant in variants]
    assert f"the three remain ahead, {cooled[0]:.3f} against {cooled[1]:.3f}" in WORDS
    assert list(verdicts(claim).values()) == ["confirmed", "reversed", "confirmed", "undecided", "undecided"]


def test_ece_by_hand():
    assert "ECE 0.190" in PRINTED
    assert "0.4 · 0.20 + 0.4 · 0.25 + 0.2 · 0.05 = 0.19" in WORDS
    with_void = (abs(5 * 0.95 - 3) + abs(4 * 0.75 - 2) + abs(2 * 0.55 - 1)) / 11
    assert f"the ECE would be {with_void:.2f}" in WORDS


def test_a_temperature_changes_no_answer():
    as_it_was, cooled = (percentages(start) for start in ("as it was", "with it"))
    assert cooled[0] < as_it_was[0]
    assert cooled[1] == as_it_was[1]


def test_the_three_kinds_sum_to_everything():
    assert PRINTED.count("the shares sum to 100 %") == 3


def test_what_is_taken_for_what():
    flows = re.findall(r"^(\w+) taken for (\w+): .* ([\d.]+)% of all errors, ([\d.]+)% of", PRINTED, re.MULTILINE)
    assert all(float(of_errors) < 5 for *_, of_errors, _ in flows)  # "No pair holds more than a twentieth"
    assert [pair[:2] for pair in flows] == [("sky", "mountain"), ("water", "boat"), ("sky", "building"),
                                            ("sky", "boat"), ("person", "horse")]  # fmt: skip
    assert 9 < float(flows[4][3]) < 10  # "nearly a tenth of all pixels of people"


def test_which_differences_are_decided():
    said = re.findall(r"^(.+?) +(\d+) pictures: .* (\w+)$", PRINTED, re.MULTILINE)
    assert said[0] == ("DeepLab v3", "10", "decided")
    assert said[1] == ("DeepLab v3", "40", "decided")
    assert [one[0] for one in said[2:4]] == ["new statistics"] * 2


def test_u_net_is_counted():
    assert "by formula, 1 channel in, 2 classes out: 31,030,658" in PRINTED
    assert "31,030,658 parameters for gray pictures; two more channels in cost 2 · 64 · 9 = 1,152" in WORDS
    assert f"with 3 channels in: {31_030_658 + 1_152:,}" in PRINTED
    assert "{256: None, 512: None, 572: 388}" in PRINTED


def test_tiles_agree_where_poolings_begin():
    eight, four = (float(re.search(rf"moved by {move}: largest difference (\S+)", PRINTED)[1]) for move in (8, 4))
    assert eight < 1e-4 < 1e-2 < four


def test_nuclei():
    found, threshold = (mean("world.nuclei", one, "f1") for one in ("U-Net", "threshold"))
    assert f"for an F1 of {found:.1f} %, where the threshold has {threshold:.1f}" in WORDS


def test_the_nuclei_that_are_outlined():
    """Executed where the photograph is; there the first seed is that of the card."""
    ((line, unet),) = re.findall(r"^(U-Net +\d+ regions.*F1 ([\d.]+)%)$", PRINTED, re.MULTILINE)
    assert float(unet) >= 80
    assert float(unet) == pytest.approx(seeds("world.nuclei", "U-Net", "f1")[0], abs=0.06)
    ((other, threshold),) = re.findall(r"^(threshold +\d+ regions.*F1 ([\d.]+)%)$", PRINTED, re.MULTILINE)
    assert float(threshold) == pytest.approx(mean("world.nuclei", "threshold", "f1"), abs=0.06)
    of = [re.search(r", (\d+) of them match one of (\d+) nuclei", one).groups() for one in (line, other)]
    assert f"U-Net finds {of[0][0]} of {of[0][1]}, the threshold {of[1][0]}." in WORDS
    assert "BSD-3-Clause, © 2018 Uwe Schmidt, Martin Weigert" in WORDS


def test_what_u_net_is_made_of():
    merged, outlined = ([mean("world.gap_weights", one, key) for one in ("all alike", "gaps weigh more")]
                        for key in ("merged", "iou"))  # fmt: skip
    assert f"foreground's IoU falls from {outlined[0]:.1f} to {outlined[1]:.1f} %" in WORDS
    assert (
        f"Without the weights {merged[0]:.1f} % of the cells lie in one region with another, with them {merged[1]:.1f}"
        in WORDS
    )
    each = [100 * run["merged"] for run in recorded(find("world.gap_weights")).runs["all alike"]]
    assert f"({min(each):.1f} to {max(each):.1f} % without the weights)" in WORDS
    skips = {one: (mean("world.unet_skips", one, "f1"), mean("world.unet_skips", one, "iou"))
             for one in ("no skips", "summed", "concatenated")}  # fmt: skip
    assert (
        f"Without skips the F1 is {skips['no skips'][0]:.1f} % instead of {skips['concatenated'][0]:.1f}, and the "
        f"foreground's IoU {skips['no skips'][1]:.1f} instead of {skips['concatenated'][1]:.1f}" in WORDS
    )
    assert f"A sum has {skips['summed'][0]:.1f} % with fewer weights" in WORDS
    plain, bent = ([mean("world.elastic", one, key) for key in ("merged", "f1")] for one in ("as they are", "bent"))
    assert f"from {plain[0]:.1f} to {bent[0]:.1f} %, and the F1 rises from {plain[1]:.1f} to {bent[1]:.1f}" in WORDS
    assert list(verdicts("world.unet_skips").values()) == ["confirmed"] * 3
    assert list(verdicts("world.gap_weights").values()) == ["undecided"] * 2
    assert list(verdicts("world.elastic").values()) == ["undecided", "reversed"]


def test_what_labels_are_worth():
    right, fifth, two_fifths = (mean("world.label_noise", one) for one in ("all right", "20 % wrong", "40 % wrong"))
    assert f"from {right:.1f} to {fifth:.1f} %, with two fifths to {two_fifths:.1f}" in WORDS
    recall, precision = (mean("world.label_noise", "20 % wrong", key) for key in ("recall", "precision"))
    assert (
        f"{recall:.0f} % of the wrong regions are among the suspects, but of the suspects only {precision:.0f} % are "
        "wrong" in WORDS
    )
    asked, at_random = (mean("world.active", one) for one in ("the least sure", "any"))
    assert f"{asked:.1f} % against {at_random:.1f}" in WORDS
    assert list(verdicts("world.active").values()) == ["undecided"]
    assert list(verdicts("world.label_noise").values()) == ["undecided", "confirmed", "reversed"]


def test_a_network_that_teaches_itself():
    claim, variants = "world.own_answers", ("labels only", "sure answers, too", "of these the right ones")
    alone, own, oracle = (mean(claim, one) for one in variants)
    assert f"{alone:.1f} % with the thirty labels, and {own:.1f} with the sure answers, too" in WORDS
    runs = recorded(find(claim)).runs
    assert all(
        one["mean_iou"] < other["mean_iou"] for one, other in zip(runs[variants[1]], runs[variants[0]], strict=True)
    )
    assert [round(mean(claim, one, "wrong")) for one in variants] == [3, 5, 4]  # "only 3 to 5 % are wrong"
    assert 0 < oracle - own < 0.5  # "hardly better"
    same = mean(claim, "sure answers, same pictures")
    assert f"cost next to nothing, {same:.1f} %" in WORDS
    assert 0 < alone - same < 0.5
    assert list(verdicts(claim).values()) == ["reversed", "undecided", "confirmed"]


def test_where_it_is_wrong():
    near, far = re.search(r"^pixels to a label change +1: (\d+)% .* 8 and more: (\d+)%", PRINTED, re.MULTILINE).groups()
    assert f"Right at a change of label the mean IoU is {near} %, eight pixels away from any it is {far}" in WORDS
