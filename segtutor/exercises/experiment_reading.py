"""How the answers to an experiment of one's own are judged: part by part, in words that say what is wrong.

A declaration must change one thing and be able to fail, the record must be of it, and the numbers that are read off
must follow from the record. What came out plays no part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import sqrt
from statistics import fmean, stdev
from typing import Any

from segtutor.claims.claim import uncertainty
from segtutor.claims.own import SEEDS, Laboratory, expectation_of, plain, runs_of

FINE = "as it should be"
CHANGE, MEASURE, MARGIN = "declared: what changes", "declared: measure and direction", "declared: a margin"
RECORD, RUNS = "record: of this declaration", "record: two settings, three seeds"
GAIN, DOUBT, VERDICT, LEAST = "gain", "doubt", "verdict", "least"
ROUNDING = 0.0011
"""Three decimals are enough."""


def judged(laboratory: Laboratory) -> Callable[[Callable[..., Any], tuple[Any, ...]], dict[str, Any]]:
    """What the cases compare: for each of them `FINE`, or in words what is wrong."""

    def asked(answer: Callable[..., Any], _arguments: tuple[Any, ...]) -> dict[str, Any]:
        values = answer()
        declaration, record = values.get("declaration"), values.get("record")
        if record is None and isinstance(declaration, Mapping) and declaration.get("changes") is None:
            return {}  # nothing is written yet
        part, sentence = laboratory.trouble(declaration) or ("", FINE)
        found: dict[str, Any] = {
            CHANGE: sentence if part == "change" else FINE,
            MEASURE: sentence if part == "measure" else FINE,
            MARGIN: sentence if part == "margin" else FINE,
            RECORD: _belongs(declaration, record),
            RUNS: _runs(declaration, record),
        }
        readable = not part and found[RUNS] == found[RECORD] == FINE
        for key, read_off in _READ.items():
            given = values.get(key)
            found[key] = given if given is None or given is Ellipsis else "no record to read it off"
            if readable and found[key] is not given:
                found[key] = read_off(declaration, record, given)
        return found

    return asked


def _belongs(declaration: Any, record: Any) -> Any:
    if record is None or record is Ellipsis:
        return None
    if not isinstance(record, Mapping) or "declaration" not in record:
        return "this is no record of run_experiment"
    if plain(record["declaration"]) != plain(declaration):
        return "the declaration was changed after the run"
    return FINE


def _runs(declaration: Any, record: Any) -> Any:
    if record is None or record is Ellipsis:
        return None
    try:
        numbers = [[float(run[declaration["measure"]]) for run in record[which]] for which in ("first", "second")]
        seeds = tuple(record["seeds"])
    except (TypeError, KeyError, ValueError):
        return "the record lacks the declared measure"
    if len(set(seeds)) < len(SEEDS) or {len(one) for one in numbers} != {len(seeds)}:
        return "there are fewer than three seeds for each setting"
    if not all(0 <= number <= 1 for one in numbers for number in one):
        return "a measure is no share from 0 to 1"
    return FINE


def _number(given: Any) -> float | None:
    try:
        return float(given)
    except (TypeError, ValueError):
        return None


def _named(given: Any, right: float, others: Mapping[str, float]) -> str:
    """`FINE`, or which other number was taken."""
    number = _number(given)
    if number is None:
        return "a number is wanted"
    if abs(number - right) <= ROUNDING:
        return FINE
    if abs(number - 100 * right) <= 100 * ROUNDING:
        return "in points of 100, where shares are wanted"
    return next((words for words, one in others.items() if abs(number - one) <= ROUNDING), "another number")


def _gain(declaration: Any, record: Any, given: Any) -> str:
    expectation, runs = expectation_of(declaration), runs_of(record)
    gains = expectation.gains(runs)
    second = fmean(float(run[declaration["measure"]]) for run in record["second"])
    others = {
        "with the other sign": -fmean(gains),
        "the gain of one seed": gains[0],
        "the largest gain": max(gains),
        "the mean of the second setting, not a gain": second,
        "the gain beyond the margin": fmean(gains) - declaration["margin"],
    }
    return _named(given, fmean(gains), others)


def _doubt(declaration: Any, record: Any, given: Any) -> str:
    gains = expectation_of(declaration).gains(runs_of(record))
    count, spread = len(gains), stdev(gains)
    right = uncertainty(gains)
    firsts, seconds = ([float(run[declaration["measure"]]) for run in record[which]] for which in ("first", "second"))
    others = {
        "the standard deviation of the gains alone": spread,
        "without Student's t": spread / sqrt(count),
        "with 1.96, which is for many seeds": 1.96 * spread / sqrt(count),
        "not divided by the root of 3": right * sqrt(count),
        "with the standard deviation divided by n": right * sqrt((count - 1) / count),
        "half the range of the gains": (max(gains) - min(gains)) / 2,
        "from the spread of one setting, not of the gains": right / spread * stdev(seconds) if spread else right,
        "from the spread of the first setting, not of the gains": right / spread * stdev(firsts) if spread else right,
    }
    return _named(given, right, others)


def _verdict(declaration: Any, record: Any, given: Any) -> str:
    right = expectation_of(declaration).verdict(runs_of(record))
    word = given.strip().lower() if isinstance(given, str) else given
    if word == right:
        return FINE
    if word not in ("confirmed", "reversed", "undecided"):
        return "none of the three words"
    if right == "undecided":
        return "too sure: the doubt reaches across the margin, or across 0"
    return "too careful: the doubt does not reach so far" if word == "undecided" else "the opposite"


def _least(declaration: Any, record: Any, given: Any) -> str:
    doubt = uncertainty(expectation_of(declaration).gains(runs_of(record)))
    margin = float(declaration["margin"])
    return _named(
        given,
        margin + doubt,
        {"the margin alone": margin, "the doubt alone": doubt, "the margin less the doubt": margin - doubt},
    )


_READ = {GAIN: _gain, DOUBT: _doubt, VERDICT: _verdict, LEAST: _least}
