from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segtutor.labels import LabelSet
from segtutor.training import (
    TrainingConfig,
    cross_entropy,
    dice,
    fit,
    focal,
    lovasz_softmax,
    ohem,
    parameter_groups,
    polynomial,
)
from segtutor.training import loop as loop_module
from tests.two_processes import run_by_two_processes

CLASSES = LabelSet("Blobs", ("ground", "red", "blue"), ((0, 0, 0), (255, 0, 0), (0, 0, 255)))


class Blobs:
    """A red or blue rectangle on noisy ground, with a void frame. `interrupt_at`: Ctrl-C while that sample is read."""

    labels = CLASSES

    def __init__(self, count=10, size=(16, 20), interrupt_at=None):
        self.count, self.size, self.interrupt_at, self.reads = count, size, interrupt_at, 0

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.reads += 1
        if self.reads == self.interrupt_at:
            os.kill(os.getpid(), signal.SIGINT)
        generator = np.random.default_rng(index)
        image = generator.integers(60, 120, (3, *self.size), dtype=np.uint8)
        labels = np.zeros(self.size, dtype=np.int64)
        top, left = generator.integers(0, self.size[0] - 8), generator.integers(0, self.size[1] - 8)
        kind = index % 2
        image[2 * kind, top : top + 8, left : left + 8] = 250
        labels[top : top + 8, left : left + 8] = 1 + kind
        labels[0] = 255
        return torch.from_numpy(image), torch.from_numpy(labels)


def network(seed=0, dropout=0.2, norm=True, aux=False) -> nn.Module:
    torch.manual_seed(seed)

    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(3, 8, 3, padding=1, stride=2, bias=not norm),
                nn.BatchNorm2d(8) if norm else nn.Identity(),
                nn.ReLU(),
                nn.Dropout(dropout),
            )
            self.head = nn.Conv2d(8, 3, 3, padding=1)
            self.side = nn.Conv2d(8, 3, 1) if aux else None

        def forward(self, images):
            features, size = self.body(images), images.shape[-2:]
            out = {"out": F.interpolate(self.head(features), size, mode="bilinear")}
            if self.side is not None and self.training:
                out["aux"] = F.interpolate(self.side(features), size, mode="bilinear")
            return out

    return Small()


def config(**changes) -> TrainingConfig:
    settings = {"steps": 12, "batch_size": 4, "learning_rate": 0.02, "device": "cpu", "progress": False}
    return TrainingConfig(**{**settings, **changes})


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def assert_same_bits(one: nn.Module, other: nn.Module) -> None:
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_it_learns_ten_pictures_by_heart():
    model = network(dropout=0.0)
    result = fit(model, Blobs(), Blobs(), config(steps=150, evaluate_every=75, flip=False))
    assert result.losses[-1] < 0.1 * result.losses[0]
    assert [validation.step for validation in result.validations] == [75, 150]
    assert result.validations[-1].mean_iou > 0.9
    assert result.validations[-1].pixel_accuracy > 0.95
    assert result.steps == 150
    assert result.seconds > 0
    rates = [0.02 * polynomial(step, 150) for step in range(150)]
    assert result.learning_rates == pytest.approx(rates)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_the_first_step_is_pytorchs(optimizer):
    """The same batch, normalized and stepped by hand; weight decay on weights only, the auxiliary loss by 0.4."""
    data, settings = Blobs(4), config(steps=1, optimizer=optimizer, weight_decay=0.3, flip=False)
    model, peer = network(dropout=0.0, aux=True), network(dropout=0.0, aux=True)
    result = fit(model, data, None, settings)
    decayed = [peer.body[0].weight, peer.head.weight, peer.side.weight]
    free = [peer.body[1].weight, peer.body[1].bias, peer.head.bias, peer.side.bias]
    groups = [{"params": decayed, "weight_decay": 0.3}, {"params": free, "weight_decay": 0.0}]
    kind = (
        torch.optim.AdamW(groups, lr=0.02) if optimizer == "adamw" else torch.optim.SGD(groups, lr=0.02, momentum=0.9)
    )
    images, labels = (torch.stack(part) for part in zip(*(data[i] for i in range(4)), strict=True))
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    output = peer((images / 255 - mean[:, None, None]) / std[:, None, None])
    losses = [F.cross_entropy(output[name], labels, ignore_index=255) for name in ("out", "aux")]
    loss = losses[0] + 0.4 * losses[1]
    loss.backward()
    kind.step()
    assert result.losses[0] == pytest.approx(loss.item(), rel=1e-5)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, peer.state_dict()[name], rtol=1e-4, atol=2e-5, msg=name)


