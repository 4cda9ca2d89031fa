"""The experiment of rates and distances: its shortcut is the package's ASPP, and a head sees what its rate reaches."""

import pytest
import torch
from torch.nn import functional as F

from segtutor.claims.experiments.deeplab import distances
from segtutor.claims.experiments.deeplab.distances import MOST, NO_ANSWER, Head, Maps, key, maps, met

EMPTY = torch.full((2, 9, 10), NO_ANSWER)


def some_maps(seed: int = 0) -> Maps:
    generator = torch.Generator().manual_seed(seed)
    answers = EMPTY.clone()
    answers[0, 0, 0], answers[0, 4, 5], answers[1, 8, 9] = 0, 1, 1  # two of them in corners
    return Maps(torch.randn(2, 6, 9, 10, generator=generator), answers)


@pytest.mark.parametrize("rate", [1, 2, 5, 12])
def test_taps_are_what_an_atrous_convolution_reads(rate):
    seen = some_maps()
    unfolded = F.unfold(seen.features, 3, dilation=rate, padding=rate).unflatten(2, (9, 10)).unflatten(1, (6, 9))
    picture, row, column = seen.places
    assert [*zip(*(one.tolist() for one in seen.places), strict=True)] == [(0, 0, 0), (0, 4, 5), (1, 8, 9)]
    assert torch.equal(seen.taps(rate), unfolded[picture, :, :, row, column].transpose(1, 2))  # P x C x 9


@pytest.mark.parametrize("head", [Head(()), Head((2, 2, 2)), Head((1, 2, 4)), Head((1, 1, 1), image_pooling=True)])
def test_the_scores_at_the_positions_are_those_of_the_packages_aspp_on_the_map(head):
    seen = some_maps()
    built = head.build(6).eval()
    picture, row, column = seen.places
    with torch.no_grad():
        whole = built.scores(built.aspp(seen.features))[picture, :, row, column]
        assert torch.allclose(built(seen), whole, atol=1e-6)


def told_from_above(offset: int, seed: int) -> Maps:
    """Maps on which a sign in the position so far above each bollard, and in no other, tells its kind."""
    generator = torch.Generator().manual_seed(seed)
    count, side = 60, 17
    features = 0.01 * torch.randn(count, 4, side, side, generator=generator)
    answers = torch.full((count, side, side), NO_ANSWER)
    kinds = torch.arange(count) % 2
    answers[:, 12, 8] = kinds
    features[:, 0, 12 - offset, 8] = 2.0 * kinds - 1
    return Maps(features, answers)


@pytest.mark.parametrize(
    ("head", "offset", "sees"),
    [
        (Head((4, 4, 4)), 4, True),
        (Head((4, 4, 4)), 2, False),  # between the taps
        (Head((2, 2, 2)), 4, False),  # out of reach
        (Head((2, 4, 8)), 4, True),
        (Head((2, 4, 8)), 2, True),
        (Head(()), 4, False),
        (Head((1, 1, 1), image_pooling=True), 4, True),  # anywhere
        (Head((1, 1, 2), "cascade"), 4, True),  # 1 + 1 + 2
        (Head((1, 1, 1), "cascade"), 4, False),
    ],
)
def test_a_head_sees_what_its_rates_reach_and_nothing_else(head, offset, sees):
    right = head.answered(0, told_from_above(offset, 0), told_from_above(offset, 1), steps=60)
    assert right > 0.95 if sees else right < 0.8


def test_maps_hold_the_bollards_of_the_pictures_where_they_are():
    seen = maps("val", (96, 128), 0.2, 4)
    assert seen.features.shape[1:] == (96, 12, 16)
    assert seen.answers.shape == (len(seen.features), 12, 16)
    assert set(seen.answers.unique().tolist()) <= {0, 1, NO_ANSWER}
    counts = (seen.answers != NO_ANSWER).flatten(1).sum(1)
    assert counts.min() >= 1
    assert counts.max() <= MOST
    for answers in seen.answers:  # a picture is a street or a harbor
        assert len(set(answers[answers != NO_ANSWER].tolist())) == 1
    assert key((96, 128), 0.2) == "right_96_20"


def test_what_a_rate_meets_by_hand(monkeypatch):
    """One bollard in the middle of a map; the sign that tells its kind is four positions above it."""
    bollards, tells = torch.zeros(1, 17, 17, dtype=torch.bool), torch.zeros(1, 17, 17, dtype=torch.bool)
    bollards[0, 8, 8] = tells[0, 4, 8] = True
    monkeypatch.setattr(distances, "telling", lambda size, distance: (bollards, tells))
    assert [met(rates, (136, 136), 0.2) for rates in ((), (1,), (2, 2, 2), (4, 4, 4), (2, 4, 8))] == [0, 0, 0, 1, 1]


def test_what_tells_a_street_from_a_harbor_keeps_its_distance(monkeypatch):
    monkeypatch.setitem(distances.COUNTS, "val", 6)
    distances.telling.cache_clear()
    bollards, tells = distances.telling((96, 128), 0.3)
    distances.telling.cache_clear()
    assert bollards.any()
    assert tells.any()
    assert not (bollards & tells).any()  # 0.3 of 96 pixels are more than 8
