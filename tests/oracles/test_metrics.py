"""Counts and scores against other people's code and published formulas, on 200 random cases.

See README.md.
"""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from segprep.evaluation import boundary, panoptic, rand_error
from segprep.evaluation.compat import TOOLS
from segprep.evaluation.per_image import BATCH, Imagewise
from segprep.metrics.confusion import ConfusionMatrix
from segprep.metrics.counting import tally
from segprep.metrics.scores import mean, sums

COUNT = 200
HERE = Path(__file__).parent
TIGHT = 1e-9
Map = NDArray[Any]


@dataclass
class Case:
    classes: int
    ignore: int | None
    pairs: list[tuple[Map, Map]]
    kind: str = "plain"
    objects: tuple[Map, Map] | None = None
    matrix: ConfusionMatrix = field(init=False)

    def __post_init__(self) -> None:
        self.matrix = ConfusionMatrix(self.classes, self.ignore)
        for truth, pred in self.pairs:
            self.matrix.update(truth, pred)

    def flat(self) -> tuple[Map, Map]:
        truth, pred = (
            np.concatenate([pair[n].ravel() for pair in self.pairs]).astype(np.int64)
            for n in (0, 1)
        )
        kept = np.ones(len(truth), bool) if self.ignore is None else truth != self.ignore
        return truth[kept], pred[kept]

    def scores(self, tool: str) -> dict[str, Any]:
        found = self.matrix.scores(TOOLS[tool].policy)
        running = Imagewise(self.classes)
        for truth, pred in self.pairs:
            running.add(sums(tally(truth, pred), self.classes, self.ignore, TOOLS[tool].policy))
        return (
            {"miou": found.miou, "scores": found}
            | TOOLS[tool].numbers(self.matrix, found)
            | running.numbers(TOOLS[tool].needs)
        )


