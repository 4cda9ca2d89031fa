"""Targets that all data sets share: instances as torchvision's detectors take them, panoptic segments.

R objects, H W picture. Boxes are continuous: the right and lower edge lie one past the last pixel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torchvision import tv_tensors


def tight_box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """x0 y0 x1 y1 around the true pixels of H x W, the last two exclusive."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def instance_target(
    masks: Sequence[np.ndarray],
    labels: Sequence[int],
    size: tuple[int, ...],
    image_id: Any,
    boxes: Sequence[Sequence[float]] | None = None,
    crowd: Sequence[int] | None = None,
) -> dict[str, Any]:
    """A detection target: boxes (R x 4, XYXY), labels (R), masks (R x H x W bool), image_id, area, iscrowd.

    Args:
        masks: R masks of H x W.
        labels: R class numbers.
        size: Height and width, which R = 0 masks do not tell.
        image_id: Whatever names the picture.
        boxes: R boxes, x0 y0 x1 y1; drawn tight around the masks if None.
        crowd: R flags; 0 for all if None.
    """
    height, width = size
    count = len(masks)
    stacked = np.stack(list(masks)).astype(bool, copy=False) if count else np.zeros((0, height, width), dtype=bool)
    corners = [tight_box(mask) for mask in stacked] if boxes is None else [tuple(box) for box in boxes]
    return {
        "boxes": tv_tensors.BoundingBoxes(
            torch.tensor(corners, dtype=torch.float32).reshape(count, 4), format="XYXY", canvas_size=(height, width)
        ),
        "labels": torch.tensor(list(labels), dtype=torch.int64),
        "masks": tv_tensors.Mask(torch.from_numpy(stacked)),
        "image_id": image_id,
        "area": torch.tensor([np.count_nonzero(mask) for mask in stacked], dtype=torch.float32),
        "iscrowd": torch.tensor([0] * count if crowd is None else list(crowd), dtype=torch.int64),
    }


def segment_ids(colors: np.ndarray) -> np.ndarray:
    """Ids in a panoptic PNG, H x W x 3 -> H x W int64: R + 256 G + 256 * 256 B; 0 is void."""
    ids = colors[..., 2].astype(np.int64)
    for channel in (1, 0):
        ids <<= 8
        ids += colors[..., channel]
    return ids


def segment_ids_of(image: Image.Image) -> np.ndarray:
    """The same of an opened PNG of mode RGB or RGBA, in a third of the time, for its pixels take four bytes in Pillow.

    Raises:
        ValueError: If it has another mode.
    """
    if image.mode not in ("RGB", "RGBA"):
        raise ValueError(f"a panoptic PNG is an RGB image of ids R + 256 G + 65536 B, but its mode is {image.mode}")
    words = np.frombuffer(image.tobytes("raw", "RGBX" if image.mode == "RGB" else "RGBA"), "<u4")
    return (words & 0xFFFFFF).astype(np.int64).reshape(image.height, image.width)


def segment_colors(ids: np.ndarray) -> np.ndarray:
    """The inverse, H x W -> H x W x 3 uint8.

    Raises:
        ValueError: If an id is negative or does not fit into 24 bits.
    """
    if ids.size and not (ids.min() >= 0 and ids.max() < 1 << 24):
        raise ValueError(f"panoptic ids must lie in 0...{(1 << 24) - 1}, but there are {ids.min()}...{ids.max()}")
    return np.stack([ids & 255, (ids >> 8) & 255, ids >> 16], axis=-1).astype(np.uint8)


def describe_segments(ids: np.ndarray) -> dict[int, dict[str, Any]]:
    """Area and box (x, y, width, height) of every id in a panoptic map H x W but void, by rising id."""
    if not ids.size:
        return {}
    width = ids.shape[1]
    # Runs of one id within a row: there are far fewer of them than pixels.
    flat = ids.ravel()
    begins = np.concatenate([[True], flat[1:] != flat[:-1]])
    begins[::width] = True
    starts = np.flatnonzero(begins)
    lengths = np.diff(starts, append=flat.size)
    values = flat[starts]
    order = np.argsort(values, kind="stable")
    values, starts, lengths = values[order], starts[order], lengths[order]
    first = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    rows, left = np.divmod(starts, width)
    x0, x1 = np.minimum.reduceat(left, first), np.maximum.reduceat(left + lengths, first)
    y0, y1 = np.minimum.reduceat(rows, first), np.maximum.reduceat(rows, first) + 1
    boxes = np.stack([x0, y0, x1 - x0, y1 - y0], axis=1).tolist()
    areas = np.add.reduceat(lengths, first).tolist()
    table = zip(values[first].tolist(), areas, boxes, strict=True)
    return {number: {"area": area, "bbox": box} for number, area, box in table if number != 0}


def check_segments(drawn: Iterable[int], listed: Sequence[int], path: Path | str, where: str) -> None:
    """Raise ValueError if a panoptic PNG, with the ids ``drawn``, and its JSON do not name the same segments."""
    drawn = set(drawn) - {0}
    if len(set(listed)) != len(listed):
        twice = sorted({number for number in listed if list(listed).count(number) > 1})
        raise ValueError(f"{where} lists segment id {twice[0]} of {path} more than once")
    for only, text in (
        (drawn - set(listed), f"is drawn in the file, but {where} does not list it"),
        (set(listed) - drawn, f"is listed in {where}, but not a pixel of the file has it"),
    ):
        if only:
            raise ValueError(f"{path}: segment id {min(only)} {text} ({len(only)} such id(s))")


def is_panoptic(target: Any) -> bool:
    """Whether a target is a dict of a map of segment ids and their list."""
    return isinstance(target, dict) and "segments" in target and "segments_info" in target


def with_list_of(target: dict[str, Any]) -> dict[str, Any]:
    """A panoptic target whose list fits its map again: what is left of each segment, its area and box.

    Raises:
        ValueError: If the map has an id that the list does not have.
    """
    ids = torch.as_tensor(target["segments"]).detach().cpu().numpy()
    if ids.ndim != 2:
        raise ValueError(f"the segments of a panoptic target must be a map H x W of ids, but have shape {ids.shape}")
    drawn = describe_segments(ids)
    listed = {int(item["id"]) for item in target["segments_info"]}
    unknown = drawn.keys() - listed
    if unknown and ids.dtype.kind in "iu" and max(listed, default=0) > np.iinfo(ids.dtype).max:
        raise ValueError(
            f"the panoptic map has become {ids.dtype}, which cannot hold the segment id {max(listed)}: leave maps as "
            "they are, v2.ToDtype({tv_tensors.Image: torch.float32, 'others': None}, scale=True)"
        )
    if unknown:
        raise ValueError(
            f"the panoptic map has the segment id {min(unknown)}, which segments_info does not list ({len(unknown)} "
            "such id(s)); pad panoptic maps with 0, which is void, as the transforms of segtutor do, and never blend"
        )
    left = [item for item in target["segments_info"] if int(item["id"]) in drawn]
    return {**target, "segments_info": [{**item, **drawn[int(item["id"])]} for item in left]}
