"""Items of a data set on their way into training and evaluation: one set of checks for both.

Data are shuffled and spread over processes; an error that says "picture 3 of the batch" helps nobody. Here every
refusal begins with the item's number in its data set and the file that it comes from, below all of PyTorch's Subset,
ConcatDataset and random_split.
"""

from __future__ import annotations

import multiprocessing
import pickle
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def label_set(dataset: Any) -> Any:
    """The data set's LabelSet, through PyTorch's Subset, ConcatDataset and random_split.

    Raises:
        ValueError: If it has none, if joined data sets have different ones, or if there is only one class.
    """
    labels = _find_labels(dataset)
    if labels is None:
        raise ValueError(
            f"{type(dataset).__name__} does not say what its labels mean: give it an attribute labels, a LabelSet"
        )
    if len(labels) < 2:
        there = f"only the class {labels.names[0]!r}" if len(labels) else "no class"
        raise ValueError(
            f"{labels.title} has {there} beside void ({labels.ignore_index}): a network would be right everywhere "
            "without learning anything. Segmentation needs two classes, background included; if 255 marks the object "
            "in your masks, write a classes.csv with name,index that says so"
        )
    return labels


def _find_labels(dataset: Any) -> Any | None:
    labels = getattr(dataset, "labels", None)
    if hasattr(labels, "ignore_index"):
        return labels
    if hasattr(dataset, "datasets"):  # ConcatDataset
        parts = [label_set(part) for part in dataset.datasets]
        for part in parts[1:]:
            difference = difference_of_classes(parts[0].names, part.names)
            if difference or part.ignore_index != parts[0].ignore_index:
                raise ValueError(
                    f"the joined data sets {parts[0].title} and {part.title} do not number the same classes alike "
                    f"({difference or f'void is {parts[0].ignore_index} and {part.ignore_index}'}): bring them to one "
                    "numbering first"
                )
        return parts[0] if parts else None
    return _find_labels(dataset.dataset) if hasattr(dataset, "dataset") else None


def difference_of_classes(names: tuple[str, ...], others: tuple[str, ...]) -> str:
    """In words, how two numberings of classes differ; empty if they are the same.

    >>> difference_of_classes(("sky", "traffic light"), ("sky", "Traffic_Light"))
    ''
    >>> difference_of_classes(("sky", "car"), ("car", "sky"))
    "the same names in another order: 0 is 'sky' and 'car'"
    """
    if len(names) != len(others):
        return f"{len(names)} classes and {len(others)}"
    one, other = ([_folded(name) for name in some] for some in (names, others))
    if one == other:
        return ""
    first = next(number for number, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1])
    text = f"{first} is {names[first]!r} and {others[first]!r}"
    return f"the same names in another order: {text}" if set(one) == set(other) else f"other names: {text}"


def _folded(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum()) or name


def place_of(dataset: Any, index: int) -> str:
    """What an error calls an item: ``item 3 (images/cat.png)``."""
    text = f"item {index}"
    while True:
        if hasattr(dataset, "indices") and hasattr(dataset, "dataset"):  # Subset
            dataset, index = dataset.dataset, int(dataset.indices[index])
        elif hasattr(dataset, "cumulative_sizes") and hasattr(dataset, "datasets"):  # ConcatDataset
            part = bisect_right(dataset.cumulative_sizes, index)
            index -= dataset.cumulative_sizes[part - 1] if part else 0
            dataset = dataset.datasets[part]
        elif hasattr(dataset, "dataset"):
            dataset = dataset.dataset
        else:
            break
    file = _file_of(dataset, index)
    return f"{text} ({file})" if file else text


def _file_of(dataset: Any, index: int) -> str | None:
    for name in ("pairs", "images", "samples", "imgs", "files", "paths", "file"):
        listed = getattr(dataset, name, None)
        listed = getattr(listed, "images", listed)  # COCO's file
        try:
            item = listed[index]  # type: ignore[index]
        except Exception:  # whatever a data set of one's own calls so
            continue
        item = item.get("file_name") if isinstance(item, Mapping) else item
        item = item[0] if isinstance(item, tuple | list) and item else item
        if isinstance(item, str) or hasattr(item, "__fspath__"):
            return str(item)
    return None


def read_item(dataset: Any, index: int) -> tuple[Tensor, Any]:
    """An item as (picture 3 x H x W uint8 or float32 from 0 to 1, target), or an error that says which one it was.

    Raises:
        ValueError: If it cannot be read, is no pair, or its picture is not what a network takes.
    """
    try:
        sample = dataset[index]
    except MemoryError:
        raise
    except Exception as error:
        place = place_of(dataset, index)
        kind = type(error) if isinstance(error, ValueError | OSError) else ValueError
        reason = (
            str(error) if kind is not ValueError or type(error) is ValueError else f"{type(error).__name__}: {error}"
        )
        try:
            told = kind(f"{place}: {reason}")
        except Exception:  # an error class with other arguments
            told = ValueError(f"{place}: {type(error).__name__}: {reason}")
        raise told from error
    if not isinstance(sample, tuple | list) or len(sample) != 2:
        came = f"a dict of {', '.join(map(str, sample))}" if isinstance(sample, Mapping) else type(sample).__name__
        came = f"{len(sample)} things" if isinstance(sample, tuple | list) else came
        raise ValueError(
            f"{place_of(dataset, index)} is {came}, but an item must be a pair (image, target): return these two from "
            "__getitem__"
        )
    return _picture(sample[0], dataset, index), sample[1]


