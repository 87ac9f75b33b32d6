"""The verdict's arithmetic, and the causes that data and scores give."""

import numpy as np
import pytest
import torch

from segprep.metrics import confusion
from segprep.training.check import (
    budget,
    causes,
    label_causes,
    score_causes,
    scoring,
    suspects,
    verdict,
)
from segprep.training.check.verdict import Gap, Reason
from segprep.training.data.pairs import ImagePair


def counts(*matrices: list[list[int]]) -> np.ndarray:
    return np.array(matrices, np.int64)


def test_miou_is_that_of_metrics() -> None:
    rng = np.random.default_rng(0)
    for matrix in [rng.integers(0, 50, (4, 4)), np.diag([3, 0, 2, 0]), np.zeros((4, 4), int)]:
        assert float(verdict.miou(matrix)) == pytest.approx(
            np.nan_to_num(confusion.scores(matrix).miou)
        )


def test_a_clear_gap_excludes_zero_and_equal_ones_do_not() -> None:
    rng = np.random.default_rng(1)
    hits = rng.integers(80, 100, 12)
    good = np.stack([[[h, 100 - h], [100 - h, h]] for h in hits])
    bad = np.stack([[[h - 40, 140 - h], [140 - h, h - 40]] for h in hits])
    clear, none = verdict.gap(good, bad, 0), verdict.gap(good, good, 0)
    assert clear.low > 0.2
    assert clear.low < clear.value < clear.high
    assert (none.value, none.low, none.high) == (0, 0, 0)
    assert verdict.gap(good, bad, 0) == clear
    assert verdict.gap(good[:0], bad[:0], 0) == Gap(0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("control", "baseline", "own", "images", "level"),
    [
        (0.1, 0.1, 0.1, 20, "learnable"),
        (-0.1, 0.1, 0.1, 20, "not_learnable"),
        (0.1, -0.1, 0.1, 20, "doubtful"),
        (0.1, 0.1, -0.1, 20, "not_learnable"),
        (0.1, 0.1, 0.1, 2, "doubtful"),
    ],
)
def test_every_comparison_counts(
    control: float, baseline: float, own: float, images: int, level: str
) -> None:
    values = {"control": control, "baseline": baseline, "own": own}
    gaps = {name: Gap(value, value - 0.01, value + 0.01) for name, value in values.items()}
    assert verdict.worst(verdict.compare(gaps, images)) == level


def test_the_worst_reason_decides() -> None:
    assert verdict.worst([]) == "learnable"
    assert (
        verdict.worst(
            [Reason("a", "", "doubtful"), Reason("b", "", "not_learnable"), Reason("c", "")]
        )
        == "not_learnable"
    )


def pair(mask: np.ndarray, image: np.ndarray | None = None) -> ImagePair:
    made = np.zeros((*mask.shape, 3), np.uint8) if image is None else image
    return ImagePair("a", made, mask.astype(np.uint8), mask.shape)


def cause(found: list[Reason]) -> list[str]:
    return [one.cause for one in found]


NAMES = ("a", "b", "c")


def test_causes_of_masks() -> None:
    rng = np.random.default_rng(0)

    def of(*masks: np.ndarray, val: np.ndarray | None = None) -> list[Reason]:
        pairs = [pair(mask) for mask in masks]
        return label_causes.of_masks(pairs, pairs if val is None else [pair(val)], NAMES)

    full, zeros = np.full((9, 9), 255), np.zeros((9, 9))
    noise = rng.integers(0, 3, (70, 70))
    assert cause(of(full, full)) == ["all-ignored"]
    assert cause(of(zeros, zeros)) == ["labels-constant"]
    assert cause(of(np.where(rng.random((9, 9)) < 0.5, 1, 255))) == ["values-unclear"]
    assert cause(of(zeros, val=noise)) == ["val-unlike-train"]
    (lacking,) = of(np.where(noise == 1, 0, noise), noise.T % 2 * 2, val=noise)
    assert (lacking.cause, lacking.level) == ("val-unlike-train", "doubtful")
    assert "class b occurs on the val list (3" in lacking.message
    assert of(noise, rng.integers(0, 3, (70, 70))) == []
    many = of(np.where(noise == 1, 255, noise), np.where(noise.T == 1, 255, noise.T))
    assert cause(many) == ["values-unclear"]
    assert "segprep remap DATASET OUT --ids 0=a,2=c,255=b" in many[0].message
    assert verdict.worst(many) == "learnable"
    (blank,) = label_causes.of_masks([pair(np.where(noise == 1, 255, 0))], [], ("in fact", "b"))
    assert "segprep remap DATASET OUT --ids '0=in fact,255=b'" in blank.message
    assert cause(label_causes.of_val([pair(full)])) == ["all-ignored"]
    assert label_causes.of_val([pair(full), pair(zeros)]) == []
    assert cause(causes.of_numbers(1, 0)) == cause(causes.of_numbers(2, 30)) == ["too-few-images"]
    assert causes.of_numbers(3, 1) == []


def test_thin_foregrounds_are_not_the_same_picture() -> None:
    half = np.repeat([[0], [1]], 40, axis=0).repeat(80, axis=1)
    halves = [pair(half), pair(half[::2, ::2]), pair(half)]
    same = label_causes.of_masks(halves, halves, ("a", "b"))
    assert cause(same) == ["labels-constant"]
    assert verdict.worst(same) == "doubtful"  # never refused on that alone
    thin = []
    for n in range(6):
        mask = np.zeros((640, 640))
        mask[:, 100 + n : 104 + n] = 1
        thin.append(pair(mask))
    assert label_causes.of_masks(thin, thin, ("a", "b")) == []


