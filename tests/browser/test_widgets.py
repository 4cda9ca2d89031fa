"""Every figure that moves, on all pages of the site: by mouse and by key, with a name; it then shows something else."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOVABLE = ("segtutor-curve", "segtutor-steps")
LESSONS = [
    path.stem
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    if any(kind in path.read_text(encoding="utf-8") for kind in MOVABLE)
]
SEEN = "root => [...root.querySelectorAll('.step')].map(step => step.hidden).join() + root.innerText"


def test_there_are_lessons_that_move():
    assert {name[:2] for name in LESSONS} >= {"01", "03", "04", "05", "06"}


@pytest.mark.parametrize("name", LESSONS)
def test_each_moves_by_mouse_and_key(open_page, name):
    page, wrong = open_page(f"notebooks/{name}.html")
    page.wait_for_function("document.querySelectorAll('.segtutor-curve, .segtutor-steps').length > 0")
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    for figure in page.locator(".segtutor-curve, .segtutor-steps").all():
        assert figure.get_attribute("data-live") == "yes"
        for slider in figure.locator("input[type=range]").all():
            assert slider.evaluate("one => one.labels[0].innerText.trim().length") > 3
            slider.scroll_into_view_if_needed()
            slider.focus()
            page.keyboard.press("Home")
            low = figure.evaluate(SEEN)
            page.keyboard.press("End")
            high = figure.evaluate(SEEN)
            assert low != high
            box = slider.bounding_box()
            page.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2)
            assert slider.evaluate("one => one.value") == slider.get_attribute("min")
            assert figure.evaluate(SEEN) == low
            page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
            assert figure.evaluate(SEEN) == high
    assert [one for one in wrong if one.startswith("script")] == []


def test_choosing_a_method_draws_its_area(open_page):
    page, _ = open_page("notebooks/01_metrics.html")
    figure = page.locator(".segtutor-curve").first
    drawn = figure.locator(".shade").get_attribute("d")
    figure.locator("select").select_option("11point")
    assert figure.locator(".shade").get_attribute("d") != drawn
    assert "11 points" in figure.locator(".ap tr.chosen").inner_text()
