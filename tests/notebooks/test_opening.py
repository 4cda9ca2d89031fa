"""Lesson 00 opens with a photograph where the weights are, and with a sentence where they cannot be had."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import torch
from safetensors.torch import save_file

from notebooks.tools.execute import environment, lend_nuclei, lend_weights
from segtutor import models
from segtutor.labels import VOC2012
from segtutor.models import package_weights, photograph_choice, weight_catalog

ROOT = Path(__file__).parents[2]
LESSON = ROOT / "notebooks" / "00_start_here.ipynb"


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A cache that holds the weights of one package, and something else."""
    cache = tmp_path / "mine"
    monkeypatch.setenv("SEGTUTOR_CACHE", str(cache))
    entry = next(one for one in weight_catalog.package_table() if "u2netp" in one["models"])
    path = package_weights.kept_file(entry)
    path.parent.mkdir(parents=True)
    state = {"weight": torch.arange(3.0)}
    notes = {"source_sha256": entry["sha256"], "arrays_sha256": package_weights._digest(state)}
    save_file(state, path, metadata=notes)
    (cache / "weights" / "backbone.pth").write_bytes(b"x")
    return path


def test_an_execution_sees_the_callers_weights_of_packages_and_nothing_else(kept, tmp_path):
    cache = Path(environment(tmp_path / "folder")["SEGTUTOR_CACHE"])
    assert cache == tmp_path / "folder" / "cache"
    assert [path.name for path in (cache / "weights").iterdir()] == [kept.name]
    assert (cache / "weights" / kept.name).read_bytes() == kept.read_bytes()


def test_published_networks_of_classes_and_files_of_ones_own_are_lent_too(kept, tmp_path):
    (published, *_) = photograph_choice.with_classes()
    published.path.write_bytes(b"13 MB")
    photograph_choice.own_folder().mkdir()
    mine = photograph_choice.own_folder() / "mine.pt"
    models.save_weights(models.create("deeplabv3_tiny"), mine, labels=VOC2012.names)
    names = lend_weights(tmp_path / "lent")
    assert names[1:] == ["lraspp_mobilenet_v3_large", "mine.pt"]
    files = {path.relative_to(tmp_path / "lent" / "weights").as_posix() for path in (tmp_path / "lent").rglob("*.*")}
    assert files == {kept.name, published.path.name, "own/mine.pt"}


def test_damaged_weights_are_not_lent(kept, tmp_path):
    content = bytearray(kept.read_bytes())
    content[-1] ^= 1
    kept.write_bytes(content)
    assert lend_weights(tmp_path / "lent") == []
    assert not (tmp_path / "lent").exists()


def test_the_photograph_of_nuclei_is_lent_if_it_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGTUTOR_CACHE", str(tmp_path / "own"))
    assert not lend_nuclei(tmp_path / "lent")
    kept = tmp_path / "own" / "nuclei"
    kept.mkdir(parents=True)
    for name in ("img2d.tif", "mask2d.tif"):
        (kept / name).write_bytes(name.encode())
    assert lend_nuclei(tmp_path / "lent")
    assert (tmp_path / "lent" / "nuclei" / "mask2d.tif").read_bytes() == b"mask2d.tif"


def test_without_weights_an_execution_has_an_empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGTUTOR_CACHE", str(tmp_path / "empty"))
    assert not Path(environment(tmp_path / "folder")["SEGTUTOR_CACHE"]).exists()


def opening():
    """The code cells of lesson 00 up to the one that cuts out the cat."""
    cells = [cell for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "code"][1:]
    last = next(number for number, cell in enumerate(cells) if 'weights="pip"' in cell.source)
    return cells[: last + 1]


def test_the_photograph_is_cut_out_in_five_lines():
    assert len([line for line in opening()[-1].source.splitlines() if line.strip()]) <= 5


def test_the_committed_lesson_shows_the_photograph():
    """Executed where the weights are: `segtutor data weights` fetches them."""
    kinds = {kind for output in opening()[-1].outputs for kind in output.get("data", {})}
    assert kinds & {"image/png", "image/jpeg"}


def test_without_weights_one_sentence_is_said_and_the_lesson_goes_on(tmp_path):
    code = "\n\n".join(cell.source for cell in opening())
    program = tmp_path / "opening.py"
    program.write_text(f"import matplotlib\nmatplotlib.use('Agg')\n{code}\nprint('on', cat_mask is None)", "utf-8")
    guard = str(ROOT / "notebooks" / "tools" / "offline")  # no network, whatever this machine has
    paths = os.pathsep.join([guard, str(ROOT), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, encoding="utf-8", check=False, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths, "SEGTUTOR_CACHE": str(tmp_path / "empty"), "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    *_, sentence, go_on, end = ran.stdout.splitlines()
    assert sentence.startswith("No cat this time: ")
    assert "could not be fetched" in sentence
    assert go_on.startswith("Go on without it")
    assert end == "on True"
