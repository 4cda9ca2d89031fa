from __future__ import annotations

import os
import random
import signal
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

import segtutor
from segtutor import models
from segtutor.datasets import Scenes
from segtutor.inference import evaluate_detector
from segtutor.labels import LabelSet
from segtutor.training import DetectionResult, InMemory, TrainingConfig, fit_detector, polynomial
from segtutor.training.detection_stream import DetectionStream, collate, mirror
from segtutor.training.stream import seeded
from tests.two_processes import run_by_two_processes

CLASSES = LabelSet("Squares", ("ground", "red", "blue"), ((0, 0, 0), (255, 0, 0), (0, 0, 255)), frozenset({1, 2}))
LOSSES = {"loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg", "loss_mask"}


class Squares:
    """A red or blue square on noisy ground; every fifth picture is empty. `interrupt_at`: Ctrl-C while it is read."""

    labels = CLASSES

    def __init__(self, count=6, size=(64, 64), interrupt_at=None, masks=True):
        self.count, self.size, self.interrupt_at, self.masks, self.reads = count, size, interrupt_at, masks, 0

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.reads += 1
        if self.reads == self.interrupt_at:
            os.kill(os.getpid(), signal.SIGINT)
        generator = torch.Generator().manual_seed(index)
        height = self.size[0] + 32 * (index % 2)  # pictures of two sizes
        image = torch.randint(60, 120, (3, height, self.size[1]), generator=generator, dtype=torch.uint8)
        objects = 0 if index % 5 == 4 else 1
        top, left = (int(place) for place in torch.randint(0, 30, (2,), generator=generator))
        kind = index % 2
        masks = torch.zeros(objects, height, self.size[1], dtype=torch.bool)
        if objects:
            image[2 * kind, top : top + 24, left : left + 30] = 250
            masks[0, top : top + 24, left : left + 30] = True
        boxes = torch.tensor([[left, top, left + 30, top + 24]] * objects, dtype=torch.float32).reshape(-1, 4)
        target = {"boxes": boxes, "labels": torch.full((objects,), 1 + kind), "image_id": index}
        return image, target | ({"masks": masks} if self.masks else {})


def network(seed=0, num_classes=3, **options):
    torch.manual_seed(seed)
    return models.create("maskrcnn_tiny", num_classes=num_classes, **options)


def config(**changes) -> TrainingConfig:
    settings = {"steps": 4, "batch_size": 2, "learning_rate": 1e-3, "device": "cpu", "progress": False}
    return TrainingConfig(**{**settings, **changes})


def assert_same_bits(one, other):
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_picture_boxes_and_masks_are_mirrored_together():
    image = torch.arange(3 * 2 * 5).reshape(3, 2, 5)
    masks = torch.zeros(2, 2, 5, dtype=torch.bool)
    masks[0, 1, 0], masks[1, :, 3:] = True, True
    boxes = torch.tensor([[0.0, 1.0, 1.0, 2.0], [3.0, 0.0, 5.0, 2.0]])
    mirrored, target = mirror(image, {"boxes": boxes, "labels": torch.tensor([7, 8]), "masks": masks})
    assert mirrored[0].tolist() == [[4, 3, 2, 1, 0], [9, 8, 7, 6, 5]]
    assert target["boxes"].tolist() == [[4.0, 1.0, 5.0, 2.0], [0.0, 0.0, 2.0, 2.0]]
    assert target["labels"].tolist() == [7, 8]
    assert torch.nonzero(target["masks"][0]).tolist() == [[1, 4]]
    for mask, (x1, y1, x2, y2) in zip(target["masks"], target["boxes"].int().tolist(), strict=True):
        assert mask[y1:y2, x1:x2].all()
        assert mask.sum() == (y2 - y1) * (x2 - x1)
    again, back = mirror(mirrored, target)
    assert torch.equal(again, image)
    assert torch.equal(back["boxes"], boxes)
    _, empty = mirror(image, {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0), "masks": masks[:0]})
    assert empty["boxes"].shape == (0, 4)


