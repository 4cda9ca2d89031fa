"""Which lesson a search leads to first: the one that says the word most often, for every word of the glossary's terms.

Sphinx counts a page once, however often it says a word. ``docs/build.py`` writes the table into the site's scorer.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MARK = "const MOST_OFTEN = {};"


def terms(root: Path = ROOT) -> set[str]:
    """The words of all terms and of their other spellings, in small letters."""
    content = tomllib.loads((root / "notebooks" / "source" / "glossary.toml").read_text(encoding="utf-8"))
    names = [name for term in content["term"] for name in (term["name"], *term.get("also", []))]
    return {word for name in names for word in words(name) if len(word) > 2}


def words(text: str) -> list[str]:
    """The words of a text in small letters.

    >>> words("Atrous convolution, RoIAlign")
    ['atrous', 'convolution', 'roialign']
    """
    return re.findall(r"\w+", text.lower())


def most_often(texts: dict[str, str], wanted: set[str]) -> dict[str, str]:
    """For each word the name of the text that says it most often, of equal ones the first.

    >>> most_often({"a": "rate", "b": "Rate and rate", "c": "stride"}, {"rate", "stride", "void"})
    {'rate': 'b', 'stride': 'c'}
    """
    counts = {name: words(text) for name, text in texts.items()}
    found = {}
    for word in sorted(wanted):
        best = max(counts, key=lambda name: counts[name].count(word))
        if word in counts[best]:
            found[word] = best
    return found


def scorer(script: str, root: Path = ROOT) -> str:
    """The site's scorer with the table of the course's lessons."""
    if MARK not in script:
        raise ValueError(f"scorer.js must hold the line {MARK!r}, which the table takes the place of")
    paths = sorted((root / "notebooks" / "source").glob("[0-9]*.py"))
    texts = {f"notebooks/{path.stem}": path.read_text(encoding="utf-8") for path in paths}
    return script.replace(MARK, f"const MOST_OFTEN = {json.dumps(most_often(texts, terms(root)))};")