def _picture(image: Any, dataset: Any, index: int) -> Tensor:
    """The picture as a plain tensor of bytes or float32."""
    if not isinstance(image, Tensor):
        raise ValueError(
            f"{place_of(dataset, index)}: its image is of type {type(image).__name__}, but must be a tensor 3 x H x W: "
            "torchvision.transforms.v2.functional.to_image(image) makes one of a PIL image or an array"
        )
    image = image.as_subclass(Tensor)
    if image.ndim != 3 or image.shape[0] != 3:
        hint = "put the channels first, image.permute(2, 0, 1)" if image.shape[-1:] == (3,) else "convert it to RGB"
        raise ValueError(
            f"{place_of(dataset, index)}: its image is {tuple(image.shape)}, but must be 3 x H x W: {hint}"
        )
    if image.dtype == torch.uint8:
        return image
    if not image.is_floating_point():
        raise ValueError(
            f"{place_of(dataset, index)}: its image is of {image.dtype}, but must be uint8 (0-255) or floating point "
            "(0-1); divide by the largest value that the camera can give, 4095 for 12 bits"
        )
    image = image.float()
    low, high = (float(bound) for bound in torch.aminmax(image)) if image.numel() else (0.0, 0.0)
    if not (low >= -1e-3 and high <= 1 + 1e-3):  # catches NaN, too
        raise ValueError(
            f"{place_of(dataset, index)}: its floating-point image must lie in 0-1, but has values from {low:.3g} to "
            f"{high:.3g}; divide by 255, or do not normalize it: the network does"
        )
    return image


def read_labeled(dataset: Any, index: int, num_classes: int | None, ignore_index: int) -> tuple[Tensor, Tensor]:
    """A picture 3 x H x W and its label map H x W int64, checked.

    Args:
        dataset: ``dataset[i]`` is (image, label map).
        index: Which one.
        num_classes: Labels are below this; None does not look.
        ignore_index: Void.

    Raises:
        ValueError: As ``read_item``, or if the label map has another size, fractions, or a number that is no class.
    """
    image, target = read_item(dataset, index)
    size = (int(image.shape[-2]), int(image.shape[-1]))
    return image, checked_labels(target, dataset, index, size, num_classes, ignore_index)


def checked_labels(
    labels: Any,
    dataset: Any,
    index: int,
    size: tuple[int, int] | None,
    num_classes: int | None,
    ignore_index: int,
) -> Tensor:
    """The label map of an item, H x W int64; ``size`` is its picture's, if that matters."""
    if isinstance(labels, Mapping):
        raise ValueError(
            f"{place_of(dataset, index)}: its target is a dict of {', '.join(map(str, labels))}, as detectors take it, "
            "but a semantic network takes a label map H x W: ask the data set for label maps, or use fit_detector and "
            "evaluate_detector with a network whose name begins with maskrcnn"
        )
    if not isinstance(labels, Tensor):
        raise ValueError(
            f"{place_of(dataset, index)}: its label map is of type {type(labels).__name__}, but must be a tensor "
            "H x W of class numbers: torch.from_numpy(array).long()"
        )
    labels = labels.as_subclass(Tensor)
    if size is not None and tuple(labels.shape) != size:
        hint = "; take labels[0], or labels.squeeze(0)" if labels.ndim == 3 and labels.shape[0] == 1 else ""
        raise ValueError(
            f"{place_of(dataset, index)}: its picture is {size} (height, width), but its labels are "
            f"{tuple(labels.shape)}{hint}"
        )
    if labels.is_complex() or (labels.is_floating_point() and not torch.equal(labels, labels.round())):
        raise ValueError(
            f"{place_of(dataset, index)}: its label map holds fractions (of {labels.dtype}, the largest "
            f"{float(labels.abs().max()):.4g}), but class numbers are whole: a mask must not go through ToTensor or a "
            "bilinear resize; read it with torch.from_numpy(np.array(mask)).long()"
        )
    labels = labels.long()
    if num_classes is not None:
        wrong = (labels != ignore_index) & ((labels < 0) | (labels >= num_classes))
        if wrong.any():
            values = torch.unique(labels[wrong])
            more = f" and {len(values) - 8} more" if len(values) > 8 else ""
            raise ValueError(
                f"{place_of(dataset, index)}: labels hold {values[:8].tolist()}{more}, but there are {num_classes} "
                f"classes (0 to {num_classes - 1}) and void is {ignore_index}: map these values to a class or to "
                f"{ignore_index}"
            )
    return labels


def check_sendable(dataset: Any, num_workers: int) -> None:
    """Refuses, before the work, a data set that cannot be handed to loading processes.

    Where these are forked, as on Linux before Python 3.14, everything can; where they are started anew, the data set is
    pickled, and a lambda among its transforms cannot be.

    Raises:
        ValueError: If it cannot.
    """
    if num_workers == 0 or multiprocessing.get_start_method() == "fork":
        return

    class Nowhere:
        def write(self, data: bytes) -> int:
            return len(data)

    try:
        pickle.Pickler(Nowhere()).dump(dataset)
    except Exception as error:
        raise ValueError(
            f"num_workers is {num_workers}, but this data set cannot be sent to the processes that load it ({error}): "
            "define its transforms as functions of a module instead of lambdas or functions inside of functions, or "
            "set num_workers=0"
        ) from error


def in_one_sentence(error: Exception) -> Exception:
    """What a loading process found, without the report that PyTorch puts around it."""
    text = str(error)
    name = type(error).__name__
    if not text.startswith(f"Caught {name} in DataLoader worker"):
        return error
    _, found, sentence = text.rpartition(f"\n{name}: ")
    if not found:
        return error
    try:
        return type(error)(sentence.strip())
    except Exception:  # an error class with other arguments
        return error
