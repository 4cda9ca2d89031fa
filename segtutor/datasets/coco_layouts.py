"""Where COCO, and the tools that write its format, put annotation files and the pictures that these name."""

from __future__ import annotations

from pathlib import Path

from segtutor.datasets.coco_json import CocoFile
from segtutor.datasets.coco_pictures import find_picture
from segtutor.datasets.opening import is_hidden
from segtutor.datasets.pairing import MASK_FOLDERS, has_images

_ROBOFLOW = "_annotations.coco.json"
# Files of COCO's own archives that say nothing about masks: sentences, and lists of pictures without annotations.
_WITHOUT_MASKS = ("captions_", "image_info_")
_TASKS = ("person_keypoints_", "instances_", "panoptic_", "stuff_")
_PICTURES = ("images", "JPEGImages")


def is_coco(root: Path) -> bool:
    """Whether a folder has annotation files where COCO, CVAT, Roboflow, labelme2coco or Label Studio put them."""
    annotations = root / "annotations"
    # Beside masks in a folder of this name, a JSON file is a table of classes or a program's own.
    is_folder_of_masks = annotations.is_dir() and has_images(annotations)
    return (bool(_of_annotations(root)) and not is_folder_of_masks) or bool(_of_roboflow(root) or _of_root(root))


def annotation_files(root: Path) -> list[Path]:
    """The files of a folder that annotate masks; captions and mere lists of pictures are left out."""
    files = _of_annotations(root) + _of_roboflow(root)
    return [path for path in files or _of_root(root) if not path.name.startswith(_WITHOUT_MASKS)]


def split_of(path: Path) -> str:
    """The split that the name of an annotation file says: train2017 of instances_train2017.json."""
    if path.name == _ROBOFLOW:
        return path.parent.name
    task = next((task for task in _TASKS if path.stem.startswith(task)), "")
    return path.stem.removeprefix(task) if task or "_" not in path.stem else path.stem.partition("_")[2]


def folder_of(file: CocoFile, root: Path) -> Path:
    """The folder of the pictures of a file: the one that has the first of them, or else the first that exists."""
    if file.path.name == _ROBOFLOW:
        return file.path.parent
    split = split_of(file.path)
    places = [root / split, *(root / folder / split for folder in _PICTURES)]
    places += [*(root / folder for folder in _PICTURES), root]
    for entry in file.images[:1]:
        for place in places:
            if find_picture(place, entry["file_name"]).is_file():
                return place
    return next((place for place in places[:-1] if place.is_dir()), places[0])


def _of_annotations(root: Path) -> list[Path]:
    return [path for path in sorted(root.glob("annotations/*.json")) if not is_hidden(path)]


def _of_roboflow(root: Path) -> list[Path]:
    return sorted([*root.glob(_ROBOFLOW), *root.glob(f"*/{_ROBOFLOW}")])


def _of_root(root: Path) -> list[Path]:
    """Annotation files beside the folder of pictures, known by the names of their lists; not where masks are, too."""
    if any((root / name).is_dir() for name in MASK_FOLDERS if name != "annotations"):
        return []
    return [path for path in sorted(root.glob("*.json")) if not is_hidden(path) and _has_lists(path)]


def _has_lists(path: Path) -> bool:
    try:
        text = path.read_bytes().replace(b"\0", b"")  # zeros are between the letters of UTF-16
    except OSError:
        return False
    return all(f'"{key}"'.encode() in text for key in ("images", "annotations", "categories"))
