"""The endless stream of training samples: shuffled, augmented, and the same for every number of worker processes.

Sample number p of a run depends on (seed, p) alone. Batch s holds the samples s * batch_size and on, so a run can be
continued at any step without having saved the state of a shuffle, and every batch is full: at the end of an epoch the
stream goes on with the next shuffle instead of handing out a last batch of one, on which batch norm fails.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as TF

from segtutor import compute
from segtutor.datasets.transforms import RandomRotation, RandomScaledCrop
from segtutor.inference.samples import check_sendable, read_item, read_labeled

T = TypeVar("T")


class SegmentationDataset(Protocol):
    """What a data set of segtutor offers: ``dataset[i]`` is an image 3 x H x W uint8 and a label map H x W."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]: ...


class Shuffled(Dataset[tuple[Tensor, Any]]):
    """Samples by their position in the run, whatever their targets are.

    Args:
        dataset: The training set.
        seed: Of the shuffles and of all random transforms, the data set's own included.
    """

    def __init__(self, dataset: Any, seed: int) -> None:
        if len(dataset) == 0:
            raise ValueError("the training set is empty")
        self.dataset, self.seed = dataset, seed
        self._epoch, self._order = -1, np.empty(0, dtype=np.int64)

    def index_at(self, position: int) -> int:
        """Index in the data set of the sample at a position; each epoch visits every index once."""
        epoch, place = divmod(position, len(self.dataset))
        if epoch != self._epoch:
            self._epoch, self._order = epoch, np.random.default_rng((self.seed, epoch)).permutation(len(self.dataset))
        return int(self._order[place])

    def __getitem__(self, position: int) -> tuple[Tensor, Any]:
        index = self.index_at(position)
        with seeded(self.seed, 1, position):
            return self._augment(*self._read(index))

    def _read(self, index: int) -> tuple[Tensor, Any]:
        return read_item(self.dataset, index)

    def _augment(self, image: Tensor, target: Any) -> tuple[Tensor, Any]:
        raise NotImplementedError


