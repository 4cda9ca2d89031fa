"""Networks for other programs: one graph for any batch, height and width, checked against the network at other sizes.

    network --> torch.export, with letters for sizes --> .pt2, or ONNX --> read again --> the same logits?

Shapes: B images, K classes, H W input.
"""

from __future__ import annotations

import importlib.util
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from segtutor.files import replacing
from segtutor.inference.predict import check_semantic, evaluating, preprocessing_of
from segtutor.models.sizes import crop
from segtutor.models.wrappers import class_names_of, inner

ENDINGS = {"onnx": ".onnx", "torch": ".pt2"}
SIDES = (64, 16384)  # least and largest height and width of the graph's pictures
BATCHES = (1, 1024)
TRACED = (2, 3, 97, 129)
CHECKED = ((1, 3, 150, 111), (3, 3, 65, 200))
TOLERANCE = 1e-4  # of a logit, or of the largest one where that is above 1
NEEDED = ("onnx", "onnxscript", "onnxruntime")


class Exported(nn.Module):
    """A network with one output, and, if wanted, with what comes before and after it.

    Args:
        model: Semantic network.
        pictures: Whether the input is RGB from 0 to 1, normalized and padded inside; else it is what
            ``model.preprocessing`` makes of it.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, model: nn.Module, pictures: bool = False) -> None:
        super().__init__()
        self.model, self.pictures = model, pictures
        self.preprocessing = preprocessing_of(model)
        for name in ("mean", "std"):
            values = torch.tensor(getattr(self.preprocessing, name))[:, None, None]
            self.register_buffer(name, values, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """B x 3 x H x W to logits B x K x H x W."""
        size = (images.shape[-2], images.shape[-1])
        if self.pictures:
            images = (images - self.mean) / self.std
            if self.preprocessing.multiple > 1 or self.preprocessing.smallest > 1:
                images = self.preprocessing.pad(images)
        logits: Tensor = self.model(images)["out"]
        return crop(logits, size) if self.pictures else logits


def check_packages(kind: str) -> None:
    """Refuses ONNX where what makes and checks it is missing.

    Raises:
        ValueError: If it is.
    """
    missing = [name for name in NEEDED if kind == "onnx" and importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(
            f"ONNX needs {', '.join(missing)}: pip install {' '.join(missing)}; --format torch needs nothing more"
        )


def export(model: nn.Module, path: str | Path, kind: str = "onnx", pictures: bool = False) -> float:
    """Writes a semantic network as a graph for any batch, height and width, and reads it again to compare.

    Args:
        model: Semantic network on the CPU; left as it was.
        path: The file; it is written only if the comparison is good.
        kind: "onnx", or "torch" for PyTorch's own format, which ``torch.export.load`` reads.
        pictures: See `Exported`.

    Returns:
        The largest difference between the graph's logits and the network's, at two sizes that the exporter did not
        see, as a share of the largest logit where that is above 1.

    Raises:
        ValueError: If it is no semantic network, a package is missing, or the graph computes something else.
    """
    if kind not in ENDINGS:
        raise ValueError(f"the format is {kind!r}, but must be {' or '.join(ENDINGS)}")
    check_semantic(model)
    if hasattr(inner(model), "score_map") or not hasattr(inner(model), "final_layers"):
        raise ValueError(f"{type(model).__name__} gives no label map: only semantic networks are exported")
    check_packages(kind)
    whole, path = Exported(model, pictures), Path(path)
    training = [module for module in whole.modules() if module.training]
    whole.eval()
    try:
        program = _trace(whole)
        with replacing(path) as temporary:
            write, read = (_write_onnx, _read_onnx) if kind == "onnx" else (_write_torch, _read_torch)
            write(program, temporary, _notes(model, pictures))
            return _difference(whole, read(temporary))
    finally:
        for module in training:
            module.training = True


def _sizes() -> tuple[dict[int, Any], ...]:
    """What is left open in the shape of the input."""
    limits = {0: ("batch", BATCHES), 2: ("height", SIDES), 3: ("width", SIDES)}
    return ({axis: torch.export.Dim(name, min=low, max=high) for axis, (name, (low, high)) in limits.items()},)


def _trace(whole: Exported) -> Any:
    """The graph, with letters for batch, height and width."""
    try:
        with torch.no_grad():
            return torch.export.export(whole, (torch.rand(TRACED),), dynamic_shapes=_sizes(), strict=False)
    except Exception as error:  # the exporter raises types of its own, and pages of text
        reason = (str(error).splitlines() or [""])[0]
        raise ValueError(
            f"torch.export cannot follow {type(whole.model).__name__} for all sizes ({type(error).__name__}: {reason})"
        ) from error


def _notes(model: nn.Module, pictures: bool) -> dict[str, str]:
    """What the user of the graph must know, as text."""
    preprocessing, names = preprocessing_of(model), class_names_of(model)
    config = getattr(model, "config", None)
    wanted = "RGB from 0 to 1" if pictures else "RGB from 0 to 1, minus mean, divided by std"
    return {
        "network": config.name if config is not None else type(model).__name__,
        "input": f"B x 3 x H x W, {wanted}",
        "output": "logits B x K x H x W",
        "mean": json.dumps(preprocessing.mean),
        "std": json.dumps(preprocessing.std),
        "classes": json.dumps(names),
    }


def _write_onnx(program: Any, path: Path, notes: Mapping[str, str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter tells of its own insides
        graph = torch.onnx.export(
            program,
            (),
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=_sizes(),  # here for their names only
            dynamo=True,
            verbose=False,
        )
    assert graph is not None
    graph.model.metadata_props.update(notes)
    graph.save(str(path), external_data=False)


def _read_onnx(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda images: torch.from_numpy(session.run(None, {"images": images.numpy()})[0])


def _write_torch(program: Any, path: Path, notes: Mapping[str, str]) -> None:
    torch.export.save(program, path, extra_files={"notes.json": json.dumps(dict(notes), indent=2)})


def _read_torch(path: Path) -> Any:
    return torch.export.load(path).module()


def _difference(whole: Exported, read: Any) -> float:
    """The largest difference, looked for at other sizes than the traced one.

    Raises:
        ValueError: If it is too large.
    """
    largest, generator = 0.0, torch.Generator().manual_seed(0)
    for size in CHECKED:
        images = torch.rand(size, generator=generator)
        with evaluating(whole):
            wanted = whole(images)
            found = read(images)
        difference = float((found - wanted).abs().max() / wanted.abs().max().clamp(min=1))
        if not difference <= TOLERANCE:
            raise ValueError(
                f"for a batch of {tuple(size)} the graph's logits differ by {difference:.2g} from the network's: it "
                "was not written"
            )
        largest = max(largest, difference)
    return largest
