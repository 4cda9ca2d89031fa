"""COCO evaluation: each rule by hand, with the value that the official evaluator gives too (or should)."""

import copy
import json

import numpy as np
import pytest

from segtutor.metrics import coco_curves, evaluate_coco, rle
from tests.metrics.coco_data import official_scores, random_dataset

# pycocotools, not we, asks NumPy for this.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

IMAGE = {"id": 7, "height": 200, "width": 300}


def rectangle(x, y, width, height, canvas=(200, 300)):
    mask = np.zeros(canvas, bool)
    mask[y : y + height, x : x + width] = True
    return rle.encode(mask)


def truth(*boxes, ids=None, categories=(3,), images=(IMAGE,), **fields):
    """One object for each box; a box may end with a dict of fields of its own."""
    annotations = []
    for number, box in enumerate(boxes):
        *box, own = box if isinstance(box[-1], dict) else (*box, {})
        annotations.append(
            {
                "id": number + 1 if ids is None else ids[number],
                "image_id": 7,
                "category_id": 3,
                "segmentation": rectangle(*box),
                "bbox": list(box),
                "area": box[2] * box[3],
                "iscrowd": 0,
                **fields,
                **own,
            }
        )
    return {
        "images": [dict(image) for image in images],
        "annotations": annotations,
        "categories": [{"id": c} for c in categories],
    }


def found(*boxes, **fields):
    """One detection for each (x, y, width, height, score)."""
    return [
        {"image_id": 7, "category_id": 3, "segmentation": rectangle(*box), "score": score, **fields}
        for *box, score in boxes
    ]


def rounded(scores):
    """Without the last digits: the official precision divides by a little more than 1, so 1 is not quite reached."""
    return {key: round(value, 12) for key, value in scores.items()}


def evaluate(*arguments, **options):
    return rounded(evaluate_coco(*arguments, **options))


def both(ground_truth, detections, iou_type="segm"):
    """Our scores, after a check that the official evaluator agrees to the last bit and that no input was changed."""
    before = copy.deepcopy((ground_truth, detections))
    ours = evaluate_coco(ground_truth, detections, iou_type)
    assert (ground_truth, detections) == before
    assert ours == official_scores(ground_truth, detections, iou_type)
    return rounded(ours)


def test_perfect_detection_and_the_names_in_order():
    scores = both(truth((10, 10, 20, 20)), found((10, 10, 20, 20, 0.9)))
    assert list(scores) == ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]
    assert scores["AP"] == scores["APs"] == scores["AR1"] == 1
    assert scores["APm"] == scores["APl"] == scores["ARm"] == -1
    assert all(type(value) is float for value in scores.values())


def test_equal_scores_keep_the_order_of_the_file():
    hit, miss = (10, 10, 20, 20, 0.5), (100, 100, 20, 20, 0.5)
    assert both(truth(hit[:4]), found(miss, hit))["AP"] == 0.5
    assert both(truth(hit[:4]), found(hit, miss))["AP"] == 1


def test_equal_scores_in_two_images_go_by_image_id():
    images = ({**IMAGE, "id": 9}, IMAGE)  # the file names image 9 first, and its detection too
    objects = truth((10, 10, 20, 20), images=images)
    late = [*found((100, 100, 20, 20, 0.5), image_id=9), *found((10, 10, 20, 20, 0.5))]
    assert both(objects, late)["AP"] == 1


def test_a_hundred_detections_of_an_image_and_category_count():
    hit = (10, 10, 20, 20, 0.1)
    misses = [(100, 100, 20, 20, 0.9)] * 100
    assert both(truth(hit[:4]), found(*misses, hit))["AP"] == 0
    scores = both(truth(hit[:4]), found(*misses[:99], hit))
    assert scores["AP"] == pytest.approx(0.01)
    assert (scores["AR1"], scores["AR10"], scores["AR100"]) == (0, 0, 1)
    assert both(truth(hit[:4]), found(*misses[:9], hit))["AR10"] == 1


def test_threshold_is_included():
    # 20 x 10 of 20 x 20: IoU exactly 1/2. 20 x 12: 3/5, which reaches .5, .55 and .6 of the ten thresholds.
    assert both(truth((0, 0, 20, 20)), found((0, 0, 20, 10, 0.9)))["AP50"] == 1
    assert both(truth((0, 0, 20, 20)), found((0, 0, 20, 12, 0.9)))["AP"] == pytest.approx(0.3)


