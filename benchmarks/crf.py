"""The dense CRF against the authors' implementation (pydensecrf2): time, equality, and closeness to brute force.

Time: 375 x 500 pixels, 21 labels, 10 iterations, building included. Closeness: small images, where every pair of
pixels can be compared, over several sigmas; filter error is the mean difference of one filter call on random values.
"""

from __future__ import annotations

from timing import compare  # isort: skip (limits the threads before torch is loaded)

import numpy as np
import pydensecrf.densecrf as densecrf
import torch

from segtutor.datasets import Scenes
from segtutor.models.crf import NormalizedFilter, dense_crf, pixel_features
from segtutor.models.crf_exact import ExactFilter
from segtutor.models.crf_lattice import LatticeFilter

SETTING = {
    "gaussian_sigma": 3, "gaussian_weight": 3, "bilateral_sigma_xy": 80, "bilateral_sigma_rgb": 13,
    "bilateral_weight": 10,
}  # fmt: skip


def sample(height: int, width: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A drawn scene, and probabilities of 21 labels as coarse as those of a network with output stride 16."""
    image, _ = Scenes("val", (height, width), count=50)[seed]
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(1, 21, height // 16, width // 16, generator=generator)
    logits = torch.nn.functional.interpolate(logits, (height, width), mode="bilinear")
    return logits[0].softmax(0), image.as_subclass(torch.Tensor)


def authors(probabilities: torch.Tensor, image: torch.Tensor) -> np.ndarray:
    """The same inference by the authors' code."""
    classes, height, width = probabilities.shape
    field = densecrf.DenseCRF2D(width, height, classes)
    field.setUnaryEnergy(np.ascontiguousarray(-np.log(probabilities.flatten(1).clamp(1e-5).numpy())))
    field.addPairwiseGaussian(sxy=SETTING["gaussian_sigma"], compat=SETTING["gaussian_weight"])
    field.addPairwiseBilateral(
        sxy=SETTING["bilateral_sigma_xy"], srgb=SETTING["bilateral_sigma_rgb"],
        rgbim=np.ascontiguousarray(image.permute(1, 2, 0).numpy()), compat=SETTING["bilateral_weight"],
    )  # fmt: skip
    return np.array(field.inference(10)).reshape(probabilities.shape)


def closeness(sigma_xy: float, sigma_rgb: float, seed: int) -> str:
    """One row: filter error and wrong labels of the two lattices, against all pairs."""
    probabilities, image = sample(64, 80, seed)
    features = pixel_features(image, sigma_xy, sigma_rgb)
    values = torch.rand(len(features), 8, generator=torch.Generator().manual_seed(0))
    filters = (ExactFilter(features), LatticeFilter(features), LatticeFilter(features, fine=True))
    truth, *others = (NormalizedFilter(one, "symmetric", True)(values) for one in filters)
    errors = [float((other - truth).abs().mean()) for other in others]
    setting = {**SETTING, "bilateral_sigma_xy": sigma_xy, "bilateral_sigma_rgb": sigma_rgb}
    exact = dense_crf(probabilities, image, **setting, method="exact").argmax(0)
    wrong = [
        float((dense_crf(probabilities, image, **setting, method="lattice", quality=quality).argmax(0) != exact)
              .float().mean())
        for quality in ("reference", "fine")
    ]  # fmt: skip
    return (
        f"| ({sigma_xy:g}, {sigma_rgb:g}), scene {seed} | {errors[0]:.2e} | {errors[1]:.2e} | "
        f"{errors[1] / errors[0]:.2f} | {wrong[0]:.2%} | {wrong[1]:.2%} |"
    )


def main() -> None:
    """Prints the tables."""
    probabilities, image = sample(375, 500, 3)
    compare(
        "Dense CRF, 375 x 500 pixels, 21 labels, 10 iterations",
        {
            "segtutor": lambda: dense_crf(probabilities, image, **SETTING, method="lattice"),
            "segtutor, fine": lambda: dense_crf(probabilities, image, **SETTING, method="lattice", quality="fine"),
            "pydensecrf2": lambda: authors(probabilities, image),
        },
        peers=["segtutor, fine", "pydensecrf2"],
        rounds=15,
        packages=("torch", "numpy", "pydensecrf2"),
    )
    ours, theirs = dense_crf(probabilities, image, **SETTING, method="lattice").numpy(), authors(probabilities, image)
    same = (ours.argmax(0) == theirs.argmax(0)).mean()
    print(f"Same label on {same:.4%} of the pixels; probabilities differ by at most {np.abs(ours - theirs).max():.1e}.")
    print("\n| sigmas | filter error, reference | fine | ratio | labels unlike exact, reference | fine |")
    print("| --- | --- | --- | --- | --- | --- |")
    for sigmas in ((80, 13), (80, 5), (160, 3), (67, 3), (30, 5)):
        for seed in (3, 8):
            print(closeness(*sigmas, seed), flush=True)


if __name__ == "__main__":
    main()
