"""The look of every figure of the course: sharp on the page, legible, in colors that everybody can tell apart."""

from __future__ import annotations

import sys

from cycler import cycler

PAGE_DPI = 96
"""Pixels of the page per inch, so that a font of 10 points is 10 points high there."""
FULL_WIDTH = 9.0
"""Inches of a figure that fills the column: 864 pixels of the page, 1,728 of the picture."""
# Okabe and Ito 2008, distinct for all common forms of color blindness; the order is the one in which lines are drawn.
COLORS = {
    "blue": "#0072B2", "orange": "#E69F00", "green": "#009E73", "red": "#D55E00",
    "purple": "#CC79A7", "light blue": "#56B4E9", "yellow": "#F0E442", "black": "#000000",
}  # fmt: skip


def use_course_style() -> None:
    """Draw all figures of this notebook in the style of the course.

    Figures get two pixels for each of the page (``figsize`` stays in inches of the page, ``FULL_WIDTH`` fills the
    column), text of at least nine points, and the colors ``COLORS``. Call it once, in the setup cell.
    """
    import matplotlib.pyplot as plt

    plt.rcParams.update({
        "figure.dpi": PAGE_DPI,
        "figure.figsize": (FULL_WIDTH, 3.6),
        "figure.constrained_layout.use": True,
        "font.size": 10,
        "axes.titlesize": 10,
        "axes.labelsize": 10,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
        "legend.fontsize": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler(color=list(COLORS.values())),
        "image.interpolation": "nearest",
        "lines.linewidth": 1.8,
    })  # fmt: skip
    if "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("retina")
