"""``segprep miou`` over folders: what pairs, what is counted, what it says, and what it refuses."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from segprep_cli.main import group

import segprep
from segprep.errors import BadInputError, SegprepError, SourceError, UsageError
from segprep.evaluation import label_maps
from segprep.evaluation.arrays import Reading
from segprep.imaging import png
from segprep.imaging.image import encode_mask
from segprep.types import MAX_PIXELS

Folders = tuple[Path, Path]


def save(path: Path, mask: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, mask)
    else:
        Image.fromarray(np.asarray(mask)).save(path)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Six pairs of three classes, some pixels ignored; image n has n wrong pixels."""
    random = np.random.default_rng(3)
    for n in range(6):
        truth = np.sort(random.integers(0, 3, (8, 10)), axis=1).astype(np.uint8)
        pred = truth.copy()
        pred.flat[:n] = (pred.flat[:n] + 1) % 3
        truth[7, 8:] = 255
        save(tmp_path / f"truth/i{n}.png", truth)
        save(tmp_path / f"pred/i{n}.png", pred)
    return tmp_path / "truth", tmp_path / "pred"


def run(*words: object) -> Any:
    return CliRunner().invoke(group, ["miou", *map(str, words)])


def scored(*words: object) -> dict[str, Any]:
    done = run(*words, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def matrix(folders: Folders) -> Any:
    truth, pred = folders
    total = np.zeros((3, 3), np.int64)
    for path in truth.iterdir():
        t, p = np.asarray(Image.open(path)), np.asarray(Image.open(pred / path.name))
        np.add.at(total, (t[t != 255], p[t != 255]), 1)
    return total


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


def test_every_form_of_a_prediction_counts_the_same(folders: Folders, tmp_path: Path) -> None:
    truth, pred = folders
    expected = matrix(folders).tolist()
    forms: dict[str, Callable[[Path, Any], None]] = {
        "palette": lambda path, ids: (path.with_suffix(".png").write_bytes(encode_mask(ids)), None)[
            1
        ],
        "sixteen": lambda path, ids: save(path.with_suffix(".png"), ids.astype(np.uint16)),
        "tiff": lambda path, ids: save(path.with_suffix(".tif"), ids),
        "npy": lambda path, ids: save(path.with_suffix(".npy"), ids.astype(np.int64)),
        "npz": lambda path, ids: np.savez_compressed(
            path.with_suffix(".npz"), pred=ids, other=ids * 0
        ),
        "first": lambda path, ids: save(
            path.with_suffix(".npy"), np.eye(3, dtype=np.float32)[ids].transpose(2, 0, 1)
        ),
        "last": lambda path, ids: save(path.with_suffix(".npy"), np.eye(3)[ids] - 5.0),
    }
    for name, write in forms.items():
        (tmp_path / name).mkdir()
        for path in pred.iterdir():
            write(tmp_path / name / path.stem, np.asarray(Image.open(path)))
        assert (
            scored(tmp_path / name, "--truth", truth, "--classes", 3)["confusion_matrix"]
            == expected
        ), name


def test_probabilities_of_two_classes_have_a_threshold(tmp_path: Path) -> None:
    save(tmp_path / "truth/a.png", np.array([[0, 0, 1, 1]], np.uint8))
    save(tmp_path / "gray/a.png", np.array([[0, 127, 128, 255]], np.uint8))
    save(tmp_path / "float/a.npy", np.array([[0.1, 0.5, 0.6, 0.9]], np.float32))
    words = "--truth", tmp_path / "truth", "--classes", 2
    assert scored(tmp_path / "gray", *words, "--threshold", 0.5)["miou"] == 1
    assert scored(tmp_path / "float", *words)["miou"] == 1
    assert scored(tmp_path / "float", *words, "--threshold", 0.7)["confusion_matrix"] == [
        [2, 0],
        [1, 1],
    ]
    assert "--threshold 0.5" in run(tmp_path / "gray", *words).stderr


def test_colors_and_flattened_palettes_are_turned_back(folders: Folders, tmp_path: Path) -> None:
    truth, pred = folders
    expected = matrix(folders).tolist()
    for mode in ("RGB", "RGBA", "L"):
        for path in pred.iterdir():
            (tmp_path / mode).mkdir(exist_ok=True)
            (tmp_path / "palette.png").write_bytes(encode_mask(np.asarray(Image.open(path))))
            Image.open(tmp_path / "palette.png").convert(mode).save(tmp_path / mode / path.name)
        words = tmp_path / mode, "--truth", truth, "--classes", 3
        assert "--colors voc" in run(*words).stderr
        assert scored(*words, "--colours", "voc")["confusion_matrix"] == expected
    assert "128,0,0" in run(tmp_path / "RGB", "--truth", truth, "--classes", 3).stderr
    assert (
        "is not a color of VOC's first 2 classes"
        in run(
            tmp_path / "RGB",
            "--truth",
            truth,
            "--classes",
            2,
            "--ignore-index",
            2,
            "--colors",
            "voc",
        ).stderr
    )
    many = Reading(200, colors=True)
    with pytest.raises(SourceError, match="same gray"):
        label_maps.read(tmp_path / "L/i0.png", (tmp_path,), many)


def test_foreign_masks_and_excluded_classes(folders: Folders) -> None:
    truth, pred = folders
    for path in truth.iterdir():
        ids = np.asarray(Image.open(path)).copy()
        ids[ids == 255] = 77
        save(path, ids)
    words = pred, "--truth", truth, "--classes", 3
    refused = run(*words)
    assert (refused.exit_code, "77" in refused.stderr, "--ignore-index 77" in refused.stderr) == (
        1,
        True,
        True,
    )
    found = scored(*words, "--ignore-index", 77, "--exclude-class", 2)
    assert (
        found["policy"]["ignore_index"],
        found["policy"]["excluded"],
        found["policy"]["averaged"],
    ) == (77, ["2"], 2)
    assert found["confusion_matrix"] == scored(*words, "--ignore-index", 77)["confusion_matrix"]
    inside = run(*words, "--ignore-index", 2)
    assert (inside.exit_code, "--exclude-class 2" in inside.stderr) == (2, True)
    assert "there is no class 'moon'" in run(*words, "--exclude-class", "moon").stderr
    assert "for example --ignore-index" in run(*words, "--ignore-index", "x").stderr


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


def fault(folders: Folders, name: str) -> tuple[str, str]:
    """Spoil one prediction; what is wrong, and the words that the error must hold."""
    path = folders[1] / "i2.png"
    ids = np.asarray(Image.open(path))
    if name == "id beyond":
        save(path, np.where(ids == 2, 3, ids).astype(np.uint8))
        return "invalid-prediction", "3 ("
    if name == "255":
        save(path, np.where(ids == 2, 255, ids).astype(np.uint8))
        return "invalid-prediction", "--invalid count"
    if name == "size":
        save(path, ids[:4])
        return "size-mismatch", "10x4"
    if name == "turned":
        save(path, np.ascontiguousarray(ids.T))
        return "size-mismatch", "EXIF"
    if name == "colors":
        save(path, np.dstack([ids * 60, ids * 0, ids * 0]).astype(np.uint8))
        return "mask-is-colour", "--colors voc"
    if name == "flattened":
        path.write_bytes(encode_mask(ids.astype(np.uint8)))
        Image.open(path).convert("L").save(path)
        return "invalid-prediction", "flattened"
    if name == "truncated":
        path.write_bytes(path.read_bytes()[:-30])
        return "image-damaged", "restore"
    if name == "empty":
        path.write_bytes(b"")
        return "empty-file", "0 bytes"
    path.unlink()
    if name == "NaN":
        save(path.with_suffix(".npy"), np.full((3, 8, 10), np.nan, np.float32))
        return "nan-prediction", "240 probabilities are NaN"
    if name == "fractions":
        save(path.with_suffix(".npy"), ids.astype(np.float32) + 0.25)
        return "bad-prediction", "save ids as integers"
    if name == "pickle":
        np.save(path.with_suffix(".npy"), np.array([{"a": 1}], object), allow_pickle=True)
        return "bad-prediction", "numpy.save"
    if name == "link":
        path.symlink_to("/etc/hostname")
        return "link-outside-root", "link"
    raise AssertionError(name)


@pytest.mark.parametrize(
    "name",
    [
        "id beyond",
        "255",
        "size",
        "turned",
        "colors",
        "flattened",
        "truncated",
        "empty",
        "NaN",
        "fractions",
        "pickle",
        "link",
    ],
)
def test_bad_input_names_file_value_and_cause(folders: Folders, name: str) -> None:
    code, words = fault(folders, name)
    truth, pred = folders
    done = run(pred, "--truth", truth, "--classes", 3)
    assert done.exit_code == 1
    assert f"[{code}]" in done.stderr
    assert words in done.stderr
    assert "i2" in done.stderr
    assert "Traceback" not in done.output
    assert done.stdout == ""
    told = json.loads(run(pred, "--truth", truth, "--classes", 3, "--json").stdout)
    assert (told["miou"], [one["code"] for one in told["skipped"]]) == (None, [code])
    with pytest.raises(BadInputError) as caught:
        segprep.evaluate(pred, truth=truth, classes=3)
    assert [one.stem for one in caught.value.skipped] == ["i2"]  # type: ignore[attr-defined]


def test_maps_that_can_be_read_in_two_ways_are_refused(tmp_path: Path) -> None:
    ids = np.array([[0, 1], [2, 2]], np.uint8)
    pages = [Image.fromarray(ids), Image.fromarray(ids)]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    gray = Image.fromarray(ids)
    gray.putpalette([0, 0, 0, 9, 9, 9, 255, 255, 255])
    gray.save(tmp_path / "gray.gif")
    Image.fromarray(ids.astype(np.float32)).save(tmp_path / "float.tif")
    for name, code in {
        "pages.tif": "image-frames",
        "gray.gif": "palette-ambiguous",
        "float.tif": "image-unsupported",
    }.items():
        with pytest.raises(SourceError) as caught:
            label_maps.read(tmp_path / name, (tmp_path,), Reading(3))
        assert caught.value.code == code
        assert "PNG" in caught.value.hint or "one map" in caught.value.hint


@pytest.mark.parametrize("form", ["png", "npy", "npz"])
def test_damage_of_any_kind_is_an_error_of_ours(tmp_path: Path, form: str) -> None:
    random = np.random.default_rng(0)
    path = tmp_path / f"x.{form}"
    ids = random.integers(0, 3, (13, 17)).astype(np.uint8)
    np.savez_compressed(path, ids) if form == "npz" else save(path, ids)
    whole = path.read_bytes()
    refused = 0
    for _ in range(400):
        data = bytearray(whole)
        for at in random.integers(0, min(len(data), 200), random.integers(1, 4)).tolist():
            data[at] = int(random.integers(256))
        path.write_bytes(
            data[: random.integers(1, len(data) + 1)] if random.random() < 0.5 else data
        )
        try:
            assert label_maps.read(path, (tmp_path,), Reading(3)).ndim == 2
        except SourceError:
            refused += 1
    assert refused > 200


def test_every_bad_file_is_listed_in_one_go(folders: Folders) -> None:
    truth, pred = folders
    for n in range(3):
        (pred / f"i{n}.png").write_bytes(b"x")
    with pytest.raises(BadInputError, match="3 of 6") as caught:
        segprep.evaluate(pred, truth=truth, classes=3)
    assert len(caught.value.skipped) == 3
    for n in range(5):
        (pred / f"i{n}.png").write_bytes(b"x")
    few, all_of_them = (
        run(pred, "--truth", truth, "--classes", 3, *more).stderr for more in ((), ("--verbose",))
    )
    assert "and 2 more [image-unsupported]" in few
    assert all_of_them.count("bad input [image-unsupported]") == 5
    assert few.count("bad input [image-unsupported]") == 3


def test_counting_and_resizing_are_opt_in(folders: Folders) -> None:
    truth, pred = folders
    fault(folders, "255")
    found = scored(pred, "--truth", truth, "--classes", 3, "--invalid", "count")
    lost = found["counts"]["invalid"]
    assert lost > 0
    assert sum(map(sum, found["confusion_matrix"])) == found["counts"]["valid"] == 468 - lost
    assert sum(one["pixels"] for one in found["classes"]) == 468
    small = np.asarray(Image.open(pred / "i4.png"))
    save(pred / "i4.png", small.repeat(2, 0).repeat(2, 1))
    fault(folders, "id beyond")
    save(pred / "i2.png", np.asarray(Image.open(truth / "i2.png")) % 255)
    assert (
        scored(pred, "--truth", truth, "--classes", 3, "--resize", "nearest")["counts"]["valid"]
        == 468
    )


def test_nothing_in_common_says_what_differs(folders: Folders, tmp_path: Path) -> None:
    truth, pred = folders
    for path in list(pred.iterdir()):
        path.rename(pred / f"{path.stem}_pred.png")
    with pytest.raises(SegprepError, match="no stem in common") as caught:
        segprep.evaluate(pred, truth=truth, classes=3)
    assert "'_pred'" in caught.value.hint
    (tmp_path / "none").mkdir()
    assert run(tmp_path / "none", "--truth", truth, "--classes", 3).exit_code == 1
    assert run(tmp_path / "absent", "--truth", truth, "--classes", 3).exit_code == 2
    Image.new("RGB", (10, 8)).save(tmp_path / "none/i0.jpg")
    assert "JPEG" in run(tmp_path / "none", "--truth", truth, "--classes", 3).stderr


def test_two_files_of_one_stem_are_refused(folders: Folders) -> None:
    truth, pred = folders
    save(pred / "i1.npy", np.zeros((8, 10), np.uint8))
    with pytest.raises(SourceError, match="one stem"):
        segprep.evaluate(pred, truth=truth, classes=3)


def test_classes_must_be_known(folders: Folders, tmp_path: Path) -> None:
    truth, pred = folders
    with pytest.raises(UsageError, match="not known"):
        segprep.evaluate(pred, truth=truth)
    (tmp_path / "labels.txt").write_text("__ignore__\n_background_\nland\nsea\n")
    assert segprep.evaluate(pred, truth=truth, classes=str(tmp_path / "labels.txt")).classes == (
        "_background_",
        "land",
        "sea",
    )
    with pytest.raises(UsageError, match="more than once"):
        segprep.evaluate(pred, truth=truth, classes=["a", "a"])
    with pytest.raises(UsageError, match="there are 3 classes"):
        segprep.evaluate(pred, truth=truth, classes=3, threshold=0.5)
    with pytest.raises(UsageError, match="--colors ade"):
        segprep.evaluate(pred, truth=truth, classes=3, colors="ade")
    with pytest.raises(UsageError, match="0 classes"):
        segprep.evaluate(pred, truth=truth, classes=0)


def test_many_classes_in_sixteen_bits(tmp_path: Path) -> None:
    truth = np.array([[0, 40_000, 299, 65_535]], np.uint16)
    save(tmp_path / "truth/a.png", truth)
    save(tmp_path / "pred/a.png", np.array([[0, 40_000, 300, 1]], np.uint16))
    found = scored(tmp_path / "pred", "--truth", tmp_path / "truth", "--classes", 50_000)
    assert (found["miou"], found["policy"]["ignore_index"], found["counts"]["ignored"]) == (
        0.5,
        65_535,
        1,
    )
    assert found["confusion_matrix"] is None


def test_the_quick_way_to_read_a_mask_is_pillows(tmp_path: Path, real: Path) -> None:
    random = np.random.default_rng(0)
    ids = random.integers(0, 256, (33, 57)).astype(np.uint8)
    data = encode_mask(ids)
    assert np.array_equal(png.decode(data, MAX_PIXELS), ids)
    for spoiled in (data[:-5], data[:60], data[:200] + b"\1" + data[201:], b"", data[:8]):
        assert png.decode(spoiled, MAX_PIXELS) is None
    image = Image.fromarray(ids % 16)
    for name, how in {"L": {}, "bits": {"bits": 4}, "1": {}, "P": {}}.items():
        (image.convert(name) if name != "bits" else image).save(tmp_path / "x.png", **how)
        assert np.array_equal(
            label_maps.pixels((tmp_path / "x.png").read_bytes(), Path("x")),
            np.asarray(Image.open(tmp_path / "x.png")),
        )
    for path in sorted((real / "predictions/predictions").iterdir())[:5]:
        assert np.array_equal(
            label_maps.read(path, (path.parent,), Reading(2)), np.asarray(Image.open(path))
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


# ----------------------------------------------------------------------------
# truth that is not class ids


def black_and_white(tmp_path: Path) -> Folders:
    """Truth of 0 and 255, predictions that are all background."""
    for n in range(4):
        truth = np.zeros((8, 10), np.uint8)
        truth[2:4, 2 : 5 + n] = 255
        save(tmp_path / f"truth/{n}.png", truth)
        save(tmp_path / f"black/{n}.png", np.zeros((8, 10), np.uint8))
        save(tmp_path / f"pred/{n}.png", truth)
    return tmp_path / "truth", tmp_path / "black"


def test_a_truth_of_0_and_255_is_never_scored_as_ignored(tmp_path: Path) -> None:
    truth, black = black_and_white(tmp_path)
    done = run(black, "--truth", truth, "--classes", 2)
    assert done.exit_code == 1
    assert "holds 0 and 255 only: read as ignored, 255 (11.2% of the pixels) leaves no class" in (
        done.stderr
    )
    assert "--truth-ids 0=background,255=NAME" in done.stderr
    words = ("--truth", truth, "--truth-ids", "0=background,255=cell")
    assert scored(black, *words)["miou"] == pytest.approx(0.44375)
    assert [one["name"] for one in scored(black, *words)["classes"]] == ["background", "cell"]
    assert scored(tmp_path / "pred", *words, "--threshold", 0.5)["miou"] == 1.0
    assert scored(black, *words, "--classes", 2)["miou"] == pytest.approx(0.44375)
    assert scored(black, "--truth", truth, "--classes", 2, "--ignore-index", 255)["miou"] == 1.0


def test_a_dataset_of_0_and_255_likewise(tmp_path: Path) -> None:
    truth, black = black_and_white(tmp_path)
    home = tmp_path / "tree"
    truth.rename(tmp_path / "masks")
    (tmp_path / "masks").rename(home.parent / "SegmentationClass")
    done = run(black, "-d", tmp_path, "--classes", "background,cell")
    assert done.exit_code == 1
    assert "[values-unclear]" in done.stderr


def test_mostly_ignored_truth_has_to_be_confirmed(tmp_path: Path) -> None:
    truth = np.full((8, 10), 255, np.uint8)
    truth[0], truth[1] = 0, 1
    save(tmp_path / "truth/a.png", truth)
    save(tmp_path / "pred/a.png", np.where(truth == 255, 0, truth).astype(np.uint8))
    words = (tmp_path / "pred", "--truth", tmp_path / "truth", "--classes", 2)
    assert "255 covers 75.0% of the truth" in run(*words).stderr
    assert scored(*words, "--ignore-index", 255)["miou"] == 1.0


def test_truth_of_background_only_is_said(tmp_path: Path) -> None:
    save(tmp_path / "truth/a.png", np.zeros((4, 5), np.uint8))
    save(tmp_path / "pred/a.png", np.zeros((4, 5), np.uint8))
    words = (tmp_path / "pred", "--truth", tmp_path / "truth", "--classes", "bg,cell")
    assert "every truth pixel that counts is bg; no other class is scored" in run(*words).stderr


def test_labels_from_1_with_0_ignored(folders: Folders, tmp_path: Path) -> None:
    truth, pred = folders
    for path in truth.iterdir():
        ids = np.asarray(Image.open(path))
        save(tmp_path / "from1" / path.name, np.where(ids == 255, 0, ids + 1).astype(np.uint8))
    plain = scored(pred, "--truth", truth, "--classes", 3)
    words = (pred, "--truth", tmp_path / "from1", "--classes", 3)
    reduced = scored(*words, "--reduce-zero-label")
    assert reduced["confusion_matrix"] == plain["confusion_matrix"]
    table = "0=__ignore__,1=0,2=1,3=2"
    assert scored(*words, "--truth-ids", table)["miou"] == plain["miou"]
    done = run(*words, "--truth-ids", "0=__ignore__,1=0,2=1")
    assert "values that are not stated: 3" in done.stderr


# ----------------------------------------------------------------------------
# predictions as the field stores them


@pytest.mark.parametrize("kind", ["RGB", "RGBA", "LA", "1HW", "whole floats", "1HW floats"])
def test_equal_channels_and_whole_numbers_are_ids(
    folders: Folders, tmp_path: Path, kind: str
) -> None:
    truth, pred = folders
    for path in pred.iterdir():
        ids = np.asarray(Image.open(path))
        if kind in ("RGB", "RGBA", "LA"):
            target = tmp_path / kind / path.name
            target.parent.mkdir(exist_ok=True)
            Image.fromarray(ids).convert(kind).save(target)
        else:
            array = ids.astype(np.float32) if "floats" in kind else ids
            name = path.with_suffix(".npy").name
            save(tmp_path / kind / name, array[None] if "1HW" in kind else array)
    expected = scored(pred, "--truth", truth, "--classes", 3)["confusion_matrix"]
    words = (tmp_path / kind, "--truth", truth, "--classes", 3)
    assert scored(*words)["confusion_matrix"] == expected


def test_names_with_more_around_the_stem_and_folders_on_one_side(
    folders: Folders, tmp_path: Path
) -> None:
    truth, pred = folders
    expected = scored(pred, "--truth", truth, "--classes", 3)["confusion_matrix"]
    for path in pred.iterdir():
        ids = np.asarray(Image.open(path))
        save(tmp_path / "around" / f"p_{path.stem}_pred.png", ids)
        save(tmp_path / "nested" / "city" / path.name, ids)
    words = (tmp_path / "around", "--truth", truth, "--classes", 3)
    assert scored(*words, "--prefix", "p_", "--suffix", "_pred")["confusion_matrix"] == expected
    nested = scored(tmp_path / "nested", "--truth", truth, "--classes", 3)
    assert nested["confusion_matrix"] == expected
    for path in (tmp_path / "around").iterdir():
        path.rename(path.with_name(path.name.removeprefix("p_")))
    assert "give --suffix _pred" in run(*words).stderr


def test_sixteen_bits_per_channel_are_refused(folders: Folders, tmp_path: Path) -> None:
    truth, pred = folders
    for path in pred.iterdir():
        data = bytearray(rgb16(np.asarray(Image.open(path))))
        (tmp_path / "deep").mkdir(exist_ok=True)
        (tmp_path / "deep" / path.name).write_bytes(data)
    done = run(tmp_path / "deep", "--truth", truth, "--classes", 3)
    assert "has 16 bits per channel in several channels" in done.stderr


def rgb16(ids: Any) -> bytes:
    """A PNG of 16 bits per channel, the id in the low byte of each."""
    import struct
    import zlib

    height, width = ids.shape
    rows = np.repeat(ids.astype(">u2")[..., None], 3, 2)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(raw))
        + chunk(b"IEND", b"")
    )


