"""The precision of a training run: chosen for the device, and not believed before it has been timed.

Whether bfloat16 is quicker than float32 on a processor depends on its units, on PyTorch's kernels for just these layers
and sizes, and on nothing that could be looked up: networks were seen that it makes 2 times quicker, 5 times slower and,
because of a single layer, 100 times slower. So a step is made in both before the first one counts.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import nn

from segtutor import compute

ROUNDS = 2
"""Timed steps in each precision, after one that pays for setting things up."""
HOPELESS, LONG = 4.0, 2.0
"""Bfloat16 so many times slower, and so many seconds, in the step that does not count: no need to time it again."""
NOISE = 1.05
"""Bfloat16 must be slower than this to be given up: repeated times differ by some percent."""


def autocast(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """Inside, networks compute in this precision."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")


def settle(asked: str, device: torch.device, attempt: Callable[[str], None] | None, says: bool = True) -> str:
    """The precision to train in.

    Args:
        asked: "float32", "bfloat16" or "auto".
        device: Where.
        attempt: Makes one step in the precision of this name, forward and backward; None times nothing.
        says: Warn if the precision is not the one that was asked for or is usual on this device.

    Returns:
        "float32" or "bfloat16".
    """
    precision = compute.choose_precision(device).name if asked == "auto" else asked
    if precision != "bfloat16" or device.type != "cpu" or attempt is None:
        return precision
    seconds = seconds_per_step(attempt)
    if seconds["bfloat16"] <= NOISE * seconds["float32"]:
        return precision
    if says:
        warnings.warn(
            f"a step takes {seconds['bfloat16']:.3g} s in bfloat16 and {seconds['float32']:.3g} s in float32 on this "
            f"processor ({compute.processor()}): the network is trained in float32; "
            "TrainingConfig(measure_precision=False) keeps bfloat16",
            stacklevel=2,
        )
    return "float32"


def seconds_per_step(attempt: Callable[[str], None]) -> dict[str, float]:
    """Least seconds of a step in each precision, in turn, so that a busy moment hits both."""
    seconds = _one_round(attempt)
    if seconds["bfloat16"] > max(HOPELESS * seconds["float32"], LONG):
        return seconds
    rounds = [_one_round(attempt) for _ in range(ROUNDS)]
    return {name: min(one[name] for one in rounds) for name in seconds}


def _one_round(attempt: Callable[[str], None]) -> dict[str, float]:
    seconds = {}
    for precision in ("float32", "bfloat16"):
        begun = time.perf_counter()
        attempt(precision)
        seconds[precision] = time.perf_counter() - begun
    return seconds


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Inside, steps may be tried: after, buffers and modes are as before, and there are no gradients."""
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    modes = {module: module.training for module in model.modules()}
    try:
        yield
    finally:
        with torch.no_grad():
            for name, value in model.named_buffers():
                value.copy_(buffers[name])
        for module, training in modes.items():
            module.training = training
        model.zero_grad(set_to_none=True)