class SampleStream(Shuffled):
    """Pictures and label maps by their position in the run.

    Args:
        dataset: The training set.
        seed: See `Shuffled`.
        flip: Mirror half of the samples.
        crop: Height and width of random crops, or None.
        ignore_index: Label of the padding.
        mean: RGB color, 0 to 1, of the padding.
        num_classes: Labels must be below this; None does not look.
        scale: Range of a random factor of size before the crop, or None.
        rotate: Largest angle of a random turn before the crop, in degrees.
        jitter: Strength of random changes of color.
    """

    def __init__(
        self,
        dataset: SegmentationDataset,
        seed: int,
        flip: bool,
        crop: tuple[int, int] | None,
        ignore_index: int,
        mean: tuple[float, ...],
        *,
        num_classes: int | None = None,
        scale: tuple[float, float] | None = None,
        rotate: float = 0.0,
        jitter: float = 0.0,
    ) -> None:
        super().__init__(dataset, seed)
        self.flip, self.crop = flip, crop
        self.ignore_index, self.mean, self.num_classes = ignore_index, mean, num_classes
        self.turn = RandomRotation(rotate, ignore_index=ignore_index, mean=mean) if rotate else None
        self.scaled_crop = RandomScaledCrop(crop, scale, ignore_index, mean) if crop and scale else None
        self.jitter = v2.ColorJitter(jitter, jitter, jitter, jitter / 5) if jitter else None

    def _read(self, index: int) -> tuple[Tensor, Tensor]:
        return read_labeled(self.dataset, index, self.num_classes, self.ignore_index)

    def _augment(self, image: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        image, labels = tv_tensors.Image(image), tv_tensors.Mask(labels)
        if self.turn is not None:
            image, labels = self.turn(image, labels)
        if self.flip and random.random() < 0.5:
            image, labels = TF.horizontal_flip(image), TF.horizontal_flip(labels)
        if self.scaled_crop is not None:
            image, labels = self.scaled_crop(image, labels)
        elif self.crop is not None:
            image, labels = self._random_crop(image, labels, *self.crop)
        if self.jitter is not None:
            image = self.jitter(image)
        return image.as_subclass(Tensor), labels.as_subclass(Tensor).long()

    def _random_crop(self, image: Tensor, labels: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
        missing = [0, 0, max(0, width - image.shape[-1]), max(0, height - image.shape[-2])]
        if any(missing):
            scale = 255 if image.dtype == torch.uint8 else 1.0
            image = TF.pad(image, missing, fill=[channel * scale for channel in self.mean])
            labels = TF.pad(labels, missing, fill=self.ignore_index)
        top = random.randint(0, image.shape[-2] - height)
        left = random.randint(0, image.shape[-1] - width)
        return TF.crop(image, top, left, height, width), TF.crop(labels, top, left, height, width)


def batches(
    stream: Shuffled,
    batch_size: int,
    steps: range,
    num_workers: int = 0,
    rank: int = 0,
    world_size: int = 1,
    collate: Callable[[list[Any]], Any] | None = None,
) -> DataLoader:
    """One batch per step; with several processes, this one's part of each.

    A batch is what ``collate`` makes of its samples: images B x 3 x H x W and labels B x H x W, if nothing is said.
    """
    check_sendable(stream, num_workers)
    share = batch_size // world_size
    positions = [
        list(range(step * batch_size + rank * share, step * batch_size + (rank + 1) * share)) for step in steps
    ]
    return DataLoader(
        stream,
        batch_sampler=positions,
        num_workers=num_workers,
        collate_fn=_collate if collate is None else collate,
        worker_init_fn=_leave_interrupts_to_parent,
        generator=torch.Generator(),  # else the loader would draw from the caller's
    )


@contextmanager
def seeded(*numbers: int, device: torch.device | None = None) -> Iterator[None]:
    """Inside, the generators of Python, NumPy and PyTorch start from these numbers; after, they are as before.

    Of PyTorch's generators: that of the CPU, and that of ``device``.
    """
    state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002 (a data set may use it)
    seed = int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
    accelerator = device if device is not None and device.type != "cpu" else None
    kind = accelerator.type if accelerator else "cuda"
    with torch.random.fork_rng([accelerator.index or 0] if accelerator else [], device_type=kind):
        torch.random.default_generator.manual_seed(seed)
        if accelerator:
            getattr(torch, kind).manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        try:
            yield
        finally:
            random.setstate(state)
            np.random.set_state(numpy_state)  # noqa: NPY002


def _collate(samples: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    sizes = {tuple(labels.shape) for _, labels in samples}
    if len(sizes) > 1:
        raise ValueError(
            f"a batch would hold images of {len(sizes)} sizes, {' and '.join(map(str, sorted(sizes)[:2]))}: set crop "
            "(both sides), or resize in the data set"
        )
    images, labels = zip(*samples, strict=True)
    return torch.stack(images), torch.stack(labels)


def _leave_interrupts_to_parent(worker: int) -> None:
    """Ctrl-C reaches every process of a terminal; the parent alone decides when the run stops."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    compute.set_threads(1)


def pictures_and_targets(samples: list[tuple[Tensor, T]]) -> tuple[Tensor, list[T]]:
    """A batch of pictures B x 3 x H x W, with a target of any kind for each.

    Raises:
        ValueError: If the pictures differ in size.
    """
    sizes = {tuple(image.shape[-2:]) for image, _ in samples}
    if len(sizes) > 1:
        raise ValueError(
            f"a batch would hold images of {len(sizes)} sizes, {' and '.join(map(str, sorted(sizes)[:2]))}: resize in "
            "the data set"
        )
    images, targets = zip(*samples, strict=True)
    return torch.stack(images), list(targets)
