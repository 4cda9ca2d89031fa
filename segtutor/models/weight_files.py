"""Files of weights: read without running code from them, written whole, each ending in its own format."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from segtutor.files import prove_writable, replacing
from segtutor.models import ModelConfig
from segtutor.models.containers import Contents, unwrap
from segtutor.models.torch_files import read_torch, save_torch
from segtutor.models.wrappers import class_names_of, inner
from segtutor.plain import plain

ENDINGS = (".pt", ".pth", ".tar", ".ckpt", ".bin", ".safetensors", ".npz")
"""What `save_weights` writes; all but the last two are PyTorch's format, ``.pth.tar`` too."""

_ABOUT = "segtutor"  # under this name, files that hold only arrays keep the rest, as JSON


def read_weights(path: str | Path) -> Contents:
    """Arrays of a file, without running code from it.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it holds something other than arrays, or is damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file of weights at {path}")
    readers = {".npz": _read_npz, ".safetensors": _read_safetensors}
    try:
        return unwrap(readers.get(path.suffix.lower(), read_torch)(path))
    except (PermissionError, MemoryError):
        raise
    except ValueError as error:
        if str(path) in str(error):
            raise
        raise ValueError(f"{path} cannot be read as a file of weights ({error}); fetch or export it again") from None
    except Exception as error:  # A damaged file makes the readers fail in any way, down to an IndexError.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path} cannot be read as a file of weights ({reason}); fetch or export it again") from None


def _read_npz(path: Path) -> Any:
    with np.load(path, allow_pickle=False) as arrays:
        about = json.loads(str(arrays[_ABOUT])) if _ABOUT in arrays else {}
        state = {key: torch.from_numpy(arrays[key]) for key in arrays if key != _ABOUT}
    return {**about, "model": state} if about else state


def _read_safetensors(path: Path) -> Any:
    _need_safetensors()
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        about = (file.metadata() or {}).get(_ABOUT)
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (it is no dict)
    return {**json.loads(about), "model": state} if about else state


def _need_safetensors() -> None:
    if importlib.util.find_spec("safetensors") is None:
        raise ValueError("a .safetensors file needs the package safetensors: pip install safetensors")


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

    The file is read once before it takes its name, so that what is there can be opened.

    Args:
        model: A network that `create` built, as it is or compiled, distributed, averaged.
        path: The file, replaced only once it is whole: .pt or .pth in PyTorch's format, .safetensors, .npz in NumPy's.
        half: Write numbers of 16 bits: half the size. See ``round_to_half``.
        **notes: Values to keep beside the weights: the command, the seed, the score. Numbers of NumPy, tensors and
            paths become plain ones. ``labels``, the names of the classes, are found again by whatever loads the file.

    Raises:
        ValueError: If the network is not one of `create`'s, the ending is unknown, or a note cannot be kept.
        OSError: If the file cannot be written.
    """
    path = Path(path)
    check_ending(path)
    prove_writable(path)
    contents = contents_of(model, half=half, **notes)
    with replacing(path) as temporary:
        write_contents(contents, temporary)


def contents_of(model: nn.Module, *, half: bool = False, **notes: Any) -> dict[str, Any]:
    """What `save_weights` writes."""
    network = inner(model)
    config = plain(asdict(config_of(network)), "config")
    weights = {key: value.detach().cpu() for key, value in network.state_dict().items()}
    if half:
        weights = {key: _half(value) for key, value in weights.items()}
    notes = {name: plain(value, f"the note {name}") for name, value in notes.items()}
    classes = notes.get("labels") or class_names_of(network)
    classes = classes.get("names") if isinstance(classes, dict) else classes  # a LabelSet
    return {
        "model": weights,
        "config": config,
        "preprocessing": asdict(network.preprocessing),  # type: ignore[call-overload]
        "classes": list(classes) if classes else None,
        "notes": notes,
    }


def write_contents(contents: dict[str, Any], path: Path) -> None:
    """Writes them in the format of the path's ending, and reads the file once."""
    ending = path.suffix.lower()
    if ending not in (".safetensors", ".npz"):
        save_torch(contents, path)
        return
    state = {key: value.contiguous().clone() for key, value in contents["model"].items()}
    about = json.dumps({key: value for key, value in contents.items() if key != "model"})
    if ending == ".npz":
        # NumPy has no bfloat16.
        arrays: dict[str, Any] = {
            key: (value.float() if value.dtype == torch.bfloat16 else value).numpy() for key, value in state.items()
        }
        with open(path, "wb") as file:
            np.savez(file, **{_ABOUT: np.array(about), **arrays})
    else:
        _need_safetensors()
        from safetensors.torch import save_file

        save_file(state, path, metadata={_ABOUT: about})
    back = read_weights(path).state
    if back.keys() != state.keys() or any(back[key].shape != value.shape for key, value in state.items()):
        raise OSError(f"what was written to {path.parent} came back changed: is the disk failing?")


def check_ending(path: Path) -> None:
    """Refuses the ending of a format that weights are not written in.

    Raises:
        ValueError: If it is one.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise ValueError(
            f"weights are written to files that end in {', '.join(ENDINGS)}, but {path.name!r} came: name one of these"
        )
    if ending == ".safetensors":
        _need_safetensors()


def config_of(model: nn.Module) -> ModelConfig:
    """How a network was built."""
    config = getattr(inner(model), "config", None)
    if not isinstance(config, ModelConfig):
        raise ValueError("this needs a network that segtutor.models.create built; it carries its name and options")
    return config
