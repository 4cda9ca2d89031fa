"""Data sets: each gives (image, target) as torchvision tv_tensors, and has ``labels``, a LabelSet."""

from __future__ import annotations

import importlib
from typing import Any

# public name: the module that defines it, imported when the name is first used
_EXPORTS = {
    "CamVid": "segtutor.datasets.camvid",
    "Cityscapes": "segtutor.datasets.cityscapes",
    "CocoInstances": "segtutor.datasets.coco",
    "CocoPanoptic": "segtutor.datasets.coco",
    "CocoSegmentation": "segtutor.datasets.coco",
    "Fog": "segtutor.datasets.weather",
    "FolderReport": "segtutor.datasets.folder",
    "ImageFolder": "segtutor.datasets.folder",
    "Night": "segtutor.datasets.weather",
    "PascalContext": "segtutor.datasets.pascal_context",
    "PennFudan": "segtutor.datasets.penn_fudan",
    "Photographs": "segtutor.datasets.photographs",
    "Scenes": "segtutor.datasets.scenes",
    "VOCSegmentation": "segtutor.datasets.voc",
    "check_folder": "segtutor.datasets.check",
    "corrections_table": "segtutor.datasets.about",
    "export": "segtutor.datasets.exporting",
    "facts": "segtutor.datasets.about",
    "facts_table": "segtutor.datasets.about",
    "read_mapping": "segtutor.datasets.exporting",
    "sources_table": "segtutor.datasets.about",
}

__all__ = list(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)
