"""A movable figure as one piece of HTML that wakes where scripts may run, and is one sentence where they may not.

JupyterLab cleans the outputs of a notebook that it does not trust yet: scripts, styles and drawings go, but their
letters and the sliders stay, which then mean nothing. An attribute that it does not know goes as a whole. So the figure
waits in an attribute, and the script puts it on the page.
"""

from __future__ import annotations

STILL = (
    "This figure moves once you run its cell, or once you trust the notebook (in JupyterLab: “Trust Notebook” in the "
    "command palette, Ctrl+Shift+C). On the course's pages it moves by itself."
)
"""What a reader sees where no script runs."""


def waking_page(classes: str, figure: str, script: str, standing: str = "") -> str:
    """The page that shows ``figure`` as soon as its script runs.

    Args:
        classes: Of the element around it.
        figure: HTML without scripts.
        script: Puts the element's ``data-figure`` on the page and moves it; it removes what is of class "still".
        standing: HTML that is seen in any case, before the sentence.
    """
    waiting = figure.replace("&", "&amp;").replace("'", "&#39;")
    return f"""<div class="{classes}" data-figure='{waiting}'>
{standing}<p class="still">{STILL}</p>
<script>{script}</script>
</div>"""
