"""Build the site into build/docs/html: the executed notebooks, the pages of this folder, the reference of the package.

    python docs/build.py

The source that Sphinx reads is put together in build/docs/source, so that no build leaves a trace beside the pages.
MathJax is taken from npm once, if there is one, so that formulas are drawn without a network.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import pages  # noqa: E402
import search_order  # noqa: E402
import teaching  # noqa: E402

MATHJAX = "mathjax@3"  # the last version that is one file with its fonts
BADGE = re.compile(r"\[!\[Open in Colab\]\([^)]*\)\]\(([^)]*)\)")
HEADING = re.compile(r"(\]\((?:[\w./-]+\.ipynb)?)#([^)\s]+)\)")  # a link to a heading of a notebook
TOOLS = ("build.py", "teaching.py", "pages.py", "overview.py", "course_map.py", "search_order.py")
SOLUTIONS = re.compile(r"\.lesson\d\d(\.|$)")
"""Modules that hold the tasks' solutions: whoever looks for a word shall find the lesson and not the answer."""
# The packages whose names a lesson or a reader's own code uses, in the order in which data flows.
REFERENCE = (
    "labels", "datasets", "models", "training", "inference", "metrics", "analysis", "plotting", "claims", "exercises",
    "resources", "compute", "grading",
)  # fmt: skip


def main(root: Path = ROOT) -> int:
    """Put the source together and build it; the exit status of Sphinx, for which a warning is an error."""
    source, html = root / "build" / "docs" / "source", root / "build" / "docs" / "html"
    shutil.rmtree(source, ignore_errors=True)
    left_out = (*TOOLS, "teaching.toml", "answers", "_build", "__pycache__")
    shutil.copytree(root / "docs", source, ignore=shutil.ignore_patterns(*left_out))
    for page in source.glob("*.md"):
        page.write_text(teaching.fill(page.read_text(encoding="utf-8"), pages.MAKERS), encoding="utf-8")
    script = source / "_static" / "scorer.js"
    script.write_text(search_order.scorer(script.read_text(encoding="utf-8"), root), encoding="utf-8")
    copy_notebooks(root / "notebooks", source / "notebooks")
    write_reference(root / "segtutor", source / "reference")
    if not fetch_mathjax(root / "build" / "docs" / "cache", source / "_static"):
        print("npm or its registry is not reachable: formulas will need a network", file=sys.stderr)
    shutil.rmtree(html, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html",
               "-d", root / "build" / "docs" / "doctrees", source, html]  # fmt: skip
    environment = {**os.environ, "SEGTUTOR_DOCS_ROOT": str(root)}
    status = subprocess.run([*map(str, command)], env=environment, check=False).returncode
    if status == 0:
        print(f"the site is in {html.relative_to(root)}, open index.html")
    return status


def copy_notebooks(notebooks: Path, target: Path) -> None:
    """Copy lessons and assignments under their own names, so that the theme's Colab button finds them.

    The badge's picture would be asked from another server by every reader, so a link in words takes its place.
    """
    for path in [*notebooks.glob("*.ipynb"), *(notebooks / "assignments").glob("*.ipynb")]:
        copy = target / path.relative_to(notebooks)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = BADGE.sub(r"[Open in Colab](\1)", path.read_text(encoding="utf-8"))
        text = HEADING.sub(lambda link: f"{link.group(1)}#{slug(link.group(2))})", text)
        copy.write_text(json.dumps(half_size(json.loads(text))), encoding="utf-8")


def slug(heading: str) -> str:
    """The address of a heading on the site: small letters and no punctuation; JupyterLab's is as it is written.

    >>> slug("One-patch,-two-names")
    'one-patch-two-names'
    """
    return re.sub(r"[^\w-]", "", heading.lower())


def half_size(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with the width on the page of every figure, which has two pixels for each of the page's."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            for kind, described in output.get("metadata", {}).items():
                if kind.startswith("image/") and "width" in described:
                    image = cell["metadata"].setdefault("mystnb", {}).setdefault("image", {})
                    image["width"] = f"{described['width']}px"
    return notebook


def write_reference(package: Path, target: Path) -> None:
    """Write a page per subpackage: its public names first, then what else its modules hold."""
    target.mkdir()
    for name in REFERENCE:
        title = f"segtutor.{name}"
        public = getattr(importlib.import_module(title), "__all__", [])
        lines = [title, "=" * len(title), "", f".. automodule:: {title}", "   :members:", ""]
        for path in sorted((package / name).rglob("*.py")):
            module = ".".join(path.relative_to(package.parent).with_suffix("").parts)
            if path.name.startswith("_") or SOLUTIONS.search(module):
                continue
            short = module.removeprefix(f"{title}.")
            lines += [short, "-" * len(short), "", f".. automodule:: {module}", "   :members:"]
            lines += [f"   :exclude-members: {', '.join(public)}"] if public else []
            # A function may bear its module's name; the function is what a reader looks up.
            lines += ["   :no-index:", ""] if short in public else [""]
        (target / f"{name}.rst").write_text("\n".join(lines), encoding="utf-8")
    index = ["The package", "===========", "", "Generated from the docstrings, in the order in which data flows.", ""]
    for name in REFERENCE:
        about = (importlib.import_module(f"segtutor.{name}").__doc__ or "").strip().split("\n\n")[0]
        index += [f":doc:`segtutor.{name} <{name}>`", f"   {' '.join(about.split())}", ""]
    index += [".. toctree::", "   :hidden:", "   :maxdepth: 1", "", *[f"   {name}" for name in REFERENCE], ""]
    (target / "index.rst").write_text("\n".join(index), encoding="utf-8")


def fetch_mathjax(cache: Path, target: Path) -> bool:
    """Put MathJax's single file into ``target``, from the cache or from npm; False if there is no way to get it."""
    script = cache / "tex-svg.js"
    npm = shutil.which("npm")
    if not script.exists() and npm:
        cache.mkdir(parents=True, exist_ok=True)
        command = [npm, "pack", MATHJAX, "--silent", "--pack-destination", str(cache)]
        packed = subprocess.run(command, cwd=cache, capture_output=True, text=True, check=False, timeout=900)
        if packed.returncode == 0:
            with tarfile.open(cache / packed.stdout.split()[-1]) as archive:
                member = archive.extractfile("package/es5/tex-svg.js")
                if member:
                    temporary = script.with_suffix(".part")
                    temporary.write_bytes(member.read())
                    os.replace(temporary, script)
    if not script.exists():
        return False
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(script, target / script.name)
    return True


if __name__ == "__main__":
    sys.exit(main())
