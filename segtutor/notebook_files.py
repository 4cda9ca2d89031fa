"""Notebooks as files: what stands below the cells taken off, so that whoever predicts an answer does not see it."""

from __future__ import annotations

import json
from pathlib import Path


def without_outputs(path: Path) -> bytes:
    """The notebook without its outputs and without the numbers of its runs; everything else as it is.

    Raises:
        ValueError: If the file is no notebook.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        cells = content["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a notebook: {type(error).__name__}: {error}") from None
    for cell in cells:
        if cell.get("cell_type") == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