def test_the_stream_mirrors_half_and_only_where_asked_for():
    data = Squares(4)
    asked = [DetectionStream(data, 0, flip=True)[position] for position in range(40)]
    whole = [DetectionStream(data, 0, flip=False)[position] for position in range(40)]
    mirrored = [not torch.equal(one[0], other[0]) for one, other in zip(asked, whole, strict=True)]
    assert 10 < sum(mirrored) < 30
    for (image, target), (other, wanted), turned in zip(asked, whole, mirrored, strict=True):
        if turned:
            assert torch.equal(image, other.flip(-1))
            assert torch.equal(target["masks"], wanted["masks"].flip(-1))
        assert "image_id" not in target
    images, targets = collate(whole[:3])
    assert [image.shape[-1] for image in images] == [64, 64, 64]
    assert len(targets) == 3


def test_what_is_kept_in_memory_is_what_was_made_and_it_is_made_once():
    data = Squares(5)
    kept = InMemory(data)
    assert (len(kept), kept.labels) == (5, CLASSES)
    for index in range(5):
        first, again = kept[index], kept[index]
        image, target = Squares(5)[index]
        for made, wanted in ((first, target), (again, target)):
            assert torch.equal(made[0], image)
            assert all(torch.equal(made[1][key], wanted[key]) for key in ("boxes", "labels", "masks"))
    assert data.reads == 5


