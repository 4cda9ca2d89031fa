"""segtutor: deep semantic segmentation, taught and measured.

``import segtutor`` is light: PyTorch is imported by the first name that needs it.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_SUBPACKAGES = ("claims", "datasets", "exercises", "inference", "labels", "metrics", "models", "plotting", "training")
_FROM_EXERCISES = ("check", "progress", "solution", "use", "variant")

__all__ = [*_SUBPACKAGES, *_FROM_EXERCISES, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"segtutor.{name}")
    if name in _FROM_EXERCISES:
        return getattr(importlib.import_module("segtutor.exercises"), name)
    raise AttributeError(f"module 'segtutor' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
