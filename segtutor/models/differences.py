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
    """The rows as a Markdown table; without torchvision's column where torchvision has no such network.

    >>> print(as_markdown([Difference("dropout", "0.5", "0.5", "0.1", "0.5")]))
    | detail | paper | reference code | torchvision | ours |
    |---|---|---|---|---|
    | dropout | 0.5 | 0.5 | 0.1 | 0.5 |
    >>> print(as_markdown([Difference("dropout", "none told", "0.1", "-", "0.1")]))
    | detail | paper | reference code | ours |
    |---|---|---|---|
    | dropout | none told | 0.1 | 0.1 |
    """
    rows = list(rows)
    columns = {"detail": "detail", "paper": "paper", "reference code": "reference", "torchvision": "torchvision"}
    if all(row.torchvision == "-" for row in rows):
        del columns["torchvision"]
    columns["ours"] = "ours"
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    lines += [f"| {' | '.join(getattr(row, name) for name in columns.values())} |" for row in rows]
    return "\n".join(lines)
