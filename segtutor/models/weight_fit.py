"""Whether arrays of a file fit a network, key by key and shape by shape; where not, what would make them fit."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from torch import nn

from segtutor.models.layout_rules import State, some
from segtutor.models.layouts import find_layout


@dataclass(frozen=True)
class LoadReport:
    """What `load_weights` did.

    Attributes:
        layout: Name of the rename table.
        loaded: Our keys that now hold the source's arrays.
        dropped: Keys of the source that have no place in the network.
        untouched: Our keys that stay as they were.
        remark: What the source does not say, and what was assumed; empty if it says everything.
        kept_classes: Classes whose rows of the replaced last layers are the source's, since it names them, too.
    """

    layout: str
    loaded: tuple[str, ...]
    dropped: tuple[str, ...]
    untouched: tuple[str, ...]
    remark: str = ""
    kept_classes: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = f"{len(self.loaded)} arrays loaded (layout {self.layout})"
        if self.dropped:
            text += f"; not used from the file: {some(self.dropped)}"
        if self.untouched:
            text += f"; left as they were: {some(self.untouched)}"
        if self.kept_classes:
            text += f"; last layers: the rows of {some(list(self.kept_classes))} kept"
        return f"{text}; {self.remark}" if self.remark else text


def fits(own: set[str], arrays: State) -> bool:
    """Whether the names are those of the network, or of a layout that is known."""
    if len(own & arrays.keys()) == len(arrays):
        return True
    try:
        find_layout(own, arrays)
    except ValueError as error:
        return "weights of a classifier" in str(error)
    return True


def covers_head(model: nn.Module, state: State) -> bool:
    """Whether the layers that give the classes their meaning are among the arrays."""
    layers: tuple[str, ...] = model.final_layers() if hasattr(model, "final_layers") else ()  # type: ignore[operator]
    return all(any(key.startswith(f"{layer}.") for key in state) for layer in layers[:1]) or not layers


def check_shapes(model: nn.Module, state: State, different: list[str], replace_head: bool) -> None:
    """Refuses arrays of another shape, except those of the final layers if these are to be replaced.

    Raises:
        ValueError: If there are some.
    """
    own = model.state_dict()
    layers: tuple[str, ...] = model.final_layers() if hasattr(model, "final_layers") else ()  # type: ignore[operator]
    only_head = all(key.rpartition(".")[0] in layers for key in different)
    if not different or (only_head and replace_head):
        return
    listing = some([f"{key} {tuple(state[key].shape)} for {tuple(own[key].shape)}" for key in different])
    if only_head:
        remedy = (
            "the number of classes differs: create the network with the file's, num_classes=..., or say "
            "replace_head=True to train its last layers anew (on the command line --num-classes and --replace-head)"
        )
    else:
        remedy = "it is another network, or built with other options"
    raise ValueError(f"these arrays of the file do not fit (file's shape for the network's): {listing}; {remedy}")


def check_keys(came: AbstractSet[str], wanted: set[str], layout: str) -> None:
    """Refuses arrays of other names than the network's, and says which option would change that.

    Raises:
        ValueError: If names are missing or too many.
    """
    missing, surplus = sorted(wanted - came), sorted(came - wanted)
    if not missing and not surplus:
        return
    parts = []
    if missing:
        parts.append(f"the file lacks {some(missing)}")
    if surplus:
        parts.append(f"the network has no {some(surplus)}")
    remedy = "is it another network, or was it built with other options?"
    if missing and all(key.startswith("aux_classifier.") for key in missing):
        remedy = "create the network with aux=False"
    elif layout == "vainf_deeplabv3plus":
        remedy = "create the network with variant='port', which has one convolution in the decoder"
    elif layout == "mmseg_segformer":
        remedy = "create the network with decoder='mmseg', whose head has a batch norm for each stage"
    elif layout == "torchvision" and "classifier.4.weight" in surplus and "classifier.1.bias" in missing:
        remedy = "create the network with variant='torchvision', which has one more convolution in its head"
    elif layout == "onnx_u2net" and "encoder.0.inlet.1.weight" in missing:
        remedy = "create the network with norm='folded': the file's batch norms were multiplied into its convolutions"
    elif "backbone.conv1.weight" in surplus and "backbone.conv1.0.weight" in missing:
        remedy = "the file's ResNet begins with one 7 x 7 convolution: create the network with stem='7x7'"
    raise ValueError(f"the keys do not fit (layout {layout!r}): {'; '.join(parts)}; {remedy}")
