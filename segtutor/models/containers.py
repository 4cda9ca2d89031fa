"""What training programs wrap around a state dict, taken off: dicts of dicts, and prefixes of its names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from segtutor.models import ModelConfig
from segtutor.models.inputs import Preprocessing
from segtutor.models.layout_rules import State, some
from segtutor.models.wrappers import WRAPPED

# Where several dicts of tensors are in a file, the first of these names is the network: the weights that were trained,
# not their running average.
_NAMES = (
    "model", "state_dict", "model_state_dict", "model_state", "net", "network", "weights", "params", "module",
    "student", "generator", "model_ema", "ema", "ema_state_dict", "state_dict_ema", "ema_model",
)  # fmt: skip
_NO_NETWORK = ("optim", "sched", "scaler", "callback", "loop", "hyper", "config", "notes", "result", "course")


@dataclass(frozen=True)
class Contents:
    """What stands in a file of weights: arrays by key, and what `save_weights` wrote beside them.

    Attributes:
        state: The arrays.
        config: How the network was built.
        preprocessing: What it expects of an image.
        classes: Names of its classes.
        notes: Plain values that somebody kept.
        dropped: Keys that belong to a wrapper, not to the network, and other state dicts beside the network's.
    """

    state: State
    config: ModelConfig | None = None
    preprocessing: Preprocessing | None = None
    classes: tuple[str, ...] | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


def unwrap(contents: Any) -> Contents:
    """The arrays in whatever a training program wrote, and what segtutor wrote beside them.

    Raises:
        ValueError: If there is no state dict, or several of which none is known to be the network's.
    """
    told: Mapping[Any, Any] = contents if isinstance(contents, Mapping) else {}
    config, preprocessing, notes = (told.get(key) for key in ("config", "preprocessing", "notes"))
    notes = dict(notes) if isinstance(notes, Mapping) else {}
    names = told.get("classes") or notes.get("labels")
    named = isinstance(names, list | tuple) and len(names) > 0 and all(isinstance(name, str) for name in names)
    is_config = isinstance(config, Mapping) and set(config) == {"name", "num_classes", "options"}
    state, others = _find_state(contents)
    state, dropped = without_wrappers(state)
    return Contents(
        state,
        ModelConfig(**_tuples(config)) if is_config else None,
        Preprocessing(**_tuples(preprocessing)) if isinstance(preprocessing, Mapping) else None,
        tuple(names) if named else None,  # type: ignore[arg-type]
        notes,
        dropped + others,
    )


def _tuples(value: Any) -> Any:
    """Lists as tuples, as options are given: a file of JSON knows lists only."""
    if isinstance(value, Mapping):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list | tuple) else value


def _find_state(contents: Any) -> tuple[State, tuple[str, ...]]:
    """The dict of arrays, the whole or the one inside that is the network's, and the names of others beside it."""
    if _is_state(contents):
        return {str(key): _as_tensor(value) for key, value in contents.items()}, ()
    found = dict(_states_in(contents)) if isinstance(contents, Mapping) else {}
    for name in _NAMES:
        below = [path for path in found if path.split(".")[0] == name]
        if len(below) == 1:
            return found.pop(below[0]), tuple(sorted(found))
    if len(found) == 1:
        return next(iter(found.values())), ()
    if found:
        raise ValueError(
            f"there are several state dicts, under {', '.join(sorted(found))}: load the right one, "
            "load_weights(model, torch.load(path, weights_only=True)[NAME])"
        )
    came = f"a dict with {some([str(key) for key in contents])}" if isinstance(contents, Mapping) and contents else (
        "an empty dict" if isinstance(contents, Mapping) else f"a {type(contents).__name__}"
    )  # fmt: skip
    raise ValueError(
        f"no state dict found in {came}: expected names with tensors, bare or under a name such as 'model', "
        "'state_dict' or 'model_state'"
    )


def _states_in(contents: Mapping[Any, Any], path: str = "", depth: int = 3) -> Iterator[tuple[str, State]]:
    """Dicts of arrays inside of a dict, by their path."""
    for key, value in contents.items():
        name = f"{path}{key}"
        if not isinstance(value, Mapping) or any(word in str(key).lower() for word in _NO_NETWORK):
            continue
        if _is_state(value):
            yield name, {str(inner): _as_tensor(array) for inner, array in value.items()}
        elif depth > 1:
            yield from _states_in(value, f"{name}.", depth - 1)


def _is_state(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and len(value) > 0
        and all(isinstance(key, str) for key in value)
        and all(isinstance(item, Tensor | np.ndarray) for item in value.values())
    )


def _as_tensor(value: Tensor | np.ndarray) -> Tensor:
    return value if isinstance(value, Tensor) else torch.from_numpy(np.array(value))


def without_wrappers(state: State) -> tuple[State, tuple[str, ...]]:
    """Names without what compiled, distributed and averaged networks put before them, however often."""
    dropped = tuple(key for key in ("n_averaged",) if key in state)  # of AveragedModel
    state = {key: value for key, value in state.items() if key not in dropped}
    for inside in WRAPPED[1:]:  # names that no network has, wherever they stand
        state = {key.replace(f"{inside}.", ""): value for key, value in state.items()}
    while state and all(key.startswith("module.") for key in state):
        state = {key.removeprefix("module."): value for key, value in state.items()}
    return state, dropped


def without_prefix(state: State, fits: Callable[[State], bool]) -> tuple[State, tuple[str, ...]]:
    """The part of a state dict that is the network, where a program keeps it under a name of its own.

    Lightning's files call everything ``model.`` or as the attribute is called, and hold a loss or a metric beside it.

    Args:
        state: Arrays that fit no network as they are.
        fits: Whether arrays fit.

    Returns:
        The arrays without their prefix, and the keys that are not among them; the arrays as they came if none fits.
    """
    parts = [key.split(".") for key in state]
    prefixes = {".".join(part[:length]) + "." for part in parts for length in range(1, min(len(part), 4))}
    for prefix in sorted(prefixes, key=lambda prefix: (prefix.count("."), prefix)):
        inside = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        if 2 * len(inside) > len(state) and fits(inside):
            return inside, tuple(key for key in state if not key.startswith(prefix))
    return state, ()
