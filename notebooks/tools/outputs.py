"""Outputs that may be committed: small, the same on every machine, with a text for those who cannot see the figure."""

from __future__ import annotations

import base64
import io
import json
import re

import numpy as np
import oxipng
from nbformat import NotebookNode
from PIL import Image
from scipy.spatial import cKDTree

LIMIT = 2_000_000
ALL_LESSONS_LIMIT = 12_000_000
FULL_WIDTH = 600
"""A figure that is shown wider than this, in pixels of the page, fills the column."""
SHARP_WIDTH = 1200
JPEG_QUALITY = 86
JPEG_GAIN = 0.9
"""A picture becomes a JPEG where the PNG is not smaller than this share of it: few colors band in a soft background."""
PHOTOGRAPHIC = 5_000
"""And only if it has so many colors: lines, letters and label maps stay PNG, and nothing rings."""
FLAT = 1000
"""A color that so many pixels have fills an area; the eye sees it change."""
SHIFT = 12
"""By how much such a color may change, on the scale to 255, as the root of the mean square of its channels."""
CALM = 120.0
"""What a change of color between neighbors costs in ``calmed``, in squared levels (the scale to 255)."""
KEPT_TYPES = {
    "image/png", "image/jpeg", "image/gif", "image/svg+xml",
    "text/plain", "text/html", "text/latex", "text/markdown", "application/javascript",
}  # fmt: skip
# Where home, temporary and checkout folders lie on Linux, macOS and Windows.
MACHINE_PATH = re.compile(
    r"(?<![\w.:/])(?:/(?:home|Users|root|work|tmp|private|var/folders|mnt|opt)/[\w.~+-]+|[A-Za-z]:\\{1,2}Users\\)"
)
PROGRESS = re.compile(r"\d+%\||\d+(?:\.\d+)?\s?(?:it|img|batch|step|[kM]?B)/s|\|\s*\d+/\d+ \[|[━█▏▎▍▌▋▊▉]{2}")


def clean(notebook: NotebookNode) -> None:
    """Strip what differs from run to run or belongs to a live session, and number the code cells from 1.

    Raises:
        ValueError: An output may not be committed (a message on stderr, a path of this machine, too large).
    """
    trouble: list[str] = []
    section = "figure"
    for count, cell in enumerate_code(notebook):
        if cell.cell_type == "markdown":
            heading = re.findall(r"^#{1,4} +(.+)$", cell.source, re.MULTILINE)
            section = heading[-1] if heading else section
            continue
        cell.metadata.pop("execution", None)
        cell.execution_count = count
        cell.outputs = merged([kept for output in cell.outputs if (kept := clean_output(output)) is not None])
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
            if output.output_type in ("display_data", "execute_result"):
                alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", f"Figure of the section “{section}”")
                for kind in output.data:
                    if kind.startswith("image/"):
                        output.metadata.setdefault(kind, {})["alt"] = alt
            if output.output_type == "stream" and output.name == "stderr":
                trouble.append(f"{cell.id} writes to stderr: {output.text.strip()[:300]}")
        trouble += [f"{cell.id} shows a path of this machine: {path}" for path in machine_paths(cell.outputs)]
    if not trouble:
        trouble = shrink(notebook)
    if trouble:
        raise ValueError("\n".join(trouble))


def enumerate_code(notebook: NotebookNode) -> list[tuple[int, NotebookNode]]:
    """All cells, each with the number of code cells up to it."""
    numbered, count = [], 0
    for cell in notebook.cells:
        count += cell.cell_type == "code"
        numbered.append((count, cell))
    return numbered


