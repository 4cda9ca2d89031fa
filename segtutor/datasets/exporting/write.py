"""Writing pictures, label PNGs and JSON in the exact forms that data sets use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def write_jpeg(path: Path, pixels: np.ndarray) -> None:
    """H x W x 3 uint8 as JPEG; no chroma subsampling, so that thin things keep their color."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=95, subsampling=0)


def write_png(path: Path, values: np.ndarray, palette: np.ndarray | None = None) -> None:
    """H x W uint8 (with a palette if given), H x W uint16, or H x W x 3 uint8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values)
    if palette is not None:
        image.putpalette(palette[:256].astype(np.uint8).tobytes())
    image.save(path)


def write_json(path: Path, content: Any) -> None:
    """Compact JSON, as the official files are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")


def write_lines(path: Path, lines: list[str]) -> None:
    """A text file of one entry a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
