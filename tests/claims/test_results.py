import json
from dataclasses import dataclass, replace

import pytest
import torch

from segtutor import claims, compute
from segtutor.claims import Results, reproduce
from segtutor.claims.claim import Claim, Expectation, Measure

ABOUT = {"command": "c", "date": "d", "versions": {"torch": "t"}}


@dataclass(frozen=True)
class Counting:
    """An experiment that says in a file how often it ran."""

    value: float
    log: str
    fails_at: int = -1

    def __call__(self, seed, short):
        if seed == self.fails_at:
            raise KeyboardInterrupt
        with open(self.log, "a") as file:
            file.write(f"{self.value} {seed} {short} {torch.get_num_threads()}\n")
        return {"x": self.value + seed, "curve": [[10, 0.5]]}


@dataclass(frozen=True)
class Training(Counting):
    """An experiment that trains."""

    precision: str = "auto"

    def in_precision(self, precision):
        return replace(self, precision=precision)

    def __call__(self, seed, short):
        with open(self.log, "a") as file:
            file.write(f"{self.precision}\n")
        return {"x": self.value + seed + (self.precision == "bfloat16")}


def claim(log, fails_at=-1):
    return Claim(
        "toy.claim", "Toy", "s", "s", "p", "c", "s",
        variants={"a": Counting(1.0, str(log), fails_at), "b": Counting(2.0, str(log), fails_at)},
        measures=(Measure("x", "x"),),
        expectations=(Expectation("b is larger", "x", "b", "a"),),
    )  # fmt: skip


def test_runs_every_variant_with_every_seed_on_one_thread(tmp_path):
    log = tmp_path / "log"
    threads = torch.get_num_threads()
    results = reproduce(claim(log), progress=False)
    assert results.runs["a"] == [{"x": 1.0 + seed, "curve": [[10, 0.5]]} for seed in (0, 1, 2)]
    assert results.mean_and_spread("b", "x") == (3.0, 1.0)
    assert [line.split()[-1] for line in log.read_text().splitlines()] == ["1"] * 6
    assert torch.get_num_threads() == threads
    assert results.about["command"] == "segtutor reproduce toy.claim"


def test_short_version_takes_one_seed_and_says_so(tmp_path):
    results = reproduce(claim(tmp_path / "log"), short=True, progress=False)
    assert results.seeds == (0,)
    assert results.about["command"] == "segtutor reproduce toy.claim --short --seeds 0"
    assert "True" in (tmp_path / "log").read_text()
    with pytest.raises(ValueError, match="at least one seed"):
        reproduce(claim(tmp_path / "log"), [], progress=False)


def test_interrupted_experiment_goes_on(tmp_path):
    log, memory = tmp_path / "log", tmp_path / "memory"
    with pytest.raises(KeyboardInterrupt):
        reproduce(claim(log, fails_at=1), memory=memory, progress=False)
    assert len(log.read_text().splitlines()) == 2
    # fails_at is a setting, so these are other runs; with the same settings nothing runs twice
    first = reproduce(claim(log), memory=memory, progress=False)
    count = len(log.read_text().splitlines())
    assert count == 2 + 6
    again = reproduce(claim(log), memory=memory, progress=False)
    assert len(log.read_text().splitlines()) == count
    assert again.runs == first.runs


def test_all_variants_train_in_one_precision_which_is_recorded_and_can_be_asked_for_again(tmp_path, monkeypatch):
    log, memory = tmp_path / "log", tmp_path / "memory"
    trains = replace(claim(log), variants={"a": Training(1.0, str(log)), "b": Training(2.0, str(log))})
    for units, chosen in (("AMX", "bfloat16"), ("", "float32")):
        monkeypatch.setattr(compute, "processor", lambda units=units: compute.Processor("x86-64", "AVX-512", units))
        log.write_text("")
        results = reproduce(trains, [0, 1], memory=memory, progress=False)
        assert log.read_text().split() == [chosen] * 4  # runs in the other precision are not taken for these
        assert results.about["command"] == f"segtutor reproduce toy.claim --seeds 0 1 --precision {chosen}"
        assert results.about["precision"] == chosen
        assert chosen == ("bfloat16" if "with bfloat16 units" in results.about["processor"] else "float32")
        claims.write(results, tmp_path / "toy_claim.json")
        assert claims.read(tmp_path / "toy_claim.json") == results
    log.write_text("")
    again = reproduce(trains, [0, 1], precision="bfloat16", progress=False)  # on the machine without units
    assert log.read_text().split() == ["bfloat16"] * 4
    assert again.runs["a"] == [{"x": 2.0}, {"x": 3.0}]
    assert "precision" not in reproduce(claim(log), [0], progress=False).about
    with pytest.raises(ValueError, match="precision is 'half', but must be one of auto, float32, bfloat16"):
        reproduce(trains, precision="half")


