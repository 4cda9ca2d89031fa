"""The parts of README.md that are made: what there is in numbers, a claim as its card, the lesson table.

    python docs/overview.py

writes them again, after a lesson, a task or a claim has changed; after the version was raised the tag in every link of
README and site, too. The site's first page takes numbers and card from here, and the tests compare.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import teaching  # noqa: E402

from segtutor import claims, models  # noqa: E402
from segtutor.exercises.catalog import exercises  # noqa: E402

CLAIM = "results.leaderboard"
SHORT_CLAIM = "pspnet.auxiliary"
"""The claims whose cards are on the site's first page and, one with few expectations, in the README."""
COLAB = "https://colab.research.google.com"
COLAB_BADGE = "docs/figures/badge_colab.svg"
SITE_BADGE = "docs/figures/badge_site.svg"
COLUMNS = 3
FIGURE = "*The five have learned for 400 to 3,800 steps.*"
"""What the README says of its figure, right below it."""
ROW = re.compile(r"^\| \[(?P<name>[^\]]+)\]\((?P<path>notebooks/[\w]+\.ipynb)\) \| (?P<what>[^|]+) \|", re.MULTILINE)
"""A row of the table on the site's first steps, from which the README's is made."""


@dataclass(frozen=True)
class Numbers:
    """What there is.

    Attributes:
        lessons: Lessons.
        reading: Hours to read them, their runs included.
        tasks: Tasks that check themselves.
        writing: Hours to solve them.
        experiments: Claims with recorded results.
        runs: Runs behind them, each of one variant with one seed.
        verdicts: How many expectations were confirmed, reversed, undecided.
        designs: Kinds of networks, as FCN or SegFormer.
        networks: Names that ``models.create`` knows: the kinds, each in its sizes.
    """

    lessons: int
    reading: int
    tasks: int
    writing: int
    experiments: int
    runs: int
    verdicts: Counter[str]
    designs: int
    networks: int


def recorded() -> list[claims.Card]:
    """The cards of all claims whose results are committed, in the order of the lessons."""
    there = {path.name for path in (ROOT / "data" / "results").glob("*.json")}
    return [claims.card(name) for name in claims.available() if claims.file_of(name) in there]


def numbers() -> Numbers:
    """Counted, not told."""
    lessons, tasks, cards = teaching.lessons().values(), exercises().values(), recorded()
    return Numbers(
        lessons=len(lessons),
        reading=round(sum(one.minutes for one in lessons) / 60),
        tasks=len(tasks),
        writing=round(sum(one.minutes for one in tasks) / 60),
        experiments=len(cards),
        runs=sum(len(runs) for card in cards for runs in card.results.runs.values()),
        verdicts=Counter(verdict for card in cards for verdict, _, _ in card.verdicts()),
        designs=len({re.sub(r"\d+s$", "", name.split("_")[0]) for name in models.available()}),
        networks=len(models.available()),
    )


def numbers_text() -> str:
    """What there is, in two lines: the first counts, the second says what came of the experiments."""
    n = numbers()
    return "\n".join([
        f"**{n.lessons} lessons** ({n.reading} hours) · **{n.tasks} tasks that check themselves** "
        f"({n.writing} hours) · **{n.designs} kinds of networks** in {n.networks} sizes ·",
        f"**{n.experiments} experiments** ({n.runs} runs): as expected {n.verdicts['confirmed']} times, the opposite "
        f"{n.verdicts['reversed']}, neither {n.verdicts['undecided']}",
    ])  # fmt: skip


def card_text(name: str = CLAIM) -> str:
    """A claim's card in Markdown: the sentence, a verdict for each expectation, and where the numbers come from."""
    card = claims.card(name)
    rows = [f"| **{verdict}** | {expected} | {outcome} |" for verdict, expected, outcome in card.verdicts()]
    return "\n".join([
        f"**{card.claim.title}.** {card.claim.sentence} *({card.claim.source})*", "",
        "| verdict | expected | measured, mean of the seeds |", "|---|---|---|", *rows, "",
        f"{_origin(card)}.",
    ])  # fmt: skip


def short_card_text(name: str = SHORT_CLAIM) -> str:
    """The same without a table."""
    card = claims.card(name)
    rows = [f"- **{verdict}**: {expected} {outcome}" for verdict, expected, outcome in card.verdicts()]
    head = f"**A claim, measured.** {card.claim.sentence} *({card.claim.source})* {_origin(card)}."
    return "\n".join([head, "", *rows])


