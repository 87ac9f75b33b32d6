"""Scores that are right as asked for, with ids that are most likely wrong: what the notes say."""

from pathlib import Path

import numpy as np
import pytest
from evaluation.miou_folders import run, save, scored
from numpy.typing import NDArray

from segprep.evaluation.invalid_values import cause

TRUTH = np.repeat(np.arange(4, dtype=np.uint8), 10).reshape(5, 8)
ORDER = np.array([0, 2, 3, 1], np.uint8)  # of classes sorted otherwise


def notes(folder: Path, truth: NDArray[np.uint8], pred: NDArray[np.uint8], count: int) -> list[str]:
    save(folder / "truth/a.png", truth)
    save(folder / "pred/a.png", pred)
    document = scored(folder / "pred", "--truth", folder / "truth", "--classes", count)
    return [f"{note['code']} {note['message']}" for note in document["notes"]]


@pytest.mark.parametrize(
    ("truth", "pred", "count", "said"),
    [
        (TRUTH, TRUTH, 5, ""),
        (TRUTH + 1, TRUTH, 5, "with 1 added, 100.0% of the pixels would be right instead of 0.0%"),
        (TRUTH, TRUTH + 1, 5, "with 1 subtracted, 100.0%"),
        (TRUTH % 2, 1 - TRUTH % 2, 2, "with 0 and 1 swapped, 100.0%"),
        (TRUTH * 0, TRUTH * 0 + 1, 2, ""),  # one class alone tells nothing
        (TRUTH, np.minimum(TRUTH, 1), 4, "every predicted pixel is 0 or 1, the truth holds 4"),
        (TRUTH, ORDER[TRUTH], 4, "predictions hold 2 for 1, 3 for 2, 1 for 3; read so, 100.0%"),
        (TRUTH, np.array([0, 1, 3, 3], np.uint8)[TRUTH], 4, ""),  # a class that was not learned
        (np.minimum(TRUTH, 1), np.minimum(TRUTH, 1), 4, ""),
        (TRUTH, TRUTH * 0, 4, ""),
    ],
)
def test_ids_that_do_not_fit_are_said(
    tmp_path: Path, truth: NDArray[np.uint8], pred: NDArray[np.uint8], count: int, said: str
) -> None:
    told = [
        note for note in notes(tmp_path, truth, pred, count) if note.startswith("ids-suspicious")
    ]
    assert len(told) == bool(said)
    assert said in "".join(told)


@pytest.mark.parametrize(
    ("present", "classes", "hint"),
    [
        ((0, 127, 254), 3, "gray levels that stand for classes (0, 127, 254)"),
        ((25, 229), 2, "--threshold 0.5"),
        ((0, 1, 2, 3), 3, "were more than 3 classes trained?"),
    ],
)
def test_the_likely_cause_of_strange_values(
    present: tuple[int, ...], classes: int, hint: str
) -> None:
    seen = dict.fromkeys(present, 9)
    wrong = {value: 9 for value in present if value >= classes}
    assert hint in cause(seen, wrong, classes)


@pytest.mark.parametrize(
    ("name", "given", "hint"),
    [
        ("x_a_y.png", (), "--prefix x_ --suffix _y"),
        ("a_pred.png", ("--suffix", "pred"), "give --suffix _pred"),
        ("a_pred.png", ("--suffix", "_out"), "ends in '_out': a_pred.png"),
    ],
)
def test_names_around_the_stem(
    tmp_path: Path, name: str, given: tuple[str, ...], hint: str
) -> None:
    save(tmp_path / "truth/a.png", TRUTH)
    save(tmp_path / "pred" / name, TRUTH)
    done = run(tmp_path / "pred", "--truth", tmp_path / "truth", "--classes", 4, *given)
    assert done.exit_code == 1
    assert "[no-pairs]" in done.stderr
    assert hint in done.stderr


def test_the_ends_that_pair_most_names_are_offered(tmp_path: Path) -> None:
    """1 lies in 1005_pred, too; 005_pred is no suffix of any other name."""
    for stem in ("1", "1005", "27"):
        save(tmp_path / f"truth/{stem}.png", TRUTH)
        save(tmp_path / f"pred/{stem}_pred.png", TRUTH)
    done = run(tmp_path / "pred", "--truth", tmp_path / "truth", "--classes", 4)
    assert "give --suffix _pred\n" in done.stderr
