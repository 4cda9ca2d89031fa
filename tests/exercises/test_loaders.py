"""The broken loaders: each fault does what its line says, and exactly the tests of the assignment catch it."""

import json

import numpy as np
import pytest
import torch

from segtutor import resources
from segtutor.exercises import loaders, symptoms
from segtutor.exercises.lesson02 import EXERCISES, open_loader
from segtutor.exercises.lesson02.inputs import gray_values, labels_of, painted_files, probe_files
from segtutor.exercises.lesson02.puzzle import LETTERS, RIGHT, faults_in_order
from segtutor.exercises.loaders import EIGHT, FAULTS, MEAN, STD, VOID, Loader

TESTS = {exercise.name: exercise.reference for exercise in EXERCISES}
PAINTED = painted_files(11)
PROBES = probe_files(11)

# What the five tests of the assignment say about each loader: pixels, repeatable, counts; and in training, whether any
# label is invented, and whether image and labels move together.
VERDICTS = {
    None: ("right", True, "ok", False, {"together"}),
    "bilinear mask": ("right", True, "ok", True, {"together"}),
    "unsynchronized flip": ("right", True, "ok", False, {"together", "mirrored"}),
    "void as background": ("right", True, "void lost", False, {"together"}),
    "BGR": ("BGR", True, "ok", False, {"together"}),
    "off-by-one class": ("right", True, "shifted by one", False, {"another picture"}),
    "palette as gray": ("right", True, "void lost", True, {"another picture"}),
    "train transforms on val": ("other", False, "changed", False, {"together"}),
    "crop drop": ("other", True, "pixels dropped", False, {"together"}),
    "shuffled pairs": ("right", True, "ok", True, {"another picture"}),
    "normalization twice": ("normalized twice", True, "ok", False, {"another picture"}),
}


def items(loader):
    return [loader[index] for index in range(len(loader))]


def verdicts(fault):
    val = Loader(PAINTED, fault=fault, seed=1)
    stored = [file.labels for file in PAINTED]
    pixels = TESTS["pixels_verdict"](PAINTED[0].pixels, val[0][0], MEAN, STD)
    repeatable = TESTS["is_repeatable"](items(val), items(val))
    counts = TESTS["counts_verdict"](stored, labels_of(Loader(PAINTED, fault=fault, seed=1)))
    trained = labels_of(Loader(PAINTED, train=True, fault=fault, seed=1))
    invented = bool(TESTS["invented_labels"](stored, trained))
    flipping = [Loader(PROBES, train=True, fault=fault, scale=(1, 1), seed=2) for _ in range(2)]
    moved = set(TESTS["moved_together"](gray_values(flipping[0]), labels_of(flipping[1])))
    return pixels, repeatable, counts, invented, moved


@pytest.mark.parametrize("fault", VERDICTS)
def test_the_five_tests_see_each_fault_and_nothing_else(fault):
    assert set(VERDICTS) == {None, *FAULTS}
    found, wanted = verdicts(fault), VERDICTS[fault]
    if fault == "train transforms on val":  # a random crop may also drop or keep the number of pixels
        assert found[:2] == wanted[:2]
        assert found[3:] == wanted[3:]
    elif fault == "off-by-one class":  # label 0 of a file that has no class 1 is new there
        assert found[:3] + found[4:] == wanted[:3] + wanted[4:]
    else:
        assert found == wanted


def test_no_two_loaders_have_the_same_verdicts():
    told = [(*found[:4], tuple(sorted(found[4]))) for found in map(verdicts, VERDICTS)]
    assert len(set(told)) == len(told)


def test_right_validation_loader_gives_the_file_pixel_for_pixel():
    for file, (image, labels) in zip(PAINTED, items(Loader(PAINTED)), strict=True):
        np.testing.assert_array_equal(labels, file.labels)
        np.testing.assert_array_equal(loaders.denormalized(image), file.pixels)
        assert image.dtype == np.float32
        assert labels.dtype == np.int64


def test_right_training_loader_varies_pads_with_void_and_keeps_crop():
    loader = Loader(PAINTED, train=True, crop=(30, 40), scale=(0.5, 2.0), seed=0)
    passes = [items(loader) for _ in range(4)]
    assert not TESTS["is_repeatable"](passes[0], passes[1])
    for image, labels in (item for one in passes for item in one):
        assert image.shape == (3, 30, 40)
        assert labels.shape == (30, 40)
    small = Loader(PAINTED, train=True, crop=(30, 40), scale=(0.5, 0.5), seed=0)[0]
    assert (small[1][12:] == VOID).all()
    assert (small[1][:, 16:] == VOID).mean() >= 0.5
    assert np.unique(loaders.denormalized(small[0]).reshape(-1, 3), axis=0).shape[0] > 1


def test_normalization_by_hand():
    pixels = np.array([[[255, 0, 128]]], dtype=np.uint8)
    wanted = [(1 - 0.485) / 0.229, -0.456 / 0.224, (128 / 255 - 0.406) / 0.225]
    np.testing.assert_allclose(loaders.normalized(pixels)[:, 0, 0], wanted, rtol=1e-5)


def test_palette_as_gray_is_the_luma_of_vocs_colors():
    labels = np.array([[0, 1, 2, 4, 255]], dtype=np.uint8)
    file = loaders.File("scene_8", np.zeros((1, 5, 3), dtype=np.uint8), labels)
    _, gray = Loader([file], fault="palette as gray")[0]
    assert gray.tolist() == [[0, 38, 75, 15, 220]]  # 0.299 R + 0.587 G + 0.114 B; the void color is 224, 224, 192


