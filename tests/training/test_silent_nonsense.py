"""Data, weights and networks that would give a number without meaning are refused, or a warning tells."""

from __future__ import annotations

import multiprocessing
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import ConcatDataset, Subset, random_split

from segtutor import models
from segtutor.datasets.transforms import Transformed
from segtutor.inference import detect, evaluate, predict
from segtutor.inference.predict import preprocessing_of
from segtutor.inference.samples import place_of
from segtutor.labels import LabelSet
from segtutor.models.inputs import Preprocessing
from segtutor.training import balanced_class_weights, fit, fit_detector
from tests.training.test_loop import CLASSES, Blobs, assert_same_bits, config, network


class Changed(Blobs):
    """Blobs with something done to each item."""

    def __init__(self, change, count=10, labels=CLASSES):
        super().__init__(count)
        self.change, self.labels = change, labels

    def __getitem__(self, index):
        return self.change(*super().__getitem__(index))


def tiny(num_classes=3, name="deeplabv3_tiny"):
    torch.manual_seed(0)
    return models.create(name, num_classes)


REFUSED = {
    "fractions": (lambda i, t: (i, t.float() / 255), "label map holds fractions .*ToTensor"),
    "one dimension too many": (lambda i, t: (i, t[None]), r"labels are \(1, 16, 20\); take labels\[0\]"),
    "ids": (lambda i, t: (i, t * 7), r"labels hold \[7.* there are 3 classes"),
    "negative": (lambda i, t: (i, t - 1), r"labels hold \[-1"),
    "array": (lambda i, t: (i, t.numpy()), "label map is of type ndarray"),
    "objects": (lambda i, t: (i, {"boxes": t, "labels": t}), "a dict of boxes, labels.*fit_detector"),
    "a dict": (lambda i, t: {"image": i, "mask": t}, r"is a dict of image, mask, but an item must be a pair"),
    "three": (lambda i, t: (i, t, "name"), "is 3 things"),
    "normalized": (lambda i, t: (i.float() / 128 - 1, t), "floating-point image must lie in 0-1"),
    "bytes as floats": (lambda i, t: (i.float(), t), "divide by 255"),
    "nan": (lambda i, t: (i.float() * float("nan"), t), "values from nan"),
    "12 bits": (lambda i, t: (i.to(torch.int32) * 16, t), r"of torch\.int32.*4095 for 12 bits"),
    "channels last": (lambda i, t: (i.permute(1, 2, 0), t), r"image is \(16, 20, 3\).*permute"),
    "gray": (lambda i, t: (i[:1], t), "convert it to RGB"),
    "picture of another size": (lambda i, t: (i[:, 1:], t), r"picture is \(15, 20\)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_training_and_evaluation_refuse_the_same_and_name_the_item(name):
    change, message = REFUSED[name]
    data = Changed(change)
    first = np.random.default_rng((0, 0)).permutation(10)[0]
    with pytest.raises(ValueError, match=rf"(?s)^item {first}\b.*{message}"):
        fit(network(), data, None, config(steps=1))
    with pytest.raises(ValueError, match=rf"(?s)^item 0\b.*{message}"):
        evaluate(network(), data, progress=False)


@pytest.mark.parametrize(
    "change",
    [
        lambda i, t: (i.half() / 255, t),
        lambda i, t: (i.double() / 255, t),
        lambda i, t: (i.bfloat16() / 255, t),
        lambda i, t: [i, t.float()],
        lambda i, t: (i, t.to(torch.uint8)),
        lambda i, t: (i, t.to(torch.int32)),
    ],
    ids=["half", "double", "bfloat16", "whole floats", "uint8", "int32"],
)
def test_other_types_of_the_same_numbers_train(change):
    plain, other = network(), network()
    expected = fit(plain, Blobs(), Blobs(4), config(steps=2))
    result = fit(other, Changed(change), Changed(change, 4), config(steps=2))
    assert result.losses == pytest.approx(expected.losses, rel=0.02)


def test_one_class_and_no_foreground_are_told():
    one = LabelSet("One", ("thing",), ((0, 0, 0),))
    data = Changed(lambda i, t: (i, torch.zeros_like(t)), labels=one)
    for use in (lambda: fit(network(), data, None, config()), lambda: evaluate(network(), data)):
        with pytest.raises(ValueError, match=r"One has only the class 'thing' beside void .*classes\.csv"):
            use()
    ground = Changed(lambda i, t: (i, torch.zeros_like(t)))
    with pytest.warns(UserWarning, match="every labeled pixel of the first 12 training pictures is 'ground'"):
        fit(network(), ground, None, config())
    with pytest.warns(UserWarning, match="that was scored is 'ground': this score says nothing"):
        evaluate(network(), ground, progress=False)
    with pytest.warns(UserWarning, match="training pictures is void"):
        fit(network(), Changed(lambda i, t: (i, torch.full_like(t, 255))), None, config(steps=1))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="every labeled")
        fit(network(), Blobs(), Blobs(4), config())


def test_a_validation_set_of_other_names_or_another_order_is_refused():
    for names, message in (
        (("ground", "blue", "red"), "in another order"),
        (("ground", "red", "green"), "other names"),
    ):
        val = Changed(lambda i, t: (i, t), labels=LabelSet("Val", names, CLASSES.colors))
        with pytest.raises(ValueError, match=f"Blobs and the validation set Val do not number.*{message}"):
            fit(network(), Blobs(), val, config())
    spelled = LabelSet("Val", ("Ground", "RED", "blue"), CLASSES.colors)
    fit(network(), Blobs(), Changed(lambda i, t: (i, t), 4, spelled), config(steps=1))


def test_a_run_is_not_resumed_with_classes_in_another_order(tmp_path):
    settings = config(checkpoint=tmp_path / "run.pt")
    fit(network(), Blobs(), None, settings)
    other = LabelSet("Other", ("ground", "blue", "red"), CLASSES.colors)
    with pytest.raises(ValueError, match=r"classes was .*'red', 'blue'.* and is now .*'blue', 'red'"):
        fit(network(), Changed(lambda i, t: (i, t), labels=other), None, settings, resume=True)


def test_weights_of_other_classes_are_not_scored_as_these(tmp_path):
    path = tmp_path / "net.pt"
    models.save_weights(tiny(), path, labels=["ground", "blue", "red"])
    network_ = models.create("deeplabv3_tiny", weights=path)
    with pytest.raises(ValueError, match=r"classes are not those of Blobs.*in another order: 1 is 'blue' and 'red'"):
        evaluate(network_, Blobs(2), progress=False)
    with pytest.warns(UserWarning, match="know as many classes by other names or in another order"):
        fit(network_, Blobs(), None, config(steps=1))
    evaluate(network_, Blobs(2), progress=False)  # now it is trained for them


class Around(nn.Module):
    """A module of one's own around a network."""

    def __init__(self, model):
        super().__init__()
        self.net = model

    def forward(self, images):
        return self.net(images)["out"]


@pytest.mark.parametrize(
    "wrap",
    [nn.DataParallel, torch.optim.swa_utils.AveragedModel, lambda m: torch.compile(m, backend="eager"), Around],
    ids=["parallel", "averaged", "compiled", "own"],
)
def test_a_wrapped_network_keeps_its_normalization(wrap):
    model, picture = tiny(), torch.rand(3, 40, 56, generator=torch.Generator().manual_seed(0))
    model.preprocessing = Preprocessing(mean=(0.1, 0.2, 0.3), std=(0.9, 0.8, 0.7))
    wrapped = wrap(model)
    assert preprocessing_of(wrapped) == model.preprocessing
    for small in (picture, picture[:, :5, :5]):  # smaller than the stride: it is padded for the wrapped one, too
        _, expected = predict(model, small, return_probabilities=True)
        _, found = predict(wrapped, small, return_probabilities=True)
        torch.testing.assert_close(found, expected)


def test_a_network_that_does_not_say_how_it_wants_its_pictures_gets_a_word():
    with pytest.warns(UserWarning, match=r"Small does not say .* ImageNet's mean .*model\.preprocessing"):
        predict(network(), torch.rand(3, 16, 16))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_networks_and_pictures_of_every_precision_predict(dtype):
    picture = torch.rand(3, 48, 64, generator=torch.Generator().manual_seed(0))
    model = tiny().eval()
    _, expected = predict(model, picture, return_probabilities=True)
    torch.testing.assert_close(
        predict(model, picture.to(dtype), return_probabilities=True)[1], expected, atol=5e-3, rtol=0
    )
    _, found = predict(model.to(dtype), picture, return_probabilities=True)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, atol=2e-2, rtol=0)
    objects = detect(tiny(name="maskrcnn_tiny").to(dtype), picture)
    assert objects["boxes"].dtype == objects["scores"].dtype == torch.float32


