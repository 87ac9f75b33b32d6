"""What ``segprep miou --out`` writes, and what it leaves alone."""

import csv
import json
from pathlib import Path

from evaluation.miou_folders import Folders, run, scored
from PIL import Image


def test_the_files_that_it_writes(folders: Folders, tmp_path: Path) -> None:
    truth, pred = folders
    out = tmp_path / "out"
    words = (
        pred,
        "--truth",
        truth,
        "--classes",
        "sky,land,sea",
        "--out",
        out,
        "--worst",
        2,
        "--boundary",
    )
    found = scored(*words)
    kept = json.loads((out / "scores.json").read_text())
    assert kept == found
    table = list(csv.reader((out / "confusion_matrix.csv").read_text().splitlines()))
    assert table[0][1:] == ["sky", "land", "sea"]
    assert [row[0] for row in table[1:]] == ["sky", "land", "sea"]
    assert [[int(cell) for cell in row[1:]] for row in table[1:]] == found["confusion_matrix"]
    rows = list(csv.DictReader((out / "per_image.csv").read_text().splitlines()))
    assert [row["stem"] for row in rows] == [f"i{n}" for n in range(6)]
    assert sum(int(row["valid"]) for row in rows) == found["counts"]["valid"]
    assert float(rows[0]["miou"]) == float(rows[0]["iou:sea"]) == 1
    for name in ("confusion_matrix.png", "classes.png", "worst/01_i5.png", "worst/02_i4.png"):
        with Image.open(out / name) as picture:
            assert picture.width > 200
    assert len(list((out / "worst").iterdir())) == 2
    page = (out / "report.html").read_text("utf-8")
    assert f"mIoU {found['miou']:.4f}" in page
    assert page.index("i5") < page.index("i4")  # the worst first
    assert page.count("<img") == page.count('src="data:image/') >= 6
    assert "<script" not in page
    again = run(*words)
    assert (again.exit_code, "output-exists" in again.stderr) == (2, True)
    assert run(*words, "--overwrite").exit_code == 0
    assert not list(out.glob(".*"))


def test_a_failed_run_leaves_no_half_table(folders: Folders, tmp_path: Path) -> None:
    truth, pred = folders
    (pred / "i3.png").write_bytes((pred / "i3.png").read_bytes()[:40])
    assert run(pred, "--truth", truth, "--classes", 3, "--out", tmp_path / "out").exit_code == 1
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_run_that_was_killed_does_not_stand_in_the_way(folders: Folders, tmp_path: Path) -> None:
    truth, pred = folders
    words = (pred, "--truth", truth, "--classes", 3, "--out", tmp_path / "out")
    (tmp_path / ".out.segprep-miou").mkdir()
    (tmp_path / ".out.segprep-miou" / "per_image.csv").write_text("half")
    assert run(*words).exit_code == 0
    assert not (tmp_path / ".out.segprep-miou").exists()
    (pred / "i3.png").write_bytes(b"broken")
    before = (tmp_path / "out/scores.json").read_bytes()
    assert run(*words, "--overwrite").exit_code == 1
    assert (tmp_path / "out/scores.json").read_bytes() == before


def test_results_never_lie_among_the_masks(folders: Folders) -> None:
    truth, pred = folders
    home = truth.parent
    truth.rename(home / "SegmentationClass")
    words = (pred, "-d", home, "--classes", 3)
    result = run(*words, "--out", home / "SegmentationClass", "--overwrite")
    assert result.exit_code == 2
    assert "[output-overlaps-source]" in result.stderr
    assert run(*words, "--out", home / "runs/scores").exit_code == 0


def test_a_name_is_no_formula_in_a_spreadsheet(folders: Folders, tmp_path: Path) -> None:
    truth, pred = folders
    for folder in folders:
        (folder / "i0.png").rename(folder / "=cmd.png")
    out = tmp_path / "out"
    names = "a,@b,+c"
    assert run(pred, "--truth", truth, "--classes", names, "--out", out).exit_code == 0
    rows = list(csv.DictReader((out / "per_image.csv").read_text().splitlines()))
    assert "'=cmd" in [row["stem"] for row in rows]
    table = list(csv.reader((out / "confusion_matrix.csv").read_text().splitlines()))
    assert table[0][1:] == ["a", "'@b", "'+c"]


def test_json_on_a_terminal_has_no_hidden_characters(folders: Folders) -> None:
    truth, pred = folders
    result = run(pred, "--truth", truth, "--classes", "a,b\u202ec,\x9bd", "--json")
    text = result.stdout
    assert "\u202e" not in text
    assert "\\u202e" in text