def clean_output(output: NotebookNode) -> NotebookNode | None:
    """One output without progress bars, widgets and addresses of objects; None if nothing is left."""
    if output.output_type == "stream":
        # A carriage return overwrites the line: what the reader sees is what comes after the last one.
        seen = [line.rstrip("\r").rsplit("\r", 1)[-1] for line in output.text.split("\n")]
        output.text = steady("\n".join(line for line in seen if not PROGRESS.search(line)))
        return output if output.text.strip() else None
    if output.output_type in ("display_data", "execute_result"):
        if any(kind.startswith("application/vnd.jupyter.widget") for kind in output.data):
            return None
        output.data = NotebookNode({kind: data for kind, data in output.data.items() if kind in KEPT_TYPES})
        if "image/png" in output.data and output.data.get("text/plain", "").startswith("<Figure"):
            output.data["text/plain"] = "<Figure>"
        for kind, data in output.data.items():
            if kind.startswith("text/"):
                output.data[kind] = steady(data)
        output.metadata = NotebookNode({k: v for k, v in output.metadata.items() if k in output.data})
        output.pop("transient", None)
        return output if output.data else None
    return output


def steady(text: str) -> str:
    """Text without the memory addresses of objects, which differ from run to run."""
    return re.sub(r" at 0x[0-9a-fA-F]{6,}", "", text)