def test_what_the_data_explain_is_not_blamed_on_the_pairing() -> None:
    data = [Reason("misaligned", "", "doubtful")]
    scores = [Reason("masks-unrelated", "", "not_learnable"), Reason("no-better-than-control", "")]
    told = verdict.joined(data, scores)
    assert cause(told) == ["misaligned", "no-better-than-control"]
    assert verdict.worst(told) == "not_learnable"
    assert verdict.joined([], scores) == scores


def test_a_cut_run_keeps_only_a_success() -> None:
    good = [Reason("learnable", "")]
    assert verdict.cut_short(good, 10, 600) == good
    cut = verdict.cut_short([Reason("masks-unrelated", "", "not_learnable")], 10, 600)
    assert (cause(cut), verdict.worst(cut)) == (["time-was-up"], "undecided")
    assert "10 of 600 steps" in cut[0].message


def test_causes_of_images() -> None:
    rng = np.random.default_rng(0)
    noise = [
        pair(np.zeros((50, 60)), rng.integers(0, 255, (50, 60, 3)).astype(np.uint8))
        for _ in range(5)
    ]
    smooth = [
        pair(np.zeros((50, 60)), np.tile(np.arange(60, dtype=np.uint8)[None, :, None], (50, 1, 3)))
        for _ in range(5)
    ]
    assert cause(causes.of_images(noise)) == ["images-are-noise"]
    assert causes.of_images(smooth) == []
    assert cause(causes.of_images([pair(np.zeros((5, 5))) for _ in range(3)])) == [
        "images-constant"
    ]


def test_classes_that_are_never_found_or_only_on_val() -> None:
    seen = counts([[50, 0, 0], [0, 50, 0], [0, 0, 0]])
    never = score_causes.of_scores(
        counts([[50, 0, 0], [40, 0, 0], [0, 0, 0]]), seen, ("a", "b", "c")
    )
    assert "class-never-predicted" in cause(never)
    assert verdict.worst(never) == "doubtful"
    only = counts([[50, 0, 0], [0, 40, 0], [9, 0, 0]])
    assert "class-never-predicted" not in cause(score_causes.of_scores(only, seen, NAMES))
    assert score_causes.of_scores(seen, seen, ("a", "b", "c")) == []


def test_suspects_are_those_the_model_contradicts() -> None:
    import torch

    mask = np.zeros((8, 8), np.uint8)
    mask[2:6, 2:6] = 1
    sure = torch.from_numpy(np.stack([mask == 0, mask == 1]).astype(np.float32)) * 0.98 + 0.01
    swapped, missing, grown = np.roll(mask, 4, 0), np.zeros_like(mask), mask.copy()
    grown[1:7, 1:7] = 1
    own, thick, none, strange = (
        suspects.disagreement(sure, one)[0] for one in (mask, grown, missing, swapped)
    )
    assert 0 <= own < thick < none <= 1
    assert thick < strange <= 1
    assert suspects.disagreement(sure, mask)[1] == 1.0
    assert suspects.disagreement(sure, np.full((8, 8), 255, np.uint8)) == (0.0, 1.0)


def test_one_small_object_of_another_class_is_no_mask_that_looks_wrong() -> None:
    """Many classes: a rare one that the network misses must not outweigh all others."""
    mask = np.zeros((60, 80), np.uint8)
    for n in range(5):
        mask[10:40, 16 * n + 2 : 16 * n + 12] = 1 if n < 4 else 2
    guess = mask.copy()
    guess[mask == 2] = 1
    sure = torch.from_numpy(np.stack([guess == c for c in range(3)]).astype(np.float32))
    assert suspects.disagreement(sure, mask)[0] < 0.4
    mirrored = np.ascontiguousarray(np.roll(mask, 8, 1)[::-1])
    assert suspects.disagreement(sure, mirrored)[0] > 0.4


def test_more_than_two_classes_are_seen_at_a_smaller_scale() -> None:
    two = np.zeros((400, 400), np.uint8)
    two[:, ::40], two[:, 1::40] = 1, 1
    for n in range(14):
        two[:, n::40] = 1
    three = two.copy()
    three[:200][two[:200] == 1] = 2
    assert budget.scale_for([pair(three)], 96) < 0.75 * budget.scale_for([pair(two)], 96)


def test_the_plan_follows_the_data() -> None:
    thin = np.zeros((400, 400), np.uint8)
    thin[:, ::8] = 1
    thick = np.zeros((400, 400), np.uint8)
    thick[:, :200] = 1
    assert budget.thickness([thin])[1] == pytest.approx(1, abs=0.1)
    assert budget.scale_for([pair(thin)], 96) == 1.0
    assert budget.scale_for([pair(thick)], 96) == pytest.approx(0.24)
    assert budget.scale_for([pair(np.full((50, 50), 255))], 96) == 1.0
    assert budget.batch_for(32) == 8
    assert budget.batch_for(1024) == 2


def test_an_unlearned_class_and_its_surroundings_count_nowhere() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[15:25, 15:25] = 2
    left = scoring.without(mask, [2])
    assert (left[15:25, 15:25] == 255).all()
    assert (left[:8] == 0).all()
    assert (left[20, 9:31] == 255).all()
    assert scoring.without(mask, [1]) is mask
