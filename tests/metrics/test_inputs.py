"""What comes out of a network or another library goes into the metrics: tensors of any kind, pictures, odd arrays."""

import numpy as np
import pytest
import torch
from PIL import Image

from segtutor.metrics import (
    ConfusionMatrix,
    PanopticQuality,
    boundary_iou,
    evaluate_coco,
    mask_iou,
    match_detections,
    panoptic_quality,
    precision_recall_curve,
)
from segtutor.metrics.arrays import to_numpy
from segtutor.metrics.boundary import boundary_band
from segtutor.metrics.rle import decode, encode

RING = [2, 2, 10, 2, 10, 8, 2, 8]
TRUTH = {
    "images": [{"id": 1, "height": 20, "width": 30}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 2, 8, 6], "area": 48, "segmentation": [RING]}
    ],
    "categories": [{"id": 1}],
}
FOUND = {"image_id": 1, "category_id": 1, "bbox": [2, 2, 8, 6], "score": 0.9, "segmentation": [RING]}


class TestToNumpy:
    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2])
    def test_floats_that_numpy_lacks_keep_their_values(self, dtype):
        values = torch.tensor([0.5, -1.25, 3.0]).to(dtype)
        assert to_numpy(values).tolist() == [0.5, -1.25, 3.0]
        assert to_numpy(values).dtype == np.float32

    def test_every_value_of_bfloat16(self):
        bits = torch.arange(-(1 << 15), 1 << 15, dtype=torch.int32).to(torch.int16)
        values = bits.view(torch.bfloat16)
        exact = (bits.int() << 16).view(torch.float32)
        assert np.array_equal(to_numpy(values), exact.numpy(), equal_nan=True)

    def test_gradients_and_lists_of_tensors(self):
        leaf = torch.tensor([1.0, 2.0], requires_grad=True)
        assert to_numpy(leaf * 2).tolist() == [2, 4]
        assert to_numpy([leaf, leaf]).tolist() == [[1, 2], [1, 2]]
        assert to_numpy([torch.tensor(0.5).bfloat16()]).tolist() == [0.5]
        with pytest.raises(ValueError, match=r"one shape, but they have \[\(2,\), \(1,\)\]"):
            to_numpy([leaf, leaf[:1]])

    def test_ragged_lists(self):
        with pytest.raises(ValueError, match="one shape"):
            to_numpy([[1, 2], [3]])

    def test_a_tensor_still_shares_its_memory(self):
        values = torch.zeros(3)
        to_numpy(values)[0] = 7
        assert values[0] == 7


class TestPictures:
    @pytest.mark.parametrize("mode", ["L", "P", "1"])
    def test_one_channel(self, mode):
        labels = np.array([[0, 1, 1], [0, 0, 1]], np.uint8)
        picture = Image.fromarray(labels.astype(bool)) if mode == "1" else Image.fromarray(labels)
        if mode == "P":
            picture.putpalette([9, 9, 9, 200, 0, 0])
        assert picture.mode == mode
        confusion = ConfusionMatrix(2)
        confusion.update(picture, picture)
        assert confusion.matrix.tolist() == [[3, 0], [0, 3]]
        assert mask_iou(picture, labels) == 1
        assert boundary_iou(picture, picture) == 1
        assert np.array_equal(decode(encode(picture)), labels)

    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "CMYK"])
    def test_colors_are_refused(self, mode):
        """Otherwise black pixels of three channels would count as three pixels of class 0."""
        picture = Image.new(mode, (4, 3))
        with pytest.raises(ValueError, match=f"this one has the mode '{mode}'"):
            ConfusionMatrix(256).update(picture, picture)


class TestCurves:
    def test_scores(self):
        scores = torch.tensor([0.875, 0.75], requires_grad=True)
        expected = precision_recall_curve([0.875, 0.75], [True, False], 2)
        for given in (scores, scores.bfloat16(), scores.half(), scores.numpy(force=True)[::-1][::-1], list(scores)):
            curve = precision_recall_curve(given, torch.tensor([True, False]), 2)
            assert [part.tolist() for part in curve] == [part.tolist() for part in expected]

    def test_nothing_found(self):
        curve = precision_recall_curve(torch.tensor([]), torch.tensor([]), 3)
        assert [part.size for part in curve] == [0, 0, 0]

    def test_overlaps(self):
        overlaps = torch.tensor([[0.75, 0.5]]).bfloat16()
        assert match_detections(torch.tensor([0.5]).bfloat16(), overlaps).tolist() == [True]
        with pytest.raises(ValueError, match="some of them are NaN"):
            match_detections([0.5], [[float("nan"), 0.9]])
        with pytest.raises(ValueError, match="complex"):
            precision_recall_curve(np.array([1j]), [True], 1)


