"""Exercise 2.9: the solution and other right answers."""

from __future__ import annotations

import numpy as np


def counts_verdict(stored: list[np.ndarray], loaded: list[np.ndarray], void: int = 255) -> str:
    """What a validation loader did to the labels, from counts alone: "ok", "pixels dropped", ..."""
    before = np.bincount(np.concatenate([one.ravel() for one in stored]), minlength=257)
    after = np.bincount(np.concatenate([one.ravel() for one in loaded]), minlength=257)
    if (before == after).all():
        return "ok"
    if after.sum() < before.sum():
        return "pixels dropped"
    if before[void] > 0 and after[void] == 0:
        return "void lost"
    before[void] = after[void] = 0
    if (after[:-1] == before[1:]).all():
        return "shifted by one"
    return "changed"


def with_counter(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    """With two counters."""
    from collections import Counter

    before = Counter(int(value) for one in stored for value in one.ravel())
    after = Counter(int(value) for one in loaded for value in one.ravel())
    if before == after:
        return "ok"
    if sum(after.values()) < sum(before.values()):
        return "pixels dropped"
    if before[void] and not after[void]:
        return "void lost"
    lower = {value - 1: count for value, count in before.items() if value not in (0, void)}
    return "shifted by one" if lower == {v: n for v, n in after.items() if v != void} else "changed"


def with_histogram(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    """Label by label, with capital letters."""
    before, after = (
        np.array([sum(int((one == k).sum()) for one in maps) for k in range(256)]) for maps in (stored, loaded)
    )
    if np.array_equal(before, after):
        return "OK"
    if before.sum() > after.sum():
        return "Pixels dropped"
    if after[void] == 0 < before[void]:
        return "Void lost"
    down, up = before.copy(), after.copy()
    down[void] = up[void] = 0
    return "Shifted by one" if (down[1:] == up[:-1]).all() and up[-1] == 0 else "Changed"


def with_unique(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    """With np.unique and a table of tests."""

    def count(maps):  # type: ignore[no-untyped-def]
        values, numbers = np.unique(np.concatenate([one.ravel() for one in maps]), return_counts=True)
        return dict(zip(values.tolist(), numbers.tolist(), strict=True))

    before, after = count(stored), count(loaded)
    shifted = {k - 1: n for k, n in before.items() if k not in (void, 0)}
    tests = {
        "ok": before == after,
        "pixels dropped": sum(after.values()) < sum(before.values()),
        "void lost": void in before and void not in after,
        "shifted by one": shifted == {k: n for k, n in after.items() if k != void},
        "changed": True,
    }
    return next(verdict for verdict, holds in tests.items() if holds)
