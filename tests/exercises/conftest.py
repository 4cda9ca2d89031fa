"""No test writes into the learner's own progress file."""

import pytest

from segtutor.exercises import checking, record


@pytest.fixture(autouse=True)
def progress_file(tmp_path, monkeypatch):
    file = tmp_path / "progress" / "progress.json"
    monkeypatch.setenv("SEGTUTOR_PROGRESS", str(file))
    monkeypatch.setattr(record, "_in_memory", {})
    monkeypatch.setattr(record, "_last_lesson", "")
    monkeypatch.setattr(checking, "latest", {})
    return file
