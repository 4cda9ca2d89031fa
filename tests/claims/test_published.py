import dataclasses
import json

import matplotlib.pyplot as plt
import pytest

import segtutor.claims
import segtutor.claims.published_results  # the module must not hide the function of a similar name
from segtutor import resources
from segtutor.claims import published, published_corrections, published_table, show_published
from segtutor.claims.published_results import COLUMNS, CORRECTION_COLUMNS, KINDS

# What the seed document gives, beside what the papers say: model, backbone, data set, split, metric, value, test time.
SEED = {
    ("FCN-8s", "VGG-16", "PASCAL VOC 2012", "test", "mean IoU", 62.2, "single scale"),
    ("PSPNet", "ResNet-101", "PASCAL VOC 2012", "test", "mean IoU", 85.4, "multi-scale"),
    ("Mask R-CNN", "ResNeXt-101-FPN", "COCO", "test-dev", "mask AP", 37.1, "single scale"),
    ("Mask R-CNN", "ResNeXt-152-FPN", "COCO", "minival", "mask AP", 41.8, "multi-scale"),
    ("DeepLab v2", "ResNet-101", "PASCAL VOC 2012", "test", "mean IoU", 79.7, "CRF"),
    ("DeepLab v2", "ResNet-101", "PASCAL-Context (60 classes)", "val", "mean IoU", 45.7, "CRF"),
    ("DeepLab v2", "ResNet-101", "Cityscapes", "test", "mean IoU", 70.4, "CRF"),
    ("DeepLab v3", "ResNet-101", "PASCAL VOC 2012", "test", "mean IoU", 86.9, "multi-scale"),
    ("DeepLab v3", "ResNet-101", "Cityscapes", "test", "mean IoU", 81.3, "multi-scale"),
    ("DeepLab v3+", "Xception-65", "PASCAL VOC 2012", "test", "mean IoU", 89.0, "multi-scale"),
    ("DeepLab v3+", "Xception-71", "Cityscapes", "test", "mean IoU", 82.1, "multi-scale"),
}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def only(value, dataset, **wanted):
    found = [
        item
        for item in published(dataset=dataset, kind="paper")
        if item.value == value and all(getattr(item, key) == wish for key, wish in wanted.items())
    ]
    assert len(found) == 1, found
    return found[0]


class TestSeed:
    def test_every_result_of_the_seed_has_its_row(self):
        rows = [item for item in published() if item.seed]
        assert len(rows) == len(SEED) == 11
        assert {
            (item.model, item.backbone, item.dataset, item.split, item.metric, item.value, item.protocol)
            for item in rows
        } == SEED
        for item in rows:
            assert item.kind == "paper"
            assert item.seed.startswith(f"{item.value} ")  # the seed's figure is that of the row
            assert item.correction

    def test_no_correction_without_what_it_corrects(self):
        assert all((item.seed is None) == (item.correction is None) for item in published())

    @pytest.mark.parametrize(
        ("value", "dataset", "words"),
        [
            (62.2, "PASCAL VOC 2012", ["CVPR", "67.2"]),
            (85.4, "PASCAL VOC 2012", ["COCO", "flip", "82.6"]),
            (37.1, "COCO", ["test-dev", "ResNeXt-101-FPN"]),
            (41.8, "COCO", ["minival", "ImageNet-5k", "flip", "ensemble"]),
            (45.7, "PASCAL-Context (60 classes)", ["validation set", "60 classes"]),
            (70.4, "Cityscapes", ["test set", "71.4"]),
            (86.9, "PASCAL VOC 2012", ["JFT-300M", "85.7"]),
            (89.0, "PASCAL VOC 2012", ["JFT-300M", "87.8"]),
            (82.1, "Cityscapes", ["test set", "coarse"]),
        ],
    )
    def test_what_a_correction_says(self, value, dataset, words):
        correction = only(value, dataset).correction
        assert all(word in correction for word in words), correction

    def test_a_number_named_in_a_correction_has_its_own_row(self):
        assert only(67.2, "PASCAL VOC 2012").source.endswith("PAMI 2017")
        assert only(82.6, "PASCAL VOC 2012").training_data == ("ImageNet",)
        assert only(85.7, "PASCAL VOC 2012", split="test").training_data == ("ImageNet", "COCO")
        assert only(87.8, "PASCAL VOC 2012", split="test").training_data == ("ImageNet", "COCO")
        assert only(71.4, "Cityscapes").split == "val"


