"""The network inside of what is put around it: compiled, on several devices, averaged, or in a module of one's own."""

from __future__ import annotations

from typing import Any

from torch import nn

# What PyTorch and its tools call the module that they wrap.
WRAPPED = ("module", "_orig_mod", "_fsdp_wrapped_module", "_forward_module", "_checkpoint_wrapped_module")
_WRAPPERS = ("DataParallel", "DistributedDataParallel", "AveragedModel", "OptimizedModule", "FullyShardedDataParallel")


def inner(model: nn.Module) -> nn.Module:
    """The network without the wrappers of torch.compile, DataParallel, DistributedDataParallel and AveragedModel.

    >>> network = nn.Conv2d(3, 2, 1)
    >>> inner(nn.DataParallel(network)) is network
    True
    """
    while type(model).__name__ in _WRAPPERS:
        wrapped = next((model._modules[name] for name in WRAPPED if model._modules.get(name) is not None), None)
        if wrapped is None:
            break
        model = wrapped
    return model


def attribute_of(model: nn.Module, name: str) -> Any:
    """An attribute of the network, or of the only one inside it that has it; None if there is none.

    A module of one's own around a network has neither its ``preprocessing`` nor its ``class_names``, but the network
    inside has, and they hold for the whole.
    """
    network = inner(model)
    own = getattr(network, name, None)
    if own is not None:
        return own
    found = [value for module in network.modules() if (value := getattr(module, name, None)) is not None]
    return found[0] if found and all(value == found[0] for value in found) else None


def class_names_of(model: nn.Module) -> tuple[str, ...] | None:
    """Names of the classes that the network was trained for, where its weights tell."""
    names = attribute_of(model, "class_names")
    return tuple(names) if names else None