def test_the_first_step_is_pytorchs():
    """Whole pictures, the sum of the losses, decay on weights only; the network's choices made from the same seed."""
    data = Squares(2)
    model, peer = network(), network()
    result = fit_detector(model, data, None, config(steps=1, flip=False, weight_decay=0.3, optimizer="sgd"))
    from segtutor.training.stream import seeded

    order = DetectionStream(data, 0, flip=False)
    images, targets = collate([order[0], order[1]])
    with seeded(0, 2, 0, 0):
        losses = peer(images, targets)
    assert {name: values[0] for name, values in result.losses.items()} == pytest.approx(
        {name: loss.item() for name, loss in losses.items()}, rel=1e-5
    )
    decayed = [parameter for name, parameter in peer.named_parameters() if parameter.ndim > 1]
    free = [parameter for name, parameter in peer.named_parameters() if parameter.ndim == 1]
    groups = [{"params": decayed, "weight_decay": 0.3}, {"params": free, "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, lr=1e-3, momentum=0.9)
    sum(losses.values()).backward()
    optimizer.step()
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, peer.state_dict()[name], rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_it_learns_one_scene_by_heart(precision):
    class One:
        labels = Scenes.labels

        def __len__(self):
            return 1

        def __getitem__(self, index):
            image, target = Scenes("train", size=(96, 128), count=20, scale_range=2.0, crowd=0.0, target="instances")[0]
            # Scenes have things of a few pixels; they are left to the course's checkpoint.
            kept = target["area"] >= 60
            return image, {key: target[key][kept] for key in ("boxes", "labels", "masks")}

    model = network(num_classes=len(Scenes.labels))
    settings = config(
        steps=130, batch_size=2, learning_rate=2e-3, warmup_steps=10, precision=precision, measure_precision=False
    )
    result = fit_detector(model, One(), One(), settings)
    assert set(result.losses) == LOSSES
    assert result.total_losses[-1] < 0.2 * result.total_losses[0]
    assert result.total_losses[3] == pytest.approx(sum(values[3] for values in result.losses.values()))
    (validation,) = result.validations
    assert validation.step == result.steps == 130
    assert validation.masks["AP50"] == pytest.approx(1.0)
    assert validation.boxes["AP50"] == pytest.approx(1.0)
    assert result.learning_rates == pytest.approx([2e-3 * polynomial(step, 130, 0.9, 10) for step in range(130)])
    assert model.training


def test_the_same_seed_gives_the_same_bits_whatever_the_workers_and_the_callers_generators():
    data = Squares(5)
    states = [torch.random.get_rng_state(), random.getstate()]
    networks = [network(), network(), network()]
    torch.manual_seed(99)
    before = torch.random.get_rng_state()
    results = [
        fit_detector(networks[0], data, None, config()),
        fit_detector(networks[1], data, None, config(num_workers=1)),
        fit_detector(networks[2], data, None, config(seed=1)),
    ]
    assert torch.equal(torch.random.get_rng_state(), before)
    assert random.getstate() == states[1]
    assert_same_bits(networks[0], networks[1])
    assert results[0].losses == results[1].losses != results[2].losses


def test_a_resumed_run_ends_with_the_same_bits(tmp_path):
    handler = signal.getsignal(signal.SIGINT)  # a shell starts what runs in its background with "ignore"
    whole, parts = network(), network()
    expected = fit_detector(whole, Squares(), Squares(3), config(steps=5, evaluate_every=2))
    settings = config(steps=5, evaluate_every=2, checkpoint=tmp_path / "run.pt")
    with pytest.raises(KeyboardInterrupt):  # while the sixth picture is read, in the third step of two each
        fit_detector(parts, Squares(interrupt_at=6), Squares(3), settings, resume=True)
    assert torch.load(tmp_path / "run.pt", weights_only=True)["result"]["learning_rates"] == pytest.approx(
        expected.learning_rates[:3]
    )
    assert signal.getsignal(signal.SIGINT) is handler
    fresh = network(seed=7)
    result = fit_detector(fresh, Squares(), Squares(3), settings, resume=True)
    assert_same_bits(whole, fresh)
    assert isinstance(result, DetectionResult)
    assert result.losses == expected.losses
    assert result.validations == expected.validations
    assert [validation.step for validation in result.validations] == [2, 4, 5]
    with pytest.raises(ValueError, match="other settings"):
        fit_detector(network(), Squares(), None, config(steps=5, learning_rate=1e-2, checkpoint=tmp_path / "run.pt"),
                     resume=True)  # fmt: skip


def test_frozen_norms_and_the_mode_stay():
    model = network().eval()
    before = OrderedDict((name, value.clone()) for name, value in model.state_dict().items())
    fit_detector(model, Squares(), None, config(steps=2, freeze_batch_norm=True, gradient_clip=0.1))
    assert not model.training
    for name, value in model.state_dict().items():
        if "running" in name:
            assert torch.equal(value, before[name]), name
    assert not torch.equal(model.rpn.head.cls_logits.weight, before["rpn.head.cls_logits.weight"])
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_empty_pictures_alone_and_boxes_without_masks_train():
    class Empty(Squares):
        def __getitem__(self, index):
            return super().__getitem__(4)

    result = fit_detector(network(), Empty(2), None, config(steps=2))
    assert result.losses["loss_mask"] == result.losses["loss_box_reg"] == [0.0, 0.0]
    assert all(loss > 0 for loss in result.losses["loss_objectness"])

    faster = network(mask_branch=False)
    result = fit_detector(faster, Squares(masks=False), Squares(3, masks=False), config(steps=2))
    assert set(result.losses) == LOSSES - {"loss_mask"}
    assert result.validations[0].masks is None
    assert evaluate_detector(faster, Squares(3, masks=False), progress=False).boxes == result.validations[0].boxes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "dice"}, "loss is 'dice', but a detector has the losses of its branches"),
        ({"auxiliary_weight": 0.2}, "auxiliary_weight is 0.2, but a detector has no auxiliary head"),
        ({"class_weights": (1.0, 1.0, 1.0)}, "class_weights is .* by the choice of regions"),
        ({"crop": (32, 32)}, "crop is .* whole pictures"),
    ],
)
def test_settings_that_only_semantic_networks_have_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        fit_detector(network(), Squares(), None, config(**changes))


