"""Progress bars: widgets in a notebook that has them, else lines of text, in a notebook on its standard output.

tqdm writes text to standard error, which notebooks paint pink, as if something had gone wrong. Commands keep it there,
so that what they print can be piped.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # in a notebook without widgets tqdm warns, in pink, that it writes text
    from tqdm.auto import tqdm as _tqdm


class tqdm(_tqdm):
    """tqdm's bar, never pink.

    Args:
        *arguments: As tqdm's.
        **options: As tqdm's; ``file`` is standard output in a notebook's kernel, unless it is given.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        if _in_a_kernel():
            options.setdefault("file", sys.stdout)
        super().__init__(*arguments, **options)


def _in_a_kernel() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")
