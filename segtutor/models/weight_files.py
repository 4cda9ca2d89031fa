"""Files of weights: read without running code from them, written whole.

A file holds arrays or it is refused. What training programs wrap around a state dict is taken off.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from segtutor.files import replacing
from segtutor.models import ModelConfig
from segtutor.models.inputs import Preprocessing
from segtutor.models.layouts import State


@dataclass(frozen=True)
class Contents:
    """What stands in a file of weights: arrays by key, and what `save_weights` wrote beside them."""

    state: State
    config: ModelConfig | None = None
    preprocessing: Preprocessing | None = None


def read_weights(path: str | Path) -> Contents:
    """Arrays of a file, without running code from it.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it holds something other than arrays, or is damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file of weights at {path}")
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return unwrap({key: torch.from_numpy(arrays[key]) for key in arrays})
        if path.suffix == ".safetensors":
            return unwrap(_read_safetensors(path))
        return unwrap(torch.load(path, map_location="cpu", weights_only=True))
    except pickle.UnpicklingError:
        raise ValueError(
            f"{path} is not a plain file of weights: it is damaged, or holds objects whose loading would run code; "
            "export the state dict alone, torch.save(model.state_dict(), path)"
        ) from None
    except (PermissionError, MemoryError):
        raise
    except Exception as error:  # A damaged file makes the readers fail in any way, down to an IndexError.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path} cannot be read as a file of weights ({reason}); fetch or export it again") from None


def _read_safetensors(path: Path) -> State:
    try:
        from safetensors.torch import load_file
    except ImportError:
        raise ValueError("reading it needs the package safetensors: pip install safetensors") from None
    return load_file(path)


def unwrap(contents: Any) -> Contents:
    """Unwraps the containers in which training programs keep a state dict, and the prefixes of their wrappers."""
    config = preprocessing = None
    if isinstance(contents, Mapping):
        if isinstance(contents.get("config"), Mapping) and set(contents["config"]) == {
            "name",
            "num_classes",
            "options",
        }:
            config = ModelConfig(**contents["config"])
        if isinstance(contents.get("preprocessing"), Mapping):
            preprocessing = Preprocessing(**contents["preprocessing"])
        for container in ("model", "state_dict", "model_state"):
            if isinstance(contents.get(container), Mapping):
                contents = contents[container]
                break
    if not isinstance(contents, Mapping) or not contents or not all(isinstance(v, Tensor) for v in contents.values()):
        raise ValueError(
            "no state dict found: expected names with tensors, bare or under 'model', 'state_dict' or 'model_state'"
        )
    state = {str(key): value for key, value in contents.items()}
    for prefix in ("module.", "_orig_mod."):
        if all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    return Contents(state, config, preprocessing)


def round_to_half(model: nn.Module) -> None:
    """Rounds weights and running statistics to what 16 bits hold (a relative error up to 0.05 %), in place.

    They stay float32. ``save_weights(..., half=True)`` then loses nothing more.
    """
    with torch.no_grad():
        for value in model.state_dict().values():
            value.copy_(_half(value))


def _half(value: Tensor) -> Tensor:
    """In 16 bits, the largest of their numbers for what is larger; counters as they are."""
    largest = torch.finfo(torch.float16).max
    return value.clamp(-largest, largest).half() if value.is_floating_point() else value


def save_weights(model: nn.Module, path: str | Path, *, half: bool = False, **notes: Any) -> None:
    """Writes weights with what is needed to build the network again: ``create(name, weights=path)``.

    Args:
        model: A network that `create` built.
        path: The file, .pt; replaced only once it is whole.
        half: Write numbers of 16 bits: half the size. See ``round_to_half``.
        **notes: Plain values to keep beside the weights: the command, the seed, the score.
    """
    path = Path(path)
    weights = {key: value.detach().cpu() for key, value in model.state_dict().items()}
    if half:
        weights = {key: _half(value) for key, value in weights.items()}
    contents = {
        "model": weights,
        "config": asdict(config_of(model)),
        "preprocessing": asdict(model.preprocessing),  # type: ignore[call-overload]
        "notes": notes,
    }
    with replacing(path) as temporary:
        torch.save(contents, temporary)


def config_of(model: nn.Module) -> ModelConfig:
    """How a network was built."""
    config = getattr(model, "config", None)
    if not isinstance(config, ModelConfig):
        raise ValueError("this needs a network that segtutor.models.create built; it carries its name and options")
    return config