def test_a_network_of_16_bits_is_not_trained_as_it_is_and_one_of_64_is():
    with pytest.raises(ValueError, match=r"weights are float16.*model\.float\(\)"):
        fit(network().half(), Blobs(), None, config())
    model = network().double()
    result = fit(model, Blobs(), Blobs(4), config(steps=2))
    assert model.head.weight.dtype == torch.float64
    assert result.losses == pytest.approx(fit(network(), Blobs(), None, config(steps=2)).losses, rel=1e-4)


def test_predictions_may_enter_a_loss():
    labels, probabilities = predict(tiny(), torch.rand(3, 32, 32), return_probabilities=True)
    scale = torch.ones(3, 1, 1, requires_grad=True)
    loss = nn.functional.nll_loss((probabilities * scale).log()[None], labels[None])
    loss.backward()
    assert scale.grad is not None


def test_a_detector_is_told_from_a_semantic_network_and_the_other_way_round():
    detector, picture = tiny(name="maskrcnn_tiny"), torch.rand(3, 32, 32)
    for use in (
        lambda: predict(detector, picture),
        lambda: fit(detector, Blobs(), None, config()),
        lambda: evaluate(detector, Blobs(2), progress=False),
    ):
        with pytest.raises(ValueError, match=r"MaskRCNN is a detector.*detect, evaluate_detector and fit_detector"):
            use()
    with pytest.raises(ValueError, match="is no detector"):
        fit_detector(tiny(), Blobs(), None, config())


