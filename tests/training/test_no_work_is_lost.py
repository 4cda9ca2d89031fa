"""Whatever goes wrong around a training, what was learned is kept; and what can be known before it is said before."""

from __future__ import annotations

import csv
import errno
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import torch

from segtutor import models
from segtutor.files import prove_writable, write_or_rescue
from segtutor.training import fit, places
from tests.training.test_loop import Blobs, assert_same_bits, config, network


class Broken(Blobs):
    """One item cannot be used: its labels have a dimension too many, or its file cannot be read."""

    def __init__(self, count=10, bad=3, error=None):
        super().__init__(count)
        self.bad, self.error = bad, error

    def __getitem__(self, index):
        image, labels = super().__getitem__(index)
        if index != self.bad:
            return image, labels
        if self.error is not None:
            raise self.error
        return image, labels[None]


def steps_in(path) -> int:
    return len(torch.load(path, weights_only=True)["result"]["losses"])


def test_a_broken_validation_picture_costs_nothing_and_the_repaired_run_goes_on(tmp_path):
    path, whole = tmp_path / "run.pt", network()
    expected = fit(whole, Blobs(), Blobs(6), config(evaluate_every=5))
    with pytest.raises(ValueError, match=r"item 3: .*\(1, 16, 20\).*squeeze") as caught:
        fit(network(), Blobs(), Broken(6), config(evaluate_every=5, checkpoint=path))
    assert steps_in(path) == 5
    assert f"the run's 5 steps are in {path}" in caught.value.__notes__[0]
    model = network(seed=3)
    result = fit(model, Blobs(), Blobs(6), config(evaluate_every=5, checkpoint=path), resume=True)
    assert_same_bits(whole, model)
    assert result.validations == expected.validations
    assert steps_in(path) == 12


def test_the_first_validation_item_is_tried_before_the_first_step(tmp_path):
    train = Blobs()
    with pytest.raises(ValueError, match="item 0: "):
        fit(network(), train, Broken(6, bad=0), config(checkpoint=tmp_path / "run.pt"))
    assert train.reads == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_training_picture_is_named_and_the_steps_before_it_are_kept(tmp_path, workers):
    path = tmp_path / "run.pt"
    bad = fit_order(seed=0)[9]  # the tenth sample of the run, in step 2
    data = Broken(bad=bad, error=OSError("cannot identify image file"))
    with pytest.raises(OSError, match=rf"^item {bad}: cannot identify") as caught:
        fit(network(), data, None, config(checkpoint=path, num_workers=workers, flip=False))
    assert steps_in(path) == 2
    assert "go on from there with resume" in caught.value.__notes__[0]
    model, whole = network(seed=5), network()
    fit(model, Blobs(), None, config(checkpoint=path, flip=False), resume=True)
    fit(whole, Blobs(), None, config(flip=False))
    assert_same_bits(whole, model)


def fit_order(seed):
    return np.random.default_rng((seed, 0)).permutation(10).tolist()


def test_a_diverged_run_does_not_write_over_its_last_good_checkpoint(tmp_path):
    path = tmp_path / "run.pt"
    with pytest.raises(ValueError, match=r"the loss is .* at step"):
        fit(network(norm=False), Blobs(), None, config(checkpoint=path, checkpoint_every=1, learning_rate=1e30))
    state = torch.load(path, weights_only=True)
    assert len(state["result"]["losses"]) >= 1
    assert all(np.isfinite(state["result"]["losses"]))


@pytest.mark.parametrize("setting", ["checkpoint", "best", "log"])
def test_every_place_is_tried_before_the_first_step(tmp_path, setting):
    train, folder = Blobs(), tmp_path / "taken.pt"
    folder.mkdir()
    with pytest.raises(ValueError, match=r"taken\.pt is a folder: name the file"):
        fit(network(), train, Blobs(2), config(**{setting: folder}))
    assert train.reads == 0
    assert list(folder.iterdir()) == []


