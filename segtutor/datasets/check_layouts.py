"""What the files of each layout must be: which belong together, and which values they may hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from segtutor.datasets.check_coco import check_coco
from segtutor.datasets.checker import Checker, Decode, indices_only
from segtutor.datasets.class_tables import FILE_NAMES, read_class_table
from segtutor.datasets.files import check_values, read_list, to_indices
from segtutor.datasets.folder import IMAGE_FOLDERS, MASK_FOLDERS, files_by_stem, find_folder, match_stems
from segtutor.datasets.pascal_context import read_label_map
from segtutor.labels import CITYSCAPES_IDS, PASCAL_CONTEXT_60, VOC2012, LabelSet


def check_layout(checker: Checker) -> str:
    """Recognize the layout, check it, and say what it was taken for."""
    root = checker.root
    kits = sorted(path for path in root.glob("VOCdevkit/VOC*") if path.is_dir())
    if kits:
        return " and ".join([check_kit(checker, kit) for kit in kits])
    if (root / "ImageSets").is_dir() and (root / "JPEGImages").is_dir():
        return check_kit(checker, root)
    if (root / "leftImg8bit").is_dir():
        return check_cityscapes(checker)
    if any(root.glob("annotations/*.json")):
        return check_coco(checker)
    if all((root / f"{split}.txt").is_file() for split in ("train", "val", "test")):
        return check_camvid(checker)
    return check_images_and_masks(checker)


def values_of(labels: LabelSet) -> Decode:
    """A reader that allows the numbers of a label set and its void."""

    def decode(image: Image.Image, path: Path) -> np.ndarray:
        values = to_indices(image, path)
        check_values(values, labels, path)
        return values

    return decode


def _lists(checker: Checker, folder: Path) -> dict[str, list[str]]:
    """The names of each list; a name in train and in val is a finding."""
    lists: dict[str, list[str]] = {}
    # VOC's folder Main has lists for single classes too.
    for path in sorted(path for path in folder.glob("*.txt") if "_" not in path.stem or path.stem == "train_aug"):
        try:
            lists[path.stem] = read_list(path)
        except ValueError as error:
            checker.add(path, "twice" if "more than once" in str(error) else "empty", str(error))
            lists[path.stem] = list(dict.fromkeys(path.read_text(encoding="utf-8").split()))
    if not lists:
        checker.add(folder, "empty", "there is no list of images here")
    both = sorted(set(lists.get("train", [])) & set(lists.get("val", [])))
    if both:
        checker.add(folder, "split", f"{len(both)} images are in train and in val, {both[0]} for one: a leak")
    return lists


def check_kit(checker: Checker, base: Path) -> str:
    """One year of a VOCdevkit, with VOC's own masks or those of PASCAL-Context."""
    context = (base / "SegmentationClassContext").is_dir() or (base / "trainval").is_dir()
    lists_folder = base / "ImageSets" / ("SegmentationContext" if context else "Segmentation")
    if context and not lists_folder.is_dir():
        lists_folder = base / "ImageSets" / "Main"
    names = sorted({name for listed in _lists(checker, lists_folder).values() for name in listed})
    folder = base / ("SegmentationClassContext" if context else "SegmentationClass")
    decode = values_of(PASCAL_CONTEXT_60 if context else VOC2012)
    augmented = base / "SegmentationClassAug"
    for name in names:
        image = base / "JPEGImages" / f"{name}.jpg"
        if folder.is_dir():
            # Only SBD's addition has a mask for every name of trainaug.
            own = folder / f"{name}.png"
            checker.pair(image, own if own.exists() or not augmented.is_dir() else augmented / own.name, decode)
        objects = base / "SegmentationObject" / f"{name}.png"
        if not context and objects.parent.is_dir() and (folder / objects.name).exists():
            checker.pair(image, objects, indices_only)
        if context and (base / "trainval").is_dir():
            _check_mat(checker, image, base / "trainval" / f"{name}.mat")
    for path in sorted(folder.glob("*.png")) if folder.is_dir() else []:
        if path.stem not in names:
            checker.add(path, "alone", "no list names this mask", is_error=False)
    return "PASCAL-Context" if context else "VOC"


def _check_mat(checker: Checker, image: Path, path: Path) -> None:
    try:
        values = read_label_map(path)
    except FileNotFoundError as error:
        checker.add(path, "missing", str(error))
    except ImportError as error:
        checker.add(path.parent, "not read", str(error), is_error=False)
    except ValueError as error:
        checker.add(path, "value" if "holds" in str(error) else "unreadable", str(error))
    else:
        checker.checked += 1
        picture = checker.picture(image)
        if picture is not None and picture[0] != values.shape:
            message = f"it is {values.shape[0]} x {values.shape[1]}, its picture {picture[0][0]} x {picture[0][1]}"
            checker.add(path, "size", message)


