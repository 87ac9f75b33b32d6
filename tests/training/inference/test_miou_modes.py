"""`segprep miou` that predicts first, scores only, or both."""

import json
from collections.abc import Callable
from pathlib import Path

from training.inference.predicting import network, run


def test_miou_predicts_scores_or_both(discs: Callable[..., Path], tmp_path: Path) -> None:
    root, file = discs(8), network(tmp_path / "nets")
    both = run("miou", "-d", root, "--checkpoint", file, "--json")
    assert both.exit_code == 0, both.stderr
    assert json.loads(both.stdout)["counts"]["pairs"] == 2
    folder = root / "runs/miou/predictions"
    assert sorted(path.name for path in folder.glob("*.png")) == ["i6.png", "i7.png"]
    score = run("miou", "-d", root, "--mode", "score", "--json")
    assert (
        json.loads(score.stdout)["confusion_matrix"] == json.loads(both.stdout)["confusion_matrix"]
    )
    made = run(
        "miou",
        tmp_path / "p",
        "-d",
        root,
        "--checkpoint",
        file,
        "--mode",
        "predict",
        "--split",
        "train",
        "--json",
    )
    assert json.loads(made.stdout)["predicted"] == 6
    assert (
        run("miou", tmp_path / "p", "-d", root, "--mode", "score", "--split", "train").exit_code
        == 0
    )
    assert "[output-exists]" in run("miou", tmp_path / "p", "-d", root, "--checkpoint", file).stderr
    assert (
        run("miou", tmp_path / "p", "-d", root, "--checkpoint", file, "--overwrite").exit_code == 0
    )


def test_miou_names_both_class_lists_where_they_differ(
    discs: Callable[..., Path], tmp_path: Path
) -> None:
    root, file = discs(8), network(tmp_path / "nets", ("_background_", "cat"))
    result = run("miou", "-d", root, "--checkpoint", file)
    assert result.exit_code == 1
    assert "[other-classes]" in result.stderr
    assert all(name in result.stderr for name in ("cat", "disc"))
    assert not (root / "runs").exists()
    assert (
        run("miou", "-d", root, "--checkpoint", file, "--classes", "_background_,disc").exit_code
        == 0
    )
    assert "[bad-option]" in run("miou", "-d", root, "--mode", "both").stderr
    assert "other-classes" in run("predict", file, root, "--out", tmp_path / "o").stderr
