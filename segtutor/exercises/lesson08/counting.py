"""PyTorch's counter of operations for an answer to 8.4, apart from it: what it shows has no part in the answer."""

from __future__ import annotations

from typing import Any


def silent_counter() -> Any:
    """A counter that shows no table: showing one takes a package that need not be there."""
    from torch.utils.flop_counter import FlopCounterMode

    return FlopCounterMode(display=False)
