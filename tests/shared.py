"""Real data sets that a developer may have; a test that reads one is skipped, with the reason, where it is absent."""

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("SEGTUTOR_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


def shared_data(*parts: str) -> Path:
    """Path below the folder of real data, or a skip that says what is missing and how to name it."""
    path = ROOT.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"real data not here: {'/'.join(parts)} (set SEGTUTOR_SHARED_DATA to the folder that holds it)")
    return path
