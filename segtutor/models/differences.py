"""Why the code differs from the paper: one row per detail, held against the code by the tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One detail of a network, as four sources have it.

    Attributes:
        detail: What is compared.
        paper: In the paper.
        reference: In the authors' code, or the port that is used as the reference.
        torchvision: In torchvision's network; "-" where it has none.
        ours: Here, by default.
    """

    detail: str
    paper: str
    reference: str
    torchvision: str
    ours: str


def as_markdown(rows: Iterable[Difference]) -> str:
    """The rows as a Markdown table.

    >>> print(as_markdown([Difference("dropout", "0.5", "0.5", "0.1", "0.5")]))
    | detail | paper | reference code | torchvision | ours |
    |---|---|---|---|---|
    | dropout | 0.5 | 0.5 | 0.1 | 0.5 |
    """
    lines = ["| detail | paper | reference code | torchvision | ours |", "|---|---|---|---|---|"]
    lines += [f"| {row.detail} | {row.paper} | {row.reference} | {row.torchvision} | {row.ours} |" for row in rows]
    return "\n".join(lines)