def test_the_same_seed_gives_the_same_bits_whatever_the_workers_and_the_callers_generators():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    models = [network(), network(), network(), network()]
    torch.random.set_rng_state(before)
    results = [
        fit(models[0], Blobs(), None, config()),
        (torch.manual_seed(99), fit(models[1], Blobs(), None, config(num_workers=2)))[1],
        fit(models[2], Blobs(), None, config(seed=1)),
    ]
    assert_same_bits(models[0], models[1])
    assert results[0].losses == results[1].losses
    assert results[0].losses != results[2].losses
    torch.random.set_rng_state(before)
    fit(models[3], Blobs(), None, config(steps=1))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_class_weights_reach_the_loss():
    weights = (0.1, 2.0, 5.0)
    model = network(dropout=0.0, norm=False)
    images, labels = (torch.stack(part) for part in zip(*(Blobs(4)[i] for i in range(4)), strict=True))
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        logits = model((images / 255 - mean[:, None, None]) / std[:, None, None])["out"]
    expected = F.cross_entropy(logits, labels, torch.tensor(weights), ignore_index=255)
    result = fit(model, Blobs(4), None, config(steps=1, flip=False, class_weights=weights))
    assert result.losses[0] == pytest.approx(expected.item(), rel=1e-5)
    with pytest.raises(ValueError, match="2 class_weights, but Blobs has 3"):
        fit(model, Blobs(4), None, config(class_weights=(1.0, 1.0)))


@pytest.mark.parametrize("loss", ["ohem", "dice", "focal", "lovasz", "cross_entropy + dice"])
def test_the_loss_chosen_is_that_of_both_heads_and_it_learns(loss):
    functions = {"ohem": ohem, "dice": dice, "focal": focal, "lovasz": lovasz_softmax, "cross_entropy": cross_entropy}
    model = network(dropout=0.0, norm=False, aux=True).train()
    images, labels = (torch.stack(part) for part in zip(*(Blobs(4)[i] for i in range(4)), strict=True))
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        logits = model((images / 255 - mean[:, None, None]) / std[:, None, None])
    heads = [sum(functions[name](logits[head], labels) for name in loss.split(" + ")) for head in ("out", "aux")]
    result = fit(model, Blobs(4), Blobs(4), config(steps=40, flip=False, loss=loss))
    assert result.losses[0] == pytest.approx((heads[0] + 0.4 * heads[1]).item(), rel=1e-5)
    assert result.losses[-1] < 0.5 * result.losses[0]


def test_the_head_moves_faster_than_the_backbone():
    """One step of SGD without decay moves each parameter by rate times gradient, and the gradients are the same."""
    moves = []
    for factors in ({}, {"head_factor": 10.0, "bias_factor": 2.0}):
        model = network(dropout=0.0)
        model.backbone = model.body
        before = weights(model)
        settings = config(steps=1, optimizer="sgd", learning_rate=1e-2, weight_decay=0.0, **factors)
        rates = fit(model, Blobs(), None, settings).learning_rates
        assert rates == [1e-2]
        moves.append({name: value - before[name] for name, value in model.named_parameters()})
    factors = {"body.0.weight": 1, "body.1.weight": 1, "body.1.bias": 1, "head.weight": 10, "head.bias": 20}
    for name, factor in factors.items():
        torch.testing.assert_close(moves[1][name], factor * moves[0][name], rtol=1e-3, atol=1e-6, msg=name)
        assert moves[0][name].abs().max() > 1e-5, name