class TestEvaluator:
    @pytest.mark.parametrize("iou_type", ["bbox", "segm"])
    @pytest.mark.parametrize(
        "fields",
        [
            {"bbox": torch.tensor([2.0, 2, 8, 6]).bfloat16()},
            {"bbox": torch.tensor([2.0, 2, 8, 6], requires_grad=True)},
            {"bbox": list(torch.tensor([2.0, 2, 8, 6], requires_grad=True))},
            {"bbox": np.array([6.0, 8, 2, 2])[::-1]},
            {"bbox": (np.float32(2), np.int64(2), torch.tensor(8), 6)},
            {"score": torch.tensor(0.9, requires_grad=True)},
            {"score": torch.tensor(0.9).bfloat16()},
            {"score": np.float16(0.9)},
            {"image_id": torch.tensor(1)},
            {"image_id": np.int64(1), "category_id": np.uint8(1)},
            {"category_id": torch.tensor(1, dtype=torch.uint8)},
        ],
    )
    def test_fields(self, fields, iou_type):
        assert evaluate_coco(TRUTH, [FOUND | fields], iou_type)["AP"] == pytest.approx(1)

    def test_run_lengths(self):
        mask = np.zeros((20, 30), bool)
        mask[2:8, 2:10] = True
        counts = encode(mask, compressed=False)["counts"]
        for given in (torch.tensor(counts), np.array(counts), counts):
            found = {key: FOUND[key] for key in ("image_id", "category_id", "score")}
            found["segmentation"] = {
                "size": torch.tensor([20, 30]) if given is not counts else [20, 30],
                "counts": given,
            }
            assert evaluate_coco(TRUTH, [found])["AP"] == pytest.approx(1)

    def test_ground_truth(self):
        record = TRUTH["annotations"][0] | {
            "image_id": torch.tensor(1), "area": torch.tensor(48.0, requires_grad=True), "iscrowd": torch.tensor(0)
        }  # fmt: skip
        assert evaluate_coco(TRUTH | {"annotations": [record]}, [FOUND])["AP"] == pytest.approx(1)

    def test_a_mask_is_no_segmentation(self):
        with pytest.raises(ValueError, match=r"detection 0 \(image 1\) is no run-length encoding"):
            evaluate_coco(TRUTH, [FOUND | {"segmentation": torch.zeros(20, 30, dtype=torch.bool)}])


class TestShapes:
    def test_squeeze_is_named(self):
        labels = torch.zeros(2, 1, 4, 4, dtype=torch.int64)
        with pytest.raises(ValueError, match=r"target\.squeeze\(1\)"):
            ConfusionMatrix(3).update(labels, labels[:, 0])
        with pytest.raises(ValueError, match=r"prediction\.squeeze\(1\)"):
            ConfusionMatrix(3).update(labels[:, 0], labels)
        confusion = ConfusionMatrix(3)
        confusion.update(labels, labels)
        assert confusion.matrix[0, 0] == 32
        for call in (lambda: mask_iou(labels, labels), lambda: boundary_band(labels, 1), lambda: encode(labels)):
            with pytest.raises(ValueError, match=r"squeeze\(1\)"):
                call()
        with pytest.raises(ValueError, match=r"squeeze\(0\)"):
            panoptic_quality((labels[0], []), (labels[0], []), [{"id": 1, "isthing": 1}])

    def test_another_size_is_still_scaled(self):
        with pytest.raises(ValueError, match="scale the prediction"):
            ConfusionMatrix(3).update(np.zeros((1, 4, 4), int), np.zeros((1, 4, 5), int))

    def test_float_masks_name_their_own_type(self):
        with pytest.raises(ValueError, match=r"its dtype is torch\.bfloat16"):
            mask_iou(torch.zeros(1, 2, 2).bfloat16(), torch.zeros(1, 2, 2, dtype=torch.bool))


