"""Sentences of lessons 6a and 6b against the recorded results: their numbers are computed here."""

import re
from pathlib import Path

import pytest

from segtutor.claims import card, find, published, recorded
from segtutor.claims.experiments.deeplab.spent import COMPARISONS, spent_table
from segtutor.claims.networks import NETWORKS

SOURCE = Path(__file__).parents[2] / "notebooks" / "source"


def text_of(lesson):
    """The lesson's words without comment signs and line breaks."""
    (path,) = SOURCE.glob(f"{lesson}_*.py")
    lines = [re.sub(r"^# ?", "", line) for line in path.read_text(encoding="utf-8").splitlines()]
    return re.sub(r"\s+", " ", " ".join(lines)).replace("**", "").replace("*", "")


def mean(claim, variant, key="mean_iou"):
    """Percent."""
    return 100 * recorded(find(claim)).mean_and_spread(variant, key)[0]


def verdicts(claim):
    return [verdict for verdict, _, _ in card(claim).verdicts()]


def seeds(claim, better, worse, key="mean_iou"):
    runs = recorded(find(claim)).runs
    return [100 * (one[key] - other[key]) for one, other in zip(runs[better], runs[worse], strict=True)]


def test_several_rates_decide_nothing():
    assert "The card decides nothing. The three pyramids lie within two points of each other" in text_of("06a")
    assert set(verdicts("deeplab.aspp")) == {"undecided"}
    means = [mean("deeplab.aspp", variant) for variant in find("deeplab.aspp").variants]
    assert max(means) - min(means) < 2


def test_the_crf_helps_every_network():
    assert "The CRF helps every network, by 5 to 7 points over all pixels" in text_of("06a")
    gains = [mean("deeplab.crf", variant, "mean_iou_gain") for variant in find("deeplab.crf").variants]
    assert (round(min(gains)), round(max(gains))) == (5, 7)
    assert "the checkpoint, the best network of all, gains most" in text_of("06a")
    assert mean("deeplab.crf", "course checkpoint", "mean_iou_gain") == max(gains)
    assert "Behind the checkpoint we also see the price: thin things lose" in text_of("06a")
    assert mean("deeplab.crf", "course checkpoint", "thin_gain") < 0
    words = {expected: verdict for verdict, expected, _ in card("deeplab.crf").verdicts()}
    assert words["The finer map gains less."] == "undecided"
    assert words["Near boundaries, too."] == "reversed"


def test_multi_grid_is_undecided():
    assert "Undecided: less than a point is lost, and the seeds spread as far" in text_of("06b")
    assert verdicts("deeplab.multi_grid") == ["undecided", "undecided"]
    assert -1 < mean("deeplab.multi_grid", "1, 2") - mean("deeplab.multi_grid", "1, 1") < 0


def test_poles_tell_no_more_about_multi_grid():
    plain, grid = (mean("deeplab.multi_grid", variant, "pole_iou") for variant in ("1, 1", "1, 2"))
    assert f"their IoU is {plain:.1f} % with (1, 1) and {grid:.1f} % with (1, 2)" in text_of("06b")
    differences = seeds("deeplab.multi_grid", "1, 2", "1, 1", "pole_iou")
    assert max(differences) - min(differences) > plain - grid > 0


def test_image_pooling_loses():
    assert "All three seeds lose, between one and nearly three points" in text_of("06b")
    gains = seeds("deeplab.image_pooling", "with", "without")
    assert -3 < min(gains) < -2.5
    assert -1.5 < max(gains) < -0.9
    assert verdicts("deeplab.image_pooling") == ["undecided"]


def test_batch_norm_helps():
    without, with_it = (mean("deeplab.batch_norm", variant) for variant in ("without", "with"))
    assert f"Confirmed: {without:.1f} % without, {with_it:.1f} % with." in text_of("06b")
    assert verdicts("deeplab.batch_norm") == ["confirmed"]


def test_in_a_row_is_ahead_at_this_budget_and_the_losses_tell_of_underfitting():
    text = text_of("06b")
    assert "ends two points and a half below the one with two more blocks" in text
    assert 2 < mean("deeplab.cascaded", "block6") - mean("deeplab.cascaded", "parallel") < 3
    parallel, bare = (mean("deeplab.cascaded", variant, "loss") / 100 for variant in ("parallel", "block4"))
    assert f"(block4): {parallel:.2f} against {bare:.2f}" in text


