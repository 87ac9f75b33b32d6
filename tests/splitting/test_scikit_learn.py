"""scikit-learn draws folds, too: an oracle for groups that stay whole and classes that are shared
out evenly.
"""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import segprep

selection = pytest.importorskip("sklearn.model_selection", reason="scikit-learn is an oracle only")
FOLDS, COUNT = 4, 120


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Masks of one class each (1 to 3, the last one rare), in 30 groups of different sizes."""
    root = tmp_path_factory.mktemp("folds")
    (root / "SegmentationClass").mkdir()
    rng = np.random.default_rng(5)
    for n, group in enumerate(np.sort(rng.integers(0, 30, COUNT)).tolist()):
        value = int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))
        mask = np.zeros((8, 8), np.uint8)
        mask[:4] = value
        segprep.write_mask(root / "SegmentationClass" / f"g{group}_{n}_{value}.png", mask)
    return root


def unevenness(folds: list[list[str]], whole: list[str]) -> float:
    """The largest difference between a class's share of a fold and its share of the *whole*."""
    shares = [
        {value: count / len(stems) for value, count in Counter(s[-1] for s in stems).items()}
        for stems in (whole, *folds)
    ]
    return max(abs(part.get(n, 0.0) - shares[0].get(n, 0.0)) for part in shares[1:] for n in "123")


def test_groups_stay_whole_and_folds_as_equal_as_those_of_group_k_fold(place: Path) -> None:
    made = segprep.split(place, group_by=r"^(g\d+)_", folds=FOLDS, overwrite=True)
    stems = list(made.lists["trainval"])
    groups = [stem.split("_")[0] for stem in stems]
    theirs = [val for _, val in selection.GroupKFold(FOLDS).split(stems, groups=groups)]
    ours = [list(val) for _, val in made.folds]
    for train, val in made.folds:
        assert not {s.split("_")[0] for s in train} & {s.split("_")[0] for s in val}
    largest = max(Counter(groups).values())
    spread = max(map(len, ours)) - min(map(len, ours))
    assert spread <= max(map(len, theirs)) - min(map(len, theirs)) + largest


@pytest.mark.parametrize("grouped", [False, True])
def test_classes_are_shared_out_as_evenly_as_by_stratified_folds(
    place: Path, grouped: bool
) -> None:
    rule = r"^(g\d+)_" if grouped else None
    made = segprep.split(
        place, group_by=rule, stratify="presence", folds=FOLDS, overwrite=True, seed=3
    )
    stems = list(made.lists["trainval"])
    classes, groups = [stem[-1] for stem in stems], [stem.split("_")[0] for stem in stems]
    drawn = []
    for seed in range(10):
        if grouped:
            theirs = selection.StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
            parts = theirs.split(stems, classes, groups)
        else:
            theirs = selection.StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
            parts = theirs.split(stems, classes)
        drawn.append(unevenness([[stems[n] for n in val] for _, val in parts], stems))
    ours = unevenness([list(val) for _, val in made.folds], stems)
    print("ours", ours, "theirs", sorted(drawn))
    assert ours <= max(drawn) + 1 / len(stems)