def _origin(card: claims.Card) -> str:
    """Command, seeds and date, without the words about the table of all variants."""
    return card.provenance.replace("; mean ± half the range in the table", "")


def lesson_table(start: str, repository: str, version: str) -> str:
    r"""The lessons, three in a row, read downwards, each behind its two badges, which so stand below each other.

    Args:
        start: The site's page of first steps, whose table names the lessons.
        repository: Address of the repository.
        version: Of the package, whose tag Colab opens.

    >>> rows = "| [0 One](notebooks/0_one.ipynb) | look | 1 |\n| [1 Two](notebooks/1_two.ipynb) | draw | 2 |"
    >>> made = lesson_table(rows, "https://github.com/ada/course", "1.2.0")
    >>> made.count("<tr>"), made.count("<td>"), '<a href="notebooks/0_one.ipynb">0 One</a>' in made
    (1, 2, True)
    >>> '"https://ada.github.io/course/notebooks/0_one.html"' in made and '/blob/v1.2.0/notebooks/1_two.ipynb"' in made
    True
    """
    slug = repository.removeprefix("https://github.com/")
    cells = []
    for found in ROW.finditer(start):
        path = found["path"]
        page = f"{site(repository)}{Path(path).with_suffix('.html').as_posix()}"
        read = _badge("read", SITE_BADGE, page)
        run = _badge("Open in Colab", COLAB_BADGE, f"{COLAB}/github/{slug}/blob/v{version}/{path}")
        cells.append(f'<td>{read} {run} <a href="{path}">{found["name"]}</a></td>')
    height = -(-len(cells) // COLUMNS)
    columns = [cells[first : first + height] for first in range(0, len(cells), height)]
    rows = ["\n".join(["<tr>", *filter(None, row), "</tr>"]) for row in zip_longest(*columns)]
    return "\n".join(["<table>", *rows, "</table>"])  # no header: Markdown's tables cannot be without


def _badge(words: str, picture: str, address: str) -> str:
    """A picture of these words that leads somewhere."""
    return f'<a href="{address}"><img src="{picture}" alt="{words}"></a>'


def site(repository: str) -> str:
    """Where GitHub Pages shows the site of a repository.

    >>> site("https://github.com/ada/course")
    'https://ada.github.io/course/'
    """
    owner, name = repository.removeprefix("https://github.com/").split("/")
    return f"https://{owner.lower()}.github.io/{name}/"


def renewed(readme: str) -> str:
    """The README with its made parts as they should be."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address, start = project["urls"]["Repository"], (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    for name, text in (
        ("numbers", f"{FIGURE} {numbers_text()}"),
        ("lesson-table", lesson_table(start, address, project["version"])),
        ("card", short_card_text()),
    ):
        readme, count = re.subn(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
            lambda mark, text=text: f"{mark[1]}\n{text}\n\n{mark[2]}",
            readme,
            flags=re.DOTALL,
        )
        if count != 1:
            raise ValueError(f"README.md must have one part <!-- {name} --> ... <!-- /{name} -->, it has {count}")
    return readme


def tagged(text: str, repository: str, version: str) -> str:
    """The text with the version's tag in every link to a file of the repository, or to all of them as a ZIP.

    >>> tagged("https://github.com/ada/course/blob/v1.1.0/README.md", "https://github.com/ada/course", "1.2.0")
    'https://github.com/ada/course/blob/v1.2.0/README.md'
    >>> zipped = "https://github.com/ada/course/archive/refs/tags/v1.1.0.zip"
    >>> tagged(zipped, "https://github.com/ada/course", "1.2.0")
    'https://github.com/ada/course/archive/refs/tags/v1.2.0.zip'
    """
    slug = re.escape(repository.removeprefix("https://github.com/"))
    return re.sub(rf"(/{slug}/(?:blob/|tree/|archive/refs/tags/))v\d+(?:\.\d+)*", rf"\g<1>v{version}", text)


if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        text = tagged(path.read_text(encoding="utf-8"), project["urls"]["Repository"], project["version"])
        path.write_text(renewed(text) if path.name == "README.md" else text, encoding="utf-8")
    print(numbers_text())