def test_the_decoder_helps_along_outlines():
    text = text_of("06b")
    none, few, many = (mean("deeplab.decoder", variant) for variant in ("no decoder", "16 channels", "48 channels"))
    assert f"confirmed: {none:.1f} % without it, {many:.1f} % with it" in text
    assert "48 channels are three points better than 16" in text
    assert 2.5 < many - few < 3.5
    assert verdicts("deeplab.decoder") == ["confirmed", "confirmed", "undecided", "confirmed"]
    far = seeds("deeplab.decoder", "48 channels", "no decoder", "beyond")
    assert f"Far from outlines it brings {sum(far) / 3:.1f} points on average" in text


def test_separable_convolutions_lose_here():
    text = text_of("06b")
    full, cheap = (mean("deeplab.separable", variant) for variant in ("full", "separable"))
    assert f"mean IoU falls from {full:.1f} to {cheap:.1f} %" in text
    losses = [mean("deeplab.separable", variant, "loss") / 100 for variant in ("separable", "full")]
    assert f"{losses[0]:.2f} against {losses[1]:.2f}" in text
    memory = [mean("deeplab.separable", variant, "megabytes") / 100 for variant in ("full", "separable")]
    assert f"from {memory[0]:.1f} to {memory[1]:.1f} MB per picture" in text


def test_sentences_about_the_leaderboard_hold_for_the_whole_of_it():
    text, networks = text_of("06b"), find("results.leaderboard").variants
    scores = {name: mean("results.leaderboard", name) for name in networks}
    names = sorted(scores, key=lambda name: -scores[name])
    assert names[:3] == ["backbone alone, stride 4", "PSPNet, stride 4", "FCN-8s, pretrained"]
    assert f"With {scores[names[0]]:.1f} %, the bare backbone at stride 4 comes first" in text
    assert "PSPNet at stride 4 follows, then FCN-8s from pretrained weights" in text
    assert "At stride 8 and at stride 4, the bare backbone is ahead of every head" in text
    heads = [name for name in names if name.startswith(("PSPNet", "DeepLab"))]
    for name in heads:
        bare = "backbone alone, stride 4" if name.endswith("stride 4") else "backbone alone"
        if not name.endswith(("stride 16", "separable")):
            assert scores[name] < scores[bare], name
    costs = {name: mean("results.leaderboard", name, "gflops") for name in networks}
    assert "with a quarter of the operations, it comes within three points of v3 at stride 4" in text
    assert scores["DeepLab v3, stride 4"] - scores["DeepLab v3+, stride 16"] < 3
    assert costs["DeepLab v3+, stride 16"] / costs["DeepLab v3, stride 4"] == pytest.approx(0.25, abs=0.02)
    assert (
        f"SegFormer, a transformer, has {scores['SegFormer']:.1f} % for {costs['SegFormer'] / 100:.2f} billion" in text
    )
    assert costs["SegFormer"] == min(costs.values())
    late = {
        row.name: scores[row.name] for row in NETWORKS if row.family in ("transformer", "mask classification", "U-Net")
    }
    assert {row.start for row in NETWORKS if row.name in late} == {"random"}
    assert "The others end below FCN-8s" in text
    assert max(score for name, score in late.items() if name != "SegFormer") < scores["FCN-8s"]
    assert f"ViT, the plainest transformer, at {late['ViT']:.1f} %" in text
    said = (
        f"at {late['Mask2Former']:.1f} (Mask2Former), {late['EoMT']:.1f} (EoMT) and {late['MaskFormer']:.1f} % "
        f"(MaskFormer). So does lesson 11's U-Net, with {late['U-Net']:.1f}."
    )
    assert said in text


