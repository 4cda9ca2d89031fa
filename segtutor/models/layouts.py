"""How each source names its arrays: one explicit table per source, from its names to ours.

A key of the source that no line of its table matches is an error: nothing is left over in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from segtutor.models.inputs import IMAGENET_MEAN, IMAGENET_STD, Triple

State = dict[str, Tensor]


def _swap_halves(weight: Tensor) -> Tensor:
    """Exchanges the two halves of the input channels: the source concatenates its two branches the other way round."""
    first, second = weight.chunk(2, dim=1)
    return torch.cat([second, first], dim=1)


@dataclass(frozen=True)
class Rule:
    """One line of a rename table.

    Attributes:
        pattern: Regular expression that must match the whole key of the source.
        name: Our key, with its groups as in re.sub; None drops the key.
        change: What happens to the array, if anything.
    """

    pattern: str
    name: str | None
    change: Callable[[Tensor], Tensor] | None = None


@dataclass(frozen=True)
class Layout:
    """How a source names its arrays.

    Attributes:
        rules: The first that matches decides; every key needs one.
        part: What the source covers: keys of ours that start so; "" is the whole network.
        normalization: Mean and standard deviation that the weights were trained with, where the layout tells.
    """

    rules: tuple[Rule, ...]
    part: str = ""
    normalization: tuple[Triple, Triple] | None = None


_IMAGENET = (IMAGENET_MEAN, IMAGENET_STD)
_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

LAYOUTS: dict[str, Layout] = {
    # Our own names. Where torchvision has the network, they are torchvision's.
    "segtutor": Layout((Rule(r"(.+)", r"\1"),)),
    "torchvision": Layout((Rule(r"((backbone|classifier|aux_classifier)\..+)", r"\1"),), normalization=_IMAGENET),
    "torchvision_resnet": Layout(
        (Rule(r"((conv1|bn1|layer[1-4])\..+)", r"backbone.\1"), Rule(r"fc\..+", None)), "backbone.", _IMAGENET
    ),
    "torchvision_mobilenet_v2": Layout(
        (
            Rule(r"features\.18\..+", None),  # 1 x 1 to 1280 channels, for the classifier
            Rule(r"features\.(.+)", r"backbone.\1"),
            Rule(r"classifier\..+", None),
        ),
        "backbone.",
        _IMAGENET,
    ),
    "torchvision_mobilenet_v3_large": Layout(
        (Rule(r"features\.(.+)", r"backbone.\1"), Rule(r"classifier\..+", None)), "backbone.", _IMAGENET
    ),
    # TensorFlow Lite's deeplabv3_mnv2_pascal, arrays under short names; it concatenates (pooling, 1 x 1).
    "tflite_mobilenet_v2": Layout(
        (
            Rule(r"f\.(.+)", r"backbone.\1"),
            Rule(r"aspp0\.([01])\.(.+)", r"classifier.0.convs.0.\1.\2"),
            Rule(r"pool\.0\.(.+)", r"classifier.0.convs.1.1.\1"),
            Rule(r"pool\.1\.(.+)", r"classifier.0.convs.1.2.\1"),
            Rule(r"proj\.0\.weight", r"classifier.0.project.0.weight", _swap_halves),
            Rule(r"proj\.1\.(.+)", r"classifier.0.project.1.\1"),
            Rule(r"cls\.(.+)", r"classifier.1.\1"),
        ),
        normalization=_HALF,
    ),
}


def rename(state: State, layout: Layout, name: str) -> tuple[State, list[str]]:
    """Our keys with the source's arrays, and the keys that the table drops."""
    renamed: State = {}
    dropped, unknown = [], []
    for key, value in state.items():
        rule = rule_for(key, layout)
        if rule is None:
            unknown.append(key)
        elif rule.name is None:
            dropped.append(key)
        else:
            ours = re.sub(rule.pattern, rule.name, key, count=1)
            if ours in renamed:
                raise ValueError(f"two arrays of the file are called {ours} in layout {name!r}")
            renamed[ours] = rule.change(value) if rule.change else value
    if unknown:
        raise ValueError(f"layout {name!r} knows no place for {some(unknown)}; pass layout='auto' or another layout")
    return renamed, dropped


def rule_for(key: str, layout: Layout) -> Rule | None:
    """The first line of the table that matches a key."""
    return next((rule for rule in layout.rules if re.fullmatch(rule.pattern, key)), None)


def find_layout(own: set[str], state: State) -> str:
    """The first layout that has a rule for every key of the file; ``own`` are the network's keys."""
    fitting = [
        name
        for name, layout in LAYOUTS.items()
        if name != "segtutor" and all(rule_for(key, layout) is not None for key in state)
    ]
    whole = [name for name in fitting if not LAYOUTS[name].part]
    if whole:
        return whole[0]
    if 2 * len(own & state.keys()) > len(state):
        return "segtutor"
    if fitting:
        named = " or ".join(f"layout={name!r}" for name in fitting)
        raise ValueError(f"these are the weights of a classifier; to load them into the backbone alone, pass {named}")
    raise ValueError(f"no layout fits keys such as {some(list(state))}; known layouts: {', '.join(LAYOUTS)}")


def some(names: list[str] | tuple[str, ...], count: int = 4) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more
