"""COCO evaluation equals the official evaluator to the last bit, on random data sets and on real annotations."""

import copy
import json

import numpy as np
import pytest

from segtutor.metrics import coco_curves, evaluate_coco, rle
from tests.metrics.coco_data import KEYS, official_evaluation, official_scores, random_dataset
from tests.shared import shared_data

# pycocotools, not we, asks NumPy for this.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")


def assert_equal_to_official(truth, detections, iou_type):
    """All twelve numbers and the arrays behind them; returns the numbers."""
    theirs = official_evaluation(truth, detections, iou_type)
    ours = coco_curves(truth, detections, iou_type)
    assert list(ours.summary().values()) == theirs.stats.tolist()
    assert np.array_equal(ours.precision, theirs.eval["precision"][..., -1])
    assert np.array_equal(ours.scores, theirs.eval["scores"][..., -1])
    assert np.array_equal(ours.recall, theirs.eval["recall"])
    return ours.summary()


@pytest.mark.parametrize("first", range(0, 200, 25))
def test_masks_of_200_random_data_sets(first):
    seen = []
    for seed in range(first, first + 25):
        truth, detections = random_dataset(seed, many=130 if seed % 10 == 0 else 0, with_boxes=seed % 3 == 0)
        assert detections
        seen.append(list(assert_equal_to_official(truth, detections, "segm").values()))
    # The data exercise every score: each lies strictly between 0 and 1 somewhere.
    assert ((np.array(seen) > 0) & (np.array(seen) < 1)).any(axis=0).all()


@pytest.mark.parametrize("first", range(0, 100, 50))
def test_boxes_of_100_random_data_sets(first):
    for seed in range(first, first + 50):
        # Without boxes the evaluator takes those of the masks.
        many = 130 if seed % 10 == 0 else 0
        truth, detections = random_dataset(1000 + seed, num_images=5, many=many, with_boxes=seed % 2 == 0)
        assert_equal_to_official(truth, detections, "bbox")


def test_boxes_without_masks_are_evaluated_as_masks():
    truth, detections = random_dataset(5, with_boxes=True)
    for detection in detections:
        x, y, width, height = detection.pop("bbox")
        del detection["segmentation"]
        detection["bbox"] = [x, y, width + 1, height + 1]
    assert_equal_to_official(truth, detections, "segm")


def faster_scores(truth, detections, iou_type, **params):
    faster = pytest.importorskip("faster_coco_eval")
    coco = faster.COCO(copy.deepcopy(truth))
    evaluation = faster.COCOeval_faster(
        coco, coco.loadRes(copy.deepcopy(detections)), iou_type, print_function=lambda *_: None, boundary_cpu_count=1
    )
    for name, value in params.items():
        setattr(evaluation.params, name, value)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return dict(zip(KEYS, (float(value) for value in evaluation.stats), strict=False))


def test_boundaries_of_30_random_data_sets():
    differs = 0
    for seed in range(30):
        truth, detections = random_dataset(2000 + seed, num_images=5)
        ours = evaluate_coco(truth, detections, "boundary")
        theirs = faster_scores(truth, detections, "boundary")
        assert ours == pytest.approx(theirs, abs=1e-12)
        differs += ours["AP"] != evaluate_coco(truth, detections)["AP"]
    assert differs > 15


def test_other_limit_of_detections():
    for seed in range(10):
        truth, detections = random_dataset(3000 + seed, many=80)
        ours = evaluate_coco(truth, detections, max_detections=(1, 10, 50))
        theirs = faster_scores(truth, detections, "segm", maxDets=[1, 10, 50])
        assert list(ours.values()) == pytest.approx(list(theirs.values()), abs=1e-12)
        assert ours["AP"] >= 0


def test_each_category_alone():
    truth, detections = random_dataset(8, num_images=30)
    each = coco_curves(truth, detections).per_category()
    for category, scores in each.items():
        alone = {
            **truth,
            "categories": [{"id": category}],
            "annotations": [a for a in truth["annotations"] if a["category_id"] == category],
        }
        chosen = [d for d in detections if d["category_id"] == category]
        assert scores == official_scores(alone, chosen)
    assert len({tuple(scores.values()) for scores in each.values()}) == len(each)


def test_many_images_and_crowded_ones_take_the_same_path():
    truth, detections = random_dataset(9, num_images=120, num_categories=3, objects=3)
    crowded, more = random_dataset(10, num_images=2, num_categories=3, objects=90)
    shift = 100_000
    for record in crowded["images"]:
        record["id"] += shift
    for record in crowded["annotations"]:
        record["id"] += shift
    for record in [*crowded["annotations"], *more]:
        record["image_id"] += shift
        record["category_id"] = truth["categories"][0]["id"]
    together = {
        "images": truth["images"] + crowded["images"],
        "annotations": truth["annotations"] + crowded["annotations"],
        "categories": truth["categories"],
    }
    assert_equal_to_official(together, detections + more, "segm")


def test_order_of_records_other_than_ties_does_not_matter():
    truth, detections = random_dataset(11)
    rng = np.random.default_rng(0)
    for detection in detections:
        detection["score"] = float(rng.random())
    shuffled = {key: [value[i] for i in rng.permutation(len(value))] for key, value in truth.items()}
    expected = evaluate_coco(truth, detections)
    assert evaluate_coco(shuffled, [detections[i] for i in rng.permutation(len(detections))]) == expected


@pytest.mark.shared_data
@pytest.mark.parametrize("iou_type", ["segm", "bbox"])
def test_real_annotations(iou_type):
    truth = json.loads(shared_data("coco", "annotations", "instances_train2017.json").read_text())
    sizes = {image["id"]: (image["height"], image["width"]) for image in truth["images"]}
    rng = np.random.default_rng(0)
    detections = []
    for annotation in truth["annotations"]:
        height, width = sizes[annotation["image_id"]]
        for _ in range(rng.integers(0, 3)):
            guess = annotation["category_id"] if rng.random() < 0.9 else int(rng.integers(1, 3))
            record = {"image_id": annotation["image_id"], "category_id": guess, "score": round(float(rng.random()), 2)}
            if isinstance(annotation["segmentation"], list):
                shake = rng.choice([0, 1, 4])
                rings = [(np.array(r) + rng.normal(0, shake, len(r))).tolist() for r in annotation["segmentation"]]
                detections.append({**record, "segmentation": rle.from_polygons(rings, height, width)})
            else:
                mask = rle.decode(annotation["segmentation"])
                detections.append({**record, "segmentation": rle.encode(mask & (rng.random(mask.shape) < 0.9))})
    scores = assert_equal_to_official(truth, detections, iou_type)
    assert 0.2 < scores["AP"] < 0.9
    assert all(annotation["iscrowd"] in (0, 1) for annotation in truth["annotations"])


@pytest.mark.shared_data
def test_real_polygons_are_drawn_as_pycocotools_draws_them():
    import pycocotools.mask as official

    truth = json.loads(shared_data("coco", "annotations", "instances_train2017.json").read_text())
    sizes = {image["id"]: (image["height"], image["width"]) for image in truth["images"]}
    drawn = 0
    for annotation in truth["annotations"]:
        if isinstance(annotation["segmentation"], list):
            height, width = sizes[annotation["image_id"]]
            theirs = official.merge(official.frPyObjects(annotation["segmentation"], height, width))
            assert rle.from_polygons(annotation["segmentation"], height, width)["counts"].encode() == theirs["counts"]
            drawn += 1
    assert drawn > 400
