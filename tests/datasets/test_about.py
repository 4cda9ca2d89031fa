import pytest
import torchvision

import segtutor.datasets
from segtutor import labels
from segtutor.datasets import facts, facts_table
from segtutor.datasets.about import COLUMNS, corrections_table, sources_table
from segtutor.datasets.lists import read_list
from segtutor.datasets.pascal_context import scored_numbers
from tests.shared import shared_data


def splits(name):
    return {split["name"].split()[0]: split["images"] for split in facts(name)["splits"]}


class TestNumbers:
    def test_splits(self):
        """The figures of the papers that the reference of this course was read from."""
        assert splits("voc2012") == {"train": 1464, "val": 1449, "test": 1456, "trainaug": 10582}
        assert splits("pascal_context") == {"train": 4998, "val": 5105}
        assert splits("coco") == {"train2017": 118287, "val2017": 5000, "test2017": 40670}
        assert splits("cityscapes") == {"train": 2975, "val": 500, "test": 1525, "train_extra": 20000}
        assert splits("camvid") == {"train": 367, "val": 101, "test": 233}

    @pytest.mark.parametrize(
        ("name", "sets"),
        [
            ("voc2012", ["VOC2012"]),
            ("pascal_context", ["PASCAL_CONTEXT_459", "PASCAL_CONTEXT_59", "PASCAL_CONTEXT_60"]),
            ("coco_stuff", ["COCO_STUFF_THINGS", "COCO_STUFF"]),
            ("coco_panoptic", ["COCO_PANOPTIC"]),
            ("cityscapes", ["CITYSCAPES_IDS", "CITYSCAPES"]),
            ("camvid", ["CAMVID"]),
        ],
    )
    def test_classes_agree_with_the_label_sets(self, name, sets):
        counts = {part["count"] for part in facts(name)["classes"]}
        assert {len(getattr(labels, item)) for item in sets} <= counts

    def test_things(self):
        assert len(labels.COCO.things) == len(labels.COCO_PANOPTIC.things) == 80
        assert len(labels.COCO_PANOPTIC.stuff) == 53
        assert len(labels.COCO_STUFF_THINGS.stuff) == 91
        assert len(labels.CITYSCAPES.things) == 8
        assert int((labels.CITYSCAPES_TRAIN_IDS[:34] == 255).sum()) == 15

    def test_nothing_without_a_source(self):
        for name, item in facts().items():
            for part in [*item["splits"], *item["classes"], *item["corrections"]]:
                assert part["source"], name
            for key in ("license", "size", "metric"):
                assert item[key]["value"], name
                assert item[key]["source"], name
            assert item["address"].startswith("http")

    def test_loaders_exist(self):
        for item in facts().values():
            if item["loader"]:
                assert callable(getattr(segtutor.datasets, item["loader"]))
            if item["torchvision"]:
                assert hasattr(torchvision.datasets, item["torchvision"])

    @pytest.mark.shared_data
    def test_trainaug_of_the_list(self):
        assert len(read_list(shared_data("lists", "voc2012_trainaug.txt"))) == splits("voc2012")["trainaug"]


class TestLabelSets:
    def test_voc_colors_by_hand(self):
        assert labels.VOC2012.colors[15] == (192, 128, 128)
        assert labels.VOC2012.colors[20] == (0, 64, 128)
        assert tuple(labels.voc_colormap()[255]) == (224, 224, 192)

    def test_coco_ids(self):
        """Known entries and the known gaps."""
        number = {name: labels.COCO_IDS[i] for i, name in enumerate(labels.COCO.names)}
        assert [number[name] for name in ("person", "stop sign", "cat", "toothbrush")] == [1, 13, 17, 90]
        assert set(range(1, 91)) - set(labels.COCO_IDS) == {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
        stuff = dict(zip(labels.COCO_STUFF_IDS, labels.COCO_STUFF.names, strict=True))
        assert (stuff[92], stuff[106], stuff[149], stuff[157], stuff[182], stuff[183]) == (
            "banner", "clouds", "road", "sky-other", "wood", "other",
        )  # fmt: skip
        panoptic = dict(zip(labels.COCO_PANOPTIC_IDS, labels.COCO_PANOPTIC.names, strict=True))
        assert (panoptic[92], panoptic[187], panoptic[200]) == ("banner", "sky-other-merged", "rug-merged")
        assert all(panoptic[i] == stuff[i] for i in panoptic if i in stuff)

    def test_scored_numbers_of_pascal_context(self):
        """The numbers of the 59 among the 459, as another project's table of indices has them."""
        published = {
            2, 259, 260, 415, 324, 9, 258, 144, 18, 19, 22, 23, 397, 25, 284, 158, 159, 416, 33, 162, 420, 454,
            295, 296, 427, 44, 45, 46, 308, 59, 440, 445, 31, 232, 65, 354, 424, 68, 326, 72, 458, 34, 207, 80, 355,
            85, 347, 220, 349, 360, 98, 187, 104, 105, 366, 189, 368, 113, 115,
        }  # fmt: skip
        numbers = scored_numbers()
        assert {value for value in range(460) if numbers[value]} == published
        assert sorted(numbers[numbers > 0]) == list(range(1, 60))


class TestAccess:
    def test_unknown_name(self):
        with pytest.raises(ValueError, match="name must be one of voc2012, pascal_context, coco"):
            facts("imagenet")

    def test_a_reader_gets_a_copy(self):
        facts("camvid")["splits"].clear()
        facts()["camvid"]["splits"].clear()
        assert len(facts("camvid")["splits"]) == 3

    def test_markdown(self):
        table = facts_table(["cityscapes", "voc2012"])
        lines = table.splitlines()
        assert len(lines) == 4
        assert all(line.count("|") == len(COLUMNS) + 1 for line in lines)
        assert lines[2].startswith("| Cityscapes | 2016 | train 2,975; val 500; test 1,525; train_extra 20,000 |")
        assert len(facts_table().splitlines()) == 2 + len(facts())

    def test_html_is_escaped_and_whole(self):
        table = sources_table("coco_stuff", format="html")
        assert "&quot;other&quot;" in table
        assert table.count("<tr>") == table.count("</tr>") == 1 + 2 + 3 + 3
        with pytest.raises(ValueError, match="format must be one of markdown, html"):
            facts_table(format="latex")

    def test_the_seed_is_corrected(self):
        table = corrections_table()
        assert "4,998 for training and 5,105 for validation" in table
        assert "2,913" in table
