"""Numbers on the site's pages are those that were recorded."""

import json
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_page_on_own_images_tells_what_camvid_gave():
    page = (ROOT / "docs" / "train_your_own.md").read_text(encoding="utf-8")
    record = json.loads((ROOT / "data" / "results" / "training_camvid.json").read_text(encoding="utf-8"))
    for point in record["learning_curve"]:
        assert f"| {point['step']} | {100 * point['val_mean_iou']:.1f} |" in page
    assert f"**{100 * record['test']['mean_iou']:.1f} % mean IoU" in page
    assert f"({100 * record['test']['pixel_accuracy']:.1f} % of the pixels" in page.replace("\n", " ")
    assert f"After {record['seconds'] / 60:.0f} minutes" in page
    for name in ("Road", "Sky", "Car", "Pole"):
        assert (
            f"{100 * record['test']['iou'][name]:.0f} %" in page
            or f"{100 * record['test']['iou'][name]:.0f} and" in page
        )
