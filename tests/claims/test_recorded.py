"""Every claim comes with the results of its full experiment, and those that need no training come out again."""

import pytest

from segtutor.claims import Card, available, find, recorded, reproduce

UNTRAINED = [
    "fcn.any_size", "fcn.transposed", "pspnet.receptive_field", "deeplab.atrous", "deeplab.rates",
    "deeplab.grid_field", "maskrcnn.quantization",
]  # fmt: skip


@pytest.mark.parametrize("name", available())
def test_results_are_whole_and_belong_to_the_claim(name):
    claim, results = find(name), recorded(find(name))
    assert results.claim == name
    assert results.seeds == claim.seeds
    assert len(claim.seeds) >= 3
    assert not results.short
    assert set(results.runs) == set(claim.variants)
    command, trains = f"segtutor reproduce {name}", any(hasattr(one, "in_precision") for one in claim.variants.values())
    if trains:  # so that the same command trains in the same precision, whatever suits the machine on which it is given
        assert results.about["precision"] in ("float32", "bfloat16")
        command += f" --precision {results.about['precision']}"
    assert results.about["command"] == command
    for variant, runs in results.runs.items():
        assert len(runs) == len(claim.seeds), variant
        assert all(measure.key in run for measure in claim.measures for run in runs), variant
    card = Card(claim, results)
    assert len(card.verdicts()) == len(claim.expectations)
    assert claim.title in str(card)
    assert len(repr(card)) < 60  # notebooks keep it beside the table


@pytest.mark.parametrize("name", UNTRAINED)
def test_untrained_claims_come_out_as_recorded(name):
    claim, before = find(name), recorded(find(name))
    again = reproduce(claim, progress=False)
    for one in claim.expectations:
        assert one.verdict(again.runs) == one.verdict(before.runs), one.words
    for variant, runs in before.runs.items():
        for measure in claim.measures:
            ours = [run[measure.key] for run in again.runs[variant]]
            assert ours == pytest.approx([run[measure.key] for run in runs], rel=1e-5, abs=1e-12, nan_ok=True)
