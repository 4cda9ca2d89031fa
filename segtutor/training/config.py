"""What a training run is told: one frozen dataclass, written into every checkpoint of the run."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, sqrt
from pathlib import Path
from typing import Any

from segtutor.compute import PRECISIONS
from segtutor.plain import plain

OPTIMIZERS = ("adamw", "sgd")
LOSSES = ("cross_entropy", "ohem", "dice", "focal", "lovasz")


@dataclass(frozen=True)
class TrainingConfig:
    """The settings of ``fit``.

    Attributes:
        steps: Number of optimizer steps. Give either this or ``epochs``.
        epochs: Number of passes over the training set.
        batch_size: Images per step, over all processes together.
        optimizer: "adamw", or "sgd" with momentum 0.9, the one of DeepLab's and PSPNet's papers.
        learning_rate: Base rate. None takes ``default_learning_rate(optimizer, batch_size)``, which falls with the
            batch size: a rate made for 8 GPUs and batch 32 wrecks a pretrained network at batch 4.
        head_factor: Learning rate of all that is not the network's ``backbone``, as a multiple of the backbone's: 10 in
            DeepLab v2 and PSPNet, where only the backbone is pretrained.
        bias_factor: Learning rate of biases, as a multiple of the weights' beside them: 2 in FCN and DeepLab v2, whose
            head then has 10 for weights and 20 for biases.
        weight_decay: Applied to convolution and linear weights; never to normalization layers and biases.
        power: Exponent of the polynomial schedule.
        warmup_steps: Steps over which the rate rises from near 0 to its base.
        gradient_clip: Largest norm of the gradient, or None for no limit.
        loss: "cross_entropy", "ohem" (cross entropy of the hardest quarter of the pixels), "dice", "focal" or "lovasz";
            or several joined by "+", as "cross_entropy+dice", which are added. On several processes, see ``objective``.
        auxiliary_weight: Factor of the auxiliary head's loss, for networks that have one (0.4 in PSPNet §5.1).
        class_weights: One factor per class for its pixels in the loss, as from ``balanced_class_weights``; None counts
            all pixels alike.
        freeze_batch_norm: Keep batch norm's statistics and weights as they are; for fine-tuning at small batches.
        precision: "float32"; "bfloat16" for autocast (no loss scaling needed); "float16" for autocast with a scaled
            loss, on GPUs older than Ampere, which have no bfloat16; "auto" for what `compute.choose_precision` chooses
            for the device.
        measure_precision: Where it would be bfloat16 on a processor: time a step in both precisions before the first
            one, and train in float32 if that is quicker. False takes the precision as it is, which a comparison of runs
            needs, and a run that is to come out as recorded.
        accumulate: Compute each batch in so many parts, one after the other, and add up their gradients: the memory of
            a part, the step of the batch. Batch norm sees the parts.
        average: Decay of a running average of the weights, as 0.999: it is what is scored, and what the model ends
            with. None averages nothing.
        flip: Mirror half of the images, left to right.
        crop: Height and width of random crops, or one number for both; smaller images are padded (the mean color, and
            void). None keeps the images, which must then all be of one size.
        scale: Smallest and largest factor of a random size before the crop, (0.5, 2) in PSPNet and DeepLab.
        rotate: Largest angle in degrees of a random turn before the crop, 10 in PSPNet.
        jitter: Strength of random changes of brightness, contrast, saturation and, a fifth of it, hue.
        seed: Of the order of the images, the augmentation and dropout. The initial weights are made before ``fit``.
        checkpoint: File to write; None writes none. It is also written before every evaluation.
        checkpoint_every: Steps between two checkpoints; None writes only one, at the end.
        best: File of weights to write after each evaluation that is better than all before it.
        evaluate_every: Steps between two evaluations on the validation set; None evaluates only at the end.
        patience: Stop after so many evaluations in a row of which none was better than the best before them.
        log: CSV file of losses, rates and scores, written anew at every evaluation and checkpoint. Where TensorBoard is
            installed, its events go to a folder of the same name without the ending.
        channels_last: Keep images and weights in the memory format that GPUs with tensor cores prefer.
        compile: Let torch.compile make faster code of the network first, which takes a minute or more.
        num_workers: Processes that load images. The result does not depend on it.
        device: "auto" (cuda, else mps, else cpu), or a PyTorch device name.
        progress: Show a progress bar.
    """

    steps: int | None = None
    epochs: float | None = None
    batch_size: int = 8
    optimizer: str = "adamw"
    learning_rate: float | None = None
    head_factor: float = 1.0
    bias_factor: float = 1.0
    weight_decay: float = 1e-4
    power: float = 0.9
    warmup_steps: int = 0
    gradient_clip: float | None = None
    loss: str = "cross_entropy"
    auxiliary_weight: float = 0.4
    class_weights: tuple[float, ...] | None = None
    freeze_batch_norm: bool = False
    precision: str = "float32"
    measure_precision: bool = True
    accumulate: int = 1
    average: float | None = None
    flip: bool = True
    crop: tuple[int, int] | None = None
    scale: tuple[float, float] | None = None
    rotate: float = 0.0
    jitter: float = 0.0
    seed: int = 0
    checkpoint: str | Path | None = None
    checkpoint_every: int | None = None
    best: str | Path | None = None
    evaluate_every: int | None = None
    patience: int | None = None
    log: str | Path | None = None
    channels_last: bool = False
    compile: bool = False
    num_workers: int = 0
    device: str = "auto"
    progress: bool = True

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            object.__setattr__(self, name, _settled(name, value))
        if (self.steps is None) == (self.epochs is None):
            raise ValueError(f"give either steps or epochs (steps is {self.steps}, epochs is {self.epochs})")
        for name, minimum in _MINIMUM.items():
            value = getattr(self, name)
            if value is not None and value < minimum:
                raise ValueError(f"{name} is {value}, but must be at least {minimum}")
        for name in ("epochs", "learning_rate", "gradient_clip", "head_factor", "bias_factor"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} is {value}, but must be above 0")
        for name, allowed in (("optimizer", OPTIMIZERS), ("precision", PRECISIONS)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is {getattr(self, name)!r}, but must be one of {', '.join(allowed)}")
        loss_names(self.loss)
        if self.class_weights is not None and not all(0 <= weight < inf for weight in self.class_weights):
            raise ValueError(f"class_weights are {self.class_weights}, but must be numbers of at least 0")
        if self.crop is not None and (len(self.crop) != 2 or min(self.crop) < 1):
            raise ValueError(f"crop is {self.crop}, but must be (height, width), both at least 1")
        if self.scale is not None and (len(self.scale) != 2 or not 0 < self.scale[0] <= self.scale[1] < inf):
            raise ValueError(f"scale is {self.scale}, but must be (smallest, largest), both above 0")
        if self.crop is None and (self.scale is not None or self.rotate):
            raise ValueError("scale and rotate need a crop, the size that all pictures have after them")
        if self.average is not None and not 0 < self.average < 1:
            raise ValueError(f"average is {self.average}, but must lie between 0 and 1, as 0.999")
        if self.batch_size % self.accumulate:
            raise ValueError(f"batch_size {self.batch_size} cannot be divided into accumulate={self.accumulate} parts")

    @property
    def base_learning_rate(self) -> float:
        """The rate given, or the default for the optimizer and batch size."""
        return self.learning_rate or default_learning_rate(self.optimizer, self.batch_size)

    def total_steps(self, samples: int) -> int:
        """Steps of the run on a training set of so many samples."""
        if self.steps is not None:
            return self.steps
        assert self.epochs is not None
        return max(1, ceil(self.epochs * samples / self.batch_size))

    def course(self) -> dict[str, object]:
        """The settings that decide what the weights become: those that a resumed run must share with its beginning."""
        return {name: value for name, value in vars(self).items() if name not in _FREE_TO_CHANGE}


_MINIMUM = {
    "steps": 1, "batch_size": 1, "weight_decay": 0, "power": 0, "warmup_steps": 0, "auxiliary_weight": 0,
    "checkpoint_every": 1, "evaluate_every": 1, "num_workers": 0, "seed": 0, "accumulate": 1, "patience": 1,
    "rotate": 0, "jitter": 0,
}  # fmt: skip
_WHOLE = {
    "steps", "batch_size", "warmup_steps", "seed", "checkpoint_every", "evaluate_every", "patience", "num_workers",
    "accumulate",
}  # fmt: skip
_FILES = {"checkpoint", "best", "log"}
_SEVERAL = {"class_weights", "crop", "scale"}
# How long a run lasts may change, too: ``load_run`` sees to it.
_FREE_TO_CHANGE = {
    "measure_precision", "checkpoint", "checkpoint_every", "best", "evaluate_every", "patience", "log", "num_workers",
    "device", "progress", "channels_last", "compile", "steps", "epochs",
}  # fmt: skip


def _settled(name: str, value: Any) -> Any:
    """A setting as a plain value of its own type, so that every checkpoint can be read again.

    Raises:
        ValueError: If it is of another type.
    """
    if value is None or name in _FILES:
        return value
    default = getattr(TrainingConfig, name)
    if isinstance(default, str):
        if not isinstance(value, str) and name != "device":
            allowed = {"optimizer": OPTIMIZERS, "precision": PRECISIONS, "loss": LOSSES}[name]
            raise ValueError(f"{name} is {' '.join(repr(value).split())}, but must be one of {', '.join(allowed)}")
        return str(value)
    value = plain(value, name)
    if name in _SEVERAL:
        several = (value, value) if name == "crop" and not isinstance(value, tuple | list) else value
        if not isinstance(several, tuple | list) or not all(_is_number(item) for item in several):
            raise ValueError(f"{name} is {value!r}, but must be numbers, as (480, 480) for crop")
        return tuple(_whole(name, item) if name == "crop" else float(item) for item in several)
    if isinstance(default, bool):
        if value not in (True, False):
            raise ValueError(f"{name} is {value!r}, but must be True or False")
        return bool(value)
    if not _is_number(value):
        raise ValueError(f"{name} is {value!r}, but must be a number")
    return _whole(name, value) if name in _WHOLE else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(name: str, value: float) -> int:
    if value != value or value in (inf, -inf) or value != int(value):
        raise ValueError(f"{name} is {value!r}, but must be a whole number")
    return int(value)


def loss_names(loss: str) -> list[str]:
    """The names in a sum of losses.

    Raises:
        ValueError: If one is unknown, or comes twice.

    >>> loss_names("cross_entropy + dice")
    ['cross_entropy', 'dice']
    """
    names = [name.strip() for name in loss.split("+")]
    if not set(names) <= set(LOSSES) or len(set(names)) < len(names):
        raise ValueError(f"loss is {loss!r}, but must be one of {', '.join(LOSSES)}, or several of them joined by +")
    return names


def default_learning_rate(optimizer: str, batch_size: int) -> float:
    """Base learning rate for a batch size.

    SGD: 0.01 at batch 16 (PSPNet §5.1; DeepLab v3 has 0.007), in proportion to the batch (Goyal et al. 2017).
    AdamW: 0.001 at batch 16, in proportion to the root of the batch (Malladi et al. 2022).

    >>> default_learning_rate("sgd", 4), default_learning_rate("adamw", 4)
    (0.0025, 0.0005)
    """
    share = batch_size / 16
    return 0.01 * share if optimizer == "sgd" else 0.001 * sqrt(share)
