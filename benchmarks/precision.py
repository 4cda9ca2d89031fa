"""Networks in float32 and in bfloat16: one forward pass and one training step of each, and the layer to blame.

Which of the two is quicker depends on the processor and on PyTorch's kernels for just these layers: a single layer that
has no good kernel makes a network many times slower. Run it on a kind of processor that is new to you:

    python benchmarks/precision.py [NAME ...] [--batch 4] [--size 96x128] [--rounds 3]

Without names, every network of the course that trains in minutes.
"""

from __future__ import annotations

from timing import versions  # isort: skip (limits the threads before torch is loaded)

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from segtutor import compute, models
from segtutor.commands.options import positive, size
from segtutor.datasets import Scenes
from segtutor.labels import SCENES
from segtutor.training.precision import autocast

PRECISIONS = ("float32", "bfloat16")
CONSPICUOUS = 1.5
"""Bfloat16 so many times slower: the layer to blame is named."""
CPU = torch.device("cpu")


def batch_for(name: str, count: int, extent: tuple[int, int]) -> tuple[Any, ...]:
    """What a network's forward pass in training takes."""
    if name.startswith("maskrcnn"):
        scenes = Scenes("train", size=extent, count=count, target="instances", scale_range=1.5)
        samples = [scenes[index] for index in range(count)]
        return [image.float() / 255 for image, _ in samples], [target for _, target in samples]
    return (torch.rand(count, 3, *extent, generator=torch.Generator().manual_seed(0)),)


def forward(model: nn.Module, batch: tuple[Any, ...], precision: str) -> Any:
    """In evaluation mode, without gradients."""
    with torch.inference_mode(), autocast(CPU, precision):
        return model.eval()(batch[0])


def tensors(output: Any) -> Iterator[Tensor]:
    """All of them, in whatever a network answers with: losses, logits, queries and those of the layers before."""
    if isinstance(output, Tensor):
        yield output
    else:
        for part in output.values() if isinstance(output, dict) else output:
            yield from tensors(part)


def step(model: nn.Module, batch: tuple[Any, ...], precision: str) -> None:
    """Forward and backward in training mode; the optimizer does the same in both precisions."""
    with autocast(CPU, precision):
        output = model.train()(*batch)
    loss = sum(value.float().logsumexp(1).mean() if value.ndim else value.float() for value in tensors(output))
    loss.backward()  # type: ignore[union-attr]
    model.zero_grad(set_to_none=True)


def times(call: Callable[[str], Any], rounds: int) -> dict[str, float]:
    """Milliseconds in each precision: the medians of interleaved rounds, after one that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in PRECISIONS}
    for number in range(rounds + 1):
        for name in PRECISIONS:
            begun = time.perf_counter()
            call(name)
            if number:
                seconds[name].append(time.perf_counter() - begun)
    return {name: 1000 * statistics.median(values) for name, values in seconds.items()}


def seconds_of_layers(model: nn.Module, call: Callable[[], Any]) -> Counter[str]:
    """How long each layer takes in one call."""
    spent, begun, handles = Counter[str](), dict[str, float](), []

    def enter(name: str, *_: Any) -> None:
        begun[name] = time.perf_counter()

    def leave(name: str, *_: Any) -> None:
        spent[name] += time.perf_counter() - begun[name]  # type: ignore[assignment]

    for name, layer in model.named_modules():
        if not list(layer.children()):
            handles.append(layer.register_forward_pre_hook(partial(enter, name)))
            handles.append(layer.register_forward_hook(partial(leave, name)))
    call()
    for handle in handles:
        handle.remove()
    return spent


def to_blame(model: nn.Module, call: Callable[[str], Any]) -> str:
    """The layer whose forward pass loses most in bfloat16, with its milliseconds in both precisions."""
    full, reduced = (seconds_of_layers(model, partial(call, precision)) for precision in PRECISIONS)
    worst = max(reduced, key=lambda name: reduced[name] - full[name])
    layer = type(model.get_submodule(worst)).__name__
    return f"`{worst}` ({layer}): {1000 * full[worst]:.0f} and {1000 * reduced[worst]:.0f} ms"


def main() -> None:
    """Prints the table."""
    tiny = [name for name in models.available() if name.endswith("_tiny")]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=tiny, metavar="NAME", help="networks")
    parser.add_argument("--batch", type=positive, default=4)
    parser.add_argument("--size", type=size, default=(96, 128), metavar="HxW")
    parser.add_argument("--rounds", type=positive, default=3)
    options = parser.parse_args()
    height, width = options.size
    print(f"### {options.batch} pictures of {height} x {width}\n\n{versions(('torch',))}; one thread, medians of "
          f"{options.rounds} interleaved rounds, milliseconds; {compute.processor()}\n")  # fmt: skip
    heads = [f"{what}, {name}" for what in ("forward", "step") for name in (*PRECISIONS, "ratio")]
    print("| network | " + " | ".join(heads) + " | loses most in the forward pass |\n|" + " --- |" * (len(heads) + 2))
    for name in options.names:
        torch.manual_seed(0)
        model = models.create(name, num_classes=len(SCENES))
        batch = batch_for(name, options.batch, options.size)
        cells, slow = [], False
        for what in (forward, step):
            call = partial(what, model, batch)
            found = times(call, options.rounds)
            ratio = found["bfloat16"] / found["float32"]
            slow |= ratio > CONSPICUOUS
            cells += [f"{found[one]:.0f}" for one in PRECISIONS] + [f"{ratio:.2f}"]
        blamed = to_blame(model, partial(forward, model, batch)) if slow else ""
        print(f"| {name} | " + " | ".join(cells) + f" | {blamed} |", flush=True)
    print("\nRatio: bfloat16 / float32; below 1, bfloat16 is quicker.")


if __name__ == "__main__":
    main()
