"""Write a data set to disk in the exact layout of a famous one, so that the code that reads the real one reads it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from segtutor.datasets.exporting.cityscapes import CityscapesWriter
from segtutor.datasets.exporting.coco import CocoWriter
from segtutor.datasets.exporting.pascal_context import PascalContextWriter
from segtutor.datasets.exporting.sample import Sample, samples
from segtutor.datasets.exporting.voc import VOCWriter
from segtutor.datasets.exporting.write import write_json
from segtutor.datasets.files import check_choice
from segtutor.labels import LabelSet

# Says which class became which; also the mark of a folder that `export` wrote and may replace.
MAPPING_FILE = "segtutor_export.json"


class _Writer(Protocol):
    def add(self, split: str, sample: Sample) -> None: ...
    def finish(self) -> None: ...
    def rows(self) -> dict[int, tuple[str, int]]: ...


_WRITERS: dict[str, Callable[[Path, LabelSet, int], _Writer]] = {
    "voc": lambda root, source, singles: VOCWriter(root, source),
    "coco": lambda root, source, singles: CocoWriter(root, source, singles),
    "cityscapes": lambda root, source, singles: CityscapesWriter(root, source),
    "pascal_context": lambda root, source, singles: PascalContextWriter(root, source),
}


def export(
    dataset: Any,
    root: str | Path,
    layout: str = "voc",
    count: int | None = None,
    *,
    singles: int = 6,
    overwrite: bool = False,
) -> Path:
    """Write a data set in the layout of VOC 2012, COCO 2017, Cityscapes or PASCAL-Context.

    Classes keep their meaning, not their number: each takes the number that the target has for its name ("pavement" is
    Cityscapes' sidewalk, 8). What the target has no name for becomes what the target would make of it: background in
    VOC, void in COCO, "static" or "dynamic" in Cityscapes, "unknown" in PASCAL-Context. The file
    ``segtutor_export.json`` in the folder says which became which.

    The folder appears when all of it is written, or not at all.

    Args:
        dataset: Scenes, or another data set of this package with pictures of uint8; or a dict of splits,
            ``{"train": ..., "val": ...}``. A single one becomes the split that its ``split`` names, or train.
        root: The folder to make; ``VOCdevkit``, ``train2017`` or ``leftImg8bit`` come to lie in it.
        layout: "voc", "coco", "cityscapes" or "pascal_context".
        count: How many pictures of each; all if None.
        singles: For COCO: how many objects of a class are drawn one by one in a picture; the smaller others become one
            crowd. COCO's annotators drew 10 to 15.
        overwrite: Whether to replace a folder that an earlier export wrote.

    Returns:
        The folder.

    Raises:
        ValueError: If the layout is unknown, there are fewer pictures than ``count``, or a picture does not fit into
            the layout.
        FileExistsError: If there is something at ``root`` that may not be replaced.

    Example:
        >>> import tempfile
        >>> from segtutor.datasets import Scenes, VOCSegmentation
        >>> root = export(Scenes("train", size=(48, 64)), tempfile.mkdtemp(), layout="voc", count=2)
        >>> len(VOCSegmentation(root, image_set="train"))
        2
    """
    check_choice("layout", layout, _WRITERS)
    splits = dict(dataset) if isinstance(dataset, Mapping) else {_split_of(dataset): dataset}
    if not splits:
        raise ValueError("there is nothing to export: the dict of splits is empty")
    for split, part in splits.items():
        if (count is not None and not 1 <= count <= len(part)) or not len(part):
            raise ValueError(f"count is {count}, but split {split!r} has {len(part)} pictures; give 1 to {len(part)}")
    sources = {part.labels for part in splits.values()}
    if len(sources) != 1:
        raise ValueError(f"the splits have different label sets: {', '.join(sorted(item.title for item in sources))}")
    source: LabelSet = next(iter(sources))
    root = Path(root)
    replace = _may_replace(root, overwrite)
    root.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{root.name}.", dir=root.parent))
    try:
        writer = _WRITERS[layout](temporary, source, singles)
        done = 0
        for split, part in splits.items():
            for sample in samples(part, count, first=done + 1):
                writer.add(split, sample)
                done += 1
        writer.finish()
        write_json(temporary / MAPPING_FILE, _mapping(layout, source, writer.rows()))
        temporary.chmod(0o755)
        if replace:
            shutil.rmtree(root)
        temporary.rename(root)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return root


def read_mapping(root: str | Path) -> dict[str, tuple[str, int] | None]:
    """What became of each class of an exported data set: its name and number there, None for a class without one.

    Raises:
        FileNotFoundError: If `export` did not write this folder.
    """
    path = Path(root) / MAPPING_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: {root} was not written by export")
    classes = json.loads(path.read_text(encoding="utf-8"))["classes"]
    return {item["source"]: None if item["target"] is None else (item["target"], item["number"]) for item in classes}


def _split_of(dataset: Any) -> str:
    for name in ("split", "image_set"):
        value = getattr(dataset, name, None)
        if isinstance(value, str):
            return value.removesuffix("2017")
    return "train"


def _may_replace(root: Path, overwrite: bool) -> bool:
    """Whether there is a folder to take away first."""
    if not root.exists():
        return False
    if not root.is_dir():
        raise FileExistsError(f"{root} is a file; name a folder to make")
    if not any(root.iterdir()):
        return True
    if overwrite and (root / MAPPING_FILE).is_file():
        return True
    reason = "give overwrite=True to replace it" if (root / MAPPING_FILE).is_file() else "export will not replace it"
    raise FileExistsError(f"{root} exists and is not empty: {reason}, or name another folder")


def _mapping(layout: str, source: LabelSet, rows: dict[int, tuple[str, int]]) -> dict[str, Any]:
    classes = []
    for number, name in enumerate(source.names):
        target, value = rows.get(number, (None, None))
        classes.append({"source": name, "source_number": number, "target": target, "number": value})
    return {"layout": layout, "source": source.title, "void_in_source": source.ignore_index, "classes": classes}
