"""What a reader sees of a movable figure in a notebook that JupyterLab does not trust yet."""

import base64
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pytest

from segtutor import plotting
from segtutor.plotting.steps import STILL


class Sanitized(HTMLParser):
    """Tags and texts that are left when script, style and drawings are taken out as JupyterLab's sanitizer does.

    It drops the tags that it does not know and keeps the text between them; of these three it drops the text, too
    (sanitize-html's ``nonTextTags``).
    """

    def __init__(self, page):
        super().__init__()
        self.texts, self.tags, self.images, self.silent = [], [], [], 0
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.silent += tag in ("script", "style", "textarea")
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_endtag(self, tag):
        self.silent -= tag in ("script", "style", "textarea")

    def handle_data(self, data):
        if not self.silent and data.strip():
            self.texts.append(data.strip())


def curve():
    masks = np.zeros((2, 30, 40), dtype=bool)
    masks[0, 2:9, 3:12] = masks[1, 12:25, 20:35] = True
    return plotting.movable_precision_recall(np.zeros((30, 40, 3), dtype=np.uint8), masks, masks, [0.9, 0.4])


def scatter():
    return plotting.movable_scatter([[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]])


def window():
    return plotting.movable_window({"A": np.zeros((20, 30, 3), dtype=np.uint8)}, (4, 5), (3, 9))


@pytest.mark.parametrize("make", [curve, scatter, window])
def test_an_untrusted_notebook_shows_one_sentence_and_nothing_else(make):
    page = make()._repr_html_()
    seen = Sanitized(page)
    assert seen.texts == [STILL]
    assert not {"input", "select", "svg", "table", "label", "img"} & set(seen.tags)
    assert "<label" in page, "the slider waits in the script"


def test_of_pictures_the_first_stands_there_with_its_words():
    figures = [plt.subplots(figsize=(1, 1))[0] for _ in range(3)]
    seen = Sanitized(plotting.movable_figures(figures, ["One.", "Two.", "Three."], "Step", ["a", "b", "c"]).html)
    assert seen.texts == ["One.", STILL]
    assert [image["alt"] for image in seen.images] == ["One."]
    assert base64.b64decode(seen.images[0]["src"].partition("base64,")[2])
    assert "input" not in seen.tags
