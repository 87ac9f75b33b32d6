"""What ``segprep miou`` reads as a label map, and how values, colors and names are taken."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluation.miou_folders import Folders, matrix, run, save, scored
from PIL import Image

from segprep.errors import SourceError
from segprep.evaluation import label_maps
from segprep.evaluation.arrays import Reading
from segprep.imaging import png
from segprep.imaging.image import encode_mask
from segprep.types import MAX_PIXELS


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


def test_maps_that_can_be_read_in_two_ways_are_refused(tmp_path: Path) -> None:
    ids = np.array([[0, 1], [2, 2]], np.uint8)
    pages = [Image.fromarray(ids), Image.fromarray(ids)]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    gray = Image.fromarray(ids)
    gray.putpalette([0, 0, 0, 9, 9, 9, 255, 255, 255])
    gray.save(tmp_path / "gray.gif")
    Image.fromarray(ids.astype(np.float32) / 2).save(tmp_path / "float.tif")
    for name, code in {
        "pages.tif": "mask-frames",
        "gray.gif": "palette-ambiguous",
        "float.tif": "image-unsupported",
    }.items():
        with pytest.raises(SourceError) as caught:
            label_maps.read(tmp_path / name, (tmp_path,), Reading(3))
        assert caught.value.code == code
        assert "PNG" in caught.value.hint or "one map" in caught.value.hint


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


def test_floats_of_whole_numbers_and_a_batch_of_one_are_ids(tmp_path: Path) -> None:
    ids = np.array([[0, 1], [2, 2], [1, 0]], np.uint8)
    Image.fromarray(ids.astype(np.float32)).save(tmp_path / "ids.tif")
    np.save(tmp_path / "batch.npy", np.eye(3, dtype=np.float32)[ids].transpose(2, 0, 1)[None])
    for name in ("ids.tif", "batch.npy"):
        assert (label_maps.read(tmp_path / name, (tmp_path,), Reading(3)) == ids).all()
    Image.fromarray(np.full((2, 2), np.nan, np.float32)).save(tmp_path / "nan.tif")
    with pytest.raises(SourceError, match="with fractions"):
        label_maps.read(tmp_path / "nan.tif", (tmp_path,), Reading(3))


def test_true_and_false_are_no_map_of_three_classes(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.eye(4, dtype=bool))
    assert label_maps.read(tmp_path / "a.npy", (tmp_path,), Reading(2)).sum() == 4
    with pytest.raises(SourceError, match="true and false only, there are 3 classes"):
        label_maps.read(tmp_path / "a.npy", (tmp_path,), Reading(3))


def test_the_truth_may_have_ends_of_its_own(tmp_path: Path) -> None:
    for folder, name in (("pred", "s1"), ("truth", "mask_s1_gt")):
        (tmp_path / folder).mkdir()
        ids = np.arange(12, dtype=np.uint8).reshape(3, 4) % 2
        Image.fromarray(ids).save(tmp_path / folder / f"{name}.png")
    words = (tmp_path / "pred", "--truth", tmp_path / "truth", "--classes", "2")
    assert "give --truth-prefix mask_ --truth-suffix _gt" in run(*words).stderr
    assert scored(*words, "--truth-prefix", "mask_", "--truth-suffix", "_gt")["miou"] == 1.0
