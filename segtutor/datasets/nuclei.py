"""One photograph through a microscope, with 125 nuclei drawn by hand: enough to learn on its left half.

It lies in the package stardist, under BSD-3-Clause, and pip brings it; nothing of the package is installed or run.
Its authors took it from the Data Science Bowl 2018 (Caicedo et al. 2019; collection BBBC038).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from segtutor.fetch.download import cache_folder, check_room
from segtutor.fetch.packages import read_files_from_package
from segtutor.files import replacing

PACKAGE = "stardist==0.9.2"
LICENSE = "BSD-3-Clause (c) 2018 Uwe Schmidt, Martin Weigert"
MEMBERS = {
    "stardist/data/images/img2d.tif": ("f9ccc1571b92c861ff87e28463068b43f61bd47357ed0503f711e5cd1eb97750", 524544),
    "stardist/data/images/mask2d.tif": ("59ad5e820b7982ca9d13e946fa6e7f64e2714899e00a2ae6c69aa79aad53d46f", 524544),
}
PICTURE, MASK = MEMBERS
COUNT = 125


@dataclass(frozen=True, eq=False)
class Nuclei:
    """The photograph.

    Attributes:
        picture: 512 x 512 float32 from 0 to 1: the darkest and the brightest hundredth are cut off.
        things: 512 x 512 int64, the number of the nucleus at each pixel, 0 where there is none.
    """

    picture: np.ndarray
    things: np.ndarray

    def halves(self) -> tuple[Nuclei, Nuclei]:
        """Left and right; a nucleus on the cut is in both, as much of it as is seen there."""
        middle = self.picture.shape[1] // 2
        parts = (slice(None, middle), slice(middle, None))
        left, right = (Nuclei(self.picture[:, part], self.things[:, part]) for part in parts)
        return left, right


def kept_folder() -> Path:
    """Where the two files are kept, there or not."""
    return cache_folder() / "nuclei"


def on_disk() -> bool:
    """Whether both files are there."""
    return all((kept_folder() / Path(member).name).is_file() for member in MEMBERS)


def nuclei() -> Nuclei:
    """The photograph; pip is asked only if it is not there.

    Raises:
        DownloadError: If the package cannot be had, or is not the one that is known.
    """
    folder = kept_folder()
    if not on_disk():
        folder.mkdir(parents=True, exist_ok=True)
        check_room(folder / "nuclei", sum(size for _, size in MEMBERS.values()))
        for member, content in read_files_from_package(PACKAGE, MEMBERS).items():
            with replacing(folder / Path(member).name) as temporary:
                temporary.write_bytes(content)
    arrays = []
    for member in (PICTURE, MASK):
        with Image.open(io.BytesIO((folder / Path(member).name).read_bytes())) as image:
            arrays.append(np.array(image))
    light = arrays[0].astype(np.float32)
    low, high = (float(one) for one in np.percentile(light, [1, 99]))
    return Nuclei(np.clip((light - low) / (high - low), 0, 1).astype(np.float32), arrays[1].astype(np.int64))
