"""Scores of other tools for given label maps. Runs in an environment that has them, and shares no
code with segprep.

    METRICS_PYTHON metric_peers.py CASES.npz OUT.json

CASES.npz holds ``meta`` (a JSON list of {classes, ignore, images}) and ``t0_0``, ``p0_0``, … :
truth and prediction of case 0, image 0; and ``o0``, ``q0``, … : pairs of (H, W, 2) class and
instance for panoptic quality. A tool that is not installed is left out of OUT.json.
"""

import importlib.util
import json
import sys
import types
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

Case = dict[str, Any]


def torchmetrics_scores(case: Case) -> dict[str, Any]:
    import torch
    from torchmetrics.classification import (
        MulticlassCohenKappa,
        MulticlassF1Score,
        MulticlassJaccardIndex,
        MulticlassRecall,
        MulticlassSpecificity,
    )
    from torchmetrics.segmentation import MeanIoU

    torch.set_default_dtype(torch.float64)
    torch.Tensor.float = torch.Tensor.double  # torchmetrics casts its matrices to seven digits
    common = {"num_classes": case["classes"], "ignore_index": case["ignore"]}
    metrics = {
        "jaccard": MulticlassJaccardIndex(average="macro", **common),
        "per_class": MulticlassJaccardIndex(average="none", **common),
        "weighted": MulticlassJaccardIndex(average="weighted", **common),
        "recall": MulticlassRecall(average="macro", **common),
        "f1": MulticlassF1Score(average="none", **common),
        "specificity": MulticlassSpecificity(average="none", **common),
        "kappa": MulticlassCohenKappa(**common),
    }
    if case["ignore"] is None:
        metrics["MeanIoU"] = MeanIoU(num_classes=case["classes"], input_format="index")
    for metric in metrics.values():
        metric.set_dtype(torch.float64)
    for truth, pred in case["pairs"]:
        for metric in metrics.values():
            metric.update(
                torch.from_numpy(pred.astype(np.int64))[None],
                torch.from_numpy(truth.astype(np.int64))[None],
            )
    return {name: metric.compute().tolist() for name, metric in metrics.items()}


def panoptic(case: Case) -> dict[str, Any]:
    import torch
    from torchmetrics.detection import PanopticQuality

    metric = PanopticQuality(
        things=set(range(1, case["classes"])),
        stuffs={0},
        return_sq_and_rq=True,
        allow_unknown_preds_category=True,
    )
    metric.set_dtype(torch.float64)
    truth, pred = case["objects"]
    metric.update(
        torch.from_numpy(pred.astype(np.int64))[None],
        torch.from_numpy(truth.astype(np.int64))[None],
    )
    return {"pq_sq_rq": metric.compute().tolist()}


def mmseg_scores(case: Case) -> dict[str, Any]:
    import torch

    metric = mmseg_class()
    areas = [
        metric.intersect_and_union(
            torch.from_numpy(pred.astype(np.int64)),
            torch.from_numpy(truth.astype(np.int64)),
            case["classes"],
            case["ignore"] if case["ignore"] is not None else -1,
        )
        for truth, pred in case["pairs"]
    ]
    total = [
        sum(one[n].double() for one in areas) for n in range(4)
    ]  # float32 here would leave seven digits
    found = metric.total_area_to_metrics(*total, ["mIoU", "mDice", "mFscore"])
    return {name: np.asarray(value, np.float64).tolist() for name, value in found.items()}


@cache
def mmseg_class() -> Any:
    """mmseg's IoUMetric from its own file: its package does not import without mmcv."""
    spec = importlib.util.find_spec("mmseg")
    if spec is None or spec.origin is None:
        raise ImportError("mmseg")
    path = Path(spec.origin).parent / "evaluation/metrics/iou_metric.py"
    registry = types.SimpleNamespace(register_module=lambda: lambda kind: kind)
    stubs: dict[str, dict[str, Any]] = {
        "mmengine": {},
        "mmengine.dist": {"is_main_process": None},
        "mmengine.evaluator": {"BaseMetric": object},
        "mmengine.logging": {"MMLogger": None, "print_log": None},
        "mmengine.utils": {"mkdir_or_exist": None},
        "prettytable": {"PrettyTable": None}, "mmseg": {}, "mmseg.registry": {"METRICS": registry},
    }  # fmt: skip
    for name, content in stubs.items():
        module = types.ModuleType(name)
        module.__dict__.update(content)
        sys.modules[name] = module
    loaded: dict[str, Any] = {}
    exec(compile(path.read_text(), str(path), "exec"), loaded)
    return loaded["IoUMetric"]


def cityscapes(case: Case) -> dict[str, Any]:
    import cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling as peer  # noqa: N813
    from cityscapesscripts.helpers.labels import labels

    peer.args.evalLabels = [label.id for label in labels if label.id >= 0]
    matrix = peer.generateMatrix(peer.args)
    for truth, pred in case["pairs"]:
        np.add.at(matrix, (truth.ravel(), pred.ravel()), 1)
    scores = {
        label.name: peer.getIouScoreForLabel(label.id, matrix, peer.args)
        for label in labels
        if label.id >= 0
    }
    average = peer.getScoreAverage(scores, peer.args)
    return {
        "average": average,
        "scores": [None if np.isnan(one) else one for one in scores.values()],
        "ignored": [one.id for one in labels if one.id >= 0 and one.ignoreInEval],
    }


TOOLS: dict[str, tuple[Callable[[Case], dict[str, Any]], Callable[[Case], bool]]] = {
    "torchmetrics": (
        torchmetrics_scores,
        lambda case: case["kind"] == "plain" and case["classes"] <= 255,
    ),
    "mmseg": (mmseg_scores, lambda case: case["kind"] == "plain"),
    "cityscapes": (cityscapes, lambda case: case["kind"] == "cityscapes"),
    "panoptic": (panoptic, lambda case: case["kind"] == "objects"),
}


def main(source: str, out: str) -> None:
    with np.load(source) as arrays:
        cases = json.loads(str(arrays["meta"]))
        for n, case in enumerate(cases):
            case["pairs"] = [
                (arrays[f"t{n}_{k}"], arrays[f"p{n}_{k}"]) for k in range(case["images"])
            ]
            case["objects"] = (
                (arrays[f"o{n}"], arrays[f"q{n}"]) if case["kind"] == "objects" else None
            )
    found: dict[str, dict[str, Any]] = {}
    for name, (score, wanted) in TOOLS.items():
        try:
            found[name] = {str(n): score(case) for n, case in enumerate(cases) if wanted(case)}
        except ImportError as error:
            print(f"{name}: not installed here ({error})", file=sys.stderr)
    Path(out).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:3])
