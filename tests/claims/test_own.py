"""An experiment of one's own: what a declaration lacks, and that it runs once, three seeds, two settings."""

import json

import pytest

from segtutor.claims.claim import percent
from segtutor.claims.own import Laboratory, expectation_of, read, runs_of

RUNS = []


def run(options, seed):
    RUNS.append((dict(options), seed))
    return {"share": 0.5 + 0.1 * options["width"] + 0.001 * seed * options["width"], "other": 0.2}


LABORATORY = Laboratory(
    "toy", {"width": 1, "depth": 2}, (percent("share", "a share"), percent("other", "another")), run, "one machine",
    "toy.json",
)  # fmt: skip
DECLARED = {"changes": "width", "first": 1, "second": 3, "measure": "share", "expects": "higher", "margin": 0.1}


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("change", {"changes": "height"}),
        ("change", {"changes": ["width", "depth"]}),
        ("change", {"second": 1}),
        ("change", {"second": None}),
        ("change", {"stays": {"width": 5}}),
        ("change", {"stays": {"height": 5}}),
        ("measure", {"measure": "speed"}),
        ("measure", {"expects": "better"}),
        ("margin", {"margin": 0}),
        ("margin", {"margin": 10}),
        ("margin", {"margin": "0.1"}),
        ("margin", {"margin": True}),
    ],
)
def test_a_declaration_that_lacks_something_is_not_run(part, change, tmp_path):
    declaration = {**DECLARED, **change}
    assert LABORATORY.trouble(declaration)[0] == part
    RUNS.clear()
    with pytest.raises(ValueError, match="Correct the declaration"):
        LABORATORY.measured(declaration, tmp_path)
    assert not RUNS


def test_it_runs_three_seeds_of_two_settings_and_then_reads_its_file(tmp_path):
    assert LABORATORY.trouble(DECLARED) is None
    RUNS.clear()
    record = LABORATORY.measured({**DECLARED, "stays": {"depth": 7}}, tmp_path)
    assert sorted({(options["width"], options["depth"]) for options, _ in RUNS}) == [(1, 7), (3, 7)]
    assert len(RUNS) == 6
    assert record["seeds"] == [0, 1, 2]
    assert [one["share"] for one in record["second"]] == pytest.approx([0.8, 0.803, 0.806])
    again = LABORATORY.measured({**DECLARED, "stays": {"depth": 7}}, tmp_path)
    assert len(RUNS) == 6
    assert again == record == json.loads((tmp_path / "toy.json").read_text(encoding="utf-8"))
    LABORATORY.measured({**DECLARED, "stays": {"depth": 7}, "margin": 0.3}, tmp_path)
    assert len(RUNS) == 12, "another declaration is another experiment"


def test_the_card_says_what_the_rule_says(tmp_path):
    record = LABORATORY.measured(DECLARED, tmp_path)
    card = LABORATORY.card(record)
    (verdict, expected, outcome) = card.verdicts()[0]
    assert verdict == expectation_of(DECLARED).verdict(runs_of(record)) == "confirmed"
    assert "idth = 3 has the higher share, by more than 0.1" in expected
    assert "gain +20.2" in outcome
    lower = {**DECLARED, "expects": "lower"}
    assert expectation_of(lower).verdict(runs_of(record)) == "reversed"
    assert expectation_of({**DECLARED, "margin": 0.3}).verdict(runs_of(record)) == "undecided"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"declaration": 1}', "no json"])
def test_what_is_no_record_is_none(tmp_path, text):
    file = tmp_path / "toy.json"
    file.write_text(text, encoding="utf-8")
    assert read(file) is None
    assert read(tmp_path / "nothing.json") is None
