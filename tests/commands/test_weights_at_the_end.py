"""Whatever has happened, the weights are there at the end of a training, where wanted or in a place that is named."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from PIL import Image

from segtutor import models, training
from segtutor.cli import main
from segtutor.datasets.found import find_data
from segtutor.models.weights import read_weights
from segtutor.training import fit
from tests.commands.test_own_data import RUN, draw
from tests.training.test_loop import Blobs, assert_same_bits, config, network


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in, with pictures, and a way to let something happen after the last step."""
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "photos")
    real = training.fit

    def after_the_last_step(happens):
        def fit(*arguments, **options):
            result = real(*arguments, **options)
            happens()
            return result

        monkeypatch.setattr(training, "fit", fit)

    return after_the_last_step


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, of 40 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "own", folder], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system can be mounted here: {getattr(error, 'stderr', error)}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def train(folder: Path) -> int:
    return main(["train", "--data", "photos", "--out", str(folder / "net.pt"), *RUN])


def assert_trained(path: Path) -> None:
    contents = read_weights(path)
    assert contents.classes == ("ground", "box", "patch")
    assert contents.notes["steps"] == 2
    assert path.with_suffix(".json").is_file()


def test_a_folder_that_vanishes_at_the_end(here, tmp_path, capsys):
    folder = tmp_path / "runs"
    folder.mkdir()
    here(lambda: shutil.rmtree(folder))
    assert train(folder) == 0
    assert_trained(tmp_path / "rescued_net.pt")
    assert f"it was saved as {tmp_path / 'rescued_net.pt'} instead" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "rescued_net.json", "rescued_net.pt"]


def test_a_disk_that_is_full_at_the_end(here, small_disk, tmp_path, capsys):
    def fill():
        with (small_disk / "others").open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(1 << 16))

    here(fill)
    assert train(small_disk) == 0
    assert_trained(tmp_path / "rescued_net.pt")
    assert "No space left on device); it was saved as" in capsys.readouterr().err
    assert not list(small_disk.glob("*net.pt"))  # no half of a file


def test_a_disk_that_can_only_be_read_at_the_end(here, small_disk, tmp_path, capsys):
    here(lambda: subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True))
    assert train(small_disk) == 0
    assert_trained(tmp_path / "rescued_net.pt")
    assert "Read-only file system" in capsys.readouterr().err


def test_a_disk_without_room_for_what_the_optimizer_will_remember_is_found_before_the_first_step(tmp_path):
    """The weights fit, and a checkpoint of the first steps' size would; one with both moments does not."""
    draw(tmp_path / "photos")
    size = sum(one.numel() * one.element_size() for one in models.create("deeplabv3_tiny", 3).parameters())
    ended = subprocess.run(
        [sys.executable, "-m", "segtutor.cli", "train", "--data", "photos", "--out", "net.pt", *RUN],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2 * size, 2 * size)),
    )
    assert ended.returncode == 2, ended.stderr
    assert "net.run.pt cannot be written (File too large)" in ended.stderr
    assert "nothing has been begun" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_a_validation_picture_that_cannot_be_scored_is_said_before_the_training(here, tmp_path, monkeypatch, capsys):
    """Also where no step is to be followed by a score."""
    here(lambda: pytest.fail("the training was made"))
    val = find_data("photos", "semantic").val
    picture, mask = val.dataset.pairs[val.indices[0]]
    Image.open(mask).crop((0, 0, 30, 30)).save(mask)
    assert train(tmp_path) == 2
    assert Path(picture).name in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_the_best_weights_are_rescued_beside_the_checkpoint_and_not_over_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    class TakingThePlace(Blobs):
        def __getitem__(self, index):
            if folder.is_dir():
                shutil.rmtree(folder)
                folder.write_text("a file where the folder was")
            return super().__getitem__(index)

    model, folder = network(), tmp_path / "runs"
    folder.mkdir()
    fit(model, TakingThePlace(), Blobs(4), config(checkpoint=folder / "run.pt", best=folder / "best.pt"))
    run, best = (torch.load(tmp_path / f"rescued_{name}.pt", weights_only=True) for name in ("run", "best"))
    assert len(run["result"]["losses"]) == 12
    assert "optimizer" not in best
    for name in ("run", "best"):
        again = network(seed=2)
        models.load_weights(again, tmp_path / f"rescued_{name}.pt")
        assert_same_bits(model, again)
