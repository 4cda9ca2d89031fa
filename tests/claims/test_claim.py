import numpy as np
import pytest

from segtutor.claims import Card, Claim, Results, available, find
from segtutor.claims.claim import Expectation, Measure, percent, uncertainty

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


STEADY = {
    "skips": [{"iou": 0.52, "loss": 0.9}, {"iou": 0.53, "loss": 0.9}, {"iou": 0.55, "loss": 1.0}],
    "none": [{"iou": 0.42, "loss": 1.9}, {"iou": 0.42, "loss": 2.0}, {"iou": 0.44, "loss": 2.0}],
}  # gains 0.10, 0.11, 0.11: mean 0.1067, uncertain by 4.303 · 0.00577 / √3 = 0.0143


@pytest.mark.parametrize(
    ("expectation", "verdict"),
    [
        (Expectation("x", "iou", "skips", "none"), "confirmed"),
        (Expectation("x", "iou", "none", "skips"), "reversed"),
        (Expectation("x", "iou", "skips", "none", margin=0.09), "confirmed"),
        (Expectation("x", "iou", "skips", "none", margin=0.1), "undecided"),
        (Expectation("x", "iou", "skips", "none", margin=0.5), "undecided"),
        (Expectation("x", "iou", "skips", 0.48), "confirmed"),
        (Expectation("x", "iou", "skips", 0.53), "undecided"),
        (Expectation("x", "iou", "none", "skips", margin=-0.2), "confirmed"),
        (Expectation("x", "iou", "none", "skips", margin=-0.05), "reversed"),
        (Expectation("x", "iou", "none", "skips", margin=-0.1), "undecided"),
        (Expectation("x", "loss", "skips", "none"), "reversed"),
        (Expectation("x", "loss", "skips", "none", higher=False), "confirmed"),
    ],
)
def test_verdicts_by_hand(expectation, verdict):
    assert expectation.verdict(STEADY) == verdict


def test_seeds_that_merely_agree_decide_nothing():
    """0.02, 0.01, 0.06: all above 0, and their mean is uncertain by 0.066."""
    assert uncertainty([0.02, 0.01, 0.06]) == pytest.approx(0.0657, abs=1e-4)
    assert Expectation("x", "iou", "skips", "none").verdict(RUNS) == "undecided"
    assert Expectation("x", "iou", "none", "skips").verdict(RUNS) == "undecided"


def test_one_seed_decides_nothing():
    runs = {name: of_variant[:1] for name, of_variant in STEADY.items()}
    assert Expectation("x", "iou", "skips", "none").verdict(runs) == "undecided"


@pytest.mark.parametrize("count", [3, 5])
def test_without_an_effect_a_wrong_word_is_rare(count):
    generator = np.random.default_rng(0)
    words = []
    for _ in range(4000):
        runs = {name: [{"iou": value} for value in generator.normal(size=count)] for name in ("a", "b")}
        words.append(Expectation("x", "iou", "a", "b").verdict(runs))
    assert words.count("confirmed") / 4000 == pytest.approx(0.025, abs=0.008)
    assert words.count("reversed") / 4000 == pytest.approx(0.025, abs=0.008)


def test_students_t_is_a_tables():
    stats = pytest.importorskip("scipy.stats")
    for count in range(2, 11):
        values = np.random.default_rng(count).normal(size=count)
        factor = uncertainty(values.tolist()) / (values.std(ddof=1) / np.sqrt(count))
        assert factor == pytest.approx(stats.t.ppf(0.975, count - 1), abs=6e-4)
    values = np.random.default_rng(7).normal(size=20)
    assert uncertainty(values.tolist()) > stats.t.ppf(0.975, 19) * values.std(ddof=1) / np.sqrt(20)


def test_equal_numbers_are_no_gain():
    assert Expectation("x", "iou", "none", "none").verdict(RUNS) == "undecided"


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
        ("undecided", "Skips help.", "Mean IoU: skips 53.0 %, none 50.0 % (gain +3.0 ± 6.6)."),
        ("undecided", "A lot.", "Mean IoU: skips 53.0 %, expected at least 51.0 %."),
    ]
    assert card.provenance == (
        "`segtutor reproduce toy.skips`: seeds 0, 1, 2; mean ± half the range in the table; 2026-01-02, PyTorch 9.9"
    )
    text, page = str(card), card._repr_html_()
    for part in ("Skips help.", "Nobody 2015, Table 1", "53.0 ± 3.5", "2026-01-02"):
        assert part in text
        assert part in page
    assert page.count("<tr>") == 3
    assert page.count("undecided</span>") == 2
    assert page.index("<details>") < page.index("53.0 ± 3.5"), "the numbers are folded"


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
    with pytest.raises(ValueError, match=r"there is no claim 'fcn.skip' \(did you mean fcn.skips\?\); there are data"):
        find("fcn.skip")
    assert "pspnet.pyramid" in available()