def test_the_networks_that_came_later_have_hardly_begun():
    text, board = text_of("06b"), "results.leaderboard"
    losses = [mean(board, name, "loss") / 100 for name in ("U-Net", "PSPNet")]
    said = f"the loss on its training scenes is still {losses[0]:.2f}, where PSPNet's is {losses[1]:.2f}"
    assert said in text
    runs = [100 * run["mean_iou"] for run in recorded(find(board)).runs["MaskFormer"]]
    assert f"ends anywhere from {min(runs):.1f} to {max(runs):.1f} %, depending on the seed" in text


def test_the_alternative_text_of_the_leaderboard_tells_what_is_below():
    (told,) = re.findall(r'alt="(\S+) named points, mean IoU (against [^"]*)"', text_of("06b"))
    assert (told[0], len(NETWORKS)) == ("Twenty-three", 23)
    for row in NETWORKS:
        score = mean("results.leaderboard", row.name)
        assert (f"{row.name} {score:.1f}" in told[1]) == (score < 38), row.name


def test_the_gap_against_the_steps():
    text, claim = text_of("06b"), "deeplab.steps"
    bare, pyramid, decoder = find(claim).variants
    lengths = (150, 400, 1200, 3600)
    behind = [mean(claim, bare, f"mean_iou_{steps}") - mean(claim, pyramid, f"mean_iou_{steps}") for steps in lengths]
    first, second, third, last = (f"{points:.1f}" for points in behind)
    said = f"It is {first} points after 150 steps, {second} after 400, {third} after 1,200, and {last} after 3,600"
    assert said in text
    losses = [mean(claim, variant, "loss_150") / 100 for variant in (pyramid, bare)]
    assert f"Its training loss, at first {losses[0]:.2f} against {losses[1]:.2f}" in text
    late = [mean(claim, variant, "loss_3600") / 100 for variant in (pyramid, bare)]
    assert late[0] == pytest.approx(late[1], abs=0.04)
    ahead = [mean(claim, decoder, f"mean_iou_{steps}") - mean(claim, bare, f"mean_iou_{steps}") for steps in lengths]
    early, middle, late = (f"{points:.1f}" for points in ahead[1:])
    assert f"from {early} points there to {middle} after 1,200 steps and {late} after 3,600" in text
    best = [mean(claim, variant, "mean_iou_3600") for variant in (decoder, bare)]
    assert f"In the end it has {best[0]:.1f} % against {best[1]:.1f}, for hardly more operations" in text
    assert min(seeds(claim, decoder, bare, "mean_iou_150")) < 0 < max(seeds(claim, decoder, bare, "mean_iou_150"))
    assert min(seeds(claim, decoder, bare, "mean_iou_400")) > 0
    more = mean(claim, decoder, "gflops") / mean(claim, bare, "gflops")
    assert f"({100 * more - 100:.0f} % more)" in text
    assert verdicts(claim) == ["confirmed", "undecided", "confirmed", "confirmed", "confirmed"]


def test_three_parts_against_the_steps():
    text, claim = text_of("06b"), "deeplab.parts"
    alone, deeper, equal, grid, decoder, separable = find(claim).variants
    lengths = (150, 400, 1200)

    def gaps(one, other):
        return [mean(claim, one, f"mean_iou_{steps}") - mean(claim, other, f"mean_iou_{steps}") for steps in lengths]

    first, second, third = (f"{-gap:.1f}" for gap in gaps(deeper, alone))
    assert f"come nearer, from {first} points behind to {second} and {third}" in text
    assert max(seeds(claim, deeper, alone, "mean_iou_1200")) < 0
    losses = [mean(claim, variant, "loss_1200") / 100 for variant in (deeper, alone)]
    assert f"their training loss is the lower one, {losses[0]:.2f} against {losses[1]:.2f}" in text.replace("*", "")
    assert all(abs(gap) < 0.3 for gap in gaps(grid, equal))
    poles = [mean(claim, variant, "pole_iou_1200") for variant in (grid, equal)]
    assert f"({poles[0]:.1f} against {poles[1]:.1f} %)" in text
    assert all(-3.2 < gap < -2.6 for gap in gaps(separable, decoder))
    assert all(mean(claim, separable, f"loss_{steps}") > mean(claim, decoder, f"loss_{steps}") for steps in lengths)
    assert verdicts(claim) == ["undecided", "reversed", "undecided", "undecided", "undecided"]


