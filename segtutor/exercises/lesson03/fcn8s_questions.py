"""What exercise 3.10 asks a network: its sizes, its score maps, and what it finds in scenes that it has not seen."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from segtutor.exercises.comparison import kind, plain
from segtutor.exercises.exercise import GRADING
from segtutor.exercises.later import models, torch
from segtutor.files import replacing
from segtutor.metrics import ConfusionMatrix

WEIGHTS = "fcn8s.safetensors"
"""The file with what the network has learned. It lies beside the notebook and is handed in with it."""
MISFIT = f"{WEIGHTS} belongs to another network than build_fcn8s() returns now"
MISSING = f"there is no file {WEIGHTS} beside the notebook: train the network first"
NOT_SCORED = "nothing: the network itself is not right yet"
CLASSES, VOID, SIZE, STRIDES = 33, 255, (96, 128), (8, 16, 32)
FEW = 8
FOREIGN = ("segtutor.models", "torchvision.models")


@dataclass(frozen=True)
class Score:
    """A wanted result of which many are right: label maps of the first test scenes whose mean IoU reaches a bar.

    Attributes:
        count: Number of scenes.
        least: Mean IoU over all of them together, 0 to 1.
    """

    count: int
    least: float

    def missed_by(self, got: Any) -> str | None:
        """By how much label maps (count x H x W) miss the bar, in words; None if they reach it."""
        if got is self:
            return None
        targets = draw("test", self.count).maps.numpy()
        found = plain(got)
        if not isinstance(found, np.ndarray) or found.shape != targets.shape or found.dtype.kind not in "iu":
            return f"{self.count} label maps are wanted, {kind(found)} came"
        if found.min() < 0 or found.max() >= CLASSES:
            return f"classes 0 to {CLASSES - 1} are wanted, {found.min()} to {found.max()} came"
        reached = _mean_iou(targets, found)
        if reached >= self.least:
            return None
        return f"mean IoU {100 * reached:.1f} % on {self.count} scenes, at least {100 * self.least:.0f} % is wanted"

    def __repr__(self) -> str:
        return f"label maps with a mean IoU of at least {100 * self.least:.0f} %"


@dataclass(frozen=True, eq=False)
class Pictures:
    """Scenes in memory; ``pictures[i]`` is a picture with its label map.

    Attributes:
        images: N x 3 x H x W uint8.
        maps: N x H x W uint8, 255 for void.
        labels: The LabelSet.
    """

    images: Any
    maps: Any
    labels: Any

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.images[index], self.maps[index].long()


@cache
def draw(split: str, count: int, size: tuple[int, int] = SIZE) -> Pictures:
    """The first scenes of a split, drawn once per process.

    A grade trains nothing: while a notebook is graded there are few to learn from, and a class does not wait.
    """
    from segtutor.datasets import Scenes

    if split == "train" and GRADING in os.environ:
        count = min(count, FEW)

    scenes = Scenes(split, size=size, count=count)
    images = torch.empty(count, 3, *size, dtype=torch.uint8)
    maps = torch.empty(count, *size, dtype=torch.uint8)
    for number in range(count):
        images[number], maps[number] = scenes[number]
    return Pictures(images, maps, scenes.labels)


def asked(answer: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """What the cases compare: builds the network and asks it one question, named by the first argument.

    Raises:
        TypeError: If no network came, or no tensor from the network.
        FileNotFoundError: If it is to be scored and has not been trained yet.
        ValueError: If the file of weights belongs to another network.
    """
    question, *details = arguments
    with _own_randomness():
        torch.manual_seed(0)
        network = answer()
        if network is None or network is Ellipsis:
            return network
        if not isinstance(network, torch.nn.Module):
            raise TypeError(f"build_fcn8s() must return a network, an object of nn.Module; {kind(network)} came")
        network.eval()
        if question == "score":
            if not _sound(network):
                return NOT_SCORED
            state = _state_of(answer)
            if not _fits(network, state):
                raise ValueError(MISFIT)
            network.load_state_dict(state)
        return _QUESTIONS[question](network, *details)


@contextmanager
def _own_randomness() -> Iterator[None]:
    """No gradients, and the random numbers of the notebook go on as if nobody had asked."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        yield


def _logits(network: Any, images: Any) -> Any:
    found = network(images)
    if not isinstance(found, torch.Tensor):
        raise TypeError(f"the network must return one tensor of logits; {kind(found)} came")
    return found


def _size(network: Any, batch: int, height: int, width: int) -> tuple[int, ...]:
    """Size of the logits, and of nothing else: the numbers do not matter."""
    return tuple(_logits(network, torch.zeros(batch, 3, height, width)).shape)


