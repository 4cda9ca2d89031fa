import json

from segtutor.cli import main


def test_without_a_name_all_claims_are_listed(capsys):
    assert main(["reproduce"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("fcn.skips ") for line in lines)


def test_prints_the_card_and_writes_the_results(tmp_path, capsys):
    assert main(["reproduce", "fcn.transposed", "--seeds", "7", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "kernel 3, stride 2" in printed
    assert "seed 7" in printed
    content = json.loads((tmp_path / "fcn_transposed.json").read_text())
    assert content["seeds"] == [7]
    assert content["command"] == "segtutor reproduce fcn.transposed --seeds 7"


def test_unknown_claim_and_missing_folder_are_sentences(tmp_path, capsys):
    assert main(["reproduce", "fcn.skipz"]) == 2
    assert "did you mean fcn.skips?" in capsys.readouterr().err
    assert main(["reproduce", "fcn.transposed", "--out", str(tmp_path / "none")]) == 2
    assert "there is no folder" in capsys.readouterr().err
