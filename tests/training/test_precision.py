"""Bfloat16 is timed before it is believed, and the timing leaves no trace in the run."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from segtutor import compute
from segtutor.training import fit, fit_detector, precision
from segtutor.training import loop as loop_module
from segtutor.training.checkpoints import load_run, save_run
from tests.training import test_detection as detection
from tests.training.test_loop import Blobs, assert_same_bits, config, network
from tests.two_processes import run_by_two_processes

CPU = torch.device("cpu")
WITH_UNITS = compute.Processor("x86-64", "AVX-512", "AMX")
WITHOUT_UNITS = compute.Processor("x86-64", "AVX2")


@dataclass
class Clock:
    """Time as steps take it: so many seconds in each precision, ten times as many in the first step."""

    seconds: dict
    now: float = 0.0

    def __post_init__(self):
        self.attempts = []

    def attempt(self, name):
        first = name not in self.attempts
        self.attempts.append(name)
        self.now += self.seconds[name] * (10 if first else 1)

    def perf_counter(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """Steps of this clock are timed."""

    def start(float32, bfloat16):
        made = Clock({"float32": float32, "bfloat16": bfloat16})
        monkeypatch.setattr(precision.time, "perf_counter", made.perf_counter)
        return made

    return start


@pytest.fixture
def slow_bfloat16(monkeypatch):
    """Bfloat16 takes twice as long, and says how often that was asked for; the steps are made."""
    asked = []

    def seconds_per_step(attempt):
        for name in ("float32", "bfloat16"):
            attempt(name)
        asked.append(1)
        return {"float32": 1.0, "bfloat16": 2.0}

    monkeypatch.setattr(precision, "seconds_per_step", seconds_per_step)
    return asked


@pytest.mark.parametrize(
    ("asked", "found", "chosen"),
    [
        ("float32", WITH_UNITS, "float32"), ("bfloat16", WITHOUT_UNITS, "bfloat16"),
        ("auto", WITH_UNITS, "bfloat16"), ("auto", WITHOUT_UNITS, "float32"),
    ],
)  # fmt: skip
def test_what_was_asked_for_or_fits_the_processor(asked, found, chosen, monkeypatch):
    monkeypatch.setattr(compute, "processor", lambda: found)
    assert precision.settle(asked, CPU, None) == chosen


@pytest.mark.parametrize("asked", ["auto", "bfloat16"])
def test_bfloat16_stays_where_it_is_quicker(asked, clock, monkeypatch):
    monkeypatch.setattr(compute, "processor", lambda: WITH_UNITS)
    made = clock(float32=1.0, bfloat16=0.6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert precision.settle(asked, CPU, made.attempt) == "bfloat16"
    assert made.attempts == ["float32", "bfloat16"] * 3


@pytest.mark.parametrize("asked", ["auto", "bfloat16"])
def test_bfloat16_is_given_up_where_it_is_slower_and_that_is_said(asked, clock, monkeypatch):
    monkeypatch.setattr(compute, "processor", lambda: WITH_UNITS)
    made = clock(float32=0.25, bfloat16=0.5)
    with pytest.warns(UserWarning, match=r"0.5 s in bfloat16 and 0.25 s in float32 .*\(AMX\).* trained in float32"):
        assert precision.settle(asked, CPU, made.attempt) == "float32"
    assert len(made.attempts) == 6


def test_a_hundred_times_slower_is_tried_once_only(clock):
    made = clock(float32=0.25, bfloat16=25.0)
    with pytest.warns(UserWarning, match="25 s in bfloat16|250 s in bfloat16"):
        assert precision.settle("bfloat16", CPU, made.attempt) == "float32"
    assert made.attempts == ["float32", "bfloat16"]


def test_nothing_is_timed_where_there_is_nothing_to_choose(clock):
    made = clock(float32=1.0, bfloat16=9.0)
    assert precision.settle("float32", CPU, made.attempt) == "float32"
    assert precision.settle("bfloat16", torch.device("cuda"), made.attempt) == "bfloat16"
    assert not made.attempts


@pytest.mark.parametrize("freeze", [False, True])
def test_timing_leaves_no_trace_in_the_weights(freeze, slow_bfloat16):
    """Batch norm and dropout included; the caller's gradients and random numbers too."""
    plain, timed = network(), network()
    torch.manual_seed(5)
    one = fit(plain, Blobs(), None, config(freeze_batch_norm=freeze))
    expected = torch.rand(3)
    torch.manual_seed(5)
    with pytest.warns(UserWarning, match="trained in float32"):
        other = fit(timed, Blobs(), None, config(freeze_batch_norm=freeze, precision="bfloat16"))
    assert torch.equal(torch.rand(3), expected)
    assert slow_bfloat16 == [1]
    assert other.precision == one.precision == "float32"
    assert other.losses == one.losses
    assert_same_bits(plain, timed)
    assert [module.training for module in timed.modules()] == [module.training for module in plain.modules()]