def test_parts_and_sums_of_data_sets_are_data_sets():
    whole, part = network(), network()
    parts = random_split(Blobs(20), [12, 8], torch.Generator().manual_seed(0))
    fit(part, parts[0], parts[1], config(steps=2))
    assert evaluate(part, parts[1], progress=False).names == CLASSES.names
    joined = ConcatDataset([Subset(Blobs(), range(4)), Subset(Blobs(), range(4, 10))])
    two = network()
    fit(whole, Blobs(), None, config())
    fit(two, joined, None, config())
    assert_same_bits(whole, two)
    assert balanced_class_weights(joined) == balanced_class_weights(Blobs())
    other = Changed(lambda i, t: (i, t), labels=LabelSet("Other", ("ground", "blue", "red"), CLASSES.colors))
    with pytest.raises(ValueError, match="joined data sets Blobs and Other do not number the same classes alike"):
        fit(network(), ConcatDataset([Blobs(), other]), None, config())


def test_an_item_is_called_by_its_number_and_its_file_below_every_wrapper():
    class Files(Blobs):
        def __init__(self, name):
            super().__init__(5)
            self.pairs = [(f"{name}/{i}.png", f"masks/{i}.png") for i in range(5)]

    joined = ConcatDataset([Files("a"), Transformed(Files("b"), lambda i, t: (i, t))])
    assert place_of(joined, 7) == "item 7 (b/2.png)"
    assert place_of(Subset(joined, [9, 3]), 1) == "item 1 (a/3.png)"
    assert place_of(Blobs(), 2) == "item 2"


