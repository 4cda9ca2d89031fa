"""Where a network is wrong, and whether another one is better: errors told apart, and differences with their interval.

Everything works on label maps and confusion matrices, whatever made them; nothing here needs PyTorch.
"""

from __future__ import annotations

import importlib
from typing import Any

# public name: the module that defines it, imported when the name is first used
_EXPORTS = {
    "Difference": "segtutor.analysis.bootstrap",
    "ErrorSplit": "segtutor.analysis.errors",
    "Flow": "segtutor.analysis.pictures",
    "IouByDistance": "segtutor.analysis.places",
    "IouBySize": "segtutor.analysis.places",
    "LabelModel": "segtutor.analysis.suspects",
    "Suspect": "segtutor.analysis.suspects",
    "compare": "segtutor.analysis.bootstrap",
    "confusion_flow": "segtutor.analysis.pictures",
    "error_types": "segtutor.analysis.errors",
    "harm": "segtutor.analysis.pictures",
    "image_matrices": "segtutor.analysis.pictures",
    "worst_images": "segtutor.analysis.pictures",
}

__all__ = list(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)
