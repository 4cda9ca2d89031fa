"""One palette for Scenes in every picture, with a legend: what the build says about code that draws label maps."""

import dataclasses

import pytest

from notebooks.tools import palette
from notebooks.tools.masters import read_master
from segtutor.labels import SCENES
from segtutor.labels.label_set import voc_colors
from tests.notebooks.test_house import FRONT

LEGEND = "\nplotting.legend(axis, numbers, SCENES)"
GOOD = "axis.imshow(colorize(labels, SCENES))" + LEGEND


def findings(folder, *cells, name="03_lesson"):
    """What the check says about a lesson of these code cells."""
    code = "".join(f"# %% [markdown]\n# A map.\n\n# %%\n{cell}\n\n" for cell in cells)
    path = folder / f"{name}.py"
    path.write_text(FRONT.format(minutes=30) + code, encoding="utf-8")
    return palette.check_palette(read_master(path))


@pytest.mark.parametrize("name", ["03_lesson", "assignment_03_lesson"])
@pytest.mark.parametrize(
    ("code", "says"),
    [
        (GOOD, None),
        (GOOD.replace("SCENES", "scenes.labels"), None),
        (GOOD.replace("SCENES", "VOC2012"), "palette of VOC2012"),
        ("plotting.show_overlay(image, labels, VOC2012)", "palette of VOC2012"),
        ("plotting.show_overlay(image, labels, label_set=VOC2012)", "palette of VOC2012"),
        ("axis.imshow(labels_of.VOC2012.palette[labels])", "palette of VOC2012"),
        ("axis.imshow(voc_colormap(33)[labels])", "VOC's rule"),
        ("confusion = ConfusionMatrix(len(VOC2012))", None),
        ('axis.imshow(labels, cmap="tab10")', "tab10"),
        ('axis.imshow(labels, cmap="nipy_spectral_r")', "nipy_spectral"),
        ("axis.imshow(labels, cmap=plt.cm.tab20)", "tab20"),
        ('axis.imshow(heat, cmap="cividis")', None),
        ("axis.imshow(colorize(labels, SCENES))", "without a legend"),
        ("axis.imshow(colorize(labels, SCENES))\naxis.annotate('sky', place)", None),
        ("tinted = colorize(labels, SCENES)", None),
    ],
)
def test_label_maps_have_the_palette_of_scenes_and_a_legend(tmp_path, name, code, says):
    found = findings(tmp_path, code, name=name)
    assert found == [] if says is None else len(found) >= 1 and says in found[0], found


def test_vocs_palette_may_be_drawn_where_voc_is_the_subject(tmp_path):
    code = GOOD.replace("SCENES", "VOC2012") + "\nvoc_colormap(21)"
    assert findings(tmp_path, code, name="02_lesson") == []
    assert len(findings(tmp_path, code, name="04_lesson")) == 2


def test_a_helper_of_an_earlier_cell_counts_as_the_lines_of_the_cell_that_calls_it(tmp_path):
    draw = "def draw(axis):\n    axis.imshow(colorize(labels, SCENES))"
    name = "def below(figure):\n    figure.legend(handles=handles)"
    assert findings(tmp_path, draw, name) == [], "nothing is drawn yet"
    assert len(findings(tmp_path, draw, name, "draw(axis)")) == 1
    assert findings(tmp_path, draw, name, "draw(axis)\nbelow(figure)") == []


def test_the_courses_own_label_sets_agree_in_the_colors_of_their_classes(monkeypatch):
    assert palette.own_colors() == []
    eight = palette.OWN["EIGHT"]
    monkeypatch.setitem(palette.OWN, "EIGHT", dataclasses.replace(eight, colors=voc_colors(len(eight))))
    found = palette.own_colors()
    assert any("sky is (128, 0, 0)" in text for text in found), "the dark red sky of old"
    assert len(found) == len(set(eight.names[1:]) & set(SCENES.names))
