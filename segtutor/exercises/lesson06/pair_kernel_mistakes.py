"""Typical wrong answers to exercise 6.11, the kernels of the dense CRF."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _normalized(kernel, how="symmetric"):  # type: ignore[no-untyped-def]
    total = kernel.sum(axis=1)
    with np.errstate(all="ignore"):
        return {
            "symmetric": kernel / np.sqrt(np.outer(total, total)),
            "rows": kernel / total[:, None],
            "columns": kernel / total[None, :],
            "twice": kernel / np.outer(total, total),
            "none": kernel,
            "row root": kernel / np.sqrt(total)[:, None],
            "sum of sums": kernel / np.sqrt(np.add.outer(total, total)),
            "mean of sums": 2 * kernel / np.add.outer(total, total),
            "all": kernel / kernel.sum(),
            "largest": kernel / kernel.max(),
            "count": kernel / len(kernel),
            "norms": kernel / np.sqrt(np.outer((kernel**2).sum(axis=1), (kernel**2).sum(axis=1))),
            "softmax": np.exp(kernel) / np.exp(kernel).sum(axis=1, keepdims=True),
            "others": kernel / np.sqrt(np.outer(total - 1, total - 1)),
        }[how]


def _kernel(  # type: ignore[no-untyped-def]
    image, sigma_xy, sigma_rgb, *,
    how="symmetric", color_type=float, half=2.0, power=2, by_columns=False, own=True, place=True, squared=True,
    city=None, numbered=False, scale=(1, 1), turned=False, channels=(1, 1, 1), largest=False, wrap=float, reach=None,
):  # fmt: skip
    """The kernel with the switches of the mistakes; as it stands, the right one."""
    if by_columns:
        image = image.swapaxes(0, 1)
    height, width = image.shape[:2]
    places = np.indices((width, height) if turned else (height, width)).reshape(2, -1).T / scale
    if numbered:
        places = np.arange(height * width)[:, None] * [1, 0]
    apart_by = abs(places[:, None] - places[None]).astype(float)
    of_place = (apart_by**power).sum(axis=2) if city is None else city(apart_by)
    energy = of_place / (sigma_xy**2 if squared else sigma_xy)
    if not place and sigma_rgb is not None:
        energy = 0 * energy
    if sigma_rgb is not None:
        colors = image.reshape(-1, 3).astype(color_type)
        apart = (colors[:, None] - colors[None]).astype(float)
        squares = (abs(apart).astype(wrap) ** power).astype(float) * channels
        of_color = squares.max(axis=2) if largest else squares.sum(axis=2)
        energy = energy + of_color / (sigma_rgb**2 if squared else sigma_rgb)
    kernel = np.exp(-energy / half)
    if reach is not None:
        kernel = kernel * (of_place <= (reach * sigma_xy) ** 2)
    if not own:
        kernel = kernel - np.eye(len(kernel))
    return _normalized(kernel, how)


def _gaussian(points, sigma):  # type: ignore[no-untyped-def]
    return np.exp(-((points[:, None] - points[None]) ** 2).sum(axis=2) / (2 * sigma**2))


def _added(image, sigma_xy, sigma_rgb):  # type: ignore[no-untyped-def]
    """The Gaussian of the places plus that of the colors."""
    kernel = _gaussian(np.indices(image.shape[:2]).reshape(2, -1).T, sigma_xy)
    if sigma_rgb is not None:
        kernel = kernel + _gaussian(image.reshape(-1, 3).astype(float), sigma_rgb)
    return _normalized(kernel)


def _gray(image, sigma_xy, sigma_rgb):  # type: ignore[no-untyped-def]
    """Colors by their mean only."""
    return _kernel(np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2) / np.sqrt(3), sigma_xy, sigma_rgb)


MISTAKES = (
    Mistake("not normalized", lambda *a: _kernel(*a, how="none"), "normalized"),
    Mistake("rows", lambda *a: _kernel(*a, how="rows"), "normalized"),
    Mistake("columns", lambda *a: _kernel(*a, how="columns"), "normalized"),
    Mistake("without the root", lambda *a: _kernel(*a, how="twice"), "normalized"),
    Mistake("no half", lambda *a: _kernel(*a, half=1.0), "exponent"),
    Mistake("sigma not squared", lambda *a: _kernel(*a, squared=False), "exponent"),
    Mistake("distance not squared", lambda *a: _kernel(*a, power=1), "exponent"),
    Mistake("color ignored", lambda image, xy, rgb: _kernel(image, xy, None), "color"),
    Mistake("place ignored", lambda *a: _kernel(*a, place=False), "color"),
    Mistake("kernels added", _added, "color"),
    Mistake("gray values", _gray, "color"),
    Mistake("bytes subtracted", lambda *a: _kernel(*a, color_type=np.uint8), "bytes"),
    Mistake("down the columns", lambda *a: _kernel(*a, by_columns=True), "pixels"),
    Mistake("pixel itself left out", lambda *a: _kernel(*a, own=False), "itself"),
    Mistake(
        "pixel itself left out afterwards",
        lambda *a: _kernel(*a) * (1 - np.eye(len(_kernel(*a)))),
        "itself",
    ),
    Mistake("root of the row only", lambda *a: _kernel(*a, how="row root"), "normalized"),
    Mistake("root of the sum of both", lambda *a: _kernel(*a, how="sum of sums"), "normalized"),
    Mistake("mean of both sums", lambda *a: _kernel(*a, how="mean of sums"), "normalized"),
    Mistake("by all", lambda *a: _kernel(*a, how="all"), "normalized"),
    Mistake("by the largest", lambda *a: _kernel(*a, how="largest"), "normalized"),
    Mistake("by the number of pixels", lambda *a: _kernel(*a, how="count"), "normalized"),
    Mistake("by the norms", lambda *a: _kernel(*a, how="norms"), "normalized"),
    Mistake("softmax of the rows", lambda *a: _kernel(*a, how="softmax"), "normalized"),
    Mistake("half of a half", lambda *a: _kernel(*a, half=4.0), "exponent"),
    Mistake("sign", lambda *a: _kernel(*a, half=-2.0), "exponent"),
    Mistake(
        "twice sigma, squared",
        lambda im, xy, rgb: _kernel(im, np.sqrt(2) * xy, rgb and np.sqrt(2) * rgb),
        "exponent",
    ),
    Mistake("city block", lambda *a: _kernel(*a, city=lambda d: d.sum(axis=2) ** 2), "exponent"),
    Mistake("chessboard", lambda *a: _kernel(*a, city=lambda d: d.max(axis=2) ** 2), "exponent"),
    Mistake("root of the distance", lambda *a: _kernel(*a, city=lambda d: np.sqrt((d**2).sum(axis=2))), "exponent"),
    Mistake("rows only", lambda *a: _kernel(*a, city=lambda d: d[..., 0] ** 2), "pixels"),
    Mistake("columns only", lambda *a: _kernel(*a, city=lambda d: d[..., 1] ** 2), "pixels"),
    Mistake("number of the pixel", lambda *a: _kernel(*a, numbered=True), "pixels"),
    Mistake("places from 0 to 1", lambda im, xy, rgb: _kernel(im, xy, rgb, scale=im.shape[:2]), "pixels"),
    Mistake("W x H", lambda *a: _kernel(*a, turned=True), "pixels"),
    Mistake("first channel only", lambda im, xy, rgb: _kernel(im, xy, rgb, channels=[1, 0, 0]), "color"),
    Mistake("last channel only", lambda im, xy, rgb: _kernel(im, xy, rgb, channels=[0, 0, 1]), "color"),
    Mistake("two channels", lambda im, xy, rgb: _kernel(im, xy, rgb, channels=[1, 1, 0]), "color"),
    Mistake("mean of the channels", lambda im, xy, rgb: _kernel(im, xy, rgb and rgb * np.sqrt(3)), "color"),
    Mistake(
        "gray values, once",
        lambda im, xy, rgb: _kernel(np.repeat(im.mean(2, keepdims=True), 3, 2) / 3**0.5, xy, rgb),
        "color",
    ),
    Mistake("largest channel", lambda im, xy, rgb: _kernel(im, xy, rgb, largest=True), "color"),
    Mistake("colors from 0 to 1", lambda im, xy, rgb: _kernel(im / 255, xy, rgb), "color"),
    Mistake("color sigma for both", lambda im, xy, rgb: _kernel(im, xy if rgb is None else rgb, rgb), "two sigmas"),
    Mistake("place sigma for both", lambda im, xy, rgb: _kernel(im, xy, rgb and xy), "two sigmas"),
    Mistake(
        "sigmas exchanged",
        lambda im, xy, rgb: _kernel(im, xy if rgb is None else rgb, rgb and xy),
        "two sigmas",
    ),
    Mistake("colors attract", lambda im, xy, rgb: _kernel(im, xy, rgb, channels=[-1, -1, -1]), "color"),
    Mistake("squares of bytes", lambda *a: _kernel(*a, wrap=np.uint8), "bytes"),
    Mistake("squares of 16 bits", lambda *a: _kernel(*a, wrap=np.int16), "bytes"),
    Mistake("signed bytes", lambda *a: _kernel(*a, color_type=np.int8), "bytes"),
    Mistake("None is 1", lambda im, xy, rgb: _kernel(im, xy, 1.0 if rgb is None else rgb), "none"),
    Mistake("None is sigma_xy", lambda im, xy, rgb: _kernel(im, xy, xy if rgb is None else rgb), "none"),
    Mistake(
        "None leaves nothing",
        lambda im, xy, rgb: np.eye(im[..., 0].size) if rgb is None else _kernel(im, xy, rgb),
        "none",
    ),
    Mistake("near pixels only", lambda *a: _kernel(*a, reach=3.0), "all pairs"),
    Mistake("neighbors only", lambda *a: _kernel(*a, reach=1.5 / a[1]), "all pairs"),
    Mistake("itself not in the sum", lambda *a: _kernel(*a, how="others"), "itself"),
    Mistake(
        "itself is 1 afterwards",
        lambda *a: np.where(np.eye(len(_kernel(*a))) > 0, 1.0, _kernel(*a)),
        "itself",
    ),
    Mistake("H x W x H x W", lambda im, xy, rgb: _kernel(im, xy, rgb).reshape(*im.shape[:2], *im.shape[:2]), "shape"),
    Mistake("row sums", lambda *a: _kernel(*a).sum(axis=1), "shape"),
)
