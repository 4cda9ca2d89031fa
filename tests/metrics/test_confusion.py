"""The confusion matrix: by hand, against brute force, scikit-learn and torchmetrics, and what it refuses."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segtutor.metrics import ConfusionMatrix, iou_per_image
from segtutor.metrics import confusion as confusion_module

NAN = float("nan")


def counted(target, prediction, num_classes, ignore_index=255):
    confusion = ConfusionMatrix(num_classes, ignore_index)
    confusion.update(target, prediction)
    return confusion


def brute_force(target, prediction, num_classes, ignore_index):
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    for t, p in zip(target.ravel().tolist(), prediction.ravel().tolist(), strict=True):
        if t != ignore_index:
            matrix[t, p] += 1
    return matrix


def random_maps(seed, num_classes=5, shape=(2, 13, 17), ignore_index=255, void=0.2, dtype=np.int64):
    random = np.random.default_rng(seed)
    target = random.integers(0, num_classes, shape).astype(dtype)
    prediction = np.where(random.random(shape) < 0.6, target, random.integers(0, num_classes, shape)).astype(dtype)
    target[random.random(shape) < void] = ignore_index
    return target, prediction


@pytest.fixture
def two_maps():
    """Two 3 x 4 maps: class 2 is only predicted, class 3 is nowhere, two pixels are void."""
    target = np.array([[[0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 255, 255]], [[0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 1, 1]]])
    prediction = np.array([[[0, 0, 0, 0], [0, 0, 2, 2], [2, 1, 3, 0]], [[0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 1, 0]]])
    return target, prediction


def test_hand_worked(two_maps):
    confusion = counted(*two_maps, num_classes=4)
    assert confusion.matrix.tolist() == [[15, 0, 3, 0], [1, 3, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert confusion.matrix.dtype == np.int64
    np.testing.assert_allclose(confusion.iou(), [15 / 19, 3 / 4, 0, NAN])
    np.testing.assert_allclose(confusion.dice(), [30 / 34, 6 / 7, 0, NAN])
    np.testing.assert_allclose(confusion.recall(), [15 / 18, 3 / 4, NAN, NAN])
    np.testing.assert_allclose(confusion.precision(), [15 / 16, 1, 0, NAN])
    assert confusion.mean_iou() == pytest.approx(0.5132, abs=5e-5)
    assert confusion.pixel_accuracy() == 18 / 22
    assert confusion.mean_class_accuracy() == pytest.approx((15 / 18 + 3 / 4) / 2)
    assert confusion.frequency_weighted_iou() == pytest.approx(0.7823, abs=5e-5)


def test_absent_class_is_nan_and_does_not_pull_the_mean_down():
    confusion = counted([0, 0, 1], [0, 0, 1], num_classes=150)
    assert confusion.mean_iou() == 1.0
    assert np.isnan(confusion.iou()[2:]).all()
    assert np.isnan(confusion.dice()[2:]).all()
    assert confusion.mean_class_accuracy() == confusion.frequency_weighted_iou() == 1.0


def test_class_absent_from_one_image_does_not_count_there():
    iou = iou_per_image([[0, 0], [0, 1]], [[0, 0], [0, 1]], num_classes=3)
    np.testing.assert_array_equal(iou, [[1, NAN, NAN], [1, 1, NAN]])


def test_per_image_is_another_score_than_the_data_set():
    target = np.array([[1] * 10 + [0] * 90, [1] * 1 + [0] * 99])
    prediction = np.array([[1] * 10 + [0] * 90, [0] * 100])
    iou = iou_per_image(target, prediction, num_classes=2)
    np.testing.assert_allclose(iou, [[1, 1], [0.99, 0]])
    assert counted(target, prediction, 2).iou()[1] == pytest.approx(10 / 11)
    assert np.nanmean(iou[:, 1]) == 0.5
    with pytest.raises(ValueError, match=r"one prediction per target.*1 and 2"):
        iou_per_image(target, prediction[:1], 2)


def test_only_predicted_class_scores_zero_and_counts():
    confusion = counted([0, 0, 0, 0], [0, 0, 0, 1], num_classes=3)
    np.testing.assert_array_equal(confusion.iou(), [0.75, 0, NAN])
    assert confusion.mean_iou() == 0.375


def test_nothing_counted_is_nan_everywhere_without_a_warning(recwarn):
    for confusion in (
        ConfusionMatrix(3),
        counted(np.zeros((0, 4), int), np.zeros((0, 4), int), 3),
        counted([255], [0], 3),
    ):
        assert np.isnan(confusion.iou()).all()
        assert np.isnan(confusion.dice()).all()
        for score in ("mean_iou", "pixel_accuracy", "mean_class_accuracy", "frequency_weighted_iou"):
            assert np.isnan(getattr(confusion, score)())
    assert not recwarn.list


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64])
def test_any_integer_type(dtype):
    ignore_index = 100
    target, prediction = random_maps(0, ignore_index=ignore_index)
    expected = brute_force(target, prediction, 5, ignore_index)
    before = target.copy(), prediction.copy()
    assert (counted(target.astype(dtype), prediction.astype(dtype), 5, ignore_index).matrix == expected).all()
    assert (counted(target.astype(dtype), prediction, 5, ignore_index).matrix == expected).all()
    np.testing.assert_array_equal(target, before[0])
    np.testing.assert_array_equal(prediction, before[1])


def test_tensors_booleans_strides_and_read_only_arrays():
    target, prediction = random_maps(1)
    expected = brute_force(target, prediction, 5, 255)
    assert (counted(torch.from_numpy(target), torch.from_numpy(prediction), 5).matrix == expected).all()
    assert (counted(torch.from_numpy(target).to(torch.uint8), prediction, 5).matrix == expected).all()
    assert (counted(target.transpose(2, 0, 1), prediction.transpose(2, 0, 1), 5).matrix == expected).all()
    target.setflags(write=False)
    assert (counted(target, prediction, 5).matrix == expected).all()
    masks = np.array([True, True, False]), np.array([True, False, False])
    assert counted(*masks, 2).matrix.tolist() == [[1, 0], [1, 1]]
    assert counted(*map(torch.from_numpy, masks), 2).matrix.tolist() == [[1, 0], [1, 1]]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    num_classes=st.one_of(st.integers(1, 300), st.just(400)),
    ignore_index=st.sampled_from([255, -1, -100, 1000, 0, 2, None]),
)
def test_brute_force(seed, num_classes, ignore_index):
    if ignore_index == 255 and num_classes > 255:
        ignore_index = 65535
    target, prediction = random_maps(seed, num_classes, (3, 5, 7), -7 if ignore_index is None else ignore_index)
    if ignore_index is None:
        target[target == -7] = 0
    confusion = counted(target, prediction, num_classes, ignore_index)
    assert (confusion.matrix == brute_force(target, prediction, num_classes, ignore_index)).all()
    iou = confusion.iou()
    np.testing.assert_allclose(confusion.dice(), 2 * iou / (1 + iou), atol=1e-15)


def test_more_pixels_than_one_chunk():
    target, prediction = random_maps(2, num_classes=19, shape=(700, 800), dtype=np.uint8)
    expected = np.zeros((19, 19), dtype=np.int64)
    valid = target != 255
    np.add.at(expected, (target[valid], prediction[valid]), 1)
    assert (counted(target, prediction, 19).matrix == expected).all()
    assert (counted(target.astype(np.int64), prediction.astype(np.int32), 19).matrix == expected).all()


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn(seed):
    metrics = pytest.importorskip("sklearn.metrics")
    target, prediction = random_maps(seed, num_classes=6)
    confusion = counted(target, prediction, 8)
    t, p = target[target != 255], prediction[target != 255]
    assert (confusion.matrix == metrics.confusion_matrix(t, p, labels=range(8))).all()
    assert confusion.mean_iou() == pytest.approx(metrics.jaccard_score(t, p, average="macro"), abs=1e-15)
    np.testing.assert_allclose(confusion.iou()[:6], metrics.jaccard_score(t, p, average=None))
    np.testing.assert_allclose(confusion.dice()[:6], metrics.f1_score(t, p, average=None))
    assert confusion.frequency_weighted_iou() == pytest.approx(metrics.jaccard_score(t, p, average="weighted"))
    assert confusion.mean_class_accuracy() == pytest.approx(metrics.balanced_accuracy_score(t, p))
    assert confusion.pixel_accuracy() == metrics.accuracy_score(t, p)


@pytest.mark.parametrize("ignore_index", [255, 0, 3])
def test_agrees_with_torchmetrics(ignore_index):
    classification = pytest.importorskip("torchmetrics.classification")
    target, prediction = (torch.from_numpy(x) for x in random_maps(3, 6, ignore_index=ignore_index))
    confusion = counted(target, prediction, 8, ignore_index)
    peer = classification.MulticlassConfusionMatrix(8, ignore_index=ignore_index)(prediction, target)
    assert (confusion.matrix == peer.numpy()).all()
    peer = classification.MulticlassJaccardIndex(8, ignore_index=ignore_index)(prediction, target)
    assert confusion.mean_iou() == pytest.approx(peer.item(), abs=1e-6)


def test_ignored_class_is_left_out_but_predicting_it_is_a_miss():
    target, prediction = [0, 0, 1, 1, 2], [0, 1, 0, 1, 2]
    everything, without = counted(target, prediction, 3, None), counted(target, prediction, 3, ignore_index=0)
    np.testing.assert_allclose(everything.iou(), [1 / 3, 1 / 3, 1])
    np.testing.assert_allclose(without.iou(), [NAN, 1 / 2, 1])
    np.testing.assert_array_equal(without.recall(), [NAN, 1 / 2, 1])
    assert without.matrix.tolist() == [[0, 0, 0], [1, 1, 0], [0, 0, 1]]
    # With a single class left over, "IoU is recall" is what ignoring the background does: no false positive can count.
    binary = counted([0, 0, 1, 1], [1, 1, 1, 0], 2, ignore_index=0)
    assert binary.iou()[1] == binary.recall()[1] == 0.5
    assert counted([0, 0, 1, 1], [1, 1, 1, 0], 2).iou()[1] == 0.25


def test_one_class_counts_only_its_own_pixels():
    assert counted([0, 255, 0, 255, 0], [0, 3, 0, 9, 0], num_classes=1).matrix.tolist() == [[3]]


def test_last_class_is_not_lost():
    target = np.arange(19).repeat(3)
    assert (counted(target, target, 19).matrix == 3 * np.eye(19)).all()


def test_sums_stay_exact_beyond_what_float32_holds():
    confusion = ConfusionMatrix(2)
    target = np.zeros(500_001, dtype=np.uint8)
    for _ in range(100):
        confusion.update(target, target)
    assert confusion.matrix[0, 0] == 50_000_100


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_label_out_of_range_is_named_and_nothing_is_counted(dtype):
    confusion = counted([0, 1, 2, 3], [0, 1, 2, 3], 4)
    before = confusion.matrix.copy()
    good = np.array([0, 1, 2, 3, 255], dtype=dtype)
    for target, prediction, message in (
        ([0, 7, 7, 3, 255], good, r"target has value 7 \(2 pixels\) outside the classes 0...3, or 255 for void"),
        (good, [0, 1, 2, 9, 77], r"prediction has value 9 \(1 pixel\) outside the classes 0...3;"),
        (good, [0, 255, 255, 3, 1], r"prediction has value 255 \(2 pixels\).*void is not a prediction"),
        (good, [4, 5, 6, 7, 1], r"value 4 \(1 pixel\), value 5 \(1 pixel\), value 6 \(1 pixel\), value 7"),
    ):
        with pytest.raises(ValueError, match=message):
            confusion.update(np.array(target, dtype=dtype), np.array(prediction, dtype=dtype))
        assert (confusion.matrix == before).all()


@pytest.mark.parametrize("wrong", [-1, -(2**40), 256, 300, 2**32, 2**62])
def test_wide_labels_do_not_wrap_around(wrong):
    confusion = ConfusionMatrix(4)
    with pytest.raises(ValueError, match=rf"target has value {wrong} \(2 pixels\)"):
        confusion.update(np.array([wrong, 1, wrong]), np.array([0, 1, 2]))
    with pytest.raises(ValueError, match=rf"prediction has value {wrong} \(1 pixel\)"):
        confusion.update(np.array([0, 1, 255]), np.array([0, wrong, wrong]))
    confusion.update(np.array([0, 255]), np.array([0, wrong]))  # what is predicted on void does not matter
    assert confusion.matrix.sum() == confusion.matrix[0, 0] == 1


def test_many_wrong_values_are_summed_up():
    with pytest.raises(ValueError, match=r"value 1 \(1 pixel\), .*value 5 \(1 pixel\) and 3 other values"):
        ConfusionMatrix(1, ignore_index=-1).update(np.zeros(9, int), np.arange(9))


def test_shapes_and_types_are_refused():
    confusion = ConfusionMatrix(3)
    with pytest.raises(ValueError, match=r"same shape.*\(2, 3\) and \(3, 2\)"):
        confusion.update(np.zeros((2, 3), int), np.zeros((3, 2), int))
    with pytest.raises(ValueError, match=r"\(4,\) and \(4, 1\)"):
        confusion.update(torch.zeros(4, dtype=torch.long), torch.zeros(4, 1, dtype=torch.long))
    for wrong in (np.zeros(4), torch.zeros(4), np.zeros(4, complex), np.array(["a"] * 4), np.array([None] * 4)):
        with pytest.raises(ValueError, match=r"prediction must hold whole numbers.*dtype is"):
            confusion.update(np.zeros(4, int), wrong)
        with pytest.raises(ValueError, match="target must hold whole numbers"):
            confusion.update(wrong, np.zeros(4, int))
    with pytest.raises(ValueError, match="num_classes must be at least 1"):
        ConfusionMatrix(0)
    assert confusion.matrix.sum() == 0


def test_merging_parts_equals_the_whole():
    target, prediction = random_maps(5, shape=(6, 9, 11))
    whole, total = counted(target, prediction, 5), ConfusionMatrix(5)
    for part in range(3):
        worker = counted(target[part::3], prediction[part::3], 5)
        total.merge(pickle.loads(pickle.dumps(worker)))
    assert (total.matrix == whole.matrix).all()
    total.reset()
    assert (total.matrix == 0).all()
    for other in (ConfusionMatrix(6), ConfusionMatrix(5, ignore_index=None)):
        with pytest.raises(ValueError, match="only equal settings can be merged"):
            whole.merge(other)


@pytest.mark.parametrize("ignore_index", [255, -1, 2, 5, None])
def test_counting_on_a_device_equals_counting_in_numpy(ignore_index, monkeypatch):
    """The arithmetic for accelerators, run on the CPU; on a CUDA machine the test below runs it there."""
    monkeypatch.setattr(confusion_module, "_on_accelerator", torch.is_tensor)
    check_tensors(ignore_index, "cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_counting_on_cuda():
    check_tensors(255, "cuda")


def check_tensors(ignore_index, device):
    target, prediction = random_maps(6, ignore_index=0 if ignore_index is None else ignore_index)
    expected = brute_force(target, prediction, 5, ignore_index)
    target, prediction = torch.from_numpy(target).to(device), torch.from_numpy(prediction).to(device)
    confusion = counted(target, prediction, 5, ignore_index)
    assert (confusion.matrix == expected).all()
    for wrong in (-9, 77, 2**40):
        broken = torch.where(prediction == 3, wrong, prediction)
        with pytest.raises(ValueError, match=rf"prediction has value {wrong} \("):
            confusion.update(target, broken)
    with pytest.raises(ValueError, match="whole numbers"):
        confusion.update(target, prediction.float())
    assert (confusion.matrix == expected).all()


def test_repr_says_what_it_holds(two_maps):
    assert "22 pixels, mean IoU 0.5132" in repr(counted(*two_maps, num_classes=4))


def test_memory_does_not_grow_with_the_images():
    confusion, sizes = ConfusionMatrix(5), []
    for seed in range(10):
        confusion.update(*random_maps(seed))
        sizes.append(len(pickle.dumps(confusion)))
    assert len(set(sizes)) == 1