def test_later_object_wins_a_tie():
    # The first detection lies midway and takes the later object, the only one that the second could have had.
    objects, detections = truth((0, 0, 10, 10), (2, 0, 10, 10)), found((1, 0, 10, 10, 0.9), (5, 0, 10, 10, 0.8))
    assert both(objects, detections)["AP50"] == pytest.approx(51 / 101)
    turned = truth((2, 0, 10, 10), (0, 0, 10, 10))
    assert both(turned, detections)["AP50"] == 1


def test_object_that_counts_is_preferred_to_a_crowd():
    # IoU 1 with the crowd, 3/5 with the object: hit up to .6; above, the crowd makes it ignored and the object is lost.
    objects = truth((0, 0, 20, 20), (0, 0, 100, 100, {"iscrowd": 1}))
    assert both(objects, found((0, 0, 20, 12, 0.9)))["AP"] == pytest.approx(0.3)


def test_crowd_takes_any_number_of_detections_and_none_is_wrong():
    objects = truth((0, 0, 20, 20), (100, 100, 50, 50, {"iscrowd": 1}))
    inside = [(100 + 5 * i, 100, 10, 10, 0.95) for i in range(8)]
    assert both(objects, found(*inside, (0, 0, 20, 20, 0.5)))["AP"] == 1
    # Half of it outside: ignored at .5 only, wrong at the nine stricter thresholds, where precision is 1/2.
    half = (90, 100, 20, 10, 0.95)
    assert both(objects, found(half, (0, 0, 20, 20, 0.5)))["AP"] == pytest.approx((1 + 9 * 0.5) / 10)


def test_field_ignore_is_not_looked_at():
    assert both(truth((0, 0, 20, 20), ignore=1), found((0, 0, 20, 20, 0.9)))["AP"] == 1


def test_missing_iscrowd_means_no_crowd():
    objects = truth((0, 0, 20, 20))
    del objects["annotations"][0]["iscrowd"]
    assert evaluate(objects, found((0, 0, 20, 20, 0.9)))["AP"] == 1


def test_area_ranges_include_both_ends_and_go_by_the_area_field():
    scores = both(truth((0, 0, 32, 32)), found((0, 0, 32, 32, 0.9)))
    assert (scores["APs"], scores["APm"], scores["APl"]) == (1, 1, -1)
    scores = both(truth((0, 0, 32, 32), area=96**2), found((0, 0, 32, 32, 0.9)))
    assert (scores["APs"], scores["APm"], scores["APl"]) == (-1, 1, 1)


def test_unmatched_detection_outside_the_range_is_not_wrong_there():
    scores = both(truth((0, 0, 50, 50)), found((100, 100, 10, 10, 0.9), (0, 0, 50, 50, 0.8)))
    assert (scores["AP"], scores["APm"]) == (0.5, 1)


def test_area_of_a_detection_is_that_of_its_box_if_the_first_has_one():
    objects = truth((0, 0, 50, 50))
    detections = found((100, 100, 10, 10, 0.9), (0, 0, 50, 50, 0.8), bbox=[0, 0, 50, 50])
    assert both(objects, detections)["APm"] == 0.5


def test_category_without_counting_objects_is_left_out_and_one_without_detections_is_zero():
    objects = truth((0, 0, 20, 20), categories=(3, 5, 8))
    assert both(objects, found((0, 0, 20, 20, 0.9)) + found((0, 0, 20, 20, 0.9), category_id=5))["AP"] == 1
    objects["annotations"].append({**objects["annotations"][0], "id": 2, "category_id": 8})
    assert both(objects, found((0, 0, 20, 20, 0.9)))["AP"] == 0.5


def test_only_crowds_or_no_objects_give_no_score():
    crowd = truth((0, 0, 20, 20), iscrowd=1)
    assert set(both(crowd, found((0, 0, 20, 20, 0.9))).values()) == {-1}
    assert set(both(truth(), found((0, 0, 20, 20, 0.9))).values()) == {-1}
    assert set(evaluate(crowd, []).values()) == {-1}