class TestPanoptic:
    CATEGORIES = ({"id": 1, "isthing": 1},)

    def quality(self, **fields):
        one = np.array([[0, 1, 1]]), [{"id": 1, "category_id": 1} | fields]
        return panoptic_quality(one, one, self.CATEGORIES).overall

    @pytest.mark.parametrize("iscrowd", [0, False, None, torch.tensor(0), np.int64(0)])
    def test_no_crowd(self, iscrowd):
        assert self.quality(iscrowd=iscrowd).PQ == 1

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"iscrowd": "0"}, "segment 0 of segments_info has the iscrowd '0'"),
            ({"iscrowd": float("nan")}, "has the iscrowd nan"),
            ({"id": "1"}, "has the id '1', but it must be a whole number"),
            ({"id": 1.5}, "has the id 1.5"),
            ({"category_id": "1"}, "unknown category '1'"),
            ({"category_id": None}, "has the category_id None"),
        ],
    )
    def test_wrong_fields(self, fields, message):
        with pytest.raises(ValueError, match=f"ground_truth: .*{message}"):
            self.quality(**fields)

    def test_tensors(self):
        assert self.quality(id=torch.tensor(1), category_id=torch.tensor(1)).PQ == 1

    @pytest.mark.parametrize(
        ("info", "message"),
        [
            ([{"id": 1, "label_id": 1}], "has no 'category_id'; its fields are id, label_id: rename 'label_id'"),
            ([5], "must be a dict, got 5"),
            ({"id": 1}, "segments_info must be a list of dicts"),
            (None, "segments_info must be a list of dicts, but is None"),
        ],
    )
    def test_lists_that_are_none(self, info, message):
        one = np.array([[0, 1]]), info
        with pytest.raises(ValueError, match=message):
            panoptic_quality(one, one, self.CATEGORIES)

    @pytest.mark.parametrize(
        ("category", "message"),
        [({"id": 1}, "category 0 has no 'isthing'"), ({"id": 1, "isthing": "0"}, "isthing '0'"),
         ({"isthing": 1}, "'id'"), ({"id": "1", "isthing": 1}, "whole number")],
    )  # fmt: skip
    def test_categories(self, category, message):
        with pytest.raises(ValueError, match=message):
            PanopticQuality([category])

    def test_many_segments_and_ids_that_no_table_tells_apart(self):
        """Both ways to look up ids and to add up pairs give the same."""
        random = np.random.default_rng(0)
        for ids in (np.arange(1, 400), np.arange(1, 40) << 16, np.array([1, 1 + (1 << 16), 1 + (1 << 40)])):
            truth, prediction = ids[random.integers(0, len(ids), (2, 60, 70))]
            info = [{"id": int(i), "category_id": 1} for i in ids]
            left = [item for item in info if (prediction == item["id"]).any()]
            quality = PanopticQuality(self.CATEGORIES)
            quality.update((truth, info), (prediction, left))
            matched = sum(
                np.sum((truth == i) & (prediction == j)) * 2 > np.sum((truth == i) | (prediction == j))
                for i in ids for j in ids
            ) if len(ids) < 50 else int(quality.true_positives[0])  # fmt: skip
            assert quality.true_positives[0] == matched
            assert quality.true_positives[0] + quality.false_negatives[0] == len(ids)
            assert quality.true_positives[0] + quality.false_positives[0] == len(left)
            same = PanopticQuality(self.CATEGORIES)
            same.update((truth, left_of(truth, info)), (truth, left_of(truth, info)))
            assert same.scores().overall.PQ == 1


def left_of(ids, info):
    return [item for item in info if (ids == item["id"]).any()]


class TestAdvice:
    """What an error about shapes or types tells to do gives what was meant."""

    @pytest.mark.parametrize(
        ("target", "prediction", "advice"),
        [
            ((1, 1, 4, 5), (1, 4, 5), r"target\.squeeze\(1\)"),
            ((2, 1, 4, 5), (2, 4, 5), r"target\.squeeze\(1\)"),
            ((1, 4, 5), (4, 5), r"target\.squeeze\(0\)"),
            ((2, 4, 5), (2, 3, 4, 5), r"prediction\.argmax\(1\)"),
            ((2, 4, 5, 3), (2, 4, 5), r"target\.argmax\(3\)"),
            ((2, 4, 5), (2, 8, 10), "scale the prediction"),
        ],
    )
    def test_shapes(self, target, prediction, advice):
        with pytest.raises(ValueError, match=advice):
            ConfusionMatrix(3).update(np.zeros(target, np.uint8), np.zeros(prediction, np.uint8))

    @pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
    def test_masks_of_probabilities(self, kind):
        with pytest.raises(ValueError, match=rf"b must be a mask of 0 and 1, but its dtype is {kind}; .*b > 0\.5"):
            mask_iou(torch.ones(1, 4, 4, dtype=torch.bool), torch.ones(1, 4, 4, dtype=kind))
