"""Pictures that explain: label maps and instances over their image, errors, curves, networks."""

from __future__ import annotations

import importlib
from typing import Any

# public name: the module that defines it, imported when the name is first used
_EXPORTS = {
    "Arrow": "segtutor.plotting.architecture",
    "atrous_line": "segtutor.plotting.atrous",
    "Box": "segtutor.plotting.architecture",
    "change_map": "segtutor.plotting.changes",
    "change_patches": "segtutor.plotting.changes",
    "colorize": "segtutor.plotting.overlays",
    "deeplabv2_layout": "segtutor.plotting.deeplab_layouts",
    "deeplabv3_cascaded_layout": "segtutor.plotting.deeplab_layouts",
    "deeplabv3_layout": "segtutor.plotting.deeplab_layouts",
    "deeplabv3plus_layout": "segtutor.plotting.deeplab_layouts",
    "detector_shapes": "segtutor.plotting.detector_layouts",
    "dilated_positions": "segtutor.plotting.convolutions",
    "effective_receptive_field": "segtutor.plotting.receptive_field",
    "error_map": "segtutor.plotting.errors",
    "fcn_layout": "segtutor.plotting.layouts",
    "field_width": "segtutor.plotting.receptive_field",
    "labelings": "segtutor.plotting.random_field",
    "Layout": "segtutor.plotting.architecture",
    "legend": "segtutor.plotting.overlays",
    "mask_rcnn_layout": "segtutor.plotting.detector_layouts",
    "matched_colors": "segtutor.plotting.objects",
    "movable_figures": "segtutor.plotting.steps",
    "movable_precision_recall": "segtutor.plotting.interactive",
    "movable_region": "segtutor.plotting.regions",
    "movable_scatter": "segtutor.plotting.scatter",
    "movable_suppression": "segtutor.plotting.suppression",
    "movable_window": "segtutor.plotting.window",
    "pale": "segtutor.plotting.objects",
    "pspnet_layout": "segtutor.plotting.layouts",
    "receptive_box": "segtutor.plotting.receptive_field",
    "resnet_layout": "segtutor.plotting.residual",
    "roi_pool_bins": "segtutor.plotting.roi_sampling",
    "roi_sample_points": "segtutor.plotting.roi_sampling",
    "segformer_layout": "segtutor.plotting.transformer_layouts",
    "show_anchors": "segtutor.plotting.detection",
    "show_architecture": "segtutor.plotting.architecture",
    "show_atrous_line": "segtutor.plotting.atrous",
    "show_attention": "segtutor.plotting.attention",
    "show_boxes": "segtutor.plotting.detection",
    "show_changes": "segtutor.plotting.changes",
    "show_cutout": "segtutor.plotting.cutouts",
    "show_dilation": "segtutor.plotting.convolutions",
    "show_error_kinds": "segtutor.plotting.error_kinds",
    "show_errors": "segtutor.plotting.errors",
    "show_gallery": "segtutor.plotting.overlays",
    "show_instances": "segtutor.plotting.overlays",
    "show_labelings": "segtutor.plotting.random_field",
    "show_objects": "segtutor.plotting.objects",
    "show_overlay": "segtutor.plotting.overlays",
    "show_precision_recall": "segtutor.plotting.curves",
    "show_pyramid": "segtutor.plotting.convolutions",
    "show_random_field": "segtutor.plotting.random_field",
    "show_reach": "segtutor.plotting.reach",
    "show_receptive_field": "segtutor.plotting.receptive_field",
    "show_reliability": "segtutor.plotting.calibration",
    "show_residual_block": "segtutor.plotting.residual",
    "show_risk": "segtutor.plotting.calibration",
    "show_roi_samples": "segtutor.plotting.roi_sampling",
    "show_strips": "segtutor.plotting.strips",
    "show_taps": "segtutor.plotting.atrous",
    "show_transposed_convolution": "segtutor.plotting.convolutions",
    "StripCase": "segtutor.plotting.strips",
    "theoretical_receptive_field": "segtutor.plotting.receptive_field",
    "trace_shapes": "segtutor.plotting.tracing",
    "transposed_convolution": "segtutor.plotting.convolutions",
    "use_course_style": "segtutor.plotting.style",
}

__all__ = list(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)
