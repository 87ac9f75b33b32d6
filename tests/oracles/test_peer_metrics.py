"""Scores beside other packages: torchmetrics, MMSegmentation, cityscapesScripts, and PQ."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracles.metric_cases import CASES, TIGHT, Case, blobs, object_case

from segprep.evaluation import panoptic
from segprep.evaluation.compat import TOOLS

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Case], dict[str, Any]]:
    """Every case with what the installed tools say of it."""
    python = os.environ.get("SEGPREP_METRICS_PYTHON")
    if not python:
        pytest.skip(
            "SEGPREP_METRICS_PYTHON names no Python that has torchmetrics, cityscapesScripts and"
            " mmsegmentation (make oracles sets it)"
        )
    cases = [*CASES, *(street_case(n) for n in range(20)), *(object_case(n) for n in range(30))]
    folder = tmp_path_factory.mktemp("peers")
    arrays: dict[str, Any] = {}
    meta = [
        {"classes": one.classes, "ignore": one.ignore, "images": len(one.pairs), "kind": one.kind}
        for one in cases
    ]
    for n, one in enumerate(cases):
        for k, (truth, pred) in enumerate(one.pairs):
            arrays |= {f"t{n}_{k}": truth, f"p{n}_{k}": pred}
        if one.objects:
            arrays |= {f"o{n}": one.objects[0], f"q{n}": one.objects[1]}
    np.savez(folder / "cases.npz", meta=np.array(json.dumps(meta)), **arrays)
    done = subprocess.run(
        [
            python,
            str(HERE / "metric_peers.py"),
            str(folder / "cases.npz"),
            str(folder / "found.json"),
        ],
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return cases, json.loads((folder / "found.json").read_text())


def street_case(number: int) -> Case:
    random = np.random.default_rng(1000 + number)
    pairs = [
        (blobs(random, 34, (40, 60), np.uint8), blobs(random, 34, (40, 60), np.uint8))
        for _ in range(3)
    ]
    pairs = [
        (truth, np.where(random.random(truth.shape) < 0.5, truth, pred)) for truth, pred in pairs
    ]
    return Case(34, None, pairs, "cityscapes")


def told(peers: tuple[list[Case], dict[str, Any]], tool: str) -> list[tuple[Case, dict[str, Any]]]:
    cases, found = peers
    if tool not in found:
        pytest.skip(f"{tool} is not installed beside SEGPREP_METRICS_PYTHON")
    return [(cases[int(n)], answer) for n, answer in found[tool].items()]


def test_torchmetrics(peers: tuple[list[Case], dict[str, Any]]) -> None:
    compared = 0
    for case, theirs in told(peers, "torchmetrics"):
        ours = case.scores("torchmetrics")
        scores, seen = ours["scores"], ours["scores"].pixels + ours["scores"].predicted > 0
        if not seen.any():
            continue
        compared += 1
        assert ours["miou"] == pytest.approx(theirs["jaccard"], abs=TIGHT)
        assert np.nan_to_num(scores.iou) == pytest.approx(theirs["per_class"], abs=TIGHT)
        assert ours["MulticlassJaccardIndex weighted"] == pytest.approx(
            theirs["weighted"], abs=TIGHT
        )
        assert ours["MulticlassRecall macro"] == pytest.approx(theirs["recall"], abs=TIGHT)
        assert np.nan_to_num(scores.dice) == pytest.approx(theirs["f1"], abs=TIGHT)
        assert (
            scores.specificity[seen]
            == pytest.approx(np.array(theirs["specificity"])[seen], abs=TIGHT)
            or scores.pixels.max() == scores.pixels.sum()
        )
        if theirs["kappa"] is not None and not np.isnan(scores.kappa):
            assert scores.kappa == pytest.approx(theirs["kappa"], abs=TIGHT)
        if "MeanIoU" in theirs:
            assert ours["MeanIoU"] == pytest.approx(theirs["MeanIoU"], abs=TIGHT)
    assert compared > 100


def test_mmseg(peers: tuple[list[Case], dict[str, Any]]) -> None:
    compared = 0
    for case, theirs in told(peers, "mmseg"):
        ours = case.scores("mmseg")
        scores = ours["scores"]
        if not scores.pixels.sum():
            continue
        compared += 1
        assert scores.iou == pytest.approx(np.array(theirs["IoU"]), abs=TIGHT, nan_ok=True)
        assert scores.recall == pytest.approx(np.array(theirs["Acc"]), abs=TIGHT, nan_ok=True)
        assert scores.dice == pytest.approx(np.array(theirs["Dice"]), abs=TIGHT, nan_ok=True)
        assert scores.precision == pytest.approx(
            np.array(theirs["Precision"]), abs=TIGHT, nan_ok=True
        )
        assert ours["aAcc"] == pytest.approx(theirs["aAcc"], abs=TIGHT)
        assert ours["mIoU"] == pytest.approx(float(np.nanmean(theirs["IoU"])), abs=TIGHT)
        assert ours["mFscore"] == pytest.approx(
            float(np.nanmean(theirs["Fscore"])), abs=TIGHT, nan_ok=True
        )
    assert compared > 150


def test_cityscapes(peers: tuple[list[Case], dict[str, Any]]) -> None:
    from dataclasses import replace

    for case, theirs in told(peers, "cityscapes"):
        gone = tuple(theirs["ignored"])
        found = case.matrix.scores(replace(TOOLS["cityscapes"].policy, excluded=gone, void=gone))
        expected = np.array([np.nan if one is None else one for one in theirs["scores"]])
        kept = np.setdiff1d(np.arange(34), gone)
        assert found.iou[kept] == pytest.approx(expected[kept], abs=TIGHT, nan_ok=True)
        assert found.miou == pytest.approx(theirs["average"], abs=TIGHT)


def test_panoptic_quality(peers: tuple[list[Case], dict[str, Any]]) -> None:
    for case, theirs in told(peers, "panoptic"):
        assert case.objects is not None
        truth, pred = case.objects
        quality = panoptic.Quality(4)
        quality.add(
            panoptic.measure(truth[..., 1], pred[..., 1], truth[..., 0], pred[..., 0], None, 4)
        )
        ours = quality.document(("0", "1", "2", "3"))
        # torchmetrics averages over the background, too: one segment of class 0
        background = [
            float(
                (truth[..., 0] == 0)[pred[..., 0] == 0].sum()
                / ((truth[..., 0] == 0) | (pred[..., 0] == 0)).sum()
            )
        ]
        rows = [
            *([one["pq"], one["sq"], one["rq"]] for one in ours["classes"]),
            [*background * 2, 1.0],
        ]
        assert np.mean(rows, axis=0) == pytest.approx(np.array(theirs["pq_sq_rq"]), abs=TIGHT)
