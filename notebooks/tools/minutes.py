"""How long a first reading of a lesson takes a person: an estimate that no header may fall below."""

from __future__ import annotations

import re

from notebooks.tools.masters import Master

WORDS_A_MINUTE = 130
LINES_A_MINUTE = 8
LONGEST = 100


def estimate(master: Master) -> int:
    """Minutes for the prose, the visible code and the runs; "Going deeper" is left for a second reading."""
    words = lines = 0
    for cell in master.cells:
        if cell.cell_type == "markdown":
            if re.search(r"^## .*going deeper", cell.source, re.MULTILINE | re.IGNORECASE):
                words += len(
                    re.split(r"^## .*going deeper", cell.source, flags=re.MULTILINE | re.IGNORECASE)[0].split()
                )
                break
            words += len(cell.source.split())
        elif "fold" not in cell.metadata:
            lines += sum(bool(line.strip()) for line in cell.source.splitlines())
    return round(words / WORDS_A_MINUTE + lines / LINES_A_MINUTE + float(master.front["minutes_cpu"]))


def check_minutes(master: Master) -> list[str]:
    """What is wrong with a lesson's ``minutes_work``."""
    told, least = master.front.get("minutes_work"), estimate(master)
    if told is None:
        return [f"the front matter lacks minutes_work; a first estimate is {least}"]
    if told < least:
        return [f"minutes_work is {told}, but a first reading takes about {least} minutes"]
    return [f"{told} minutes are more than the {LONGEST} a lesson may take: split it"] if told > LONGEST else []
