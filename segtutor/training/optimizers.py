"""Which parameters are trained, how fast, and which of them decay."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from segtutor.training.config import TrainingConfig

NORMALIZATION = (_NormBase, nn.GroupNorm, nn.LayerNorm, nn.LocalResponseNorm)


def parameter_groups(
    model: nn.Module, weight_decay: float, head_factor: float = 1.0, bias_factor: float = 1.0
) -> list[dict[str, Any]]:
    """Groups that hold every trainable parameter exactly once: with weight decay, without, and by learning rate.

    Weights of convolutions, linear and embedding layers decay. Biases and the scale and shift of normalization layers
    do not: pulling them to 0 changes what the layer is for. Frozen parameters are in no group: weight decay would move
    them although no gradient does.

    ``head_factor=10`` is PSPNet's rate, ``head_factor=10, bias_factor=2`` that of DeepLab v2's ResNet: 10 for the
    head's weights, 20 for its biases, which do not decay.

    Args:
        model: The network.
        weight_decay: Of the weights.
        head_factor: Learning rate of the parameters outside ``model.backbone``, as a multiple of the base rate.
        bias_factor: Learning rate of biases as a multiple of that of the weights beside them. The shift of a
            normalization layer is none of these biases.

    Returns:
        "params", "weight_decay" and "factor" of each group; first the two at the base rate, with decay and without.

    Raises:
        ValueError: If the head shall have its own rate, and the network has no ``backbone`` to tell it from.
    """
    # differs: of VGG's three head layers, v2 speeds up only the last, since the others are pretrained too.
    backbone = getattr(model, "backbone", None)
    if head_factor != 1 and not isinstance(backbone, nn.Module):
        raise ValueError(f"head_factor is {head_factor}, but {type(model).__name__} has no `backbone`: all is head")
    slow = {id(parameter) for parameter in backbone.parameters()} if isinstance(backbone, nn.Module) else set()
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {(1.0, True): [], (1.0, False): []}
    seen: set[int] = set()  # a parameter that two layers share counts once
    for module in model.modules():
        normalizes = isinstance(module, NORMALIZATION)
        for name, parameter in module.named_parameters(recurse=False):
            if id(parameter) in seen or not parameter.requires_grad:
                continue
            seen.add(id(parameter))
            bias = name.endswith("bias")
            factor = (1 if id(parameter) in slow else head_factor) * (bias_factor if bias and not normalizes else 1)
            groups.setdefault((factor, not (bias or normalizes)), []).append(parameter)
    return [
        {"params": parameters, "weight_decay": weight_decay if decays else 0.0, "factor": factor}
        for (factor, decays), parameters in groups.items()
    ]


def build_optimizer(model: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """The configured optimizer over ``parameter_groups``.

    Raises:
        ValueError: If no parameter is trainable.
    """
    groups = parameter_groups(model, config.weight_decay, config.head_factor, config.bias_factor)
    groups = [group for group in groups if group["params"]]
    if not groups:
        raise ValueError("the network has no trainable parameter: all have requires_grad=False")
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.base_learning_rate, momentum=0.9)
    # One pass over all weights instead of several per tensor; not every PyTorch has it for other devices.
    fused = next(model.parameters()).device.type in ("cpu", "cuda")
    return torch.optim.AdamW(groups, lr=config.base_learning_rate, fused=fused)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """The base rate, times each group's factor."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("factor", 1.0)  # a checkpoint may be older than the factors


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
