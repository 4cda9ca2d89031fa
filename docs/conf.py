"""Settings of the site; ``docs/build.py`` copies this file beside the notebooks and calls Sphinx."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from pathlib import Path

root = Path(os.environ["SEGTUTOR_DOCS_ROOT"])
sys.path.insert(0, str(root))
about = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "segtutor"
author = about["authors"][0]["name"]
release = version = about["version"]
copyright = author
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax", "sphinx.ext.viewcode"]
exclude_patterns = ["_build", "jupyter_execute"]
html_static_path = ["_static"]

# The notebooks come executed: what the reader of the site sees is what is committed.
nb_execution_mode = "off"
# A table that a cell shows in Markdown is one: the default knows paragraphs only.
nb_render_markdown_format = "myst"
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
myst_heading_anchors = 3

# Without MathJax in the folder (npm was missing) Sphinx's default is loaded from its public address.
if (Path(__file__).parent / "_static" / "tex-svg.js").exists():
    mathjax_path = "tex-svg.js"

# Two modules may each have their Settings; a link in a signature leads to one of them, and is not worth a failure.
suppress_warnings = ["ref.python"]

autodoc_member_order = "bysource"
# A method that says nothing of its own is documented where it comes from, for instance by torchvision.
autodoc_inherit_docstrings = False
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
toc_object_entries_show_parents = "hide"
add_module_names = False

html_theme = "sphinx_book_theme"
html_title = "segtutor"
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_search_scorer = str(Path(__file__).parent / "_static" / "scorer.js")
html_theme_options = {
    "repository_url": about["urls"]["Repository"],
    "repository_branch": f"v{version}",
    "path_to_docs": "",
    "use_repository_button": True,
    "use_download_button": True,
    "launch_buttons": {"colab_url": "https://colab.research.google.com"},
    # The theme would show a second bar with a second search box.
    "navbar_persistent": [],
    "show_toc_level": 2,
}


def keep_drawings(app, what, name, thing, options, lines: list[str]) -> None:
    """Show the drawings and tables in the docstring of a module as they are: an indented paragraph is one."""
    if what != "module":
        return
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines))
    for index, paragraph in enumerate(paragraphs):
        indented = all(line.startswith("    ") for line in paragraph.splitlines())
        # An indented paragraph after one that ends in "::", or after a drawing, is inside it already.
        before = paragraphs[index - 1] if index else ""
        if indented and paragraph.strip() and not before.rstrip().endswith("::") and not before.startswith("    "):
            paragraphs[index] = f"::\n\n{paragraph}"
    lines[:] = "\n\n".join(paragraphs).splitlines()


def keep_letters(app, what, name, thing, options, lines: list[str]) -> None:
    """``num_classes: K.`` says K, and does not begin a list whose first number is K."""
    lines[:] = [re.sub(r"^(\s+\w+: )([A-Za-z]\.)$", r"\1\\\2", line) for line in lines]


def setup(app) -> None:
    """Tell Sphinx about the hooks above; letters come before napoleon, which reads the arguments."""
    app.connect("autodoc-process-docstring", keep_drawings)
    app.connect("autodoc-process-docstring", keep_letters, priority=400)