def test_written_and_read_again(tmp_path):
    path = tmp_path / "toy_claim.json"
    results = reproduce(claim(tmp_path / "log"), [4, 5], progress=False)
    claims.write(results, path)
    assert claims.read(path) == results
    assert list(tmp_path.glob(".*")) == []
    content = json.loads(path.read_text())
    assert content["command"] == "segtutor reproduce toy.claim --seeds 4 5"
    assert content["seeds"] == [4, 5]


def test_a_file_holds_no_number_that_is_none_and_a_reader_finds_one(tmp_path):
    nothing = float("nan")
    runs = {
        "a": [{"x": 1.0, "y": 2.0, "curve": [[1, 0.5]]}, {"x": 1.5, "y": nothing, "curve": [[1, 0.6]]}],
        "b": [{"x": 3.0, "y": nothing}, {"x": 4.0, "y": nothing}],
    }
    path = tmp_path / "toy_claim.json"
    claims.write(Results("toy.claim", runs, (0, 1), about=ABOUT), path)
    written = json.loads(path.read_text())["runs"]
    assert written == {
        "a": {"x": [1.0, 1.5], "y": [2.0, None], "curve": [[[1, 0.5]], [[1, 0.6]]]},
        "b": {"x": [3.0, 4.0]},
    }
    found = claims.read(path).runs
    assert found["a"][0] == runs["a"][0]
    assert found["a"][1]["curve"] == [[1, 0.6]]
    assert found["a"][1]["y"] != found["a"][1]["y"]
    assert [run["x"] for run in found["b"]] == [3.0, 4.0]
    assert all(run["y"] != run["y"] and "curve" not in run for run in found["b"])


def test_a_file_that_lists_a_dictionary_per_run_is_read(tmp_path):
    path = tmp_path / "toy_claim.json"
    runs = {"a": [{"x": 1.0, "y": None}, {"x": 2.0, "y": 3.0}], "b": [{"x": 5.0}, {"x": 6.0}]}
    path.write_text(json.dumps({"claim": "toy.claim", **ABOUT, "short": False, "seeds": [0, 1], "runs": runs}))
    found = claims.read(path)
    assert found.runs["b"] == runs["b"]
    assert found.runs["a"][0]["y"] != found.runs["a"][0]["y"]
    assert found.mean_and_spread("a", "x") == (1.5, 0.5)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"claim": "x"}'])
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="is no file of results of a claim"):
        claims.read(path)


def test_figure_shows_every_seed_and_refuses_what_is_not_measured(tmp_path):
    card = claims.Card(
        claim(tmp_path / "log"), Results("toy.claim", {"a": [{"x": 1}], "b": [{"x": 3}]}, (0,), about=ABOUT)
    )
    figure = claims.show(card, keys=["x"])
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [line.get_xdata().tolist() for line in dots] == [[1.0], [3.0]]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b"]
    with pytest.raises(ValueError, match="does not measure 'y'"):
        claims.show(card, keys=["y"])
    with pytest.raises(ValueError, match="keep no curve"):
        claims.show_curves(card)


def test_curves_are_means_over_seeds(tmp_path):
    runs = {name: [{"x": 0, "curve": [[10, low], [20, 0.6]]} for low in (0.2, 0.4)] for name in ("a", "b")}
    card = claims.Card(claim(tmp_path / "log"), Results("toy.claim", runs, (0, 1), about=ABOUT))
    axes = claims.show_curves(card)
    assert axes.lines[0].get_xdata().tolist() == [10, 20]
    assert axes.lines[0].get_ydata().tolist() == pytest.approx([30, 60])


def test_a_number_that_a_variant_does_not_have_is_a_dash(tmp_path):
    runs = {name: [{"x": float("nan")}, {"x": float("nan")}] for name in ("a", "b")}
    claims.write(Results("toy.claim", runs, (0, 1), about=ABOUT), tmp_path / "x.json")
    assert "NaN" not in (tmp_path / "x.json").read_text()
    card = claims.Card(claim(tmp_path / "log"), claims.read(tmp_path / "x.json"))
    assert card.rows()[1] == ["a", "-"]