def test_a_checkpoint_older_than_a_setting_began_with_its_default(tmp_path):
    path = tmp_path / "run.pt"
    whole = network()
    fit(whole, Blobs(), None, config())
    with pytest.raises(KeyboardInterrupt):
        fit(network(), Blobs(interrupt_at=22), None, config(checkpoint=path))
    run = torch.load(path, weights_only=True)
    for name in ("loss", "head_factor", "bias_factor"):
        del run["course"][name]
    for group in run["optimizer"]["param_groups"]:
        del group["factor"]
    torch.save(run, path)
    with pytest.raises(ValueError, match="loss was 'cross_entropy' and is now 'dice'"):
        fit(network(seed=3), Blobs(), None, config(checkpoint=path, loss="dice"), resume=True)
    resumed = network(seed=3)
    fit(resumed, Blobs(), None, config(checkpoint=path), resume=True)
    assert_same_bits(whole, resumed)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_run_that_was_stopped_and_resumed_ends_with_the_same_bits(tmp_path, optimizer):
    settings = config(optimizer=optimizer, checkpoint=tmp_path / "run.pt", evaluate_every=5, warmup_steps=3)
    whole, parts = network(), network()
    expected = fit(whole, Blobs(), Blobs(4), config(optimizer=optimizer, evaluate_every=5, warmup_steps=3))

    # Samples are read 4 per step, 4 more per evaluation: the 27th read is in step 6, which is finished first.
    with pytest.raises(KeyboardInterrupt):
        fit(parts, Blobs(interrupt_at=27), Blobs(4), settings)
    again = network(seed=7)  # another process: nothing is left but the file
    torch.manual_seed(1234)
    result = fit(again, Blobs(), Blobs(4), settings, resume=True)

    assert_same_bits(whole, again)
    assert result.losses == expected.losses
    assert result.learning_rates == expected.learning_rates
    assert result.validations == expected.validations
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]


def test_an_interrupt_finishes_the_step_and_restores_the_handler(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(network(), Blobs(interrupt_at=9), None, config(checkpoint=tmp_path / "run.pt"))
    assert signal.getsignal(signal.SIGINT) is before
    run = torch.load(tmp_path / "run.pt", weights_only=True)
    assert len(run["result"]["losses"]) == 3


def test_resume_starts_if_there_is_nothing_yet_and_does_nothing_if_all_is_done(tmp_path):
    settings = config(checkpoint=tmp_path / "run.pt")
    model = network()
    first = fit(model, Blobs(), None, settings, resume=True)
    done = weights(model)
    again = network(seed=3)
    second = fit(again, Blobs(), None, settings, resume=True)
    assert second.losses == first.losses
    for name, value in again.state_dict().items():
        assert torch.equal(value, done[name])


def test_a_checkpoint_of_another_run_or_a_damaged_one_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    fit(network(), Blobs(), None, config(checkpoint=path))
    with pytest.raises(ValueError, match=r"seed was 0 and is now 1"):
        fit(network(), Blobs(), None, config(checkpoint=path, seed=1), resume=True)
    with pytest.raises(ValueError, match=r"samples was 10 and is now 9"):
        fit(network(), Blobs(9), None, config(checkpoint=path), resume=True)
    with pytest.raises(ValueError, match="another network"):
        fit(network(aux=True), Blobs(), None, config(checkpoint=path), resume=True)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="no readable checkpoint"):
        fit(network(), Blobs(), None, config(checkpoint=path), resume=True)
    torch.save({"some": "thing"}, path)
    with pytest.raises(ValueError, match="not the checkpoint of a training run"):
        fit(network(), Blobs(), None, config(checkpoint=path), resume=True)
    with pytest.raises(ValueError, match=r"resume needs config\.checkpoint"):
        fit(network(), Blobs(), None, config(), resume=True)


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    fit(network(), Blobs(), None, config(checkpoint=path))
    before = path.read_bytes()

    def disk_full(content, file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", disk_full)
    with pytest.raises(OSError, match="No space"):
        fit(network(), Blobs(), None, config(checkpoint=path))
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.pt"]


def test_a_loss_that_is_no_number_stops_with_step_and_rate():
    class Poisoned(Blobs):
        def __getitem__(self, index):
            image, labels = super().__getitem__(index)
            return image.float() / 255, labels

    model = network(norm=False)
    with torch.no_grad():
        model.head.bias[0] = float("nan")
    with pytest.raises(ValueError, match=r"the loss is nan at step 0, learning rate 0.02"):
        fit(model, Poisoned(), None, config())
    assert not any(torch.isnan(value).any() for name, value in model.state_dict().items() if name != "head.bias")


def test_groups_are_disjoint_complete_and_spare_norms_and_biases():
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.GroupNorm(2, 4), nn.PReLU(), nn.Linear(4, 4), nn.Linear(4, 4)
    )
    model[5].weight = model[4].weight  # shared
    model[0].bias.requires_grad_(False)
    decayed, free = parameter_groups(model, 0.01)
    identities = [id(parameter) for group in (decayed, free) for parameter in group["params"]]
    assert len(identities) == len(set(identities))
    assert set(identities) == {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.01, 0.0)
    assert {id(parameter) for parameter in decayed["params"]} == {
        id(model[0].weight), id(model[3].weight), id(model[4].weight)
    }  # fmt: skip


