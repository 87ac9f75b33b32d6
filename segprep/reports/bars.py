"""One bar per class: IoU, with precision and recall as marks."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from segprep.reports import figures

MOST = 200


def picture(
    names: Sequence[str], iou: Any, precision: Any, recall: Any, pixels: Any, title: str
) -> bytes:
    """A PNG. All arrays (C,); classes whose IoU is undefined are skipped; beyond 200 classes those
    with most truth pixels are drawn.
    """
    seen = np.flatnonzero(~np.isnan(iou))
    seen = np.sort(seen[np.argsort(-pixels[seen], kind="stable")[:MOST]])
    height = max(2.4, 1.4 + 0.26 * len(seen))
    chart = figures.figure(8.5, height)
    axes = chart.subplots()
    places = np.arange(len(seen))
    axes.barh(places, iou[seen], height=0.7, color="#7aa6d8", label="IoU")
    axes.plot(
        precision[seen],
        places,
        "|",
        color="#b03a2e",
        markersize=9,
        markeredgewidth=2,
        label="precision",
    )
    axes.plot(
        recall[seen],
        places,
        "x",
        color="#1e8449",
        markersize=5,
        markeredgewidth=1.5,
        label="recall",
    )
    for at, value in zip(places.tolist(), iou[seen].tolist(), strict=True):
        axes.text(1.02, at, f"{value:.3f}", va="center", fontsize=8)
    axes.set_yticks(places, figures.labels(names, seen.tolist()), fontsize=8)
    axes.invert_yaxis()
    axes.set_ylim(max(len(seen) - 0.4, 0.6), -0.6)
    axes.set_xlim(0, 1.1)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_title(
        title + (f" ({len(seen)} of {len(names)} classes)" if len(seen) < len(names) else ""),
        fontsize=10,
    )
    chart.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return figures.png_bytes(chart)