def test_multi_grid_with_three_blocks():
    text, claim = text_of("06b"), "deeplab.three_blocks"
    equal, wide, grid = find(claim).variants
    assert verdicts(claim) == ["undecided"] * 4
    scores = [mean(claim, variant, "mean_iou_1200") for variant in (equal, wide, grid)]
    said = f"{scores[0]:.1f} % with 1, 1, 1, {scores[1]:.1f} with 2, 2, 2 and {scores[2]:.1f} with 1, 2, 4"
    assert f"After 1,200 steps the mean IoU is {said}" in text
    ahead = seeds(claim, grid, equal, "mean_iou_1200")
    assert f"with every seed, by {min(ahead):.1f} to {max(ahead):.1f} points" in text
    poles = [mean(claim, variant, "pole_iou_1200") for variant in (wide, equal)]
    assert f"It does not: {poles[0]:.1f} %, against {poles[1]:.1f} with 1, 1, 1" in text
    assert round(100 / mean(claim, wide, "reached")) == 14


def test_what_the_same_operations_buy():
    text, claim = text_of("06b"), "deeplab.equal_operations"
    of = {name: mean(claim, name) for name in find(claim).variants}
    cost = {name: mean(claim, name, "gflops") / 100 for name in of}
    small, plain = "DeepLab v3+, separable", "DeepLab v3, stride 16"
    assert cost[small] == pytest.approx(cost[plain], rel=0.02) == pytest.approx(0.3, abs=0.01)
    said = f"decoder and separable convolutions reach {of[small]:.1f} %, while v3 at stride 16 reaches {of[plain]:.1f}."
    assert said in text
    plus, eight, bare = "DeepLab v3+, stride 16", "DeepLab v3", "backbone alone"
    assert all(0.44 < cost[name] < 0.56 for name in (plus, eight, bare))
    assert f"with a decoder reaches {of[plus]:.1f} %, the pyramid at stride 8 only {of[eight]:.1f}" in text
    assert f"the bare backbone has {of[bare]:.1f} % for as many operations" in text
    fine, blocks, pyramid = "backbone alone, stride 4", "DeepLab v3, cascaded", "DeepLab v3, stride 4"
    said = (
        f"for {cost[fine]:.1f} billion it has {of[fine]:.1f} %, while the pyramid at stride 4 has {of[pyramid]:.1f} "
        f"for {cost[pyramid]:.1f}. More blocks (“cascaded”) have {of[blocks]:.1f} % for {cost[blocks]:.1f}, and thus "
        "less than the bare backbone at stride 8, at twice its price."
    )
    assert said in text
    assert of[blocks] < of[bare]
    assert cost[blocks] / cost[bare] == pytest.approx(2, abs=0.2)
    expected = ["confirmed", "confirmed", "undecided", "undecided", "reversed", "confirmed"]
    assert verdicts(claim) == expected


def test_every_part_at_equal_stride_and_at_equal_operations():
    text = text_of("06b")
    rows = {one.part: one for one in COMPARISONS}
    plain, spent = ({} for _ in range(2))
    for part, one in rows.items():
        claim = one.claim.name
        costs = [mean(claim, variant, "gflops") / 100 for variant in (one.without, one.with_it)]
        plain[part] = mean(claim, one.with_it) - mean(claim, one.without)
        if one.instead is None:
            assert costs[0] == pytest.approx(costs[1], rel=0.01), part
            continue
        price = mean("results.leaderboard", one.instead, "gflops") / 100
        assert 0.7 < price / costs[1] < 1.05, part  # what it is compared with is not dearer, and not much cheaper
        spent[part] = mean(claim, one.with_it) - mean("results.leaderboard", one.instead)
    assert len(rows) - len(spent) == 4
    assert "Four parts cost hardly anything" in text
    for finer in ("stride 8, not 16", "stride 4, not 8"):
        assert plain[finer] > 5
        assert spent[finer] < -3
    assert f"The decoder gains most, {plain['decoder']:.1f} points" in text
    assert plain["decoder"] == max(plain.values())
    assert f"is {-spent['decoder']:.1f} points ahead of it, and three seeds cannot tell the two apart" in text
    assert verdicts("deeplab.equal_operations")[3] == "undecided"
    lost, won = -plain["separable convolutions"], spent["separable convolutions"]
    assert f"lose {lost:.1f} points, but are {won:.1f} ahead of v3 at stride 16, which is as cheap" in text
    skips = mean("results.leaderboard", "FCN-8s"), mean("results.leaderboard", "FCN-8s", "gflops")
    assert f"(FCN-8s is, too, and has {skips[0]:.1f} %.)" in text
    assert skips[1] == pytest.approx(mean("deeplab.separable", "separable", "gflops"), rel=0.05)
    lines = spent_table().splitlines()
    assert len(lines) == 2 + len(rows)
    assert f"| decoder | 0.30 → 0.47 | +{plain['decoder']:.1f} | backbone alone (0.45) | −1.3 |" in lines


