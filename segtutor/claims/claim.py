"""What a claim is: a sentence of a paper, an experiment in which one thing changes, and what should come out.

The expectations are declared before the experiment runs, and each of them can fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import fmean, stdev
from typing import Any, Literal

Values = Mapping[str, Any]
"""What one run gave: numbers by measure; a list of (step, number) for a curve."""
Verdict = Literal["confirmed", "reversed", "undecided"]


@dataclass(frozen=True)
class Measure:
    """One number that every run of a claim gives.

    Attributes:
        key: Its name in the results.
        title: Its name in the table, with its unit.
        scale: Factor between the stored value and the shown one, 100 for shares.
        digits: Digits after the point.
    """

    key: str
    title: str
    scale: float = 1.0
    digits: int = 1

    def show(self, value: float) -> str:
        """A stored value as the table shows it; "-" where a variant has no such number."""
        return "-" if value != value else f"{value * self.scale:,.{self.digits}f}".replace("-", "\u2212")


def percent(key: str, title: str) -> Measure:
    """A share from 0 to 1, shown in percent."""
    return Measure(key, f"{title}, %", 100.0)


@dataclass(frozen=True)
class Expectation:
    """One thing that the claim says about the numbers, to be held against every seed.

    Attributes:
        words: The sentence, as "the first skip helps".
        measure: Key of the measure.
        better: Variant that should have the better number.
        worse: Variant it is compared with, or a fixed number.
        higher: Whether a higher number is better.
        margin: How much better it must be, in stored units; below 0: how much worse it may be.
    """

    words: str
    measure: str
    better: str
    worse: str | float
    higher: bool = True
    margin: float = 0.0

    def gains(self, runs: Mapping[str, list[Values]]) -> list[float]:
        """Per seed: by how much the better variant is better; negative where it is not."""
        sign = 1.0 if self.higher else -1.0
        found = [float(run[self.measure]) for run in runs[self.better]]
        if isinstance(self.worse, str):
            others = [float(run[self.measure]) for run in runs[self.worse]]
        else:
            others = [self.worse] * len(found)
        return [sign * (one - other) for one, other in zip(found, others, strict=True)]

    def verdict(self, runs: Mapping[str, list[Values]]) -> Verdict:
        """What the runs say: "confirmed", "reversed" or "undecided".

        The gain is compared with its own spread over the seeds: by Student's t for paired differences, the mean gain is
        uncertain by t · s / √n, where s is the standard deviation of the n gains and t leaves 2.5 % on either side. The
        expectation is *confirmed* if the mean gain lies above the margin by more than that, *reversed* if it lies below
        it, and below 0, by more than that, and else *undecided*. Without any effect each of the two wrong words then
        comes up in at most 2.5 % of the experiments; three seeds that merely agree would do so in 12.5 %. One seed
        decides nothing, unless the number cannot depend on it.
        """
        gains = self.gains(runs)
        mean, doubt = fmean(gains), uncertainty(gains)
        if mean - doubt > self.margin:
            return "confirmed"
        return "reversed" if mean + doubt < min(self.margin, 0.0) else "undecided"


def uncertainty(gains: Sequence[float]) -> float:
    """Half the width of the 95 % interval of the mean, by Student's t; infinite for a single value.

    >>> round(uncertainty([1.0, 2.0, 3.0]), 2)  # 4.303 · 1 / √3
    2.48
    """
    if len(gains) < 2:
        return inf
    return _STUDENT[min(len(gains), 10) - 2] * stdev(gains) / sqrt(len(gains))


# t that leaves 2.5 % on either side, for 2, 3, ... 10 values (any table of Student 1908 has it for n - 1 degrees of
# freedom); more values keep that of 10, which is a little more than they need.
_STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


@dataclass(frozen=True)
class Claim:
    """A sentence of a paper and the experiment that tests it.

    Attributes:
        name: Lesson's network and subject, "fcn.skips".
        title: A few words.
        sentence: What the paper says.
        source: Paper, section or table.
        paper: The paper's own numbers, with their protocol.
        changes: The one thing that changes.
        same: What stays the same.
        variants: Name of a variant -> the experiment, called with the seed and whether a short version is enough.
        measures: The columns of the table.
        expectations: What should come out.
        seeds: Of the full experiment.
    """

    name: str
    title: str
    sentence: str
    source: str
    paper: str
    changes: str
    same: str
    variants: Mapping[str, Callable[[int, bool], Values]]
    measures: tuple[Measure, ...]
    expectations: tuple[Expectation, ...]
    seeds: tuple[int, ...] = (0, 1, 2)

    def __post_init__(self) -> None:
        keys = {measure.key for measure in self.measures}
        for expectation in self.expectations:
            compared = [side for side in (expectation.better, expectation.worse) if isinstance(side, str)]
            unknown = [side for side in compared if side not in self.variants]
            if unknown or expectation.measure not in keys:
                raise ValueError(
                    f"claim {self.name} expects something of {', '.join(unknown) or expectation.measure}, "
                    "which it does not measure"
                )

    def measure(self, key: str) -> Measure:
        """The measure of that key.

        Raises:
            ValueError: If there is none; the message lists those there are.
        """
        for measure in self.measures:
            if measure.key == key:
                return measure
        raise ValueError(f"{self.name} does not measure {key!r}; it has {', '.join(m.key for m in self.measures)}")