def test_timing_leaves_no_trace_in_a_detector(slow_bfloat16):
    plain, timed = detection.network(), detection.network()
    one = fit_detector(plain, detection.Squares(), None, detection.config(steps=2))
    with pytest.warns(UserWarning, match="trained in float32"):
        other = fit_detector(timed, detection.Squares(), None, detection.config(steps=2, precision="bfloat16"))
    assert other.losses == one.losses
    assert_same_bits(plain, timed)


def test_kept_bfloat16_is_not_timed_and_differs_from_float32(slow_bfloat16):
    plain, reduced = network(), network()
    one = fit(plain, Blobs(), None, config())
    other = fit(reduced, Blobs(), None, config(precision="bfloat16", measure_precision=False))
    assert not slow_bfloat16
    assert other.precision == "bfloat16"
    assert other.losses != one.losses


def test_a_resumed_run_goes_on_in_its_precision_without_timing_again(tmp_path, slow_bfloat16, monkeypatch):
    """Begun in float32 because bfloat16 was slower; in between it has become quicker."""
    settings = {"precision": "bfloat16", "checkpoint": tmp_path / "run.pt"}
    whole = network()
    fit(whole, Blobs(), None, config())
    with pytest.warns(UserWarning, match="in float32"), pytest.raises(KeyboardInterrupt):
        fit(network(), Blobs(interrupt_at=22), None, config(**settings))

    def never(attempt):
        raise AssertionError("timed again")

    monkeypatch.setattr(precision, "seconds_per_step", never)
    resumed = network(seed=3)
    result = fit(resumed, Blobs(), None, config(**settings, measure_precision=False), resume=True)
    assert (result.precision, result.steps) == ("float32", 12)
    assert_same_bits(whole, resumed)


def test_a_checkpoint_that_does_not_tell_its_precision_was_made_in_the_one_asked_for(tmp_path, slow_bfloat16):
    path = tmp_path / "run.pt"
    settings = config(precision="bfloat16", measure_precision=False, checkpoint=path)
    whole = network()
    fit(whole, Blobs(), None, settings)
    with pytest.raises(KeyboardInterrupt):
        fit(network(), Blobs(interrupt_at=22), None, settings)
    run = load_run(path, torch.load(path, weights_only=True)["course"])
    del run["result"]["precision"]
    save_run(path, run)
    resumed = network(seed=3)
    assert (
        fit(resumed, Blobs(), None, config(precision="bfloat16", checkpoint=path), resume=True).precision == "bfloat16"
    )
    assert not slow_bfloat16
    assert_same_bits(whole, resumed)


@pytest.mark.slow
def test_two_processes_time_together_and_take_the_first_ones_choice(tmp_path):
    """Each finds another precision quicker."""
    script = tmp_path / "run.py"
    script.write_text(
        f"import sys\nsys.path[:0] = {[str(Path(__file__).parent), str(Path(loop_module.__file__).parents[2])]!r}\n"
        "import os, warnings\nfrom test_loop import Blobs, config, network\n"
        "from segtutor.training import fit, precision\n"
        "warnings.simplefilter('ignore')\n"
        "real = precision.seconds_per_step\n"
        "def skewed(attempt):\n"
        "    real(attempt)\n"
        "    return {'float32': 1.0, 'bfloat16': 2.0 - 1.5 * int(os.environ['RANK'])}\n"
        "precision.seconds_per_step = skewed\n"
        "result = fit(network(), Blobs(), None, config(steps=3, precision='bfloat16'))\n"
        "assert (result.precision, result.steps) == ('float32', 3), result\n"
    )
    run_by_two_processes(script)
