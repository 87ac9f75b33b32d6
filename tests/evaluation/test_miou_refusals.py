"""What ``segprep miou`` refuses to score, and the cause that it names."""

import json
from pathlib import Path

import numpy as np
import pytest
from evaluation.miou_folders import Folders, run, save, scored
from PIL import Image

import segprep
from segprep.errors import BadInputError, SegprepError, SourceError, UsageError
from segprep.evaluation import label_maps
from segprep.evaluation.arrays import Reading
from segprep.imaging.image import encode_mask


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
    assert "--suffix _pred" in caught.value.hint
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


@pytest.mark.parametrize("highest", [1, 200])
def test_ids_are_no_probabilities(tmp_path: Path, highest: int) -> None:
    """Predicted ids 0 and 1 are all far below --threshold, but a probability may be 1 of 255."""
    cell = np.zeros((8, 8), np.uint8)
    cell[:4] = 1
    for name in "ab":
        save(tmp_path / f"truth/{name}.png", cell)
        save(tmp_path / f"pred/{name}.png", cell)
    save(tmp_path / "truth/c.png", cell)
    save(tmp_path / "pred/c.png", cell * highest)
    words = (tmp_path / "pred", "--truth", tmp_path / "truth", "--classes", 2, "--threshold", 0.5)
    if highest > 1:
        assert scored(*words)["classes"][1]["recall"] == pytest.approx(1 / 3)
        return
    done = run(*words)
    assert done.exit_code == 1
    assert "[values-unclear]" in done.stderr
    assert "leave --threshold out" in done.stderr


def test_truth_masks_saved_as_jpeg_are_said(folders: Folders, tmp_path: Path) -> None:
    truth, pred = folders
    Image.new("L", (8, 8)).save(truth / "photo.jpg")
    done = run(pred, "--truth", truth, "--classes", 3)
    assert done.exit_code == 0
    assert "[truth-unread]: 1 JPEG or WebP files" in done.stderr
    (tmp_path / "jpegs").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "jpegs/a.jpg")
    done = run(pred, "--truth", tmp_path / "jpegs", "--truth-ids", "0=background,255=cell")
    assert done.exit_code == 1
    assert "the 1 truth masks are JPEG files" in done.stderr


def test_a_wrong_truth_table_names_its_option(folders: Folders) -> None:
    done = run(folders[1], "--truth", folders[0], "--truth-ids", "cell=255")
    assert done.exit_code == 2
    assert "--truth-ids: 'cell=255' is not VALUE=NAME" in done.stderr


@pytest.mark.parametrize(("fault", "code"), [("frames", "mask-frames"), ("sum", "image-damaged")])
@pytest.mark.parametrize("truth", [True, False])
def test_a_png_of_frames_or_with_a_wrong_checksum_is_not_scored(
    tmp_path: Path, fault: str, code: str, truth: bool
) -> None:
    path, frames = tmp_path / "a.png", [Image.new("L", (9, 9), n) for n in range(2)]
    if fault == "frames":
        frames[0].save(path, save_all=True, append_images=frames[1:])
    else:
        frames[0].save(path)
        data = bytearray(path.read_bytes())
        data[data.index(b"IEND") - 5] ^= 1  # the last byte of the checksum before
        path.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        label_maps.read(path, (tmp_path,), Reading(3), truth=truth)
    assert caught.value.code == code