def test_a_fault_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="no fault 'flip'; there are bilinear mask"):
        Loader(PAINTED, fault="flip")
    with pytest.raises(ValueError, match="no loader 'Z'"):
        open_loader("Z", PAINTED)


def test_the_letters_hide_each_fault_once():
    assert sorted(faults_in_order()) == sorted([*FAULTS, RIGHT])
    for letter, fault in zip(LETTERS, faults_in_order(), strict=True):
        np.testing.assert_array_equal(
            open_loader(letter, PAINTED, seed=4)[2][1],
            Loader(PAINTED, fault=None if fault == RIGHT else fault, seed=4)[2][1],
        )


def test_scene_files_merge_the_classes_of_scenes():
    from segtutor.datasets import Scenes
    from segtutor.labels import SCENES

    (file,) = loaders.scene_files("val", 1)
    image, labels = Scenes("val", size=(64, 80), count=1, scale_range=6.0)[0]
    np.testing.assert_array_equal(file.pixels, image.numpy().transpose(1, 2, 0))
    assert file.name == "scene_1"
    np.testing.assert_array_equal(file.labels == VOID, labels.numpy() == SCENES.ignore_index)
    for ours, theirs in (("sky", {"sky"}), ("ground", {"road", "pavement", "grass", "sand"})):
        np.testing.assert_array_equal(
            file.labels == EIGHT.index(ours), np.isin(labels.numpy(), SCENES.select(sorted(theirs)))
        )


# The package's own transforms and loaders, under the same tests.
def test_the_course_transforms_pass_the_tests_of_the_assignment():
    from segtutor.datasets import Scenes
    from segtutor.datasets.transforms import Transformed, train_transforms

    scenes = Scenes("train", size=(64, 80), count=6)
    torch.manual_seed(0)
    augmented = Transformed(scenes, train_transforms((70, 90), degrees=10, jitter=0.3))
    stored = [scenes[index][1].numpy() for index in range(6)]
    assert TESTS["invented_labels"](stored, [augmented[index][1].numpy() for index in range(6)]) == []
    assert TESTS["counts_verdict"](stored, [scenes[index][1].numpy() for index in range(6)]) == "ok"


def test_export_and_loader_pass_the_tests_of_the_assignment(tmp_path):
    from segtutor.datasets import Scenes, VOCSegmentation, export
    from segtutor.labels import VOC2012

    scenes = Scenes("train", size=(64, 80), count=12)
    root = export(scenes, tmp_path / "voc", layout="voc")
    loaded = [VOCSegmentation(root, image_set="train")[index][1].numpy() for index in range(12)]
    stored = [scenes[index][1].numpy() for index in range(12)]
    stored = [np.where((one < len(VOC2012)) | (one == VOID), one, 0) for one in stored]
    assert TESTS["counts_verdict"](stored, loaded) == "ok"
    assert TESTS["is_repeatable"]([(a, a) for a in stored], [(b, b) for b in loaded])


# The symptoms.
def test_one_short_training_reports_what_it_did():
    found = symptoms.symptoms("crop drop", PAINTED, PAINTED, steps=20)
    assert 0 < found.loss < 5
    assert 0 < found.reported <= 1
    assert found.reported == found.reported_again
    assert found.pixels < 1
    assert symptoms.symptoms("crop drop", PAINTED, PAINTED, steps=20) == found


def test_labels_beyond_the_classes_are_silenced():
    labels = torch.tensor([[0, 7, 8, 131, 255]])
    assert symptoms.silenced(labels).tolist() == [[0, 7, 255, 255, 255]]


def test_the_recorded_table_is_of_the_present_settings():
    content = json.loads(resources.data("results", symptoms.RESULTS).read_text(encoding="utf-8"))
    assert list(content["runs"]) == ["right loader", *FAULTS]
    assert all(len(runs) == len(content["seeds"]) == len(symptoms.SEEDS) for runs in content["runs"].values())
    assert content["settings"] == {
        "steps": symptoms.STEPS,
        "batch": symptoms.BATCH,
        "crop": list(symptoms.CROP),
        "pictures": symptoms.PICTURES,
        "val": symptoms.VAL_PICTURES,
    }


def test_the_recorded_numbers_say_what_the_lesson_says():
    table = symptoms.recorded()
    right, spread = table["right loader"]["true"]
    for fault in ("BGR", "off-by-one class", "normalization twice"):  # the pipeline's own number hides them
        assert table[fault]["reported"][0] > right - 2 * spread
        assert table[fault]["true"][0] < right / 2
    assert table["palette as gray"]["reported"] == (1.0, 0.0)
    assert table["palette as gray"]["true"][0] < 0.02
    assert table["palette as gray"]["classes"][0] == 1
    assert table["shuffled pairs"]["reported"][0] < right / 2
    assert table["unsynchronized flip"]["loss"][0] > table["right loader"]["loss"][0] + 0.2
    assert table["void as background"]["pixels"][0] > 1
    assert table["crop drop"]["pixels"][0] < 0.6
    assert table["train transforms on val"]["reported"] != table["train transforms on val"]["reported_again"]
    assert abs(table["bilinear mask"]["true"][0] - right) < spread  # it does not show


@pytest.mark.slow
def test_the_recorded_row_of_the_right_loader_comes_out_again():
    content = json.loads(resources.data("results", symptoms.RESULTS).read_text(encoding="utf-8"))
    files = loaders.scene_files("train", symptoms.PICTURES), loaders.scene_files("val", symptoms.VAL_PICTURES)
    found = symptoms.symptoms(None, *files, seed=0)
    assert found.true == pytest.approx(content["runs"]["right loader"][0]["true"], abs=0.06)
