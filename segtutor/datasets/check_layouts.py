"""What the files of each layout must be: which belong together, and which of the loaders' readers reads them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

from segtutor.datasets import camvid
from segtutor.datasets.check_coco import check_coco
from segtutor.datasets.check_own import check_images_and_masks, check_pairs, table_reader
from segtutor.datasets.checker import Checker
from segtutor.datasets.cityscapes import PICTURE, label_file, pictures_in, read_ids
from segtutor.datasets.coco_layouts import is_coco
from segtutor.datasets.folder import table_file
from segtutor.datasets.lists import names_in, read_pairs, text_files, twice_in
from segtutor.datasets.opening import is_hidden
from segtutor.datasets.pascal_context import read_label_map, read_png
from segtutor.datasets.penn_fudan import MASKS, PICTURES, find_root, read_people
from segtutor.datasets.voc import Kit, read_classes, read_objects


def check_layout(checker: Checker) -> str:
    """Recognize the layout, check it, and say what it was taken for."""
    root = checker.root
    kits = sorted(path for path in root.glob("VOCdevkit/VOC*") if path.is_dir())
    if not kits and (root / "ImageSets").is_dir() and (root / "JPEGImages").is_dir():
        kits = [root]
    checks: list[tuple[str, Callable[[], str]]] = [("VOC", lambda kit=kit: check_kit(checker, kit)) for kit in kits]  # type: ignore[misc]
    if not checks:
        checks = [_check_of(checker)]
    return " and ".join([checker.attempt(root, check) or name for name, check in checks])


def _check_of(checker: Checker) -> tuple[str, Callable[[], str]]:
    """The check of a folder that is no VOCdevkit, and its name."""
    root = checker.root
    if (root / "leftImg8bit").is_dir():
        return "Cityscapes", lambda: check_cityscapes(checker)
    if is_coco(root):
        return "COCO", lambda: check_coco(checker)
    if all((root / f"{split}.txt").is_file() for split in ("train", "val", "test")):
        return "CamVid", lambda: check_camvid(checker)
    if find_root(root) is not None:
        return "Penn-Fudan", lambda: check_penn_fudan(checker)
    return "images and masks", lambda: check_images_and_masks(checker)


def _lists(checker: Checker, folder: Path, pictures: Path) -> dict[str, list[str]]:
    """The names of each list; a name in train and in val is a finding."""
    lists: dict[str, list[str]] = {}
    # VOC's folder Main has lists for single classes too.
    for path in (path for path in text_files(folder) if "_" not in path.stem or path.stem == "train_aug"):
        names = checker.attempt(path, lambda path=path: names_in(path, pictures))  # type: ignore[misc]
        if names is None:
            continue
        if not names:
            checker.add(path, "empty", "it lists no image")
        twice = twice_in(names)
        if twice:
            checker.add(path, "twice", f"lists {len(twice)} image(s) more than once: {', '.join(twice[:5])}")
        lists[path.stem] = names
    if not text_files(folder):
        checker.add(folder, "empty", "there is no list of images here")
    both = sorted(set(lists.get("train", [])) & set(lists.get("val", [])))
    if both:
        checker.add(folder, "split", f"{len(both)} images are in train and in val, {both[0]} for one: a leak")
    return lists


def check_kit(checker: Checker, base: Path) -> str:
    """One year of a VOCdevkit: VOC's own masks, those of PASCAL-Context, or classes of a table beside them."""
    mats = next((place / "trainval" for place in (base, checker.root) if (place / "trainval").is_dir()), None)
    if (base / "SegmentationClassContext").is_dir() or mats is not None:
        return _check_context(checker, base, mats)
    lists = _lists(checker, base / "ImageSets" / "Segmentation", base / "JPEGImages")
    names = sorted({name for listed in lists.values() for name in listed})
    kit, augmented = Kit(base), Kit(base, "SegmentationClassAug")
    table = table_file(base, None)
    if table is not None:  # CVAT and labelme write their own classes in VOC's folders
        read = table_reader(checker, table)
        for name in checker.each(names, "masks"):
            checker.pair(kit.picture(name), kit.mask(name), read)
        return "VOC folders with classes of your own"
    if not (base / kit.masks).is_dir() and not (base / augmented.masks).is_dir():
        checker.add(base / kit.masks, "missing", "there are no masks, so there is nothing to learn segmentation from")
        return "VOC"
    for name in checker.each(names, "VOC"):
        # Only SBD's addition has a mask for every name of trainaug.
        own = kit if kit.mask(name).exists() or not (base / augmented.masks).is_dir() else augmented
        _check_voc(checker, own, name)
    _look_for_unlisted(checker, base / kit.masks, names)
    return "VOC"


