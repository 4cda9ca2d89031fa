"""An experiment of one's own: declared before it runs, run with three seeds, kept in a file, read as a claim's card.

    declaration --> trouble (what it lacks) --> run (two variants, three seeds) --> record (JSON) --> card

A declaration is a dictionary: ``changes`` (one option), ``first`` and ``second`` (its two values), ``stays`` (other
options that are not to have their usual values), ``measure``, ``expects`` ("higher" or "lower", of the second value),
``margin`` (by how much more than nothing it must be, in the stored unit).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from segtutor.claims.claim import Claim, Expectation, Measure, Values
from segtutor.files import replacing

SEEDS = (0, 1, 2)
MOST_MARGIN = 0.5
"""No two settings of one network are farther apart, so a larger margin is a slip: 2 for two points."""


@dataclass(frozen=True)
class Laboratory:
    """What an experiment of one's own may change and measure.

    Attributes:
        name: "pspnet".
        options: Option -> the value that it has where nothing is said.
        measures: What every run gives.
        run: Called with all options and the seed.
        same: What always stays the same, in words.
        file: Name of the file that keeps the record.
    """

    name: str
    options: Mapping[str, Any]
    measures: tuple[Measure, ...]
    run: Callable[[Mapping[str, Any], int], Values]
    same: str
    file: str

    def trouble(self, declaration: Any) -> tuple[str, str] | None:
        """What is wrong with a declaration: which part ("change", "measure" or "margin"), and a sentence; or None."""
        if not isinstance(declaration, Mapping):
            return "change", "the declaration is a dictionary"
        changes, stays = declaration.get("changes"), declaration.get("stays", {})
        if not isinstance(changes, str) or changes not in self.options:
            return "change", f"`changes` names one option of {', '.join(self.options)}; {changes!r} came"
        if not isinstance(stays, Mapping) or not set(stays) <= set(self.options) - {changes}:
            return "change", "`stays` may set the other options, and no others"
        if declaration.get("first") is None or declaration.get("second") is None:
            return "change", "`first` and `second` are the two values of the option that changes"
        if plain(declaration["first"]) == plain(declaration["second"]):
            return "change", "`first` and `second` are the same value: nothing changes"
        if declaration.get("measure") not in [one.key for one in self.measures]:
            return "measure", f"`measure` is one of {', '.join(one.key for one in self.measures)}"
        if declaration.get("expects") not in ("higher", "lower"):
            return "measure", '`expects` says whether the second value has the "higher" or the "lower" number'
        margin = declaration.get("margin")
        if isinstance(margin, bool) or not isinstance(margin, (int, float)) or not 0 < margin <= MOST_MARGIN:
            return "margin", f"`margin` is a number above 0 and at most {MOST_MARGIN}: 0.02 is two points of 100"
        return None

    def claim(self, declaration: Mapping[str, Any]) -> Claim:
        """The declaration as a claim of the course's machinery.

        Raises:
            ValueError: If the declaration lacks something.
        """
        trouble = self.trouble(declaration)
        if trouble is not None:
            raise ValueError(f"{trouble[1]}. Correct the declaration, then run this cell again")
        changes, measure = declaration["changes"], declaration["measure"]
        names = [f"{changes} = {declaration[which]!r}" for which in ("first", "second")]
        others = {**self.options, **declaration.get("stays", {})}
        variants = {
            name: partial(self._run, {**others, changes: declaration[which]})
            for name, which in zip(names, ("first", "second"), strict=True)
        }
        words = f"{names[1]} has the {declaration['expects']} {measure}, by more than {declaration['margin']}"
        listed = ", ".join(f"{key} = {value!r}" for key, value in others.items() if key != changes)
        return Claim(
            name=f"own.{self.name}",
            title="An experiment of your own",
            sentence=f"{words}.",
            source="declared before it ran",
            paper="no paper: your own expectation",
            changes=changes,
            same=f"{self.same}; {listed}",
            variants=variants,
            measures=self.measures,
            expectations=(
                Expectation(
                    words, measure, names[1], names[0], declaration["expects"] == "higher", declaration["margin"]
                ),
            ),
            seeds=SEEDS,
        )  # fmt: skip

    def _run(self, options: Mapping[str, Any], seed: int, _short: bool) -> Values:
        return self.run(options, seed)

    def measured(self, declaration: Mapping[str, Any], folder: str | Path = ".") -> dict[str, Any]:
        """The record of a declared experiment: from its file if that belongs to the declaration, else run now.

        Args:
            declaration: Kept in the record as it is before the first run.
            folder: Where the file lies.

        Raises:
            ValueError: If the declaration lacks something.
        """
        from segtutor.claims.results import reproduce

        claim, file = self.claim(declaration), Path(folder) / self.file
        kept = read(file)
        if kept is not None and kept["declaration"] == plain(declaration):
            return kept
        started = time.monotonic()
        results = reproduce(claim)
        first, second = ([dict(run) for run in runs] for runs in results.runs.values())
        record = {
            "declaration": plain(declaration),
            "seeds": list(results.seeds),
            "first": first,
            "second": second,
            "seconds": round(time.monotonic() - started),
            **{key: value for key, value in results.about.items() if key != "command"},
        }
        with replacing(file) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        return record

    def card(self, record: Mapping[str, Any]) -> Any:
        """The card of a record, as lessons show them."""
        from segtutor.claims.cards import Card
        from segtutor.claims.results import Results

        claim = self.claim(record["declaration"])
        runs = dict(zip(claim.variants, (list(record["first"]), list(record["second"])), strict=True))
        about = {"command": f"{record['seconds']} seconds", "date": record["date"], "versions": record["versions"]}
        return Card(claim, Results(claim.name, runs, tuple(record["seeds"]), about=about))


def plain(value: Any) -> Any:
    """A declaration as JSON keeps it: tuples are lists there.

    >>> plain({"first": (1, 2)})
    {'first': [1, 2]}
    """
    return json.loads(json.dumps(value, default=repr))


def read(file: Path) -> dict[str, Any] | None:
    """A record from its file; None where there is no such file, or it is no record."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and {"declaration", "first", "second", "seeds"} <= set(record) else None


def expectation_of(declaration: Mapping[str, Any]) -> Expectation:
    """What a declaration expects, of runs called "first" and "second"."""
    higher = declaration["expects"] == "higher"
    return Expectation("", declaration["measure"], "second", "first", higher, declaration["margin"])


def runs_of(record: Mapping[str, Any]) -> dict[str, list[Values]]:
    """A record's runs as an expectation reads them."""
    return {which: list(record[which]) for which in ("first", "second")}
