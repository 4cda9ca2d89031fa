"""Which parameters are trained, and which of them decay."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from segtutor.training.config import TrainingConfig

NORMALIZATION = (_NormBase, nn.GroupNorm, nn.LayerNorm, nn.LocalResponseNorm)


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Two groups that hold every trainable parameter exactly once: with weight decay, and without.

    Weights of convolutions, linear and embedding layers decay. Biases and the scale and shift of normalization layers
    do not: pulling them to 0 changes what the layer is for. Frozen parameters are in no group: weight decay would move
    them although no gradient does.
    """
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    seen: set[int] = set()  # a parameter that two layers share counts once
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if id(parameter) in seen or not parameter.requires_grad:
                continue
            seen.add(id(parameter))
            (free if name.endswith("bias") or isinstance(module, NORMALIZATION) else decayed).append(parameter)
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]


def build_optimizer(model: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """The configured optimizer over ``parameter_groups``.

    Raises:
        ValueError: If no parameter is trainable.
    """
    groups = [group for group in parameter_groups(model, config.weight_decay) if group["params"]]
    if not groups:
        raise ValueError("the network has no trainable parameter: all have requires_grad=False")
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.base_learning_rate, momentum=0.9)
    return torch.optim.AdamW(groups, lr=config.base_learning_rate)


def freeze_batch_norm(model: nn.Module) -> list[nn.Parameter]:
    """Batch norm in evaluation mode and out of training; returns the parameters that were trainable until now."""
    frozen = []
    for module in model.modules():
        if isinstance(module, _NormBase):
            module.eval()
            for parameter in module.parameters(recurse=False):
                if parameter.requires_grad:
                    parameter.requires_grad_(False)
                    frozen.append(parameter)
    return frozen