def merged(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs with neighboring pieces of the same stream joined."""
    result: list[NotebookNode] = []
    for output in outputs:
        last = result[-1] if result else None
        if last is not None and last.output_type == output.output_type == "stream" and last.name == output.name:
            last.text += output.text
        else:
            result.append(output)
    return result


def machine_paths(outputs: list[NotebookNode]) -> list[str]:
    """Paths of the machine in the text of outputs."""
    texts: list[str] = []
    for output in outputs:
        if output.output_type == "stream":
            texts.append(output.text)
        elif output.output_type == "error":
            texts += output.traceback
        else:
            texts += [data for kind, data in output.data.items() if kind.startswith("text/") and isinstance(data, str)]
    # Embedded pictures are long base64 text in which anything can be found.
    return [path for text in texts for path in MACHINE_PATH.findall(re.sub(r"base64,[A-Za-z0-9+/=\s]+", "", text))]


def smaller_page(page: str, faithfulness: float) -> str:
    """A page with the PNGs in it in fewer bytes."""
    embedded = r"(?<=data:image/png;base64,)[A-Za-z0-9+/=]+"
    return re.sub(embedded, lambda found: smaller_png(found[0], faithfulness).strip(), page)


def shrink(notebook: NotebookNode, limit: int = LIMIT) -> list[str]:
    """Make the figures smaller, first without a loss that one sees; names the large cells if the limit is missed."""
    for faithfulness in (35.5, 33.0, 30.0):
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                if "image/png" in output.get("data", {}):
                    smaller_figure(output, faithfulness)
                if "text/html" in output.get("data", {}):
                    output.data["text/html"] = smaller_page(output.data["text/html"], faithfulness)
        if size(notebook) <= limit:
            return []
    cells = sorted(notebook.cells, key=lambda cell: -size(cell.get("outputs", [])))[:3]
    parts = ", ".join(f"{cell.id} {size(cell.get('outputs', [])) / 1000:.0f} kB" for cell in cells)
    return [f"{size(notebook) / 1000:.0f} kB are more than the {limit / 1000:.0f} kB allowed; largest: {parts}"]


def smaller_figure(output: NotebookNode, faithfulness: float) -> None:
    """Replace a figure by a smaller file of the same picture: a PNG, or a JPEG for photographs and scenes."""
    original = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))
    output.data["image/png"] = smaller_png(output.data["image/png"], faithfulness)
    picture = on_white(original)
    if picture.getcolors(PHOTOGRAPHIC) is not None:
        return
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling="4:2:0", optimize=True, progressive=True)
    jpeg = base64.b64encode(buffer.getvalue()).decode() + "\n"
    if JPEG_GAIN * len(jpeg) < len(output.data["image/png"]):
        # The same place among the kinds of data, so that the bytes of the notebook do not depend on the order.
        output.data = NotebookNode({"image/jpeg": jpeg, **{k: v for k, v in output.data.items() if k != "image/png"}})
        if "image/png" in output.metadata:
            output.metadata["image/jpeg"] = output.metadata.pop("image/png")


def on_white(image: Image.Image) -> Image.Image:
    """The picture without transparency, as it looks on a white page."""
    if image.mode == "RGB":
        return image
    page = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(page, image.convert("RGBA")).convert("RGB")


def blurred_figures(outputs: list[NotebookNode]) -> list[str]:
    """Figures with too few pixels: fewer than two for each pixel of the page, or too few to fill the column."""
    found = []
    for output in outputs:
        for kind in ("image/png", "image/jpeg"):
            if kind in output.get("data", {}):
                width = Image.open(io.BytesIO(base64.b64decode(output.data[kind]))).width
                page = output.get("metadata", {}).get(kind, {}).get("width", width)
                if width < 2 * page or (page >= FULL_WIDTH and width < SHARP_WIDTH):
                    found.append(f"{width} pixels for {page:g} pixels of the page; call plotting.use_course_style()")
    return found


def size(part: object) -> int:
    """Bytes of a notebook or a part of it as JSON."""
    return len(json.dumps(part, indent=1, ensure_ascii=False).encode())


def smaller_png(data: str, faithfulness: float) -> str:
    """The same picture in fewer bytes; with few colors if that is faithful (``few_colors``), and without grain."""
    raw = base64.b64decode(data)
    image = Image.open(io.BytesIO(raw))
    if image.mode not in ("RGB", "RGBA", "P") or "transparency" in image.info:
        return data
    if image.mode == "RGBA" and image.getextrema()[3] == (255, 255):
        image = image.convert("RGB")
    few = None
    if image.mode == "RGB":
        few = few_colors(image, faithfulness)
    elif image.mode == "P":
        few = calm(image, image, faithfulness)
    best = raw if few is None else min(raw, encode(few), key=len)
    packed = oxipng.optimize_from_memory(best, level=3, strip=oxipng.StripChunks.safe())
    return base64.b64encode(min(best, packed, key=len)).decode() + "\n"


def few_colors(image: Image.Image, faithfulness: float) -> Image.Image | None:
    """The picture with a palette, as short as it may be; None if 256 colors do not do.

    The most frequent of the colors that fill an area (a white page, a class of a label map, a line) are kept as they
    are, and none of the others moves by more than ``SHIFT``. In the rest of the picture the signal-to-noise ratio must
    stay above ``faithfulness`` dB: a photograph beside a flat map must be good by itself.
    """
    pixels = np.asarray(image).astype(np.int64) @ (1 << 16, 1 << 8, 1)
    packed, place, counts = np.unique(pixels, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    colors = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1).astype(float)
    areas = counts >= FLAT
    few = None
    for number in (256, 192, 128, 96, 64, 32):
        exact = order[: min(int(areas.sum()), number // 4)]
        others = np.setdiff1d(order, exact)
        palette = np.vstack([colors[exact], centers(colors[others], counts[others], number - len(exact))])
        nearest = cKDTree(palette).query(colors)[1]
        errors = ((palette[nearest] - colors) ** 2).mean(axis=1)
        noise = max(float(np.average(errors[others], weights=counts[others])) if len(others) else 0, 1e-12)
        if 10 * np.log10(255**2 / noise) < faithfulness or errors[areas].max(initial=0) > SHIFT**2:
            break
        few = with_palette(nearest[place].reshape(pixels.shape), palette)
    return few and calm(few, image, faithfulness)


def with_palette(numbers: np.ndarray, palette: np.ndarray) -> Image.Image:
    """The picture of these numbers of colors."""
    drawn = Image.fromarray(numbers.astype(np.uint8), mode="P")
    drawn.putpalette(palette.astype(np.uint8).tobytes())
    return drawn


def calm(few: Image.Image, wanted: Image.Image, faithfulness: float) -> Image.Image:
    """The picture with a palette ``calmed``, if that is smaller and changes it by no more than ``faithfulness`` dB."""
    palette = np.reshape(few.getpalette(), (-1, 3)).astype(float)
    numbers = np.asarray(few).astype(np.int64)
    quiet = calmed(numbers, palette, np.asarray(wanted.convert("RGB"), dtype=float))
    noise = max(float(((palette[quiet] - palette[numbers]) ** 2).mean()), 1e-12)
    drawn = with_palette(quiet, palette)
    return drawn if 10 * np.log10(255**2 / noise) >= faithfulness and len(encode(drawn)) < len(encode(few)) else few


def calmed(numbers: np.ndarray, palette: np.ndarray, wanted: np.ndarray, sweeps: int = 4) -> np.ndarray:
    """Numbers of a palette's colors, changed where that saves grain which nobody sees.

    The noise of a camera makes its pixels flicker between two like colors of the palette, and flicker costs most of the
    bytes. Each pixel takes the color of a neighbor if that lowers its squared error, averaged over the channels, plus
    ``CALM`` for each of the four neighbors of another color (the Potts model); none moves further than ``SHIFT``.

    Args:
        numbers: H x W.
        palette: N x 3.
        wanted: H x W x 3, what the pixels should be.
        sweeps: How often all pixels are visited, the fields of a chessboard in turn.

    >>> flicker = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    >>> calmed(flicker, np.array([[100.0] * 3, [109.0] * 3]), np.full((3, 3, 3), 104.9)).any()
    np.False_
    """
    height, width = numbers.shape
    framed = np.pad(numbers, 1, mode="edge")
    white = np.add.outer(np.arange(height), np.arange(width)) % 2 == 0
    for sweep in range(2 * sweeps):
        here = framed[1:-1, 1:-1]
        around = (framed[:-2, 1:-1], framed[2:, 1:-1], framed[1:-1, :-2], framed[1:-1, 2:])
        row, column = np.nonzero((white ^ bool(sweep % 2)) & np.any([one != here for one in around], axis=0))
        colors, aim = [here[row, column], *(one[row, column] for one in around)], wanted[row, column]
        best, least = colors[0], np.full(len(row), np.inf)
        for color in colors:
            error = ((palette[color] - aim) ** 2).mean(axis=1)
            cost = error + CALM * np.sum([color != one for one in colors[1:]], axis=0)
            cost[(error > SHIFT**2) & (color != colors[0])] = np.inf
            best, least = np.where(cost < least, color, best), np.minimum(cost, least)
        framed[row + 1, column + 1] = best
        for side, inner in ((0, 1), (-1, -2)):
            framed[side], framed[:, side] = framed[inner], framed[:, inner]
    return framed[1:-1, 1:-1]


def centers(colors: np.ndarray, counts: np.ndarray, number: int) -> np.ndarray:
    """Means of up to ``number`` groups of colors, whole numbers.

    Five of six come from a median cut and four rounds of k-means, which serve the common colors. The rest go, one by
    one, to where the errors are largest, so that a red collar in a yellow landscape stays red.
    """
    if len(colors) <= number:
        return colors
    strip = Image.fromarray(colors[None].astype(np.uint8))
    means = strip.quantize(5 * number // 6, Image.Quantize.MEDIANCUT).getpalette()
    means = np.reshape(means, (-1, 3)).astype(float)
    for _ in range(4):
        group = cKDTree(means).query(colors)[1]
        weight = np.bincount(group, counts, len(means))
        sums = np.stack([np.bincount(group, counts * channel, len(means)) for channel in colors.T], axis=1)
        means[weight > 0] = (sums / np.maximum(weight, 1)[:, None])[weight > 0]
    squares = cKDTree(means).query(colors)[0] ** 2
    cells = (colors // 16).astype(int) @ (256, 16, 1)
    for _ in range(number - len(means)):
        inside = cells == np.bincount(cells, counts * squares**2).argmax()
        rare = np.average(colors[inside], axis=0, weights=counts[inside] * squares[inside] + 1e-9)
        squares = np.minimum(squares, ((colors - rare) ** 2).sum(axis=1))
        means = np.vstack([means, rare])
    return np.rint(means)


def encode(image: Image.Image) -> bytes:
    """The picture as a PNG without metadata, to be packed more tightly."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
