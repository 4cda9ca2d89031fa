import pytest

from segtutor.claims import Card, Claim, Results, available, find
from segtutor.claims.claim import Expectation, Measure, percent

RUNS = {
    "skips": [{"iou": 0.52, "loss": 0.9}, {"iou": 0.50, "loss": 1.0}, {"iou": 0.57, "loss": 1.1}],
    "none": [{"iou": 0.50, "loss": 1.0}, {"iou": 0.49, "loss": 1.2}, {"iou": 0.51, "loss": 1.3}],
}


def claim(*expectations):
    return Claim(
        name="toy.skips",
        title="Skips",
        sentence="Skips help.",
        source="Nobody 2015, Table 1",
        paper="none",
        changes="skips",
        same="all else",
        variants={"skips": lambda seed, short: RUNS["skips"][seed], "none": lambda seed, short: RUNS["none"][seed]},
        measures=(percent("iou", "mean IoU"), Measure("loss", "loss", digits=2)),
        expectations=expectations,
    )


def test_gains_are_paired_by_seed_and_know_what_is_better():
    assert Expectation("x", "iou", "skips", "none").gains(RUNS) == pytest.approx([0.02, 0.01, 0.06])
    assert Expectation("x", "loss", "skips", "none", higher=False).gains(RUNS) == pytest.approx([0.1, 0.2, 0.2])
    assert Expectation("x", "iou", "skips", 0.51).gains(RUNS) == pytest.approx([0.01, -0.01, 0.06])


@pytest.mark.parametrize(
    ("expectation", "verdict"),
    [
        (Expectation("x", "iou", "skips", "none"), "shows"),
        (Expectation("x", "iou", "none", "skips"), "the opposite shows"),
        (Expectation("x", "iou", "skips", "none", margin=0.015), "does not show"),
        (Expectation("x", "iou", "skips", 0.51), "does not show"),
        (Expectation("x", "iou", "none", "skips", margin=-0.1), "shows"),
        (Expectation("x", "iou", "none", "skips", margin=-0.005), "the opposite shows"),
        (Expectation("x", "iou", "none", "skips", margin=-0.015), "does not show"),
        (Expectation("x", "iou", "skips", "none", margin=0.5), "does not show"),
        (Expectation("x", "loss", "skips", "none"), "the opposite shows"),
    ],
)
def test_verdicts_by_hand(expectation, verdict):
    assert expectation.verdict(RUNS) == verdict


def test_equal_numbers_are_no_gain():
    assert Expectation("x", "iou", "none", "none").verdict(RUNS) == "does not show"


def test_card_by_hand():
    asked = claim(Expectation("skips help", "iou", "skips", "none"), Expectation("a lot", "iou", "skips", 0.51))
    about = {"command": "segtutor reproduce toy.skips", "date": "2026-01-02", "versions": {"torch": "9.9"}}
    card = Card(asked, Results("toy.skips", RUNS, (0, 1, 2), about=about))
    assert card.rows() == [
        ["", "mean IoU, %", "loss"],
        ["skips", "53.0 ± 3.5", "1.00 ± 0.10"],
        ["none", "50.0 ± 1.0", "1.17 ± 0.15"],
    ]
    assert card.verdicts() == [
        "Skips help: shows (skips against none: +3.0 ± 2.5; 3 of 3 seeds).",
        "A lot: does not show (2 of 3 seeds).",
    ]
    assert card.provenance == (
        "`segtutor reproduce toy.skips`: 3 seeds; mean ± half the range; 2026-01-02, PyTorch 9.9"
    )
    text, page = str(card), card._repr_html_()
    for part in ("Skips help.", "Nobody 2015, Table 1", "53.0 ± 3.5", "2026-01-02"):
        assert part in text
        assert part in page
    assert page.count("<tr>") == 3
    assert page.count("<li>") == 2


def test_card_escapes_what_html_would_read():
    asked = claim(Expectation("a < b", "iou", "skips", "none"))
    card = Card(
        asked, Results("toy.skips", RUNS, (0, 1, 2), about={"command": "c", "date": "d", "versions": {"torch": "t"}})
    )
    assert "A &lt; b" in card._repr_html_()


def test_an_expectation_of_something_unknown_is_refused():
    with pytest.raises(ValueError, match=r"toy.skips expects something of all, which it does not measure"):
        claim(Expectation("x", "iou", "all", "none"))
    with pytest.raises(ValueError, match="expects something of speed"):
        claim(Expectation("x", "speed", "skips", "none"))
    with pytest.raises(ValueError, match="does not measure 'speed'; it has iou, loss"):
        claim().measure("speed")


def test_unknown_claim_is_named_with_its_neighbor():
    with pytest.raises(ValueError, match=r"there is no claim 'fcn.skip' \(did you mean fcn.skips\?\); there are fcn"):
        find("fcn.skip")
    assert "pspnet.pyramid" in available()