class TestEntries:
    def test_nothing_without_source_and_protocol(self):
        for item in published():
            for field in dataclasses.fields(item):
                value = getattr(item, field.name)
                assert value or field.name in ("seed", "correction", "note"), (item, field.name)
            assert item.kind in KINDS
            assert item.protocol in ("single scale", "multi-scale", "CRF")
            assert item.metric in ("mean IoU", "mask AP", "box AP")
            assert 0 < item.value < 100
            assert 2015 <= item.year <= 2018

    def test_words_agree_with_the_class_of_protocol(self):
        for item in published():
            assert ("CRF" in item.test_time.replace("no CRF", "")) == (item.protocol == "CRF"), item
            assert ("scales" in item.test_time or "multi-scale" in item.test_time) <= (item.protocol != "single scale")

    def test_no_number_twice(self):
        keys = [dataclasses.replace(item, seed=None, correction=None, trust="") for item in published()]
        assert len(set(keys)) == len(keys)

    def test_only_semantic_networks_have_an_iou(self):
        assert {item.metric for item in published("Mask R-CNN")} == {"mask AP", "box AP"}
        assert {item.network for item in published() if item.metric == "mean IoU"} == {
            "FCN", "PSPNet", "DeepLab v2", "DeepLab v3", "DeepLab v3+",
        }  # fmt: skip

    def test_numbers_from_memory_say_so(self):
        reported = {(item.network, item.value) for item in published() if item.trust == "reported, not re-read"}
        assert reported == {("PSPNet", 78.4)}

    def test_every_source_of_the_file_is_used(self):
        content = json.loads(resources.data("published_results.json").read_text(encoding="utf-8"))
        assert {item["source"] for item in content["results"]} == set(content["sources"])
        assert {item["trust"] for item in content["results"]} == set(content["trust"])

    def test_class_of_training_data_by_hand(self):
        assert only(79.77, "PASCAL VOC 2012").extra_data == "ImageNet"
        assert only(82.70, "PASCAL VOC 2012").extra_data == "more labels"
        assert only(81.3, "Cityscapes").extra_data == "more labels"
        assert only(84.56, "PASCAL VOC 2012").extra_data == "JFT-300M"

    def test_gains_of_the_papers(self):
        """More test-time work, the rest equal, gave more each time: a misplaced figure would show."""
        for ss, more in [(77.21, 78.51), (78.51, 79.77), (78.85, 80.57), (82.20, 83.58), (76.35, 77.69)]:
            low, high = only(ss, "PASCAL VOC 2012"), only(more, "PASCAL VOC 2012")
            assert (low.model, low.backbone, low.training_data) == (high.model, high.backbone, high.training_data)
            assert low.test_time != high.test_time


class TestFilters:
    def test_they_split_the_whole(self):
        everything = published()
        networks = dict.fromkeys(item.network for item in everything)
        assert list(networks) == ["FCN", "PSPNet", "Mask R-CNN", "DeepLab v2", "DeepLab v3", "DeepLab v3+"]
        assert [item for network in networks for item in published(network)] == everything
        assert sum(len(published(kind=kind)) for kind in KINDS) == len(everything)

    def test_both(self):
        found = [(item.value, item.split) for item in published("DeepLab v3", "Cityscapes", kind="paper")]
        assert found == [(81.3, "test"), (77.23, "val"), (77.82, "val"), (79.30, "val")]

    def test_a_reader_cannot_change_them(self):
        published().clear()
        assert len(published()) > 100
        with pytest.raises(dataclasses.FrozenInstanceError):
            published()[0].value = 99.9

    def test_errors_say_what_there_is(self):
        with pytest.raises(ValueError, match=r"network must be one of FCN, PSPNet, Mask R-CNN.*'U-Net'"):
            published("U-Net")
        with pytest.raises(ValueError, match=r"dataset must be one of PASCAL VOC 2012.*'VOC'"):
            published(dataset="VOC")
        with pytest.raises(ValueError, match="kind must be one of paper, ablation, code base"):
            published(kind="table")

    def test_the_names_stay_functions(self):
        assert callable(segtutor.claims.published)
        assert callable(segtutor.claims.published)  # a module of this name would come at the second look


class TestTables:
    def test_markdown_row_by_hand(self):
        lines = published_table("Mask R-CNN", "markdown").splitlines()
        assert len(lines) == 2 + len(published("Mask R-CNN", kind="paper"))
        assert all(line.count("|") == len(COLUMNS) + 1 for line in lines)
        assert lines[4] == (
            "| Mask R-CNN, ResNeXt-101-FPN (2017) | COCO, test-dev | 37.1 mask AP | ImageNet | single scale: short "
            "side 800, one scale, single model | Mask R-CNN; test-dev results (paper's text read) |"
        )

    def test_html_is_escaped_and_whole(self):
        table = published_table(kind=None)
        assert table.count("<tr>") == table.count("</tr>") == 1 + len(published())
        assert table.count("<td>") == len(COLUMNS) * len(published())
        assert "&quot;heavy&quot; training" in table
        assert '"' not in table

    def test_papers_alone_by_default(self):
        assert "mmseg;" not in published_table()
        assert "mmseg;" in published_table(kind="code base")

    def test_corrections(self):
        lines = published_corrections("markdown").splitlines()
        assert len(lines) == 2 + 11
        assert all(line.count("|") == len(CORRECTION_COLUMNS) + 1 for line in lines)
        (row,) = [line for line in lines if "89.0" in line]
        assert "89.0 mean IoU on PASCAL VOC 2012 test: Xception-65, trained also on ImageNet, COCO, JFT-300M" in row
        assert published_corrections().count("<tr>") == 1 + 11

    def test_unknown_format(self):
        for table in (published_table, published_corrections):
            with pytest.raises(ValueError, match="format must be one of html, markdown"):
                table(format="latex")