# ----------------------------------------------------------------------------
# what was predicted


def account(folder: Path, *classes: str, complete: bool = True) -> None:
    content = {"kind": "segprep predict", "complete": complete, "classes": classes, "files": []}
    (folder / "predictions.json").write_text(json.dumps(content))


def test_another_tools_predictions_json_is_no_account(folders: Folders) -> None:
    """COCO tools write a list of results under this name."""
    truth, pred = folders
    words = (pred, "--truth", truth, "--classes", "sky,land,sea")
    before = scored(*words)
    (pred / "predictions.json").write_text('[{"image_id": 1, "score": 0.5}]')
    assert scored(*words) == before


def test_predictions_of_other_classes_are_refused(folders: Folders) -> None:
    truth, pred = folders
    (truth.parent / "class_names.txt").write_text("_background_\ncat\ndog\n")
    truth.rename(truth.parent / "SegmentationClass")
    words = (pred, "-d", truth.parent)
    account(pred, "_background_", "cat", "dog")
    assert scored(*words)["miou"] > 0.9
    account(pred, "_background_", "dog", "cat")
    done = run(*words)
    assert done.exit_code == 1
    assert "[other-classes]" in done.stderr
    assert "the predictions are of the classes _background_, dog, cat; the truth has" in done.stderr
    assert scored(*words, "--classes", "_background_,dog,cat")["miou"] > 0.9
    account(pred, "_background_", "cat", complete=False)
    result = run(*words)
    assert "the predictions do not know dog; these pixels count as errors" in result.stderr
    assert "this run was not finished" in result.stderr
