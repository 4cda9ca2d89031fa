"""The random numbers of declarations: the same in every run, and others in each variant of the course.

A declaration draws its random inputs from `seeded` alone. Where a variant was chosen before the declaration is
imported, the same lines give other numbers: one declaration makes as many sets of cases as there are variants.
"""

from __future__ import annotations

import hashlib

import numpy as np

_chosen: list[str] = [""]


def chosen() -> str:
    """The name of the variant that declarations draw for; empty for the course's own numbers."""
    return _chosen[0]


def choose(name: str) -> None:
    """Draw for this variant from now on; declarations that are imported already keep their numbers."""
    _chosen[0] = name


def seeded(seed: int) -> np.random.Generator:
    """A generator for one input of a declaration.

    Args:
        seed: What tells this input from others.

    >>> bool(seeded(3).random() == np.random.default_rng(3).random())
    True
    """
    if not chosen():
        return np.random.default_rng(seed)
    digest = hashlib.sha256(chosen().encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])
