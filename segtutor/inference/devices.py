"""Where a network computes."""

from __future__ import annotations

import torch
from torch import nn


def choose_device(name: str = "auto", index: int = 0) -> torch.device:
    """The device of a name.

    Args:
        name: "auto" takes CUDA if there is one, else Apple's MPS, else the CPU; or a name of PyTorch's.
        index: Which CUDA device, where the name does not say.

    Raises:
        ValueError: If there is no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"device is {name!r}, but must be auto, cpu, cuda, cuda:1, mps or the like") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device is {name!r}, but PyTorch finds no CUDA device here: use auto or cpu")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError(f"device is {name!r}, but PyTorch finds no Apple GPU here: use auto or cpu")
    return torch.device("cuda", index) if device.type == "cuda" and device.index is None else device


def device_of(model: nn.Module) -> torch.device:
    """Device of the model's first parameter or buffer; the CPU if it has none."""
    for tensor in (*model.parameters(), *model.buffers()):
        return tensor.device
    return torch.device("cpu")


def dtype_of(model: nn.Module) -> torch.dtype:
    """Type of the model's numbers, which its input must have; float32 if it has none."""
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            return tensor.dtype
    return torch.float32
