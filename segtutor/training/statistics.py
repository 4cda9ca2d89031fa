"""Batch norm's means and variances taken anew from pictures without labels; no weight changes.

A network that has learned by day divides by the spread of daylight. At night every map is darker and flatter, and what
follows gets numbers that it has never seen. The statistics of some pictures of the new kind put the maps back where the
weights expect them (Li et al. 2016, AdaBN; Schneider et al. 2020).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from segtutor.inference.devices import device_of, dtype_of
from segtutor.inference.predict import preprocessing_of


def reestimate_statistics(model: nn.Module, pictures: Any, batch_size: int = 16) -> int:
    """Take the statistics of all batch norm layers from these pictures. Labels are not read.

    Every statistic becomes the mean of those of the batches, each weighted by its pictures. Dropout stays off, and all
    modules stay in the mode in which they were. Pictures that all show the same make statistics that fit nothing else:
    take them as they come.

    Args:
        model: Network with batch norm.
        pictures: Pictures 3 x H x W of one size, uint8 or floating point in 0-1; or a data set of (picture, target).
        batch_size: Pictures at once, at least 2; the batches are as equal as they can be.

    Returns:
        How many layers were changed.

    Raises:
        ValueError: If the network keeps no statistics, if there are fewer than 2 pictures, or if they differ in size.
    """
    layers = [
        module for module in model.modules() if isinstance(module, _BatchNorm) and module.running_mean is not None
    ]
    if not layers:
        raise ValueError(
            f"{type(model).__name__} has no batch norm that keeps statistics, so there is nothing to take anew"
        )
    if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < 2:
        raise ValueError(
            f"batch_size is {batch_size!r}, but must be a whole number of at least 2: a variance needs two"
        )
    count = len(pictures)
    if count < 2:
        raise ValueError(f"{count} pictures came, but a variance needs at least 2; some dozens are better")
    modes = [(module, module.training) for module in model.modules()]
    momenta = [layer.momentum for layer in layers]
    before = [_state(layer) for layer in layers]
    seen = 0
    try:
        model.eval()
        for layer in layers:
            layer.training = True
        with torch.no_grad():
            for part in np.array_split(np.arange(count), max(1, count // batch_size)):
                seen += len(part)
                for layer in layers:
                    layer.momentum = len(part) / seen  # the first batch replaces what was there
                images = _stack([pictures[int(index)] for index in part])
                model(preprocessing_of(model).normalize(images.to(device_of(model))).to(dtype_of(model)))
    except BaseException:
        for layer, state in zip(layers, before, strict=True):
            layer.load_state_dict(state, strict=False)
        raise
    finally:
        for module, training in modes:
            module.training = training
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
    return len(layers)


def _state(layer: _BatchNorm) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in layer.named_buffers(recurse=False)}


def _stack(samples: list[Any]) -> Tensor:
    """B x 3 x H x W of pictures, or of samples that begin with one."""
    images = [
        torch.as_tensor(sample[0] if isinstance(sample, tuple | list) else sample).as_subclass(Tensor)
        for sample in samples
    ]
    sizes = {tuple(image.shape) for image in images}
    if len(sizes) > 1:
        raise ValueError(
            f"the pictures of a batch must have one size, but {' and '.join(map(str, sorted(sizes)[:2]))} came; "
            "resize or crop them alike"
        )
    return torch.stack(images)
