"""Around a run: the network on its device, and in its own mode afterwards; an interrupt that waits for a step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import torch
from torch import nn

from segtutor.training.config import TrainingConfig
from segtutor.training.optimizers import freeze_batch_norm
from segtutor.training.processes import Processes, processes


@contextmanager
def prepared(model: nn.Module, config: TrainingConfig, resume: bool) -> Iterator[Processes]:
    """The processes of a run; inside, the model is on its device; after, it is in the mode in which it came.

    Raises:
        ValueError: If the settings do not go together, or the weights are of 16 bits.
    """
    if resume and config.checkpoint is None:
        raise ValueError("resume needs config.checkpoint, the file to go on from")
    with processes(config.device) as team:
        if config.batch_size % (team.count * config.accumulate):
            parts = f" in {config.accumulate} parts each" if config.accumulate > 1 else ""
            raise ValueError(f"batch_size {config.batch_size} cannot be divided among {team.count} processes{parts}")
        kinds = {str(p.dtype).removeprefix("torch.") for p in model.parameters() if p.is_floating_point()}
        if kinds & {"float16", "bfloat16"}:
            raise ValueError(
                f"the network's weights are {', '.join(sorted(kinds))}, in which small steps are lost: train "
                "model.float(), with precision='bfloat16' if the computation shall be in 16 bits"
            )
        model.to(team.device)
        if config.channels_last:
            model.to(memory_format=torch.channels_last)
        modes = {module: module.training for module in model.modules()}
        frozen = freeze_batch_norm(model) if config.freeze_batch_norm else []
        try:
            yield team
        finally:
            for parameter in frozen:
                parameter.requires_grad_(True)
            for module, training in modes.items():
                module.training = training


@contextmanager
def stop_after_the_step(enabled: bool) -> Iterator[threading.Event]:
    """Inside, the first interrupt sets the event, so that no step is cut in half; the second one raises."""
    stop = threading.Event()
    # Only the main thread may set a handler; and one process of several must not stop while the others go on.
    if not enabled or threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.getsignal(signal.SIGINT)

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
