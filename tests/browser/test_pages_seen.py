"""Pages of the site as a reader sees them: light, dark, on a phone; sharp, without barriers, and found by searching."""

import re
from itertools import pairwise

import pytest

from notebooks.tools.lint import VISIBLE_WIDTH
from tests.browser.conftest import ROOT

KINDS = {
    "first page": "index.html",
    "lesson": "notebooks/01_metrics.html",
    "assignment": "notebooks/assignments/01_metrics.html",
    "reference": "reference/metrics.html",
    "made page": "results.html",
}


def pages() -> list[str]:
    """Every page a reader can come to, as Sphinx will name it: a lesson that somebody adds is looked at, too."""
    made = [f"{path.stem}.html" for path in sorted((ROOT / "docs").glob("*.md"))]
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb")) + sorted((ROOT / "notebooks/assignments").glob("*.ipynb"))
    made += [path.relative_to(ROOT).with_suffix(".html").as_posix() for path in notebooks]
    (parts,) = re.findall(r"^REFERENCE = \((.*?)\)", (ROOT / "docs/build.py").read_text(encoding="utf-8"), re.M | re.S)
    return [*made, "reference/index.html", *(f"reference/{name}.html" for name in re.findall(r'"(\w+)"', parts))]


PAGES = pages()
LESSONS = [name for name in PAGES if name.startswith("notebooks/0") or name.startswith("notebooks/1")]
HEADINGS = (
    "() => [...document.querySelectorAll('article :is(h1,h2,h3,h4,h5,h6)')].map(h => [+h.tagName[1], h.innerText])"
)
PICTURES = """() => [...document.querySelectorAll('article img')].map(image => ({
  alt: image.alt, natural: image.naturalWidth, shown: image.getBoundingClientRect().width,
  vector: image.src.endsWith('.svg') || image.src.startsWith('data:image/svg'),
  stage: image.closest('.segtutor-clicks .stage') !== null}))"""
LINES = """() => [...document.querySelectorAll('article div.cell_input pre, article div.highlight pre')]
  .filter(one => one.offsetParent && one.scrollWidth > one.clientWidth + 1).map(one => one.innerText.slice(0, 60))"""
RAW = """() => [...document.querySelectorAll('article p')].map(one => one.innerText)
  .filter(text => /\\|\\s*[-—]{1,3}:?\\s*\\|/.test(text))"""
ROOM = """() => { const one = document.querySelector('article div.cell:not(.tag_hide-input) div.cell_input pre');
  const style = getComputedStyle(one), pen = document.createElement('canvas').getContext('2d');
  pen.font = `${style.fontSize} ${style.fontFamily}`;
  const free = one.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  return free / (pen.measureText('0'.repeat(100)).width / 100); }"""
GROUNDS = """() => [...document.querySelectorAll('article img')].map(image => {
  const found = []; let node = image;
  while (node && node.tagName !== 'ARTICLE') {
    const color = getComputedStyle(node).backgroundColor;
    if (!/rgba?\\(0, 0, 0, 0\\)/.test(color)) found.push(color);
    node = node.parentElement;
  }
  return found;
})"""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_a_page_is_whole(open_page, name, scheme, width):
    page, wrong = open_page(name, scheme, width)
    page.wait_for_timeout(500)
    assert wrong == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    assert page.evaluate(RAW) == []  # a table of an output that was not made one


@pytest.mark.parametrize("name", PAGES)
def test_headings_are_in_order_and_pictures_are_described(open_page, name):
    page, _ = open_page(name)
    depths = page.evaluate(HEADINGS)
    assert [depth for depth, _ in depths].count(1) == 1
    for (before, _), (depth, words) in pairwise(depths):
        assert depth <= before + 1, words
    assert [one for one in page.evaluate(PICTURES) if len(one["alt"]) < 20] == []


@pytest.mark.parametrize("name", LESSONS)
@pytest.mark.parametrize("width", [1280, 390])
def test_figures_keep_their_proportions(open_page, name, width):
    page, _ = open_page(name, "light", width)
    page.wait_for_timeout(500)
    stretched = page.evaluate("""() => [...document.querySelectorAll('div.cell_output img')]
      .filter(image => image.naturalWidth && image.clientHeight).map(image =>
      image.clientWidth / image.clientHeight * image.naturalHeight / image.naturalWidth)""")
    assert len(stretched) > 3
    assert all(abs(ratio - 1) < 0.02 for ratio in stretched)


@pytest.mark.parametrize("name", PAGES)
def test_figures_are_sharp_and_code_fits(open_page, name):
    page, _ = open_page(name, scale=2)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    for picture in page.evaluate(PICTURES):
        # The stage that is clicked on shows the network's own 160 x 128 pixels, enlarged.
        known = picture["vector"] or picture["stage"]
        assert known or picture["natural"] >= 1.9 * picture["shown"], picture["alt"]
    assert page.evaluate(LINES) == []


@pytest.mark.parametrize("name", LESSONS)
def test_figures_are_shown_as_large_as_they_were_drawn(open_page, name):
    """So that letters of 9 points are 9 points on a screen of 1280 pixels."""
    page, _ = open_page(name)
    shown = page.evaluate("""() => [...document.querySelectorAll('div.cell_output img[width]')]
      .filter(image => image.clientWidth).map(image => image.clientWidth / Number(image.getAttribute('width')))""")
    assert len(shown) > 3
    assert min(shown) > 0.99


def test_code_has_room_for_the_widest_visible_line(open_page):
    page, _ = open_page("notebooks/09_mask_classification.html")
    assert page.evaluate(ROOM) >= VISIBLE_WIDTH


@pytest.mark.parametrize("name", ["index.html", "notebooks/01_metrics.html", "notebooks/03_fcn.html"])
def test_on_a_dark_page_no_figure_sits_on_a_gray_box(open_page, name):
    page, _ = open_page(name, "dark")
    for grounds in page.evaluate(GROUNDS):
        assert all(color == "rgb(255, 255, 255)" for color in grounds)  # its own paper, and nothing around it


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_serious_barrier(open_page, axe, kind, scheme):
    page, _ = open_page(KINDS[kind], scheme)
    page.wait_for_timeout(1000)
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    serious = [f"{one['id']}: {one['help']}: {node['html'][:140]}" for one in found
               if one["impact"] in ("serious", "critical") for node in one["nodes"]]  # fmt: skip
    assert serious == []


@pytest.mark.parametrize(
    ("word", "first"), [("atrous", "06a_deeplab_v2"), ("RoIAlign", "05_mask_rcnn"), ("Dice", "01_metrics")]
)
def test_a_search_leads_to_the_lesson_that_explains(open_page, word, first):
    page, _ = open_page(f"search.html?q={word}")
    page.wait_for_selector("#search-results ul.search li a")
    page.wait_for_timeout(3000)
    hits = page.evaluate("[...document.querySelectorAll('#search-results ul.search > li > a')].map(a => a.href)")
    assert first in hits[0], hits[:5]
    assert not any("exercises.lesson" in hit for hit in hits)


def test_the_map_is_walked_by_keyboard(open_page):
    page, _ = open_page("index.html")
    links = page.locator(".course-map a")
    assert links.count() >= 12
    links.first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/notebooks/00_start_here.html")
