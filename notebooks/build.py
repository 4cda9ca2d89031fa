"""Make the notebooks from their masters, execute them, and check that what is committed is what the masters give.

python notebooks/build.py                     write all notebooks; lessons keep the outputs of unchanged code
python notebooks/build.py --execute [NAME...] execute lessons and commit their outputs
python notebooks/build.py --check             say what is stale, stray, too large or against the house style
python notebooks/build.py --run [NAME...]     execute every notebook, all cells twice, without a network
python notebooks/build.py --address URL       the repository has moved: rewrite its address everywhere
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from notebooks.tools.check import check, generate, strays  # noqa: E402
from notebooks.tools.execute import execute  # noqa: E402
from notebooks.tools.masters import Course, write_text  # noqa: E402
from notebooks.tools.run import run  # noqa: E402

# Documents that name the repository beside pyproject.toml, where the address is looked up.
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CITATION.cff", "docs/*.md")


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run one command on the course in ``root``; 0 if all is well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--execute", action="store_true", help="execute lessons, keep their outputs")
    what.add_argument("--check", action="store_true", help="compare masters and notebooks")
    what.add_argument("--run", action="store_true", help="execute every notebook twice, offline")
    what.add_argument("--address", metavar="URL", help="the new address, https://github.com/OWNER/REPO")
    parser.add_argument("names", nargs="*", metavar="NAME", help="01, 01_metrics or assignment_01_metrics; default all")
    parser.add_argument("-n", "--workers", type=int, default=1, help="notebooks at the same time with --run")
    parser.add_argument("--seed", type=int, help="repeat the order of an earlier --run")
    options = parser.parse_args(arguments)
    course = Course(root)
    try:
        if options.check:
            return report(check(course))
        if options.address:
            move(course, options.address)
        masters = course.select(options.names)
        if options.run:
            return int(any(result.trouble for result in run(course, masters, options.workers, options.seed)))
        changed = generate(course, masters)
        print(f"{len(masters)} masters, {len(changed)} notebooks changed")
        for path in strays(course, course.masters()):
            print(f"no master makes {path.relative_to(root)}: remove it", file=sys.stderr)
        return report(execute(masters, course)) if options.execute else 0
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2


def report(findings: list[str]) -> int:
    """Print the findings; 1 if there are any."""
    for finding in findings:
        print(finding, file=sys.stderr)
    print(f"{len(findings)} findings" if findings else "notebooks are in order")
    return int(bool(findings))


def move(course: Course, address: str) -> None:
    """Write the new address into pyproject.toml and into the documents that name the old one."""
    address = address.rstrip("/").removesuffix(".git")
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", address):
        raise ValueError(f"{address} is no address of a repository; expected https://github.com/OWNER/REPO")
    old, new = (url.removeprefix("https://github.com/") for url in (course.repository, address))
    for pattern in ("pyproject.toml", *DOCUMENTS):
        for path in course.root.glob(pattern):
            text = path.read_text(encoding="utf-8")
            # Colab's links have /github/OWNER/REPO, all others github.com/OWNER/REPO.
            text = re.sub(rf"(github(?:\.com)?/){re.escape(old)}(?![\w-])", rf"\g<1>{new}", text)
            write_text(path, re.sub(rf"https://{re.escape(pages(old))}(?![\w-])", f"https://{pages(new)}", text))


def pages(slug: str) -> str:
    """Where GitHub shows the site of OWNER/REPO."""
    owner, name = slug.split("/")
    return f"{owner.lower()}.github.io/{name}"


if __name__ == "__main__":
    sys.exit(main())