def blobs(random: np.random.Generator, classes: int, shape: tuple[int, int], kind: type) -> Map:
    """Patches of a few pixels of the classes that this map has."""
    present = random.choice(classes, random.integers(1, min(classes, 12) + 1), replace=False)
    coarse = random.choice(present, (-(-shape[0] // 4), -(-shape[1] // 5)))
    return coarse.repeat(4, 0).repeat(5, 1)[: shape[0], : shape[1]].astype(kind)


def plain_case(number: int) -> Case:
    random = np.random.default_rng(number)
    size = [*range(2, 12), 19, 21, 150, 255, 256, 300, 1000][number % 17]
    ignore = None if size >= 255 or number % 3 == 0 else 255
    kind = np.uint8 if size <= 256 else np.uint16
    pairs = []
    for _ in range(random.integers(1, 5)):
        shape = (int(random.integers(1, 40)), int(random.integers(1, 60)))
        truth = blobs(random, size, shape, kind)
        pred = np.where(
            random.random(shape) < random.choice([0, 0.1, 0.6]),
            blobs(random, size, shape, kind),
            truth,
        )
        if ignore is not None:
            truth = np.where(random.random(shape) < 0.15, ignore, truth).astype(kind)
        pairs.append((truth, pred))
    return Case(size, ignore, pairs)


CASES = [plain_case(n) for n in range(COUNT)]


@pytest.mark.parametrize("case", CASES, ids=range(COUNT))
def test_counts_equal_scikit_learn(case: Case) -> None:
    from sklearn.metrics import confusion_matrix

    truth, pred = case.flat()
    if len(truth):
        assert np.array_equal(
            case.matrix.matrix, confusion_matrix(truth, pred, labels=range(case.classes))
        )
    else:
        assert not case.matrix.matrix.any()


@pytest.mark.parametrize("case", CASES, ids=range(COUNT))
def test_scores_equal_the_published_formulas(case: Case) -> None:
    for tool, expected in (
        ("hf", hugging_face(case)),
        ("bubbliiiing", bubbliiiing(case)),
        ("wz", wz(case)),
        ("pascal", pascal(case)),
        ("divamgupta", divamgupta(case)),
        ("unetpp", unetpp(case)),
        ("sceneparsing", scene_parsing(case)),
    ):
        found = case.scores(tool)
        for name, value in expected.items():
            assert found[name] == pytest.approx(value, abs=TIGHT, rel=0, nan_ok=True), (tool, name)


def hugging_face(case: Case) -> dict[str, float]:
    truth, pred = case.flat()
    bins = {"bins": case.classes, "range": (0, case.classes - 1)}
    same, p, t = (np.histogram(one, **bins)[0] for one in (pred[pred == truth], pred, truth))
    with np.errstate(invalid="ignore", divide="ignore"):
        iou, accuracy, overall = same / (p + t - same), same / t, same.sum() / t.sum()
    return {
        "mean_iou": mean(iou),
        "mean_accuracy": mean(accuracy),
        "overall_accuracy": float(overall),
    }


def bubbliiiing(case: Case) -> dict[str, float]:
    truth, pred = case.flat()
    hist = np.bincount(case.classes * truth + pred, minlength=case.classes**2).reshape(
        case.classes, case.classes
    )
    same, rows, columns = np.diag(hist), hist.sum(1), hist.sum(0)
    iou = same / np.maximum(rows + columns - same, 1)
    return {
        "mIoU": float(iou.mean()),
        "mPA": float((same / np.maximum(rows, 1)).mean()),
        "Precision": float((same / np.maximum(columns, 1)).mean()),
    }


def wz(case: Case) -> dict[str, float]:
    truth, pred = case.flat()
    hist = np.bincount(case.classes * truth + pred, minlength=case.classes**2).reshape(
        case.classes, case.classes
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        iou = np.diag(hist) / (hist.sum(1) + hist.sum(0) - np.diag(hist))
    dice = []
    for one_truth, one_pred in case.pairs:
        kept = np.ones(one_truth.shape, bool) if case.ignore is None else one_truth != case.ignore
        each = []
        for c in range(1, case.classes):
            x, t = (one_pred == c)[kept], (one_truth == c)[kept]
            inter, size = float((x & t).sum()), float(x.sum() + t.sum())
            each.append((2 * inter + 1e-6) / ((size or 2 * inter) + 1e-6))
        dice.append(np.mean(each))
    return {"mean IoU": float(iou.mean()), "dice coefficient": float(np.mean(dice))}


def pascal(case: Case) -> dict[str, float]:
    truth, pred = case.flat()
    hist = (
        np.bincount(truth + pred * case.classes, minlength=case.classes**2)
        .reshape(case.classes, case.classes)
        .T
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        accuracies = [
            100 * hist[j, j] / (hist[j].sum() + hist[:, j].sum() - hist[j, j])
            for j in range(case.classes)
        ]
    return {"average accuracy": float(np.mean(accuracies)) / 100}


def divamgupta(case: Case) -> dict[str, float]:
    hits, extra, missed, pixels = (np.zeros(case.classes) for _ in range(4))
    for truth, pred in case.pairs:
        one_hot = np.stack([truth == c for c in range(case.classes)])
        gt = one_hot.argmax(0)  # an ignored pixel is no class: all zeros, so argmax 0
        for c in range(case.classes):
            hits[c] += ((pred == c) & (gt == c)).sum()
            extra[c] += ((pred == c) & (gt != c)).sum()
            missed[c] += ((pred != c) & (gt == c)).sum()
            pixels[c] += (gt == c).sum()
    wise = hits / (hits + extra + missed + 1e-12)
    return {
        "mean_IU": float(wise.mean()),
        "frequency_weighted_IU": float((wise * pixels / pixels.sum()).sum()),
    }


def unetpp(case: Case) -> dict[str, float]:
    total = images = 0.0
    for start in range(0, len(case.pairs), BATCH):
        inter = union = 0
        batch = case.pairs[start : start + BATCH]
        for truth, pred in batch:
            kept = np.ones(truth.shape, bool) if case.ignore is None else truth != case.ignore
            for c in range(1, case.classes):
                x, t = (pred == c)[kept], (truth == c)[kept]
                inter, union = inter + int((x & t).sum()), union + int((x | t).sum())
        total += len(batch) * (inter + 1e-5) / (union + 1e-5)
        images += len(batch)
    return {"iou": total / images}


def scene_parsing(case: Case) -> dict[str, float]:
    size = case.classes - 1
    inter, union, labeled = np.zeros(size), np.zeros(size), 0
    right = 0
    for truth, pred in case.pairs:
        kept = truth > 0 if case.ignore is None else (truth > 0) & (truth != case.ignore)
        pred, truth = pred * kept, truth * kept  # noqa: PLW2901
        same = np.histogram(pred * (pred == truth), bins=np.arange(1, size + 2))[0]
        inter += same
        union += (
            np.histogram(pred, bins=np.arange(1, size + 2))[0]
            + np.histogram(truth, bins=np.arange(1, size + 2))[0]
            - same
        )
        right, labeled = right + int(((pred == truth) & kept).sum()), labeled + int(kept.sum())
    return {
        "Mean IoU": float((inter / (np.spacing(1) + union)).mean()),
        "Pixel Accuracy": right / labeled if labeled else float("nan"),
    }


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


def object_case(number: int) -> Case:
    """Disks of classes 1 to 3 on background, shifted, dropped and relabeled in the prediction; (H,
    W, 2) of class and instance.
    """
    random = np.random.default_rng(2000 + number)
    truth, pred = np.zeros((60, 60, 2), np.int64), np.zeros((60, 60, 2), np.int64)
    rows, columns = np.mgrid[:60, :60]
    for one in range(1, int(random.integers(2, 9))):
        y, x, radius, label = (
            int(random.integers(60)),
            int(random.integers(60)),
            int(random.integers(4, 12)),
            int(random.integers(1, 4)),
        )
        truth[(rows - y) ** 2 + (columns - x) ** 2 < radius**2] = label, one
        if random.random() < 0.85:
            y, x = y + int(random.integers(-3, 4)), x + int(random.integers(-3, 4))
            pred[(rows - y) ** 2 + (columns - x) ** 2 < radius**2] = (
                label if random.random() < 0.9 else label % 3 + 1,
                50 - one,
            )
    return Case(4, None, [(truth[..., 0], pred[..., 0])], "objects", (truth, pred))


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


@pytest.mark.parametrize("number", range(30))
def test_dsb_score_mask_by_mask(number: int) -> None:
    """The challenge's metric as its page words it: every mask against every other, hits at ten
    thresholds.
    """
    case = object_case(number)
    assert case.objects is not None
    truth, pred = (side[..., 1] for side in case.objects)
    masks, guesses = (
        [labels == one for one in np.unique(labels[labels > 0])] for labels in (truth, pred)
    )
    iou = np.array(
        [[(mask & guess).sum() / (mask | guess).sum() for guess in guesses] for mask in masks]
    ).reshape(len(masks), len(guesses))
    precisions = []
    for threshold in np.arange(0.5, 1.0, 0.05):
        hits = iou > threshold
        found, missed, extra = (
            int(hits.any(1).sum()),
            int((~hits.any(1)).sum()),
            int((~hits.any(0)).sum()),
        )
        precisions.append(found / (found + missed + extra))
    kinds = np.zeros(truth.shape, np.uint8)
    assert panoptic.measure(truth, pred, kinds, kinds, None, 1).dsb_score == pytest.approx(
        np.mean(precisions), abs=TIGHT
    )


@pytest.mark.parametrize("number", range(25))
def test_boundary_iou_by_erosion(number: int) -> None:
    """The paper's own recipe: pad by one, erode each mask d times with a 3x3 square, compare what
    was eroded away.
    """
    cv2 = pytest.importorskip("cv2")
    random = np.random.default_rng(number)
    shape = (int(random.integers(30, 120)), int(random.integers(30, 120)))
    truth, pred = blobs(random, 4, shape, np.uint8), blobs(random, 4, shape, np.uint8)
    pred = np.where(random.random(shape) < 0.9, truth, pred)
    distance = max(1, round(0.02 * float(np.sqrt(shape[0] ** 2 + shape[1] ** 2))))

    def edge(mask: Map) -> Map:
        padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        eroded = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=distance)[1:-1, 1:-1]
        return (mask - eroded).astype(bool)

    found = boundary.measure(truth, pred, None, 4)
    for one, shared, union in zip(
        found.ids.tolist(), found.shared.tolist(), found.union.tolist(), strict=True
    ):
        mine, theirs = (edge((labels == one).astype(np.uint8)) for labels in (truth, pred))
        assert (shared, union) == (int((mine & theirs).sum()), int((mine | theirs).sum()))


@pytest.mark.parametrize("number", range(25))
def test_rand_error_is_scikit_images(number: int) -> None:
    skimage = pytest.importorskip("skimage.metrics")
    random = np.random.default_rng(number)
    truth, pred = (rand_error.regions(random.random((30, 40)) < 0.7) for _ in range(2))
    assert rand_error.rand_error(truth, pred) == pytest.approx(
        skimage.adapted_rand_error(truth, pred)[0], abs=TIGHT
    )
    assert rand_error.rand_error(truth, truth) == 0