def _strides(network: Any) -> tuple[int, ...]:
    """Strides of the maps of class scores that the network's convolutions give: the powers of two nearest to them."""
    side, found = 128, set()

    def look(_module: Any, _given: Any, made: Any) -> None:
        if isinstance(made, torch.Tensor) and made.ndim == 4 and made.shape[1] == CLASSES:
            found.add(2 ** round(float(np.log2(side / made.shape[-1]))))

    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d):  # a transposed one only enlarges scores
            layer.register_forward_hook(look)
    network(torch.zeros(1, 3, side, side))
    return tuple(sorted(found & set(STRIDES)))


def _foreign_layers(network: Any) -> int:
    """Number of layers whose class comes from a collection of finished networks."""
    return sum(type(layer).__module__.startswith(FOREIGN) for layer in network.modules())


def _alike(network: Any, batch: int, height: int, width: int) -> bool:
    """Whether a picture gets the same logits alone and in a batch."""
    images = torch.randn(batch, 3, height, width)
    together, alone = _logits(network, images), [_logits(network, one[None]) for one in images]
    return bool(torch.allclose(together, torch.cat(alone), atol=1e-3, rtol=1e-3))


def _sound(network: Any) -> bool:
    """Whether all other questions are answered as they should be, so that it makes sense to ask for a score."""
    try:
        sizes = [_size(network, 1, *SIZE), _size(network, 2, 75, 101)]
        own, alike = _foreign_layers(network) == 0, _alike(network, 2, 64, 64)
        return sizes == [(1, CLASSES, *SIZE), (2, CLASSES, 75, 101)] and _strides(network) == STRIDES and own and alike
    except Exception:  # an answer may break in any way; the other questions tell how
        return False


def _label_maps(network: Any, count: int, height: int, width: int) -> np.ndarray:
    """The network's label maps of the first test scenes, N x H x W uint8."""
    normalized = models.Preprocessing().normalize(draw("test", count, (height, width)).images)
    maps = [_logits(network, part).argmax(1) for part in normalized.split(4)]
    return torch.cat(maps).to(torch.uint8).numpy()


_QUESTIONS: dict[str, Callable[..., Any]] = {
    "size": _size,
    "strides": _strides,
    "own": _foreign_layers,
    "alike": _alike,
    "score": _label_maps,
}


def _state_of(answer: Callable[..., Any]) -> dict[str, Any]:
    """The weights of an answer: those in the file, or for the course's own what its attribute ``weights`` gives.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    if hasattr(answer, "weights"):
        return dict(answer.weights())
    if not Path(WEIGHTS).is_file():
        raise FileNotFoundError(MISSING)
    return load(Path(WEIGHTS))


def load(path: Path) -> dict[str, Any]:
    """The tensors of a file of weights by name; no code in it is run."""
    from safetensors.torch import load_file

    return dict(load_file(path))


def _fits(network: Any, state: Mapping[str, Any]) -> bool:
    """Whether a network has tensors of these names and shapes, and no others."""
    own = network.state_dict()
    return own.keys() == state.keys() and all(own[name].shape == state[name].shape for name in own)


def train_once(build: Callable[[], Any], train: Callable[..., None], pictures: Any) -> None:
    """Train and write the file, unless there is one that fits the network; says what it did. A grade trains nothing.

    Args:
        build: Makes the network.
        train: Called with the network and the pictures.
        pictures: To learn from.
    """
    started = time.monotonic()
    try:
        network = build()
        if Path(WEIGHTS).is_file() and _fits(network, load(Path(WEIGHTS))):
            print(f"{WEIGHTS} is there and fits: nothing is trained. To train anew, delete the file.")
            return
        if GRADING in os.environ:
            print(f"{WEIGHTS} is missing or of another network, and a grade trains nothing.")
            return
        train(network, pictures)
    except NotImplementedError:
        print("Nothing is trained yet: write build_fcn8s() and train_fcn8s() first.")
        return
    save(network, Path(WEIGHTS))
    size = Path(WEIGHTS).stat().st_size / 1e6
    print(f"Trained for {time.monotonic() - started:.0f} seconds. {WEIGHTS} ({size:.1f} MB) belongs to your notebook.")


def save(network: Any, path: Path) -> None:
    """Write what a network has learned, whole or not at all."""
    from safetensors.torch import save_file

    with replacing(path) as temporary:
        save_file({name: value.contiguous().clone() for name, value in network.state_dict().items()}, temporary)


def mean_iou(network: Any, count: int) -> float:
    """Mean IoU of a network on the first test scenes, all of them together."""
    with torch.no_grad():
        found = _label_maps(network.eval(), count, *SIZE)
    return _mean_iou(draw("test", count).maps.numpy(), found)


def _mean_iou(targets: np.ndarray, found: np.ndarray) -> float:
    """Mean over the classes that occur, of all pictures together; void does not count."""
    matrix = ConfusionMatrix(CLASSES, ignore_index=VOID)
    matrix.update(targets, found)
    return float(matrix.mean_iou())


def trained(build: Callable[[], Any]) -> Any:
    """The network with the weights that belong to it, ready to be used."""
    network = build()
    network.load_state_dict(_state_of(build))
    return network.eval()
