"""PyTorch, SciPy and what needs them, imported at the first use: who checks an exercise of lesson 1 must not wait."""

from __future__ import annotations

import importlib
from typing import Any


class _Later:
    """Stands for a module until one of its names is asked for."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._module), name)


torch: Any = _Later("torch")
nn: Any = _Later("torch.nn")
F: Any = _Later("torch.nn.functional")
models: Any = _Later("segtutor.models")
training: Any = _Later("segtutor.training")
ndimage: Any = _Later("scipy.ndimage")
