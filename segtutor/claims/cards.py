"""A claim card: the sentence, a verdict in one word, what came out in one plain sentence; the numbers are folded."""

from __future__ import annotations

import html
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from segtutor.claims.claim import Claim, Expectation, Verdict, uncertainty
from segtutor.claims.results import Results

COLORS: dict[Verdict, str] = {"confirmed": "#00735c", "reversed": "#a84300", "undecided": "#5c5c5c"}
"""Behind white letters; the words say the same for those who see no color."""
RULE = (
    "Confirmed or reversed: the mean gain over the seeds is larger than its own uncertainty (95 %, Student's t); "
    "else undecided. One seed decides nothing."
)


@dataclass(frozen=True, repr=False)
class Card:
    """A claim with its results; a notebook shows it as a table, a terminal as text.

    Attributes:
        claim: The claim.
        results: What its experiment gave.
    """

    claim: Claim
    results: Results

    def rows(self) -> list[list[str]]:
        """The table: a row of titles, then one row per variant with mean and spread over the seeds."""
        rows = [["", *(measure.title for measure in self.claim.measures)]]
        for variant in self.claim.variants:
            cells = [variant]
            for measure in self.claim.measures:
                mean, spread = self.results.mean_and_spread(variant, measure.key)
                shown = measure.show(spread)
                same = not any(digit in shown for digit in "123456789")
                cells.append(measure.show(mean) + ("" if same else f" ± {shown}"))
            rows.append(cells)
        return rows

    def verdicts(self) -> list[tuple[Verdict, str, str]]:
        """For each expectation the verdict, what was expected, and what came out, as sentences."""
        runs = self.results.runs
        return [(one.verdict(runs), _sentence(one.words), self._outcome(one)) for one in self.claim.expectations]

    def _outcome(self, expectation: Expectation) -> str:
        """The plain numbers, as "Mean IoU: skips 53.0 %, none 50.0 % (gain +3.0 ± 1.6)."."""
        measure, runs = self.claim.measure(expectation.measure), self.results.runs
        title, comma, unit = measure.title.rpartition(", ")
        title, unit = (title, f" {unit}") if comma else (unit, "")

        def mean_of(variant: str) -> str:
            return f"{variant} " + measure.show(fmean(float(run[measure.key]) for run in runs[variant])) + unit

        text = f"{title[0].upper()}{title[1:]}: {mean_of(expectation.better)}"
        if not isinstance(expectation.worse, str):
            bound = "at least" if expectation.higher else "at most"
            return f"{text}, expected {bound} {measure.show(expectation.worse)}{unit}."
        text += f", {mean_of(expectation.worse)}"
        gains = expectation.gains(runs)
        doubt = measure.show(uncertainty(gains)) if len(gains) > 1 else ""
        certain = not any(digit in doubt for digit in "123456789")
        mean = ("+" if fmean(gains) >= 0 else "\u2212") + measure.show(abs(fmean(gains)))
        better = "" if expectation.higher else "; lower is better"
        return text + ("." if certain else f" (gain {mean} ± {doubt}{better}).")

    @property
    def provenance(self) -> str:
        """Where the numbers come from: the command, what was run, when."""
        about, seeds = self.results.about, self.results.seeds
        listed = ", ".join(map(str, seeds))
        counted = f"seed {listed}" if len(seeds) == 1 else f"seeds {listed}; mean ± half the range in the table"
        size = self._size(next(iter(self.claim.variants.values())))
        short = "short version, " if self.results.short else ""
        return f"`{about['command']}`: {short}{size}{counted}; {about['date']}, PyTorch {about['versions']['torch']}"

    def _size(self, experiment: Any) -> str:
        """Steps and pictures of what was run, short or not; nothing where no network is trained."""
        recipe = getattr(experiment, "recipe", experiment)
        if not hasattr(recipe, "shortened"):
            return ""
        run = recipe.shortened() if self.results.short else recipe
        shown = getattr(run, "shows", "scenes")
        return f"{run.steps:,} steps on {run.train_count:,} {shown}, scored on {run.val_count:,}, "

    def __repr__(self) -> str:  # notebooks keep it beside the table
        return f"Card of {self.claim.name}"

    def __str__(self) -> str:
        rows = self.rows()
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        lines = [f"{self.claim.name}: {self.claim.title}", f"  {self.claim.sentence} [{self.claim.source}]", ""]
        for verdict, expected, outcome in self.verdicts():
            lines += [f"- {verdict.upper()}: {expected}", f"  {outcome}"]
        return "\n".join([*lines, "", *table, "", f"  {self.provenance}"])

    def _repr_html_(self) -> str:
        claim, (titles, *rows) = self.claim, self.rows()
        head = "".join(f'<th style="text-align:right">{html.escape(title)}</th>' for title in titles)
        body = "".join(
            f'<tr><th style="text-align:left">{html.escape(row[0])}</th>'
            + "".join(f'<td style="text-align:right">{html.escape(cell)}</td>' for cell in row[1:])
            + "</tr>"
            for row in rows
        )
        verdicts = "".join(
            f"<p style='margin:4px 0'>{_badge(verdict)} <b>{html.escape(expected)}</b> {html.escape(outcome)}</p>"
            for verdict, expected, outcome in self.verdicts()
        )
        return (
            f"<div style='border-left:4px solid #0072B2;padding:4px 12px'>"
            f"<p><b>{html.escape(claim.title)}.</b> {html.escape(claim.sentence)} "
            f"<i>({html.escape(claim.source)})</i></p>{verdicts}"
            f"<details><summary>The experiment and all numbers</summary>"
            f"<p>Changes: {html.escape(claim.changes)}.<br>Stays: {html.escape(claim.same)}.</p>"
            f"<table><tr>{head}</tr>{body}</table>"
            f"<p>In the paper: {html.escape(claim.paper)}.</p>"
            f"<p><small>{html.escape(self.provenance.replace('`', ''))}<br>{html.escape(RULE)}</small></p>"
            f"</details></div>"
        )


def _badge(verdict: Verdict) -> str:
    style = f"background:{COLORS[verdict]};color:white;border-radius:4px;padding:1px 8px;font-weight:bold"
    return f"<span style='{style}'>{verdict}</span>"


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + ("" if words.endswith(".") else ".")
