"""One training run on several processes, as ``torchrun --nproc-per-node 4 -m segtutor.cli train ...`` starts them.

Each process takes its part of every batch. What has to be the same as in one process of the whole batch is: the loss is
divided by the number of valid pixels of the *whole* batch, batch norm sees the whole batch (on CUDA; PyTorch has no
synchronized batch norm for CPUs), and an evaluation adds up the counts of disjoint parts of the validation set, instead
of averaging the processes' scores.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from segtutor.inference.devices import choose_device
from segtutor.metrics import ConfusionMatrix


@dataclass(frozen=True)
class Processes:
    """This process among those of the run.

    Attributes:
        rank: Number of this process, 0 for the one that writes files and shows progress.
        count: Number of processes.
        device: Where this one computes.
    """

    rank: int
    count: int
    device: torch.device

    def wrap(self, model: nn.Module) -> nn.Module:
        """The network whose gradients are averaged over the processes; the network itself if there is only one."""
        if self.count == 1:
            return model
        if self.device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(model)  # replaces the layers inside the model
            return DistributedDataParallel(model, device_ids=[self.device.index])
        return DistributedDataParallel(model)

    @contextmanager
    def without_exchange(self, wrapped: nn.Module, enabled: bool) -> Iterator[None]:
        """Inside, gradients are only added up, and not yet averaged over the processes, if so enabled."""
        if enabled and isinstance(wrapped, DistributedDataParallel):
            with wrapped.no_sync():
                yield
        else:
            yield

    def all_of(self, value: Any) -> list[Any]:
        """The values of all processes, in the order of their ranks, in each of them."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        dist.all_gather_object(values, value)
        return values

    def total(self, value: Tensor) -> Tensor:
        """Sum over the processes."""
        if self.count > 1:
            value = value.clone()
            dist.all_reduce(value)
        return value

    def merge(self, confusion: ConfusionMatrix) -> ConfusionMatrix:
        """Sum of the processes' counts, the same in each of them."""
        if self.count > 1:
            counts = self.total(torch.from_numpy(confusion.matrix).to(self.device))
            confusion.matrix = counts.cpu().numpy()
        return confusion

    def from_first(self, value: Any) -> Any:
        """The value of the first process, whatever the others have."""
        if self.count == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0, device=self.device)
        return values[0]

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            dist.barrier()


@contextmanager
def processes(device: str) -> Iterator[Processes]:
    """The processes that torchrun or accelerate started; one, if neither did."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes(0, 1, choose_device(device))
        return
    here = choose_device(device, int(os.environ.get("LOCAL_RANK", "0")))
    started_here = not dist.is_initialized()
    if started_here:
        if here.type == "cuda":
            torch.cuda.set_device(here)
        dist.init_process_group("nccl" if here.type == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), dist.get_world_size(), here)
    finally:
        if started_here:
            dist.destroy_process_group()
