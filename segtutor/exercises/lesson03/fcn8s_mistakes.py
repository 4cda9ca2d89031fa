"""Typical wrong answers to exercise 3.10: the solution's network with one thing wrong in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from segtutor.exercises.exercise import Mistake
from segtutor.exercises.later import F, models, nn, torch


def _right() -> Any:
    from segtutor.exercises.lesson03.fcn8s import build_fcn8s

    return build_fcn8s()


def own_weights() -> dict[str, Any]:
    """What the course's own network for this exercise has learned."""
    from segtutor import resources
    from segtutor.exercises.lesson03.fcn8s_questions import load

    return load(resources.data("checkpoints", "assignment_fcn8s.safetensors"))


def _enlarged(scores: Any, factor: int, like: Any) -> Any:
    scores = F.interpolate(scores, scale_factor=factor, mode="bilinear")
    return scores[..., : like.shape[-2], : like.shape[-1]]


def _at_stride_8(network: Any, images: Any, skips: tuple[str, ...] = ("pool4", "pool3")) -> Any:
    """The scores before they are enlarged for the last time, with some skips or none."""
    pool3 = network.pool3(images)
    pool4 = network.pool4(pool3)
    scores = _enlarged(network.score5(network.pool5(pool4)), 2, pool4)
    scores = scores + network.score4(pool4) if "pool4" in skips else scores
    scores = _enlarged(scores, 2, pool3)
    return scores + network.score3(pool3) if "pool3" in skips else scores


def _with(forward: Callable[[Any, Any], Any]) -> Callable[[], Any]:
    """An answer whose network computes ``forward(network, images)``."""

    def answer() -> Any:
        network = _right()
        network.forward = lambda images: forward(network, images)
        return network

    answer.weights = own_weights  # type: ignore[attr-defined]
    return answer


def _behind(change: Callable[[Any], Any]) -> Callable[[], Any]:
    """An answer whose network gives the right logits, changed."""
    return _with(lambda network, images: change(_enlarged(_at_stride_8(network, images), 8, images)))


def _scored_with(*skips: str) -> Callable[[], Any]:
    return _with(lambda network, images: _enlarged(_at_stride_8(network, images, skips), 8, images))


def _another(classes: int) -> Callable[[], Any]:
    """An answer whose score layers have so many classes."""

    def answer() -> Any:
        network = _right()
        for name in ("score3", "score4", "score5"):
            layer = getattr(network, name)
            setattr(network, name, nn.Conv2d(layer.in_channels, classes, 1))
        return network

    return answer


def _floored() -> Any:
    network = _right()
    for layer in network.modules():
        if isinstance(layer, nn.MaxPool2d):
            layer.ceil_mode = False

    def forward(images: Any) -> Any:
        pool3 = network.pool3(images)
        pool4 = network.pool4(pool3)
        scores = F.interpolate(network.score5(network.pool5(pool4)), scale_factor=2, mode="bilinear")
        scores = F.interpolate(scores + network.score4(pool4), scale_factor=2, mode="bilinear")
        return F.interpolate(scores + network.score3(pool3), scale_factor=8, mode="bilinear")

    network.forward = forward
    return network


def _batch_statistics() -> Any:
    network = _right()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.track_running_stats, layer.running_mean, layer.running_var = False, None, None
    return network


def _on_the_courses_backbone() -> Any:
    network = _right()
    network.backbone = models.create("fcn8s_tiny", num_classes=33).backbone
    return network


def _untrained() -> Any:
    return _right()


def _never_learned() -> dict[str, Any]:
    return dict(_right().state_dict())


def _no_file() -> dict[str, Any]:
    from segtutor.exercises.lesson03.fcn8s_questions import MISSING

    raise FileNotFoundError(MISSING)


def _not_trained_yet() -> Any:
    return _right()


def _with_an_older_file() -> Any:
    return _right()


_untrained.weights = _never_learned  # type: ignore[attr-defined]
_with_an_older_file.weights = lambda: {"weight": torch.zeros(1)}  # type: ignore[attr-defined]
_not_trained_yet.weights = _no_file  # type: ignore[attr-defined]
for _answer in (_floored, _batch_statistics, _on_the_courses_backbone):
    _answer.weights = own_weights  # type: ignore[attr-defined]

MISTAKES = (
    Mistake("always 96 x 128", _behind(lambda logits: F.interpolate(logits, (96, 128))), "size"),
    Mistake("left at stride 8", _with(_at_stride_8), "size"),
    Mistake(
        "not cropped at the end",
        _with(lambda network, images: F.interpolate(_at_stride_8(network, images), scale_factor=8, mode="bilinear")),
        "size",
    ),
    Mistake("half as large", _behind(lambda logits: logits[..., ::2, ::2]), "size"),
    Mistake("poolings rounded down", _floored, "odd"),
    Mistake("first picture of the batch", _behind(lambda logits: logits[:1]), "batch"),
    Mistake("no axis for the batch", _behind(lambda logits: logits[0]), "batch"),
    Mistake("classes last", _behind(lambda logits: logits.permute(0, 2, 3, 1)), "axes"),
    Mistake("height and width exchanged", _behind(lambda logits: logits.mT), "axes"),
    Mistake("label maps", _behind(lambda logits: logits.argmax(1)), "logits"),
    Mistake("label maps with an axis", _behind(lambda logits: logits.argmax(1, keepdim=True)), "logits"),
    Mistake("a dictionary", _behind(lambda logits: {"out": logits}), "logits"),
    Mistake("a list", _behind(lambda logits: [logits]), "logits"),
    Mistake("a tuple of logits and nothing", _behind(lambda logits: (logits,)), "logits"),
    Mistake("21 classes", _another(21), "classes"),
    Mistake("34 classes", _another(34), "classes"),
    Mistake("32 classes", _another(32), "classes"),
    Mistake("FCN-32s", _scored_with(), "skips"),
    Mistake("FCN-16s", _scored_with("pool4"), "skips"),
    Mistake("pool3 without pool4", _scored_with("pool3"), "skips"),
    Mistake("the class, no object of it", lambda: type(_right()), "object"),
    Mistake("a function", lambda: lambda images: images, "object"),
    Mistake("the course's backbone", _on_the_courses_backbone, "own"),
    Mistake("the course's network", lambda: models.create("fcn8s_tiny", num_classes=33), "own"),
    Mistake("dropout that never ends", _behind(lambda logits: F.dropout(logits, 0.3)), "alike"),
    Mistake("batch norm with the batch's statistics", _batch_statistics, "alike"),
    Mistake(
        "brought to the batch's mean", _behind(lambda logits: logits - logits.mean((0, 2, 3))[:, None, None]), "alike"
    ),
    Mistake("not trained yet", _not_trained_yet, "missing"),
    Mistake("a file of another network", _with_an_older_file, "file"),
    Mistake("not learned anything", _untrained, "score"),
)
