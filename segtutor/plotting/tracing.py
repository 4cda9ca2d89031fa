"""What flows through a network: every map of one forward pass gets a name, whatever the network's class.

A map is called after the module that makes it: "classifier.0". A module that returns a dict or a list makes several:
"backbone[pool4]", "fpn[0]". What goes into a module is "upscore.pool3:input"; it names the sums and concatenations that
are no modules. The network's own ends are "input" and "output". A module that runs again makes "head#2", "head#3".
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


def trace_shapes(model: nn.Module, images: Any, training: bool = False) -> dict[str, tuple[int, ...]]:
    """Runs a network once and notes the shape of every map.

    A network made under ``torch.device("meta")`` is traced without memory and without computation.

    Args:
        model: Any network. It is left as it was: mode, buffers, random numbers.
        images: What the network takes, B x 3 x H x W; or only a size (H, W), for one black image of that size.
        training: Whether it runs in training mode, with auxiliary heads.

    Returns:
        Shape by name, the batch included, in the order in which the maps were made.

    >>> trace_shapes(nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.ReLU()), (9, 9))["0"]
    (1, 8, 4, 4)
    """
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, tensor: Tensor) -> None:
        shapes[name] = tuple(tensor.shape)

    with torch.no_grad(), _mode(model, training), watch(model, note):
        model(as_input(model, images))
    return shapes


def as_input(model: nn.Module, images: Any) -> Any:
    """Images on the network's device and of its precision; a size (H, W) becomes one black image."""
    if isinstance(images, tuple) and len(images) == 2 and all(isinstance(side, int) for side in images):
        images = torch.zeros(1, 3, *images)
    if isinstance(images, Tensor):
        like = next(model.parameters(), None)
        return images.to(like) if like is not None and images.is_floating_point() else images
    return images


@contextmanager
def watch(model: nn.Module, note: Callable[[str, Tensor], None]) -> Iterator[None]:
    """Calls ``note`` with name and tensor for every map that the network makes meanwhile."""
    calls: dict[str, int] = {}

    def before(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Any, ...]) -> None:
            calls[name] = calls.get(name, 0) + 1
            label = _label(name, calls[name])
            for entry, tensor in _tensors(args[0] if len(args) == 1 else args):
                note(f"{label}:input{entry}" if label else f"input{entry}", tensor)

        return hook

    def after(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
            label = _label(name, calls[name]) or "output"
            for entry, tensor in _tensors(output):
                note(label + entry, tensor)

        return hook

    handles = []
    for name, module in model.named_modules():
        handles += [module.register_forward_pre_hook(before(name)), module.register_forward_hook(after(name))]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def find_map(name: str, maps: Mapping[str, Any]) -> Any:
    """The map of this name.

    Raises:
        ValueError: If the network made none; names that resemble it are told.
    """
    if name not in maps:
        raise ValueError(f"the network made no map {name!r}; {_resembling(name, maps)}")
    return maps[name]


def find_module(name: str, model: nn.Module) -> nn.Module:
    """The module of this name; raises ValueError as `find_map` does."""
    modules = dict(model.named_modules())
    if name not in modules:
        raise ValueError(f"{type(model).__name__} has no module {name!r}; {_resembling(name, modules)}")
    return modules[name]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode meanwhile; then every module gets back the mode that it had."""
    with _mode(model, training=False):
        yield


@contextmanager
def _mode(model: nn.Module, training: bool) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    # Batch norm counts in training mode, and dropout draws random numbers.
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()] if training else []
    model.train(training)
    try:
        with torch.random.fork_rng(enabled=training):
            yield
    finally:
        for module, mode in modes:
            module.training = mode
        with torch.no_grad():
            for buffer, value in buffers:
                buffer.copy_(value)


def _label(name: str, call: int) -> str:
    return name if call == 1 else f"{name}#{call}"


def _tensors(value: Any, entry: str = "") -> Iterator[tuple[str, Tensor]]:
    """The tensors in nested dicts and lists, each with its place: "[out]", "[0][boxes]"."""
    if isinstance(value, Tensor):
        yield entry, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _tensors(part, f"{entry}[{key}]")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, part in enumerate(value):
            yield from _tensors(part, f"{entry}[{index}]")


def _resembling(name: str, names: Iterable[str]) -> str:
    known = [candidate for candidate in names if candidate]
    holding = [candidate for candidate in known if name.lower() in candidate.lower()]
    close = [*holding, *difflib.get_close_matches(name, known, n=5, cutoff=0.5)][:5]
    if close:
        return f"close ones are {', '.join(close)}"
    return f"there are {', '.join(known[:8])}" + (", ..." if len(known) > 8 else "")
