"""``segprep miou`` over folders: what pairs, what is counted, what it says, and what it refuses."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from evaluation.miou_folders import Folders, matrix, run, save, scored
from PIL import Image

import segprep


def test_the_real_predictions(real: Path) -> None:
    found = scored(
        real / "predictions/predictions",
        "--truth",
        real / "predictions/SegmentationClass",
        "--classes",
        2,
    )
    assert found["confusion_matrix"] == [[1996365, 692], [622, 623761]]
    assert [one["iou"] for one in found["classes"]] == [0.9993422366656505, 0.9978978522577291]
    assert found["counts"]["pairs"] == 40
    assert found["counts"]["valid"] == 1996365 + 692 + 622 + 623761
    low, high = found["interval"]
    assert low < found["miou"] < high


def test_the_scene_parsing_benchmark(real: Path) -> None:
    place = real / "formats/sceneparsing/sampleData"
    words = place / "predictions", "--truth", place / "annotations", "--classes", 151
    theirs, ours = scored(*words, "--compat", "sceneparsing"), scored(*words)
    assert round(theirs["miou"], 4) == 0.1
    assert theirs["policy"]["averaged"] == 150
    assert theirs["numbers"]["Pixel Accuracy"] == 1
    assert ours["miou"] == 1
    assert ours["policy"]["averaged"] == sum(one["pixels"] > 0 for one in ours["classes"]) == 16


def test_the_document_has_its_keys(folders: Folders) -> None:
    truth, pred = folders
    found = scored(pred, "--truth", truth, "--classes", "sky,land,sea")
    assert found["confusion_matrix"] == matrix(folders).tolist()
    assert found["policy"] | {"definition": ""} == {
        "ignore_index": 255,
        "absent": "nan",
        "excluded": [],
        "averaged": 3,
        "compat": None,
        "definition": "",
    }
    assert {"pairs": 6, "valid": 468, "ignored": 12, "invalid": 0}.items() <= found[
        "counts"
    ].items()
    assert [one["name"] for one in found["classes"]] == ["sky", "land", "sea"]
    assert {"iou", "dice", "precision", "recall", "pixels"} <= found["classes"][0].keys()
    assert found["miou"] == pytest.approx(np.mean([one["iou"] for one in found["classes"]]))
    assert found["worst"][0]["stem"] == "i5"
    assert found["baseline"]["miou"] < found["miou"]


def test_every_image_has_a_score(folders: Folders) -> None:
    truth, pred = folders
    words = pred, "--truth", truth, "--classes", 3
    assert scored(*words)["images"] == []
    images = scored(*words, "--per-image")["images"]
    assert [one["stem"] for one in images] == [f"i{n}" for n in range(6)]
    assert images[0]["miou"] == 1
    assert images[5]["pixel_accuracy"] == pytest.approx(1 - 5 / 78)
    assert "i4" in run(*words, "--per-image").stdout


def test_workers_change_nothing(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for n in range(90):
        save(tmp_path / f"truth/{n}.png", random.integers(0, 4, (6, 7)).astype(np.uint8))
        save(tmp_path / f"pred/{n}.png", random.integers(0, 4, (6, 7)).astype(np.uint8))
    words = tmp_path / "pred", "--truth", tmp_path / "truth", "--classes", 4
    assert scored(*words, "-j", 2) == scored(*words, "-j", 1)


def test_pairs_are_made_by_stem(folders: Folders) -> None:
    truth, pred = folders
    (pred / "i0.png").rename(pred / "z.png")
    done = run(pred, "--truth", truth, "--classes", 3)
    assert (
        done.exit_code,
        "prediction-missing" in done.stderr,
        "i0" in done.stderr,
        "--missing skip" in done.stderr,
    ) == (1, True, True, True)
    found = scored(pred, "--truth", truth, "--classes", 3, "--missing", "skip")
    assert (found["missing"], found["extra"], found["counts"]["pairs"]) == (["i0"], ["z"], 5)
    assert (
        "1 truth masks without prediction"
        in run(pred, "--truth", truth, "--classes", 3, "--missing", "skip").stderr
    )


def test_a_list_names_the_stems(folders: Folders, tmp_path: Path) -> None:
    truth, pred = folders
    (pred / "i0.png").unlink()
    (tmp_path / "some.txt").write_text("i3\ni4\n")
    assert (
        scored(pred, "--truth", truth, "--classes", 3, "--list", tmp_path / "some.txt")["counts"][
            "pairs"
        ]
        == 2
    )
    (tmp_path / "some.txt").write_text("i3\nnone\n")
    assert (
        "names none, without truth"
        in run(pred, "--truth", truth, "--classes", 3, "--list", tmp_path / "some.txt").stderr
    )


def test_a_dataset_knows_classes_and_lists(folders: Folders, tmp_path: Path) -> None:
    truth, pred = folders
    home = tmp_path / "data"
    home.mkdir()
    truth.rename(home / "SegmentationClass")
    (home / "class_names.txt").write_text("_background_\nland\nsea\n")
    (home / "ImageSets/Segmentation").mkdir(parents=True)
    (home / "ImageSets/Segmentation/val.txt").write_text("i1\ni2\n")
    found = scored(pred, "--dataset", home, "--split", "val")
    assert (found["counts"]["pairs"], found["classes"][1]["name"]) == (2, "land")
    for path in pred.iterdir():
        if path.stem not in ("i1", "i2"):
            path.rename(tmp_path / path.name)
    assert "--split val" in run(pred, "--dataset", home).stderr
    assert "there is no list 'test'" in run(pred, "--dataset", home, "--split", "test").stderr
    none = run("--dataset", home)
    assert (none.exit_code, "no-predictions" in none.stderr, "train-check" in none.stderr) == (
        2,
        True,
        True,
    )
    checked = home / "runs/train-check"
    for n in (1, 2):
        save(checked / f"predictions/i{n}.png", np.asarray(Image.open(pred / f"i{n}.png")))
    assert run("--dataset", home).exit_code == 2
    (checked / "scored.txt").write_text("i1\ni2\n")
    assert scored("--dataset", home)["confusion_matrix"] == found["confusion_matrix"]


def test_the_interval_is_seeded_and_needs_several_images(folders: Folders) -> None:
    truth, pred = folders
    words = pred, "--truth", truth, "--classes", 3
    one, same, other = (scored(*words, "--seed", seed)["interval"] for seed in (1, 1, 2))
    assert one == same != other
    assert one[0] <= scored(*words)["miou"] <= one[1]
    assert scored(*words, "--samples", 0)["interval"] is None
    assert segprep.evaluate(pred, truth=truth, classes=3, stems=["i5"]).interval is None
    groups = scored(*words, "--group-by", r"i(\d)", "--seed", 1)
    assert len(groups["groups"]) == 6
    assert scored(*words, "--group-by", "(i)")["interval"] is None


def test_two_predictions_are_compared_image_by_image(folders: Folders, tmp_path: Path) -> None:
    truth, pred = folders
    for path in truth.iterdir():
        ids = np.asarray(Image.open(path))
        save(tmp_path / "perfect" / path.name, np.where(ids == 255, 0, ids).astype(np.uint8))
    found = scored(pred, "--truth", truth, "--classes", 3, "--against", tmp_path / "perfect")
    other = found["against"]
    assert (other["miou"], other["difference"]) == (1, pytest.approx(found["miou"] - 1))
    assert other["interval"][0] <= other["difference"] <= other["interval"][1] < 0
    assert other["changed"][0]["stem"] == "i5"
    assert len(other["changed"]) == 5
    assert (
        "against"
        in run(pred, "--truth", truth, "--classes", 3, "--against", tmp_path / "perfect").stdout
    )


def test_objects_have_a_quality(tmp_path: Path) -> None:
    ids = np.zeros((20, 20), np.uint8)
    ids[:8, :8], ids[10:, 10:], ids[0, 15] = 1, 2, 255
    save(tmp_path / "SegmentationObject/a.png", ids)
    save(tmp_path / "SegmentationClass/a.png", np.where(ids == 255, 255, ids > 0).astype(np.uint8))
    pred = np.zeros((20, 20), np.uint16)
    pred[:8, :6], pred[10:, 10:], pred[15:, :5] = 900, 901, 902
    save(tmp_path / "objects/a.png", pred)
    (tmp_path / "class_names.txt").write_text("_background_\nnucleus\n")
    found = scored("--dataset", tmp_path, "--objects", tmp_path / "objects")["objects"]
    assert (found["sq"], found["rq"]) == (pytest.approx((0.75 + 1) / 2), pytest.approx(2 / 2.5))
    assert found["pq"] == pytest.approx(found["sq"] * found["rq"])
    assert found["dsb_score"] == pytest.approx((5 * 2 / 3 + 5 * 1 / 4) / 10)
    assert (
        "instance masks"
        in run(
            "--truth",
            tmp_path / "objects",
            tmp_path / "objects",
            "--classes",
            2,
            "--objects",
            tmp_path / "objects",
        ).stderr
    )


def test_memory_and_order_do_not_depend_on_the_listing(folders: Folders) -> None:
    truth, pred = folders
    forward = segprep.evaluate(pred, truth=truth, classes=3, stems=[f"i{n}" for n in range(6)])
    backward = segprep.evaluate(
        pred, truth=truth, classes=3, stems=[f"i{n}" for n in reversed(range(6))]
    )
    assert forward.interval == pytest.approx(backward.interval)
    assert forward.worst == backward.worst


def test_it_runs_as_a_program(folders: Folders) -> None:
    truth, pred = folders
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "segprep_cli",
            "miou",
            str(pred),
            "--truth",
            str(truth),
            "--classes",
            "3",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "mIoU 0." in done.stdout
    assert "3 of 3 classes averaged; pixels: 468 counted, 12 ignored, 0 invalid" in done.stdout
    assert done.stderr == ""
