"""What a network costs: parameters, operations, memory and time for one picture."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from segtutor.inference.predict import evaluating


def cost(model: nn.Module, size: tuple[int, int], repeats: int = 9) -> dict[str, float]:
    """Costs of a network on one picture.

    Args:
        model: A semantic network.
        size: Height and width of the picture.
        repeats: How often the time is taken.

    Returns:
        "parameters" (the trainable ones); "gflops", operations of one forward pass in billions, a multiplication and an
        addition counted as two; "megabytes", what training keeps of one picture for the backward pass;
        "milliseconds", the shortest of several forward passes: other work on the machine only adds to it. On a
        processor it is the time that all threads together compute, which other work hardly changes.
    """
    parameter = next(model.parameters())
    images = torch.zeros(1, 3, *size, device=parameter.device)
    clock = time.process_time if parameter.device.type == "cpu" else time.perf_counter
    with evaluating(model), torch.no_grad():
        # The counter follows gradients: without, it stumbles over a parameter that is a module's argument.
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            FlopCounterMode(display=False, custom_mapping=_FUSED) as counter,
        ):
            model(images)
        times = []
        for _ in range(repeats):
            begun = clock()
            model(images)
            times.append(clock() - begun)
    return {
        "parameters": float(sum(p.numel() for p in model.parameters() if p.requires_grad)),
        "gflops": counter.get_total_flops() / 1e9,
        "megabytes": kept_for_backward(model, torch.cat([images, images])) / 2 / 1e6,
        "milliseconds": 1000 * min(times),
    }


def kept_for_backward(model: nn.Module, images: Tensor) -> int:
    """Bytes of activations that a training step keeps until its backward pass; parameters are not counted."""
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    state = {name: value.clone() for name, value in model.state_dict().items()}
    mode = model.training
    try:
        model.train()
        with torch.random.fork_rng(devices=[]), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            output = model(images)  # held, so that no storage is freed and its address used again
            del output
    finally:
        model.train(mode)
        model.load_state_dict(state)  # batch norm has seen the picture
    return sum(kept.values())


def _of_attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """Operations of the two products of attention; the arguments are shapes."""
    return int(sdpa_flop_count(query, key, value))


# PyTorch counts the fused attention of GPUs, and leaves out that of processors.
_FUSED = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _of_attention}
