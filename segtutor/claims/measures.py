"""The measures that several lessons put on their cards; ``scoring`` and ``cost`` make the numbers."""

from __future__ import annotations

from segtutor.claims.claim import Measure, percent
from segtutor.claims.scoring import BAND

MEAN_IOU = percent("mean_iou", "mean IoU")
BAND_IOU = percent("band_iou", f"within {BAND} px of a label change")
BOUNDARY_IOU = percent("boundary_iou", "boundary IoU")
THIN = percent("thin", "thin pixels right")
SMALL = percent("small", "pixels of small things right")
LARGE = percent("large", "pixels of large things right")
POLE_IOU = percent("pole_iou", "IoU of poles")
PARAMETERS = Measure("parameters", "parameters, thousands", 1e-3, 0)
GFLOPS = Measure("gflops", "operations, billions", digits=2)
MILLISECONDS = Measure("milliseconds", "time per picture, ms")
COSTS = (PARAMETERS, GFLOPS, Measure("megabytes", "kept for the gradient, MB per picture"), MILLISECONDS)