@pytest.mark.parametrize("iou_type", ["segm", "bbox", "boundary"])
def test_no_detections_score_zero(iou_type):
    scores = evaluate(truth((0, 0, 20, 20)), [], iou_type)
    assert {scores[key] for key in ("AP", "AP50", "AP75", "APs", "AR1", "AR10", "AR100", "ARs")} == {0}
    assert {scores[key] for key in ("APm", "APl", "ARm", "ARl")} == {-1}


def test_empty_masks_match_nothing():
    assert both(truth((0, 0, 0, 0)), found((0, 0, 0, 0, 0.9)))["AP"] == 0
    assert both(truth((0, 0, 20, 20)), found((0, 0, 0, 0, 0.9), (0, 0, 20, 20, 0.8)))["AP"] == 0.5


def test_precision_one_up_to_a_recall():
    objects = truth((0, 0, 20, 20), (50, 0, 20, 20), (100, 0, 20, 20))
    assert both(objects, found((0, 0, 20, 20, 0.9), (50, 0, 20, 20, 0.8)))["AP"] == pytest.approx(67 / 101)


def test_ids_are_names_and_never_flags():
    boxes = (0, 0, 20, 20), (50, 0, 20, 20)
    detections = found((*boxes[0], 0.9), (*boxes[1], 0.8))
    assert evaluate(truth(*boxes, ids=(0, 1)), detections)["AP"] == 1
    # The official evaluator takes the object of id 0 for unmatched: one hit of two, at precision 1/2.
    assert official_scores(truth(*boxes, ids=(0, 1)), detections)["AP"] == pytest.approx(0.2525, abs=5e-5)
    assert both(truth(*boxes, ids=(5, 4)), detections)["AP"] == 1
    with_ids = [{**detection, "id": 0} for detection in detections]
    twice = [with_ids[0], with_ids[0], with_ids[1]]
    curves = coco_curves(truth(*boxes), twice)
    assert curves.recall.max() == 1
    assert curves.matched[0].tolist() == [0, -1, 1]


def test_fewer_than_a_hundred_detections_may_be_asked_for():
    objects = truth((0, 0, 20, 20), (50, 0, 20, 20))
    detections = found((100, 0, 20, 20, 0.9), (0, 0, 20, 20, 0.8), (50, 0, 20, 20, 0.7))
    scores = evaluate(objects, detections, max_detections=(2, 1))
    assert list(scores)[6:8] == ["AR1", "AR2"]
    assert (scores["AR1"], scores["AR2"]) == (0, 0.5)
    assert scores["AP"] == pytest.approx(51 / 101 / 2)


def test_threshold_of_nine_tenths_is_found():
    scores = evaluate(truth((0, 0, 20, 20)), found((0, 0, 20, 18, 0.9)), iou_thresholds=[0.9])
    assert scores["AP"] == 1
    assert scores["AP50"] == scores["AP75"] == -1
    assert evaluate(truth((0, 0, 20, 20)), found((0, 0, 20, 15, 0.9)), iou_thresholds=[0.1 + 0.2 + 0.2])["AP50"] == 1


def test_own_area_ranges():
    objects = truth((0, 0, 20, 20), (50, 0, 100, 100))
    scores = evaluate(objects, found((0, 0, 20, 20, 0.9)), area_ranges={"tiny": (0, 500), "vast": (500, 1e6)})
    assert (scores["APtiny"], scores["APvast"]) == (1, 0)
    assert (scores["ARtiny"], scores["ARvast"]) == (1, 0)


def test_boundary_takes_the_smaller_iou_and_leaves_crowds_alone():
    # 200 x 300: boundaries 7 pixels thick. A square with a hole in the middle has nearly the whole boundary besides.
    objects, shrunk = truth((50, 50, 100, 100)), found((55, 55, 90, 90, 0.9))
    assert evaluate(objects, shrunk)["AP"] == pytest.approx(0.7)  # 8100 / 10000
    ring, inner = 100**2 - 86**2, 90**2 - 76**2
    shared = 90**2 - 86**2
    assert shared / (ring + inner - shared) < 0.5
    assert evaluate(objects, shrunk, "boundary")["AP"] == 0
    crowd = truth((50, 50, 100, 100, {"iscrowd": 1}), (200, 50, 20, 20))
    assert evaluate(crowd, shrunk + found((200, 50, 20, 20, 0.5)), "boundary")["AP"] == 1
    # Nothing is thinner than its boundary.
    small = truth((0, 0, 12, 12))
    offset = found((1, 0, 12, 12, 0.9))
    assert evaluate(small, offset, "boundary") == evaluate(small, offset)


