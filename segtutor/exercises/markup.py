"""The two marks that a hint may carry, `code` and *stress*, where no notebook draws them."""

from __future__ import annotations

import html
import re

CODE = re.compile(r"(`[^`]+`)")
STRESS = re.compile(r"(?<![\w*])\*([^*\s](?:[^*]*[^*\s])?)\*(?![\w*])")


def as_text(hint: str) -> str:
    """A hint for a terminal: without the asterisks of its stress; code keeps its backticks, and its own asterisks.

    >>> as_text("Sum *before* you divide: `zip(*rows)`, 2 * 3 * 4.")
    'Sum before you divide: `zip(*rows)`, 2 * 3 * 4.'
    """
    return "".join(part if part.startswith("`") else STRESS.sub(r"\1", part) for part in CODE.split(hint))


def as_html(hint: str) -> str:
    """A hint for a page.

    >>> as_html("The *last* axis of `a < b`")
    'The <em>last</em> axis of <code>a &lt; b</code>'
    """
    parts = CODE.split(html.escape(hint, quote=False))
    drawn = (f"<code>{one[1:-1]}</code>" if one.startswith("`") else STRESS.sub(r"<em>\1</em>", one) for one in parts)
    return "".join(drawn)
