"""The claims of the papers, measured: one thing changes, all else stays, and the effect is shown with its spread.

    claim (sentence, variants, expectations) --> reproduce --> results (data/results/*.json) --> card, figure

Every number of a card comes from a file that ``segtutor reproduce CLAIM`` makes again.
"""

from __future__ import annotations

import importlib
from typing import Any

# public name: the module that defines it, imported when the name is first used
_EXPORTS = {
    "Card": "segtutor.claims.cards",
    "Claim": "segtutor.claims.claim",
    "Results": "segtutor.claims.results",
    "available": "segtutor.claims.catalog",
    "card": "segtutor.claims.showing",
    "file_of": "segtutor.claims.results",
    "find": "segtutor.claims.catalog",
    "published": "segtutor.claims.published_results",
    "published_corrections": "segtutor.claims.published_results",
    "published_table": "segtutor.claims.published_results",
    "read": "segtutor.claims.results",
    "recorded": "segtutor.claims.results",
    "reproduce": "segtutor.claims.results",
    "run_short": "segtutor.claims.showing",
    "show": "segtutor.claims.showing",
    "show_curves": "segtutor.claims.showing",
    "show_gaps": "segtutor.claims.figures",
    "show_leaderboard": "segtutor.claims.figures",
    "show_published": "segtutor.claims.published_results",
    "show_table": "segtutor.claims.figures",
    "write": "segtutor.claims.results",
}

__all__ = list(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)
