"""All claims, by name, from the modules of experiments."""

from __future__ import annotations

import difflib
import importlib
from functools import cache

from segtutor.claims.claim import Claim

MODULES = (
    "class_weights",
    "fcn",
    "pspnet",
    "mask_rcnn",
    "deeplab",
    "transformers",
    "leaderboard",
    "mask_classification",
    "prompts",
    "world",
)


@cache
def claims() -> dict[str, Claim]:
    """Every claim by its name, in the order of the lessons."""
    found: dict[str, Claim] = {}
    for module in MODULES:
        for claim in importlib.import_module(f"segtutor.claims.experiments.{module}").CLAIMS:
            found[claim.name] = claim
    return found


def available() -> list[str]:
    """Names of the claims."""
    return list(claims())


def find(name: str) -> Claim:
    """The claim of that name.

    Raises:
        ValueError: If there is none; the message lists those that exist.
    """
    known = claims()
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=1)
        guess = f" (did you mean {near[0]}?)" if near else ""
        raise ValueError(f"there is no claim {name!r}{guess}; there are {', '.join(known)}")
    return known[name]