def check_cityscapes(checker: Checker) -> str:
    """Fine and coarse labels: ids and instances of every picture."""

    def instances(image: Image.Image, path: Path) -> np.ndarray:
        values = to_indices(image, path).astype(np.int64)
        check_values(np.where(values >= 1000, values // 1000, values), CITYSCAPES_IDS, path)
        return values

    kinds: dict[str, Decode] = {"labelIds": values_of(CITYSCAPES_IDS), "instanceIds": instances}
    modes = [mode for mode in ("gtFine", "gtCoarse") if (checker.root / mode).is_dir()]
    if not modes:
        checker.add(checker.root, "missing", "there are pictures, but neither gtFine nor gtCoarse")
    pictures = sorted(checker.root.glob("leftImg8bit/*/*/*_leftImg8bit.png"))
    if not pictures:
        checker.add(checker.root / "leftImg8bit", "empty", "no picture CITY_NUMBER_FRAME_leftImg8bit.png is in it")
    known = set()
    for path in pictures:
        split, city, name = path.parts[-3], path.parts[-2], path.name.removesuffix("_leftImg8bit.png")
        known.add(name)
        folders = [checker.root / mode / split / city for mode in modes if (checker.root / mode / split).is_dir()]
        for folder in folders:
            for kind, decode in kinds.items():
                checker.pair(path, folder / f"{name}_{folder.parts[-3]}_{kind}.png", decode, kind == "instanceIds")
        if modes and not folders:
            checker.add(path, "missing", f"no labels: {' and '.join(modes)} have no folder {split}")
    for mode in modes:
        for mask in sorted(checker.root.glob(f"{mode}/*/*/*_labelIds.png")):
            if mask.name.removesuffix(f"_{mode}_labelIds.png") not in known:
                checker.add(mask, "alone", "there is no picture for this mask")
    return "Cityscapes"


def check_camvid(checker: Checker) -> str:
    """The pairs of three lists."""
    from segtutor.datasets.camvid import VOID_IN_FILES, read_pairs

    def decode(image: Image.Image, path: Path) -> np.ndarray:
        values = to_indices(image, path)
        if values.max(initial=0) > VOID_IN_FILES:
            raise ValueError(f"{path} holds the value {values.max()}, but CamVid has 0...10, and 11 for void")
        return values

    seen: dict[Path, str] = {}
    for split in ("train", "val", "test"):
        path = checker.root / f"{split}.txt"
        try:
            pairs = read_pairs(checker.root, path)
        except ValueError as error:
            checker.add(path, "list", str(error))
            continue
        for picture, mask in pairs:
            if picture in seen:
                where = "twice in this list" if seen[picture] == split else f"in {seen[picture]}.txt too"
                checker.add(path, "twice", f"{picture.name} stands {where}")
                continue
            seen[picture] = split
            checker.pair(picture, mask, decode)
    return "CamVid"


def check_images_and_masks(checker: Checker) -> str:
    """Someone's own pictures, in one folder or in one for each split."""
    root, found = checker.root, False
    inner = sorted(path.name for path in root.iterdir() if path.is_dir())
    for place in IMAGE_FOLDERS:
        inner += sorted(path.name for path in (root / place).glob("*/")) if (root / place).is_dir() else []
    places = set()
    for split in [None, *inner]:
        try:
            pictures = find_folder(root, split, IMAGE_FOLDERS, "pictures")
            masks = find_folder(root, split, MASK_FOLDERS, "masks")
        except FileNotFoundError:
            continue
        if (pictures, masks) not in places and not (split is None and _only_folders(pictures)):
            places.add((pictures, masks))
            found = True
            _check_pairs(checker, pictures, masks)
    if not found:
        checker.add(
            root, "empty", "no layout is recognized: there is no VOCdevkit, no annotations/*.json, no leftImg8bit, and "
            f"not a folder of pictures ({', '.join(IMAGE_FOLDERS)}) with one of masks ({', '.join(MASK_FOLDERS)})",
        )  # fmt: skip
    return "images and masks" if found else "unknown"


def _only_folders(folder: Path) -> bool:
    items = list(folder.iterdir())
    return bool(items) and all(item.is_dir() for item in items)


def _check_pairs(checker: Checker, images: Path, masks: Path) -> None:
    decode: Decode = indices_only
    for path in (checker.root / name for name in FILE_NAMES):
        if path.is_file():
            try:
                decode = read_class_table(path).decode
            except ValueError as error:
                checker.add(path, "table", str(error))
            break
    pictures, candidates = files_by_stem(images), files_by_stem(masks)
    for folder, found in ((images, pictures), (masks, candidates)):
        if not found:
            checker.add(folder, "empty", "there is no image file in it")
        for same in found.values():
            for other in same[1:]:
                checker.add(other, "twice", f"has the name of {same[0].name}: which of the two belongs to its partner?")
    pairs, without_mask, without_picture = match_stems(pictures, candidates)
    for path in without_mask:
        checker.add(path, "alone", f"the picture has no mask in {masks.name}")
        checker.picture(path)
    for path in without_picture:
        checker.add(path, "alone", f"the mask has no picture in {images.name}")
        checker.mask(path, decode)
    for image, mask in pairs:
        checker.pair(image, mask, decode)