def test_files_are_read(tmp_path):
    ground_truth, detections = random_dataset(3)
    (tmp_path / "truth.json").write_text(json.dumps(ground_truth))
    (tmp_path / "found.json").write_text(json.dumps(detections))
    expected = evaluate(ground_truth, detections)
    assert evaluate(str(tmp_path / "truth.json"), tmp_path / "found.json") == expected
    (tmp_path / "broken.json").write_text("[1,")
    with pytest.raises(ValueError, match=r"broken\.json is not valid JSON"):
        evaluate_coco(ground_truth, tmp_path / "broken.json")
    with pytest.raises(FileNotFoundError):
        evaluate_coco(ground_truth, tmp_path / "absent.json")


def test_curves_say_what_was_matched():
    objects = truth((0, 0, 20, 20), (100, 100, 50, 50, {"iscrowd": 1}), (50, 0, 20, 20))
    detections = found((50, 0, 20, 15, 0.6), (110, 110, 10, 10, 0.8), (0, 0, 20, 20, 0.9), (200, 0, 9, 9, 0.7))
    curves = coco_curves(objects, detections)
    assert curves.matched[0].tolist() == [2, 1, 0, -1]
    assert curves.matched[-1].tolist() == [-1, 1, 0, -1]
    assert curves.ignored[0].tolist() == [False, True, False, False]
    assert curves.used.all()
    # Hit at .9, miss at .7, hit at .6: precision 1 up to recall 1/2, then 2/3.
    assert curves.precision[0, :, 0, 0].tolist() == pytest.approx([1] * 51 + [2 / 3] * 50)
    assert curves.scores[0, :, 0, 0].tolist() == [0.9] * 51 + [0.6] * 50
    assert curves.recall[0, 0, 0].tolist() == [0.5, 1, 1]
    assert curves.per_category() == {3: curves.summary()}


def bad(field, value):
    return lambda ground_truth, detections: detections[1].__setitem__(field, value)


def bad_annotation(field, value):
    return lambda ground_truth, detections: ground_truth["annotations"][1].__setitem__(field, value)


@pytest.mark.parametrize("iou_type", ["segm", "bbox", "boundary"])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (bad("image_id", 8), r"detection 1 \(image 8\) names the image 8, which the ground truth does not have"),
        (bad("category_id", 4), r"detection 1 \(image 7\) names the category 4"),
        (bad("score", float("nan")), r"detection 1 \(image 7\) has the score nan"),
        (bad("score", "0.5"), r"detection 1 \(image 7\) has the score '0.5'"),
        (bad("score", None), r"detection 1 \(image 7\) has the score None"),
        (lambda g, d: d[1].pop("score"), r"detection 1 \(image 7\) has no 'score'"),
        (lambda g, d: d[1].pop("image_id"), "detection 1 has no 'image_id'"),
        (lambda g, d: d.__setitem__(1, [1]), "detection 1 must be a dict"),
        (bad("bbox", [0, 0, -1, 5]), r"detection 1 \(image 7\) has a box of negative width or height"),
        (bad("bbox", [0, 0, 5]), r"detection 1 \(image 7\): bbox must be four finite numbers"),
        (bad("bbox", [0, 0, 5, float("nan")]), r"detection 1 \(image 7\): bbox must be four finite numbers"),
        (bad("bbox", "0055"), r"detection 1 \(image 7\): bbox must be four finite numbers"),
        (lambda g, d: d[1].pop("bbox"), r"detection 1 \(image 7\) has no 'bbox'"),
        (bad_annotation("id", 1), r"annotation 1 \(id 1\) \(image 7\) uses the id 1 a second time"),
        (bad_annotation("image_id", 8), r"annotation 1 \(id 2\) \(image 8\) names the image 8"),
        (bad_annotation("category_id", 4), r"annotation 1 \(id 2\) \(image 7\) names the category 4"),
        (bad_annotation("area", float("nan")), r"annotation 1 \(id 2\) \(image 7\) has the area nan"),
        (bad_annotation("area", -2.0), "negative area, -2.0"),
        (lambda g, d: g["annotations"][1].pop("area"), r"annotation 1 \(id 2\) \(image 7\) has no 'area'"),
        (lambda g, d: g["annotations"][1].pop("id"), r"annotation 1 \(image 7\) has no 'id'"),
        (lambda g, d: g["images"].append(dict(IMAGE)), "image 1 uses the id 7 a second time"),
        (lambda g, d: g["categories"].append({"id": 3}), "category 1 uses the id 3 a second time"),
        (lambda g, d: g.pop("categories"), "ground_truth has no 'categories'"),
    ],
)
def test_broken_records_are_named(iou_type, spoil, message):
    ground_truth = truth((0, 0, 20, 20), (50, 0, 20, 20))
    detections = found((0, 0, 20, 20, 0.9), (50, 0, 20, 20, 0.8), bbox=[0, 0, 20, 20])
    spoil(ground_truth, detections)
    with pytest.raises(ValueError, match=message):
        evaluate_coco(ground_truth, detections, iou_type)


