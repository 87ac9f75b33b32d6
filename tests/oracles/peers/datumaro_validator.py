"""Datumaro: the validator of segmentations, on the tree as it reads it."""

from collections.abc import Iterator
from pathlib import Path

from common import answer
from datumaro import Dataset
from datumaro.plugins.validators import SegmentationValidator

USUAL = {
    "few_samples_thr": 1,
    "imbalance_ratio_thr": 50,
    "far_from_mean_thr": 5.0,
    "dominance_ratio_thr": 0.8,
    "topk_bins": 0.1,
}  # as its command line has them


def ask(folder: Path) -> Iterator[tuple[str, str]]:
    dataset = Dataset.import_from(str(folder), "voc_segmentation")
    items = list(dataset)
    yield f"{len(items)} items", ""
    for item in items:
        if item.media is None or item.media.data is None:
            yield "no image", item.id
    for report in SegmentationValidator(**USUAL).validate(dataset)["validation_reports"]:
        if report["severity"] != "info":
            yield report["anomaly_type"], report.get("item_id") or ""


if __name__ == "__main__":
    answer(ask)