def dots(ax):
    """Value and label of the row of every dot."""
    labels = dict(zip(ax.get_yticks(), (text.get_text() for text in ax.get_yticklabels()), strict=True))
    return [(line.get_xdata()[0], line.get_ydata()[0], labels[line.get_ydata()[0]], line) for line in ax.lines]


class TestFigure:
    @pytest.mark.parametrize(
        ("dataset", "kind"),
        [("PASCAL VOC 2012", "paper"), ("PASCAL VOC 2012", "code base"), ("Cityscapes", "paper"), ("COCO", "paper")],
    )
    def test_the_points_are_the_data(self, dataset, kind):
        ax = show_published(dataset, kind=kind)
        results = [item for item in published(dataset=dataset, kind=kind) if item.metric != "box AP"]
        assert sorted(value for value, *_ in dots(ax)) == sorted(item.value for item in results)
        assert ax.get_title() == dataset
        for value, _, label, line in dots(ax):
            marks = {"o": "single scale", "^": "multi-scale", "s": "CRF"}
            tints = {"#000000": "ImageNet", "#0072B2": "more labels", "#D55E00": "JFT-300M"}
            assert any(
                item.value == value
                and label.startswith(f"{item.model}, {item.backbone} (")
                and item.protocol == marks[line.get_marker()]
                and item.extra_data == tints[line.get_color()]
                for item in results
            ), (value, label)

    def test_test_and_val_have_bands_of_their_own(self):
        ax = show_published()
        heads = {text.get_text(): text.get_position()[1] for text in ax.texts if text.get_fontweight() == "bold"}
        assert heads == {"test set (labels withheld)": 0, "val set": 7}
        for value, height, _, _ in dots(ax):
            split = "test" if 0 < height < 7 else "val"
            assert any(item.value == value for item in published(dataset="PASCAL VOC 2012") if item.split == split)
        low, high = ax.get_ylim()
        assert low > high  # the first row on top

    def test_values_stand_at_the_right(self):
        ax = show_published()
        assert "85.7  86.9" in [text.get_text() for text in ax.texts]
        assert "87.8  89.0" in [text.get_text() for text in ax.texts]

    def test_legend_holds_what_occurs_and_no_more(self):
        words = {text.get_text() for text in show_published("COCO").get_legend().get_texts()}
        assert words == {"single scale", "several scales", "ImageNet only", "more public data"}
        words = {text.get_text() for text in show_published().get_legend().get_texts()}
        assert words == {
            "single scale", "several scales", "with a CRF", "ImageNet only", "more public data", "JFT-300M, private",
        }  # fmt: skip

    @pytest.mark.parametrize("dataset", ["PASCAL VOC 2012", "Cityscapes", "COCO", "PASCAL-Context (60 classes)"])
    def test_no_text_on_another(self, dataset):
        ax = show_published(dataset)
        ax.figure.canvas.draw()
        renderer = ax.figure.canvas.get_renderer()
        left, right = ax.get_xlim()
        ticks = [text for text in ax.get_xticklabels() if left <= text.get_position()[0] <= right]  # those drawn
        texts = [*ax.texts, *ax.get_yticklabels(), *ticks, ax.xaxis.label, ax.title]
        boxes = [text.get_window_extent(renderer) for text in texts]
        boxes.append(ax.get_legend().get_window_extent(renderer))
        assert not [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :] if a.overlaps(b)]
        width, height = ax.figure.canvas.get_width_height()
        assert all(box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height for box in boxes)

    def test_given_axes_are_used(self):
        _, (left, right) = plt.subplots(1, 2)
        assert show_published("Cityscapes", right) is right
        assert not left.lines

    def test_errors_say_what_there_is(self):
        with pytest.raises(ValueError, match="dataset must be one of"):
            show_published("ImageNet")
        with pytest.raises(ValueError, match="kind must be one of paper, code base, but it is 'ablation'"):
            show_published(kind="ablation")
        with pytest.raises(ValueError, match="PASCAL VOC 2011 has no result of kind 'paper'; it has ablation, code"):
            show_published("PASCAL VOC 2011")