def test_frozen_batch_norm_stays_and_comes_back_trainable():
    model = network().eval()
    before = weights(model)
    fit(model, Blobs(), None, config(freeze_batch_norm=True))
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("body.1."), name
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert not model.training


def test_bfloat16_trains():
    model = network(dropout=0.0)
    result = fit(model, Blobs(), Blobs(), config(steps=100, precision="bfloat16", measure_precision=False, flip=False))
    assert result.precision == "bfloat16"
    assert result.losses[-1] < 0.3 * result.losses[0]
    assert model.head.weight.dtype == torch.float32


def test_what_does_not_fit_is_refused_before_anything_changes():
    model = network()
    before = weights(model)
    four = type("Four", (Blobs,), {"labels": LabelSet("Four", ("a", "b", "c", "d"), ((0, 0, 0),) * 4)})
    with pytest.raises(ValueError, match="3 classes, but Four has 4"):
        fit(model, four(), None, config())
    with pytest.raises(ValueError, match="3 classes, but the validation set 4"):
        fit(model, Blobs(), four(), config())
    with pytest.raises(ValueError, match="no trainable parameter"):
        fit(model.requires_grad_(False), Blobs(), None, config())
    for name, value in model.state_dict().items():
        if "running" not in name and "num_batches" not in name:
            assert torch.equal(value, before[name]), name


def test_it_works_outside_the_main_thread():
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(fit, network(), Blobs(), None, config(steps=2)).result().steps == 2


@pytest.mark.slow
def test_two_processes_do_what_one_does(tmp_path):
    """Each has half of every batch; without batch norm and dropout the weights must agree up to rounding."""
    script = tmp_path / "run.py"
    script.write_text(
        f"import sys\nsys.path[:0] = {[str(Path(__file__).parent), str(Path(loop_module.__file__).parents[2])]!r}\n"
        "import torch\nfrom test_loop import Blobs, config, network\nfrom segtutor.training import fit\n"
        "model = network(dropout=0.0, norm=False, aux=True)\n"
        f"result = fit(model, Blobs(), Blobs(5), config(checkpoint={str(tmp_path / 'two.pt')!r}))\n"
    )
    run_by_two_processes(script)
    model = network(dropout=0.0, norm=False, aux=True)
    result = fit(model, Blobs(), Blobs(5), config())
    two = torch.load(tmp_path / "two.pt", weights_only=True)
    assert two["result"]["losses"] == pytest.approx(result.losses, rel=1e-4)
    assert two["result"]["validations"][0]["pixel_accuracy"] == pytest.approx(
        result.validations[0].pixel_accuracy, abs=2e-3
    )
    for name, value in model.state_dict().items():
        torch.testing.assert_close(two["model"][name], value, rtol=1e-3, atol=1e-4, msg=name)
