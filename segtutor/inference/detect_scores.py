"""The score of a detector: a data set in, COCO's twelve numbers out.

Shapes: H W the picture, R detections, G objects of the ground truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from segtutor.bars import tqdm
from segtutor.inference.detect import check_classes, detect, draws_masks
from segtutor.inference.samples import check_sendable, in_one_sentence, label_set, place_of, read_item
from segtutor.metrics import coco_curves, rle


@dataclass(frozen=True)
class DetectorEvaluation:
    """What ``evaluate_detector`` found.

    Attributes:
        boxes: COCO's scores by boxes: AP, AP50, AP75, APs, APm, APl, AR1, AR10, AR100, ARs, ARm, ARl; -1 where there
            was nothing to be found.
        masks: The same by masks; None if the network draws none.
        per_class: Class name to its scores, by masks if there are any, else by boxes; classes with an object only.
        images: Number of pictures.
        objects: Number of objects in them.
    """

    boxes: dict[str, float]
    masks: dict[str, float] | None
    per_class: dict[str, dict[str, float]]
    images: int
    objects: int

    def __str__(self) -> str:
        width = max([len(name) for name in self.per_class] + [len("all, by boxes")])
        rows = [*self.per_class.items(), ("all, by boxes", self.boxes)]
        if self.masks is not None:
            rows.append(("all, by masks", self.masks))
        lines = [f"{'':{width}}      AP    AP50    AP75"]
        lines += [
            f"{name:{width}}" + "".join(f"  {100 * scores[key]:6.2f}" for key in ("AP", "AP50", "AP75"))
            for name, scores in rows
        ]
        kind = "masks" if self.masks is not None else "boxes"
        lines.append(f"in %, classes by {kind}; {self.images} images, {self.objects} objects")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class DetectedPicture:
    """A picture that ``evaluate_detector`` has just looked at.

    Attributes:
        index: Its place in the data set.
        image: 3 x H x W, as the data set gives it.
        target: Its objects, as the data set gives them.
        found: What ``detect`` found in it.
        truth: Its objects as a COCO file.
        results: What was found, as COCO's results, in the order of ``found``.
    """

    index: int
    image: Tensor
    target: Mapping[str, Any]
    found: dict[str, Tensor]
    truth: dict[str, Any]
    results: list[dict[str, Any]]


def evaluate_detector(
    model: nn.Module,
    dataset: Any,
    *,
    area_ranges: Mapping[str, tuple[float, float]] | None = None,
    num_workers: int = 0,
    progress: bool = True,
    each: Callable[[DetectedPicture], None] | None = None,
) -> DetectorEvaluation:
    """COCO's scores of a detector on a data set. The model is left as it was: mode, running statistics and device.

    Args:
        model: Detector with as many classes as the data set, background included.
        dataset: ``dataset[i]`` is (image, target), the target a dict of boxes G x 4, labels G and masks G x H x W, and
            maybe iscrowd G; ``dataset.labels`` a LabelSet.
        area_ranges: See ``evaluate_coco``. COCO's small objects, below 32 x 32 pixels, are large in a tiny picture.
        num_workers: Processes that load pictures.
        progress: Show a progress bar.
        each: Called with every picture as soon as it was looked at.

    Raises:
        ValueError: If the data set is empty or has no ``labels``, if the network is no detector or has another number
            of classes, or if a target has no masks although the network draws them.
    """
    scores = CocoScores(model, dataset)
    scores.look_at(range(len(dataset)), num_workers, progress, each)
    return scores.joined([scores.found], area_ranges)


class CocoScores:
    """COCO's scores of a detector, whose pictures may be looked at in parts, by several processes.

    Args:
        model: As in ``evaluate_detector``.
        dataset: As in ``evaluate_detector``.

    Attributes:
        found: What was looked at: of each picture its number, its part of a COCO file, and its detections.
    """

    def __init__(self, model: nn.Module, dataset: Any) -> None:
        check_classes(model, dataset)
        if len(dataset) == 0:
            raise ValueError("the data set to evaluate on is empty")
        self.model, self.dataset, self.with_masks = model, dataset, draws_masks(model)
        self.labels = label_set(dataset)
        self.found: list[tuple[int, dict[str, Any], list[dict[str, Any]]]] = []

    def look_at(
        self,
        indices: Iterable[int],
        num_workers: int = 0,
        progress: bool = False,
        each: Callable[[DetectedPicture], None] | None = None,
    ) -> None:
        """Finds the objects of some of the pictures; the other arguments are those of ``evaluate_detector``."""
        indices = list(indices)
        check_sendable(self.dataset, num_workers)
        loader = DataLoader(
            _Items(self.dataset, indices),
            batch_size=None,
            num_workers=num_workers,
            collate_fn=_as_it_is,
            generator=torch.Generator(),  # else the loader would draw from the caller's
        )
        pictures = tqdm(loader, "evaluate", leave=False, unit="image", disable=not progress, total=len(indices))
        try:
            for number, (image, target) in zip(indices, pictures, strict=True):
                truth = coco_ground_truth(self.labels.names)
                try:
                    add_to_ground_truth(truth, number, (image.shape[-2], image.shape[-1]), target, self.with_masks)
                except ValueError as error:
                    raise ValueError(f"{place_of(self.dataset, number)}: {error}") from error
                found = detect(self.model, image)
                results = coco_detections(number, found)
                self.found.append((number, truth, results))
                if each is not None:
                    each(DetectedPicture(number, image, target, found, truth, results))
        except (ValueError, OSError) as error:
            raise in_one_sentence(error) from error.__cause__

    def joined(
        self,
        parts: Iterable[list[tuple[int, dict[str, Any], list[dict[str, Any]]]]],
        area_ranges: Mapping[str, tuple[float, float]] | None = None,
    ) -> DetectorEvaluation:
        """The scores of all that was found, in whatever parts."""
        truth, detections = coco_ground_truth(self.labels.names), []
        for _, one, found in sorted((item for part in parts for item in part), key=lambda item: item[0]):
            truth["images"] += one["images"]
            for annotation in one["annotations"]:
                truth["annotations"].append({**annotation, "id": len(truth["annotations"]) + 1})
            detections += found
        curves = {}
        for kind in ("bbox", "segm") if self.with_masks else ("bbox",):
            # Without boxes: else the evaluator would take a detection's area from its box, not from its mask.
            results = [{key: value for key, value in one.items() if key != "bbox"} for one in detections]
            curves[kind] = coco_curves(truth, detections if kind == "bbox" else results, kind, area_ranges=area_ranges)
        names = {category["id"]: category["name"] for category in truth["categories"]}
        per_class = {
            names[number]: scores
            for number, scores in curves["segm" if self.with_masks else "bbox"].per_category().items()
            if scores["AP"] >= 0
        }
        masks = curves["segm"].summary() if self.with_masks else None
        return DetectorEvaluation(
            curves["bbox"].summary(), masks, per_class, len(truth["images"]), len(truth["annotations"])
        )


class _Items(Dataset[tuple[Tensor, Any]]):
    """Some items of a data set, each checked where it is read."""

    def __init__(self, dataset: Any, indices: list[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, number: int) -> tuple[Tensor, Any]:
        return read_item(self.dataset, self.indices[number])


def coco_ground_truth(names: Sequence[str]) -> dict[str, Any]:
    """A COCO file, as a dict, without images yet. Class 0 is the background and no category.

    Stuff is among the categories, because an untrained network reports it too; no object has it, so it does not count.
    """
    categories = [{"id": number, "name": name} for number, name in enumerate(names) if number > 0]
    return {"images": [], "annotations": [], "categories": categories}


def add_to_ground_truth(
    truth: dict[str, Any], number: int, size: tuple[int, int], target: Mapping[str, Any], with_masks: bool = True
) -> None:
    """Adds an image and its objects to a COCO dict.

    Args:
        truth: From ``coco_ground_truth``.
        number: Its id.
        size: H and W.
        target: Boxes G x 4 xyxy, labels G, masks G x H x W; iscrowd G, if some of it are crowds.
        with_masks: Masks are needed, and give the areas; otherwise the boxes do.
    """
    needed = ("boxes", "labels", "masks") if with_masks else ("boxes", "labels")
    missing = [key for key in needed if not isinstance(target, Mapping) or key not in target]
    if missing:
        raise ValueError(
            f"picture {number}: its target must be a dict of {', '.join(needed)}; there is no {missing[0]}"
        )
    truth["images"].append({"id": number, "height": size[0], "width": size[1]})
    boxes, labels = target["boxes"].tolist(), target["labels"].tolist()
    crowds = target["iscrowd"].tolist() if "iscrowd" in target else [0] * len(labels)
    masks = rle.encode(_numpy(target["masks"]).reshape(-1, *size)) if with_masks else [None] * len(labels)
    if not len(boxes) == len(labels) == len(crowds) == len(masks):
        raise ValueError(f"picture {number} has {len(boxes)} boxes, {len(labels)} labels and {len(masks)} masks")
    for (x1, y1, x2, y2), label, crowd, mask in zip(boxes, labels, crowds, masks, strict=True):
        record = {
            "id": len(truth["annotations"]) + 1,
            "image_id": number,
            "category_id": label,
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "area": (x2 - x1) * (y2 - y1),
            "iscrowd": crowd,
        }
        if mask is not None:
            record |= {"segmentation": mask, "area": rle.area(mask)}
        truth["annotations"].append(record)


def coco_detections(number: int, found: Mapping[str, Tensor]) -> list[dict[str, Any]]:
    """What ``detect`` found in the image of this id, as COCO's results."""
    records: list[dict[str, Any]] = [
        {"image_id": number, "category_id": label, "score": score, "bbox": [x1, y1, x2 - x1, y2 - y1]}
        for (x1, y1, x2, y2), label, score in zip(
            found["boxes"].tolist(), found["labels"].tolist(), found["scores"].tolist(), strict=True
        )
    ]
    if "masks" in found and records:
        for record, mask in zip(records, rle.encode(_numpy(found["masks"])), strict=True):
            record["segmentation"] = mask
    return records


def _numpy(masks: Tensor) -> Any:
    return masks.as_subclass(Tensor).cpu().numpy() > 0


def _as_it_is(sample: Any) -> Any:
    return sample