def test_the_gain_of_the_decoder_on_a_finer_map():
    found = {
        (one.network, one.test_time): one.value
        for one in published(dataset="PASCAL VOC 2012", kind="paper")
        if one.model == one.network and one.backbone == "ResNet-101" and one.training_data == ("ImageNet",)
    }
    coarse, fine = "output stride 16", "output stride 8"
    old, new = ([found[network, stride] for stride in (coarse, fine)] for network in ("DeepLab v3", "DeepLab v3+"))
    said = f"v3 rises from {old[0]:.2f} to {old[1]:.2f} %, and v3+ from {new[0]:.2f} to {new[1]:.2f} %"
    assert said in text_of("06b")
    assert (new[1] - old[1]) / (new[0] - old[0]) == pytest.approx(0.5, abs=0.03)


def test_equal_operations_are_rows_of_the_leaderboard():
    claim = find("deeplab.equal_operations")
    rows, board = recorded(claim).runs, recorded(find("results.leaderboard")).runs
    for name in claim.variants:
        for ours, theirs in zip(rows[name], board[name], strict=True):
            assert all(ours[measure.key] == theirs[measure.key] for measure in claim.measures), name


def test_disturbances_take_the_gain_of_the_crf_away():
    text = text_of("06a")
    drawn, noisy, everything = (
        mean("deeplab.crf_noise", variant, "mean_iou_gain")
        for variant in ("as drawn", "noise 20", "all: 20, 1 px, 30 %")
    )
    assert f"Of {drawn:.1f} points {noisy:.1f} are left." in text
    assert f"With noise, blur and shadow together {everything:.1f} points are left" in text
    assert "the CRF takes a point away" in text
    assert round(mean("deeplab.crf_noise", "all: 20, 1 px, 30 %", "seen_mean_iou_gain")) == -1


def distance(variant, size, percent_of_height):
    return mean("deeplab.distance", variant, f"right_{size}_{percent_of_height}")


def test_a_rate_for_every_distance():
    text = text_of("06a")
    near = [distance("rate 4", 96, away) for away in (10, 20, 30)]
    assert f"it is right {min(near):.0f} to {max(near):.0f} % of the time" in text
    far = [distance("rate 4", 192, away) for away in (10, 20, 30)]
    assert f"right in {max(far):.0f} % at best, and guesses at 58 pixels" in text
    assert abs(far[-1] - 50) < 2
    for size in (96, 192):
        for away in (10, 20, 30):
            single = max(distance(f"rate {rate}", size, away) for rate in (1, 2, 4, 8))
            assert distance("rates 2, 4, 8", size, away) > single - 2
    best = [max((1, 2, 4, 8), key=lambda rate: distance(f"rate {rate}", 96, away)) for away in (10, 20, 30)]
    assert best == sorted(best)


def test_image_pooling_and_rates_in_a_row_reach_what_is_beyond_all_rates():
    text = text_of("06b")
    pooled, row = (distance(head, 192, 30) for head in ("rate 1 and image pooling", "2, 4, 8 in a row"))
    assert f"knows it in {pooled:.0f} % of all cases as soon as it gets image pooling" in text
    assert row > 95
    assert "no rate is right in more than two cases of three" in text
    assert max(distance(f"rate {rate}", 192, 30) for rate in (1, 2, 4, 8)) < 200 / 3
