"""Files of COCO with values of every kind in every place: a right answer, or an error that names the file.

``SEGTUTOR_FUZZ=100000`` sets how many inputs are tried; 1000 of instances and 300 of panoptic files otherwise.
"""

import copy
import json
import math
import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as official_mask

from segtutor.datasets import CocoInstances, CocoPanoptic, check_folder
from segtutor.datasets.targets import describe_segments, segment_colors
from segtutor.metrics import coco_curves, panoptic_quality

INPUTS = int(os.environ.get("SEGTUTOR_FUZZ", "0"))
HEIGHT, WIDTH = 12, 16
PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))
IDS = (np.arange(WIDTH) // 6 + 1) * 40_000 * np.ones((HEIGHT, 1), np.int64)
QUIET = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large)

ODD_NUMBERS = [0, 1, -1, 2, 5, 1.0, 0.5, -0.0, 1e308, 1e-308, math.nan, math.inf, -math.inf, 1 << 31, 1 << 63, 1 << 200]
ODD = [None, True, False, "", "0", "1", "1.5", "NaN", "a.png", "../a.png", "é", "\0", "\ud800", "x" * 300, [], {}, [[]],
       [None], [1], [1, 2, 3, 4], {"a": 1}, {"1": {}}, [[1, 2, 9, 2, 9, 8]], {"size": [12, 16], "counts": [192]},
       {"size": [12, 16], "counts": "0P1"}, *ODD_NUMBERS]  # fmt: skip
values = st.one_of(
    st.sampled_from(ODD),
    st.integers(-3, 20),
    st.floats(-5, 30),
    st.text(max_size=4),
    st.lists(st.sampled_from(ODD_NUMBERS) | st.integers(-3, 20) | st.sampled_from(ODD), max_size=8),
    st.lists(st.lists(st.floats(-5, 30) | st.sampled_from(ODD_NUMBERS), min_size=4, max_size=10), max_size=3),
    st.fixed_dictionaries({
        "size": st.just([HEIGHT, WIDTH]) | st.sampled_from(ODD),
        "counts": st.text("0123PQo`é", max_size=6)
        | st.lists(st.integers(-2, 200) | st.sampled_from(ODD_NUMBERS), max_size=5),
    }),
)  # fmt: skip


