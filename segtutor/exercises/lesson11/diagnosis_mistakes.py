"""Typical wrong answers to exercise 11.7: rules that some of the networks break."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Mistake
from segtutor.exercises.lesson11.faults import ANOTHER_DOMAIN, HEALTHY, MERGED, SHIFTED, TRAINED_ON_VAL, TWICE

Rule = Callable[[dict[str, Any]], Any]


def _day(report):  # type: ignore[no-untyped-def]
    return report["right"][4]


def _matrix(report, axis):  # type: ignore[no-untyped-def]
    return np.asarray(report["confusion"]).sum(axis=axis)


def _moved(report, way):  # type: ignore[no-untyped-def]
    return max(report[way]) - report[way][4]


RULES: dict[str, Rule] = {
    ANOTHER_DOMAIN: lambda r: np.mean(r["night"]) > _day(r),
    TWICE: lambda r: _day(r) < 0.3,
    MERGED: lambda r: bool((_matrix(r, 0) == 0).any()),
    SHIFTED: lambda r: max(_moved(r, "right"), _moved(r, "down")) > 0.02,
    TRAINED_ON_VAL: lambda r: np.mean(r["val"]) > _day(r) + 0.1,
}
"""In this order they name every fault rightly."""


def _with(name: str, hint: str, first: str = "", **changes: Rule | None) -> Mistake:
    """The rules with some of them changed; `first` is asked before all others."""
    words = {"night": ANOTHER_DOMAIN, "low": TWICE, "merged": MERGED, "moved": SHIFTED, "val": TRAINED_ON_VAL}
    rules: dict[str, Rule | None] = dict(RULES)
    rules.update({words[key]: rule for key, rule in changes.items()})
    order = sorted(rules, key=lambda fault: fault != words.get(first))

    def diagnose(report: dict[str, Any]) -> str:
        for fault in order:
            rule = rules[fault]
            if rule is not None and rule(report):
                return fault
        return HEALTHY

    return Mistake(name, diagnose, hint)


def _exchanged(one: str, other: str) -> Callable[[dict[str, Any]], str]:
    right = _with("", "none").answer
    return lambda report: {one: other, other: one}.get(right(report), right(report))


MISTAKES = (
    _with("both that are low are normalized twice", "night", night=None),
    _with("both that are low have other statistics", "night", night=lambda r: _day(r) < 0.3),
    _with("bad at night is another domain", "night", night=lambda r: np.mean(r["night"]) < _day(r) / 2),
    Mistake("twice and another domain exchanged", _exchanged(TWICE, ANOTHER_DOMAIN), "night"),
    _with("a low IoU says nothing", "low", low=None),
    _with("low on the validation set alone", "low", low=lambda r: np.mean(r["val"]) < _day(r) - 0.1),
    _with("a class that is never given is asked for first", "low", first="merged"),
    _with("no class is ever merged", "merged", merged=None),
    _with("a class without labels is merged", "merged", merged=lambda r: bool((_matrix(r, 1) == 0).any())),
    _with(
        "all pixels of a class are wrong at night", "merged", merged=lambda r: bool((np.asarray(r["night"]) == 0).any())
    ),
    _with(
        "any best place beside the middle, asked first",
        "low",
        first="moved",
        moved=lambda r: _moved(r, "right") > 0 or _moved(r, "down") > 0,
    ),
    _with("only to the right", "moved", moved=lambda r: _moved(r, "right") > 0.02),
    _with("nothing is ever shifted", "moved", moved=None),
    _with("many boundary errors are a shift", "moved", moved=lambda r: r["kinds"][0] > 0.1),
    Mistake("shifted and trained on val exchanged", _exchanged(SHIFTED, TRAINED_ON_VAL), "moved"),
    _with("nobody trains on val", "val", val=None),
    _with("a low IoU on val", "val", val=lambda r: np.mean(r["val"]) < 0.4),
    _with("worse on val than on new pictures", "val", val=lambda r: np.mean(r["val"]) < _day(r)),
    _with("val is always a little better", "none", val=lambda r: np.mean(r["val"]) > _day(r) - 0.05),
    Mistake("healthy is what I hope for", lambda report: HEALTHY, "general"),
)
