"""Counts and scores against other people's code and published formulas, on 200 random cases.

See README.md.
"""

import numpy as np
import pytest
from oracles.metric_cases import CASES, COUNT, TIGHT, Case, Map, blobs, object_case

from segprep.evaluation import boundary, panoptic, rand_error
from segprep.evaluation.per_image import BATCH
from segprep.metrics.scores import mean


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
        gt = one_hot.argmax(0)  # an ignored pixel is not a class: all zeros, so argmax 0
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