@pytest.mark.parametrize("iou_type", ["segm", "boundary"])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            bad("segmentation", rectangle(0, 0, 5, 5, (300, 200))),
            r"detection 1 \(image 7\) has a mask of 300 x 200 pixels",
        ),
        (
            bad("segmentation", {"size": [200, 300], "counts": [5, 5]}),
            r"detection 1 \(image 7\): its run lengths underrun",
        ),
        (bad("segmentation", [[1, 2, 3, 4]]), r"detection 1 \(image 7\) has a polygon of 4 numbers"),
        (bad("segmentation", None), r"detection 1 \(image 7\) is no run-length encoding"),
        (lambda g, d: d[1].pop("segmentation"), r"detection 1 \(image 7\) has no 'segmentation'"),
        (
            bad_annotation("segmentation", rectangle(0, 0, 5, 5, (100, 300))),
            r"annotation 1 \(id 2\) \(image 7\) has a mask of 100 x 300 pixels, but its image is 200 x 300",
        ),
        (bad_annotation("segmentation", []), r"annotation 1 \(id 2\) \(image 7\) has an empty list of polygons"),
        (lambda g, d: g["images"][0].pop("height"), "image 7 must have a height and a width"),
    ],
)
def test_broken_masks_are_named(iou_type, spoil, message):
    ground_truth = truth((0, 0, 20, 20), (50, 0, 20, 20))
    detections = found((0, 0, 20, 20, 0.9), (50, 0, 20, 20, 0.8))
    spoil(ground_truth, detections)
    with pytest.raises(ValueError, match=message):
        evaluate_coco(ground_truth, detections, iou_type)


def test_broken_mask_is_named_where_nothing_was_detected():
    ground_truth = truth((0, 0, 20, 20))
    ground_truth["annotations"][0]["segmentation"] = rectangle(0, 0, 5, 5, (100, 300))
    with pytest.raises(ValueError, match=r"annotation 0 \(id 1\) \(image 7\) has a mask of 100 x 300 pixels"):
        evaluate_coco(ground_truth, [])


def test_broken_arguments_are_explained():
    objects, detections = truth((0, 0, 20, 20)), found((0, 0, 20, 20, 0.9))
    for arguments, message in [
        ({"iou_type": "masks"}, "iou_type must be 'segm', 'bbox' or 'boundary', got 'masks'"),
        ({"max_detections": ()}, "max_detections must be positive whole numbers"),
        ({"max_detections": (0, 10)}, "max_detections must be positive whole numbers"),
        ({"iou_thresholds": [50]}, "iou_thresholds must be numbers above 0 and up to 1"),
        ({"iou_thresholds": []}, "iou_thresholds must be numbers above 0 and up to 1"),
        ({"area_ranges": {"s": (10, 1)}}, "area_ranges"),
        ({"iou_type": "boundary", "dilation_ratio": 2}, "dilation_ratio"),
    ]:
        with pytest.raises(ValueError, match=message):
            evaluate_coco(objects, detections, **arguments)
    with pytest.raises(ValueError, match="detections must be a list of results"):
        evaluate_coco(objects, {"annotations": detections})
    with pytest.raises(ValueError, match="ground_truth must be a COCO dict"):
        evaluate_coco([objects], detections)