def test_a_place_that_takes_a_byte_but_not_the_weights_is_found_before_the_first_step(tmp_path, monkeypatch):
    train, path = Blobs(), tmp_path / "run.pt"

    def full(content, place):
        place.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(places, "save_torch", full)
    with pytest.raises(OSError, match=r"run\.pt cannot be written \(No space left on device\).*nothing has been begun"):
        fit(network(), train, None, config(checkpoint=path))
    assert train.reads == 0
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_fails_in_the_middle_does_not_end_the_run_and_the_end_is_rescued(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "runs" / "run.pt"
    real = places.save_run

    def broken(path, content):
        if "runs" in str(path) and len(content["result"]["losses"]) >= 4:
            raise OSError(errno.EIO, "Input/output error")
        real(path, content)

    monkeypatch.setattr(places, "save_run", broken)
    whole = network()
    fit(whole, Blobs(), None, config())

    def no_write(path, write):
        return write_or_rescue(tmp_path / "gone" / "run.pt", write)  # its own place fails there, too

    monkeypatch.setattr(places, "write_or_rescue", no_write)
    result = fit(network(), Blobs(), None, config(checkpoint=place, checkpoint_every=2))
    assert result.steps == 12
    assert steps_in(place) == 2
    rescued = tmp_path / "rescued_run.pt"
    assert steps_in(rescued) == 12
    assert str(rescued) in capsys.readouterr().err
    again = network(seed=3)
    models.load_weights(again, rescued)
    assert_same_bits(whole, again)


def test_a_vanished_folder_is_made_again_and_a_file_is_rescued_into_another(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    class Vanishing(Blobs):
        def __getitem__(self, index):
            shutil.rmtree(tmp_path / "runs", ignore_errors=True)
            return super().__getitem__(index)

    fit(network(), Vanishing(), None, config(checkpoint=tmp_path / "runs" / "run.pt"))
    assert steps_in(tmp_path / "runs" / "run.pt") == 12
    for expected in ("rescued_a.txt", "rescued_a_2.txt"):
        where = write_or_rescue(tmp_path / "gone" / "a.txt", lambda path: path.write_text("worth keeping"))
        assert where == tmp_path / expected
        assert where.read_text() == "worth keeping"
        assert str(where) in capsys.readouterr().err
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*gone"):
        prove_writable(tmp_path / "gone" / "a.txt")
    with pytest.raises(ValueError, match="is a device"):
        prove_writable(os.devnull)


@pytest.mark.parametrize(
    "settings",
    [
        {"learning_rate": np.logspace(-2, -1, 3)[1]},
        {"class_weights": tuple(np.array([1.0, 2.0, 3.0]))},
        {"class_weights": torch.tensor([1.0, 2.0, 3.0])},
        {"class_weights": [1, 2, 3]},
        {"steps": np.int64(12), "batch_size": torch.tensor(4), "seed": np.uint8(3), "crop": np.array([8, 8])},
        {"crop": 8, "weight_decay": np.float32(0.25), "flip": np.bool_(False), "device": torch.device("cpu")},
    ],
)
def test_whatever_the_settings_accept_is_plain_and_can_be_resumed(tmp_path, settings):
    chosen = config(checkpoint=tmp_path / "run.pt", **settings)
    assert all(
        type(value) in (int, float, str, bool, type(None), tuple, type(tmp_path)) for value in vars(chosen).values()
    )
    first, again = network(), network(seed=4)
    fit(first, Blobs(), None, chosen)
    fit(again, Blobs(), None, chosen, resume=True)
    assert_same_bits(first, again)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": torch.nn.CrossEntropyLoss()}, r"loss is CrossEntropyLoss\(\), but must be one of cross_entropy"),
        ({"crop": "64"}, "crop is '64', but must be numbers"),
        ({"seed": -1}, "seed is -1"),
        ({"steps": 1.5}, "steps is 1.5, but must be a whole number"),
        ({"batch_size": True}, "batch_size is True, but must be a number"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast'"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"flip": "yes"}, "flip is 'yes', but must be True or False"),
        ({"class_weights": ("a", 1)}, "class_weights is"),
        ({"scale": (0.5, 2)}, "scale and rotate need a crop"),
        ({"accumulate": 3}, "batch_size 4 cannot be divided into accumulate=3"),
    ],
)
def test_settings_of_another_kind_are_refused_at_once(settings, message):
    with pytest.raises(ValueError, match=message):
        config(**settings)


def test_a_resumed_run_takes_more_steps_and_says_what_that_means(tmp_path):
    path, model = tmp_path / "run.pt", network()
    fit(model, Blobs(), None, config(checkpoint=path))
    with pytest.warns(UserWarning, match="was to have 12 steps and shall now have 20"):
        result = fit(model, Blobs(), None, config(checkpoint=path, steps=20), resume=True)
    assert result.steps == 20
    rate = 0.02 * (1 - 12 / 20) ** 0.9
    assert result.learning_rates[12] == pytest.approx(rate)
    with pytest.raises(ValueError, match="has done 20 steps, but the run shall have only 5"):
        fit(model, Blobs(), None, config(checkpoint=path, steps=5), resume=True)


def test_a_compiled_run_is_resumed_plainly(tmp_path):
    path, whole = tmp_path / "run.pt", network()
    fit(whole, Blobs(), None, config())
    with pytest.raises(KeyboardInterrupt):
        fit(torch.compile(network(), backend="eager"), Blobs(interrupt_at=22), None, config(checkpoint=path))
    again = network(seed=2)
    fit(again, Blobs(), None, config(checkpoint=path), resume=True)
    assert_same_bits(whole, again)


@pytest.mark.parametrize("content", [b"", b"hello world", b"PK\x03\x04 not a zip", "short"])
def test_a_damaged_checkpoint_is_named_and_nobody_is_told_to_delete_it(tmp_path, content):
    path = tmp_path / "run.pt"
    fit(network(), Blobs(), None, config(checkpoint=path))
    path.write_bytes(path.read_bytes()[:5000] if content == "short" else content)
    with pytest.raises(ValueError, match=r"run\.pt is no readable checkpoint") as caught:
        fit(network(), Blobs(), None, config(checkpoint=path), resume=True)
    assert "delete" not in str(caught.value)
    assert path.exists()


def test_a_checkpoint_builds_the_network_again_with_its_normalization_and_classes(tmp_path):
    path, data = tmp_path / "run.pt", Blobs(4, size=(65, 65))
    model = models.create("deeplabv3_mobilenet_v2", 3)
    fit(model, data, None, config(steps=1, batch_size=2, checkpoint=path))
    for again in (models.create("deeplabv3_mobilenet_v2", weights=path), models.create("deeplabv3_mobilenet_v2", 3)):
        models.load_weights(again, path)
        assert again.preprocessing.mean == (0.5, 0.5, 0.5)
        assert again.class_names == data.labels.names
        assert_same_bits(model, again)


def test_the_best_weights_the_log_and_an_early_end(tmp_path):
    best, log = tmp_path / "best.pt", tmp_path / "log.csv"
    settings = {"steps": 60, "evaluate_every": 5, "patience": 3, "best": best, "log": log, "learning_rate": 0.05}
    result = fit(network(), Blobs(), Blobs(4), config(**settings))
    scores = [one.mean_iou for one in result.validations]
    kept = torch.load(best, weights_only=True)["notes"]
    assert kept["mean_iou"] == max(scores)
    assert result.steps == 60 or max(scores[-3:]) <= max(scores[:-3])
    with log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == pytest.approx(result.losses)
    assert [float(row["mean_iou"]) for row in rows if row["mean_iou"]] == pytest.approx(scores)
    from segtutor.inference import evaluate

    again = network(seed=8)
    models.load_weights(again, best)
    assert evaluate(again, Blobs(4), progress=False).mean_iou == pytest.approx(max(scores))


def test_a_run_without_progress_stops_after_its_patience():
    class Unlearnable(Blobs):
        def __getitem__(self, index):
            image, labels = super().__getitem__(index)
            return torch.zeros_like(image), labels

    result = fit(network(dropout=0.0), Unlearnable(), Unlearnable(4), config(steps=500, evaluate_every=2, patience=2))
    assert result.steps < 500
    assert len(result.validations) >= 3


@pytest.mark.slow
def test_ten_kills_at_random_moments_leave_a_run_that_ends_with_the_same_bits(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(
        textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {os.getcwd()!r})
        import torch
        from segtutor.training import fit
        from tests.training.test_loop import Blobs, config, network
        settings = config(steps=150, checkpoint="run.pt", checkpoint_every=1, evaluate_every=10)
        fit(network(), Blobs(), Blobs(4), settings, resume=True)
        """)
    )
    rng = np.random.default_rng(5)
    for _ in range(10):
        process = subprocess.Popen([sys.executable, str(script)], cwd=tmp_path)
        time.sleep(float(rng.uniform(2, 8)))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (tmp_path / "run.pt").exists() or steps_in(tmp_path / "run.pt") > 0
    subprocess.run([sys.executable, str(script)], cwd=tmp_path, check=True)
    whole, again = network(), network(seed=1)
    fit(whole, Blobs(), None, config(steps=150))
    models.load_weights(again, tmp_path / "run.pt")
    assert_same_bits(whole, again)
