"""Weights into networks: found, fetched, renamed, checked key by key, loaded.

    source --> file --> arrays --> our names (layouts) --> without what has no place --> keys and shapes --> model

A model is changed only after everything fits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from segtutor import resources
from segtutor.labels import COCO_91, VOC2012
from segtutor.models import ModelConfig
from segtutor.models.containers import unwrap, without_prefix
from segtutor.models.head_rows import rows_by_name
from segtutor.models.inputs import Preprocessing
from segtutor.models.layout_rules import State, rename
from segtutor.models.layouts import LAYOUTS, find_layout
from segtutor.models.weight_catalog import announce, obtain, package_table, place, published_weights
from segtutor.models.weight_files import config_of, read_weights, save_weights
from segtutor.models.weight_fit import LoadReport, check_keys, check_shapes, covers_head, fits
from segtutor.models.wrappers import inner

__all__ = [
    "LoadReport",
    "WeightSource",
    "find_weights",
    "load_weights",
    "published_weights",
    "read_weights",
    "save_weights",
]

OWN_ENCODERS = (
    "eomt_tiny",
    "segformer_tiny",
    "unet_tiny",
    "vit_tiny",
)  # small networks without the course's residual one
# Checkpoints of the course without a backbone, and the one whose backbone it is.
SHARED_BACKBONES = {"mask2former_tiny": "deeplabv3_tiny", "sam_tiny": "deeplabv3_tiny"}
PUBLISHED = ("imagenet", "torchvision", "pip", "course", "backbone")


def load_weights(
    model: nn.Module,
    source: str | Path | Mapping[str, Any],
    layout: str = "auto",
    replace_head: bool = False,
    classes: Sequence[str] | None = None,
) -> LoadReport:
    """Loads weights into a network, all of them or none.

    Args:
        model: The network, maybe compiled, distributed or averaged; unchanged if anything does not fit.
        source: Path of a .pt, .pth, .safetensors or .npz file, a state dict, or "imagenet", "torchvision", "pip",
            "course", "backbone".
        layout: A name in `LAYOUTS`; "auto" finds it from the keys. Weights of a classifier (ImageNet) must be asked for
            by name, because they leave the head as it is.
        replace_head: Leave the final layers as they are where their shapes differ: fine-tuning to other classes.
        classes: Names of the network's classes. With ``replace_head``, those that the source knows by the same name
            keep its rows of the final layers.

    Returns:
        Which keys were loaded, dropped, left.

    Raises:
        ValueError: If the file is not one of arrays, or keys or shapes differ.
        OSError: If it cannot be read.
    """
    if isinstance(source, str) and source in PUBLISHED:
        return find_weights(config_of(model).name, source).load_into(model, replace_head, classes)
    model, found = inner(model), layout == "auto"
    contents = unwrap(source) if isinstance(source, Mapping) else read_weights(source)
    own, arrays, outside = model.state_dict(), contents.state, contents.dropped
    if found:
        if not fits(set(own), arrays):
            arrays, beside = without_prefix(arrays, lambda inside: fits(set(own), inside))
            outside += beside
        layout = "segtutor" if contents.config is not None else find_layout(set(own), arrays)
    elif layout not in LAYOUTS:
        raise ValueError(f"there is no layout {layout!r}; there are auto, {', '.join(LAYOUTS)}")
    table = LAYOUTS[layout]

    state, dropped = rename(arrays, table, layout)
    # Names that are ours already may have been written by anybody: they do not tell how pictures were normalized.
    told = not found or not set(arrays) <= set(own)
    dropped += outside
    for key in [key for key in state if key.startswith("aux_classifier.") and key not in own]:
        if getattr(model, "aux_classifier", None) is None:  # Published files carry it; the network was built without.
            del state[key]
            dropped.append(key)
    wanted = {key for key in own if key.startswith(table.part)}
    # A counter that only an averaging batch norm reads; older files have none, and newer ones may have one too many.
    counters = {key for key in wanted - state.keys() if key.endswith("num_batches_tracked")}
    for key in [key for key in state.keys() - wanted if key.endswith("num_batches_tracked")]:
        del state[key]
        dropped.append(key)
    check_keys(state.keys(), wanted - counters, layout)

    different = [key for key in state if state[key].shape != own[key].shape]
    check_shapes(model, state, different, replace_head)
    kept: tuple[str, ...] = ()
    mixed: State = {}
    if classes is not None and contents.classes is not None:
        mixed, kept = rows_by_name(own, state, different, contents.classes, classes)
    for key in different:
        del state[key]
        if key not in mixed:
            dropped.append(key)

    model.load_state_dict({**own, **state, **mixed})
    preprocessing, remark = getattr(model, "preprocessing", None), ""
    if isinstance(preprocessing, Preprocessing):
        if contents.preprocessing is not None:
            preprocessing = contents.preprocessing
        elif told and table.normalization is not None:
            mean, std = table.normalization
            preprocessing = replace(preprocessing, mean=mean, std=std)
            if table.any_size:
                preprocessing = Preprocessing(mean, std)
        else:
            remark = (
                "the source does not say how pictures were normalized: the network goes on subtracting "
                f"{_rounded(preprocessing.mean)} and dividing by {_rounded(preprocessing.std)}"
            )
        setattr(model, "preprocessing", preprocessing)  # noqa: B010
    if not different and covers_head(model, state):
        setattr(model, "class_names", contents.classes)  # noqa: B010
    untouched = tuple(sorted(own.keys() - state.keys() - mixed.keys() - counters))
    return LoadReport(layout, tuple(sorted(state)), tuple(sorted(dropped)), untouched, remark, kept)


def _rounded(numbers: tuple[float, ...]) -> str:
    return ", ".join(f"{number:.4g}" for number in numbers)


@dataclass(frozen=True)
class WeightSource:
    """Where the weights of a network lie: a local file, or a published one that is fetched when needed.

    Attributes:
        path: The file, or where it will be.
        layout: Its rename table.
        published: Its line in the table of published weights, None for a local file.
        beneath: What is loaded first, where the file holds a part of the network.
    """

    path: Path
    layout: str = "auto"
    published: Mapping[str, Any] | None = None
    beneath: WeightSource | None = None

    def __str__(self) -> str:
        return str(self.path)

    def config(self) -> ModelConfig | None:
        """How the network was built, where the file tells."""
        return None if self.published is not None else read_weights(self.path).config

    def load_into(
        self, model: nn.Module, replace_head: bool = False, classes: Sequence[str] | None = None
    ) -> LoadReport:
        """Fetches the file if necessary and loads it."""
        if self.beneath is not None:
            self.beneath.load_into(model)
        if self.published is None:
            return load_weights(model, self.path, self.layout, replace_head, classes)
        announce(self.published, self.path)
        obtain(self.published)
        report = load_weights(model, self.path, self.layout, replace_head)
        if self.published["kind"] == "torchvision":
            # Their classifiers have the classes of VOC, their detectors the numbers of COCO up to 90.
            names = {len(labels): labels.names for labels in (VOC2012, COCO_91)}
            if not report.untouched and not replace_head:
                setattr(model, "class_names", names.get(config_of(model).num_classes))  # noqa: B010
        return report


def find_weights(name: str, weights: str | Path) -> WeightSource:
    """The source that ``weights`` means for a network.

    Raises:
        ValueError: If there is none; the message lists what there is.
    """
    if str(weights) in PUBLISHED and not Path(weights).exists():
        weights = str(weights)
    if weights in ("imagenet", "torchvision"):
        table = published_weights()
        for entry in table:
            if entry["kind"] == weights and name in entry["models"]:
                return WeightSource(place(entry), entry["layout"], entry)
        having = sorted({model for entry in table if entry["kind"] == weights for model in entry["models"]})
        raise ValueError(f"there are no {weights} weights for {name}; there are for {', '.join(having)}")
    if weights == "pip":
        for entry in package_table():
            if name in entry["models"]:
                return WeightSource(place(entry), entry["layout"], entry)
        having = sorted({model for entry in package_table() for model in entry["models"]})
        raise ValueError(f"no package that pip can fetch holds weights for {name}; there are for {', '.join(having)}")
    if weights == "course":
        folder = resources.folder("data") / "checkpoints"
        path, head = folder / f"{name}.pt", folder / f"{name}.safetensors"
        if name in SHARED_BACKBONES and head.is_file():
            below = WeightSource(folder / f"{SHARED_BACKBONES[name]}.pt", "course_stages")
            return WeightSource(head, "course_head", beneath=below)
        if not path.is_file():
            heads = [key for key in SHARED_BACKBONES if (folder / f"{key}.safetensors").is_file()]
            having = sorted([*heads, *(file.stem for file in folder.glob("*.pt"))])
            raise ValueError(f"the course has no checkpoint of {name}; it has {', '.join(having) or 'none'}")
        return WeightSource(path)
    if weights == "backbone":
        if not name.endswith("_tiny"):
            raise ValueError(f"the course's backbone is for the networks whose name ends in _tiny, not for {name}")
        if name in OWN_ENCODERS:
            raise ValueError(f"the course's backbone is a residual network, which {name} does not have; start random")
        layout = "segtutor_tiny_body" if name.startswith("maskrcnn") else "course_backbone"
        return WeightSource(resources.data("checkpoints", "tiny_backbone.pt"), layout)
    path = Path(weights)
    if not path.is_file():
        raise ValueError(
            "weights must be None, 'imagenet', 'torchvision', 'pip', 'course', 'backbone' or the path of a file, but "
            f"{str(weights)!r} came, and there is no such file"
        )
    return WeightSource(path)