def test_bad_input_is_named_and_changes_nothing(monkeypatch):
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match="is no detector"):
        fit_detector(models.create("deeplabv3_tiny", num_classes=3), Squares(), None, config())
    with pytest.raises(ValueError, match="3 classes, but Scenes has 33, background included"):
        fit_detector(model, Scenes(target="instances"), None, config())
    with pytest.raises(ValueError, match="3 classes, but Scenes has 33"):
        fit_detector(model, Squares(), Scenes(target="instances"), config())
    with pytest.raises(ValueError, match="a dict of boxes, labels and masks, but this data set gives a Mask"):
        fit_detector(network(num_classes=33), Scenes(), None, config())
    with pytest.raises(ValueError, match="must be a dict of tensors boxes, labels, masks; no masks"):
        fit_detector(model, Squares(masks=False), None, config())
    with pytest.raises(ValueError, match="training set is empty"):
        fit_detector(model, Squares(0), None, config())
    with pytest.raises(ValueError, match=r"resume needs config\.checkpoint"):
        fit_detector(model, Squares(), None, config(), resume=True)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name

    class Empty(Squares):
        pairs = [(f"images/{number}.png", "") for number in range(20)]  # noqa: RUF012

        def __getitem__(self, index):
            image, target = super().__getitem__(index)
            if index == 3:
                target = {**target, "boxes": target["boxes"] * 0}
            return image, target

    for settings in ({}, {"accumulate": 2}):
        with pytest.raises(ValueError, match=r"^item 3 \(images/3\.png\), box 0 .*x1 < x2"):
            fit_detector(model, Empty(), None, config(steps=12, **settings))

    class Broken(Squares):
        def __getitem__(self, index):
            image, target = super().__getitem__(0)
            return torch.full(image.shape, float("nan")), target

    with pytest.raises(ValueError, match="values from nan"):
        fit_detector(model, Broken(), None, config())
    with pytest.raises(ValueError, match=r"the loss_\w+ is (nan|inf).* at step \d"):
        fit_detector(model, Squares(), None, config(steps=8, optimizer="sgd", learning_rate=1e25, warmup_steps=0))


@pytest.mark.slow
def test_two_processes_share_a_batch_and_end_with_the_same_weights(tmp_path):
    """The loss of the first step is the mean of what each picture's loss is alone."""
    script = tmp_path / "run.py"
    script.write_text(
        "import os, sys\n"
        f"sys.path[:0] = {[str(Path(__file__).parent), str(Path(segtutor.__file__).parents[1])]!r}\n"
        "import torch\nfrom dataclasses import asdict\nfrom segtutor.training import fit_detector\n"
        "from test_detection import Squares, config, network\n"
        "model = network()\n"
        "result = fit_detector(model, Squares(), Squares(3), config(steps=3, flip=False, batch_size=2))\n"
        f"file = os.path.join({str(tmp_path)!r}, 'rank' + os.environ['RANK'] + '.pt')\n"
        "torch.save({'model': dict(model.named_parameters()), 'result': asdict(result)}, file)\n"
    )
    run_by_two_processes(script)
    first, second = (torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in (0, 1))
    assert first["result"]["losses"] == second["result"]["losses"]
    assert first["result"]["validations"] == second["result"]["validations"]
    assert len(first["result"]["validations"]) == 1
    for name, value in first["model"].items():
        assert torch.equal(value, second["model"][name]), name
    stream, alone = DetectionStream(Squares(), 0, flip=False), []
    for rank in (0, 1):
        image, target = stream[rank]
        with seeded(0, 2, 0, rank, device=torch.device("cpu")):
            alone.append(network().train()([image], [target]))
    for name in LOSSES:
        mean = float((alone[0][name] + alone[1][name]).detach()) / 2
        # A process has one thread; its rounding may exchange two proposals whose scores are nearly the same.
        assert first["result"]["losses"][name][0] == pytest.approx(mean, rel=0.01), name
