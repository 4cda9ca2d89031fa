"""Tables of text for a notebook (HTML) or a page (Markdown)."""

from __future__ import annotations

import html
from collections.abc import Sequence


def render(columns: Sequence[str], rows: Sequence[Sequence[str]], format: str) -> str:
    r"""A table with a row of titles.

    Args:
        columns: The titles.
        rows: A cell for each title.
        format: "html" or "markdown".

    >>> print(render(["a", "b"], [["1|2", "x"]], "markdown"))
    | a | b |
    | --- | --- |
    | 1\|2 | x |
    """
    if format == "markdown":
        lines = [columns, ["---"] * len(columns), *rows]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)

    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return "\n".join(["<table>", line(columns, "th"), *(line(row, "td") for row in rows), "</table>"])
