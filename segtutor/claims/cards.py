"""A claim card: the sentence, the experiment, the numbers with their spread, the paper's own, the verdict in words."""

from __future__ import annotations

import html
from dataclasses import dataclass

from segtutor.claims.claim import Claim, Expectation
from segtutor.claims.results import Results


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

    def verdicts(self) -> list[str]:
        """One sentence per expectation: what was expected, what came out."""
        return [self._sentence(expectation) for expectation in self.claim.expectations]

    def _sentence(self, expectation: Expectation) -> str:
        runs = self.results.runs
        held, gains = expectation.holds(runs), expectation.gains(runs)
        measure = self.claim.measure(expectation.measure)
        mean, spread = sum(gains) / len(gains), (max(gains) - min(gains)) / 2
        against = expectation.worse if isinstance(expectation.worse, str) else "the bound"
        signed = ("+" if mean >= 0 else "−") + measure.show(abs(mean))
        words = expectation.words[0].upper() + expectation.words[1:]
        text = f"{words}: {expectation.verdict(runs)}"
        if isinstance(expectation.worse, str):
            sign = "" if expectation.higher else " (lower is better)"
            text += f" ({expectation.better} against {against}: {signed} ± {measure.show(spread)}{sign}; "
        else:
            text += " ("
        return f"{text}{sum(held)} of {len(held)} seeds)."

    @property
    def provenance(self) -> str:
        """Where the numbers come from."""
        about, count = self.results.about, len(self.results.seeds)
        seeds = f"{count} seed{'s' if count > 1 else ''}; mean ± half the range" if count > 1 else "1 seed"
        short = "short version, " if self.results.short else ""
        return f"`{about['command']}`: {short}{seeds}; {about['date']}, PyTorch {about['versions']['torch']}"

    def __repr__(self) -> str:  # notebooks keep it beside the table
        return f"Card of {self.claim.name}"

    def __str__(self) -> str:
        rows = self.rows()
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        lines = [
            f"{self.claim.name}: {self.claim.title}",
            f"  {self.claim.sentence} [{self.claim.source}]",
            "",
            *table,
            "",
        ]
        return "\n".join([*lines, *(f"- {line}" for line in self.verdicts()), f"  {self.provenance}"])

    def _repr_html_(self) -> str:
        claim, (titles, *rows) = self.claim, self.rows()
        head = "".join(f'<th style="text-align:right">{html.escape(title)}</th>' for title in titles)
        body = "".join(
            f'<tr><th style="text-align:left">{html.escape(row[0])}</th>'
            + "".join(f'<td style="text-align:right">{html.escape(cell)}</td>' for cell in row[1:])
            + "</tr>"
            for row in rows
        )
        verdicts = "".join(f"<li>{html.escape(line)}</li>" for line in self.verdicts())
        note = self.provenance.replace("`", "")
        return (
            f"<p><b>{html.escape(claim.title)}.</b> {html.escape(claim.sentence)} "
            f"<i>({html.escape(claim.source)})</i></p>"
            f"<p>Changes: {html.escape(claim.changes)}.<br>Stays: {html.escape(claim.same)}.</p>"
            f"<table><tr>{head}</tr>{body}</table><ul>{verdicts}</ul>"
            f"<p>In the paper: {html.escape(claim.paper)}.</p><p><small>{html.escape(note)}</small></p>"
        )
