"""Pictures that explain: label maps and instances over their image, errors, curves, networks."""

from __future__ import annotations

import importlib
from typing import Any

# public name: the module that defines it, imported when the name is first used
_EXPORTS = {
    "colorize": "segtutor.plotting.overlays",
    "error_map": "segtutor.plotting.errors",
    "legend": "segtutor.plotting.overlays",
    "movable_precision_recall": "segtutor.plotting.interactive",
    "show_errors": "segtutor.plotting.errors",
    "show_gallery": "segtutor.plotting.overlays",
    "show_instances": "segtutor.plotting.overlays",
    "show_overlay": "segtutor.plotting.overlays",
    "show_precision_recall": "segtutor.plotting.curves",
}

__all__ = list(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)
