"""What the README tells is what there is: its made parts are fresh, its links lead somewhere, its table is whole."""

import importlib
import json
import re
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LESSONS = sorted(path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))


sys.path.append(str(ROOT / "docs"))
overview = importlib.import_module("overview")


def test_its_made_parts_are_fresh():
    assert overview.renewed(README) == README, "python docs/overview.py writes them again"


def test_it_counts_what_there_is():
    numbers = overview.numbers()
    assert numbers.lessons == len(LESSONS)
    records = [json.loads(path.read_text()) for path in (ROOT / "data" / "results").glob("*.json")]
    records = [one for one in records if "claim" in one and "runs" in one]
    assert numbers.experiments == len(records)
    assert numbers.runs == sum(len(one["seeds"]) * len(one["runs"]) for one in records)
    stubs = [
        cell
        for path in (ROOT / "notebooks" / "assignments").glob("*.ipynb")
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "markdown"
    ]
    told = [line for cell in stubs for line in "".join(cell["source"]).splitlines() if re.match(r"### \d+\.\d+ ", line)]
    assert numbers.tasks == len(told)


def test_its_card_has_every_expectation_of_its_claim_with_verdict_and_seeds():
    card = overview.claims.card(overview.SHORT_CLAIM)
    text = overview.short_card_text()
    assert [line for line in text.splitlines() if line.startswith("- **")] == [
        f"- **{verdict}**: {expected} {outcome}" for verdict, expected, outcome in card.verdicts()
    ]
    assert card.claim.sentence in text
    assert card.claim.source in text
    assert "seeds 0, 1, 2" in text


def test_a_part_that_is_missing_or_doubled_is_named():
    for broken in (README.replace("<!-- /card -->", ""), README.replace("<!-- numbers -->", "")):
        with pytest.raises(ValueError, match=r"README\.md must have one part"):
            overview.renewed(broken)


def test_every_lesson_is_in_the_table_with_two_badges():
    table = re.search(r"<!-- lesson-table -->(.*)<!-- /lesson-table -->", README, re.DOTALL)[1]
    cells = re.findall(r"<td>(.*?)</td>", table)
    link = r'<a href="notebooks/(\w+)\.ipynb">[^<]+</a>$'
    assert sorted(re.search(link, cell)[1] + ".ipynb" for cell in cells) == LESSONS
    for cell in cells:
        name = re.search(link, cell)[1]
        (page, read), (colab, run) = re.findall(r'<a href="([^"]+)"><img src="[^"]+" alt="([^"]+)">', cell)
        assert page.endswith(f"/notebooks/{name}.html")
        assert re.search(rf"colab\.research\.google\.com/github/[\w./-]+/notebooks/{name}\.ipynb$", colab)
        assert (read, run) == ("read", "Open in Colab")


def test_its_lessons_stand_below_each_other_in_their_order():
    table = re.search(r"<!-- lesson-table -->(.*)<!-- /lesson-table -->", README, re.DOTALL)[1]
    rows = [re.findall(r'"notebooks/(\w+\.ipynb)"', row) for row in table.split("</tr>")]
    assert [row[number] for number in range(overview.COLUMNS) for row in rows if number < len(row)] == LESSONS


def test_the_page_of_first_steps_says_what_every_lesson_costs():
    page = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if "](notebooks/" in line and line.startswith("|")]
    assert [re.search(r"\(notebooks/(\w+\.ipynb)\)", row)[1] for row in rows] == LESSONS
    assert all(re.search(r"\| \d+\.\d \| \d{3,4} \|$", row) for row in rows)


def test_it_stays_short():
    """At GitHub's width it is 1,077 pixels high; a longer text or another table would undo that."""
    shown = re.sub(r"!\[[^\]]*\]|\]\([^)]*\)|<[^>]*>|[|·-]", " ", README)
    assert len(shown.split()) < 330
    assert sum(line.startswith("|") for line in README.splitlines()) <= 5
    assert README.count("<tr>") <= 6
    assert not re.search(r"^##", README, re.MULTILINE)


def test_links_lead_somewhere():
    site = overview.site("https://github.com/segtutor/segtutor")
    for address in re.findall(r"\]\(([^)\s]+)\)", README) + re.findall(r'(?:href|src)="([^"]+)"', README):
        if address.startswith(site):
            page, _, heading = address.removeprefix(site).partition("#")
            names = [ROOT / "docs" / page.replace(".html", ".md"), ROOT / page.replace(".html", ".ipynb")]
            assert page in ("", "reference/index.html") or any(path.is_file() for path in names), address
            assert not heading or f"({heading})=" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
        elif not address.startswith("https://"):
            assert (ROOT / address).exists(), address


def test_what_one_copies_is_a_command_and_nothing_else():
    blocks = re.findall(r"```\w*\n(.*?)```", README, re.DOTALL)
    assert [block.strip() for block in blocks] == ["python3 start.py", "python3 start.py test"]
    for page in ("index", "start"):
        text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
        assert not any("Windows" in block for block in re.findall(r"```\w*\n(.*?)```", text, re.DOTALL))


def test_its_figure_is_sharp_and_described_alike_on_the_site():
    ((words, name),) = re.findall(r"^!\[([^\]]+)\]\((docs/figures/\w+\.jpg)\)$", README, re.MULTILINE)
    with Image.open(ROOT / name) as picture:
        assert picture.width >= 1600
    assert f":alt: {words}\n" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