def instances():
    rings = [[[2, 2, 10, 2, 10, 8, 2, 8]], [[4.5, 3, 12, 5, 7, 11]]]
    masks = [*rings, {"size": [HEIGHT, WIDTH], "counts": [30, 5, 157]}]
    items = [
        {"id": n + 1, "image_id": 1, "category_id": 1 + n % 2, "bbox": [2, 2, 8, 6], "area": 48.0, "iscrowd": 0,
         "segmentation": mask}
        for n, mask in enumerate(masks)
    ]  # fmt: skip
    images = [{"id": 1, "file_name": "a.png", "height": HEIGHT, "width": WIDTH}]
    return {"images": images, "annotations": items, "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]}


def panoptic():
    info = [
        {"id": number, "category_id": 1 + place % 2, "iscrowd": 0, **shape}
        for place, (number, shape) in enumerate(describe_segments(IDS).items())
    ]
    images = [{"id": 1, "file_name": "a.png", "height": HEIGHT, "width": WIDTH}]
    annotations = [{"image_id": 1, "file_name": "a.png", "segments_info": info}]
    categories = [{"id": 1, "name": "cat", "isthing": 1}, {"id": 2, "name": "fog", "isthing": 0}]
    return {"images": images, "annotations": annotations, "categories": categories}


def places_in(content, path=()):
    """Every place of a nested value that can hold another one."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places_in(value, (*path, key))


@st.composite
def damaged(draw, whole):
    """A file with one to three values replaced, removed, or doubled."""
    content = whole()
    for _ in range(draw(st.integers(1, 3))):
        places = list(places_in(content))
        if not places:
            break
        # The fields of records are what goes wrong most: the deeper places are many, and all alike.
        shallow = [place for place in places if len(place) <= 3]
        *way, last = draw(st.sampled_from(shallow if draw(st.booleans()) else places))
        parent = content
        for key in way:
            parent = parent[key]
        action = draw(st.sampled_from(("replace", "replace", "replace", "remove", "double", "text", "rename")))
        if action == "remove":
            del parent[last]
        elif action == "double" and isinstance(parent, list):
            parent.append(copy.deepcopy(parent[last]))
        elif action == "text" and isinstance(parent[last], (int, float)):
            parent[last] = str(parent[last])
        elif action == "rename" and isinstance(parent, dict):
            parent["label_id"] = parent.pop(last)
        else:
            parent[last] = copy.deepcopy(draw(values))  # what is damaged next must not be a value of the lists above
    return content


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("fuzz")
    for name in ("train2017", "annotations/panoptic_train2017"):
        (root / name).mkdir(parents=True)
    PICTURE.save(root / "train2017/a.png")
    Image.fromarray(segment_colors(IDS)).save(root / "annotations/panoptic_train2017/a.png")
    return root


def outcome(action, name):
    """What an action returns, or None after an error that is allowed."""
    try:
        return action()
    except (ValueError, OSError) as error:
        named = name in str(error) or (isinstance(error, OSError) and "train2017" in str(error))
        if not named:  # with the whole story, which an assertion would not show
            raise AssertionError(f"no name in {error!r}") from error
    return None


def check_target(target):
    """What every detection target must be, whatever the file was."""
    boxes, masks, count = target["boxes"].numpy(), target["masks"].numpy(), len(target["labels"])
    assert masks.shape == (count, HEIGHT, WIDTH)
    assert boxes.shape == (count, 4)
    assert np.isfinite(boxes).all()
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= [WIDTH, HEIGHT]).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert set(target["iscrowd"].tolist()) <= {0, 1}
    assert (target["area"].numpy() == masks.sum(axis=(1, 2))).all()


def official(annotation):
    """The mask as pycocotools draws it."""
    segmentation = annotation["segmentation"]
    if isinstance(segmentation, list):
        encoded = official_mask.merge(official_mask.frPyObjects(segmentation, HEIGHT, WIDTH))
    elif isinstance(segmentation["counts"], list):
        encoded = official_mask.frPyObjects(segmentation, HEIGHT, WIDTH)
    else:
        encoded = segmentation
    return official_mask.decode(encoded).astype(bool)


class TestInstances:
    @given(content=damaged(instances))
    @settings(max_examples=INPUTS or 1000, deadline=None, suppress_health_check=QUIET, database=None)
    def test_right_or_named(self, folder, content):
        path = folder / "annotations/instances_train2017.json"
        path.write_text(json.dumps(content))
        data = outcome(lambda: CocoInstances(folder, crowd=True), path.name)
        item = outcome(lambda: data[0], path.name) if data is not None and len(data) else None
        if item is not None:
            check_target(item[1])
            shown = item[1]["labels"].tolist()
            kept = data.file.annotations[data.file.images[0]["id"]]
            if len(kept) == len(shown):  # none was without an area
                for annotation, mask, crowd in zip(kept, item[1]["masks"].numpy(), item[1]["iscrowd"], strict=True):
                    assert bool(annotation.get("iscrowd", 0)) == bool(crowd)
                    if all(
                        abs(x) < 1e6
                        for ring in annotation["segmentation"]
                        if isinstance(ring, list)
                        for x in map(float, ring)
                    ):
                        assert np.array_equal(mask, official(annotation))
        found = [
            {
                "image_id": 1,
                "category_id": 1,
                "score": 0.9,
                "bbox": [2, 2, 8, 6],
                "segmentation": [[2, 2, 10, 2, 10, 8, 2, 8]],
            }
        ]
        for iou_type in ("bbox", "segm"):
            curves = outcome(lambda iou_type=iou_type: coco_curves(path, found, iou_type), path.name)
            if curves is not None:
                assert all(-1 <= score <= 1 for score in curves.summary().values())
        outcome(lambda: coco_curves(instances(), content.get("annotations", []), "segm"), "")
        report = check_folder(folder)
        if data is None or (len(data) and item is None):
            assert not report.ok  # what the loader refuses is found


class TestPanoptic:
    @given(content=damaged(panoptic))
    @settings(max_examples=INPUTS or 300, deadline=None, suppress_health_check=QUIET, database=None)
    def test_right_or_named(self, folder, content):
        Path(folder / "annotations/instances_train2017.json").unlink(missing_ok=True)
        path = folder / "annotations/panoptic_train2017.json"
        path.write_text(json.dumps(content))
        data = outcome(lambda: CocoPanoptic(folder), path.name)
        item = outcome(lambda: data[0], "a.png") if data is not None and len(data) else None
        if item is not None:
            target = item[1]
            assert np.array_equal(target["segments"].numpy(), IDS)
            shapes = describe_segments(IDS)
            assert {s["id"]: {"area": s["area"], "bbox": s["bbox"]} for s in target["segments_info"]} == shapes
            pair = target["segments"], target["segments_info"]
            quality = panoptic_quality(pair, pair, data.labels).overall
            assert quality.PQ == 1 or all(s.get("iscrowd") for s in target["segments_info"])
        report = check_folder(folder)
        path.unlink()
        if data is None or (len(data) and item is None):
            assert not report.ok

    @given(seed=st.integers(0, 2**32 - 1))
    @settings(max_examples=(INPUTS or 300), deadline=None, suppress_health_check=QUIET, database=None)
    def test_metric_right_or_named(self, seed):
        choose = random.Random(seed)
        ids, info = IDS.copy(), panoptic()["annotations"][0]["segments_info"]
        for _ in range(choose.randint(1, 3)):
            if choose.random() < 0.3:
                ids[choose.randrange(HEIGHT), choose.randrange(WIDTH)] = choose.choice([0, -1, 7, 1 << 40])
            elif isinstance(info, list) and info and isinstance(record := choose.choice(info), dict) and record:
                record[choose.choice([*record])] = copy.deepcopy(choose.choice(ODD))
            else:
                info = copy.deepcopy(choose.choice(ODD))
        pair = (ids, info), (ids, copy.deepcopy(info))
        categories = panoptic()["categories"]
        quality = outcome(lambda: panoptic_quality(*pair, categories).overall, "ground_truth")
        assert quality is None or quality.PQ == 1 or all(s.get("iscrowd") for s in info)