@pytest.mark.parametrize("use", ["fit", "evaluate"])
def test_a_lambda_that_cannot_be_sent_to_loading_processes_is_said_before_the_work(monkeypatch, use):
    monkeypatch.setattr(multiprocessing, "get_start_method", lambda *a, **k: "spawn")
    data = Transformed(Blobs(), lambda image, target: (image, target))
    run = {
        "fit": lambda: fit(network(), data, None, config(num_workers=1)),
        "evaluate": lambda: evaluate(network(), data, num_workers=1, progress=False),
    }
    with pytest.raises(ValueError, match=r"num_workers is 1, but this data set cannot be sent.*lambda.*num_workers=0"):
        run[use]()


def test_gradients_in_parts_are_those_of_the_batch():
    losses = []
    for parts in (1, 2, 4):
        model = network(dropout=0.0, norm=False, aux=True)
        result = fit(model, Blobs(), None, config(steps=4, accumulate=parts, loss="cross_entropy+focal"))
        losses.append((result.losses, model.state_dict()))
    for found, weights in losses[1:]:
        assert found == pytest.approx(losses[0][0], rel=1e-5)
        for name, value in weights.items():
            torch.testing.assert_close(value, losses[0][1][name], rtol=1e-4, atol=1e-5, msg=name)


def test_the_average_of_the_weights_is_scored_and_given_by_hand(tmp_path):
    path = tmp_path / "run.pt"
    model = network(dropout=0.0, norm=False)
    expected = {key: value.clone() for key, value in model.state_dict().items()}
    walker = network(dropout=0.0, norm=False)
    fit(walker, Blobs(), None, config(steps=1, learning_rate=0.02, power=0.0))
    decay = min(0.9, 2 / 11)  # after the first step: (1 + 1) / (10 + 1)
    expected = {key: decay * value + (1 - decay) * walker.state_dict()[key] for key, value in expected.items()}
    fit(model, Blobs(), Blobs(2), config(steps=1, power=0.0, average=0.9, checkpoint=path))
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, expected[key], msg=key)
    run = torch.load(path, weights_only=True)
    for key, value in walker.state_dict().items():
        assert torch.equal(run["model"][key], value), key  # the run goes on from the weights themselves


@pytest.mark.parametrize("extra", [{"average": 0.9}, {"precision": "float16"}, {"accumulate": 2}])
def test_runs_with_these_settings_are_resumed_to_the_same_bits(tmp_path, extra):
    whole, again = network(), network(seed=3)
    expected = fit(whole, Blobs(), Blobs(4), config(evaluate_every=5, **extra))
    with pytest.raises(KeyboardInterrupt):
        fit(
            network(), Blobs(interrupt_at=26), Blobs(4), config(evaluate_every=5, checkpoint=tmp_path / "r.pt", **extra)
        )
    result = fit(again, Blobs(), Blobs(4), config(evaluate_every=5, checkpoint=tmp_path / "r.pt", **extra), resume=True)
    assert_same_bits(whole, again)
    assert result.validations == expected.validations


def test_float16_channels_last_and_augmentation_learn():
    model = network(dropout=0.0)
    settings = {"precision": "float16", "channels_last": True, "flip": False}
    result = fit(model, Blobs(), Blobs(), config(steps=100, **settings))
    assert result.losses[-1] < 0.3 * result.losses[0]
    moved = {"crop": (16, 20), "scale": (0.8, 1.25), "rotate": 5.0, "jitter": 0.1}
    result = fit(network(dropout=0.0), Blobs(), Blobs(), config(steps=100, **moved))
    assert result.losses[-1] < 0.6 * result.losses[0]