def _look_for_unlisted(checker: Checker, masks: Path, names: list[str]) -> None:
    listed = set(names)
    for path in sorted(masks.glob("*.png")) if masks.is_dir() else []:
        if unicodedata.normalize("NFC", path.stem) not in listed and not is_hidden(path):
            checker.add(path, "alone", "no list names this mask", is_error=False)


def _check_voc(checker: Checker, kit: Kit, name: str) -> None:
    """Classes and objects of a picture, as both kinds of targets are made of them."""
    labels = checker.pair(kit.picture(name), kit.mask(name), read_classes)
    path = kit.objects(name)
    if not path.parent.is_dir() or kit.masks != "SegmentationClass" or not kit.mask(name).exists():
        return
    if labels is None:
        checker.mask(path, read_objects)
    else:
        checker.mask(path, lambda _: kit.instances(name, labels, name))


def _check_context(checker: Checker, base: Path, mats: Path | None) -> str:
    folder = base / "ImageSets" / "SegmentationContext"
    pictures, masks = base / "JPEGImages", base / "SegmentationClassContext"
    lists = _lists(checker, folder if folder.is_dir() else folder.with_name("Main"), pictures)
    names = sorted({name for listed in lists.values() for name in listed})
    kit = Kit(base, masks.name)
    for name in checker.each(names, "PASCAL-Context"):
        if masks.is_dir():
            checker.pair(kit.picture(name), kit.mask(name), read_png)
        if mats is not None:
            checker.pair(kit.picture(name), mats / f"{name}.mat", read_label_map)
    _look_for_unlisted(checker, masks, names)
    return "PASCAL-Context"


def check_cityscapes(checker: Checker) -> str:
    """Fine and coarse labels: ids and instances of every picture."""
    root = checker.root
    modes = [root / mode for mode in ("gtFine", "gtCoarse") if (root / mode).is_dir()]
    if not modes:
        checker.add(root, "missing", "there are pictures, but neither gtFine nor gtCoarse")
    splits = sorted(p for p in (root / "leftImg8bit").iterdir() if p.is_dir() and not is_hidden(p))
    pictures = [path for split in splits for path in pictures_in(split)]
    if not pictures:
        checker.add(root / "leftImg8bit", "empty", f"no picture CITY_NUMBER_FRAME{PICTURE} is in it")
    known = {path.name.removesuffix(PICTURE) for path in pictures}
    for path in checker.each(pictures, "Cityscapes"):
        split = path.parts[-3]
        folders = [mode for mode in modes if (mode / split).is_dir()]
        for mode in folders:
            for kind in ("labelIds", "instanceIds"):
                checker.pair(path, label_file(path, mode, kind), read_ids, kind == "instanceIds")
        if modes and not folders:
            names = " and ".join(mode.name for mode in modes)
            checker.add(path, "missing", f"no labels: {names} have no folder {split}")
    for mode in modes:
        for mask in sorted(mode.glob("*/*/*_labelIds.png")):
            if mask.name.removesuffix(f"_{mode.name}_labelIds.png") not in known and not is_hidden(mask):
                checker.add(mask, "alone", "there is no picture for this mask")
    return "Cityscapes"


def check_camvid(checker: Checker) -> str:
    """The pairs of three lists."""
    seen: dict[Path, str] = {}
    for split in ("train", "val", "test"):
        path = checker.root / f"{split}.txt"
        pairs = checker.attempt(path, lambda path=path: read_pairs(checker.root, path))  # type: ignore[misc]
        for picture, mask in checker.each(pairs or [], split):
            if picture in seen:
                where = "twice in this list" if seen[picture] == split else f"in {seen[picture]}.txt too"
                checker.add(path, "twice", f"{picture.name} stands {where}")
                continue
            seen[picture] = split
            checker.pair(picture, mask, camvid.read_classes)
    return "CamVid"


def check_penn_fudan(checker: Checker) -> str:
    """Pictures, and masks whose numbers are people."""
    base = find_root(checker.root) or checker.root
    pictures = next(base / name for name in PICTURES if (base / name).is_dir())
    check_pairs(checker, pictures, base / MASKS, read_people)
    return "Penn-Fudan"
